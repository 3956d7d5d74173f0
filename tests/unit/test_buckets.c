// SPDX-License-Identifier: MIT
/*
 * kmem_buckets: buckets.c.
 */
#include "slab_test.h"

#include <kmem/vmalloc.h>

TestSuite(buckets, .timeout = 60);

Test(buckets, sizes_and_alignment_are_those_of_kmalloc)
{
	kmem_buckets *b = kmem_buckets_create("own", 0, 0, 0, NULL);

	cr_assert_not_null(b);
	for (size_t size = 1; size < 200000; size += size / 7 + 1) {
		void *p = kmem_buckets_alloc(b, size, GFP_KERNEL);
		size_t divisor = size & -size;

		cr_assert_not_null(p);
		cr_expect(ksize(p) == kmalloc_size_roundup(size), "%zu", size);
		cr_expect((unsigned long)p % 8 == 0);
		if (divisor == size && size <= PAGE_SIZE)
			cr_expect((unsigned long)p % size == 0, "%zu", size);
		memset(p, 0xff, size);
		kfree(p);
		p = kmem_buckets_alloc(b, size, GFP_KERNEL | __GFP_ZERO);
		cr_expect(all_bytes(p, size, 0));
		kfree(p);
	}
	cr_expect(kmem_buckets_alloc(b, 0, GFP_KERNEL) == ZERO_SIZE_PTR);
}

Test(buckets, no_slab_is_shared)
{
	kmem_buckets *a = kmem_buckets_create("a", 0, 0, 0, NULL);
	kmem_buckets *b = kmem_buckets_create("b", 0, 0, 0, NULL);

	cr_assert(a && b);
	for (size_t size = 1; size <= KMALLOC_MAX_CACHE_SIZE; size = size * 3 + 1) {
		void *p = kmem_buckets_alloc(a, size, GFP_KERNEL);
		void *q = kmem_buckets_alloc(b, size, GFP_KERNEL), *k = kmalloc(size, GFP_KERNEL);

		cr_expect(virt_to_head_page(p) != virt_to_head_page(q));
		cr_expect(virt_to_head_page(p) != virt_to_head_page(k));
		cr_expect(!strncmp(kmem_cache_name(virt_to_cache(p)), "a-", 2));
		kfree(p);
		kvfree(q);
		kfree(k);
		cr_expect(cache_live(virt_to_cache(p)) == 0);
	}
}

static void construct(void *p)
{
	*(long *)p = 4711;
}

Test(buckets, constructor_and_user_region)
{
	kmem_buckets *b = kmem_buckets_create("ctor", 0, 8, 100, construct);
	long *p = kmem_buckets_valloc(b, 100, GFP_KERNEL), *q = kmem_buckets_alloc(b, 16, GFP_KERNEL);

	cr_assert(p && q);
	cr_expect(*p == 4711 && *q == 4711);
	cr_expect(virt_to_cache(p)->useroffset == 8 && virt_to_cache(p)->usersize == 100);
	cr_expect(virt_to_cache(q)->useroffset == 8 && virt_to_cache(q)->usersize == 8);
	kfree(p);
	kfree(q);
}

Test(buckets, bad_arguments_give_null)
{
	printk_sink = sink_drop;
	cr_expect_null(kmem_buckets_create(NULL, 0, 0, 0, NULL));
	cr_expect_null(kmem_buckets_create("", 0, 0, 0, NULL));
	cr_expect_null(kmem_buckets_create("flags", (slab_flags_t)1, 0, 0, NULL));
	cr_expect(validate_slab_caches() == 0);
}

Test(buckets, without_a_set_it_is_kmalloc)
{
	void *p = kmem_buckets_alloc(NULL, 100, GFP_KERNEL);

	cr_expect(virt_to_cache(p)->flags & SLAB_KMALLOC);
	kfree(p);
}
