// SPDX-License-Identifier: MIT
/*
 * Nodes: numa.c, and what page_get.c, mmzone.c and slub.c make of them, on a
 * simulated machine of four; low memory.
 */
#include "pages_test.h"

#include <linux/mempolicy.h>
#include <sched.h>
#include <sys/syscall.h>

#include "mm/numa.h"
#include "mm/page_limit.h"

TestSuite(numa, .timeout = 60);

#define NODES	4

static struct zone *fake_zones(unsigned long mib)
{
	struct zone *z;

	if (percpu.mode == PERCPU_EARLY)
		cmdline_init();
	kmem_params.numa = true;
	kmem_params.numa_fake = NODES;
	z = fresh_zones(mib * MIB);
	page_limits_set(~0UL, ~0UL);
	return z;
}

static void assert_node_pages_free(void)
{
	page_alloc_drain();
	zones_unpark();
	for (unsigned int i = 0; i < nr_zones; i++)
		cr_assert_eq(zones[i]->nr_free, zones[i]->nr_present, "zone %u", i);
	cr_assert_eq(zones_validate(), 0);
}

/* With the thread's requests on @nid. */
static struct page *pages_on(int nid, gfp_t gfp, unsigned int order)
{
	int saved = numa_prefer_save(nid);
	struct page *page = alloc_pages(gfp, order);

	numa_prefer_restore(saved);
	return page;
}

/* Each node has a part of one reservation, and of each of its maps. */
Test(numa, one_reservation_is_divided)
{
	fake_zones(4096);
	cr_assert_eq(nr_nodes, NODES);
	cr_assert_eq(nr_zones, NODES);
	for (int i = 0; i < NODES; i++) {
		struct zone *z = zones[i];

		cr_expect_eq(z->node, i);
		cr_expect_eq(z->nr_pages, 1024 * MIB >> PAGE_SHIFT);
		cr_expect_eq(z->base, zones[0]->base + i * 1024 * MIB);
		cr_expect_eq(z->memmap, zones[0]->memmap + i * z->nr_pages);
		cr_expect_eq(z->slotmap, zones[0]->slotmap + i * z->nr_pages);
		cr_expect_eq((char *)z->dirty, (char *)zones[0]->dirty + i * z->nr_pages / 8);
	}
	/* free()'s fast path may look up any page of any node. */
	cr_expect_eq(kmem_hot.heap_pages, NODES * zones[0]->nr_pages);
	for (unsigned long p = 0; p < kmem_hot.heap_pages; p += 99991)
		cr_assert_eq(kmem_hot.slotmap[p], 0);
}

Test(numa, what_is_too_small_is_one_node)
{
	fake_zones(512);
	cr_expect_eq(nr_nodes, 1);
	cr_expect_eq(nr_zones, 1);
	__free_page(alloc_page(GFP_KERNEL));
	cr_expect_eq(kmem_hot.heap_pages, zones[0]->nr_present);
}

Test(numa, pages_come_from_the_wanted_node)
{
	static struct page *page[NODES][64];

	fake_zones(4096);
	for (unsigned int i = 0; i < 64; i++) {
		for (int nid = 0; nid < NODES; nid++) {
			page[nid][i] = pages_on(nid, i % 2 ? GFP_KERNEL : GFP_KERNEL | __GFP_THISNODE,
						i % 6);
			cr_assert_not_null(page[nid][i]);
			cr_assert_eq(page_to_nid(page[nid][i]), nid, "page %u", i);
			cr_assert_eq(page[nid][i], virt_to_page(page_address(page[nid][i])));
			memset(page_address(page[nid][i]), nid, PAGE_SIZE << i % 6);
		}
	}
	for (unsigned int i = 0; i < 64; i++) {
		for (int nid = 0; nid < NODES; nid++) {
			cr_expect_eq(*(char *)page_address(page[nid][i]), nid);
			__free_pages(page[nid][i], i % 6);
		}
	}
	assert_node_pages_free();
}

static void stay_on_node_0(void)
{
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET(0, &one);
	if (sched_setaffinity(0, sizeof(one), &one))
		cr_skip_test("CPU 0 is not ours");
}

