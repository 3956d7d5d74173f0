// SPDX-License-Identifier: MIT
/*
 * Allocation by type: <kmem/kmalloc_obj.h>; and that each name ending in _noprof is usable
 * beside the plain one.
 */
#include "slab_test.h"

#include <kmem/folio.h>
#include <kmem/string.h>
#include <kmem/vmalloc.h>

TestSuite(kmalloc_obj, .timeout = 60);

struct thing {
	long a[9];
};

struct row {
	unsigned int n;
	struct thing items[];
};

/* An object of another size: of the kind that a wrong type would not fit. */
#define SAME_TYPE(p, t)	__builtin_types_compatible_p(__typeof__(p), t)

Test(kmalloc_obj, one_object_by_type_and_by_expression)
{
	struct thing *p = kmalloc_obj(struct thing), *q = kzalloc_obj(*q, GFP_NOWAIT);
	struct thing *v = kvmalloc_obj(*v), *w = kvzalloc_obj(struct thing, GFP_KERNEL);

	BUILD_BUG_ON(!SAME_TYPE(kmalloc_obj(*p), struct thing *));
	BUILD_BUG_ON(!SAME_TYPE(kmalloc_obj(int, GFP_ATOMIC), int *));
	cr_assert(p && q && v && w);
	cr_expect(ksize(p) == kmalloc_size_roundup(sizeof(*p)));
	cr_expect(ksize(v) == kmalloc_size_roundup(sizeof(*v)));
	cr_expect(all_bytes(q, sizeof(*q), 0) && all_bytes(w, sizeof(*w), 0));
	kfree(p);
	kfree(q);
	kvfree(v);
	kvfree(w);
}

Test(kmalloc_obj, zeroing_forms_zero_dirty_memory)
{
	for (int i = 0; i < 3; i++) {
		struct thing *p = kzalloc_objs(*p, 5);
		struct row *r = kzalloc_flex(*r, items, 3, GFP_KERNEL);
		struct row *v = kvzalloc_flex(struct row, items, 3);
		struct thing *w = kvzalloc_objs(*w, 5, GFP_KERNEL);

		cr_assert(p && r && v && w);
		cr_expect(all_bytes(p, 5 * sizeof(*p), 0) && all_bytes(w, 5 * sizeof(*w), 0));
		cr_expect(all_bytes(r, sizeof(*r) + 3 * sizeof(r->items[0]), 0));
		cr_expect(all_bytes(v, sizeof(*v) + 3 * sizeof(v->items[0]), 0));
		memset(p, 0xff, ksize(p));
		memset(r, 0xff, ksize(r));
		memset(v, 0xff, ksize(v));
		memset(w, 0xff, ksize(w));
		kfree(p);
		kfree(r);
		kvfree(v);
		kvfree(w);
	}
}

Test(kmalloc_obj, arrays_and_flexible_members_have_their_size)
{
	for (size_t n = 0; n < 600; n = n * 2 + 1) {
		struct thing *p = kmalloc_objs(*p, n), *v = kvmalloc_objs(struct thing, n, GFP_KERNEL);
		struct row *r = kmalloc_flex(*r, items, n), *w = kvmalloc_flex(*w, items, n);

		cr_expect(ksize(p) == kmalloc_size_roundup(n * sizeof(*p)));
		cr_expect(ksize(v) == kmalloc_size_roundup(n * sizeof(*p)));
		cr_expect(ksize(r) == kmalloc_size_roundup(sizeof(*r) + n * sizeof(*p)));
		cr_expect(ksize(w) == ksize(r));
		kfree(p);
		kfree(r);
		kvfree(v);
		kvfree(w);
	}
}

