// SPDX-License-Identifier: MIT
/*
 * What each CPU keeps of freed runs: page_stock.c. Who gets it, how much it is, and when
 * it goes back.
 */
#include "one_cpu.h"
#include "pages_test.h"

#include "mm/magazine.h"
#include "mm/page_limit.h"

TestSuite(page_stock, .timeout = 60);

static struct zone *start(void)
{
	struct zone *z = fresh_zones(256 * MIB);

	stay_on_this_cpu();
	return z;
}

/* Pages in stock, by the page map. */
static unsigned long stocked(const struct zone *z)
{
	unsigned long pages = 0;

	for (unsigned long p = 0; p < z->nr_present; p++)
		if (z->memmap[p].type == PT_STOCK)
			pages += z->memmap[p].nr_pages;
	return pages;
}

Test(page_stock, the_same_length_comes_back)
{
	struct zone *z = start();
	struct page *a = alloc_large(25, 1, GFP_KERNEL), *b = alloc_large(31, 1, GFP_KERNEL);
	unsigned long free_before = z->nr_free;

	free_large(a);
	free_large(b);
	cr_assert_eq(a->type, PT_STOCK);
	cr_assert_eq(b->type, PT_STOCK);
	cr_assert_eq(z->nr_parked, 0);
	cr_assert_eq(z->nr_free, free_before, "they are not on the free lists");
	cr_assert_null(virt_to_head_page(page_address(a)));
	cr_assert_eq(zones_validate(), 0);
	cr_assert_eq(alloc_large(31, 1, GFP_KERNEL), b);
	cr_assert_eq(b->type, PT_LARGE);
	cr_assert_eq(b->nr_pages, 31);
	cr_assert_eq(b->requested, 31 * PAGE_SIZE);
	cr_assert_eq(alloc_large(25, 1, GFP_KERNEL), a);
	cr_assert_eq(stocked(z), 0);
	free_large(a);
	free_large(b);
	assert_all_free();
}

Test(page_stock, of_every_length)
{
	struct zone *z = start();

	for (unsigned long n = 1; n <= STOCK_MAX_PAGES; n++) {
		struct page *page = alloc_large(n, 1, GFP_KERNEL);

		free_large(page);
		cr_assert_eq(page->type, PT_STOCK, "%lu pages", n);
		cr_assert_eq(alloc_large(n, 1, GFP_KERNEL), page, "%lu pages", n);
		cr_assert_eq(stocked(z), 0);
	}
	free_large(alloc_large(STOCK_MAX_PAGES + 1, 1, GFP_KERNEL));
	cr_assert_eq(stocked(z), 0, "longer ones are not kept");
}

Test(page_stock, alignment)
{
	struct page *a, *b;

	start();
	/* Long runs begin where others end; so does what is left of them. */
	a = alloc_large(99, 1, GFP_KERNEL);
	b = alloc_large(99, 1, GFP_KERNEL);
	cr_assert_eq(b, a + 99);
	cr_assert(resize_large(b, 16, GFP_KERNEL));
	free_large(b);
	a = alloc_large(16, 16, GFP_KERNEL);
	cr_assert_neq(a, b);
	cr_assert_eq(b->type, PT_STOCK, "it stays for others");
	free_large(a);
	cr_assert_eq(alloc_large(16, 16, GFP_KERNEL), a);
	/* kmalloc() owes 24576 bytes an alignment of 8192, as any fresh run of six pages has. */
	cr_assert_neq(alloc_large(16, 1, GFP_KERNEL), b);
}

/* A zone begins at a multiple of 4 MiB, of no more: the address counts. */
Test(page_stock, alignment_beyond_the_zones)
{
	start();
	for (unsigned long align = 1; align <= 16384; align *= 2) {
		struct page *page = alloc_large(20, align, GFP_KERNEL);

		cr_assert_not_null(page);
		cr_assert_eq((unsigned long)page_address(page) % (align << PAGE_SHIFT), 0);
		free_large(page);
	}
}

Test(page_stock, zeroed_when_asked)
{
	struct page *a;

	start();
	a = alloc_large(10, 1, GFP_KERNEL);
	memset(page_address(a), 1, 10 * PAGE_SIZE);
	free_large(a);
	cr_assert_eq(alloc_large(10, 1, GFP_KERNEL | __GFP_ZERO), a);
	cr_assert(pages_zero(page_address(a), 10));
}

Test(page_stock, bounded)
{
	struct zone *z = start();
	struct page *page[64];

	for (unsigned int round = 0; round < 2; round++) {
		for (unsigned int i = 0; i < 64; i++)
			page[i] = alloc_large(round ? 64 - i : i + 1, 1, GFP_KERNEL);
		for (unsigned int i = 0; i < 64; i++) {
			free_large(page[i]);
			cr_assert_leq(stocked(z), 4 * 64 + 4 * 16);
			cr_assert_eq(zones_validate(), 0);
		}
		cr_assert_eq(page[63]->type, PT_STOCK, "the last one is kept");
		cr_assert_gt(z->nr_parked, 0, "what made room is parked");
	}
	assert_all_free();
}