/* Pages of a far node do not stay in this CPU's lists, to be mistaken for near ones. */
Test(numa, far_pages_go_home)
{
	fake_zones(4096);
	stay_on_node_0();
	cr_assert_eq(numa_local_node(), 0);
	for (unsigned int i = 0; i < 100; i++) {
		struct page *far = pages_on(3, GFP_KERNEL, 0), *near;

		cr_assert_eq(page_to_nid(far), 3);
		__free_page(far);
		near = alloc_page(GFP_KERNEL);
		cr_assert_eq(page_to_nid(near), 0);
		__free_page(near);
	}
	assert_node_pages_free();
}

Test(numa, large_objects_come_from_the_wanted_node)
{
	fake_zones(4096);
	for (int nid = 0; nid < NODES; nid++) {
		int saved = numa_prefer_save(nid);
		struct page *large = alloc_large(100, 1, GFP_KERNEL);
		struct page *huge = alloc_large(5000, 1, GFP_KERNEL | __GFP_ZERO);

		numa_prefer_restore(saved);
		cr_expect_eq(page_to_nid(large), nid);
		cr_expect_eq(page_to_nid(huge), nid);
		cr_expect(pages_zero(page_address(huge), 5000));
		free_large(large);
		free_large(huge);
	}
	assert_node_pages_free();
}

/* Nor do large objects; one that is near is kept, and given to those who name no node. */
Test(numa, only_near_runs_are_in_stock)
{
	fake_zones(4096);
	stay_on_node_0();
	for (int nid = 0; nid < NODES; nid++) {
		int saved = numa_prefer_save(nid);
		struct page *page = alloc_large(20, 1, GFP_KERNEL), *other;

		free_large(page);
		cr_expect_eq(page->type == PT_STOCK, nid == 0, "node %d", nid);
		other = alloc_large(20, 1, GFP_KERNEL);
		cr_expect_eq(page_to_nid(other), nid);
		numa_prefer_restore(saved);
		if (nid == 0)
			cr_expect_eq(alloc_large(20, 1, GFP_KERNEL), page);
	}
}

/* A node that is full: the next one serves, but not with __GFP_THISNODE. */
Test(numa, preference_and_condition)
{
	static struct page *page[300];
	unsigned int n = 0, far = 0;

	fake_zones(1024);
	cr_assert_eq(nr_nodes, NODES);
	host_refuse(HOST_RESERVE, 0, -1);
	while ((page[n] = pages_on(1, GFP_KERNEL | __GFP_THISNODE | __GFP_NOWARN, 10))) {
		cr_assert_eq(page_to_nid(page[n]), 1);
		n++;
	}
	cr_expect_eq(n, 64, "256 MiB: %u", n);
	for (; far < 70; far++) {
		page[n] = pages_on(1, GFP_KERNEL, 10);
		cr_assert_not_null(page[n]);
		cr_expect_eq(page_to_nid(page[n]), far < 64 ? 2 : 3, "%u", far);
		n++;
	}
	while (n--)
		__free_pages(page[n], 10);
	host_fault = NULL;
	assert_node_pages_free();
}

Test(numa, a_further_zone_belongs_to_its_node)
{
	static struct page *page[100];

	fake_zones(1024);
	for (unsigned int i = 0; i < 100; i++) {
		page[i] = pages_on(2, GFP_KERNEL, 10);
		cr_assert_not_null(page[i]);
		cr_assert_eq(page_to_nid(page[i]), 2);
	}
	cr_expect_eq(nr_zones, NODES + 1);
	for (unsigned int i = 0; i < 100; i++)
		__free_pages(page[i], 10);
	assert_node_pages_free();
}

static unsigned long bad_blocks;

static void *work(void *seed)
{
	u64 state = (unsigned long)seed * 7919 + 1;
	struct page *block[32] = { NULL };
	unsigned int orders[32];

	for (unsigned int i = 0; i < 5000; i++) {
		unsigned int k = rnd(&state) % 32, order = rnd(&state) % 7;

		if (block[k]) {
			if (!pages_marked(page_address(block[k]), 1UL << orders[k], k + 1))
				stat_inc(bad_blocks);
			__free_pages(block[k], orders[k]);
			block[k] = NULL;
		} else {
			int nid = (int)(rnd(&state) % (NODES + 1)) - 1;

			block[k] = pages_on(nid, GFP_KERNEL, order);
			orders[k] = order;
			if (!block[k] || (nid >= 0 && page_to_nid(block[k]) != nid))
				stat_inc(bad_blocks);
			mark_pages(page_address(block[k]), 1UL << order, k + 1);
		}
	}
	for (unsigned int k = 0; k < 32; k++)
		__free_pages(block[k], orders[k]);
	return NULL;
}

