/* SPDX-License-Identifier: MIT */
/**
 * DOC: mempool.h - allocation that gets through: an allocator with a reserve.
 *
 * A mempool keeps @min_nr elements of an allocator of the caller's (a cache,
 * kmalloc, pages, or two functions) for the time when that allocator has none.
 * Who takes an element and gives it back after a while needs no more than that
 * to be sure that everybody gets through.
 *
 * Contract: the kernel's mempool of the same names. mempool_alloc() with
 * __GFP_DIRECT_RECLAIM never fails: it asks the allocator for what is at hand,
 * then the reserve, then the allocator with all that the flags allow, and then it
 * waits for an element to be freed. Without that flag it ends after the reserve
 * with NULL, and does not wait.
 *
 * Context: any thread; each pool has a lock of its own, which is not held while
 * the allocator's functions run. Not from a signal handler. errno is not changed.
 */
#ifndef KMEM_MEMPOOL_H
#define KMEM_MEMPOOL_H

#include <kmem/gfp.h>
#include <kmem/types.h>

struct kmem_cache;
struct mempool_lock;

/** typedef mempool_alloc_t - takes an element from the allocator, or gives NULL */
typedef void *(mempool_alloc_t)(gfp_t gfp_mask, void *pool_data);
/** typedef mempool_free_t - gives one back to it */
typedef void (mempool_free_t)(void *element, void *pool_data);

/**
 * struct mempool - to be read by its users, at most
 * @min_nr: elements in a full reserve; negative: ended; the pool's lock
 * @curr_nr: elements in it now; the pool's lock, read without it
 * @elements: the reserve, the last one the next to go; the pool's lock
 * @top: that one, NULL: none; the pool's lock, read without it
 * @pool_data, @alloc, @free: the allocator; constant
 * @lock: the lock and those who wait; NULL: not initialised
 */
typedef struct mempool {
	int min_nr;
	int curr_nr;
	void **elements;
	void *top;
	void *pool_data;
	mempool_alloc_t *alloc;
	mempool_free_t *free;
	struct mempool_lock *lock;
} mempool_t;

KMEM_BEGIN_DECLS

/* ---- pools -------------------------------------------------------------------- */

/**
 * mempool_init_node - make a pool in the caller's memory, and fill its reserve
 * @pool: uninitialised memory; it must not be moved
 * @min_nr: elements in the reserve, 0 or more
 * @alloc_fn, @free_fn, @pool_data: the allocator
 * @gfp_mask: how the pool's own memory and the reserve are allocated
 * @node_id: preferred for the pool's own memory
 * Return: 0; -EINVAL for a negative @min_nr or a missing function, -ENOMEM: nothing is left behind.
 */
int mempool_init_node(struct mempool *pool, int min_nr, mempool_alloc_t *alloc_fn,
		      mempool_free_t *free_fn, void *pool_data, gfp_t gfp_mask, int node_id);
/** mempool_init - the same with GFP_KERNEL on any node. */
int mempool_init(struct mempool *pool, int min_nr, mempool_alloc_t *alloc_fn,
		 mempool_free_t *free_fn, void *pool_data);
/**
 * mempool_exit - give the reserve back; elements in use are their users' to free
 * A pool that is all zero, or has been through here, is left alone.
 */
void mempool_exit(struct mempool *pool);

/** mempool_create_node - mempool_init_node() in memory of its own. Return: it or NULL. */
struct mempool *mempool_create_node(int min_nr, mempool_alloc_t *alloc_fn,
				    mempool_free_t *free_fn, void *pool_data,
				    gfp_t gfp_mask, int nid);
/** mempool_create - the same with GFP_KERNEL on any node. */
struct mempool *mempool_create(int min_nr, mempool_alloc_t *alloc_fn,
			       mempool_free_t *free_fn, void *pool_data);
/** mempool_destroy - mempool_exit(), and the pool's memory; NULL is allowed. */
void mempool_destroy(struct mempool *pool);

/**
 * mempool_resize - change the size of the reserve
 * @new_min_nr: 1 or more
 *
 * A smaller one gives elements back. A larger one is filled with what can be
 * had; what is missing comes from elements that are freed. It may wait. One
 * thread at a time may resize a pool; others may use it meanwhile.
 * Return: 0; -EINVAL for @new_min_nr < 1, -ENOMEM: the pool is as it was.
 */
int mempool_resize(struct mempool *pool, int new_min_nr);

/** mempool_initialized - whether a pool in zeroed memory has been initialised. */
static inline bool mempool_initialized(struct mempool *pool)
{
	return pool->elements != NULL;
}

