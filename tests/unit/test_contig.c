// SPDX-License-Identifier: MIT
/*
 * Exact runs: contig.c. Large objects, alloc_pages_exact(), alloc_contig_pages().
 */
#include "pages_test.h"

TestSuite(contig, .timeout = 60);

static unsigned long pages_out(void)
{
	unsigned long n = 0;

	for (unsigned int i = 0; i < nr_zones; i++)
		n += zones[i]->nr_present - zones[i]->nr_free - zones[i]->nr_parked;
	return n;
}

/* ---- large objects ------------------------------------------------------------------ */

Test(contig, large_takes_just_its_pages)
{
	static const unsigned long lengths[] = { 1, 2, 9, 25, 64, 65, 100, 511, 513, 1023,
						 1024, 1025, 2047, 2048, 5000, 20000 };

	fresh_zones(1024 * MIB);
	for (unsigned int i = 0; i < ARRAY_SIZE(lengths); i++) {
		unsigned long n = lengths[i];
		struct page *page = alloc_large(n, 1, GFP_KERNEL);

		cr_assert_not_null(page, "%lu pages", n);
		cr_assert_eq(page->type, PT_LARGE);
		cr_assert_eq(page->nr_pages, n);
		cr_assert_eq(page->requested, n << PAGE_SHIFT);
		cr_assert_eq(pages_out(), n);
		cr_assert_eq(virt_to_head_page(page_address(page)), page);
		if (n > 1) {
			cr_assert_null(virt_to_head_page((char *)page_address(page) + PAGE_SIZE));
			cr_assert_eq(page[n - 1].type, PT_NONE);
		}
		mark_pages(page_address(page), n, n);
		cr_assert_eq(zones_validate(), 0);
		cr_assert(pages_marked(page_address(page), n, n));
		large_put(page, true);
		cr_assert_eq(pages_out(), 0);
	}
	assert_all_free();
}

Test(contig, large_alignment)
{
	fresh_zones(1024 * MIB);
	for (unsigned long align = 1; align <= 16384; align *= 2) {
		static const unsigned long lengths[] = { 1, 25, 1024, 1500 };

		for (unsigned int i = 0; i < ARRAY_SIZE(lengths); i++) {
			struct page *page = alloc_large(lengths[i], align, GFP_KERNEL);

			cr_assert_not_null(page);
			cr_assert_eq((unsigned long)page_address(page) % (align << PAGE_SHIFT), 0);
			cr_assert_eq(pages_out(), lengths[i], "%lu aligned to %lu: %lu taken",
				     lengths[i], align, pages_out());
			large_put(page, true);
		}
	}
	assert_all_free();
}

Test(contig, large_bad_requests)
{
	fresh_zones(8 * MIB);
	host_watch();
	cr_assert_null(alloc_large(0, 1, GFP_KERNEL | __GFP_NOWARN));
	cr_assert_null(alloc_large(1, 0, GFP_KERNEL | __GFP_NOWARN));
	cr_assert_null(alloc_large(1, 3, GFP_KERNEL | __GFP_NOWARN));
	cr_assert_null(alloc_large(~0UL, 1, GFP_KERNEL | __GFP_NOWARN));
	cr_assert_null(alloc_large(~0UL >> PAGE_SHIFT, 1, GFP_KERNEL | __GFP_NOWARN));
	cr_assert_null(alloc_large(1, 1UL << 63, GFP_KERNEL | __GFP_NOWARN));
	cr_assert_eq(host_calls(), 0, "nothing of that needed the system to be refused");
	cr_assert_eq(zones_validate(), 0);
}

/*
 * A TiB was committed, and its page map took 2 GiB; 32 of them had the program killed.
 * What the kernel would not map is refused now, where it stands and when it grows.
 */
