// SPDX-License-Identifier: MIT
/*
 * malloc.c - malloc's contract over kmalloc: errno, zero sizes, alignment 16.
 *
 * Every kmalloc class is a multiple of 16 bytes and every slab begins at a page,
 * so the alignment that malloc owes comes by itself.
 */
#include <kmem/malloc.h>

#include <errno.h>
#include <string.h>

#include "init.h"
#include "kmalloc_hit.h"
#include "malloc_entry.h"

/* malloc never prints: its caller gets NULL and ENOMEM. */
#define GFP_MALLOC	(GFP_KERNEL | __GFP_NOWARN)

static void *or_enomem(void *object)
{
	if (unlikely(!object))
		errno = ENOMEM;
	return object;
}

static noinline void *malloc_miss(size_t size)
{
	void *object = malloc_vcpu_hit(size);

	if (likely(object))
		return object;
	return or_enomem(kmalloc_any(size, GFP_MALLOC));
}

/* Apart from what follows, so that a hit has no frame to set up. */
noinline void *malloc_slow(size_t size)
{
	void *object = malloc_upper_hit(size);

	return likely(object) ? object : malloc_miss(size);
}

noinline void *calloc_slow(size_t size)
{
	return or_enomem(kmalloc_any(size, GFP_MALLOC | __GFP_ZERO));
}

noinline void *aligned_slow(size_t alignment, size_t size)
{
	return or_enomem(malloc_aligned(size, alignment, GFP_MALLOC));
}

void *MyMalloc(size_t size)
{
	return malloc_entry(size);
}

void MyFree(void *ptr)
{
	free_entry(ptr);
}

void *MyCalloc(size_t nmemb, size_t size)
{
	size_t bytes;
	void *object;

	if (unlikely(__builtin_mul_overflow(nmemb, size, &bytes)))
		return or_enomem(NULL);
	object = kmalloc_hit(bytes);
	return likely(object) ? memset(object, 0, bytes) : calloc_slow(bytes);
}

void *MyRealloc(void *ptr, size_t size)
{
	if (!ptr)
		return malloc_entry(size);
	if (size == 0) {
		free_entry(ptr);
		return NULL;
	}
	return or_enomem(krealloc_slow(ptr, size, GFP_MALLOC, true));
}

void *MyAlignedAlloc(size_t alignment, size_t size)
{
	void *object;

	if (unlikely(!is_power_of_2(alignment))) {
		errno = EINVAL;
		return NULL;
	}
	object = kmalloc_aligned_hit(size, alignment);
	return likely(object) ? object : aligned_slow(alignment, size);
}

size_t MyUsableSize(void *ptr)
{
	return ksize(ptr);
}