/** mempool_is_saturated - whether the reserve is full. A moment later it may not be. */
static inline bool mempool_is_saturated(struct mempool *pool)
{
	return __atomic_load_n(&pool->curr_nr, __ATOMIC_RELAXED) >=
	       __atomic_load_n(&pool->min_nr, __ATOMIC_RELAXED);
}

/* ---- elements ------------------------------------------------------------------ */

/**
 * mempool_alloc - an element
 * @gfp_mask: how; __GFP_ZERO is not allowed (elements of the reserve are not
 *	zeroed): it warns once and is ignored
 * Return: the element. NULL: only without __GFP_DIRECT_RECLAIM.
 */
void *mempool_alloc(struct mempool *pool, gfp_t gfp_mask) __attribute__((malloc));
/** mempool_alloc_preallocated - an element of the reserve; NULL if it is empty. */
void *mempool_alloc_preallocated(struct mempool *pool) __attribute__((malloc));
/**
 * mempool_free - give an element back, to the reserve first; NULL is allowed
 *
 * The program ends with a report for one that is among the last in the reserve when
 * it should go there, or the very last in a full one; for one that should go there
 * and is not an object of the cache, or of kmalloc(); and for a pool that was
 * destroyed, as long as its memory is not used for anything else. What goes to the
 * allocator is checked by that.
 */
void mempool_free(void *element, struct mempool *pool);

/**
 * mempool_alloc_bulk - fill the empty slots of an array, as with GFP_KERNEL
 * @elems: slots that are not NULL are left alone
 * @count: its slots; no more than min_nr, or it may wait for ever
 * @allocated: how many of the slots are filled already
 *
 * Either the allocator or the reserve fills all that is missing: two threads that
 * each hold a part of what they need never wait for each other.
 * Return: 0.
 */
int mempool_alloc_bulk(struct mempool *pool, void **elems, unsigned int count,
		       unsigned int allocated);
/**
 * mempool_free_bulk - fill the reserve from an array
 *
 * Slots from the first on go to the reserve as far as it needs them, and become
 * NULL; the others are the caller's to give back to the allocator.
 * Return: how many went to the reserve.
 */
unsigned int mempool_free_bulk(struct mempool *pool, void **elems, unsigned int count);

/* ---- allocators ------------------------------------------------------------------- */

/* Objects of a cache: @pool_data is the struct kmem_cache *. */
void *mempool_alloc_slab(gfp_t gfp_mask, void *pool_data);
void mempool_free_slab(void *element, void *pool_data);

static inline int mempool_init_slab_pool(struct mempool *pool, int min_nr, struct kmem_cache *kc)
{
	return mempool_init(pool, min_nr, mempool_alloc_slab, mempool_free_slab, (void *)kc);
}

static inline struct mempool *mempool_create_slab_pool(int min_nr, struct kmem_cache *kc)
{
	return mempool_create(min_nr, mempool_alloc_slab, mempool_free_slab, (void *)kc);
}

/* kmalloc(): @pool_data is the size. */
void *mempool_kmalloc(gfp_t gfp_mask, void *pool_data);
void mempool_kfree(void *element, void *pool_data);

static inline int mempool_init_kmalloc_pool(struct mempool *pool, int min_nr, size_t size)
{
	return mempool_init(pool, min_nr, mempool_kmalloc, mempool_kfree, (void *)size);
}

static inline struct mempool *mempool_create_kmalloc_pool(int min_nr, size_t size)
{
	return mempool_create(min_nr, mempool_kmalloc, mempool_kfree, (void *)size);
}

/* Blocks of pages: @pool_data is the order, an element a struct page *. */
void *mempool_alloc_pages(gfp_t gfp_mask, void *pool_data);
void mempool_free_pages(void *element, void *pool_data);

static inline int mempool_init_page_pool(struct mempool *pool, int min_nr, int order)
{
	return mempool_init(pool, min_nr, mempool_alloc_pages, mempool_free_pages,
			    (void *)(long)order);
}

static inline struct mempool *mempool_create_page_pool(int min_nr, int order)
{
	return mempool_create(min_nr, mempool_alloc_pages, mempool_free_pages,
			      (void *)(long)order);
}

KMEM_END_DECLS

/* ---- the names behind the kernel's allocation tags --------------------------------- */

#define mempool_init_noprof		mempool_init
#define mempool_create_node_noprof	mempool_create_node
#define mempool_alloc_noprof		mempool_alloc
#define mempool_alloc_bulk_noprof	mempool_alloc_bulk

#endif /* KMEM_MEMPOOL_H */