Test(contig, more_than_all_memory_is_refused)
{
	unsigned long limit = host_commit_limit() >> PAGE_SHIFT;
	struct page *page = alloc_large(1, 1, GFP_KERNEL);

	if (limit >= 1UL << (45 - PAGE_SHIFT))
		cr_skip_test("no limit: vm.overcommit_memory is 1");
	cr_expect_null(alloc_large(limit + 1, 1, GFP_KERNEL | __GFP_NOWARN));
	cr_expect_null(alloc_large(1UL << (45 - PAGE_SHIFT), 1, GFP_KERNEL | __GFP_NOWARN));
	cr_expect_not(resize_large(page, 1UL << (45 - PAGE_SHIFT), GFP_KERNEL));
	cr_expect_eq(page->nr_pages, 1);
	free_large(page);
	cr_expect_eq(zones_validate(), 0);
}

Test(contig, large_zeroing)
{
	u64 seed = 7;

	fresh_zones(256 * MIB);
	for (unsigned int round = 0; round < 40; round++) {
		unsigned long n = rnd(&seed) % 2000 + 1;
		struct page *page = alloc_large(n, 1, GFP_KERNEL | __GFP_ZERO);

		cr_assert(pages_zero(page_address(page), n), "round %u: %lu pages", round, n);
		memset(page_address(page), 0xa5, n << PAGE_SHIFT);
		free_large(page);
		/* Other lengths, so that dirty and clean pages come mixed. */
		page = alloc_large(rnd(&seed) % 300 + 1, 1, GFP_KERNEL);
		free_large(page);
	}
	assert_all_free();
}

/* What is known to be zero is not written: that would make it resident. */
Test(contig, zeroing_leaves_clean_pages_alone)
{
	struct page *page;

	fresh_zones(64 * MIB);
	page = alloc_large(3000, 1, GFP_KERNEL | __GFP_ZERO);
	cr_assert_eq(resident(page_address(page), 3000), 0);
	memset(page_address(page), 1, 100 << PAGE_SHIFT);
	free_large(page);
	cr_assert_gt(zones_purge(0, ~0UL), 0);
	page = alloc_large(3000, 1, GFP_KERNEL | __GFP_ZERO);
	cr_assert_eq(resident(page_address(page), 3000), 0);
	cr_assert(pages_zero(page_address(page), 3000));
	free_large(page);
}

/* ---- resizing ------------------------------------------------------------------------- */

/* A long run that was freed is zero without each of its pages being written. */
Test(contig, zeroing_a_long_run_takes_no_memory)
{
	static const struct { unsigned long n; gfp_t gfp; bool anew; } turns[] = {
		{ 8192, GFP_KERNEL, true }, { 8191, GFP_KERNEL, false },
		{ 8193, GFP_NOWAIT, false }, { 20000, GFP_KERNEL, true },
	};

	fresh_zones(1024 * MIB);
	for (unsigned int i = 0; i < ARRAY_SIZE(turns); i++) {
		unsigned long n = turns[i].n;
		struct page *page = alloc_large(n, 1, GFP_KERNEL);
		void *addr;

		memset(page_address(page), 1, n << PAGE_SHIFT);
		free_large(page);
		page = alloc_large(n, 1, turns[i].gfp | __GFP_ZERO);
		addr = page_address(page);
		cr_assert_eq(resident(addr, n), turns[i].anew ? 0 : n, "turn %u: %lu", i,
			     resident(addr, n));
		cr_assert(pages_zero(addr, n));
		free_large(page);
		page_alloc_drain();
	}
	/* Where the system refuses, as it does for locked pages, they are written. */
	for (int i = 0; i < 2; i++) {
		struct page *page = alloc_large(9000, 1, GFP_KERNEL | (i ? __GFP_ZERO : 0));
		char *addr = page_address(page);

		cr_assert(i == 0 || pages_zero(addr, 9000));
		memset(addr, 1, 9000UL << PAGE_SHIFT);
		free_large(page);
		host_refuse(HOST_PURGE, 0, -1);
	}
}

static void fill(void *addr, unsigned long pages)
{
	memset(addr, 0xa5, pages << PAGE_SHIFT);
}

/* The first byte that is not zero; -1: none. */
static long content_from(const void *addr, unsigned long first, unsigned long pages)
{
	for (unsigned long i = first; i < pages << PAGE_SHIFT; i++)
		if (((const char *)addr)[i])
			return (long)i;
	return -1;
}

static long content(const void *addr, unsigned long pages)
{
	return content_from(addr, 0, pages);
}

