// SPDX-License-Identifier: MIT
/*
 * The checks themselves: page_validate.c. Each kind of damage is done by hand,
 * and must be found, and named; what is whole again must be found whole.
 */
#include "pages_test.h"

TestSuite(page_validate, .timeout = 60);

static struct zone *z;
static struct page *large, *block, *compound, *parked, *dirty, *older;

/* A zone with something of everything. */
static void furnish(void)
{
	z = fresh_zones(64 * MIB);
	large = alloc_large(100, 1, GFP_KERNEL);
	block = alloc_pages(GFP_KERNEL, 5);
	compound = alloc_pages(GFP_KERNEL | __GFP_COMP, 4);
	parked = alloc_large(20, 1, GFP_KERNEL);
	older = alloc_pages(GFP_KERNEL, 6);
	dirty = alloc_pages(GFP_KERNEL, 7);
	__free_pages(alloc_page(GFP_KERNEL), 0);
	large_put(parked, true);
	__free_pages(older, 6);
	usleep(20000);
	__free_pages(dirty, 7);
	cr_assert_eq(zones_validate(), 0);
	cr_assert_eq(dirty->type, PT_BUDDY);
	cr_assert_eq(older->type, PT_BUDDY);
	capture_start();
}

static void expect_errors(long n, const char *text)
{
	captured_len = 0;
	captured[0] = '\0';
	cr_assert_eq(zones_validate(), n, "not %ld: %s", n, captured);
	cr_assert_not_null(strstr(captured, text), "no \"%s\" in: %s", text, captured);
}

static void expect_whole(void)
{
	captured_len = 0;
	captured[0] = '\0';
	cr_assert_eq(zones_validate(), 0, "%s", captured);
	cr_assert_eq(captured_len, 0);
}

Test(page_validate, counters)
{
	furnish();
	z->nr_free++;
	expect_errors(1, "nr_free disagrees with the map");
	z->nr_free--;
	z->nr_dirty_free--;
	expect_errors(1, "nr_dirty_free disagrees with the map");
	z->nr_dirty_free++;
	z->free_area[3].nr_free++;
	expect_errors(1, "nr_free of an order disagrees with its lists");
	z->free_area[3].nr_free--;
	z->nr_parked += 3;
	expect_errors(1, "nr_parked, the lists and the map differ");
	z->nr_parked -= 3;
	z->nr_committed = z->nr_present - 1;
	expect_errors(1, "limits out of order");
	z->nr_committed = z->nr_present;
	expect_whole();
}

Test(page_validate, masks)
{
	furnish();
	z->free_mask[MIGRATE_RECLAIMABLE] |= 1;
	expect_errors(1, "free_mask disagrees with a list");
	z->free_mask[MIGRATE_RECLAIMABLE] &= ~1U;
	z->parked_mask ^= BIT(19);
	expect_errors(1, "parked_mask disagrees with a list");
	z->parked_mask ^= BIT(19);
	z->free_max[0] ^= 1;
	expect_errors(1, "free_max disagrees with the map");
	z->free_max[0] ^= 1;
	expect_whole();
}

Test(page_validate, marks_inside_blocks)
{
	furnish();
	large[50].type = PT_SLAB;
	expect_errors(1, "mark inside a block");
	large[50].type = PT_NONE;
	block[3].type = PT_TAIL;
	expect_errors(1, "mark inside a block");
	block[3].type = PT_NONE;
	dirty[9].type = PT_PCP;
	expect_errors(1, "mark inside a block");
	dirty[9].type = PT_NONE;
	compound[3].head_distance = 2;
	expect_errors(1, "tail does not lead to its head");
	compound[3].head_distance = 3;
	compound[15].type = PT_NONE;
	expect_errors(1, "tail does not lead to its head");
	compound[15].type = PT_TAIL;
	expect_whole();
}

