// SPDX-License-Identifier: MIT
/*
 * What is behind an address, is all of it whole: slab_query.c.
 */
#include "slab_test.h"

#include <stdio.h>

#include <kmem/vmalloc.h>

TestSuite(slab_query, .timeout = 60);

Test(slab_query, kmem_valid_obj_of_any_address)
{
	struct kmem_cache *s = kmem_cache_create("query", 72, NULL, SLAB_NO_MERGE);
	char *p = kmem_cache_alloc(s, GFP_KERNEL), *k = kmalloc(100, GFP_KERNEL);
	char *large = kmalloc(100000, GFP_KERNEL), *v = vmalloc(100);
	struct page *page = alloc_page(GFP_KERNEL);
	int local;

	cr_expect(kmem_valid_obj(p) && kmem_valid_obj(p + 71) && kmem_valid_obj(k));
	cr_expect(!kmem_valid_obj(large) && !kmem_valid_obj(v) && !kmem_valid_obj(page_address(page)));
	cr_expect(!kmem_valid_obj(NULL) && !kmem_valid_obj(ZERO_SIZE_PTR) && !kmem_valid_obj(&local));
	cr_expect(!kmem_valid_obj((void *)-1L) && !kmem_valid_obj(&sink_text));
	kmem_cache_free(s, p);
	kfree(k);
	kfree(large);
	vfree(v);
	__free_page(page);
	kmem_cache_destroy(s);
}

/* 4096 is no multiple of 72: the rest of a slab is in no object. */
Test(slab_query, behind_the_last_object_there_is_none)
{
	struct kmem_cache *s = kmem_cache_create("rest", 72, NULL, SLAB_NO_MERGE);
	char *p = kmem_cache_alloc(s, GFP_KERNEL), *base = slab_address(virt_to_head_page(p));
	size_t end = (size_t)s->objects * s->size;

	cr_assert(end < PAGE_SIZE << s->order);
	cr_expect(kmem_valid_obj(base + end - 1));
	cr_expect(!kmem_valid_obj(base + end));
	kmem_cache_free(s, p);
	kmem_cache_destroy(s);
}

Test(slab_query, kmem_dump_obj_says_where)
{
	struct kmem_cache *s = kmem_cache_create("dumped", 72, NULL, SLAB_NO_MERGE);
	char *p = kmem_cache_alloc(s, GFP_KERNEL), want[200];
	int local;

	sink_catch();
	cr_expect(!kmem_dump_obj(&local) && !kmem_dump_obj(NULL));
	cr_expect_str_eq(sink_text, "");
	cr_expect(kmem_dump_obj(p + 5));
	snprintf(want, sizeof(want), "kmem: slab dumped start %p pointer offset 5 size 72\n", (void *)p);
	cr_expect_str_eq(sink_text, want);
	kmem_cache_free(s, p);
	kmem_cache_destroy(s);
}

Test(slab_query, validate_slab_caches_counts_all_errors)
{
	struct kmem_cache *a = kmem_cache_create("va", 72, NULL, SLAB_NO_MERGE);
	struct kmem_cache *b = kmem_cache_create("vb", 72, NULL, SLAB_NO_MERGE);
	void *p = kmem_cache_alloc(a, GFP_KERNEL), *q = kmem_cache_alloc(b, GFP_KERNEL);
	long one;

	cr_expect(validate_slab_caches() == 0);
	sink_catch();
	a->node.nr_slabs += 1;
	one = validate_slab_caches();
	cr_expect(one > 0 && sink_has("validate va: slabs"));
	cr_expect(validate_slab_cache(a) == one, "the other caches have none");
	b->node.nr_slabs += 1;
	cr_expect(validate_slab_caches() == one + validate_slab_cache(b));
	a->node.nr_slabs -= 1;
	b->node.nr_slabs -= 1;
	cr_expect(validate_slab_caches() == 0);
	kmem_cache_free(a, p);
	kmem_cache_free(b, q);
	kmem_cache_destroy(a);
	kmem_cache_destroy(b);
}
