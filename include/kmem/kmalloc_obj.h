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

/*
 * Arguments by their place. Standard C has no way to leave out the comma before an empty
 * "...", so the macros below take all of theirs as one and append what stands in for those
 * that are not given, and something behind it.
 */
#define __kmem_arg1(_1, ...)			_1
#define __kmem_arg2(_1, _2, ...)		_2
#define __kmem_arg3(_1, _2, _3, ...)		_3
#define __kmem_arg4(_1, _2, _3, _4, ...)	_4

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

#define __kmem_obj_of(alloc, V, gfp)					\
	((__typeof__(V) *)alloc(sizeof(__typeof__(V)), (gfp)))
#define __kmem_objs_of(alloc, V, n, gfp)				\
	((__typeof__(V) *)alloc((n), sizeof(__typeof__(V)), (gfp)))
#define __kmem_flex_of(alloc, V, FAM, n, gfp)				\
	((__typeof__(V) *)alloc(__kmem_flex_size(sizeof(__typeof__(V)),	\
			sizeof(((__typeof__(V) *)NULL)->FAM[0]), (n)), (gfp)))

#define __kmem_obj(alloc, ...)						\
	__kmem_obj_of(alloc, __kmem_arg1(__VA_ARGS__, 0),		\
		      __kmem_arg2(__VA_ARGS__, GFP_KERNEL, 0))
#define __kmem_objs(alloc, ...)						\
	__kmem_objs_of(alloc, __kmem_arg1(__VA_ARGS__, 0), __kmem_arg2(__VA_ARGS__, 0), \
		       __kmem_arg3(__VA_ARGS__, GFP_KERNEL, 0))
#define __kmem_flex(alloc, ...)						\
	__kmem_flex_of(alloc, __kmem_arg1(__VA_ARGS__, 0), __kmem_arg2(__VA_ARGS__, 0), \
		       __kmem_arg3(__VA_ARGS__, 0), __kmem_arg4(__VA_ARGS__, GFP_KERNEL, 0))

#define kmalloc_obj(...)	__kmem_obj(kmalloc, __VA_ARGS__)
#define kzalloc_obj(...)	__kmem_obj(kzalloc, __VA_ARGS__)
#define kvmalloc_obj(...)	__kmem_obj(kvmalloc, __VA_ARGS__)
#define kvzalloc_obj(...)	__kmem_obj(kvzalloc, __VA_ARGS__)

#define kmalloc_objs(...)	__kmem_objs(kmalloc_array, __VA_ARGS__)
#define kzalloc_objs(...)	__kmem_objs(kcalloc, __VA_ARGS__)
#define kvmalloc_objs(...)	__kmem_objs(kvmalloc_array, __VA_ARGS__)
#define kvzalloc_objs(...)	__kmem_objs(kvcalloc, __VA_ARGS__)

#define kmalloc_flex(...)	__kmem_flex(kmalloc, __VA_ARGS__)
#define kzalloc_flex(...)	__kmem_flex(kzalloc, __VA_ARGS__)
#define kvmalloc_flex(...)	__kmem_flex(kvmalloc, __VA_ARGS__)
#define kvzalloc_flex(...)	__kmem_flex(kvzalloc, __VA_ARGS__)

#endif /* KMEM_KMALLOC_OBJ_H */
