// SPDX-License-Identifier: MIT
/*
 * Blocks of pages: page_alloc.c. The kernel's interface and its contracts, the
 * per-CPU lists, what the GFP flags do, reports, threads.
 */
#include "one_cpu.h"
#include "pages_test.h"

#include "mm/page_limit.h"
#include "mm/task.h"

TestSuite(page_alloc, .timeout = 60);

/* Pages that are neither free nor in a per-CPU list. */
static unsigned long pages_out(void)
{
	unsigned long n = 0;

	page_alloc_drain();
	for (unsigned int i = 0; i < nr_zones; i++)
		n += zones[i]->nr_present - zones[i]->nr_free - zones[i]->nr_parked;
	return n;
}

/* ---- blocks ------------------------------------------------------------------------- */

Test(page_alloc, every_order)
{
	fresh_zones(256 * MIB);
	for (unsigned int order = 0; order <= MAX_PAGE_ORDER; order++) {
		struct page *page[5];

		for (unsigned int i = 0; i < 5; i++) {
			char *addr;

			page[i] = alloc_pages(i % 2 ? GFP_KERNEL : GFP_KERNEL | __GFP_ZERO, order);
			cr_assert_not_null(page[i]);
			addr = page_address(page[i]);
			cr_assert_eq((unsigned long)addr % (PAGE_SIZE << order), 0);
			cr_assert_eq(virt_to_page(addr), page[i]);
			cr_assert_eq(virt_to_page(addr + 1), page[i]);
			cr_assert_eq(virt_to_page(addr + (PAGE_SIZE << order) - 1),
				     page[i] + (1UL << order) - 1);
			cr_assert_eq(virt_to_head_page(addr), page[i]);
			cr_assert_eq(page_ref_count(page[i]), 1);
			cr_assert_eq(compound_order(page[i]), 0);
			cr_assert_eq(page_size(page[i]), PAGE_SIZE);
			cr_assert_eq(page_to_nid(page[i]), 0);
			if (i % 2 == 0)
				cr_assert(pages_zero(addr, 1UL << order));
			mark_pages(addr, 1UL << order, order * 10 + i);
		}
		cr_assert_eq(pages_out(), 5UL << order);
		cr_assert_eq(zones_validate(), 0);
		for (unsigned int i = 0; i < 5; i++) {
			cr_assert(pages_marked(page_address(page[i]), 1UL << order,
					       order * 10 + i));
			__free_pages(page[i], order);
		}
	}
	assert_all_free();
}

Test(page_alloc, by_address)
{
	unsigned long addr;

	fresh_zones(64 * MIB);
	addr = __get_free_pages(GFP_KERNEL, 4);
	cr_assert_neq(addr, 0);
	cr_assert_eq(addr % (16 * PAGE_SIZE), 0);
	memset((void *)addr, 1, 16 * PAGE_SIZE);
	free_pages(addr, 4);
	addr = __get_free_page(GFP_KERNEL);
	memset((void *)addr, 1, PAGE_SIZE);
	free_page(addr);
	addr = get_zeroed_page(GFP_KERNEL);
	cr_assert(pages_zero((void *)addr, 1));
	free_page(addr);
	free_pages(0, 3);
	__free_pages(NULL, 3);
	assert_all_free();
}

Test(page_alloc, zeroing_after_use)
{
	fresh_zones(64 * MIB);
	for (unsigned int order = 0; order <= 6; order++) {
		for (unsigned int round = 0; round < 30; round++) {
			struct page *page = alloc_pages(GFP_KERNEL | __GFP_ZERO, order);

			cr_assert(pages_zero(page_address(page), 1UL << order));
			memset(page_address(page), 0x5a, PAGE_SIZE << order);
			__free_pages(page, order);
			if (round % 10 == 9)
				page_alloc_drain();
		}
	}
	assert_all_free();
}

Test(page_alloc, too_large_an_order)
{
	fresh_zones(8 * MIB);
	capture_start();
	cr_assert_null(alloc_pages(GFP_KERNEL | __GFP_NOWARN, MAX_PAGE_ORDER + 1));
	cr_assert_eq(captured_calls, 0);
	cr_assert_null(alloc_pages(GFP_KERNEL, MAX_PAGE_ORDER + 1));
	cr_assert_not_null(strstr(captured, "order 11 is above 10"), "%s", captured);
	capture_start();
	cr_assert_null(alloc_pages(GFP_KERNEL, 63));
	cr_assert_null(alloc_pages(GFP_KERNEL, ~0U));
	cr_assert_eq(__get_free_pages(GFP_KERNEL, 11), 0);
	cr_assert_eq(captured_calls, 0, "said once: %s", captured);
}

