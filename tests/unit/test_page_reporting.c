// SPDX-License-Identifier: MIT
/*
 * Giving memory back: page_reporting.c. What is resident is asked of the system
 * (mincore), not of our own books.
 */
#include "pages_test.h"

#include <time.h>

TestSuite(page_reporting, .timeout = 60);

/* A decay time of which a fiftieth is longer than a test. */
#define FOR_EVER	3600000

static void sleep_ms(unsigned int ms)
{
	struct timespec ts = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L };

	nanosleep(&ts, NULL);
}

Test(page_reporting, purged_memory_is_gone_and_zero)
{
	struct zone *z = fresh_zones(64 * MIB);
	struct page *page = alloc_large(3000, 1, GFP_KERNEL);
	char *addr = page_address(page);

	memset(addr, 0xee, 3000 << PAGE_SHIFT);
	cr_assert_eq(resident(addr, 3000), 3000);
	free_large(page);
	cr_assert_eq(zones_dirty_free(), 3000);
	cr_assert_eq(resident(addr, 3000), 3000, "nothing goes by itself");
	cr_assert_eq(zones_purge(0, ~0UL), 3000);
	cr_assert_eq(zones_dirty_free(), 0);
	cr_assert_eq(z->nr_purged, 3000);
	cr_assert_eq(resident(addr, 3000), 0);
	cr_assert(pages_zero(addr, 3000));
	cr_assert_eq(zones_purge(0, ~0UL), 0, "twice is no more");
	assert_all_free();
}

/* Live pages between the free ones stay as they are. */
Test(page_reporting, neighbours_are_not_touched)
{
	static struct page *page[2048];

	fresh_zones(64 * MIB);
	for (unsigned int i = 0; i < 2048; i++) {
		page[i] = alloc_page(GFP_KERNEL);
		mark_pages(page_address(page[i]), 1, i);
	}
	for (unsigned int i = 0; i < 2048; i += 1 + i % 3) {
		__free_page(page[i]);
		page[i] = NULL;
	}
	page_alloc_drain();
	zones_purge(0, ~0UL);
	for (unsigned int i = 0; i < 2048; i++)
		if (page[i])
			cr_assert(pages_marked(page_address(page[i]), 1, i), "page %u", i);
	cr_assert_eq(zones_validate(), 0);
	for (unsigned int i = 0; i < 2048; i++)
		if (page[i])
			__free_page(page[i]);
	assert_all_free();
}

/* Many small blocks: more than a batch. */
Test(page_reporting, fragments)
{
	unsigned long unit = host_page_size() >> PAGE_SHIFT, n = 0;
	struct page *page;

	fresh_zones(64 * MIB);
	page = alloc_contig_pages(4096, GFP_KERNEL);
	memset(page_address(page), 1, 4096 << PAGE_SHIFT);
	for (unsigned long i = 0; i < 4096; i += 2 * unit, n += unit)
		free_contig_range(page + i, unit);
	cr_assert_eq(zones_dirty_free(), n);
	cr_assert_eq(zones_purge(0, ~0UL), n);
	cr_assert_eq(resident(page_address(page), 4096), 4096 - n);
	cr_assert_eq(zones_validate(), 0);
	for (unsigned long i = unit; i < 4096; i += 2 * unit)
		free_contig_range(page + i, unit);
	cr_assert_eq(zones_purge(0, ~0UL), 4096 - n);
	assert_all_free();
}

Test(page_reporting, age)
{
	struct page *old, *young;

	fresh_zones(64 * MIB);
	old = alloc_large(2048, 1, GFP_KERNEL);
	young = alloc_large(2048, 1, GFP_KERNEL);
	memset(page_address(old), 1, 2048 << PAGE_SHIFT);
	memset(page_address(young), 1, 2048 << PAGE_SHIFT);
	free_large(old);
	cr_assert_eq(zones_purge(60000, ~0UL), 0);
	sleep_ms(120);
	free_large(young);
	cr_assert_eq(zones_purge(100, ~0UL), 2048);
	cr_assert_eq(resident(page_address(old), 2048), 0);
	cr_assert_eq(resident(page_address(young), 2048), 2048);
	sleep_ms(120);
	cr_assert_eq(zones_purge(100, ~0UL), 2048);
	assert_all_free();
}

