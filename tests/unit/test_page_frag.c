// SPDX-License-Identifier: MIT
/*
 * Pieces of pages: page_frag.c.
 */
#include "slab_test.h"

#include <kmem/page_frag.h>

TestSuite(page_frag, .timeout = 60);

#define BLOCK	PAGE_FRAG_CACHE_MAX_SIZE

Test(page_frag, pieces_do_not_overlap)
{
	static struct { unsigned char *p; unsigned int size; } pieces[2000];
	struct page_frag_cache nc;
	u64 seed = 88172645463325252u;

	page_frag_cache_init(&nc);
	for (unsigned int i = 0; i < ARRAY_SIZE(pieces); i++) {
		pieces[i].size = (unsigned int)(rnd(&seed) % 3000);
		pieces[i].p = page_frag_alloc(&nc, pieces[i].size, GFP_KERNEL);
		cr_assert_not_null(pieces[i].p);
		fill(pieces[i].p, pieces[i].size, (unsigned char)i);
	}
	page_frag_cache_drain(&nc);
	for (unsigned int i = 0; i < ARRAY_SIZE(pieces); i++) {
		cr_expect(filled(pieces[i].p, pieces[i].size, (unsigned char)i), "piece %u", i);
		page_frag_free(pieces[i].p);
	}
	cr_expect(zones_validate() == 0);
}

Test(page_frag, the_last_one_frees_the_block)
{
	struct page_frag_cache nc = { 0 };
	char *p = page_frag_alloc(&nc, 100, GFP_KERNEL), *q = page_frag_alloc(&nc, 100, GFP_KERNEL);
	struct page *page = virt_to_head_page(p);

	cr_expect(virt_to_head_page(q) == page);
	cr_expect(page_ref_count(page) == (int)nc.bias + 2, "refcount = bias + pieces in use");
	page_frag_cache_drain(&nc);
	cr_expect(page_ref_count(page) == 2);
	page_frag_free(p + 99);
	cr_expect(page_ref_count(page) == 1);
	page_frag_free(q);
	cr_expect(page->type != PT_COMP, "the block is free");
	page_frag_cache_drain(&nc);
	page_frag_free(NULL);
}

Test(page_frag, a_block_that_is_all_back_starts_again)
{
	struct page_frag_cache nc = { 0 };
	void *first = NULL;

	for (int i = 0; i < 1000; i++) {
		void *p = page_frag_alloc(&nc, 10000, GFP_KERNEL);

		cr_assert_not_null(p);
		if (i % 3 == 0) {
			cr_expect(!first || p == first, "round %d", i);
			first = p;
		}
		page_frag_free(p);
	}
	page_frag_cache_drain(&nc);
}

Test(page_frag, alignment)
{
	struct page_frag_cache nc = { 0 };
	u64 seed = 1;

	for (unsigned int align = 1; align <= BLOCK; align *= 2) {
		for (int i = 0; i < 20; i++) {
			void *odd = page_frag_alloc(&nc, (unsigned int)(rnd(&seed) % 100), GFP_KERNEL);
			void *p = page_frag_alloc_align(&nc, 10, GFP_KERNEL, align);

			cr_assert(odd && p);
			cr_expect((unsigned long)p % align == 0, "%u", align);
			page_frag_free(odd);
			page_frag_free(p);
		}
	}
	sink_catch();
	cr_expect_null(page_frag_alloc_align(&nc, 10, GFP_KERNEL, 24));
	cr_expect_null(page_frag_alloc_align(&nc, 10, GFP_KERNEL, 0));
	cr_expect(sink_count("bad alignment") == 1, "once");
	page_frag_cache_drain(&nc);
}

Test(page_frag, size_limits)
{
	struct page_frag_cache nc = { 0 };
	void *p = page_frag_alloc(&nc, BLOCK, GFP_KERNEL);
	void *a = page_frag_alloc(&nc, 0, GFP_KERNEL), *b = page_frag_alloc(&nc, 0, GFP_KERNEL);

	cr_expect(p && a && b && a != b);
	cr_expect_null(page_frag_alloc(&nc, BLOCK + 1, GFP_KERNEL));
	cr_expect_null(page_frag_alloc(&nc, ~0u, GFP_KERNEL));
	memset(p, 1, BLOCK);
	page_frag_free(p);
	page_frag_free(a);
	page_frag_free(b);
	page_frag_cache_drain(&nc);
}

