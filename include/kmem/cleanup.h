/* SPDX-License-Identifier: MIT */
/**
 * DOC: cleanup.h - freeing at the end of a scope.
 *
 *	char *name __free(kfree) = kstrdup(s, GFP_KERNEL);
 *
 * frees name on every way out of the block that it is declared in. Who wants
 * to hand the object on says no_free_ptr(name), or return_ptr(name).
 *
 * A header that has a function to free with has a DEFINE_FREE for it: kfree and
 * kfree_sensitive in slab.h, kvfree and vfree in vmalloc.h, free_page in
 * page_alloc.h. Programs make their own. Variables are cleaned up in the
 * reverse order of their declarations, so each should be initialised where it
 * is declared.
 */
#ifndef KMEM_CLEANUP_H
#define KMEM_CLEANUP_H

#include <kmem/types.h>

/**
 * DEFINE_FREE - what __free(@_name) does
 * @_name: its name
 * @_type: the variable's type; void * serves for every pointer to an object
 * @_free: a statement, in which _T is the variable's value
 */
#define DEFINE_FREE(_name, _type, _free)				\
	static inline void __free_##_name(void *_p)			\
	{								\
		_type _T;						\
		/* A copy: the variable may be of another pointer type. */ \
		__builtin_memcpy(&_T, _p, sizeof(_T));			\
		_free;							\
	}

#define __free(_name)	__attribute__((cleanup(__free_##_name)))

/* The value of the pointer @p, which is NULL from here on: nothing frees it. */
#define no_free_ptr(p) (__extension__ ({				\
	__typeof__(p) *__kmem_p = &(p);					\
	__typeof__(p) __kmem_value = *__kmem_p;				\
	*__kmem_p = NULL;						\
	__kmem_value; }))

#define return_ptr(p)	return no_free_ptr(p)

/* NULL, or an error number in a pointer's clothes (the last 4095 addresses). */
#define __KMEM_NO_OBJECT(p)						\
	((unsigned long)(p) - 1 >= (unsigned long)-4096L)

#endif /* KMEM_CLEANUP_H */