Test(page_reporting, bounded)
{
	struct page *page;
	unsigned long purged;

	fresh_zones(256 * MIB);
	page = alloc_large(20000, 1, GFP_KERNEL);
	memset(page_address(page), 1, 20000 << PAGE_SHIFT);
	free_large(page);
	cr_assert_eq(zones_purge(0, 0), 0);
	purged = zones_purge(0, 1);
	/* Whole blocks go. */
	cr_assert(purged >= 1 && purged <= MAX_ORDER_PAGES, "%lu", purged);
	purged = zones_purge(0, 5000);
	cr_assert(purged >= 5000 && purged < 5000 + MAX_ORDER_PAGES, "%lu", purged);
	cr_assert_eq(zones_validate(), 0);
	zones_purge(0, ~0UL);
	cr_assert_eq(zones_dirty_free(), 0);
	cr_assert_eq(resident(page_address(page), 20000), 0);
}

/* @n free dirty pages with one in use behind them, which can grow into the frontier. */
static struct page *leave_a_gap(unsigned long n)
{
	struct page *gap = alloc_large(n, 1, GFP_KERNEL), *behind = alloc_large(1, 1, GFP_KERNEL);

	cr_assert(gap && behind == gap + n);
	kmem_params.decay_ms = FOR_EVER;
	memset(page_address(gap), 1, n << PAGE_SHIFT);
	free_large(gap);
	cr_assert_eq(zones_dirty_free(), n);
	return behind;
}

/* About @n of @gap pages have gone: whole blocks do. */
static void expect_purged(const struct zone *z, unsigned long gap, unsigned long n)
{
	cr_expect(z->nr_purged >= n && z->nr_purged < n + MAX_ORDER_PAGES, "%lu", z->nr_purged);
	cr_expect_eq(zones_dirty_free(), gap - z->nr_purged);
	cr_expect_eq(zones_validate(), 0);
}

Test(page_reporting, growth_by_megabytes_has_free_pages_given_back)
{
	struct zone *z = fresh_zones(256 * MIB);
	struct page *page = leave_a_gap(8000);

	cr_assert(resize_large(page, 1024, GFP_KERNEL));
	cr_expect_eq(z->nr_purged, 0, "not by less");
	cr_assert(resize_large(page, 9000, GFP_KERNEL));
	expect_purged(z, 8000, 8000 - 9000 / 2);
	free_large(page);
	assert_all_free();
}

/* No more than it takes itself. */
Test(page_reporting, as_many_as_it_takes)
{
	struct zone *z = fresh_zones(256 * MIB);
	struct page *page = leave_a_gap(20000);

	cr_assert(resize_large(page, 1200, GFP_KERNEL));
	expect_purged(z, 20000, 1199);
	free_large(page);
	assert_all_free();
}

/* Its old pages are in use until they have been copied. */
Test(page_reporting, growth_elsewhere_too)
{
	struct zone *z = fresh_zones(256 * MIB);
	struct page *gap = alloc_large(8000, 1, GFP_KERNEL), *page, *behind, *to;

	kmem_params.decay_ms = FOR_EVER;
	cr_assert(gap && (page = alloc_large(1000, 1, GFP_KERNEL)));
	cr_assert(behind = alloc_large(1, 1, GFP_KERNEL));
	free_large(gap);
	mark_pages(page_address(page), 1000, 7);	/* the last word: 7 + which */
	cr_assert(!resize_large(page, 9000, GFP_KERNEL));
	cr_assert(to = regrow_large(page, 9000, 4, GFP_KERNEL));
	cr_assert(to->type == PT_LARGE && to->nr_pages == 9000 && (to - z->memmap) % 4 == 0);
	for (unsigned long *p = page_address(to), i = 0; i < 1000; i++, p += PAGE_SIZE / 8)
		cr_assert_eq(p[PAGE_SIZE / 8 - 1], 7 + i, "page %lu", i);
	expect_purged(z, 9000, 8000 - 10001 / 2);
	free_large(to);
	free_large(behind);
	assert_all_free();
}

