// SPDX-License-Identifier: MIT
/*
 * Zones: mmzone.c. Their size and layout, growing, adding, refusals, fork.
 */
#include "pages_test.h"

#include <sys/resource.h>

TestSuite(mmzone, .timeout = 60);

Test(mmzone, maps_follow_the_heap)
{
	struct zone *z = fresh_zones(64 * MIB);
	char *heap_end = z->base + (z->nr_pages << PAGE_SHIFT);

	cr_assert_eq(nr_zones, 1);
	cr_assert_eq(z->nr_pages, 64 * MIB >> PAGE_SHIFT);
	cr_assert_eq((unsigned long)z->base % (4 * MIB), 0, "blocks would not be aligned");
	cr_assert_eq((char *)z->memmap, heap_end);
	cr_assert_geq((char *)z->slotmap, (char *)(z->memmap + z->nr_pages));
	cr_assert_geq((char *)z->dirty, (char *)z->slotmap + z->nr_pages);
	cr_assert_geq((char *)z->pageblock_type, (char *)z->dirty + z->nr_pages / 8);
	cr_assert_geq((char *)z->free_max,
		      (char *)z->pageblock_type + z->nr_pages / PAGEBLOCK_PAGES);
	cr_assert_eq((unsigned long)z->free_max % host_page_size(), 0);
	cr_assert_eq(z->nr_present, 0, "nothing is committed before it is needed");
	cr_assert_eq(z->nr_committed, 0);
	cr_assert_eq(kmem_hot.heap_base, z->base);
	cr_assert_eq(kmem_hot.slotmap, z->slotmap);
	cr_assert_eq(kmem_hot.heap_pages, 0);
	cr_assert_eq(zones_validate(), 0);
}

Test(mmzone, init_twice_is_once)
{
	struct zone *z = fresh_zones(8 * MIB);
	char *base = z->base;

	cr_assert(zones_init());
	cr_assert_eq(nr_zones, 1);
	cr_assert_eq(zones[0]->base, base);
}

Test(mmzone, size_is_rounded_to_largest_blocks)
{
	cr_assert_eq(fresh_zones(1)->nr_pages, MAX_ORDER_PAGES);
	cr_assert_eq(fresh_zones(5 * MIB)->nr_pages, 2 * MAX_ORDER_PAGES);
}

Test(mmzone, chosen_size_is_far_beyond_memory)
{
	struct zone *z = fresh_zones(0);
	unsigned long bytes = z->nr_pages << PAGE_SHIFT;

#if defined(KMEM_TSAN) || defined(KMEM_ASAN)
	cr_assert_leq(bytes, 16UL << 30);
#else
	cr_assert_geq(bytes, min(host_memory_total() * 32, 32UL << 30));
	cr_assert_leq(bytes, 16UL << 40);
#endif
}

/* A quarter of the limit at most: the program has mappings of its own to make. */
Test(mmzone, chosen_size_under_an_address_limit)
{
#if !defined(KMEM_TSAN) && !defined(KMEM_ASAN)
	struct rlimit rl = { .rlim_cur = 2UL << 30, .rlim_max = 2UL << 30 };
	struct page *page;
	struct zone *z;

	fresh_zones(8 * MIB);
	cr_assert_eq(setrlimit(RLIMIT_AS, &rl), 0);
	cr_assert(try_fresh_zones(0));
	z = zones[0];
	cr_assert_leq(z->nr_pages << PAGE_SHIFT, 512 * MIB);
	cr_assert_geq(z->nr_pages << PAGE_SHIFT, 8 * MIB);
	page = alloc_pages(GFP_KERNEL, 5);
	cr_assert_not_null(page);
	__free_pages(page, 5);
#endif
}

Test(mmzone, refused_reservation_is_halved)
{
	unsigned long full = fresh_zones(1024 * MIB)->nr_pages;

	host_refuse(HOST_RESERVE, 0, 3);
	cr_assert(try_fresh_zones(1024 * MIB));
	cr_assert_eq(zones[0]->nr_pages, full / 8);
}

Test(mmzone, no_reservation_no_zone)
{
	fresh_zones(8 * MIB);
	host_refuse(HOST_RESERVE, 0, -1);
	cr_assert_not(try_fresh_zones(64 * MIB));
	cr_assert_eq(nr_zones, 0);
	host_fault = NULL;
	cr_assert(try_fresh_zones(64 * MIB));
	cr_assert_eq(nr_zones, 1);
}