/* ---- compound pages, references ---------------------------------------------------------- */

Test(page_alloc, compound)
{
	fresh_zones(64 * MIB);
	for (unsigned int order = 1; order <= MAX_PAGE_ORDER; order++) {
		struct page *page = alloc_pages(GFP_KERNEL | __GFP_COMP, order);
		unsigned long last = (1UL << order) - 1;

		cr_assert_eq(compound_order(page), order);
		cr_assert_eq(page_size(page), PAGE_SIZE << order);
		cr_assert_eq(compound_head(page + last), page);
		cr_assert_eq(virt_to_head_page((char *)page_address(page + last) + 7), page);
		cr_assert_eq(page_ref_count(page + last), 1);
		get_page(page + last);
		cr_assert_eq(page_ref_count(page), 2);
		cr_assert_eq(zones_validate(), 0);
		__free_pages(page, order);
		cr_assert_eq(page_ref_count(page), 1, "all of it lives on");
		cr_assert_eq(pages_out(), 1UL << order);
		put_page(page + 1);
		cr_assert_eq(pages_out(), 0);
		cr_assert_eq(page[1].type, PT_NONE);
		cr_assert_null(virt_to_head_page(page_address(page)));
	}
	assert_all_free();
}

Test(page_alloc, single_page_is_not_compound)
{
	struct page *page;

	fresh_zones(8 * MIB);
	page = alloc_pages(GFP_KERNEL | __GFP_COMP, 0);
	cr_assert_eq(page->type, PT_ALLOC);
	cr_assert_eq(compound_order(page), 0);
	put_page(page);
	assert_all_free();
}

/* Of a plain block with a further reference all pages but the first go at once. */
Test(page_alloc, extra_reference_keeps_the_first_page)
{
	fresh_zones(64 * MIB);
	for (unsigned int order = 0; order <= MAX_PAGE_ORDER; order++) {
		struct page *page = alloc_pages(GFP_KERNEL, order);

		mark_pages(page_address(page), 1UL << order, order);
		get_page(page);
		cr_assert_eq(page_ref_count(page), 2);
		__free_pages(page, order);
		cr_assert_eq(page_ref_count(page), 1);
		cr_assert_eq(pages_out(), 1, "order %u: %lu", order, pages_out());
		cr_assert(pages_marked(page_address(page), 1, order));
		cr_assert_eq(zones_validate(), 0);
		put_page(page);
		cr_assert_eq(pages_out(), 0);
	}
	assert_all_free();
}

Test(page_alloc, put_page_frees_a_whole_block)
{
	struct page *page;

	fresh_zones(64 * MIB);
	page = alloc_pages(GFP_KERNEL, 5);
	put_page(page);
	cr_assert_eq(pages_out(), 0);
	assert_all_free();
}

Test(page_alloc, split)
{
	fresh_zones(64 * MIB);
	for (unsigned int order = 0; order <= MAX_PAGE_ORDER; order++) {
		struct page *page = alloc_pages(GFP_KERNEL | __GFP_MOVABLE, order);

		split_page(page, order);
		cr_assert_eq(zones_validate(), 0);
		for (unsigned long i = 0; i < 1UL << order; i++) {
			cr_assert_eq(page_ref_count(page + i), 1);
			cr_assert_eq(virt_to_head_page(page_address(page + i)), page + i);
		}
		for (unsigned long i = 0; i < 1UL << order; i += 2)
			put_page(page + i);
		cr_assert_eq(pages_out(), (1UL << order) / 2);
		for (unsigned long i = 1; i < 1UL << order; i += 2)
			__free_page(page + i);
		cr_assert_eq(pages_out(), 0);
	}
	assert_all_free();
}

/* ---- bulk -------------------------------------------------------------------------------- */