/* More pieces of one byte than a block has references would be a disaster. */
Test(page_frag, as_many_pieces_as_bytes)
{
	static void *pieces[BLOCK + 10];
	struct page_frag_cache nc = { 0 };

	for (unsigned int i = 0; i < ARRAY_SIZE(pieces); i++) {
		pieces[i] = page_frag_alloc(&nc, 1, GFP_KERNEL);
		cr_assert_not_null(pieces[i]);
	}
	for (unsigned int i = 0; i < ARRAY_SIZE(pieces); i++)
		page_frag_free(pieces[i]);
	page_frag_cache_drain(&nc);
	cr_expect(zones_validate() == 0);
}

Test(page_frag, zeroed_when_asked)
{
	struct page_frag_cache nc = { 0 };

	for (int i = 0; i < 50; i++) {
		void *p = page_frag_alloc(&nc, 5000, GFP_KERNEL | __GFP_ZERO);

		cr_assert_not_null(p);
		cr_expect(all_bytes(p, 5000, 0));
		memset(p, 0xff, 5000);
		page_frag_free(p);
	}
	page_frag_cache_drain(&nc);
}

/* When only single pages are to be had, pieces up to a page are. */
Test(page_frag, a_page_serves_when_memory_is_short)
{
	struct page_frag_cache nc = { 0 };
	struct page *page, *keep[256];
	unsigned int singles = 0;
	void *p;

	printk_sink = sink_drop;
	for (unsigned int i = 0; i < ARRAY_SIZE(keep); i++)
		keep[i] = alloc_page(GFP_KERNEL);
	fault_every_call(true);
	while (alloc_pages(GFP_KERNEL | __GFP_NOWARN, PAGE_FRAG_CACHE_MAX_ORDER))
		;
	while (alloc_pages(GFP_KERNEL | __GFP_NOWARN, 0))
		;
	/* No two of these make a larger block, their neighbours are in use. */
	for (unsigned int i = 0; i < ARRAY_SIZE(keep); i++) {
		if (keep[i] && page_zpn(page_zone(keep[i]), keep[i]) % 2 == 0) {
			__free_page(keep[i]);
			singles++;
		}
	}
	cr_assert(singles > 2);
	cr_expect_null(page_frag_alloc(&nc, PAGE_SIZE + 1, GFP_KERNEL), "no room for it");
	p = page_frag_alloc(&nc, PAGE_SIZE, GFP_KERNEL);
	cr_assert_not_null(p);
	page = virt_to_head_page(p);
	cr_expect(nc.size == PAGE_SIZE && page->type == PT_ALLOC);
	page_frag_free(p);
	fault_every_call(false);
	p = page_frag_alloc(&nc, BLOCK, GFP_KERNEL);
	cr_expect_not_null(p, "the cache does not stay small");
	page_frag_free(p);
	page_frag_cache_drain(&nc);
}

static void *free_them(void *arg)
{
	void **pieces = arg;

	for (int i = 0; i < 4000; i++) {
		void *p;

		while (!(p = __atomic_exchange_n(&pieces[i], NULL, __ATOMIC_ACQUIRE)))
			sched_yield();
		page_frag_free(p);
	}
	return NULL;
}

Test(page_frag, another_thread_frees)
{
	static void *pieces[4000];
	struct page_frag_cache nc = { 0 };
	pthread_t thread;

	cr_assert(pthread_create(&thread, NULL, free_them, pieces) == 0);
	for (int i = 0; i < 4000; i++) {
		char *p = page_frag_alloc(&nc, 700, GFP_KERNEL);

		cr_assert_not_null(p);
		p[0] = p[699] = 1;
		__atomic_store_n(&pieces[i], p, __ATOMIC_RELEASE);
	}
	pthread_join(thread, NULL);
	page_frag_cache_drain(&nc);
	cr_expect(zones_validate() == 0);
}

Test(page_frag, free_of_foreign_memory, .signal = SIGABRT)
{
	int local;

	printk_sink = sink_drop;
	page_frag_free(&local);
}
