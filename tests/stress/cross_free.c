// SPDX-License-Identifier: MIT
/*
 * cross_free.c - eight threads on whatever CPUs there are; every object is freed
 * by a thread other than the one that took it, through one table of boxes. A
 * stamped object that two threads were given at once, or that anybody wrote to
 * after it was freed, is found when it is freed. At the end nothing is lost.
 */
#include "stress.h"

#define THREADS	8
#define BOXES	4096

static void *box[BOXES];
static unsigned long operations;
static struct kmem_cache *cache;

static void *get(uint64_t r)
{
	size_t size = stress_size(r);

	switch (r >> 40 & 3) {
	case 0:
		return stress_stamp(kmem_cache_alloc(cache, GFP_KERNEL), 120);
	case 1:
		return stress_stamp(kmalloc(size, GFP_KERNEL), size);
	case 2:
		return stress_stamp(MyAlignedAlloc(64UL << (r >> 50 & 7), size), size);
	default:
		return stress_stamp(MyMalloc(size), size);
	}
}

static void put(void *object, uint64_t r)
{
	size_t size;

	stress_unstamp(object);
	if ((r >> 44 & 15) == 0) {
		/* By the way of another object. */
		size = stress_size(r >> 7);
		object = stress_stamp(MyRealloc(object, size), size);
		if (!object) {
			stress_fail("realloc to %zu", size);
			return;
		}
		stress_unstamp(object);
	}
	if (r >> 60 & 1)
		kfree(object);
	else
		MyFree(object);
}

static void *work(void *arg)
{
	uint64_t seed = (uintptr_t)arg * 7919 + 1;
	unsigned long n = 0;

	for (; stress_running(); n++) {
		uint64_t r = stress_rnd(&seed);
		void *p = get(r), *old;

		if (!p)
			stress_fail("no memory");
		old = __atomic_exchange_n(&box[r % BOXES], p, __ATOMIC_ACQ_REL);
		if (old)
			put(old, r);
	}
	__atomic_fetch_add(&operations, n, __ATOMIC_RELAXED);
	return NULL;
}

static void tick(unsigned int n)
{
	if (n % 64 == 63)
		stress_validate_caches();
}

int main(int argc, char **argv)
{
	pthread_t t[THREADS];
	long before, lost;

	stress_start(argc, argv);
	cache = kmem_cache_create("stress-cross", 120, 0, SLAB_NO_MERGE, NULL);
	before = stress_live();
	for (unsigned long i = 0; i < THREADS; i++)
		if (pthread_create(&t[i], NULL, work, (void *)i))
			return 2;
	stress_sleep(tick);
	for (int i = 0; i < THREADS; i++)
		pthread_join(t[i], NULL);
	for (unsigned int i = 0; i < BOXES; i++)
		if (box[i])
			put(box[i], i);
	lost = stress_lost(before);
	if (lost)
		stress_fail("%ld objects are lost", lost);
	if (validate_slab_cache(cache) || kmem_cache_shrink(cache))
		stress_fail("the cache is not empty");
	kmem_cache_destroy(cache);
	return stress_result("cross_free", operations);
}
