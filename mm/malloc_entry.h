/* SPDX-License-Identifier: MIT */
/* malloc_entry.h - the two hot entry points, for the files that define their names. */
#ifndef MM_MALLOC_ENTRY_H
#define MM_MALLOC_ENTRY_H

#include "kmalloc_hit.h"

void *malloc_slow(size_t size);		/* NULL with errno ENOMEM */
void *calloc_slow(size_t size);
void *aligned_slow(size_t alignment, size_t size);

static __always_inline void *malloc_entry(size_t size)
{
	void *object = kmalloc_hit(size);

	return likely(object) ? object : malloc_slow(size);
}

static __always_inline void free_entry(void *ptr)
{
	if (unlikely(!kfree_hit(ptr)))
		kfree_slow(ptr, __builtin_return_address(0));
}

#endif /* MM_MALLOC_ENTRY_H */
