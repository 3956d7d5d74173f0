// SPDX-License-Identifier: MIT
/* Tests of mm/base/list.h: order, moves, and that damage stops the program. */
#include "capture.h"
#include "mm/base/list.h"

struct item {
	int value;
	struct list_head node;
};

static struct item items[6];

/* The list holds just these values, read both ways. */
static void assert_list(struct list_head *h, const char *expected)
{
	char forward[16] = "", backward[16] = "";
	size_t n = 0, len = strlen(expected);
	struct item *i;

	list_for_each_entry(i, h, node)
		forward[n++] = (char)('0' + i->value);
	for (struct list_head *p = h->prev; p != h; p = p->prev)
		backward[--n] = (char)('0' + list_entry(p, struct item, node)->value);
	cr_assert_str_eq(forward, expected);
	cr_assert_str_eq(backward, expected);
	cr_assert_eq(list_empty(h), len == 0);
}

static void fill(struct list_head *h, int from, int to)
{
	for (int i = from; i < to; i++) {
		items[i].value = i;
		list_add_tail(&items[i].node, h);
	}
}

Test(list, adds_at_both_ends)
{
	LIST_HEAD(h);

	assert_list(&h, "");
	fill(&h, 1, 4);
	assert_list(&h, "123");
	list_add(&items[0].node, &h);
	assert_list(&h, "0123");
	cr_assert_eq(list_first_entry(&h, struct item, node), &items[0]);
	cr_assert_eq(list_last_entry(&h, struct item, node), &items[3]);
}

Test(list, deletes_anywhere)
{
	LIST_HEAD(h);

	fill(&h, 0, 5);
	list_del(&items[2].node);
	assert_list(&h, "0134");
	list_del(&items[0].node);
	list_del(&items[4].node);
	assert_list(&h, "13");
	list_del(&items[1].node);
	list_del(&items[3].node);
	assert_list(&h, "");
}

Test(list, moves_between_lists)
{
	struct list_head a, b;

	INIT_LIST_HEAD(&a);
	INIT_LIST_HEAD(&b);
	fill(&a, 0, 4);
	list_move(&items[2].node, &b);
	list_move(&items[0].node, &b);
	list_move_tail(&items[3].node, &b);
	assert_list(&a, "1");
	assert_list(&b, "023");
	list_move_tail(&items[0].node, &b);
	assert_list(&b, "230");
}

Test(list, splices_to_the_front)
{
	LIST_HEAD(a);
	LIST_HEAD(b);

	fill(&a, 0, 2);
	fill(&b, 2, 4);
	list_splice_init(&a, &b);
	assert_list(&a, "");
	assert_list(&b, "0123");
	list_splice_init(&a, &b);
	assert_list(&b, "0123");
	list_splice_init(&b, &a);
	assert_list(&a, "0123");
	assert_list(&b, "");
}

Test(list, safe_walk_survives_deletion)
{
	struct item *i, *next;
	LIST_HEAD(h);

	fill(&h, 0, 6);
	list_for_each_entry_safe(i, next, &h, node)
		if (i->value % 2)
			list_del(&i->node);
	assert_list(&h, "024");
}

static void del_with_wrong_next(void)
{
	LIST_HEAD(h);

	fill(&h, 0, 4);
	items[1].node.next = &items[3].node;
	list_del(&items[1].node);
}

static void del_with_wrong_prev(void)
{
	LIST_HEAD(h);

	fill(&h, 0, 4);
	items[2].node.prev = &items[0].node;
	list_move(&items[2].node, &h);
}

static void del_twice(void)
{
	LIST_HEAD(h);

	fill(&h, 0, 4);
	list_del(&items[1].node);
	list_del(&items[1].node);
}

Test(list, damage_is_reported_and_stops)
{
	char entry[64];

	assert_aborts(del_with_wrong_prev, "list_del corruption");
	assert_aborts(del_twice, "list_del corruption");
	snprintf(entry, sizeof(entry), "BUG: list_del corruption: entry %p, next %p, prev %p",
		 (void *)&items[1].node, (void *)&items[3].node, (void *)&items[0].node);
	assert_aborts(del_with_wrong_next, entry);
}

Test(list, damage_kills_by_sigabrt, .signal = SIGABRT)
{
	capture_start();
	del_with_wrong_next();
}
