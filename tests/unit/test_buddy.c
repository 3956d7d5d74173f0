// SPDX-License-Identifier: MIT
/*
 * The free lists: buddy.c. Runs are taken and freed directly, in one zone, with
 * the zone lock held as its callers hold it.
 */
#include "pages_test.h"

TestSuite(buddy, .timeout = 60);

#define NB	8UL			/* largest blocks that are present */

/* A zone with @blocks largest blocks present and clean. */
static struct zone *zone_with(unsigned long blocks)
{
	struct zone *z = fresh_zones(256 * MIB);
	struct page *page;

	cr_assert(zone_grow(z, blocks << MAX_PAGE_ORDER));
	z->nr_committed = blocks << MAX_PAGE_ORDER;
	lock(&z->lock);
	page = buddy_take(z, blocks << MAX_PAGE_ORDER, 1, MIGRATE_UNMOVABLE);
	cr_assert_not_null(page);
	bitmap_set_range(z->dirty, 0, blocks << MAX_PAGE_ORDER);
	buddy_free(z, 0, blocks << MAX_PAGE_ORDER, 1);
	/* Clean again, as after a purge; the lowest block is the first on its list. */
	while (!list_empty(&z->dirty_lru)) {
		page = list_last_entry(&z->dirty_lru, struct page, lru);
		buddy_isolate(z, page);
		bitmap_clear_range(z->dirty, page_zpn(z, page),
				   page_zpn(z, page) + MAX_ORDER_PAGES);
		buddy_putback(z, page);
	}
	unlock(&z->lock);
	cr_assert_eq(zones_validate(), 0);
	cr_assert_eq(z->nr_dirty_free, 0);
	return z;
}

/* As a caller that makes it a large object. */
static struct page *take(struct zone *z, unsigned long n, unsigned long align,
			 enum migratetype mt)
{
	struct page *page;

	lock(&z->lock);
	page = buddy_take(z, n, align, mt);
	if (page) {
		page->nr_pages = n;
		page->migratetype = mt;
		page_set_type(page, PT_LARGE);
		bitmap_set_range(z->dirty, page_zpn(z, page), page_zpn(z, page) + n);
	}
	unlock(&z->lock);
	return page;
}

static void put(struct zone *z, struct page *page, u32 now)
{
	unsigned long start = page_zpn(z, page);

	lock(&z->lock);
	page_set_type(page, PT_NONE);
	buddy_free(z, start, start + page->nr_pages, now);
	unlock(&z->lock);
}

static unsigned long blocks_of(const struct zone *z, unsigned int order)
{
	return z->free_area[order].nr_free;
}

Test(buddy, rest_goes_back_in_its_largest_parts)
{
	struct zone *z = zone_with(1);
	struct page *page = take(z, 25, 1, MIGRATE_UNMOVABLE);

	cr_assert_not_null(page);
	cr_assert_eq(z->nr_free, MAX_ORDER_PAGES - 25);
	/* [25, 1024): 1 2 4, then 32 64 128 256 512. */
	for (unsigned int o = 0; o <= MAX_PAGE_ORDER; o++)
		cr_assert_eq(blocks_of(z, o), o < 3 || (o > 4 && o < 10), "order %u: %lu", o,
			     blocks_of(z, o));
	cr_assert_eq(zones_validate(), 0);
	put(z, page, 2);
	cr_assert_eq(blocks_of(z, MAX_PAGE_ORDER), 1);
	cr_assert_eq(z->nr_dirty_free, 25);
	cr_assert_eq(zones_validate(), 0);
}

/* Every length from the front of a fresh block, and back. */
Test(buddy, every_length)
{
	struct zone *z = zone_with(2);

	for (unsigned long n = 1; n <= MAX_ORDER_PAGES; n++) {
		struct page *page = take(z, n, 1, MIGRATE_MOVABLE);

		cr_assert_not_null(page, "%lu pages", n);
		cr_assert_eq(z->nr_free, 2 * MAX_ORDER_PAGES - n);
		if (n % 37 == 0)
			cr_assert_eq(zones_validate(), 0, "%lu pages", n);
		put(z, page, 1);
		cr_assert_eq(blocks_of(z, MAX_PAGE_ORDER), 2, "%lu pages did not merge", n);
	}
	cr_assert_eq(zones_validate(), 0);
}

