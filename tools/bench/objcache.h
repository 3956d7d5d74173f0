/* SPDX-License-Identifier: MIT */
/*
 * objcache.h - the same workload on the library's own API and on a malloc.
 *
 * Each workload whose name begins with api_ is built twice: NAME with
 * BENCH_KMEM, on kmem_cache_alloc() and alloc_pages(), and NAME-malloc on what a
 * program without the library has for the same job, malloc and aligned_alloc,
 * to be run under each peer.
 */
#ifndef BENCH_OBJCACHE_H
#define BENCH_OBJCACHE_H

#include "bench.h"

#ifdef BENCH_KMEM

#include <kmem/page_alloc.h>
#include <kmem/rcu.h>
#include <kmem/slab.h>

typedef struct kmem_cache *objcache_t;

static inline objcache_t objcache_create(const char *name, unsigned int size)
{
	return bench_ptr(__kmem_cache_create(name, size, 8, SLAB_NO_MERGE, NULL));
}

static inline void *obj_alloc(objcache_t c)
{
	return bench_ptr(kmem_cache_alloc(c, GFP_KERNEL));
}

static inline void obj_free(objcache_t c, void *p)
{
	kmem_cache_free(c, p);
}

static inline void obj_alloc_bulk(objcache_t c, size_t n, void **p)
{
	if (!kmem_cache_alloc_bulk(c, GFP_KERNEL, n, p))
		bench_ptr(NULL);
}

static inline void obj_free_bulk(objcache_t c, size_t n, void **p)
{
	kmem_cache_free_bulk(c, n, p);
}

static inline void *pages_alloc(unsigned int order)
{
	return bench_ptr((void *)__get_free_pages(GFP_KERNEL, order));
}

static inline void pages_free(void *p, unsigned int order)
{
	free_pages((unsigned long)p, order);
}

/* Memory by size; freed at once, or after a grace period, which `now` waits for. */
static inline void *obj_malloc(size_t size)
{
	return bench_ptr(kmalloc(size, GFP_KERNEL));
}

static inline void obj_mfree(void *p)
{
	kfree(p);
}

static inline void obj_mfree_later(void *p)
{
	kvfree_call_rcu((struct rcu_head *)p, p);
}

static inline void obj_mfree_now(void)
{
	kvfree_rcu_barrier();
}

#else /* !BENCH_KMEM */

typedef size_t objcache_t;

static inline objcache_t objcache_create(const char *name, unsigned int size)
{
	(void)name;
	return size;
}

static inline void *obj_alloc(objcache_t c)
{
	return bench_ptr(malloc(c));
}

static inline void obj_free(objcache_t c, void *p)
{
	(void)c;
	free(p);
}

static inline void obj_alloc_bulk(objcache_t c, size_t n, void **p)
{
	while (n > 0)
		p[--n] = obj_alloc(c);
}

static inline void obj_free_bulk(objcache_t c, size_t n, void **p)
{
	while (n > 0)
		obj_free(c, p[--n]);
}

static inline void *pages_alloc(unsigned int order)
{
	return bench_ptr(aligned_alloc(4096ul << order, 4096ul << order));
}

static inline void pages_free(void *p, unsigned int order)
{
	(void)order;
	free(p);
}

static void *obj_retired __attribute__((unused));

static inline void *obj_malloc(size_t size)
{
	return bench_ptr(malloc(size));
}

static inline void obj_mfree(void *p)
{
	free(p);
}

static inline void obj_mfree_later(void *p)
{
	*(void **)p = obj_retired;
	obj_retired = p;
}

static inline void obj_mfree_now(void)
{
	void *next;

	for (void *p = obj_retired; p; p = next) {
		next = *(void **)p;
		free(p);
	}
	obj_retired = NULL;
}

#endif

/* "NAME_N_ns" of @ops operations (one alloc and one free) since @start. */
static inline void bench_say_ns(const char *name, unsigned long n, uint64_t ns, double ops)
{
	printf("%s_%lu_ns %.2f\n", name, n, (double)ns / ops);
	fflush(stdout);
}

/* Writes to an object. Returns 0, which the CPU knows only when it has read it. */
static inline unsigned long touch_and_wait(void *object)
{
	long v = ++*(volatile long *)object;

	__asm__ volatile("" : "+r"(v));
	return (unsigned long)(v < 0);
}

#endif /* BENCH_OBJCACHE_H */
