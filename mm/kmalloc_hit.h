/* SPDX-License-Identifier: MIT */
/*
 * kmalloc_hit.h - the hit paths of malloc and free, inlined into every entry
 * point. This is the code that a program runs all day; its instructions are
 * counted by tests/golden.
 *
 *	malloc:	size -> slot (one table) -> pop
 *	free:	address -> page -> slot (one byte) -> push
 *
 * Whatever is not a hit (sizes above the table's, no object at hand, memory
 * that is no small kmalloc object, another zone, fallback mode, start-up) falls
 * out of the same two tests: fast_limit and hit_pages are 0 until the
 * allocator is ready, and a slot that may not be used reads as closed.
 */
#ifndef MM_KMALLOC_HIT_H
#define MM_KMALLOC_HIT_H

#include "percpu.h"
#include "slab.h"
#include "vcpu.h"

#include "arch/rseq.h"

/* An object of at least @size bytes, or NULL: take the slow path. */
static __always_inline void *kmalloc_hit(size_t size)
{
	if (unlikely(size >= kmem_hot.fast_limit))
		return NULL;
	return rseq_pop(kmalloc_slot_table[size]);
}

/*
 * The same above KMALLOC_TABLE_MAX, for the beginning of malloc's slow path: of malloc()'s
 * class, which need not be as aligned as kmalloc() promises.
 */
static __always_inline void *malloc_upper_hit(size_t size)
{
	size_t i = KMALLOC_UPPER(size);

	if (i >= KMALLOC_UPPER_SLOTS || !kmem_hot.fast_limit)
		return NULL;
	return rseq_pop(kmalloc_upper_slots[i]);
}

/*
 * kmalloc_hit(), aligned to the power of two @align: what kmalloc_aligned() says of classes.
 * Neither is 0 or more than a page here, so the sum does not overflow.
 */
static __always_inline void *kmalloc_aligned_hit(size_t size, size_t align)
{
	if (unlikely(((size - 1) | (align - 1)) >= PAGE_SIZE))
		return NULL;
	return kmalloc_hit(ALIGN(size, align));
}

/* True: done. False: take the slow path. */
static __always_inline bool kfree_hit(void *object)
{
	unsigned long zpn = (unsigned long)((char *)object - kmem_hot.heap_base) >> PAGE_SHIFT;

	if (unlikely(zpn >= HOT_READ(kmem_hot.hit_pages)))
		return false;
	return rseq_push(kmem_hot.slotmap[zpn], object);
}

/*
 * The slot of the kmalloc cache that an object lies in, by the byte that free() looks at,
 * without its struct page; 0: no such object.
 */
static __always_inline u8 kmalloc_slot_of(const void *object)
{
	unsigned long zpn = (unsigned long)((const char *)object - kmem_hot.heap_base) >> PAGE_SHIFT;

	return likely(zpn < HOT_READ(kmem_hot.heap_pages)) ? kmem_hot.slotmap[zpn] : SLOT_NONE;
}

/* malloc and free again, in fallback mode, for the beginning of the slow paths. */
static __always_inline void *malloc_vcpu_hit(size_t size)
{
	return likely(size <= KMALLOC_MAX_CACHE_SIZE) ? vcpu_hit_pop(malloc_slot(size)) : NULL;
}

static __always_inline bool kfree_vcpu_hit(void *object)
{
	return vcpu_hit_push(kmalloc_slot_of(object), object);
}

#endif /* MM_KMALLOC_HIT_H */
