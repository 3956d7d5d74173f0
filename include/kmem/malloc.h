/* SPDX-License-Identifier: MIT */
/**
 * DOC: malloc.h - malloc's contract under names of its own.
 *
 * These behave as ISO C and POSIX say of the function that each is named
 * after: memory aligned to 16 bytes, NULL and errno ENOMEM when there is none,
 * a unique pointer for size 0, errno untouched by free. Memory may be freed by
 * any thread. Memory from kmalloc() and from any kmem_cache may be passed to
 * MyFree() and the reverse.
 *
 * Context: any thread; not from a signal handler (the hit path is safe there,
 * the miss path takes locks).
 */
#ifndef KMEM_MALLOC_H
#define KMEM_MALLOC_H

#include <kmem/types.h>

KMEM_BEGIN_DECLS

/** MyFree - free(); NULL is allowed. Aborts with a report on a pointer that is no object's. */
void MyFree(void *ptr);
/** MyMalloc - malloc(). Return: at least @size bytes aligned to 16, or NULL with ENOMEM. */
void *MyMalloc(size_t size) __kmem_malloc(MyFree) __kmem_alloc_size(1);
/** MyCalloc - calloc(): zeroed; NULL with ENOMEM when @nmemb * @size overflows. */
void *MyCalloc(size_t nmemb, size_t size) __kmem_malloc(MyFree) __kmem_alloc_size(1, 2);
/** MyRealloc - realloc(): size 0 frees @ptr and gives NULL, as glibc's does. */
void *MyRealloc(void *ptr, size_t size) __kmem_alloc_size(2);
/**
 * MyAlignedAlloc - aligned_alloc()
 * @alignment: a power of two; otherwise NULL with EINVAL. Above 32 GiB NULL with ENOMEM
 * @size: bytes, need not be a multiple of @alignment
 */
void *MyAlignedAlloc(size_t alignment, size_t size) __kmem_malloc(MyFree) __kmem_alloc_size(2);
/** MyUsableSize - bytes that may be written at @ptr; 0 for NULL. */
size_t MyUsableSize(void *ptr);

KMEM_END_DECLS

#endif /* KMEM_MALLOC_H */
