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

#include <kmem/cleanup.h>
#include <kmem/gfp.h>
#include <kmem/kmalloc_obj.h>
#include <kmem/sheaf.h>
#include <kmem/types.h>

/* ---- flags of a cache ---------------------------------------------------- */

/*
 * Of those for debugging CONSISTENCY_CHECKS alone checks anything. RED_ZONE, POISON,
 * STORE_USER, TRACE and FAILSLAB are taken and keep the cache from being merged, no more:
 * nothing is written around objects or into free ones, nobody's name is kept.
 */

#define SLAB_CONSISTENCY_CHECKS	((slab_flags_t)0x00000100u) /* F: check every free */
#define SLAB_RED_ZONE		((slab_flags_t)0x00000400u) /* Z: no zone is laid */
#define SLAB_POISON		((slab_flags_t)0x00000800u) /* P: nothing is written */
#define SLAB_KMALLOC		((slab_flags_t)0x00001000u) /* a kmalloc-N cache */
#define SLAB_HWCACHE_ALIGN	((slab_flags_t)0x00002000u) /* objects on cache lines */
#define SLAB_CACHE_DMA		((slab_flags_t)0x00004000u)
#define SLAB_CACHE_DMA32	((slab_flags_t)0x00008000u)
#define SLAB_STORE_USER		((slab_flags_t)0x00010000u) /* U: nothing is recorded */
#define SLAB_RECLAIM_ACCOUNT	((slab_flags_t)0x00020000u) /* objects can be reclaimed */
#define SLAB_PANIC		((slab_flags_t)0x00040000u) /* abort if creation fails */
#define SLAB_TYPESAFE_BY_RCU	((slab_flags_t)0x00080000u)
#define SLAB_TRACE		((slab_flags_t)0x00200000u) /* T: nothing is printed */
#define SLAB_NOLEAKTRACE	((slab_flags_t)0x00800000u)
#define SLAB_NO_MERGE		((slab_flags_t)0x01000000u) /* never an alias of another */
#define SLAB_FAILSLAB		((slab_flags_t)0x02000000u) /* A: nothing fails */
#define SLAB_ACCOUNT		((slab_flags_t)0x04000000u)
#define SLAB_NO_USER_FLAGS	((slab_flags_t)0x10000000u) /* slab_debug= does not apply */
#define SLAB_SKIP_KFENCE	((slab_flags_t)0x20000000u)

/* kmalloc(0): a pointer that is not NULL and that nobody may look behind. */
#define ZERO_SIZE_PTR		((void *)16)
#define ZERO_OR_NULL_PTR(x)	((unsigned long)(x) <= (unsigned long)ZERO_SIZE_PTR)

#define ARCH_KMALLOC_MINALIGN	16

/* A request above this goes to whole pages; up to it to a kmalloc-N cache. */
#define KMALLOC_MAX_CACHE_SIZE	16384UL

/* The most that kmalloc() tries to find memory for, and the least that an object takes. */
#define KMALLOC_MAX_SIZE	(1UL << 46)
#define KMALLOC_MIN_SIZE	16

struct kmem_cache;
struct list_lru;

/**
 * struct kmem_cache_args - the less common properties of a cache
 * @align: alignment of objects in bytes, up to PAGE_SIZE, rounded up to a power of two; 0:
 *	the least (8)
 * @useroffset: start of the part that may be copied to users (recorded, shown)
 * @usersize: its length; 0: none. A part that is not inside the object is reported, and
 *	the cache made without one, as the kernel does
 * @freeptr_offset: checked (in the object, aligned as a pointer) for the kernel's
 *	callers; free objects hold no pointer here, so it has no effect
 * @use_freeptr_offset: whether @freeptr_offset is meant
 * @ctor: run once for each object when its slab is made; objects come back
 *	from kmem_cache_alloc() in constructed state
 * @sheaf_capacity: objects per magazine wanted; 0: chosen and adapted here
 *
 * The rest is an extension, for caches as libumem has them (umem.h). A cache that
 * has any of these is never merged.
 * @construct: as @ctor, with @callback_data, and it may fail: anything but 0 makes
 *	the allocation fail that needed the slab
 * @destruct: run once for each object before its slab is released; may allocate and
 *	free, must not create, shrink or destroy caches
 * @reclaim: asks the cache's owner to free objects that it can do without; called by
 *	kmem_cache_reap() and, as a SHRINKER_ON_REQUEST shrinker (shrinker.h), by
 *	kmem_reclaim() and malloc_trim(): with no lock held, and not from within an
 *	allocation, so it may wait for the owner's locks; must not destroy the cache
 * @callback_data: passed to these
 */