/* What the CPU keeps is used before pages are faulted in for another length. */
Test(page_stock, goes_back_before_growing)
{
	struct zone *z = start();
	struct page *run[4];

	/* All that is dirty is in stock. */
	for (unsigned int i = 0; i < 4; i++)
		run[i] = alloc_large(64, 1, GFP_KERNEL);
	for (unsigned int i = 0; i < 4; i++)
		free_large(run[i]);
	cr_assert_eq(stocked(z), 256);
	cr_assert_eq(z->nr_dirty_free, 0);
	for (unsigned int pages = 0; pages < 256; pages += 32) {
		struct page *page = alloc_large(32, 1, GFP_KERNEL);

		cr_assert(page >= run[0] && page < run[0] + 256, "%u pages later", pages);
	}
	cr_assert_eq(stocked(z), 0);
}

Test(page_stock, goes_back_before_longer_runs)
{
	struct zone *z = start();
	struct page *page = alloc_large(64, 1, GFP_KERNEL);

	free_large(page);
	cr_assert_eq(alloc_large(100, 1, GFP_KERNEL), page, "it begins where the other lay");
	cr_assert_eq(stocked(z), 0);
	page = alloc_large(64, 1, GFP_KERNEL);
	free_large(page);
	cr_assert_not_null(alloc_large(2 * MAX_ORDER_PAGES, 1, GFP_KERNEL));
	cr_assert_eq(stocked(z), 0);
}

Test(page_stock, makes_room_for_growth)
{
	struct page *page, *next;

	start();
	page = alloc_large(100, 1, GFP_KERNEL);
	next = alloc_large(100, 1, GFP_KERNEL);
	cr_assert_eq(next, page + 100);
	cr_assert(resize_large(next, 20, GFP_KERNEL));
	free_large(next);
	cr_assert_eq(next->type, PT_STOCK);
	cr_assert(resize_large(page, 110, GFP_KERNEL));
	free_large(page);
	assert_all_free();
}

static void *free_it(void *page)
{
	free_large(page);
	return NULL;
}

static unsigned long kicks;

static void count_kick(void)
{
	kicks++;
}

/* The reclaimer hears of what lies in stock, from frees; a request makes no system call for it. */
Test(page_stock, the_reclaimer_hears_of_it)
{
	struct zone *z = start();
	struct page *run[4];

	for (unsigned int i = 0; i < 4; i++)
		run[i] = alloc_large(64, 1, GFP_KERNEL);
	WRITE_ONCE(reclaim_threshold, 500);
	reclaim_kick_hook = count_kick;
	for (unsigned int i = 0; i < 3; i++)
		free_large(run[i]);
	cr_expect_eq(kicks, 0);
	free_large(run[3]);
	cr_expect_eq(kicks, 1, "256 pages, and as many elsewhere for all one knows");
	cr_expect_eq(alloc_large(64, 1, GFP_KERNEL), run[0]);
	kicks = 0;
	cr_assert_not_null(alloc_large(100, 1, GFP_NOWAIT));
	cr_expect_eq(kicks, 0);
	cr_expect_eq(stocked(z), 0);
}

Test(page_stock, nothing_where_all_is_given_back_at_once)
{
	struct zone *z = start();

	kmem_params.decay_ms = 0;
	free_large(alloc_large(20, 1, GFP_KERNEL));
	cr_assert_eq(stocked(z), 0);
}

/* As many pages as are left: what this CPU keeps is among them, also for who may not wait. */
Test(page_stock, counts_as_free_at_a_limit)
{
	struct page *run[4];
	unsigned long n = 0;

	start();
	for (unsigned int i = 0; i < 4; i++)
		run[i] = alloc_large(64, 1, GFP_KERNEL);
	for (unsigned int i = 0; i < 4; i++)
		free_large(run[i]);
	page_limits_set(pages_used() + 10, ~0UL);
	while (n < 50 && alloc_large(5, 1, GFP_NOWAIT | __GFP_NOWARN))
		n++;
	cr_expect_geq(n, 12);
	page_limits_set(~0UL, ~0UL);
}

/* Of all CPUs, and whoever asks. */
Test(page_stock, drained)
{
	struct zone *z = start();
	struct page *a = alloc_large(50, 1, GFP_KERNEL), *b = alloc_large(60, 1, GFP_KERNEL);
	pthread_t thread;

	cr_assert_eq(pthread_create(&thread, NULL, free_it, a), 0);
	pthread_join(thread, NULL);
	free_large(b);
	cr_assert_eq(stocked(z), 110);
	stock_drain();
	cr_assert_eq(stocked(z), 0);
	cr_assert_eq(z->nr_parked, 0);
	cr_assert_eq(z->nr_free, z->nr_present);
	free_large(alloc_large(50, 1, GFP_KERNEL));
	cr_assert_eq(stocked(z), 50, "the slots are in use again");
	page_alloc_drain();
	cr_assert_eq(stocked(z), 0);
}