Test(mmzone, grows_in_steps)
{
	struct zone *z = fresh_zones(256 * MIB);
	struct page *page[40];

	host_watch();
	for (unsigned int i = 0; i < 40; i++) {
		page[i] = alloc_pages(GFP_KERNEL, MAX_PAGE_ORDER);
		cr_assert_not_null(page[i]);
		cr_assert_leq(z->nr_present, z->nr_committed);
		cr_assert_leq(z->nr_committed, z->nr_present + (32 * MIB >> PAGE_SHIFT));
		cr_assert_eq(kmem_hot.heap_pages, z->nr_present);
	}
	/* 160 MiB in steps of 8 MiB and more, of at most six calls each. */
	cr_assert_leq(calls_made[HOST_COMMIT], 6 * 20);
	cr_assert_eq(zones_validate(), 0);
	for (unsigned int i = 0; i < 40; i++)
		__free_pages(page[i], MAX_PAGE_ORDER);
	assert_all_free();
}

Test(mmzone, growing_stops_at_the_end)
{
	struct zone *z = fresh_zones(20 * MIB);

	host_refuse(HOST_RESERVE, 0, -1);
	for (unsigned int i = 0; i < 5; i++)
		cr_assert_not_null(alloc_pages(GFP_KERNEL | __GFP_NOWARN, MAX_PAGE_ORDER));
	cr_assert_null(alloc_pages(GFP_KERNEL | __GFP_NOWARN, MAX_PAGE_ORDER));
	cr_assert_eq(z->nr_present, z->nr_pages);
	cr_assert_eq(nr_zones, 1);
	cr_assert_eq(zones_validate(), 0);
}

Test(mmzone, refused_commit_changes_nothing)
{
	struct zone *z = fresh_zones(256 * MIB);

	/* Heap and maps: whichever of the calls is the one that is refused. */
	for (long nth = 0; nth < 6; nth++) {
		host_refuse(HOST_COMMIT, nth, -1);
		cr_assert_null(alloc_pages(GFP_KERNEL | __GFP_NOWARN, MAX_PAGE_ORDER));
		cr_assert_eq(z->nr_committed, 0);
		cr_assert_eq(z->nr_present, 0);
		cr_assert_eq(z->growing, 0);
		cr_assert_eq(nr_zones, 1, "a new zone would be refused memory just so");
	}
	host_fault = NULL;
	cr_assert_not_null(alloc_pages(GFP_KERNEL, MAX_PAGE_ORDER));
	cr_assert_eq(zones_validate(), 0);
}

Test(mmzone, refused_commit_is_halved)
{
	struct zone *z = fresh_zones(256 * MIB);

	host_refuse(HOST_COMMIT, 0, 1);
	cr_assert_not_null(alloc_pages(GFP_KERNEL, MAX_PAGE_ORDER));
	cr_assert_eq(z->nr_committed, MAX_ORDER_PAGES, "8 MiB were refused, 4 are enough");
}

Test(mmzone, further_zones)
{
	struct zone *z = fresh_zones(8 * MIB);
	struct page *page[12];

	host_watch();
	for (unsigned int i = 0; i < 12; i++) {
		page[i] = alloc_pages(GFP_KERNEL | __GFP_ZERO, MAX_PAGE_ORDER);
		cr_assert_not_null(page[i]);
		mark_pages(page_address(page[i]), MAX_ORDER_PAGES, i);
	}
	cr_assert_eq(nr_zones, 3);	/* 2 + 4 + 8 blocks */
	cr_assert_eq(zones[1]->nr_pages, 2 * z->nr_pages);
	cr_assert_eq(zones[2]->nr_pages, 4 * z->nr_pages);
	for (unsigned int i = 0; i < 12; i++) {
		char *addr = page_address(page[i]);

		cr_assert_eq(page[i]->zone, i < 2 ? 0 : i < 6 ? 1 : 2);
		cr_assert_eq(zone_of(addr), page_zone(page[i]));
		cr_assert_eq(zone_of(addr + 4 * MIB - 1), page_zone(page[i]));
		cr_assert_eq(virt_to_page(addr + 5000), page[i] + 1);
		cr_assert_eq(page_address(page[i] + 1), addr + PAGE_SIZE);
		cr_assert(pages_marked(addr, MAX_ORDER_PAGES, i));
	}
	cr_assert_null(zone_of(z->base - 1));
	cr_assert_null(zone_of(&z));
	cr_assert_null(zone_of(NULL));
	cr_assert_eq(zones_validate(), 0);
	for (unsigned int i = 0; i < 12; i++)
		__free_pages(page[i], MAX_PAGE_ORDER);
	assert_all_free();
}

