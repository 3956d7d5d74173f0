/* SPDX-License-Identifier: MIT */
/**
 * DOC: overflow.h - sums and products that do not wrap around.
 *
 *	p = kmalloc(struct_size(p, items, n), GFP_KERNEL);
 *
 * Sizes saturate: what does not fit a size_t is SIZE_MAX, stays SIZE_MAX in further
 * sums, and is more than any allocator serves. No argument is evaluated twice; a
 * pointer that only says which struct is meant is not evaluated at all.
 *
 * Contracts: the kernel's include/linux/overflow.h.
 * Context of all: any.
 */
#ifndef KMEM_OVERFLOW_H
#define KMEM_OVERFLOW_H

#include <stdint.h>

#include <kmem/types.h>

static inline __attribute__((warn_unused_result)) bool __kmem_overflowed(bool overflowed)
{
	return overflowed;
}

/**
 * check_add_overflow, check_sub_overflow, check_mul_overflow - @a op @b, and whether it fits
 * @a, @b: integers of any types
 * @d: where the result goes, to the type that this points to; cut to it if it does not fit
 * Return: true if it does not fit.
 */
#define check_add_overflow(a, b, d)	__kmem_overflowed(__builtin_add_overflow(a, b, d))
#define check_sub_overflow(a, b, d)	__kmem_overflowed(__builtin_sub_overflow(a, b, d))
#define check_mul_overflow(a, b, d)	__kmem_overflowed(__builtin_mul_overflow(a, b, d))

/** size_mul - @a * @b. Return: SIZE_MAX if it overflows. */
static inline __attribute__((warn_unused_result)) size_t size_mul(size_t a, size_t b)
{
	size_t bytes;

	return __builtin_mul_overflow(a, b, &bytes) ? SIZE_MAX : bytes;
}

/** size_add - @a + @b. Return: SIZE_MAX if it overflows. */
static inline __attribute__((warn_unused_result)) size_t size_add(size_t a, size_t b)
{
	size_t bytes;

	return __builtin_add_overflow(a, b, &bytes) ? SIZE_MAX : bytes;
}

/** size_sub - @a - @b. Return: SIZE_MAX if it is negative, or either of them is SIZE_MAX. */
static inline __attribute__((warn_unused_result)) size_t size_sub(size_t a, size_t b)
{
	return a == SIZE_MAX || b == SIZE_MAX || b > a ? SIZE_MAX : a - b;
}

/** array_size, array3_size - bytes of an array of two or three dimensions, or SIZE_MAX. */
#define array_size(a, b)	size_mul(a, b)
#define array3_size(a, b, c)	size_mul(size_mul(a, b), c)

/*
 * Bytes of @head and @n elements of @size. In C, where @n is a constant, this is one too
 * and can be the length of an array.
 */
#ifndef __cplusplus
#define __KMEM_IS_CONSTANT(x)						\
	_Generic(1 ? (void *)((long)(x) * 0L) : (int *)0, int *: 1, default: 0)
#define __kmem_sum_size(head, size, n)					\
	__builtin_choose_expr(__KMEM_IS_CONSTANT(n),			\
		(size) && (size_t)(n) > (SIZE_MAX - (head)) / ((size) + !(size)) ? \
			SIZE_MAX : (head) + (size) * (size_t)(n),		\
		size_add(head, size_mul(size, n)))
#else
#define __kmem_sum_size(head, size, n)	size_add(head, size_mul(size, n))
#endif

/**
 * flex_array_size - bytes of @count elements of the flexible array (*@p).@member
 * Return: SIZE_MAX if it overflows.
 */
#define flex_array_size(p, member, count)				\
	__kmem_sum_size((size_t)0, sizeof((p)->member[0]), count)
/** struct_size - bytes of *@p with @count elements in its last member, or SIZE_MAX. */
#define struct_size(p, member, count)					\
	__kmem_sum_size(sizeof(*(p)), sizeof((p)->member[0]), count)
/** struct_size_t - the same by the struct's type. */
#define struct_size_t(type, member, count)				\
	struct_size((type *)NULL, member, count)

#endif /* KMEM_OVERFLOW_H */