/* Wherever the free pages are. */
Test(page_reporting, growth_in_another_zone_too)
{
	struct zone *z = fresh_zones(32 * MIB);
	struct page *gap = alloc_large(8192, 1, GFP_KERNEL), *page = alloc_large(1, 1, GFP_KERNEL);

	kmem_params.decay_ms = FOR_EVER;
	cr_assert(gap && page && gap->zone == 0 && page->zone == 1);
	free_large(gap);
	cr_assert(resize_large(page, 9000, GFP_KERNEL));
	expect_purged(z, 8192, 8192 - 9000 / 2);
	free_large(page);
	assert_all_free();
}

/* What the system may take back later would not make room now. */
Test(page_reporting, growth_gives_nothing_back_lazily)
{
	struct zone *z = fresh_zones(256 * MIB);
	struct page *page;

	kmem_params.purge_lazy = true;
	page = leave_a_gap(8000);
	cr_assert(resize_large(page, 9000, GFP_KERNEL));
	cr_expect_eq(z->nr_purged, 0);
	free_large(page);
	assert_all_free();
}

/* Who makes no system calls gives nothing back, nor who only allocates and frees. */
Test(page_reporting, others_have_not)
{
	struct zone *z = fresh_zones(256 * MIB);
	struct page *page = alloc_large(20000, 1, GFP_KERNEL), *other;
	unsigned long before;

	kmem_params.decay_ms = FOR_EVER;
	free_large(page);
	before = zones_purge(0, ~0UL);
	cr_assert_eq(before, 20000);
	page = leave_a_gap(8000);
	cr_assert(resize_large(page, 9000, GFP_NOWAIT));
	for (unsigned int i = 0; i < 10; i++) {
		cr_assert(other = alloc_large(10000 + 100 * i, 1, GFP_KERNEL));
		free_large(other);
	}
	cr_expect_eq(z->nr_purged, before);
	free_large(page);
	assert_all_free();
}

/* ---- growth beside free pages ---------------------------------------------------------- */

#define RUN	64UL
#define RUNS	64UL

/* @runs runs of RUN free dirty pages, each between two that are in use: nothing longer fits. */
static struct zone *scattered_zone(unsigned int decay_ms, unsigned long runs)
{
	struct zone *z = fresh_zones(256 * MIB);
	struct page *page = alloc_contig_pages(2 * RUN * runs, GFP_KERNEL);

	cr_assert(page);
	kmem_params.decay_ms = decay_ms;
	memset(page_address(page), 1, 2 * RUN * runs << PAGE_SHIFT);
	for (unsigned long i = 0; i < runs; i++)
		free_contig_range(page + 2 * RUN * i, RUN);
	cr_assert_eq(zones_dirty_free(), RUN * runs);
	return z;
}

static void grow_by(unsigned long runs, unsigned long n, gfp_t gfp)
{
	for (unsigned long i = 0; i < runs; i++)
		cr_assert(alloc_large(n, 1, gfp));
}

/* What has been free for a fiftieth of the decay time makes room, whoever frees it. */
Test(page_reporting, what_grows_has_old_free_pages_given_back)
{
	struct zone *z = scattered_zone(500, RUNS);
	unsigned long before = zone_resident(z);

	sleep_ms(30);
	grow_by(10, 100, GFP_KERNEL);
	cr_expect(z->nr_purged >= 1000 - RUN && z->nr_purged <= 1000 + 2 * RUN, "%lu", z->nr_purged);
	cr_expect(zone_resident(z) <= before + 2 * RUN, "%lu, %lu", zone_resident(z), before);
	cr_expect_eq(zones_validate(), 0);
}

