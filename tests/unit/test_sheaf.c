// SPDX-License-Identifier: MIT
/*
 * A caller's own stock of objects: sheaf.c.
 */
#include "slab_test.h"

#include <errno.h>

#include "capture.h"

TestSuite(sheaf, .timeout = 60);

static struct kmem_cache *cache(const char *name, void (*ctor)(void *))
{
	struct kmem_cache_args args = { .ctor = ctor, .sheaf_capacity = 32 };
	struct kmem_cache *s = kmem_cache_create(name, 96, &args, SLAB_NO_MERGE);

	cr_assert(s);
	return s;
}

/* As many as were asked for cannot fail, whatever the system says; then it is NULL. */
Test(sheaf, guaranteed)
{
	struct kmem_cache *s = cache("sheaf", NULL);

	for (unsigned int n = 1; n < 3000; n = n * 3 + 1) {
		struct slab_sheaf *sheaf = kmem_cache_prefill_sheaf(s, GFP_KERNEL, n);
		void **p = malloc(n * sizeof(*p));

		cr_assert(sheaf && p);
		cr_expect(kmem_cache_sheaf_size(sheaf) >= n);
		fault_every_call(true);
		for (unsigned int i = 0; i < n; i++) {
			p[i] = kmem_cache_alloc_from_sheaf(s, GFP_NOWAIT, sheaf);
			cr_assert(p[i]);
			fill(p[i], 96, (unsigned char)i);
		}
		while (kmem_cache_sheaf_size(sheaf))
			kmem_cache_free(s, kmem_cache_alloc_from_sheaf(s, GFP_NOWAIT, sheaf));
		cr_expect(!kmem_cache_alloc_from_sheaf(s, GFP_KERNEL, sheaf));
		fault_every_call(false);
		for (unsigned int i = 0; i < n; i++) {
			cr_assert(filled(p[i], 96, (unsigned char)i), "shared objects");
			kmem_cache_free(s, p[i]);
		}
		kmem_cache_return_sheaf(s, GFP_KERNEL, sheaf);
		free(p);
	}
	cr_expect(cache_live(s) == 0);
	kmem_cache_destroy(s);
}

Test(sheaf, what_is_left_goes_back)
{
	struct kmem_cache *s = cache("sheaf", NULL);
	struct slab_sheaf *sheaf = kmem_cache_prefill_sheaf(s, GFP_KERNEL, 10);
	void *p;

	cr_assert(sheaf);
	cr_expect(cache_live(s) >= 10);
	p = kmem_cache_alloc_from_sheaf(s, GFP_KERNEL, sheaf);
	kmem_cache_return_sheaf(s, GFP_KERNEL, sheaf);
	cr_expect(cache_live(s) == 1);
	kmem_cache_free(s, p);
	kmem_cache_return_sheaf(s, GFP_KERNEL, NULL);
	cr_expect(kmem_cache_shrink(s) == 0);
	kmem_cache_destroy(s);
}

Test(sheaf, refill_fills_up_and_grows)
{
	struct kmem_cache *s = cache("sheaf", NULL);
	struct slab_sheaf *sheaf = kmem_cache_prefill_sheaf(s, GFP_KERNEL, 4), *first = sheaf;
	void *a, *b;

	cr_assert(sheaf);
	a = kmem_cache_alloc_from_sheaf(s, GFP_KERNEL, sheaf);
	cr_expect(kmem_cache_refill_sheaf(s, GFP_KERNEL, &sheaf, 4) == 0);
	cr_expect(sheaf == first && kmem_cache_sheaf_size(sheaf) >= 4);
	b = kmem_cache_alloc_from_sheaf(s, GFP_KERNEL, sheaf);
	cr_expect(kmem_cache_refill_sheaf(s, GFP_KERNEL, &sheaf, 500) == 0);
	cr_expect(kmem_cache_sheaf_size(sheaf) >= 500);
	cr_expect(kmem_cache_refill_sheaf(s, GFP_KERNEL, &sheaf, 3) == 0);
	cr_expect(kmem_cache_sheaf_size(sheaf) >= 500, "a refill took objects away");
	kmem_cache_return_sheaf(s, GFP_KERNEL, sheaf);
	kmem_cache_free(s, a);
	kmem_cache_free(s, b);
	cr_expect(cache_live(s) == 0);
	cr_expect(kmem_cache_shrink(s) == 0);
	kmem_cache_destroy(s);
}

