/* SPDX-License-Identifier: MIT */
/* types.h - the few types that the public headers share. */
#ifndef KMEM_TYPES_H
#define KMEM_TYPES_H

#include <stdbool.h>
#include <stddef.h>

/* Declarations between these are C's, and exported whatever the flags. */
#ifdef __cplusplus
#define KMEM_BEGIN_DECLS	_Pragma("GCC visibility push(default)") extern "C" {
#define KMEM_END_DECLS		} _Pragma("GCC visibility pop")
#else
#define KMEM_BEGIN_DECLS	_Pragma("GCC visibility push(default)")
#define KMEM_END_DECLS		_Pragma("GCC visibility pop")
#endif

typedef unsigned int gfp_t;		/* how an allocation may be made: gfp.h */
typedef unsigned int slab_flags_t;	/* how a cache behaves: slab.h */

#define __kmem_malloc(dealloc)	__attribute__((malloc))
#define __kmem_alloc_size(...)	__attribute__((alloc_size(__VA_ARGS__)))

#endif /* KMEM_TYPES_H */