Test(page_reporting, what_grows_by_blocks_too)
{
	struct zone *z = scattered_zone(500, RUNS);

	sleep_ms(30);
	for (unsigned int i = 0; i < 7; i++)
		cr_assert(alloc_pages(GFP_KERNEL, 7));
	cr_expect(z->nr_purged >= 896 - 2 * RUN && z->nr_purged <= 896 + 2 * RUN, "%lu", z->nr_purged);
}

/* Blocks of the per-CPU lists, which are longer than the free runs. */
Test(page_reporting, what_grows_by_small_blocks_too)
{
	struct zone *z = fresh_zones(256 * MIB);
	struct page *page = alloc_contig_pages(8192, GFP_KERNEL);

	if (host_page_size() > 4 * PAGE_SIZE)
		cr_skip("such runs can't be purged here");
	kmem_params.decay_ms = 500;
	for (unsigned long i = 0; i < 8192; i += 8)
		free_contig_range(page + i, 4);
	cr_assert_eq(zones_dirty_free(), 4096);
	sleep_ms(30);
	for (unsigned int i = 0; i < 100; i++)
		cr_assert(alloc_pages(GFP_KERNEL | __GFP_MOVABLE, 3));
	cr_expect(z->nr_purged > 0);
	cr_expect_eq(zones_validate(), 0);
}

/* At once four pages a millisecond, and as many as it had not used of that in a quarter second. */
Test(page_reporting, growth_purges_so_many_at_a_time)
{
	struct zone *z = scattered_zone(500, 4 * RUNS);
	u64 begin, end;

	sleep_ms(30);
	begin = host_now_ms();
	grow_by(50, 200, GFP_KERNEL);
	end = host_now_ms();
	cr_expect(z->nr_purged >= 900, "%lu", z->nr_purged);
	cr_expect(z->nr_purged <= 1024 + 4 * RUN + 4 * (end - begin), "%lu in %lu ms",
		  z->nr_purged, (unsigned long)(end - begin));
}

/* What a batch of small blocks does not purge is not held against the next one. */
Test(page_reporting, growth_accounts_for_what_it_purged)
{
	unsigned long unit = host_page_size() >> PAGE_SHIFT;
	struct zone *z = fresh_zones(256 * MIB);
	struct page *page = alloc_contig_pages(8192, GFP_KERNEL);

	kmem_params.decay_ms = 500;
	for (unsigned long i = 0; i < 8192; i += 2 * unit)
		free_contig_range(page + i, unit);
	sleep_ms(30);
	grow_by(50, 100, GFP_KERNEL);
	cr_expect(z->nr_purged >= 600, "%lu", z->nr_purged);
}

/* A sixteenth of what is in use stays: the last block purged may be half of it. */
Test(page_reporting, growth_leaves_some)
{
	struct zone *z = scattered_zone(500, RUNS);

	sleep_ms(30);
	for (unsigned int i = 0; i < 300; i++) {
		unsigned long dirty = zones_dirty_free();

		grow_by(1, 100, GFP_KERNEL);
		cr_assert(zones_dirty_free() + RUN >= min(dirty, (zone_resident(z) - dirty) / 16),
			  "step %u: %lu of %lu", i, zones_dirty_free(), zone_resident(z));
		sleep_ms(2);
	}
	cr_expect(z->nr_purged > 0);
}

/* None of these has anything given back for it. */
Test(page_reporting, growth_without)
{
	struct zone *z = scattered_zone(FOR_EVER, RUNS);

	sleep_ms(30);
	grow_by(10, 100, GFP_KERNEL);
	cr_expect_eq(z->nr_purged, 0, "all is young");
	kmem_params.decay_ms = 500;
	z->resident_most = zone_resident(z);
	grow_by(10, 100, GFP_NOWAIT);
	cr_expect_eq(z->nr_purged, 0, "no system calls");
	kmem_params.purge_lazy = true;
	grow_by(10, 100, GFP_KERNEL);
	cr_expect_eq(z->nr_purged, 0, "it would be resident still");
}