Test(numa, threads)
{
	pthread_t thread[8];

	fake_zones(4096);
	for (unsigned long i = 0; i < 8; i++)
		cr_assert_eq(pthread_create(&thread[i], NULL, work, (void *)i), 0);
	for (unsigned int i = 0; i < 8; i++)
		pthread_join(thread[i], NULL);
	cr_expect_eq(bad_blocks, 0);
	assert_node_pages_free();
}

/* The system's answers: whatever they are here, node 0 or more has memory. */
Test(numa, the_machine_s_nodes)
{
	u64 mask = host_memory_nodes();
	unsigned long nodes[16] = { 0 };
	int mode = -1;
	char *p;

	cr_assert_neq(mask, 0);
	kmem_params.numa = true;
	kmem_params.numa_fake = 0;
	numa_init();
	cr_expect_eq(nr_nodes, host_memory_policy_is_default() ? (int)hweight_long(mask) : 1);
	cr_expect_geq(numa_local_node(), 0);
	/* The policy of a range is what was asked for. */
	p = host_reserve(MIB, 4096);
	if (host_prefer_node(p, MIB, (int)__ffs(mask)))
		cr_skip_test("no mbind()");
	cr_expect_eq(syscall(SYS_get_mempolicy, &mode, nodes, 1024UL, p, MPOL_F_ADDR), 0);
	cr_expect_eq(mode, MPOL_PREFERRED);
	cr_expect_eq(nodes[0], 1UL << __ffs(mask));
	host_release(p, MIB);
}

/* ---- low memory -------------------------------------------------------------------------- */

static bool is_low(const struct page *page, unsigned long n)
{
	return (unsigned long)page_address(page) + n * PAGE_SIZE <= 1UL << 32;
}

Test(numa, dma32_is_below_4_gib)
{
	struct page *page[20], *large, *other;

	fresh_zones(256 * MIB);
	cr_expect_null(alloc_pages(GFP_NOWAIT | GFP_DMA32, 0), "not before somebody has made it");
	for (unsigned int i = 0; i < 20; i++) {
		page[i] = alloc_pages(GFP_KERNEL | (i % 2 ? GFP_DMA : GFP_DMA32), i % 10);
		cr_assert_not_null(page[i]);
		cr_assert(is_low(page[i], 1UL << i % 10), "%p", page_address(page[i]));
		memset(page_address(page[i]), 1, PAGE_SIZE << i % 10);
	}
	large = alloc_large(777, 1, GFP_KERNEL | GFP_DMA32);
	cr_assert(large && is_low(large, 777));
	cr_expect_eq(nr_zones, 2);
	cr_expect(zones[1]->low);
	free_large(large);
	for (unsigned int i = 0; i < 20; i++)
		__free_pages(page[i], i % 10);
	/* Others do not get it, not even by way of the per-CPU lists. */
	for (unsigned int i = 0; i < 100; i++) {
		other = alloc_pages(GFP_KERNEL, i % 4);
		cr_assert_not(is_low(other, 1));
		__free_pages(other, i % 4);
	}
	assert_all_free();
}

/* Where there is no room there is no such kind of memory, and the flags mean nothing. */
Test(numa, dma32_where_there_is_none)
{
	struct page *page;

	fresh_zones(256 * MIB);
	__free_page(alloc_page(GFP_KERNEL));
	host_refuse(HOST_RESERVE, 0, -1);
	page = alloc_pages(GFP_KERNEL | GFP_DMA32, 3);
	cr_assert_not_null(page);
	cr_expect_eq(nr_zones, 1);
	__free_pages(page, 3);
	page = alloc_pages(GFP_NOWAIT | GFP_DMA, 3);
	cr_expect_not_null(page);
	__free_pages(page, 3);
	host_fault = NULL;
	assert_all_free();
}