Test(page_validate, heads)
{
	furnish();
	block->zone = 1;
	expect_errors(1, "page of another zone");
	block->zone = 0;
	block->migratetype = MIGRATE_TYPES;
	expect_errors(1, "no such migrate type");
	block->migratetype = MIGRATE_UNMOVABLE;
	z->pageblock_type[0] = 77;
	expect_errors(1, "no such pageblock type");
	z->pageblock_type[0] = MIGRATE_UNMOVABLE;
	block->type = 200;
	captured_len = 0;
	cr_assert_gt(zones_validate(), 0);
	cr_assert_not_null(strstr(captured, "no block begins where the last one ends"));
	block->type = PT_ALLOC;
	large->nr_pages = 1UL << 40;
	cr_assert_gt(zones_validate(), 0);
	large->nr_pages = 100;
	expect_whole();
}

Test(page_validate, dirty_bits)
{
	unsigned long at;

	furnish();
	at = page_zpn(z, large) + 7;
	__clear_bit(z->dirty, at);
	expect_errors(1, "page in use is not dirty");
	__set_bit(z->dirty, at);
	/* A free block, clean all at once, is on dirty_lru without reason. */
	at = page_zpn(z, dirty);
	bitmap_clear_range(z->dirty, at, at + 128);
	expect_errors(2, "block is on dirty_lru though clean");
	bitmap_set_range(z->dirty, at, at + 128);
	expect_whole();
}

Test(page_validate, ages)
{
	u32 stamp;

	furnish();
	stamp = older->free_stamp;
	cr_assert_lt(stamp, dirty->free_stamp);
	older->free_stamp = dirty->free_stamp + 1;
	expect_errors(1, "younger than the one before it");
	older->free_stamp = stamp;
	expect_whole();
}

Test(page_validate, lists)
{
	struct list_head saved, stray;

	furnish();
	dirty->migratetype = MIGRATE_RECLAIMABLE;
	expect_errors(1, "block on the list of another type");
	dirty->migratetype = MIGRATE_UNMOVABLE;
	saved = dirty->buddy_list;
	INIT_LIST_HEAD(&stray);
	dirty->buddy_list.next = &stray;
	captured_len = 0;
	cr_assert_gt(zones_validate(), 0);
	cr_assert_not_null(strstr(captured, "free list leads astray"), "%s", captured);
	dirty->buddy_list = saved;
	/* A circle that never comes back to its head ends, too. */
	dirty->buddy_list.next = &dirty->buddy_list;
	cr_assert_gt(zones_validate(), 0);
	dirty->buddy_list = saved;
	saved = dirty->lru;
	dirty->lru.next = &dirty->lru;
	captured_len = 0;
	cr_assert_gt(zones_validate(), 0);
	cr_assert_not_null(strstr(captured, "dirty_lru"), "%s", captured);
	dirty->lru = saved;
	saved = parked->park_list;
	parked->park_list.next = &stray;
	captured_len = 0;
	cr_assert_gt(zones_validate(), 0);
	cr_assert_not_null(strstr(captured, "list of parked runs leads astray"), "%s", captured);
	parked->park_list = saved;
	expect_whole();
}

Test(page_validate, free_buddies)
{
	furnish();
	/* Two halves of a block, cut and "freed" by hand. */
	block = alloc_pages(GFP_KERNEL, 9);
	for (unsigned int i = 0; i < 512; i += 256) {
		block[i].order = 8;
		block[i].migratetype = MIGRATE_UNMOVABLE;
		INIT_LIST_HEAD(&block[i].lru);
		page_set_type(block + i, PT_BUDDY);
	}
	captured_len = 0;
	cr_assert_gt(zones_validate(), 0);
	cr_assert_not_null(strstr(captured, "two free buddies"), "%s", captured);
	page_set_type(block, PT_ALLOC);
	page_set_type(block + 256, PT_ALLOC);
	expect_whole();
}

Test(page_validate, many_errors_are_counted)
{
	furnish();
	for (unsigned int i = 1; i < 51; i++)
		large[i].type = PT_BUDDY;
	expect_errors(50, "and 34 more");
	for (unsigned int i = 1; i < 51; i++)
		large[i].type = PT_NONE;
	expect_whole();
}