Test(page_alloc, bulk)
{
	struct page *page[100] = { NULL }, *mine;

	fresh_zones(64 * MIB);
	mine = alloc_page(GFP_KERNEL);
	page[3] = page[99] = mine;
	cr_assert_eq(alloc_pages_bulk(GFP_KERNEL, 100, page), 100);
	cr_assert_eq(page[3], mine, "a slot that is not NULL is left alone");
	cr_assert_eq(page[99], mine);
	cr_assert_eq(pages_out(), 99);
	for (unsigned int i = 0; i < 99; i++)
		for (unsigned int j = i + 1; j < 99; j++)
			cr_assert_neq(page[i], page[j]);
	page[99] = NULL;
	page[50] = NULL;
	free_pages_bulk(page, 100);
	cr_assert_eq(pages_out(), 1);
	cr_assert_eq(alloc_pages_bulk(GFP_KERNEL, 0, page), 0);
	cr_assert_eq(alloc_pages_bulk(GFP_KERNEL, -1, page), 0);
}

Test(page_alloc, bulk_stops_where_memory_ends)
{
	static struct page *page[2000];
	unsigned long got;

	fresh_zones(4 * MIB);
	host_refuse(HOST_RESERVE, 0, -1);
	got = alloc_pages_bulk(GFP_KERNEL | __GFP_NOWARN, 2000, page);
	cr_assert_geq(got, 900);
	cr_assert_leq(got, MAX_ORDER_PAGES);
	for (unsigned long i = 0; i < 2000; i++)
		cr_assert_eq(page[i] != NULL, i < got, "slot %lu of %lu", i, got);
	free_pages_bulk(page, 2000);
	host_fault = NULL;
	assert_all_free();
}

/* ---- for the slab layer ------------------------------------------------------------------------ */

Test(page_alloc, slab_pages)
{
	fresh_zones(64 * MIB);
	for (unsigned int order = 0; order <= 6; order++) {
		struct page *page = alloc_slab_pages(order, MIGRATE_RECLAIMABLE, GFP_KERNEL);

		cr_assert_not_null(page);
		cr_assert_eq(page->type, PT_PCP);
		cr_assert_eq(page->order, order);
		cr_assert_eq(page->migratetype, MIGRATE_RECLAIMABLE);
		cr_assert_eq(page->zone, 0);
		page_set_type(page, PT_SLAB);
		for (u32 i = 1; i < 1U << order; i++) {
			page_set_type(page + i, PT_TAIL);
			page[i].head_distance = i;
		}
		cr_assert_eq(zones_validate(), 0);
		cr_assert_eq(virt_to_head_page((char *)page_address(page) +
					       (PAGE_SIZE << order) - 1), page);
		free_slab_pages(page, order);
		for (u32 i = 1; i < 1U << order; i++)
			cr_assert_eq(page[i].type, PT_NONE);
	}
	assert_all_free();
}

/* ---- flags ------------------------------------------------------------------------------------------ */

Test(page_alloc, nowait_makes_no_host_call)
{
	static const gfp_t flags[] = { GFP_NOWAIT, __GFP_NOWARN };
	struct zone *z = fresh_zones(64 * MIB);
	struct page *page[64];
	unsigned int n;

	for (unsigned int i = 0; i < ARRAY_SIZE(flags); i++) {
		host_watch();
		cr_assert_null(alloc_pages(flags[i], 5), "nothing is committed");
		cr_assert_null(alloc_large(3000, 1, flags[i]));
		cr_assert_eq(host_calls(), 0);
	}
	__free_pages(alloc_pages(GFP_KERNEL, 5), 5);
	cr_assert_geq(z->nr_committed, 2 * MAX_ORDER_PAGES);
	for (unsigned int i = 0; i < ARRAY_SIZE(flags); i++) {
		host_watch();
		for (n = 0; n < 64 && (page[n] = alloc_pages(flags[i], 9)); n++)
			;
		cr_assert_eq(n, z->nr_committed / 512, "just what is committed");
		cr_assert_eq(host_calls(), 0);
		host_fault = NULL;
		while (n--)
			__free_pages(page[n], 9);
	}
	assert_all_free();
}

/*
 * From the first request for reserves on, each kind of request leaves its share of
 * the frontier: 16 MiB, 8, 4, nothing.
 */
