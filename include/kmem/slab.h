/* SPDX-License-Identifier: MIT */
/**
 * DOC: slab.h - object caches and kmalloc, under the kernel's names.
 *
 * Contracts: the kernel's include/linux/slab.h and Documentation/core-api/
 * memory-allocation; what differs in a process is in Documentation/mm/slab.rst.
 *
 * Context of all functions unless said otherwise: any thread. A hit in the
 * CPU's magazine takes no lock, waits for nothing and is safe in a signal
 * handler; a miss takes locks and, where the flags allow, makes system calls.
 * None of them changes errno.
 */
#ifndef KMEM_SLAB_H
#define KMEM_SLAB_H

#include <kmem/gfp.h>
#include <kmem/types.h>

/* ---- flags of a cache ---------------------------------------------------- */

#define SLAB_CONSISTENCY_CHECKS	((slab_flags_t)0x00000100u) /* F: check every free */
#define SLAB_RED_ZONE		((slab_flags_t)0x00000400u) /* Z */
#define SLAB_POISON		((slab_flags_t)0x00000800u) /* P */
#define SLAB_KMALLOC		((slab_flags_t)0x00001000u) /* a kmalloc-N cache */
#define SLAB_HWCACHE_ALIGN	((slab_flags_t)0x00002000u) /* objects on cache lines */
#define SLAB_CACHE_DMA		((slab_flags_t)0x00004000u)
#define SLAB_CACHE_DMA32	((slab_flags_t)0x00008000u)
#define SLAB_STORE_USER		((slab_flags_t)0x00010000u) /* U */
#define SLAB_RECLAIM_ACCOUNT	((slab_flags_t)0x00020000u) /* objects can be reclaimed */
#define SLAB_PANIC		((slab_flags_t)0x00040000u) /* abort if creation fails */
#define SLAB_TYPESAFE_BY_RCU	((slab_flags_t)0x00080000u)
#define SLAB_TRACE		((slab_flags_t)0x00200000u) /* T */
#define SLAB_NOLEAKTRACE	((slab_flags_t)0x00800000u)
#define SLAB_NO_MERGE		((slab_flags_t)0x01000000u) /* never an alias of another */
#define SLAB_FAILSLAB		((slab_flags_t)0x02000000u) /* A */
#define SLAB_ACCOUNT		((slab_flags_t)0x04000000u)
#define SLAB_NO_USER_FLAGS	((slab_flags_t)0x10000000u) /* slab_debug= does not apply */
#define SLAB_SKIP_KFENCE	((slab_flags_t)0x20000000u)

/* kmalloc(0): a pointer that is not NULL and that nobody may look behind. */
#define ZERO_SIZE_PTR		((void *)16)
#define ZERO_OR_NULL_PTR(x)	((unsigned long)(x) <= (unsigned long)ZERO_SIZE_PTR)

#define ARCH_KMALLOC_MINALIGN	16

/* A request above this goes to whole pages; up to it to a kmalloc-N cache. */
#define KMALLOC_MAX_CACHE_SIZE	32768UL

struct kmem_cache;

/**
 * struct kmem_cache_args - the less common properties of a cache
 * @align: alignment of objects in bytes, a power of two; 0: the least (8)
 * @useroffset: start of the part that may be copied to users (recorded, shown)
 * @usersize: its length; 0: none
 * @freeptr_offset: accepted for the kernel's callers; free objects hold no
 *	pointer here, so it has no effect
 * @use_freeptr_offset: whether @freeptr_offset is meant
 * @ctor: run once for each object when its slab is made; objects come back
 *	from kmem_cache_alloc() in constructed state
 * @sheaf_capacity: objects per magazine wanted; 0: chosen and adapted here
 */
struct kmem_cache_args {
	unsigned int align;
	unsigned int useroffset;
	unsigned int usersize;
	unsigned int freeptr_offset;
	bool use_freeptr_offset;
	void (*ctor)(void *);
	unsigned int sheaf_capacity;
};

KMEM_BEGIN_DECLS

/* ---- creating and destroying --------------------------------------------- */

struct kmem_cache *__kmem_cache_create_args(const char *name, unsigned int size,
					    struct kmem_cache_args *args,
					    slab_flags_t flags);
struct kmem_cache *__kmem_cache_create(const char *name, unsigned int size,
				       unsigned int align, slab_flags_t flags,
				       void (*ctor)(void *));
struct kmem_cache *__kmem_cache_default_args(const char *name, unsigned int size,
					     void *null_args, slab_flags_t flags);

/**
 * kmem_cache_create - make a cache of objects of one size
 * @name: shown by slabinfo and in reports; copied
 * @size: bytes of an object, 1 to KMALLOC_MAX_CACHE_SIZE * 128
 * Then either (struct kmem_cache_args * or NULL, flags), or the older
 * (align, flags, ctor).
 *
 * Like caches share their slabs (are merged) unless told not to.
 * Context: may take locks and make system calls.
 * Return: the cache; NULL for bad arguments (with a message) or out of
 * memory; with SLAB_PANIC it aborts instead.
 */
#ifndef __cplusplus
#define kmem_cache_create(name, size, args, ...)			\
	_Generic((args),						\
		 struct kmem_cache_args *: __kmem_cache_create_args,	\
		 void *: __kmem_cache_default_args,			\
		 default: __kmem_cache_create)(name, size, args, __VA_ARGS__)
#endif

struct kmem_cache *kmem_cache_create_usercopy(const char *name, unsigned int size,
					      unsigned int align, slab_flags_t flags,
					      unsigned int useroffset,
					      unsigned int usersize,
					      void (*ctor)(void *));

