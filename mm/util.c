// SPDX-License-Identifier: MIT
/*
 * util.c - copies of memory and strings, and forgetting what memory held.
 */
#include <kmem/string.h>
#include <kmem/vmalloc.h>

#include <string.h>

#include "base/bitops.h"
#include "base/compiler.h"
#include "slab.h"

void *kmemdup(const void *src, size_t len, gfp_t gfp)
{
	void *p = kmalloc(len, gfp);

	return p && len ? memcpy(p, src, len) : p;
}

char *kmemdup_nul(const char *s, size_t len, gfp_t gfp)
{
	char *p;

	if (!s || len == SIZE_MAX)
		return NULL;
	p = kmalloc(len + 1, gfp);
	if (!p)
		return NULL;
	memcpy(p, s, len);
	p[len] = 0;
	return p;
}

char *kstrdup(const char *s, gfp_t gfp)
{
	return s ? kmemdup(s, strlen(s) + 1, gfp) : NULL;
}

char *kstrndup(const char *s, size_t max, gfp_t gfp)
{
	const char *end = s ? memchr(s, 0, max) : NULL;

	return kmemdup_nul(s, end ? (size_t)(end - s) : max, gfp);
}

/*
 * krealloc() moves what shrinks a lot, and keeps no alignment beyond its own: then
 * what lies right stays where it is as long as half of it is in use.
 */
void *krealloc_node_align(const void *p, size_t new_size, unsigned long align, gfp_t flags,
			  int nid)
{
	size_t old = ksize(p);
	void *q;

	if (!is_power_of_2(align))
		return NULL;
	if (ZERO_OR_NULL_PTR(p) && align <= ARCH_KMALLOC_MINALIGN)
		return kmalloc_node(new_size, flags, nid);
	if (new_size == 0 || (!ZERO_OR_NULL_PTR(p) && align <= ARCH_KMALLOC_MINALIGN))
		return krealloc(p, new_size, flags);
	if ((unsigned long)p % align == 0 && new_size <= old && new_size > old / 2) {
		if (flags & __GFP_ZERO)
			memset((char *)p + new_size, 0, old - new_size);
		return (void *)p;
	}
	q = kmalloc_aligned(new_size, max(align, (unsigned long)ARCH_KMALLOC_MINALIGN), flags);
	if (!q)
		return NULL;
	if (flags & __GFP_ZERO)
		memset(q, 0, ksize(q));
	if (!ZERO_OR_NULL_PTR(p)) {
		memcpy(q, p, min(old, new_size));
		kfree(p);
	}
	return q;
}

void kvfree_sensitive(const void *addr, size_t len)
{
	if (ZERO_OR_NULL_PTR(addr))
		return;
	memset((void *)addr, 0, len);
	/* The compiler may not drop stores to memory that is freed next. */
	__asm__ volatile("" : : "r" (addr) : "memory");
	kvfree(addr);
}