Test(page_alloc, atomic_may_use_reserves)
{
	static const struct { gfp_t gfp; unsigned long leaves; } kinds[] = {
		{ GFP_NOWAIT, 4096 }, { GFP_NOWAIT | __GFP_HIGH | __GFP_NOMEMALLOC, 1024 },
		{ GFP_ATOMIC | __GFP_NOWARN, 1024 }, { GFP_NOWAIT | __GFP_MEMALLOC, 0 },
	};
	struct zone *z = fresh_zones(256 * MIB);
	struct page *first, *page[128];

	host_watch();
	cr_assert_null(alloc_pages(GFP_ATOMIC | __GFP_NOWARN, 0), "nothing is committed");
	cr_assert_eq(host_calls(), 0);
	host_fault = NULL;
	first = alloc_pages(GFP_KERNEL, 9);
	cr_assert_geq(z->nr_committed, z->nr_present + 4096);
	for (unsigned int i = 0; i < ARRAY_SIZE(kinds); i++) {
		unsigned long end = z->nr_committed - kinds[i].leaves;
		unsigned int n = 0;

		host_watch();
		while (n < 128 && (page[n] = alloc_pages(kinds[i].gfp, 9)))
			n++;
		cr_assert_eq(z->nr_present, end, "kind %u left %lu pages", i,
			     z->nr_committed - z->nr_present);
		cr_assert_eq(z->nr_free, 0);
		cr_assert_eq(host_calls(), 0);
		host_fault = NULL;
		while (n--)
			__free_pages(page[n], 9);
	}
	/* Ordinary requests build the reserve up again. */
	for (unsigned int i = 0; i < 128; i++) {
		page[i] = alloc_pages(GFP_KERNEL, 9);
		cr_assert(page[i] && z->nr_committed - z->nr_present >=
			  (z->nr_free < 512 && i > 20 ? 4096UL : 0));
	}
	for (unsigned int i = 0; i < 128; i++)
		__free_pages(page[i], 9);
	__free_pages(first, 9);
	assert_all_free();
}

Test(page_alloc, a_program_that_never_asks_has_no_reserve)
{
	struct zone *z = fresh_zones(256 * MIB);
	struct page *page = alloc_pages(GFP_KERNEL, 9);

	cr_assert_eq(page_limits.frontier_reserve, 0);
	cr_assert_eq(page_watch & (WATCH_HARD | WATCH_RESERVE), 0);
	cr_assert_eq(z->nr_committed, 2 * MAX_ORDER_PAGES);
	__free_pages(page, 9);
}

/* As its own reclaimer sees it: gfp flags say how often a request that is refused is tried. */
static unsigned int reclaim_calls;

static unsigned long reclaim_nothing(gfp_t gfp, unsigned long nr_pages, int from, int to)
{
	cr_assert(gfp & __GFP_DIRECT_RECLAIM);
	cr_assert(nr_pages > 0 && from == RECLAIM_PRIORITY && to == 0);
	reclaim_calls++;
	return 0;
}

static unsigned long reclaim_one(gfp_t gfp, unsigned long nr_pages, int from, int to)
{
	reclaim_nothing(gfp, nr_pages, from, to);
	return 1;
}

static unsigned int reclaims_of(gfp_t gfp, unsigned int order)
{
	reclaim_calls = 0;
	cr_assert_null(alloc_pages(gfp | __GFP_NOWARN, order));
	return reclaim_calls;
}

Test(page_alloc, how_hard_to_try)
{
	unsigned int scope;

	fresh_zones(8 * MIB);
	host_refuse(HOST_COMMIT, 0, -1);
	direct_reclaim_hook = reclaim_nothing;
	cr_expect_eq(reclaims_of(GFP_NOWAIT, 4), 0);
	cr_expect_eq(reclaims_of(GFP_KERNEL | __GFP_NORETRY, 4), 2, "once, and a last look");
	cr_expect_eq(reclaims_of(GFP_KERNEL, 4), 2);
	cr_expect_eq(reclaims_of(GFP_KERNEL | __GFP_RETRY_MAYFAIL, 4), 17);
	direct_reclaim_hook = reclaim_one;
	cr_expect_eq(reclaims_of(GFP_KERNEL, 4), 2, "16 pages are costly");
	cr_expect_eq(reclaims_of(GFP_KERNEL, 3), 17, "8 are worth it as long as it gets on");
	cr_expect_eq(reclaims_of(GFP_KERNEL | __GFP_NORETRY, 3), 2);
	scope = memalloc_noreclaim_save();
	cr_expect_eq(reclaims_of(GFP_KERNEL, 3), 0);
	memalloc_noreclaim_restore(scope);
	cr_expect_eq(reclaims_of(GFP_KERNEL | __GFP_NORETRY, 3), 2);
}

