// SPDX-License-Identifier: MIT
/*
 * Parked runs: page_park.c. What is kept, for how long, and that it is given up
 * before memory is asked for. All runs here pass the CPUs' stocks by.
 */
#include "pages_test.h"

TestSuite(page_park, .timeout = 60);

Test(page_park, the_last_freed_comes_back)
{
	struct zone *z = fresh_zones(64 * MIB);
	struct page *a = alloc_large(25, 1, GFP_KERNEL), *b = alloc_large(25, 1, GFP_KERNEL);
	unsigned long free_before = z->nr_free;

	large_put(a, true);
	large_put(b, true);
	cr_assert_eq(a->type, PT_PARKED);
	cr_assert_eq(z->nr_parked, 50);
	cr_assert_eq(z->nr_free, free_before, "parked pages are not on the free lists");
	cr_assert_eq(zones_dirty_free(), 50);
	cr_assert_eq(zones_validate(), 0);
	cr_assert_null(virt_to_head_page(page_address(a)));
	cr_assert_neq(alloc_large(24, 1, GFP_KERNEL), b, "another length");
	cr_assert_eq(alloc_large(25, 1, GFP_KERNEL), b);
	cr_assert_eq(alloc_large(25, 1, GFP_KERNEL), a);
	cr_assert_eq(a->type, PT_LARGE);
	cr_assert_eq(a->nr_pages, 25);
	cr_assert_eq(z->nr_parked, 0);
	cr_assert_eq(zones_validate(), 0);
}

Test(page_park, zeroed_when_asked)
{
	struct page *a;

	fresh_zones(64 * MIB);
	a = alloc_large(10, 1, GFP_KERNEL);
	memset(page_address(a), 1, 10 * PAGE_SIZE);
	large_put(a, true);
	cr_assert_eq(alloc_large(10, 1, GFP_KERNEL | __GFP_ZERO), a);
	cr_assert(pages_zero(page_address(a), 10));
}

Test(page_park, bounded)
{
	struct zone *z = fresh_zones(256 * MIB);
	struct page *page[64];

	for (unsigned int i = 0; i < 64; i++)
		page[i] = alloc_large(i + 1, 1, GFP_KERNEL);
	for (unsigned int i = 0; i < 64; i++) {
		large_put(page[i], true);
		cr_assert_leq(z->nr_parked, PARK_LIMIT_PAGES);
		cr_assert_eq(zones_validate(), 0);
	}
	/* What was parked longest has made room; the last ones are there. */
	cr_assert_eq(page[63]->type, PT_PARKED);
	cr_assert_eq(page[62]->type, PT_PARKED);
	cr_assert_neq(page[20]->type, PT_PARKED);
	large_put(alloc_large(PARK_MAX_PAGES + 1, 1, GFP_KERNEL), true);
	cr_assert_eq(zones_validate(), 0);
	assert_all_free();
}

Test(page_park, longer_runs_are_not_parked)
{
	struct zone *z = fresh_zones(64 * MIB);

	large_put(alloc_large(PARK_MAX_PAGES + 1, 1, GFP_KERNEL), true);
	cr_assert_eq(z->nr_parked, 0);
	large_put(alloc_large(PARK_MAX_PAGES, 1, GFP_KERNEL), true);
	cr_assert_eq(z->nr_parked, PARK_MAX_PAGES);
}

Test(page_park, aligned_requests_take_what_is_aligned)
{
	struct page *a, *b;

	fresh_zones(64 * MIB);
	a = alloc_large(99, 1, GFP_KERNEL);
	b = alloc_large(99, 1, GFP_KERNEL);
	cr_assert_eq(b, a + 99);
	cr_assert(resize_large(b, 16, GFP_KERNEL));
	large_put(b, true);
	cr_assert_neq(alloc_large(16, 16, GFP_KERNEL), b);
	cr_assert_eq(b->type, PT_PARKED);
	b = alloc_large(16, 512, GFP_KERNEL);
	cr_assert_eq((unsigned long)page_address(b) % (2 * MIB), 0);
	large_put(b, true);
	cr_assert_eq(alloc_large(16, 16, GFP_KERNEL), b, "it is");
}