struct kmem_cache_args {
	unsigned int align;
	unsigned int useroffset;
	unsigned int usersize;
	unsigned int freeptr_offset;
	bool use_freeptr_offset;
	void (*ctor)(void *);
	unsigned int sheaf_capacity;
	int (*construct)(void *object, void *data, gfp_t gfp);
	void (*destruct)(void *object, void *data);
	void (*reclaim)(void *data);
	void *callback_data;
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
 * @size: bytes of an object, 1 to 4 MiB
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
 * Nobody may use @s any more. What is no cache, or was destroyed before, is left
 * alone, with a message.
 */
void kmem_cache_destroy(struct kmem_cache *s);

/** kmem_cache_shrink - release every empty slab. Return: 0 if no slab is left. */
int kmem_cache_shrink(struct kmem_cache *s);
/** kmem_cache_reap - call args.reclaim of the cache, if it has one, then shrink it. */
void kmem_cache_reap(struct kmem_cache *s);
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
 * kmem_cache_alloc_node - kmem_cache_alloc() on a node
 * @node: the one preferred, and with __GFP_THISNODE the only one; NUMA_NO_NODE: any
 */
void *kmem_cache_alloc_node(struct kmem_cache *s, gfp_t gfp, int node) __attribute__((malloc));
/** kmem_cache_alloc_lru - kmem_cache_alloc(); @lru, which serves accounting, is ignored. */
__attribute__((malloc))
static inline void *kmem_cache_alloc_lru(struct kmem_cache *s, struct list_lru *lru, gfp_t gfp)
{
	(void)lru;
	return kmem_cache_alloc(s, gfp);
}

/** kmem_cache_charge - accounting after the fact; there is none: true. */
static inline bool kmem_cache_charge(void *objp, gfp_t gfp)
{
	(void)objp;
	(void)gfp;
	return true;
}

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

/** kmalloc_node, kzalloc_node - with a node, as kmem_cache_alloc_node(). */
void *kmalloc_node(size_t size, gfp_t flags, int node) __attribute__((malloc, alloc_size(1)));
__attribute__((malloc, alloc_size(1)))
static inline void *kzalloc_node(size_t size, gfp_t flags, int node)
{
	return kmalloc_node(size, flags | __GFP_ZERO, node);
}

/** kmalloc_array_node, kcalloc_node - the same of @n elements. */
__attribute__((malloc, alloc_size(1, 2)))
static inline void *kmalloc_array_node(size_t n, size_t size, gfp_t flags, int node)
{
	size_t bytes;

	return __builtin_mul_overflow(n, size, &bytes) ? NULL : kmalloc_node(bytes, flags, node);
}

__attribute__((malloc, alloc_size(1, 2)))
static inline void *kcalloc_node(size_t n, size_t size, gfp_t flags, int node)
{
	return kmalloc_array_node(n, size, flags | __GFP_ZERO, node);
}

/**
 * kmalloc_nolock - at most KMALLOC_MAX_CACHE_SIZE bytes, from any context
 * @flags: __GFP_ZERO, __GFP_ACCOUNT; anything else is refused with a warning
 * @node: no more than a wish
 *
 * Nothing is waited for and no memory asked for from the system: where a lock is held,
 * by whomever, it looks no further. So it may be called from a signal handler whatever
 * that interrupted, and often fails.
 * Return: the memory, or NULL. kfree() frees it, too.
 */
void *kmalloc_nolock(size_t size, gfp_t flags, int node) __attribute__((malloc, alloc_size(1)));
/**
 * kfree_nolock - free memory of kmalloc_nolock() from any context
 * What cannot go home at once does so with a later kmalloc().
 */
void kfree_nolock(const void *objp);

/* Callers are found by the stack, not by an argument. */
#define kmalloc_track_caller		kmalloc
#define kmalloc_node_track_caller	kmalloc_node

/**
 * krealloc - resize; @p NULL allocates, @new_size 0 frees and gives ZERO_SIZE_PTR
 *
 * With __GFP_ZERO, and with it at every earlier step too, what is added is zero.
 * Return: the memory, NULL when there is none (then @p is as it was).
 */
void *krealloc(const void *p, size_t new_size, gfp_t flags) __attribute__((alloc_size(2)));

/** krealloc_array - krealloc() to @n elements; NULL, @p as it was, where that overflows. */
__attribute__((alloc_size(2, 3)))
static inline void *krealloc_array(void *p, size_t n, size_t size, gfp_t flags)
{
	size_t bytes;

	return __builtin_mul_overflow(n, size, &bytes) ? NULL : krealloc(p, bytes, flags);
}

/**
 * krealloc_node_align - krealloc() with an alignment and a node
 * @align: a power of two; what comes back is aligned to it, moved if need be
 * @nid: as of kmalloc_node(), for memory that is new
 */
void *krealloc_node_align(const void *p, size_t new_size, unsigned long align, gfp_t flags,
			  int nid) __attribute__((alloc_size(2)));

/** ksize - bytes behind @objp that belong to it; 0 for NULL and ZERO_SIZE_PTR. */
size_t ksize(const void *objp);
/** kmalloc_size_roundup - what ksize() would say of kmalloc(@size). */
size_t kmalloc_size_roundup(size_t size);

/* ---- buckets: kmalloc with slabs of its own ------------------------------------------ */

struct kmem_buckets;
typedef struct kmem_buckets kmem_buckets;

/**
 * kmem_buckets_create - a set of caches, one for each size class of kmalloc
 * @name: the caches are called NAME-SIZE
 * @flags: of each cache; SLAB_NO_MERGE is added
 * @useroffset, @usersize: of each cache, as far as its objects reach
 * @ctor: of each cache
 *
 * What is allocated from it shares no slab with anything else. The caches stay
 * for as long as the program runs.
 * Return: the set; NULL for bad arguments or when there is no memory.
 */
kmem_buckets *kmem_buckets_create(const char *name, slab_flags_t flags,
				  unsigned int useroffset, unsigned int usersize,
				  void (*ctor)(void *));
/**
 * kmem_buckets_alloc - kmalloc() from a set; kfree() frees it
 * @b: the set; NULL: kmalloc() itself
 *
 * More than KMALLOC_MAX_CACHE_SIZE bytes are pages of their own in any case.
 */
void *kmem_buckets_alloc(kmem_buckets *b, size_t size, gfp_t gfp)
	__attribute__((malloc, alloc_size(2)));
/** kmem_buckets_valloc - the same where kvfree() will free it. */
__attribute__((malloc, alloc_size(2)))
static inline void *kmem_buckets_valloc(kmem_buckets *b, size_t size, gfp_t gfp)
{
	return kmem_buckets_alloc(b, size, gfp);
}
#define kmem_buckets_alloc_track_caller	kmem_buckets_alloc

/* ---- checks --------------------------------------------------------------------- */

/**
 * validate_slab_cache - check all of a cache's metadata
 * Return: the number of errors found; each is printed.
 * Context: takes locks; other threads may use the cache meanwhile.
 */
long validate_slab_cache(struct kmem_cache *s);
/** validate_slab_caches - validate_slab_cache() of every cache. Return: all errors. */
long validate_slab_caches(void);

/**
 * kmem_valid_obj - whether @object lies in an object of a cache or a small kmalloc()
 * The object may be a free one. Any address may be asked about.
 */
bool kmem_valid_obj(const void *object);
/**
 * kmem_dump_obj - print which object of which cache @object points into
 * Return: false, and nothing is printed, if kmem_valid_obj() is false.
 */
bool kmem_dump_obj(const void *object);

DEFINE_FREE(kfree, void *, if (!__KMEM_NO_OBJECT(_T)) kfree(_T))
DEFINE_FREE(kfree_sensitive, void *, if (!__KMEM_NO_OBJECT(_T)) kfree_sensitive(_T))

KMEM_END_DECLS

/* ---- the names behind the kernel's allocation tags --------------------------------- */

#define kmem_cache_alloc_noprof		kmem_cache_alloc
#define kmem_cache_zalloc_noprof	kmem_cache_zalloc
#define kmem_cache_alloc_node_noprof	kmem_cache_alloc_node
#define kmem_cache_alloc_lru_noprof	kmem_cache_alloc_lru
#define kmem_cache_alloc_bulk_noprof	kmem_cache_alloc_bulk
#define kmalloc_noprof			kmalloc
#define kzalloc_noprof			kzalloc
#define kmalloc_array_noprof		kmalloc_array
#define kcalloc_noprof			kcalloc
#define kmalloc_node_noprof		kmalloc_node
#define kzalloc_node_noprof		kzalloc_node
#define kmalloc_array_node_noprof	kmalloc_array_node
#define kcalloc_node_noprof		kcalloc_node
#define kmalloc_nolock_noprof		kmalloc_nolock
#define kmalloc_track_caller_noprof	kmalloc
#define kmalloc_node_track_caller_noprof kmalloc_node
#define krealloc_noprof			krealloc
#define krealloc_node_align_noprof	krealloc_node_align
#define krealloc_array_noprof		krealloc_array
#define kmem_buckets_alloc_noprof	kmem_buckets_alloc
#define kmem_buckets_valloc_noprof	kmem_buckets_valloc

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