Test(page_alloc, failure_is_reported_once_a_second)
{
	fresh_zones(8 * MIB);
	host_refuse(HOST_COMMIT, 0, -1);
	capture_start();
	for (unsigned int i = 0; i < 100; i++)
		cr_assert_null(alloc_pages(GFP_KERNEL | __GFP_NOWARN, 2));
	cr_assert_eq(captured_calls, 0, "%s", captured);
	for (unsigned int i = 0; i < 100; i++)
		cr_assert_null(alloc_pages(GFP_KERNEL, 2));
	cr_assert_geq(captured_calls, 1);
	cr_assert_leq(captured_calls, 10, "one report and another line: %s", captured);
	cr_assert_not_null(strstr(captured, "page allocation failure: order:2, mode:0xcc0"),
			   "%s", captured);
	host_fault = NULL;
	__free_pages(alloc_pages(GFP_KERNEL, 2), 2);
	assert_all_free();
}

Test(page_alloc, nofail_tries_until_it_can)
{
	struct page *page;

	fresh_zones(8 * MIB);
	host_refuse(HOST_COMMIT, 0, 50);
	page = alloc_pages(GFP_KERNEL | __GFP_NOFAIL, 3);
	cr_assert_not_null(page);
	cr_assert_eq(refuse_count, 0);
	__free_pages(page, 3);
}

/* Pages in the per-CPU lists are the last reserve before failing. */
Test(page_alloc, drains_before_it_gives_up)
{
	static struct page *page[1024];
	struct page *block;

	fresh_zones(4 * MIB);
	host_refuse(HOST_RESERVE, 0, -1);
	for (unsigned int i = 0; i < 1024; i++) {
		page[i] = alloc_pages(GFP_KERNEL | __GFP_NOWARN, 0);
		cr_assert_not_null(page[i], "page %u", i);
	}
	cr_assert_null(alloc_pages(GFP_KERNEL | __GFP_NOWARN, 0));
	for (unsigned int i = 0; i < 1024; i++)
		__free_pages(page[i], 0);
	host_fault = NULL;
	if (percpu.mode == PERCPU_RSEQ && !percpu.can_drain)
		return;
	block = alloc_pages(GFP_NOWAIT, MAX_PAGE_ORDER);
	cr_assert_null(block, "some of its pages are in a per-CPU list");
	block = alloc_pages(GFP_KERNEL, MAX_PAGE_ORDER);
	cr_assert_not_null(block);
	cr_assert_eq(block->zone, nr_zones - 1);
	__free_pages(block, MAX_PAGE_ORDER);
	assert_all_free();
}

Test(page_alloc, types_keep_apart)
{
	struct zone *z = fresh_zones(64 * MIB);
	unsigned long fixed_blocks = 0, movable_blocks = 0;

	for (unsigned int i = 0; i < 600; i++) {
		struct page *f = alloc_pages(GFP_KERNEL, 0);
		struct page *m = alloc_pages(GFP_KERNEL | __GFP_MOVABLE, 0);

		fixed_blocks |= BIT(page_zpn(z, f) >> PAGEBLOCK_ORDER);
		movable_blocks |= BIT(page_zpn(z, m) >> PAGEBLOCK_ORDER);
	}
	cr_assert_eq(fixed_blocks & movable_blocks, 0);
	cr_assert_eq(hweight_long(fixed_blocks), 2);
	cr_assert_eq(hweight_long(movable_blocks), 2);
}

Test(page_alloc, ignored_flags)
{
	struct page *page;

	fresh_zones(8 * MIB);
	page = alloc_pages(GFP_HIGHUSER_MOVABLE | __GFP_DMA | __GFP_DMA32 | __GFP_ACCOUNT |
			   __GFP_THISNODE | __GFP_HIGH | __GFP_MEMALLOC | __GFP_NORETRY, 0);
	cr_assert_not_null(page);
	__free_page(page);
}

Test(page_alloc, orders_of_sizes)
{
	cr_assert_eq(get_order(1), 0);
	cr_assert_eq(get_order(4096), 0);
	cr_assert_eq(get_order(4097), 1);
	cr_assert_eq(get_order(8192), 1);
	cr_assert_eq(get_order(8193), 2);
	cr_assert_eq(get_order(4 * MIB), 10);
	cr_assert_eq(PAGE_ALIGN(1UL), PAGE_SIZE);
	cr_assert_eq(PAGE_ALIGN(PAGE_SIZE), PAGE_SIZE);
}