Test(page_stock, of_any_zone)
{
	struct page *a, *b;

	fresh_zones(4 * MIB);
	stay_on_this_cpu();
	a = alloc_large(1000, 1, GFP_KERNEL);
	b = alloc_large(60, 1, GFP_KERNEL);
	cr_assert_eq(a->zone, 0);
	cr_assert_eq(b->zone, 1);
	free_large(b);
	cr_assert_eq(b->type, PT_STOCK);
	cr_assert_eq(alloc_large(60, 1, GFP_KERNEL), b);
	free_large(b);
	free_large(a);
	assert_all_free();
}

/* A request that says where its memory is to lie gets none that somebody else left. */
Test(page_stock, not_for_low_memory)
{
	struct zone *z = start();
	struct page *a = alloc_large(20, 1, GFP_KERNEL), *low;

	free_large(a);
	low = alloc_large(20, 1, GFP_KERNEL | __GFP_DMA32);
	cr_assert_not_null(low);
	cr_assert_neq(low, a);
	free_large(low);
	if (page_zone(low)->low)	/* where there is such memory */
		cr_assert_eq(stocked(z), 20);
}

Test(page_stock, nothing_while_a_vfork_child_lives)
{
	struct zone *z = start();
	struct page *a = alloc_large(20, 1, GFP_KERNEL), *b = alloc_large(20, 1, GFP_KERNEL);

	free_large(a);
	cr_assert_eq(a->type, PT_STOCK);
	percpu_vfork_enter();
	free_large(b);
	cr_assert_eq(b->type, PT_PARKED);
	cr_assert_eq(alloc_large(20, 1, GFP_KERNEL), b);
	stock_return();
	cr_assert_eq(stocked(z), 20, "nor is anything given back");
	percpu_vfork_leave();
	cr_assert_eq(alloc_large(20, 1, GFP_KERNEL), a);
}

static struct page *victim;

static void free_twice(void)
{
	stay_on_this_cpu();
	free_large(victim);
	free_large(victim);
}

static void damaged(void)
{
	stay_on_this_cpu();
	free_large(victim);
	page_set_type(victim, PT_LARGE);
	alloc_large(20, 1, GFP_KERNEL);
}

static void damaged_length(void)
{
	stay_on_this_cpu();
	free_large(victim);
	victim->nr_pages = 21;
	alloc_large(20, 1, GFP_KERNEL);
}

Test(page_stock, misuse)
{
	start();
	victim = alloc_large(20, 1, GFP_KERNEL);
	assert_aborts(free_twice, "type:stock");
	assert_aborts(damaged, "no run of that length");
	assert_aborts(damaged_length, "no run of that length");
}

/* ---- threads ------------------------------------------------------------------------------ */

static unsigned long errors;
static bool done;

static void *keep_and_take(void *arg)
{
	u64 seed = 0x9e3779b97f4a7c15 * ((unsigned long)arg + 1);
	struct page *held[4] = { NULL };

	for (unsigned int i = 0; i < 20000; i++) {
		struct page **slot = &held[rnd(&seed) % 4];
		unsigned long n = rnd(&seed) % 6 + 12;

		if (*slot && !pages_marked(page_address(*slot), (*slot)->nr_pages,
					   (unsigned long)arg))
			stat_inc(errors);
		if (*slot)
			free_large(*slot);
		*slot = alloc_large(n, 1, GFP_KERNEL);
		if ((*slot)->nr_pages != n)
			stat_inc(errors);
		mark_pages(page_address(*slot), n, (unsigned long)arg);
		if (i % 100 == 0)
			sched_yield();
		if (i % 1000 == 0)
			stock_return();
	}
	for (unsigned int i = 0; i < 4; i++)
		if (held[i])
			free_large(held[i]);
	return NULL;
}

static void *drain(void *unused)
{
	(void)unused;
	while (!READ_ONCE(done)) {
		stock_drain();
		sched_yield();
	}
	return NULL;
}

Test(page_stock, threads)
{
	pthread_t thread[8], drainer;

	fresh_zones(64 * MIB);
	cr_assert_eq(pthread_create(&drainer, NULL, drain, NULL), 0);
	for (unsigned long i = 0; i < 8; i++)
		cr_assert_eq(pthread_create(&thread[i], NULL, keep_and_take, (void *)i), 0);
	for (unsigned int i = 0; i < 8; i++)
		pthread_join(thread[i], NULL);
	WRITE_ONCE(done, true);
	pthread_join(drainer, NULL);
	cr_assert_eq(errors, 0);
	assert_all_free();
}
