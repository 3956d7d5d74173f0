// SPDX-License-Identifier: MIT
/*
 * Limits, watermarks and reserves: page_limit.c, on a page layer of the test's own.
 */
#include "pages_test.h"

#include "mm/page_limit.h"
#include "mm/task.h"

TestSuite(page_limit, .timeout = 60);

#define PAGES(mib)	((mib) * MIB >> PAGE_SHIFT)

/* As a machine without a cgroup's limit. */
static struct zone *limited_zones(unsigned long hard_mib, unsigned long soft_mib)
{
	struct zone *z = fresh_zones(256 * MIB);

	direct_reclaim_hook = NULL;
	page_limits_set(hard_mib ? PAGES(hard_mib) : ~0UL, soft_mib ? PAGES(soft_mib) : ~0UL);
	return z;
}

Test(page_limit, watermarks_follow_the_kernel_s_formulas)
{
	static const struct { unsigned long mib, min_kib; } cases[] = {
		{ 1, 128 }, { 4, 256 }, { 64, 1024 }, { 1024, 4096 }, { 16384, 16384 },
	};

	fresh_zones(8 * MIB);
	for (unsigned int i = 0; i < ARRAY_SIZE(cases); i++) {
		unsigned long hard = PAGES(cases[i].mib), min = cases[i].min_kib / 4;
		unsigned long gap = max(min / 4, hard / 1000);

		page_limits_set(hard, ~0UL);
		cr_expect_eq(page_limits.wmark[WMARK_MIN], min, "%lu MiB: %lu pages",
			     cases[i].mib, page_limits.wmark[WMARK_MIN]);
		cr_expect_eq(page_limits.wmark[WMARK_LOW], min + gap);
		cr_expect_eq(page_limits.wmark[WMARK_HIGH], min + 2 * gap);
		cr_expect_leq(page_limits.soft_at, hard - min - gap);
	}
	page_limits_set(~0UL, ~0UL);
	cr_expect_eq(page_limits.wmark[WMARK_HIGH], 0);
	cr_expect_eq(page_watch & WATCH_HARD, 0);
}

/* Every kind of request ends at the limit, to the page, and goes on when something is freed. */
Test(page_limit, hard_limit_is_exact)
{
	static struct page *page[PAGES(16) + 1];
	unsigned long n = 0, total;
	struct page *large;

	limited_zones(16, 0);
	large = alloc_large(PAGES(4) + 7, 1, GFP_KERNEL);
	cr_assert_not_null(large);
	cr_assert_null(alloc_large(PAGES(12), 1, GFP_KERNEL | __GFP_NOWARN));
	while ((page[n] = alloc_pages(GFP_KERNEL | __GFP_NOWARN, 0)))
		n++;
	total = n + PAGES(4) + 7;
	cr_expect_eq(total, PAGES(16), "%lu pages", total);
	cr_expect_eq(pages_used(), PAGES(16));
	cr_expect_eq(page_limits.pending, 0);
	cr_expect_not(resize_large(large, PAGES(4) + 8, GFP_KERNEL));
	cr_expect_null(alloc_pages(GFP_KERNEL | __GFP_NORETRY | __GFP_NOWARN, 0));
	cr_expect_null(alloc_pages(GFP_NOWAIT, 0));
	__free_page(page[--n]);
	page[n] = alloc_pages(GFP_KERNEL, 0);
	cr_expect_not_null(page[n]);
	n++;
	cr_expect(resize_large(large, PAGES(4) + 6, GFP_KERNEL));
	cr_expect(resize_large(large, PAGES(4) + 7, GFP_KERNEL));
	while (n--)
		__free_page(page[n]);
	free_large(large);
	cr_expect_eq(page_limits.pending, 0);
	assert_all_free();
}

/* Free memory that is resident is given back before it takes the process over the limit. */
Test(page_limit, resident_memory_stays_below_the_limit)
{
	struct zone *z = limited_zones(16, 0);
	struct page *fixed[3], *movable;

	for (unsigned int i = 0; i < 3; i++) {
		fixed[i] = alloc_pages(GFP_KERNEL, MAX_PAGE_ORDER);
		memset(page_address(fixed[i]), 1, 4 * MIB);
	}
	for (unsigned int i = 0; i < 3; i++)
		__free_pages(fixed[i], MAX_PAGE_ORDER);
	cr_expect_eq(zone_dirty_pages(z), PAGES(12));
	/* 12 MiB lie there in three pieces; this one needs 16. */
	movable = alloc_large(PAGES(16), 1, GFP_KERNEL);
	cr_assert_not_null(movable);
	cr_expect_leq(pages_used() + zones_dirty_free(), PAGES(16));
	free_large(movable);
	assert_all_free();
}

