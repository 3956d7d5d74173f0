// SPDX-License-Identifier: MIT
/*
 * util.c - copies of memory and strings, and forgetting what memory held.
 */
#include <kmem/string.h>
#include <kmem/vmalloc.h>

#include <string.h>

#include "base/compiler.h"

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

void kvfree_sensitive(const void *addr, size_t len)
{
	if (ZERO_OR_NULL_PTR(addr))
		return;
	memset((void *)addr, 0, len);
	/* The compiler may not drop stores to memory that is freed next. */
	__asm__ volatile("" : : "r" (addr) : "memory");
	kvfree(addr);
}