/* init_on_alloc=1: whatever way pages come to the program, after others' use. */
Test(contig, init_on_alloc_reaches_pages)
{
	static const unsigned long lengths[] = { 1, 5, 33, 1500 };
	struct page *page;
	void *addr;

	fresh_zones(1024 * MIB);
	kmem_params.init_on_alloc = true;
	for (unsigned int i = 0; i < 2 * ARRAY_SIZE(lengths); i++) {
		unsigned long n = lengths[i / 2];

		page = alloc_large(n, 1, GFP_KERNEL);
		cr_assert_eq(content(page_address(page), n), -1, "%lu pages", n);
		fill(page_address(page), n);
		free_large(page);
		addr = alloc_pages_exact(n << PAGE_SHIFT, GFP_KERNEL);
		cr_assert_eq(content(addr, n), -1, "exactly %lu pages", n);
		fill(addr, n);
		free_pages_exact(addr, n << PAGE_SHIFT);
	}
	for (unsigned int i = 0; i < 2 * (MAX_PAGE_ORDER + 1); i++) {
		unsigned int order = i / 2;

		page = alloc_pages(GFP_KERNEL, order);
		cr_assert_eq(content(page_address(page), 1UL << order), -1, "order %u", order);
		fill(page_address(page), 1UL << order);
		__free_pages(page, order);
		page = alloc_pages_nolock(0, NUMA_NO_NODE, order);
		if (!page)
			continue;
		cr_assert_eq(content(page_address(page), 1UL << order), -1, "nolock, %u", order);
		fill(page_address(page), 1UL << order);
		free_pages_nolock(page, order);
	}
	page = alloc_large(300, 1, GFP_KERNEL);
	fill(page_address(page), 300);
	cr_assert(resize_large(page, 100, GFP_KERNEL));
	cr_assert(resize_large(page, 200, GFP_KERNEL));
	cr_assert_eq(content((char *)page_address(page) + 100 * PAGE_SIZE, 100), -1, "resized");
	page = regrow_large(page, 400, 1, GFP_KERNEL);
	cr_assert_eq(content((char *)page_address(page) + 200 * PAGE_SIZE, 200), -1, "moved");
}

/* init_on_free=1: what is given back, at once, whatever way. */
Test(contig, init_on_free_reaches_pages)
{
	struct page *page;
	char *addr;

	fresh_zones(1024 * MIB);
	kmem_params.init_on_free = true;
	for (unsigned long n = 1; n < 10000; n = 7 * n + 1) {
		page = alloc_large(n, 1, GFP_KERNEL);
		addr = page_address(page);
		fill(addr, n);
		if (n > 1) {
			cr_assert(resize_large(page, n / 2, GFP_KERNEL));
			cr_assert_eq(content(addr + (n / 2 << PAGE_SHIFT), n - n / 2), -1,
				     "%lu pages, cut", n);
		}
		free_large(page);
		cr_assert_eq(content(addr, n), -1, "%lu pages", n);
		addr = alloc_pages_exact(n << PAGE_SHIFT, GFP_KERNEL);
		fill(addr, n);
		page = virt_to_page(addr + (n / 2 << PAGE_SHIFT));
		get_page(page);
		free_pages_exact(addr, n << PAGE_SHIFT);
		cr_assert_eq(content(addr, n / 2), -1, "exactly %lu pages", n);
		cr_assert_eq(content(page_address(page), 1), 0, "it has an owner");
		cr_assert_eq(content(addr + ((n / 2 + 1) << PAGE_SHIFT), n - n / 2 - 1), -1);
		put_page(page);
		cr_assert_eq(content(addr, n), -1, "%lu pages, the last one", n);
	}
	for (unsigned int order = 0; order <= MAX_PAGE_ORDER; order++) {
		for (unsigned int way = 0; way < 4; way++) {
			page = alloc_pages(GFP_KERNEL | (way & 1 ? __GFP_COMP : 0), order);
			addr = page_address(page);
			fill(addr, 1UL << order);
			if (way == 2)
				get_page(page);
			if (way == 3)
				free_pages_nolock(page, order);
			else
				__free_pages(page, order);
			if (way == 2) {
				cr_assert_eq(content(addr, 1), 0, "it has an owner");
				cr_assert_eq(content(addr + PAGE_SIZE, (1UL << order) - 1), -1);
				put_page(page);
			}
			/* Without a lock: linked by the first word until somebody drains. */
			cr_assert_eq(content_from(addr, way == 3 ? 8 : 0, 1UL << order), -1,
				     "order %u, way %u", order, way);
		}
	}
}