Test(page_limit, reserve_of_the_limit_is_for_those_who_ask)
{
	static struct page *page[PAGES(16) + 1];
	unsigned long n = 0, min;

	limited_zones(16, 0);
	min = page_limits.wmark[WMARK_MIN];
	__free_page(alloc_pages(GFP_KERNEL | __GFP_HIGH, 0));
	cr_expect_eq(page_limits.reserve, min);
	while ((page[n] = alloc_pages(GFP_KERNEL | __GFP_NOWARN, 0)))
		n++;
	cr_expect_eq(n, PAGES(16) - min);
	/* Half of it; with GFP_ATOMIC five eighths; all of it. */
	while ((page[n] = alloc_pages(GFP_KERNEL | __GFP_HIGH | __GFP_NOWARN, 0)))
		n++;
	cr_expect_eq(n, PAGES(16) - (min - min / 2));
	while ((page[n] = alloc_pages(GFP_ATOMIC | __GFP_NOWARN, 0)))
		n++;
	cr_expect_eq(n, PAGES(16) - (min - min / 2 - (min - min / 2) / 4), "%lu", n);
	cr_expect_null(alloc_pages(GFP_KERNEL | __GFP_MEMALLOC | __GFP_NOMEMALLOC | __GFP_NOWARN,
				   0));
	while ((page[n] = alloc_pages(GFP_KERNEL | __GFP_MEMALLOC | __GFP_NOWARN, 0)))
		n++;
	cr_expect_eq(n, PAGES(16));
	while (n--)
		__free_page(page[n]);
	assert_all_free();
}

Test(page_limit, a_noreclaim_scope_may_use_all)
{
	unsigned int scope;
	struct page *page;

	limited_zones(4, 0);
	page_reserve_arm();
	cr_expect_null(alloc_large(PAGES(4), 1, GFP_KERNEL | __GFP_NOWARN));
	scope = memalloc_noreclaim_save();
	page = alloc_large(PAGES(4), 1, GFP_KERNEL);
	cr_expect_not_null(page);
	free_large(page);
	cr_expect_null(alloc_large(PAGES(4), 1, GFP_KERNEL | __GFP_NOMEMALLOC | __GFP_NOWARN));
	memalloc_noreclaim_restore(scope);
}

static unsigned int reclaims;
static struct page *hostage;
static int lowest = RECLAIM_PRIORITY;

/* A reclaimer that finds something at the third time. */
static unsigned long free_hostage(gfp_t gfp, unsigned long nr_pages, int from, int to)
{
	(void)gfp;
	(void)nr_pages;
	(void)from;
	lowest = min(lowest, to);
	if (++reclaims < 3 || !hostage)
		return 0;
	free_large(hostage);
	zones_unpark();
	hostage = NULL;
	return 1;
}

Test(page_limit, nofail_waits_for_memory)
{
	struct page *page;

	limited_zones(16, 0);
	hostage = alloc_large(PAGES(16), 1, GFP_KERNEL);
	direct_reclaim_hook = free_hostage;
	page = alloc_pages(GFP_KERNEL | __GFP_NOFAIL, 9);
	cr_assert_not_null(page);
	cr_expect_eq(reclaims, 3);
	__free_pages(page, 9);
}

/* Above the soft limit nothing fails; reclaim runs now and then, and harder and harder. */
Test(page_limit, soft_limit_reclaims_and_fails_nothing)
{
	static struct page *page[64];
	unsigned int i;

	limited_zones(0, 16);
	direct_reclaim_hook = free_hostage;
	for (i = 0; i < 7; i++)
		page[i] = alloc_pages(GFP_KERNEL, 9);
	cr_expect_eq(reclaims, 0, "14 MiB are below it");
	for (; i < 40; i++) {
		page[i] = alloc_pages(i % 8 ? GFP_KERNEL : GFP_NOWAIT, 9);
		usleep(page[i] ? 2000 : 0);
	}
	for (i = 0; i < 40; i++)
		cr_expect(page[i] || i % 8 == 0);
	cr_expect_geq(reclaims, 2);
	cr_expect_leq(reclaims, 33);
	cr_expect_lt(lowest, RECLAIM_PRIORITY);
	for (i = 0; i < 40; i++)
		__free_pages(page[i], 9);
	assert_all_free();
}

/* 8 threads, and a witness who must never see more than the limit. */
static volatile bool stop;
static unsigned long seen_most;

static void look(void)
{
	unsigned long used = pages_used(), most = READ_ONCE(seen_most);

	while (used > most && !__atomic_compare_exchange_n(&seen_most, &most, used, false,
							   __ATOMIC_RELAXED, __ATOMIC_RELAXED))
		;
}

static void *watch(void *unused)
{
	while (!stop)
		look();
	return unused;
}

static void *grab(void *seed)
{
	u64 state = (unsigned long)seed * 7919 + 1;
	struct page *block[16] = { NULL };
	unsigned int orders[16];

	for (unsigned int i = 0; i < 2000; i++) {
		unsigned int k = rnd(&state) % 16, order = rnd(&state) % 10;

		if (block[k]) {
			__free_pages(block[k], orders[k]);
			block[k] = NULL;
		} else {
			block[k] = alloc_pages(GFP_KERNEL | __GFP_NORETRY | __GFP_NOWARN, order);
			orders[k] = order;
			look();
		}
	}
	for (unsigned int k = 0; k < 16; k++)
		__free_pages(block[k], orders[k]);
	return NULL;
}

Test(page_limit, threads_do_not_pass_it)
{
	pthread_t witness, thread[8];

	limited_zones(8, 0);
	pthread_create(&witness, NULL, watch, NULL);
	for (unsigned long i = 0; i < 8; i++)
		cr_assert_eq(pthread_create(&thread[i], NULL, grab, (void *)i), 0);
	for (unsigned int i = 0; i < 8; i++)
		pthread_join(thread[i], NULL);
	stop = true;
	pthread_join(witness, NULL);
	cr_expect_leq(seen_most, PAGES(8), "%lu pages were used", seen_most);
	cr_expect_gt(seen_most, PAGES(8) / 2);
	cr_expect_eq(page_limits.pending, 0);
	assert_all_free();
}