Test(page_reporting, few_free_pages_stay)
{
	struct zone *z = scattered_zone(500, 4);

	sleep_ms(30);
	grow_by(10, 100, GFP_KERNEL);
	cr_expect_eq(z->nr_purged, 0);
}

/* A heap that has been as large before may be so again. */
Test(page_reporting, no_growth_no_purge)
{
	struct zone *z = scattered_zone(500, RUNS);

	z->resident_most = zone_resident(z) + 1000;
	sleep_ms(30);
	grow_by(10, 100, GFP_KERNEL);
	cr_expect_eq(z->nr_purged, 0);
}

Test(page_reporting, all_zones)
{
	struct page *a, *b;

	fresh_zones(8 * MIB);
	a = alloc_large(2048, 1, GFP_KERNEL);
	b = alloc_large(2048, 1, GFP_KERNEL);
	cr_assert_eq(b->zone, 1);
	memset(page_address(a), 1, 2048 << PAGE_SHIFT);
	memset(page_address(b), 1, 2048 << PAGE_SHIFT);
	free_large(a);
	free_large(b);
	cr_assert_eq(zones_dirty_free(), 4096);
	cr_assert_eq(zones_purge(0, ~0UL), 4096);
	cr_assert_eq(resident(page_address(a), 2048) + resident(page_address(b), 2048), 0);
	assert_all_free();
}

/* Pages of a freed block that were purged before are not purged again. */
Test(page_reporting, only_what_is_dirty)
{
	struct page *page;

	fresh_zones(64 * MIB);
	page = alloc_large(1024, 1, GFP_KERNEL);
	memset(page_address(page), 1, 1024 << PAGE_SHIFT);
	free_large(page);
	cr_assert_eq(zones_purge(0, ~0UL), 1024);
	page = alloc_large(100, 1, GFP_KERNEL);
	memset(page_address(page), 1, 100 << PAGE_SHIFT);
	free_large(page);
	host_watch();
	cr_assert_eq(zones_purge(0, ~0UL), 100);
	/* The other call is for the page map of a block of the largest order. */
	cr_assert_eq(calls_made[HOST_PURGE], 2, "one run, one call");
	assert_all_free();
}

/* A refusal is a missed saving, no more; it is not asked for again at once. */
Test(page_reporting, refused)
{
	struct page *page;

	fresh_zones(64 * MIB);
	page = alloc_contig_pages(4096, GFP_KERNEL);
	memset(page_address(page), 1, 4096 << PAGE_SHIFT);
	for (unsigned long i = 0; i < 4096; i += 128)
		free_contig_range(page + i, 64);
	host_watch();
	host_refuse(HOST_PURGE, 2, -1);
	cr_assert_eq(zones_purge(0, ~0UL), 128);
	cr_assert_eq(calls_made[HOST_PURGE], 3);
	cr_assert_eq(zones_dirty_free(), 2048 - 128);
	cr_assert_eq(zones_validate(), 0);
	host_fault = NULL;
	cr_assert_eq(zones_purge(0, ~0UL), 2048 - 128);
	cr_assert_eq(resident(page_address(page), 4096), 2048);
	for (unsigned long i = 64; i < 4096; i += 128)
		free_contig_range(page + i, 64);
	assert_all_free();
}

/* purge=free: the content may be there still, so zeroing may not rely on it. */
Test(page_reporting, lazy)
{
	struct page *page;

	fresh_zones(64 * MIB);
	kmem_params.purge_lazy = true;
	for (unsigned int i = 0; i < 10; i++) {
		page = alloc_large(500, 1, GFP_KERNEL | __GFP_ZERO);
		cr_assert(pages_zero(page_address(page), 500), "round %u", i);
		memset(page_address(page), 0x77, 500 << PAGE_SHIFT);
		free_large(page);
		cr_assert_eq(zones_purge(0, ~0UL), 500);
		cr_assert_eq(zones_dirty_free(), 0);
		page = alloc_pages(GFP_KERNEL | __GFP_ZERO, 3);
		cr_assert(pages_zero(page_address(page), 8));
		memset(page_address(page), 0x77, 8 << PAGE_SHIFT);
		__free_pages(page, 3);
		page_alloc_drain();
	}
	assert_all_free();
}