Test(contig, shrink)
{
	struct page *page, *next;

	fresh_zones(64 * MIB);
	page = alloc_large(3000, 1, GFP_KERNEL);
	mark_pages(page_address(page), 3000, 3);
	for (unsigned long n = 2999; n; n = n * 3 / 4) {
		cr_assert(resize_large(page, n, GFP_NOWAIT));
		cr_assert_eq(page->nr_pages, n);
		cr_assert_eq(pages_out(), n);
		cr_assert(pages_marked(page_address(page), n, 3));
		cr_assert_eq(zones_validate(), 0);
	}
	cr_assert_not(resize_large(page, 0, GFP_KERNEL));
	cr_assert_eq(page->nr_pages, 1);
	next = alloc_large(2000, 1, GFP_KERNEL);
	cr_assert_not_null(next);
	free_large(next);
	free_large(page);
	assert_all_free();
}

Test(contig, grow_in_place)
{
	struct page *page, *other;
	char *addr;

	fresh_zones(1024 * MIB);
	page = alloc_large(20, 1, GFP_KERNEL);
	addr = page_address(page);
	memset(addr, 0xff, 20 << PAGE_SHIFT);
	/* Up to its block's end, over further blocks, over the frontier. */
	for (unsigned long n = 21; n < 100000; n += n / 2) {
		unsigned long old = page->nr_pages;

		cr_assert(resize_large(page, n, GFP_KERNEL | __GFP_ZERO), "to %lu pages", n);
		cr_assert_eq(page->nr_pages, n);
		cr_assert_eq(pages_out(), n);
		cr_assert_eq(addr[(old << PAGE_SHIFT) - 1], (char)0xff);
		for (unsigned long i = old; i < n; i++)
			cr_assert_eq(addr[i << PAGE_SHIFT], 0);
		memset(addr + ((n - 1) << PAGE_SHIFT), 0xff, PAGE_SIZE);
		cr_assert_eq(zones_validate(), 0);
	}
	other = alloc_large(1, 1, GFP_KERNEL);
	cr_assert_not(resize_large(page, 1 << 30, GFP_KERNEL), "longer than the zone");
	free_large(other);
	free_large(page);
	assert_all_free();
}

Test(contig, grow_into_a_neighbour_fails)
{
	struct page *page, *next;

	fresh_zones(64 * MIB);
	page = alloc_large(1024, 1, GFP_KERNEL);
	next = alloc_large(65, 1, GFP_KERNEL);
	cr_assert_eq(next, page + 1024);
	mark_pages(page_address(next), 65, 9);
	cr_assert_not(resize_large(page, 1025, GFP_KERNEL));
	cr_assert_eq(page->nr_pages, 1024);
	free_large(next);
	cr_assert(resize_large(page, 1025, GFP_KERNEL));
	next = alloc_large(20, 1, GFP_KERNEL);
	large_put(next, true);
	/* A parked run is no neighbour that stays. */
	cr_assert_eq(next->type, PT_PARKED);
	cr_assert(resize_large(page, 1200, GFP_KERNEL));
	cr_assert_eq(zones_validate(), 0);
	free_large(page);
	assert_all_free();
}

Test(contig, grow_without_system_calls)
{
	struct page *page;

	fresh_zones(64 * MIB);
	page = alloc_large(1024, 1, GFP_KERNEL);
	host_watch();
	cr_assert(resize_large(page, 2048, GFP_NOWAIT), "8 MiB are committed");
	cr_assert_not(resize_large(page, 2049, GFP_NOWAIT));
	cr_assert_eq(host_calls(), 0);
	cr_assert_eq(page->nr_pages, 2048);
	host_refuse(HOST_COMMIT, 0, -1);
	cr_assert_not(resize_large(page, 2049, GFP_KERNEL));
	host_fault = NULL;
	cr_assert(resize_large(page, 2049, GFP_KERNEL));
	cr_assert_eq(zones_validate(), 0);
	free_large(page);
	assert_all_free();
}