/* Kept between two looks of the reclaimer, not longer. */
Test(page_park, old_ones_are_freed)
{
	struct zone *z = fresh_zones(64 * MIB);
	struct page *a = alloc_large(20, 1, GFP_KERNEL), *b = alloc_large(30, 1, GFP_KERNEL);

	large_put(a, true);
	zones_purge(1000000, ~0UL);
	cr_assert_eq(z->nr_parked, 20);
	large_put(b, true);
	zones_purge(1000000, ~0UL);
	cr_assert_eq(z->nr_parked, 30, "the first has been met twice");
	zones_purge(1000000, ~0UL);
	cr_assert_eq(z->nr_parked, 0);
	cr_assert_eq(z->nr_dirty_free, 50);
	cr_assert_eq(zones_validate(), 0);
	large_put(alloc_large(20, 1, GFP_KERNEL), true);
	cr_assert_eq(z->nr_parked, 20);
	zones_purge(0, ~0UL);
	cr_assert_eq(zones_dirty_free(), 0, "now means now");
}

/* Before the frontier moves, and before a long run is said not to fit. */
Test(page_park, given_up_before_growing)
{
	struct zone *z = fresh_zones(64 * MIB);
	struct page *a = alloc_large(64, 1, GFP_KERNEL);
	struct page *rest = alloc_large(MAX_ORDER_PAGES - 64, 64, GFP_KERNEL), *b;

	b = alloc_large(MAX_ORDER_PAGES - 64, 1, GFP_KERNEL);
	cr_assert_not_null(rest);
	cr_assert_not_null(b);
	large_put(a, true);
	cr_assert_eq(z->nr_parked, 64);
	for (unsigned long present = z->nr_present; z->nr_parked; ) {
		cr_assert_not_null(alloc_large(32, 1, GFP_KERNEL));
		cr_assert_eq(z->nr_present, present);
	}
	cr_assert_eq(zones_validate(), 0);
}

Test(page_park, only_the_first_zone_parks)
{
	struct page *a, *b;

	fresh_zones(4 * MIB);
	a = alloc_large(1000, 1, GFP_KERNEL);
	b = alloc_large(60, 1, GFP_KERNEL);
	cr_assert_eq(a->zone, 0);
	cr_assert_eq(b->zone, 1);
	large_put(b, true);
	cr_assert_eq(zones[1]->nr_parked, 0);
	cr_assert_eq(zones_validate(), 0);
}

static unsigned long errors;

static void *park_and_take(void *arg)
{
	u64 seed = 0x9e3779b97f4a7c15 * ((unsigned long)arg + 1);

	for (unsigned int i = 0; i < 20000; i++) {
		unsigned long n = rnd(&seed) % 12 + 20;
		struct page *page = alloc_large(n, 1, GFP_KERNEL);

		mark_pages(page_address(page), n, (unsigned long)arg);
		if (i % 100 == 0)
			sched_yield();
		if (page->nr_pages != n ||
		    !pages_marked(page_address(page), n, (unsigned long)arg))
			stat_inc(errors);
		large_put(page, true);
		if (i % 5000 == 0)
			zones_purge(i % 2, 300);
	}
	return NULL;
}

Test(page_park, threads)
{
	pthread_t thread[8];

	fresh_zones(64 * MIB);
	for (unsigned long i = 0; i < 8; i++)
		cr_assert_eq(pthread_create(&thread[i], NULL, park_and_take, (void *)i), 0);
	for (unsigned int i = 0; i < 8; i++)
		pthread_join(thread[i], NULL);
	cr_assert_eq(errors, 0);
	assert_all_free();
}