Test(buddy, every_alignment)
{
	struct zone *z = zone_with(NB);

	for (unsigned long align = 1; align <= 4 * MAX_ORDER_PAGES; align *= 2) {
		struct page *a = take(z, 1, 1, MIGRATE_MOVABLE);
		struct page *b = take(z, 3, align, MIGRATE_MOVABLE);

		cr_assert_not_null(b, "align %lu", align);
		cr_assert_eq((unsigned long)zone_page_address(z, b) % (align << PAGE_SHIFT), 0);
		cr_assert_eq(zones_validate(), 0);
		put(z, b, 1);
		put(z, a, 1);
	}
	cr_assert_eq(blocks_of(z, MAX_PAGE_ORDER), NB);
}

/* Frees in every order of four neighbours end in the same one block. */
Test(buddy, merging_does_not_depend_on_the_order)
{
	struct zone *z = zone_with(1);

	for (unsigned int perm = 0; perm < 256; perm++) {
		struct page *page[4];
		bool freed[4] = { false };

		for (unsigned int i = 0; i < 4; i++)
			page[i] = take(z, 7 + 31 * i, 1, MIGRATE_UNMOVABLE);
		for (unsigned int k = 0, p = perm; k < 4; k++, p >>= 2) {
			unsigned int i = p & 3;

			while (freed[i])
				i = (i + 1) & 3;
			freed[i] = true;
			put(z, page[i], 1);
			cr_assert_eq(zone_validate(z), 0);
		}
		cr_assert_eq(blocks_of(z, MAX_PAGE_ORDER), 1, "order %#x", perm);
	}
}

Test(buddy, long_runs)
{
	struct zone *z = zone_with(NB);
	struct page *a = take(z, 1500, 1, MIGRATE_MOVABLE);
	struct page *b = take(z, 2 * MAX_ORDER_PAGES, 1, MIGRATE_MOVABLE);
	struct page *c = take(z, 4 * MAX_ORDER_PAGES, 1, MIGRATE_MOVABLE);

	cr_assert_eq(page_zpn(z, a), 0);
	cr_assert_eq(page_zpn(z, b), 2 * MAX_ORDER_PAGES);
	cr_assert_eq(page_zpn(z, c), 4 * MAX_ORDER_PAGES);
	cr_assert_eq(z->nr_free, 2 * MAX_ORDER_PAGES - 1500);
	cr_assert_null(take(z, 1025, 1, MIGRATE_MOVABLE));
	cr_assert_eq(zones_validate(), 0);
	/* The lowest hole that is long enough. */
	put(z, b, 1);
	cr_assert_null(take(z, 2 * MAX_ORDER_PAGES + 1, 1, MIGRATE_MOVABLE));
	b = take(z, 2 * MAX_ORDER_PAGES - 1, 1, MIGRATE_MOVABLE);
	cr_assert_eq(page_zpn(z, b), 2 * MAX_ORDER_PAGES);
	put(z, a, 1);
	put(z, b, 1);
	put(z, c, 1);
	cr_assert_eq(blocks_of(z, MAX_PAGE_ORDER), NB);
	cr_assert_eq(zones_validate(), 0);
}

/* A run starts in free blocks at the end and goes on beyond the frontier. */
Test(buddy, long_run_over_the_frontier)
{
	struct zone *z = zone_with(2);
	struct page *a = take(z, 10, 1, MIGRATE_MOVABLE), *b;

	cr_assert_eq(buddy_target(z, 4 * MAX_ORDER_PAGES, 1), 5 * MAX_ORDER_PAGES);
	cr_assert_null(take(z, 4 * MAX_ORDER_PAGES, 1, MIGRATE_MOVABLE));
	cr_assert(zone_grow(z, 5 * MAX_ORDER_PAGES));
	b = take(z, 4 * MAX_ORDER_PAGES, 1, MIGRATE_MOVABLE);
	cr_assert_eq(page_zpn(z, b), MAX_ORDER_PAGES);
	cr_assert_eq(z->nr_present, 5 * MAX_ORDER_PAGES);
	cr_assert_eq(zones_validate(), 0);
	put(z, a, 1);
	put(z, b, 1);
	cr_assert_gt(buddy_target(z, z->nr_pages + 1, 1), z->nr_pages);
}