Test(mmzone, zone_for_a_long_run)
{
	struct page *page;

	fresh_zones(8 * MIB);
	page = alloc_large(100 * MIB >> PAGE_SHIFT, 1, GFP_KERNEL);
	cr_assert_not_null(page);
	cr_assert_eq(page->zone, 1);
	cr_assert_geq(zones[1]->nr_pages, 100 * MIB >> PAGE_SHIFT);
	free_large(page);
	page = alloc_large(1, 64 * MIB >> PAGE_SHIFT, GFP_KERNEL);
	cr_assert_not_null(page);
	cr_assert_eq((unsigned long)page_address(page) % (64 * MIB), 0);
	free_large(page);
	assert_all_free();
}

Test(mmzone, refused_zone_leaks_nothing)
{
	fresh_zones(4 * MIB);
	cr_assert_not_null(alloc_pages(GFP_KERNEL, MAX_PAGE_ORDER));
	host_refuse(HOST_RESERVE, 0, -1);
	cr_assert_null(alloc_pages(GFP_KERNEL | __GFP_NOWARN, MAX_PAGE_ORDER));
	cr_assert_eq(nr_zones, 1);
	/* Down to what is needed, not below. */
	host_refuse(HOST_RESERVE, 0, 1);
	cr_assert_not_null(alloc_pages(GFP_KERNEL, MAX_PAGE_ORDER));
	cr_assert_eq(nr_zones, 2);
	cr_assert_eq(zones[1]->nr_pages, MAX_ORDER_PAGES);
}

Test(mmzone, zone_that_somebody_else_has_added)
{
	fresh_zones(8 * MIB);
	cr_assert(zone_add(1, 1, 1, 0));
	cr_assert_eq(nr_zones, 2);
	cr_assert(zone_add(1, 1, 1, 0), "there is a second zone: look again");
	cr_assert_eq(nr_zones, 2, "and no third one");
	cr_assert_not(zone_add(1, 1, MAX_ZONES, 0));
	cr_assert_eq(zones_validate(), 0);
}

/* ---- threads --------------------------------------------------------------------- */

static void *take_blocks(void *arg)
{
	struct page **page = arg;

	for (unsigned int i = 0; i < 8; i++) {
		page[i] = alloc_pages(GFP_KERNEL, 9);
		if (page[i])
			mark_pages(page_address(page[i]), 512, (unsigned long)&page[i]);
	}
	return NULL;
}

Test(mmzone, threads_grow_together)
{
	pthread_t thread[8];
	struct page *page[8][8];

	fresh_zones(16 * MIB);
	host_watch();
	host_fault = NULL;	/* its look at the locks is for one thread */
	for (unsigned int i = 0; i < 8; i++)
		cr_assert_eq(pthread_create(&thread[i], NULL, take_blocks, page[i]), 0);
	for (unsigned int i = 0; i < 8; i++)
		pthread_join(thread[i], NULL);
	for (unsigned int i = 0; i < 64; i++) {
		struct page *p = page[i / 8][i % 8];

		cr_assert_not_null(p);
		cr_assert(pages_marked(page_address(p), 512, (unsigned long)&page[i / 8][i % 8]));
	}
	cr_assert_eq(zones_validate(), 0);
	for (unsigned int i = 0; i < 64; i++)
		__free_pages(page[i / 8][i % 8], 9);
	assert_all_free();
}

static u32 gate;

static void *hold_claim(void *arg)
{
	struct zone *z = arg;

	lock(&z->lock);
	z->growing = 1;
	z->purging = 1;
	unlock(&z->lock);
	smp_store_release(&gate, 1);
	usleep(20000);
	lock(&z->lock);
	WRITE_ONCE(z->purging, 0);
	WRITE_ONCE(z->growing, 0);
	unlock(&z->lock);
	smp_store_release(&gate, 2);
	host_futex_wake(&z->growing, 1000);
	return NULL;
}

Test(mmzone, fork_waits_for_claims)
{
	struct zone *z = fresh_zones(8 * MIB);
	pthread_t thread;

	cr_assert_eq(pthread_create(&thread, NULL, hold_claim, z), 0);
	while (smp_load_acquire(&gate) == 0)
		usleep(100);
	lock_order_fork_begin();
	zones_fork_lock();
	cr_assert_eq(z->growing, 0);
	cr_assert_eq(z->purging, 0);
	cr_assert_neq(z->lock.word, 0);
	zones_fork_unlock();
	lock_order_fork_end();
	pthread_join(thread, NULL);
	cr_assert_eq(z->lock.word, 0);
	__free_pages(alloc_pages(GFP_KERNEL, 0), 0);
}