/* ---- refusals ---------------------------------------------------------------------------- */

Test(contig, each_refused_call_is_survived)
{
	unsigned long before;

	fresh_zones(8 * MIB);
	free_large(alloc_large(1500, 1, GFP_KERNEL));
	assert_all_free();
	before = pages_out();
	for (long nth = 0; nth < 12; nth++) {
		struct page *page;

		host_refuse(HOST_NR_CALLS, nth, -1);
		page = alloc_large(20000, 1, GFP_KERNEL | __GFP_NOWARN);
		if (page)
			free_large(page);
		host_fault = NULL;
		cr_assert_eq(pages_out(), before);
		cr_assert_eq(zones_validate(), 0);
	}
	assert_all_free();
}

/* ---- the kernel's interface --------------------------------------------------------------- */

Test(contig, exact_is_exact)
{
	fresh_zones(256 * MIB);
	for (size_t size = 1; size < 20 * MIB; size = size * 3 + 1) {
		unsigned long n = PAGE_ALIGN(size) >> PAGE_SHIFT;
		char *p = alloc_pages_exact(size, GFP_KERNEL | __GFP_ZERO);

		cr_assert_not_null(p, "%zu bytes", size);
		cr_assert_eq(pages_out(), n);
		cr_assert(pages_zero(p, n));
		mark_pages(p, n, size);
		cr_assert_eq(page_ref_count(virt_to_page(p + size - 1)), 1);
		cr_assert_eq(zones_validate(), 0);
		free_pages_exact(p, size);
		cr_assert_eq(pages_out(), 0);
	}
	free_pages_exact(NULL, 100);
	cr_assert_null(alloc_pages_exact(0, GFP_KERNEL));
	cr_assert_null(alloc_pages_exact(~0UL, GFP_KERNEL | __GFP_NOWARN));
	cr_assert_null(alloc_pages_exact(1UL << 60, GFP_KERNEL | __GFP_NOWARN));
	assert_all_free();
}

Test(contig, exact_ignores_comp_with_a_warning)
{
	void *p;

	fresh_zones(8 * MIB);
	capture_start();
	p = alloc_pages_exact(10000, GFP_KERNEL | __GFP_COMP);
	cr_assert_not_null(p);
	cr_assert_not_null(strstr(captured, "__GFP_COMP is ignored"), "%s", captured);
	cr_assert_eq(virt_to_page((char *)p + 5000)->type, PT_ALLOC);
	free_pages_exact(p, 10000);
}

Test(contig, contig_pages_are_single_pages)
{
	struct page *page;

	fresh_zones(64 * MIB);
	page = alloc_contig_pages(3000, GFP_KERNEL);
	cr_assert_not_null(page);
	for (unsigned long i = 0; i < 3000; i++) {
		cr_assert_eq(page_ref_count(page + i), 1);
		cr_assert_eq(compound_order(page + i), 0);
	}
	/* Some by themselves, some with a second reference, the rest in two ranges. */
	__free_pages(page + 10, 0);
	put_page(page + 2999);
	get_page(page + 500);
	get_page(page + 501);
	mark_pages(page_address(page + 500), 2, 5);
	free_contig_range(page, 10);
	free_contig_range(page + 11, 2988);
	cr_assert_eq(page_ref_count(page + 500), 1);
	cr_assert(pages_marked(page_address(page + 500), 2, 5));
	page_alloc_drain();
	cr_assert_eq(pages_out(), 2);
	cr_assert_eq(zones_validate(), 0);
	put_page(page + 500);
	put_page(page + 501);
	assert_all_free();
	cr_assert_null(alloc_contig_pages(0, GFP_KERNEL));
	free_contig_range(page, 0);
}

/* ---- misuse ------------------------------------------------------------------------------------ */

static struct page *victim;