Test(buddy, take_at)
{
	struct zone *z = zone_with(2);
	struct page *a = take(z, 10, 1, MIGRATE_MOVABLE);
	bool ok;

	lock(&z->lock);
	ok = buddy_take_at(z, 10, 777, MIGRATE_MOVABLE);
	bitmap_set_range(z->dirty, 10, 777);
	unlock(&z->lock);
	cr_assert(ok);
	a->nr_pages = 777;
	cr_assert_eq(zones_validate(), 0);
	lock(&z->lock);
	cr_assert(buddy_take_at(z, 777, 1300, MIGRATE_MOVABLE), "over a block's end");
	bitmap_set_range(z->dirty, 777, 1300);
	cr_assert_not(buddy_take_at(z, 1299, 1400, MIGRATE_MOVABLE), "1299 is in use");
	cr_assert_not(buddy_take_at(z, 1300, 2049, MIGRATE_MOVABLE), "not committed");
	unlock(&z->lock);
	a->nr_pages = 1300;
	cr_assert_eq(z->nr_free, 2048 - 1300);
	cr_assert_eq(zones_validate(), 0);
	put(z, a, 1);
	cr_assert_eq(blocks_of(z, MAX_PAGE_ORDER), 2);
}

/* ---- migrate types ------------------------------------------------------------------ */

Test(buddy, types_share_a_block_by_pageblocks)
{
	struct zone *z = zone_with(1);
	struct page *a = take(z, 1, 1, MIGRATE_UNMOVABLE);
	struct page *b = take(z, 1, 1, MIGRATE_MOVABLE);
	struct page *c = take(z, 1, 1, MIGRATE_UNMOVABLE);
	struct page *d = take(z, 1, 1, MIGRATE_MOVABLE);

	/* The movable one took the largest of the other's, and with it its pageblock. */
	cr_assert_eq(page_zpn(z, a) >> PAGEBLOCK_ORDER, 0);
	cr_assert_eq(page_zpn(z, b) >> PAGEBLOCK_ORDER, 1);
	cr_assert_eq(z->pageblock_type[0], MIGRATE_UNMOVABLE);
	cr_assert_eq(z->pageblock_type[1], MIGRATE_MOVABLE);
	cr_assert_eq(z->nr_steals, 1);
	cr_assert_eq(page_zpn(z, c) >> PAGEBLOCK_ORDER, 0);
	cr_assert_eq(page_zpn(z, d) >> PAGEBLOCK_ORDER, 1);
	cr_assert_eq(zones_validate(), 0);
}

/* Small leftovers are used where there is nothing else; the pageblock stays what it is. */
Test(buddy, small_loan_does_not_convert)
{
	struct zone *z = zone_with(1);
	struct page *a = take(z, 1024 - 64, 1, MIGRATE_UNMOVABLE), *b;

	b = take(z, 4, 1, MIGRATE_MOVABLE);
	cr_assert_not_null(b);
	cr_assert_eq(z->pageblock_type[1], MIGRATE_UNMOVABLE);
	cr_assert_eq(z->nr_steals, 1);
	put(z, a, 1);
	put(z, b, 1);
	cr_assert_eq(blocks_of(z, MAX_PAGE_ORDER), 1);
	cr_assert_eq(zones_validate(), 0);
}

/* Of a small leftover only what is resident is preferred to the frontier. */
Test(buddy, small_loan_if_it_is_resident)
{
	struct zone *z = zone_with(1);
	struct page *a = take(z, 1024 - 64, 1, MIGRATE_UNMOVABLE), *b, *c;

	cr_assert(zone_grow(z, 2 * MAX_ORDER_PAGES));
	b = take(z, 4, 1, MIGRATE_MOVABLE);
	cr_assert_eq(page_zpn(z, b), 1024, "the leftover is clean");
	put(z, b, 1);
	c = take(z, 64, 1, MIGRATE_UNMOVABLE);
	put(z, c, 1);
	b = take(z, 1024, 1, MIGRATE_MOVABLE);
	cr_assert_eq(z->nr_present, 2 * MAX_ORDER_PAGES);
	cr_assert_eq(take(z, 4, 1, MIGRATE_MOVABLE), c, "the leftover is dirty");
	c->nr_pages = 4;
	put(z, c, 2);
	put(z, b, 2);
	put(z, a, 2);
	cr_assert_eq(blocks_of(z, MAX_PAGE_ORDER), 2);
	cr_assert_eq(zones_validate(), 0);
}