Test(sheaf, zeroed_on_request)
{
	struct kmem_cache *s = cache("sheaf", NULL);
	struct slab_sheaf *sheaf;
	void *p;

	p = kmem_cache_alloc(s, GFP_KERNEL);
	memset(p, 7, 96);
	kmem_cache_free(s, p);
	sheaf = kmem_cache_prefill_sheaf(s, GFP_KERNEL, 8);
	for (int i = 0; i < 8; i++) {
		p = kmem_cache_alloc_from_sheaf(s, GFP_KERNEL | __GFP_ZERO, sheaf);
		cr_expect(all_bytes(p, 96, 0));
		kmem_cache_free(s, p);
	}
	kmem_cache_return_sheaf(s, GFP_KERNEL, sheaf);
	kmem_cache_destroy(s);
}

static void ctor(void *p)
{
	*(long *)p = 4711;
}

Test(sheaf, constructed)
{
	struct kmem_cache *s = cache("sheaf", ctor);
	struct slab_sheaf *sheaf = kmem_cache_prefill_sheaf(s, GFP_KERNEL, 100);

	cr_assert(sheaf);
	for (int i = 0; i < 50; i++) {
		long *p = kmem_cache_alloc_from_sheaf(s, GFP_KERNEL, sheaf);

		cr_expect(*p == 4711);
		kmem_cache_free(s, p);
	}
	kmem_cache_return_sheaf(s, GFP_KERNEL, sheaf);
	kmem_cache_destroy(s);
}

/* Where there is no memory nothing is lost, and a sheaf stays what it was. */
Test(sheaf, no_memory)
{
	struct kmem_cache *s = cache("sheaf", NULL);
	struct slab_sheaf *sheaf = kmem_cache_prefill_sheaf(s, GFP_KERNEL, 2), *same = sheaf;

	cr_assert(sheaf);
	printk_sink = sink_drop;
	fault_every_call(true);
	cr_expect(!kmem_cache_prefill_sheaf(s, GFP_KERNEL, 1U << 20));
	cr_expect(kmem_cache_refill_sheaf(s, GFP_KERNEL, &sheaf, 1U << 20) == -ENOMEM);
	fault_every_call(false);
	cr_expect(sheaf == same && kmem_cache_sheaf_size(sheaf) == 2);
	kmem_cache_return_sheaf(s, GFP_KERNEL, sheaf);
	cr_expect(cache_live(s) == 0, "%ld", cache_live(s));
	kmem_cache_destroy(s);
}

Test(sheaf, bad_arguments)
{
	struct kmem_cache *a = cache("sheaf-a", NULL), *b = cache("sheaf-b", NULL);
	struct slab_sheaf *sheaf = kmem_cache_prefill_sheaf(a, GFP_KERNEL, 2), *none = NULL;

	cr_expect(!kmem_cache_prefill_sheaf(a, GFP_KERNEL, 0));
	cr_expect(!kmem_cache_prefill_sheaf(a, GFP_KERNEL, ~0U));
	cr_expect(kmem_cache_refill_sheaf(b, GFP_KERNEL, &sheaf, 2) == -EINVAL);
	cr_expect(kmem_cache_refill_sheaf(a, GFP_KERNEL, &sheaf, ~0U) == -ENOMEM);
	cr_expect(kmem_cache_refill_sheaf(a, GFP_KERNEL, &none, 2) == -EINVAL);
	kmem_cache_return_sheaf(a, GFP_KERNEL, sheaf);
	kmem_cache_destroy(a);
	kmem_cache_destroy(b);
}

static void return_to_another(void)
{
	struct kmem_cache *a = cache("sheaf-a", NULL), *b = cache("sheaf-b", NULL);

	kmem_cache_return_sheaf(b, GFP_KERNEL, kmem_cache_prefill_sheaf(a, GFP_KERNEL, 2));
}

Test(sheaf, returned_to_another_cache)
{
	assert_aborts(return_to_another, "the sheaf is one of cache sheaf-a");
}