Test(page_alloc, addresses_elsewhere)
{
	int here;

	fresh_zones(8 * MIB);
	cr_assert_null(virt_to_page(&here));
	cr_assert_null(virt_to_page(NULL));
	cr_assert_null(virt_to_head_page(&here));
	cr_assert_null(virt_to_page(zones[0]->base), "not present yet");
	__free_page(alloc_page(GFP_KERNEL));
	cr_assert_not_null(virt_to_page(zones[0]->base));
	cr_assert_null(virt_to_page(zones[0]->memmap));
}

/* ---- misuse --------------------------------------------------------------------------------------------- */

static struct page *victim;

/* The first free on a CPU goes past the page lists: let it be another one's. */
static void free_twice(void)
{
	stay_on_this_cpu();
	__free_pages(alloc_pages(GFP_KERNEL, 3), 3);
	__free_pages(victim, 3);
	__free_pages(victim, 3);
}

static void free_twice_drained(void)
{
	__free_pages(victim, 3);
	page_alloc_drain();
	__free_pages(victim, 3);
}

static void free_other_order(void) { __free_pages(victim, 2); }
static void free_inside(void) { __free_pages(victim + 1, 0); }
static void free_unaligned(void) { free_pages((unsigned long)page_address(victim) + 8, 3); }
static void free_elsewhere(void) { free_pages((unsigned long)&victim & PAGE_MASK, 0); }
static void put_inside(void) { put_page(victim + 1); }
static void split_other_order(void) { split_page(victim, 2); }

static void get_free_page_ref(void)
{
	__free_pages(victim, 3);
	get_page(victim);
}

static void split_compound(void)
{
	split_page(alloc_pages(GFP_KERNEL | __GFP_COMP, 2), 2);
}

static void free_compound_tail(void)
{
	__free_pages(alloc_pages(GFP_KERNEL | __GFP_COMP, 2) + 1, 0);
}

Test(page_alloc, misuse)
{
	fresh_zones(64 * MIB);
	victim = alloc_pages(GFP_KERNEL, 3);
	assert_aborts(free_twice, "BUG: Bad page state in process");
	assert_aborts(free_twice, "type:pcp");
	assert_aborts(free_twice_drained, "page dumped because: __free_pages() of a page");
	assert_aborts(free_other_order, "with another order than it was allocated with");
	assert_aborts(free_inside, "type:none");
	assert_aborts(free_unaligned, "is no page of the heap");
	assert_aborts(free_elsewhere, "is no page of the heap");
	assert_aborts(put_inside, "put_page() of a page that is in no block");
	assert_aborts(get_free_page_ref, "get_page() of a page that is in no block");
	assert_aborts(split_other_order, "split_page()");
	assert_aborts(split_compound, "split_page()");
	assert_aborts(free_compound_tail, "type:tail");
	__free_pages(victim, 3);
	assert_all_free();
}

/* ---- random operations against the model ------------------------------------------------------------------- */

struct held {
	struct page *page;
	unsigned int order;
};

static struct held held[1000];

static void release(struct held *h, u64 *seed)
{
	void *addr = page_address(h->page);
	unsigned long n = 1UL << h->order;

	cr_assert(pages_marked(addr, n, (unsigned long)h), "content");
	cr_assert(model_move(h->page, n, false));
	switch (rnd(seed) % 4) {
	case 0:
		free_pages((unsigned long)addr, h->order);
		break;
	case 1:
		put_page(h->page);
		break;
	case 2:
		if (!compound_order(h->page)) {
			split_page(h->page, h->order);
			for (unsigned long i = 0; i < n; i++)
				__free_page(h->page + i);
			break;
		}
		/* fall through */
	default:
		__free_pages(h->page, h->order);
	}
	h->page = NULL;
}