/** KMEM_CACHE - a cache for a struct, named after it and aligned as it. */
#define KMEM_CACHE(__struct, __flags)					\
	__kmem_cache_create(#__struct, sizeof(struct __struct),		\
			    __alignof__(struct __struct), (__flags), NULL)
#define KMEM_CACHE_USERCOPY(__struct, __flags, __field)			\
	kmem_cache_create_usercopy(#__struct, sizeof(struct __struct),	\
			__alignof__(struct __struct), (__flags),	\
			offsetof(struct __struct, __field),		\
			sizeof(((struct __struct *)0)->__field), NULL)

/**
 * kmem_cache_destroy - end a cache; NULL is allowed
 *
 * With objects still in use it says so, lists them, and leaks the cache.
 * Nobody may use @s any more.
 */
void kmem_cache_destroy(struct kmem_cache *s);

/** kmem_cache_shrink - release every empty slab. Return: 0 if no slab is left. */
int kmem_cache_shrink(struct kmem_cache *s);
/** kmem_cache_size - the size of an object as it was asked for. */
unsigned int kmem_cache_size(struct kmem_cache *s);
const char *kmem_cache_name(struct kmem_cache *s);
/** slab_is_available - whether caches can be created (true once loaded). */
bool slab_is_available(void);

/* ---- objects ---------------------------------------------------------------- */

/** kmem_cache_free - give an object back; @obj NULL is allowed. */
void kmem_cache_free(struct kmem_cache *s, void *obj);
/** kmem_cache_alloc - take an object. Return: it, or NULL when there is no memory. */
void *kmem_cache_alloc(struct kmem_cache *s, gfp_t gfp) __attribute__((malloc));
/** kmem_cache_zalloc - the same, zeroed. Not for caches with a constructor. */
void *kmem_cache_zalloc(struct kmem_cache *s, gfp_t gfp) __attribute__((malloc));

/**
 * kmem_cache_alloc_bulk - take @nr objects, all or none
 * Return: @nr, or 0 with nothing taken.
 */
int kmem_cache_alloc_bulk(struct kmem_cache *s, gfp_t gfp, size_t nr, void **p);
/**
 * kmem_cache_free_bulk - give @nr objects back
 * @s: their cache, or NULL where they come from several; NULL objects are
 *	passed over
 */
void kmem_cache_free_bulk(struct kmem_cache *s, size_t nr, void **p);

/* ---- kmalloc ------------------------------------------------------------------ */

/** kfree - free memory of kmalloc() or of any cache; NULL and ZERO_SIZE_PTR are allowed. */
void kfree(const void *objp);
/** kfree_sensitive - the same, overwriting the content with zeros first. */
void kfree_sensitive(const void *objp);
/** kfree_bulk - kfree() @nr pointers. */
static inline void kfree_bulk(size_t nr, void **p)
{
	kmem_cache_free_bulk(NULL, nr, p);
}

/**
 * kmalloc - @size bytes
 *
 * Alignment: a power-of-two size is aligned to itself (up to a page's order),
 * others to their largest power-of-two divisor, at least 8.
 * Return: the memory, ZERO_SIZE_PTR for size 0, NULL when there is none.
 */
void *kmalloc(size_t size, gfp_t flags) __attribute__((malloc, alloc_size(1)));
void *kzalloc(size_t size, gfp_t flags) __attribute__((malloc, alloc_size(1)));
/** kmalloc_array, kcalloc - @n elements; NULL where @n * @size overflows. */
void *kmalloc_array(size_t n, size_t size, gfp_t flags) __attribute__((malloc, alloc_size(1, 2)));
void *kcalloc(size_t n, size_t size, gfp_t flags) __attribute__((malloc, alloc_size(1, 2)));

/**
 * krealloc - resize; @p NULL allocates, @new_size 0 frees and gives ZERO_SIZE_PTR
 *
 * With __GFP_ZERO, and with it at every earlier step too, what is added is zero.
 * Return: the memory, NULL when there is none (then @p is as it was).
 */
void *krealloc(const void *p, size_t new_size, gfp_t flags) __attribute__((alloc_size(2)));

/** ksize - bytes behind @objp that belong to it; 0 for NULL and ZERO_SIZE_PTR. */
size_t ksize(const void *objp);
/** kmalloc_size_roundup - what ksize() would say of kmalloc(@size). */
size_t kmalloc_size_roundup(size_t size);

/* ---- checks --------------------------------------------------------------------- */

/**
 * validate_slab_cache - check all of a cache's metadata
 * Return: the number of errors found; each is printed.
 * Context: takes locks; other threads may use the cache meanwhile.
 */
long validate_slab_cache(struct kmem_cache *s);

KMEM_END_DECLS

#ifdef __cplusplus
static inline struct kmem_cache *kmem_cache_create(const char *name, unsigned int size,
						   unsigned int align, slab_flags_t flags,
						   void (*ctor)(void *))
{
	return __kmem_cache_create(name, size, align, flags, ctor);
}

static inline struct kmem_cache *kmem_cache_create(const char *name, unsigned int size,
						   struct kmem_cache_args *args,
						   slab_flags_t flags)
{
	return __kmem_cache_create_args(name, size, args, flags);
}

static inline struct kmem_cache *kmem_cache_create(const char *name, unsigned int size,
						   decltype(nullptr), slab_flags_t flags)
{
	return __kmem_cache_default_args(name, size, nullptr, flags);
}
#endif

#endif /* KMEM_SLAB_H */
