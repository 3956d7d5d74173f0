/* SPDX-License-Identifier: MIT */
/**
 * DOC: umem.h - object caches under the names of libumem.
 *
 * Contracts: illumos' umem_alloc(3MALLOC) and umem_cache_create(3MALLOC), and the
 * names that OpenZFS adds. A cache is a kmem_cache and is seen as one by slabinfo;
 * memory from umem_alloc() is kmalloc()'s.
 *
 * Context: as of the functions of slab.h.
 */
#ifndef KMEM_UMEM_H
#define KMEM_UMEM_H

#include <stdlib.h>

#include <kmem/types.h>

/* How an allocation may fail: with NULL; never: the callback decides (see below). */
#define UMEM_DEFAULT		0x0000
#define UMEM_NOFAIL		0x0100

/* Of a cache. The middle ones are accepted: they tune what is tuned otherwise here. */
#define UMC_NOTOUCH		0x00010000	/* never write to a free object: always so */
#define UMC_NODEBUG		0x00020000	/* slab_debug= does not apply */
#define UMC_NOMAGAZINE		0x00040000
#define UMC_NOHASH		0x00080000
#define UMC_KMEM		0x00000000	/* OpenZFS' names for kinds of memory */
#define UMC_KVMEM		0x00000000

/* What a nofail callback answers: try again; exit(status). */
#define UMEM_CALLBACK_RETRY		0
#define UMEM_CALLBACK_EXIT(status)	(0x100 | ((status) & 0xff))

typedef struct umem_cache umem_cache_t;
typedef struct vmem vmem_t;

/* Return: 0, or -1: the allocation fails. @flags: UMEM_DEFAULT or UMEM_NOFAIL. */
typedef int umem_constructor_t(void *buf, void *callback_data, int flags);
typedef void umem_destructor_t(void *buf, void *callback_data);
typedef void umem_reclaim_t(void *callback_data);
typedef int umem_nofail_callback_t(void);

KMEM_BEGIN_DECLS

/**
 * umem_cache_create - make a cache
 * @debug_name: shown by slabinfo and in reports; copied
 * @bufsize: bytes of an object
 * @align: a power of two up to a page; 0: 16, or 8 for less than 16 bytes
 * @constructor: run once for each object when its memory is taken from the system
 *	or NULL; objects are freed in constructed state
 * @destructor: run for each object before its memory is given back, or NULL; must
 *	not create, shrink or destroy caches
 * @reclaim: asks the owner to free what it can do without, or NULL (umem_reap())
 * @callback_data: passed to the three
 * @source: NULL; there are no other arenas
 * @cflags: UMC_*
 *
 * Return: the cache; NULL and errno EINVAL or ENOMEM.
 */
umem_cache_t *umem_cache_create(char *debug_name, size_t bufsize, size_t align,
				umem_constructor_t *constructor,
				umem_destructor_t *destructor, umem_reclaim_t *reclaim,
				void *callback_data, vmem_t *source, int cflags);
/** umem_cache_destroy - end a cache, as kmem_cache_destroy(); NULL is allowed. */
void umem_cache_destroy(umem_cache_t *cp);

/** umem_cache_alloc - an object in constructed state; NULL when there is no memory. */
void *umem_cache_alloc(umem_cache_t *cp, int flags) __attribute__((malloc));
/** umem_cache_free - give it back in constructed state; NULL is allowed. */
void umem_cache_free(umem_cache_t *cp, void *buf);
/** umem_cache_reap_now - call the cache's reclaim callback, then release empty slabs. */
void umem_cache_reap_now(umem_cache_t *cp);
/** umem_reap - all that can be had: kmem_reclaim(KMEM_LIMIT_NONE), callbacks included. */
void umem_reap(void);

/**
 * umem_alloc, umem_zalloc - @size bytes; NULL for none, or when there is no memory
 * umem_alloc_aligned - the same with an alignment, a power of two
 */
void *umem_alloc(size_t size, int flags) __attribute__((malloc, alloc_size(1)));
void *umem_zalloc(size_t size, int flags) __attribute__((malloc, alloc_size(1)));
void *umem_alloc_aligned(size_t size, size_t align, int flags)
	__attribute__((malloc, alloc_size(1)));
/** umem_free - give back @size bytes, as allocated; NULL is allowed. */
void umem_free(void *buf, size_t size);

/**
 * umem_nofail_callback - what happens when UMEM_NOFAIL finds no memory
 * @callback: returns UMEM_CALLBACK_RETRY or UMEM_CALLBACK_EXIT(status), or does not
 *	return; NULL, as at first: exit with status 255
 *
 * It is called with no lock held and may free memory.
 */
void umem_nofail_callback(umem_nofail_callback_t *callback);

/* illumos' and OpenZFS' other names. */
static inline void *umem_alloc_align(size_t size, size_t align, int flags)
{
	return umem_alloc_aligned(size, align, flags);
}

static inline void umem_free_aligned(void *buf, size_t size)
{
	umem_free(buf, size);
}

static inline void umem_free_align(void *buf, size_t size)
{
	umem_free(buf, size);
}

static inline void umem_init(void)
{
}

static inline void umem_fini(void)
{
}

KMEM_END_DECLS

#endif /* KMEM_UMEM_H */
