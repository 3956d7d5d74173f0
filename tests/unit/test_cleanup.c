// SPDX-License-Identifier: MIT
/*
 * Freeing at the end of a scope: <kmem/cleanup.h> and the definitions that come with it.
 */
#include "slab_test.h"

#include <kmem/page_alloc.h>
#include <kmem/vmalloc.h>

TestSuite(cleanup, .timeout = 60);

static struct kmem_cache *cache;

DEFINE_FREE(object, void *, if (_T) kmem_cache_free(cache, _T))

static void *hand_on(void)
{
	void *p __free(object) = kmem_cache_alloc(cache, GFP_KERNEL);

	return_ptr(p);
}

static int leave_early(int when)
{
	long *p __free(object) = kmem_cache_alloc(cache, GFP_KERNEL);

	if (when == 0)
		return 1;
	{
		long *q __free(object) = kmem_cache_alloc(cache, GFP_KERNEL);

		if (q == p || cache_live(cache) != 2)
			return -1;
	}
	return cache_live(cache) == 1 ? 2 : -1;
}

Test(cleanup, every_way_out_frees)
{
	cache = kmem_cache_create("cleanup", 64, NULL, SLAB_NO_MERGE);
	cr_expect(leave_early(0) == 1);
	cr_expect(cache_live(cache) == 0);
	cr_expect(leave_early(1) == 2);
	cr_expect(cache_live(cache) == 0);
	kmem_cache_destroy(cache);
}

Test(cleanup, no_free_ptr_keeps_it)
{
	void *p;

	cache = kmem_cache_create("cleanup", 64, NULL, SLAB_NO_MERGE);
	p = hand_on();
	cr_assert_not_null(p);
	cr_expect(cache_live(cache) == 1);
	kmem_cache_free(cache, p);
	cr_expect(cache_live(cache) == 0);
	kmem_cache_destroy(cache);
}

/* The block comes back first when it was freed; NULL and error pointers are nobody's. */
Test(cleanup, definitions_for_the_kernel_functions)
{
	void *was;

	{
		char *p __free(kfree) = kmalloc(700, GFP_KERNEL);
		char *none __free(kfree) = NULL;
		char *error __free(kfree) = (char *)-12L;
		char *zero __free(kfree) = kmalloc(0, GFP_KERNEL);

		was = p;
		cr_assert(p && !none && error && zero == ZERO_SIZE_PTR);
	}
	cr_expect(kmalloc(700, GFP_KERNEL) == was);
	{
		unsigned char *p __free(kfree_sensitive) = was;

		memset(p, 0x55, 700);
	}
	was = kmalloc(700, GFP_KERNEL);
	cr_expect(all_bytes(was, 700, 0), "kfree_sensitive forgets");
	{
		int *p __free(kvfree) = was;

		p[0] = 1;
	}
	cr_expect(kmalloc(700, GFP_KERNEL) == was);
	{
		void *p __free(vfree) = vmalloc(10000);

		was = p;
		cr_expect(is_vmalloc_addr(p));
	}
	cr_expect(!is_vmalloc_addr(was));
	{
		char *p __free(free_page) = (char *)__get_free_page(GFP_KERNEL);

		was = p;
		cr_assert_not_null(p);
	}
	cr_expect(__get_free_page(GFP_KERNEL) == (unsigned long)was);
}