static void free_large_twice(void)
{
	free_large(victim);
	free_large(victim);
}

static void free_large_inside(void) { free_large(victim + 1); }
static void free_range_of_large(void) { free_contig_range(victim, 20); }
static void exact_unaligned(void) { free_pages_exact((char *)page_address(victim) + 16, 4096); }
static void exact_elsewhere(void) { free_pages_exact((void *)&victim, 4096); }

static void free_range_twice(void)
{
	struct page *page = alloc_contig_pages(100, GFP_KERNEL);

	free_contig_range(page, 100);
	free_contig_range(page, 100);
}

Test(contig, misuse)
{
	fresh_zones(64 * MIB);
	victim = alloc_large(20, 1, GFP_KERNEL);
	assert_aborts(free_large_twice, "free_large() of a page that is no large object");
	assert_aborts(free_large_inside, "type:none");
	assert_aborts(free_range_of_large, "BUG: Bad page state in process");
	assert_aborts(free_range_of_large, "not of order 0");
	assert_aborts(free_range_twice, "page dumped because: free_contig_range()");
	assert_aborts(exact_unaligned, "is no page of the heap");
	assert_aborts(exact_elsewhere, "is no page of the heap");
}

/* ---- random operations against the model ---------------------------------------------------------- */

struct held {
	struct page *page;
	unsigned long n;
};

static struct held held[200];

static void resize_held(struct held *h, u64 *seed)
{
	unsigned long n = rnd(seed) % (2 * h->n) + 1, old = h->n;
	bool zero = rnd(seed) % 2;
	char *addr = page_address(h->page);

	if (n < old)
		cr_assert(model_move(h->page + n, old - n, false));
	if (!resize_large(h->page, n, GFP_KERNEL | (zero ? __GFP_ZERO : 0))) {
		cr_assert_gt(n, old);
		return;
	}
	h->n = n;
	cr_assert(pages_marked(addr, min(n, old), (unsigned long)h));
	if (n > old) {
		cr_assert(model_move(h->page + old, n - old, true));
		if (zero)
			cr_assert(pages_zero(addr + (old << PAGE_SHIFT), n - old));
		mark_pages(addr, n, (unsigned long)h);
	}
}

static void random_large(u64 seed, unsigned long ops, unsigned long reserve)
{
	fresh_zones(reserve);
	for (unsigned long op = 0; op < ops; op++) {
		struct held *h = &held[rnd(&seed) % ARRAY_SIZE(held)];
		bool zero = rnd(&seed) % 4 == 0;

		if (!h->page) {
			h->n = rnd(&seed) % (rnd(&seed) % 10 ? 80 : 1500) + 1;
			h->page = alloc_large(h->n, 1UL << (rnd(&seed) % 8 ? 0 : rnd(&seed) % 11),
					      GFP_KERNEL | (zero ? __GFP_ZERO : 0));
			cr_assert_not_null(h->page);
			cr_assert(model_move(h->page, h->n, true), "op %lu: pages twice", op);
			if (zero)
				cr_assert(pages_zero(page_address(h->page), h->n));
			mark_pages(page_address(h->page), h->n, (unsigned long)h);
		} else if (rnd(&seed) % 3 == 0) {
			resize_held(h, &seed);
		} else {
			cr_assert(pages_marked(page_address(h->page), h->n, (unsigned long)h),
				  "op %lu: content", op);
			cr_assert(model_move(h->page, h->n, false), "op %lu", op);
			free_large(h->page);
			h->page = NULL;
		}
		if (op % 512 == 0)
			zones_purge(op % 1024 ? 0 : 1, 500);
		if (op % 2003 == 0)
			cr_assert_eq(zones_validate(), 0, "op %lu", op);
	}
	for (unsigned int i = 0; i < ARRAY_SIZE(held); i++)
		if (held[i].page)
			free_large(held[i].page);
	assert_all_free();
}

Test(contig, random_one_zone) { random_large(0x9e3779b97f4a7c15, 20000, 1024 * MIB); }
Test(contig, random_many_zones) { random_large(0x2545f4914f6cdd1d, 20000, 16 * MIB); }