/* A free run of @n resident pages between two that are in use. */
static struct page *leave_resident(struct zone *z, unsigned long n, enum migratetype mt)
{
	struct page *page = take(z, n, 1, mt);

	cr_assert(page && take(z, 1, 1, mt));
	put(z, page, 1);
	return page;
}

/* Movable runs take what is resident of another type rather than clean pages of their own. */
Test(buddy, movable_runs_borrow_before_they_touch_clean_pages)
{
	struct zone *z = zone_with(1);
	struct page *own = leave_resident(z, 16, MIGRATE_MOVABLE);
	struct page *theirs = leave_resident(z, 16, MIGRATE_UNMOVABLE), *clean;

	cr_assert_eq(z->pageblock_type[0], MIGRATE_MOVABLE);
	cr_assert_eq(z->pageblock_type[1], MIGRATE_UNMOVABLE);
	cr_assert_eq(take(z, 12, 1, MIGRATE_MOVABLE), own, "its own first");
	cr_assert_eq(take(z, 4, 1, MIGRATE_MOVABLE), own + 12);
	cr_assert_eq(take(z, 12, 1, MIGRATE_MOVABLE), theirs, "then theirs");
	cr_assert_eq(take(z, 1, 1, MIGRATE_MOVABLE), theirs + 12);
	clean = take(z, 8, 1, MIGRATE_MOVABLE);
	cr_assert_eq(page_zpn(z, clean) >> PAGEBLOCK_ORDER, 0, "then clean ones");
	cr_assert_eq(z->pageblock_type[1], MIGRATE_UNMOVABLE);
	cr_assert_eq(zones_validate(), 0);
}

/* Slabs, which stay, keep to their own. */
Test(buddy, slabs_take_clean_pages_before_they_borrow)
{
	struct zone *z = zone_with(1);
	struct page *theirs = leave_resident(z, 16, MIGRATE_MOVABLE);
	struct page *slab = take(z, 8, 1, MIGRATE_UNMOVABLE);

	cr_assert_eq(page_zpn(z, slab) >> PAGEBLOCK_ORDER, 1);
	cr_assert_eq(theirs->type, PT_BUDDY);
	cr_assert_eq(zones_validate(), 0);
}

Test(buddy, borrowing_leaves_no_trace)
{
	struct zone *z = zone_with(1);
	struct page *a = take(z, 1024 - 64, 1, MIGRATE_UNMOVABLE), *b;

	b = take(z, 64, 1, MIGRATE_RECLAIMABLE);
	cr_assert_null(take(z, 1, 1, MIGRATE_MOVABLE));
	put(z, a, 1);
	put(z, b, 1);
	cr_assert_eq(blocks_of(z, MAX_PAGE_ORDER), 1);
	cr_assert_eq(zones_validate(), 0);
}

/* ---- dirty blocks ---------------------------------------------------------------------- */

Test(buddy, resident_memory_is_used_first)
{
	struct zone *z = zone_with(4);
	struct page *a = take(z, 512, 1, MIGRATE_UNMOVABLE);
	struct page *b = take(z, 512, 1, MIGRATE_UNMOVABLE);
	struct page *c = take(z, 512, 1, MIGRATE_UNMOVABLE);
	struct page *d = take(z, 512, 1, MIGRATE_UNMOVABLE);

	put(z, c, 1);
	/* One dirty half and, of the same order, none that is clean. */
	cr_assert_eq(z->nr_dirty_free, 512);
	cr_assert_eq(take(z, 512, 1, MIGRATE_UNMOVABLE), c);
	cr_assert_eq(z->nr_dirty_free, 0);
	/* The first of four largest blocks becomes dirty; it is the first to go. */
	put(z, a, 2);
	put(z, b, 2);
	cr_assert_eq(blocks_of(z, MAX_PAGE_ORDER), 3);
	cr_assert_eq(take(z, 1024, 1, MIGRATE_UNMOVABLE), a);
	put(z, c, 3);
	put(z, d, 3);
	cr_assert_eq(zones_validate(), 0);
}

