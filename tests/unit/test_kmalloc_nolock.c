// SPDX-License-Identifier: MIT
/* kmalloc() without waiting: kmalloc_nolock.c. Under signals: tests/stress/nolock.c. */
#include "slab_test.h"

#include <kmem/limit.h>

#include "capture.h"
#include "mm/kmalloc_nolock.h"

TestSuite(kmalloc_nolock, .timeout = 60);

static struct kmem_cache *cache_for(size_t size)
{
	void *p = kmalloc(size, GFP_KERNEL);
	struct kmem_cache *s = virt_to_cache(p);

	kfree(p);
	return s;
}

Test(kmalloc_nolock, sizes_and_zeros)
{
	for (size_t size = 1; size <= KMALLOC_MAX_CACHE_SIZE; size += 1 + size / 3) {
		unsigned char *p = kmalloc(size, GFP_KERNEL);

		memset(p, 0xff, size);
		kfree(p);
		p = kmalloc_nolock(size, __GFP_ZERO | __GFP_ACCOUNT, NUMA_NO_NODE);
		cr_assert_not_null(p, "%zu", size);
		cr_expect(all_bytes(p, size, 0));
		cr_expect_eq(ksize(p), kmalloc_size_roundup(size));
		if (size % 2)
			kfree(p);
		else
			kfree_nolock(p);
	}
	cr_expect_null(kmalloc_nolock(KMALLOC_MAX_CACHE_SIZE + 1, 0, NUMA_NO_NODE));
	cr_expect_eq(kmalloc_nolock(0, 0, NUMA_NO_NODE), ZERO_SIZE_PTR);
	kfree_nolock(NULL);
	kfree_nolock(ZERO_SIZE_PTR);
	cr_expect_eq(validate_slab_caches(), 0);
}

Test(kmalloc_nolock, flags_that_wait_are_refused)
{
	kfree(kmalloc(64, GFP_KERNEL));
	sink_catch();
	cr_expect_null(kmalloc_nolock(64, GFP_ATOMIC, NUMA_NO_NODE));
	cr_expect(sink_has("kmalloc_nolock: flags"), "%s", sink_text);
}

/* As in a handler that interrupted the holder of either lock. */
Test(kmalloc_nolock, locks_that_are_held)
{
	struct kmem_cache *s = cache_for(200);
	void *p[300];
	unsigned int n = 0;

	magazine_cache_drain(&s->mag, true);
	lock(&s->mag.lock);
	lock(&s->node.lock);
	cr_expect_null(kmalloc_nolock(200, 0, NUMA_NO_NODE));
	unlock(&s->node.lock);
	while (n < 300 && (p[n] = kmalloc_nolock(200, 0, NUMA_NO_NODE)))
		n++;
	cr_expect_gt(n, 0, "slabs serve while the depot is locked");
	unlock(&s->mag.lock);
	lock(&s->node.lock);
	for (unsigned int i = 0; i < n; i++)
		kfree_nolock(p[i]);
	unlock(&s->node.lock);
	kmalloc_nolock_drain();
	cr_expect_eq(cache_live(s), 0);
	cr_expect_eq(validate_slab_cache(s), 0);
}

/* It never makes a slab, and the depot's magazines keep a round each. */
Test(kmalloc_nolock, takes_what_there_is)
{
	struct kmem_cache *s = cache_for(3000);
	unsigned long slabs = s->node.nr_slabs;
	static void *p[4096];
	unsigned int n = 0;

	while (n < ARRAY_SIZE(p) && (p[n] = kmalloc_nolock(3000, 0, NUMA_NO_NODE)))
		memset(p[n++], 1, 3000);
	cr_expect(n > 0 && n <= slabs * s->objects);
	cr_expect_eq(s->node.nr_slabs, slabs);
	while (n--)
		kfree_nolock(p[n]);
	/* Whoever may wait takes the deferred ones home. */
	for (n = 0; n < 64; n++)
		p[n] = kmalloc(3000, GFP_KERNEL);
	while (n--)
		kfree(p[n]);
	kmalloc_nolock_drain();
	cr_expect_eq(cache_live(s), 0);
	cr_expect_eq(validate_slab_cache(s), 0);
}

static void free_foreign(void)
{
	static char memory[64];

	kfree(kmalloc(8, GFP_KERNEL));
	kfree_nolock(memory + 16);
}

/* Found when the magazine is flushed, as of kfree(). */
static void free_twice(void)
{
	void *p = kmalloc(8192, GFP_KERNEL);

	kfree_nolock(p);
	kfree_nolock(p);
	kmem_reclaim(KMEM_LIMIT_NONE);
}

Test(kmalloc_nolock, misuse_is_reported)
{
	assert_aborts(free_foreign, "Not an object of kmalloc_nolock()");
	assert_aborts(free_twice, "BUG kmalloc-8192");
}
