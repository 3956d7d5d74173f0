/* SPDX-License-Identifier: MIT */
/**
 * DOC: string.h - copies of memory and of strings, from kmalloc().
 *
 * All give NULL when there is no memory; kfree() frees what they give.
 * Context: as of kmalloc() (slab.h).
 */
#ifndef KMEM_STRING_H
#define KMEM_STRING_H

#include <stdarg.h>
#include <stdio.h>

#include <kmem/slab.h>

KMEM_BEGIN_DECLS

/** kmemdup - a copy of @len bytes at @src. */
void *kmemdup(const void *src, size_t len, gfp_t gfp) __attribute__((malloc, alloc_size(2)));
/** kvmemdup - kmemdup() where kvfree() will free it. */
__attribute__((malloc, alloc_size(2)))
static inline void *kvmemdup(const void *src, size_t len, gfp_t gfp)
{
	return kmemdup(src, len, gfp);
}
/** kmemdup_array - a copy of @count elements; NULL where @count * @size overflows. */
__attribute__((malloc, alloc_size(2, 3)))
static inline void *kmemdup_array(const void *src, size_t count, size_t size, gfp_t gfp)
{
	size_t bytes;

	return __builtin_mul_overflow(count, size, &bytes) ? NULL : kmemdup(src, bytes, gfp);
}
/** kmemdup_nul - the same and a NUL behind it. */
char *kmemdup_nul(const char *s, size_t len, gfp_t gfp) __attribute__((malloc));
/** kstrdup - a copy of a string; NULL for NULL. */
char *kstrdup(const char *s, gfp_t gfp) __attribute__((malloc));
/**
 * kstrdup_const - a copy of a string that nobody will change; NULL for NULL
 *
 * The kernel answers with the string itself if it is a constant of the kernel's image. Whose
 * a constant in a process is, and when its shared object goes, nobody knows, so that
 * this is always a copy. Return: what kfree_const() takes.
 */
__attribute__((malloc))
static inline const char *kstrdup_const(const char *s, gfp_t gfp)
{
	return kstrdup(s, gfp);
}
/** kfree_const - free what kstrdup_const() gave, and nothing else: no literal; NULL is allowed. */
static inline void kfree_const(const void *x)
{
	kfree(x);
}
/** kstrndup - a copy of at most @max bytes of a string, and a NUL; NULL for NULL. */
char *kstrndup(const char *s, size_t max, gfp_t gfp) __attribute__((malloc));

/**
 * kvasprintf, kasprintf - a string made by a format
 *
 * The formatting is done by the program's own libc (the library has none, and
 * is not to call stdio), so the conversions are vsnprintf()'s, without the
 * kernel's %p extensions.
 */
__attribute__((malloc, format(printf, 2, 0)))
static inline char *kvasprintf(gfp_t gfp, const char *fmt, va_list ap)
{
	char *s;
	va_list again;
	int len;

	va_copy(again, ap);
	len = vsnprintf(NULL, 0, fmt, again);
	va_end(again);
	if (len < 0)
		return NULL;
	s = (char *)kmalloc((size_t)len + 1, gfp);
	if (s)
		vsnprintf(s, (size_t)len + 1, fmt, ap);
	return s;
}

__attribute__((malloc, format(printf, 2, 3)))
static inline char *kasprintf(gfp_t gfp, const char *fmt, ...)
{
	va_list ap;
	char *s;

	va_start(ap, fmt);
	s = kvasprintf(gfp, fmt, ap);
	va_end(ap);
	return s;
}

KMEM_END_DECLS

#define kmemdup_noprof		kmemdup
#define kvmemdup_noprof		kvmemdup
#define kmemdup_array_noprof	kmemdup_array
#define kmemdup_nul_noprof	kmemdup_nul
#define kstrdup_noprof		kstrdup
#define kstrndup_noprof		kstrndup
#define kasprintf_noprof	kasprintf
#define kvasprintf_noprof	kvasprintf

#endif /* KMEM_STRING_H */