/* dirty_lru: the youngest first; what is left of a block keeps its age and its place. */
Test(buddy, age_survives_splitting)
{
	struct zone *z = zone_with(3);
	struct page *old = take(z, 1024, 1, MIGRATE_UNMOVABLE);
	struct page *mid = take(z, 1024, 1, MIGRATE_UNMOVABLE);
	struct page *rest = take(z, 1024, 1, MIGRATE_UNMOVABLE), *part;

	put(z, old, 100);
	put(z, mid, 200);
	put(z, rest, 300);
	cr_assert_eq(z->stamp, 300);
	/* The last one freed is the first to be taken, where a block is asked for. */
	part = take(z, 64, 64, MIGRATE_UNMOVABLE);
	cr_assert_eq(part, rest);
	cr_assert_eq(list_first_entry(&z->dirty_lru, struct page, lru), rest + 512);
	cr_assert_eq(rest[512].free_stamp, 300);
	cr_assert_eq(list_last_entry(&z->dirty_lru, struct page, lru), old);
	cr_assert_eq(zones_validate(), 0);
	/* A thread that looked at the clock earlier does not set it back. */
	put(z, part, 250);
	cr_assert_eq(part->free_stamp, 300);
	cr_assert_eq(zones_validate(), 0);
}

/* A zone of @blocks largest blocks, all of them dirty and free. */
static struct zone *dirty_zone_with(unsigned long blocks)
{
	struct zone *z = zone_with(blocks);

	put(z, take(z, blocks << MAX_PAGE_ORDER, 1, MIGRATE_MOVABLE), 1);
	cr_assert_eq(z->nr_dirty_free, blocks << MAX_PAGE_ORDER);
	return z;
}

/* Long runs need no block of their own: they lie side by side across blocks. */
Test(buddy, gaps_cross_blocks)
{
	struct zone *z = dirty_zone_with(4);
	struct page *a = take(z, 700, 1, MIGRATE_MOVABLE);
	struct page *b = take(z, 700, 1, MIGRATE_MOVABLE);
	struct page *c = take(z, 1500, 1, MIGRATE_MOVABLE);
	struct page *d = take(z, 4 * 1024 - 2900, 1, MIGRATE_MOVABLE);

	cr_assert_eq(a, z->memmap);
	cr_assert_eq(b, a + 700);
	cr_assert_eq(c, b + 700);
	cr_assert_eq(d, c + 1500);
	cr_assert_eq(z->nr_free, 0);
	cr_assert_eq(zones_validate(), 0);
	put(z, c, 2);
	put(z, a, 3);
	/* The lowest gap that is long enough, not the one freed last. */
	cr_assert_eq(take(z, 650, 1, MIGRATE_MOVABLE), a);
	cr_assert_eq(take(z, 650, 1, MIGRATE_MOVABLE), c);
	cr_assert_eq(zones_validate(), 0);
}

Test(buddy, gaps_keep_to_their_type)
{
	struct zone *z = dirty_zone_with(2);
	struct page *a = take(z, 1024, 1, MIGRATE_MOVABLE);
	struct page *b = take(z, 1024, 1, MIGRATE_UNMOVABLE);

	put(z, b, 2);
	put(z, a, 3);
	cr_assert_eq(z->pageblock_type[1024 >> PAGEBLOCK_ORDER], MIGRATE_UNMOVABLE);
	cr_assert_eq(take(z, 900, 1, MIGRATE_MOVABLE), a);
	/* The 124 pages before it are free, but movable. */
	cr_assert_eq(take(z, 300, 1, MIGRATE_UNMOVABLE), b);
	cr_assert_eq(zones_validate(), 0);
}

/* Dirty pages before the frontier are used together with what lies behind it. */
Test(buddy, gap_over_the_frontier)
{
	struct zone *z = dirty_zone_with(2);
	struct page *a = take(z, 1400, 1, MIGRATE_MOVABLE), *b;

	cr_assert_null(take(z, 1400, 1, MIGRATE_MOVABLE));
	cr_assert(zone_grow(z, 3 << MAX_PAGE_ORDER));
	b = take(z, 1400, 1, MIGRATE_MOVABLE);
	cr_assert_eq(b, a + 1400);
	cr_assert_eq(z->nr_dirty_free, 0);
	cr_assert_eq(zones_validate(), 0);
}

static void park(struct zone *z, struct page *page, unsigned long n)
{
	lock(&z->lock);
	cr_assert(park_run(z, page, n, 3));
	unlock(&z->lock);
}

