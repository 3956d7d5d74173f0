// SPDX-License-Identifier: MIT
/*
 * Calls that name a NUMA node: nodes.c; folios on the way (<kmem/folio.h>).
 */
#include "slab_test.h"

#include <kmem/folio.h>

TestSuite(nodes, .timeout = 60);

#define NO_SUCH_NODE	37

Test(nodes, a_node_is_a_preference)
{
	static const int nids[] = { NUMA_NO_NODE, 0, NO_SUCH_NODE };
	struct kmem_cache *s = kmem_cache_create("nodes", 40, NULL, SLAB_NO_MERGE);

	for (unsigned int i = 0; i < ARRAY_SIZE(nids); i++) {
		struct page *page = alloc_pages_node(nids[i], GFP_KERNEL, 2);
		void *exact = alloc_pages_exact_nid(nids[i], 3 * PAGE_SIZE, GFP_KERNEL);
		void *object = kmem_cache_alloc_node(s, GFP_KERNEL | __GFP_ZERO, nids[i]);
		void *p = kmalloc_node(1000, GFP_KERNEL, nids[i]);
		char *z = kzalloc_node(1000, GFP_KERNEL, nids[i]);

		cr_assert(page && exact && object && p && z);
		cr_expect(all_bytes(object, 40, 0) && all_bytes(z, 1000, 0));
		cr_expect(page_to_nid(page) == 0);
		memset(z, 1, 1000);
		memset(object, 1, 40);
		__free_pages(page, 2);
		free_pages_exact(exact, 3 * PAGE_SIZE);
		kmem_cache_free(s, object);
		kfree(p);
		kfree(z);
	}
	kmem_cache_destroy(s);
}

Test(nodes, thisnode_is_that_node_or_nothing)
{
	struct kmem_cache *s = kmem_cache_create("nodes", 40, NULL, SLAB_NO_MERGE);
	gfp_t gfp = GFP_KERNEL | __GFP_THISNODE;
	void *p = kmalloc_node(100, gfp, 0), *q = kmem_cache_alloc_node(s, gfp, NUMA_NO_NODE);
	struct page *page = alloc_pages_node(0, gfp, 0);

	cr_expect(p && q && page);
	kfree(p);
	kmem_cache_free(s, q);
	__free_page(page);
	cr_expect_null(kmalloc_node(100, gfp, NO_SUCH_NODE));
	cr_expect_null(kzalloc_node(100, gfp, NO_SUCH_NODE));
	cr_expect_null(kcalloc_node(10, 10, gfp, NO_SUCH_NODE));
	cr_expect_null(kmem_cache_alloc_node(s, gfp, NO_SUCH_NODE));
	cr_expect_null(alloc_pages_node(NO_SUCH_NODE, gfp, 0));
	cr_expect_null(alloc_pages_exact_nid(NO_SUCH_NODE, 100, gfp));
	cr_expect(cache_live(s) == 0);
	kmem_cache_destroy(s);
}

Test(nodes, array_size_overflow_gives_null)
{
	volatile size_t n = SIZE_MAX / 2 + 2;

	cr_expect_null(kmalloc_array_node(n, 2, GFP_KERNEL, 0));
	cr_expect_null(kcalloc_node(2, n, GFP_KERNEL, NUMA_NO_NODE));
	cr_expect(kcalloc_node(0, 8, GFP_KERNEL, 0) == ZERO_SIZE_PTR);
}

Test(nodes, order_too_large_gives_null)
{
	printk_sink = sink_drop;
	cr_expect_null(alloc_pages_node(0, GFP_KERNEL, MAX_PAGE_ORDER + 1));
	cr_expect_null(folio_alloc(GFP_KERNEL, MAX_PAGE_ORDER + 1));
}

Test(nodes, a_folio_is_one_block)
{
	for (unsigned int order = 0; order <= MAX_PAGE_ORDER; order += 2) {
		struct folio *folio = folio_alloc(GFP_KERNEL | __GFP_ZERO, order);
		char *p;

		cr_assert_not_null(folio);
		p = folio_address(folio);
		cr_expect(folio_order(folio) == order && folio_nr_pages(folio) == 1UL << order);
		cr_expect(folio_size(folio) == PAGE_SIZE << order && folio_nid(folio) == 0);
		cr_expect(all_bytes(p, folio_size(folio), 0));
		cr_expect(virt_to_folio(p + folio_size(folio) - 1) == folio);
		cr_expect(page_folio(folio_page(folio, folio_nr_pages(folio) - 1)) == folio);
		memset(p, 1, folio_size(folio));
		folio_get(folio);
		cr_expect(folio_ref_count(folio) == 2);
		folio_put(folio);
		cr_expect(folio_ref_count(folio) == 1);
		folio_put(folio);
	}
	cr_expect(zones_validate() == 0);
}