static void random_blocks(u64 seed, unsigned long ops, unsigned long reserve)
{
	static const gfp_t flags[] = { 0, __GFP_MOVABLE, __GFP_RECLAIMABLE, __GFP_ZERO,
				       __GFP_COMP, __GFP_COMP | __GFP_ZERO };

	fresh_zones(reserve);
	for (unsigned long op = 0; op < ops; op++) {
		struct held *h = &held[rnd(&seed) % ARRAY_SIZE(held)];
		gfp_t gfp = GFP_KERNEL | flags[rnd(&seed) % ARRAY_SIZE(flags)];

		if (h->page) {
			release(h, &seed);
		} else {
			h->order = rnd(&seed) % (rnd(&seed) % 32 ? 5 : NR_PAGE_ORDERS);
			h->page = alloc_pages(gfp, h->order);
			cr_assert_not_null(h->page);
			cr_assert_eq((unsigned long)page_address(h->page) %
				     (PAGE_SIZE << h->order), 0);
			cr_assert(model_move(h->page, 1UL << h->order, true),
				  "op %lu: pages handed out twice", op);
			if (gfp & __GFP_ZERO)
				cr_assert(pages_zero(page_address(h->page), 1UL << h->order));
			mark_pages(page_address(h->page), 1UL << h->order, (unsigned long)h);
		}
		if (op % 5003 == 0)
			cr_assert_eq(zones_validate(), 0, "op %lu", op);
		if (op % 1000 == 0)
			zones_purge(0, 300);
	}
	for (unsigned int i = 0; i < ARRAY_SIZE(held); i++)
		if (held[i].page)
			release(&held[i], &seed);
	assert_all_free();
}

Test(page_alloc, random_one_zone) { random_blocks(0x9e3779b97f4a7c15, 100000, 1024 * MIB); }
Test(page_alloc, random_small_zones) { random_blocks(0x2545f4914f6cdd1d, 100000, 16 * MIB); }
Test(page_alloc, random_third) { random_blocks(0xd1342543de82ef95, 100000, 64 * MIB); }

/* ---- threads --------------------------------------------------------------------------------------------------- */

#define THREADS		8
#define SHARED		256

static struct held *shared[SHARED];	/* exchanged: whoever takes one frees it */
static unsigned long thread_errors;

static void *exchange_blocks(void *arg)
{
	u64 seed = 0x9e3779b97f4a7c15 * ((unsigned long)arg + 1);

	for (unsigned int op = 0; op < 6000; op++) {
		struct held *h = malloc(sizeof(*h)), *other;

		h->order = rnd(&seed) % (rnd(&seed) % 16 ? 4 : 8);
		h->page = alloc_pages(GFP_KERNEL | (op % 2 ? __GFP_MOVABLE : 0), h->order);
		if (!h->page) {
			stat_inc(thread_errors);
			free(h);
			continue;
		}
		mark_pages(page_address(h->page), 1UL << h->order, (unsigned long)h);
		other = __atomic_exchange_n(&shared[rnd(&seed) % SHARED], h, __ATOMIC_ACQ_REL);
		if (!other)
			continue;
		if (!pages_marked(page_address(other->page), 1UL << other->order,
				  (unsigned long)other))
			stat_inc(thread_errors);
		__free_pages(other->page, other->order);
		free(other);
		if (op % 1024 == 0)
			zones_purge(0, 500);
	}
	return NULL;
}

Test(page_alloc, threads_free_each_others_blocks)
{
	pthread_t thread[THREADS];

	fresh_zones(64 * MIB);
	for (unsigned long i = 0; i < THREADS; i++)
		cr_assert_eq(pthread_create(&thread[i], NULL, exchange_blocks, (void *)i), 0);
	for (unsigned int i = 0; i < THREADS; i++)
		pthread_join(thread[i], NULL);
	cr_assert_eq(thread_errors, 0);
	cr_assert_eq(zones_validate(), 0);
	for (unsigned int i = 0; i < SHARED; i++) {
		if (!shared[i])
			continue;
		__free_pages(shared[i]->page, shared[i]->order);
		free(shared[i]);
	}
	page_alloc_drain();
	if (percpu.mode == PERCPU_FALLBACK || percpu.can_drain)
		assert_all_free();
}

static struct page *counted;

static void *get_and_put(void *arg)
{
	(void)arg;
	for (unsigned int i = 0; i < 20000; i++) {
		get_page(counted);
		put_page(counted);
	}
	put_page(counted);
	return NULL;
}

Test(page_alloc, references_are_atomic)
{
	pthread_t thread[THREADS];

	fresh_zones(8 * MIB);
	counted = alloc_pages(GFP_KERNEL | __GFP_COMP, 2);
	for (unsigned int i = 0; i < THREADS; i++)
		get_page(counted);
	for (unsigned int i = 0; i < THREADS; i++)
		cr_assert_eq(pthread_create(&thread[i], NULL, get_and_put, NULL), 0);
	for (unsigned int i = 0; i < THREADS; i++)
		pthread_join(thread[i], NULL);
	cr_assert_eq(page_ref_count(counted), 1);
	put_page(counted);
	cr_assert_eq(pages_out(), 0);
}
