// SPDX-License-Identifier: MIT
/*
 * Tests of mm/extent.c: both orders against a plain array of units, the cost of
 * searches by counting, and damage.
 */
#include "slab_test.h"

#include "mm/extent.h"

#define UNITS	600

static struct extent_space space;
static struct extent nodes[UNITS];
static bool free_units[UNITS + 1];	/* the model */

static void start(bool sorted)
{
	memset(&space, 0, sizeof(space));
	memset(free_units, 0, sizeof(free_units));
	for (unsigned int i = 0; i < UNITS; i++)
		extent_stock_add(&space, &nodes[i]);
	if (sorted)
		extent_sort(&space);
}

static void give(unsigned long at, unsigned long len)
{
	extent_give(&space, at, len, 0, UNITS);
	memset(free_units + at, 1, len);
}

static void cut(struct extent *e, unsigned long at, unsigned long len)
{
	extent_cut(&space, e, at, len);
	memset(free_units + at, 0, len);
}

static unsigned long run_at(unsigned long at)
{
	unsigned long n = 0;

	while (at + n < UNITS && free_units[at + n])
		n++;
	return n;
}

/* What the model says: the lowest and the smallest run of at least @len. */
static void model_find(unsigned long len, long *first, long *best)
{
	unsigned long best_len = UNITS + 1;

	*first = *best = -1;
	for (unsigned long at = 0, n; at < UNITS; at += n ? n : 1) {
		n = run_at(at);
		if (!n || n < len)
			continue;
		if (*first < 0)
			*first = (long)at;
		if (n < best_len) {
			best_len = n;
			*best = (long)at;
		}
	}
}

static void check_searches(unsigned long len, unsigned long align)
{
	struct extent *e = extent_first(&space, len);
	unsigned long at = 0, wanted = UNITS;
	long first, best;

	model_find(len, &first, &best);
	cr_assert_eq(e ? (long)e->start : -1, first);
	if (space.sorted) {
		e = extent_best(&space, len);
		cr_assert_eq(e ? (long)e->start : -1, best);
	}
	for (unsigned long i = 0; i < UNITS && wanted == UNITS; i += align)
		if (run_at(i) >= len)
			wanted = i;
	e = extent_first_aligned(&space, len, align, &at);
	cr_assert_eq(e ? at : UNITS, wanted);
	cr_assert_eq(extent_around(&space, align, len) != NULL, run_at(align) >= len);
	cr_assert_eq(extent_any_free(&space, align, len),
		     memchr(free_units + align, 1, min(len, UNITS - align)) != NULL);
}

static void random_walk(bool sorted, u64 seed)
{
	start(sorted);
	give(0, UNITS);
	for (int i = 0; i < 6000; i++) {
		unsigned long len = 1 + rnd(&seed) % 12, at = rnd(&seed) % (UNITS - 12);

		if (extent_around(&space, at, len)) {
			cut(extent_floor(&space, at), at, len);
		} else if (!extent_any_free(&space, at, len)) {
			give(at, len);
		}
		if (i % 8 == 0)
			check_searches(1 + rnd(&seed) % 20, 1UL << rnd(&seed) % 5);
		if (i % 64 == 0)
			cr_assert_eq(extent_validate(&space), 0, "step %d", i);
	}
	for (unsigned long at = 0, n; at < UNITS; at += n ? n : 1) {
		n = run_at(at);
		if (!n)
			give(at, 1);
	}
	cr_assert_eq(space.nr, 1);
	cr_assert_eq(space.free, UNITS);
	cr_assert_eq(space.nr_stock, UNITS - 1);
}

Test(extent, agrees_with_a_model)
{
	for (u64 seed = 1; seed < 6; seed++) {
		random_walk(false, seed);
		random_walk(true, seed * 1000);
	}
}

Test(extent, sorting_late_is_sorting)
{
	start(false);
	for (unsigned long at = 0; at < UNITS; at += 10)
		give(at, 1 + at / 10 % 7);
	extent_sort(&space);
	cr_expect_eq(extent_validate(&space), 0);
	cr_expect_eq(extent_best(&space, 5)->len, 5);
	cr_expect_eq(extent_best(&space, 5)->start, 40);
	cr_expect_null(extent_best(&space, 8));
}

Test(extent, does_not_merge_across_a_border)
{
	start(true);
	extent_give(&space, 0, 10, 0, 10);
	extent_give(&space, 10, 10, 10, 20);
	cr_expect_eq(space.nr, 2);
	cut(extent_floor(&space, 12), 10, 3);
	extent_give(&space, 10, 3, 10, 20);
	cr_expect_eq(space.nr, 2);
	cr_expect_eq(extent_validate(&space), 0);
}

/* The height of an AVL tree of n nodes is under 1.44 log2(n + 2). */
Test(extent, a_million_extents_are_29_levels, .timeout = 60)
{
	struct extent *many = calloc(1 << 20, sizeof(*many));

	memset(&space, 0, sizeof(space));
	extent_sort(&space);
	for (unsigned long i = 0; i < 1 << 20; i++) {
		extent_stock_add(&space, &many[i]);
		/* In order: the worst case of a tree that does not balance. */
		extent_give(&space, 2 * i, 1, 0, ~0UL);
	}
	cr_expect_eq(space.nr, 1 << 20);
	cr_expect_leq(space.root[BY_ADDRESS]->height[BY_ADDRESS], 29);
	cr_expect_leq(space.root[BY_SIZE]->height[BY_SIZE], 29);
	cr_expect_eq(extent_validate(&space), 0);
	free(many);
}

Test(extent, validate_sees_damage)
{
	struct extent *e;

	start(true);
	for (unsigned long at = 0; at < UNITS; at += 4)
		give(at, 2);
	cr_assert_eq(extent_validate(&space), 0);
	sink_catch();
	e = extent_floor(&space, 40);
	e->len = 5;
	cr_expect_gt(extent_validate(&space), 0);
	cr_expect(sink_has("overlaps the one before"));
	e->len = 2;
	e->max += 1;
	cr_expect_gt(extent_validate(&space), 0);
	cr_expect(sink_has("wrong maximum"));
	e->max -= 1;
	e->height[BY_SIZE] += 3;
	cr_expect(extent_validate(&space) > 0 && sink_has("not balanced"));
	e->height[BY_SIZE] -= 3;
	space.nr++;
	cr_expect_eq(extent_validate(&space), 2);
	space.nr--;
	cr_expect_eq(extent_validate(&space), 0);
}