/* ---- the reclaimer's hook ------------------------------------------------------------- */

static unsigned long kicks;

static void count_kick(void)
{
	stat_inc(kicks);
	cr_assert_eq(zones[0]->lock.word, 0, "kicked with the zone lock held");
}

Test(page_reporting, kick)
{
	struct page *page, *small;

	fresh_zones(64 * MIB);
	WRITE_ONCE(reclaim_threshold, 300);
	free_large(alloc_large(400, 1, GFP_KERNEL));	/* no hook yet */
	zones_purge(0, ~0UL);
	reclaim_kick_hook = count_kick;
	page = alloc_large(300, 1, GFP_KERNEL);
	small = alloc_large(1, 1, GFP_KERNEL);
	free_large(page);
	cr_assert_eq(kicks, 0, "300 are not above 300");
	cr_assert(large_put(small, true));
	reclaim_kick();
	cr_assert_eq(kicks, 1, "parked pages count");
	WRITE_ONCE(reclaim_threshold, ~0UL);
	free_large(alloc_large(2000, 1, GFP_KERNEL));
	cr_assert_eq(kicks, 1, "a reclaimer that is awake is left alone");
	WRITE_ONCE(reclaim_threshold, 300);
	page = alloc_contig_pages(500, GFP_KERNEL);
	free_contig_range(page, 500);
	cr_assert_eq(kicks, 2);
	zones_purge(0, ~0UL);
	page = alloc_pages(GFP_KERNEL, 9);
	__free_pages(page, 9);
	cr_assert_eq(kicks, 3);
}

/* ---- threads ------------------------------------------------------------------------------ */

static bool stop;
static unsigned long errors;

static void *purge_all_the_time(void *arg)
{
	while (!READ_ONCE(stop))
		zones_purge(0, 1 + (unsigned long)arg * 1000);
	return NULL;
}

static void *use_and_free(void *arg)
{
	u64 seed = 0x9e3779b97f4a7c15 * ((unsigned long)arg + 1);

	for (unsigned int i = 0; i < 1000; i++) {
		unsigned long n = rnd(&seed) % (i % 50 ? 100 : 3000) + 1;
		bool zero = i % 2;
		struct page *page = alloc_large(n, 1, GFP_KERNEL | (zero ? __GFP_ZERO : 0));

		if (zero && n < 200 && !pages_zero(page_address(page), n))
			stat_inc(errors);
		mark_pages(page_address(page), n, i);
		if (i % 16 == 0)
			sched_yield();
		if (!pages_marked(page_address(page), n, i))
			stat_inc(errors);
		free_large(page);
	}
	return NULL;
}

Test(page_reporting, purging_while_others_work)
{
	pthread_t purger[2], worker[6];

	fresh_zones(256 * MIB);
	for (unsigned long i = 0; i < 2; i++)
		cr_assert_eq(pthread_create(&purger[i], NULL, purge_all_the_time, (void *)i), 0);
	for (unsigned long i = 0; i < 6; i++)
		cr_assert_eq(pthread_create(&worker[i], NULL, use_and_free, (void *)i), 0);
	for (unsigned int i = 0; i < 6; i++)
		pthread_join(worker[i], NULL);
	WRITE_ONCE(stop, true);
	for (unsigned int i = 0; i < 2; i++)
		pthread_join(purger[i], NULL);
	cr_assert_eq(errors, 0);
	cr_assert_eq(zones[0]->purging, 0);
	assert_all_free();
	zones_purge(0, ~0UL);
	cr_assert_eq(resident(zones[0]->base, zones[0]->nr_present), 0);
}