Test(kmalloc_obj, overflow_gives_null)
{
	volatile size_t n = SIZE_MAX / sizeof(struct thing) + 2, all = SIZE_MAX / sizeof(struct thing);

	printk_sink = sink_drop;
	cr_expect_null(kmalloc_objs(struct thing, n));
	cr_expect_null(kzalloc_objs(struct thing, n, GFP_NOWAIT));
	cr_expect_null(kvmalloc_objs(struct thing, n));
	cr_expect_null(kvzalloc_objs(struct thing, n));
	cr_expect_null(kmalloc_flex(struct row, items, n));
	/* The array just fits, with the head it does not. */
	cr_expect_null(kmalloc_flex(struct row, items, all));
	cr_expect_null(kvzalloc_flex(struct row, items, n));
}

Test(kmalloc_obj, noprof_names_are_usable)
{
	struct kmem_cache *s = kmem_cache_create("noprof", 40, NULL, 0);
	void *(*by_pointer)(size_t, gfp_t) = kmalloc_noprof;
	void *p[] = {
		by_pointer(10, GFP_KERNEL), kzalloc_noprof(10, GFP_KERNEL),
		kmalloc_array_noprof(2, 5, GFP_KERNEL), kcalloc_noprof(2, 5, GFP_KERNEL),
		kmalloc_node_noprof(10, GFP_KERNEL, 0), kzalloc_node_noprof(10, GFP_KERNEL, 0),
		kmalloc_array_node_noprof(2, 5, GFP_KERNEL, 0), kcalloc_node_noprof(2, 5, GFP_KERNEL, 0),
		kmalloc_track_caller(10, GFP_KERNEL), kmalloc_node_track_caller(10, GFP_KERNEL, 0),
		krealloc_noprof(NULL, 10, GFP_KERNEL), krealloc_array_noprof(NULL, 2, 5, GFP_KERNEL),
		kmemdup_noprof("x", 2, GFP_KERNEL), kstrdup_noprof("x", GFP_KERNEL),
		kstrndup_noprof("x", 1, GFP_KERNEL), kasprintf_noprof(GFP_KERNEL, "%d", 1),
		kmem_cache_alloc_noprof(s, GFP_KERNEL), kmem_cache_zalloc_noprof(s, GFP_KERNEL),
		kmem_cache_alloc_node_noprof(s, GFP_KERNEL, NUMA_NO_NODE),
		kmem_cache_alloc_lru_noprof(s, NULL, GFP_KERNEL),
		kvmalloc_noprof(10, GFP_KERNEL), kvzalloc_noprof(10, GFP_KERNEL),
		kvmalloc_node_noprof(10, GFP_KERNEL, 0), kvzalloc_node_noprof(10, GFP_KERNEL, 0),
		kvmalloc_array_noprof(2, 5, GFP_KERNEL), kvcalloc_noprof(2, 5, GFP_KERNEL),
		kvrealloc_noprof(NULL, 10, GFP_KERNEL),
		vmalloc_noprof(10), vzalloc_noprof(10), __vmalloc_noprof(10, GFP_KERNEL),
		vmalloc_node_noprof(10, 0), vzalloc_node_noprof(10, 0),
		vmalloc_huge_noprof(10, GFP_KERNEL), vmalloc_array_noprof(2, 5), vcalloc_noprof(2, 5),
		vrealloc_noprof(NULL, 10, GFP_KERNEL),
	};
	unsigned long page[] = { get_free_pages_noprof(GFP_KERNEL, 0), get_zeroed_page_noprof(GFP_KERNEL) };

	for (unsigned int i = 0; i < ARRAY_SIZE(p); i++) {
		cr_expect_not_null(p[i], "number %u", i);
		kvfree(p[i]);
	}
	cr_expect(page[0] && page[1]);
	free_page(page[0]);
	free_page(page[1]);
	__free_page(alloc_page_noprof(GFP_KERNEL));
	__free_page(alloc_pages_noprof(GFP_KERNEL, 0));
	__free_page(alloc_pages_node_noprof(0, GFP_KERNEL, 0));
	folio_put(folio_alloc_noprof(GFP_KERNEL, 1));
	cr_expect(cache_live(s) == 0);
	kmem_cache_destroy(s);
}