/* A parked run in the middle of the only dirty gap goes back before clean pages are used. */
Test(buddy, gap_unparks)
{
	struct zone *z = dirty_zone_with(1);
	struct page *a = take(z, 500, 1, MIGRATE_MOVABLE);
	struct page *p = take(z, 64, 1, MIGRATE_MOVABLE);

	cr_assert_eq(p, a + 512);
	put(z, a, 2);
	park(z, p, 64);
	cr_assert_eq(take(z, 800, 1, MIGRATE_MOVABLE), a);
	cr_assert_eq(z->nr_parked, 0);
	cr_assert_eq(zones_validate(), 0);
}

/* What is parked stays, and clean pages are used, if the gap needs none but these. */
Test(buddy, gap_of_dirty_pages_first)
{
	struct zone *z = zone_with(3);
	struct page *a = take(z, 1024, 1, MIGRATE_MOVABLE);
	struct page *b = take(z, 1024, 1, MIGRATE_MOVABLE);
	struct page *p = take(z, 64, 1, MIGRATE_MOVABLE);

	put(z, b, 2);
	park(z, p, 64);
	/* The last block is clean but for what is parked, the one in the middle dirty. */
	cr_assert_eq(take(z, 900, 1, MIGRATE_MOVABLE), b);
	cr_assert_eq(z->nr_parked, 64);
	put(z, a, 4);
	/* 960 clean pages, or 100 and the 64 that are parked between the dirty ones and them. */
	put(z, b, 5);
	cr_assert_eq(take(z, 2200, 1, MIGRATE_MOVABLE), a);
	cr_assert_eq(z->nr_parked, 0);
	cr_assert_eq(zones_validate(), 0);
}

static void purge_by_hand(struct zone *z, struct page *page)
{
	unsigned long start = page_zpn(z, page), end = start + (1UL << page->order);

	lock(&z->lock);
	buddy_isolate(z, page);
	unlock(&z->lock);
	cr_assert_eq(page->type, PT_ISOLATED);
	cr_assert_eq(zone_validate(z), 0);
	lock(&z->lock);
	bitmap_clear_range(z->dirty, start, end);
	buddy_putback(z, page);
	unlock(&z->lock);
	cr_assert_eq(zone_validate(z), 0);
}

/* Short runs gather at the low end, however the blocks there were freed. */
Test(buddy, short_runs_go_low)
{
	struct zone *z = dirty_zone_with(4);
	struct page *block[4];

	for (int i = 0; i < 4; i++)
		block[i] = take(z, 1024, 1, MIGRATE_MOVABLE);
	put(z, block[1], 2);
	put(z, block[3], 3);
	for (int i = 0; i < 10; i++)
		cr_assert_eq(take(z, 32, 1, MIGRATE_MOVABLE), block[1] + 32 * i);
	/* Runs of a page or two, and blocks, take the smallest block that there is. */
	cr_assert_eq(take(z, 2, 1, MIGRATE_MOVABLE), block[1] + 320);
	cr_assert_eq(zones_validate(), 0);
	/* A clean block does not come first for being low. */
	put(z, block[0], 4);
	purge_by_hand(z, block[0]);
	cr_assert_eq(take(z, 600, 1024, MIGRATE_MOVABLE), block[3]);
	cr_assert_eq(take(z, 50, 1, MIGRATE_MOVABLE), block[1] + 384);
	cr_assert_eq(zones_validate(), 0);
}

/* A purged block that merges with dirty ones makes them neither younger nor older. */
Test(buddy, age_survives_the_purger)
{
	struct zone *z = zone_with(1);
	struct page *q[4];
	struct page *hold;

	for (unsigned int i = 0; i < 4; i++)
		q[i] = take(z, 256, 1, MIGRATE_UNMOVABLE);
	put(z, q[0], 100);		/* 0: old, apart from 2 and 3 by 1 */
	put(z, q[2], 200);
	hold = q[1];
	cr_assert_eq(z->nr_dirty_free, 512);
	purge_by_hand(z, q[0]);
	cr_assert_eq(z->nr_dirty_free, 256);
	put(z, hold, 300);		/* merges with the clean 0 */
	cr_assert_eq(q[0]->order, 9);
	cr_assert_eq(q[0]->free_stamp, 300);
	/* Now purge that: nothing to merge with, since 3 is in use. */
	purge_by_hand(z, q[0]);
	cr_assert_eq(z->nr_dirty_free, 256);
	cr_assert_eq(list_first_entry(&z->dirty_lru, struct page, lru), q[2]);
	/* 2 + 3 become a dirty half; purging half 0 again, it takes their age. */
	put(z, q[3], 400);
	cr_assert_eq(blocks_of(z, MAX_PAGE_ORDER), 1);
	cr_assert_eq(z->memmap[0].free_stamp, 400);
}

