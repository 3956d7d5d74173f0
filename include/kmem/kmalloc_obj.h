/* SPDX-License-Identifier: MIT */
/**
 * DOC: kmalloc_obj.h - allocation by type: the size and the pointer's type come
 * from one word, so they cannot disagree. Included by slab.h.
 *
 *	struct point *p = kmalloc_obj(struct point);
 *	struct point *q = kzalloc_obj(*q, GFP_NOWAIT);
 *	struct point *v = kmalloc_objs(*v, n);
 *	struct list *l = kzalloc_flex(*l, items, n);
 *
 * The first argument is a type or an expression (which is not evaluated). The
 * flags may be left out: GFP_KERNEL. A size that overflows gives NULL. The kv
 * forms need <kmem/vmalloc.h>.
 *
 * X_obj(V[, gfp])		one object
 * X_objs(V, n[, gfp])		an array of @n
 * X_flex(V, FAM, n[, gfp])	one whose last member FAM is an array of @n elements;
 *				a member that counts them is the caller's to set
 */
#ifndef KMEM_KMALLOC_OBJ_H
#define KMEM_KMALLOC_OBJ_H

#include <kmem/gfp.h>

/* The argument behind the given ones, or the default that the caller put last. */
#define __kmem_gfp1(_1, _gfp, ...)		(_gfp)
#define __kmem_gfp2(_1, _2, _gfp, ...)		(_gfp)
#define __kmem_gfp3(_1, _2, _3, _gfp, ...)	(_gfp)

/*
 * Bytes of @head and @n elements of @size. If that overflows: a size that nothing
 * serves, and not the largest one, which compilers warn about.
 */
static inline size_t __kmem_flex_size(size_t head, size_t size, size_t n)
{
	size_t bytes;

	if (__builtin_mul_overflow(size, n, &bytes) ||
	    __builtin_add_overflow(bytes, head, &bytes))
		return (size_t)-1 / 2;
	return bytes;
}

#define __kmem_obj(alloc, V, gfp)	((__typeof__(V) *)alloc(sizeof(__typeof__(V)), gfp))
#define __kmem_objs(alloc, V, n, gfp)					\
	((__typeof__(V) *)alloc((n), sizeof(__typeof__(V)), gfp))
#define __kmem_flex(alloc, V, FAM, n, gfp)				\
	((__typeof__(V) *)alloc(__kmem_flex_size(sizeof(__typeof__(V)),	\
			sizeof(((__typeof__(V) *)NULL)->FAM[0]), (n)), gfp))

#define kmalloc_obj(V, ...)						\
	__kmem_obj(kmalloc, V, __kmem_gfp1(V, ##__VA_ARGS__, GFP_KERNEL, 0))
#define kzalloc_obj(V, ...)						\
	__kmem_obj(kzalloc, V, __kmem_gfp1(V, ##__VA_ARGS__, GFP_KERNEL, 0))
#define kvmalloc_obj(V, ...)						\
	__kmem_obj(kvmalloc, V, __kmem_gfp1(V, ##__VA_ARGS__, GFP_KERNEL, 0))
#define kvzalloc_obj(V, ...)						\
	__kmem_obj(kvzalloc, V, __kmem_gfp1(V, ##__VA_ARGS__, GFP_KERNEL, 0))

#define kmalloc_objs(V, n, ...)						\
	__kmem_objs(kmalloc_array, V, n, __kmem_gfp2(V, n, ##__VA_ARGS__, GFP_KERNEL, 0))
#define kzalloc_objs(V, n, ...)						\
	__kmem_objs(kcalloc, V, n, __kmem_gfp2(V, n, ##__VA_ARGS__, GFP_KERNEL, 0))
#define kvmalloc_objs(V, n, ...)					\
	__kmem_objs(kvmalloc_array, V, n, __kmem_gfp2(V, n, ##__VA_ARGS__, GFP_KERNEL, 0))
#define kvzalloc_objs(V, n, ...)					\
	__kmem_objs(kvcalloc, V, n, __kmem_gfp2(V, n, ##__VA_ARGS__, GFP_KERNEL, 0))

#define kmalloc_flex(V, FAM, n, ...)					\
	__kmem_flex(kmalloc, V, FAM, n, __kmem_gfp3(V, FAM, n, ##__VA_ARGS__, GFP_KERNEL, 0))
#define kzalloc_flex(V, FAM, n, ...)					\
	__kmem_flex(kzalloc, V, FAM, n, __kmem_gfp3(V, FAM, n, ##__VA_ARGS__, GFP_KERNEL, 0))
#define kvmalloc_flex(V, FAM, n, ...)					\
	__kmem_flex(kvmalloc, V, FAM, n, __kmem_gfp3(V, FAM, n, ##__VA_ARGS__, GFP_KERNEL, 0))
#define kvzalloc_flex(V, FAM, n, ...)					\
	__kmem_flex(kvzalloc, V, FAM, n, __kmem_gfp3(V, FAM, n, ##__VA_ARGS__, GFP_KERNEL, 0))

#endif /* KMEM_KMALLOC_OBJ_H */