/* The place is remembered by its neighbour, which may be absorbed next. */
Test(buddy, putback_absorbs_neighbours_on_the_lru)
{
	for (unsigned int order_of_frees = 0; order_of_frees < 6; order_of_frees++) {
		static const u8 perm[6][3] = { { 0, 1, 2 }, { 0, 2, 1 }, { 1, 0, 2 },
					       { 1, 2, 0 }, { 2, 0, 1 }, { 2, 1, 0 } };
		struct zone *z = zone_with(1);
		struct page *part[4];
		u32 youngest = 0;

		/* 128 | 128 | 256 | 512: buddies that a free of the first merges. */
		part[0] = take(z, 128, 1, MIGRATE_UNMOVABLE);
		part[1] = take(z, 128, 1, MIGRATE_UNMOVABLE);
		part[2] = take(z, 256, 1, MIGRATE_UNMOVABLE);
		part[3] = take(z, 512, 1, MIGRATE_UNMOVABLE);
		lock(&z->lock);
		/* part[0] goes to the purger while the others are in use. */
		page_set_type(part[0], PT_NONE);
		buddy_free(z, 0, 128, 50);
		buddy_isolate(z, part[0]);
		unlock(&z->lock);
		for (unsigned int i = 0; i < 3; i++) {
			youngest = 100 + 10 * i;
			put(z, part[1 + perm[order_of_frees][i]], youngest);
		}
		cr_assert_eq(zone_validate(z), 0);
		lock(&z->lock);
		bitmap_clear_range(z->dirty, 0, 128);
		buddy_putback(z, part[0]);
		unlock(&z->lock);
		cr_assert_eq(blocks_of(z, MAX_PAGE_ORDER), 1);
		cr_assert_eq(z->memmap[0].free_stamp, youngest);
		cr_assert_eq(z->nr_dirty_free, 1024 - 128);
		cr_assert_eq(zone_validate(z), 0);
	}
}

/* ---- random runs against the model --------------------------------------------------------- */

struct held {
	struct page *page;
	unsigned long n;
};

static struct held held[512];

static void random_runs(u64 seed, unsigned long ops, unsigned long longest)
{
	struct zone *z = zone_with(NB);
	unsigned long in_use = 0, misses = 0;

	memset(owned, 0, sizeof(owned));
	memset(held, 0, sizeof(held));
	for (unsigned long op = 0; op < ops; op++) {
		struct held *h = &held[rnd(&seed) % ARRAY_SIZE(held)];

		if (h->page) {
			cr_assert(model_move(h->page, h->n, false), "op %lu", op);
			in_use -= h->n;
			put(z, h->page, (u32)op);
			h->page = NULL;
		} else {
			unsigned long align = 1UL << (rnd(&seed) % 24 ? 0 : rnd(&seed) % 7);

			h->n = rnd(&seed) % (rnd(&seed) % 8 ? 40 : longest) + 1;
			h->page = take(z, h->n, align, rnd(&seed) % MIGRATE_TYPES);
			if (!h->page) {
				misses++;
				continue;
			}
			in_use += h->n;
			cr_assert_eq(page_zpn(z, h->page) % align, 0, "op %lu", op);
			cr_assert(model_move(h->page, h->n, true), "op %lu: pages twice", op);
		}
		cr_assert_eq(z->nr_free + in_use, z->nr_present, "op %lu", op);
		if (op % 1009 == 0)
			cr_assert_eq(zone_validate(z), 0, "op %lu", op);
	}
	cr_assert_lt(misses, ops / 2);
	for (unsigned int i = 0; i < ARRAY_SIZE(held); i++)
		if (held[i].page)
			put(z, held[i].page, 1);
	cr_assert_eq(blocks_of(z, MAX_PAGE_ORDER), NB);
	cr_assert_eq(zone_validate(z), 0);
}

Test(buddy, random_short) { random_runs(0x9e3779b97f4a7c15, 100000, 100); }
Test(buddy, random_mixed) { random_runs(0x2545f4914f6cdd1d, 100000, 900); }
Test(buddy, random_long) { random_runs(0xd1342543de82ef95, 50000, 3000); }
