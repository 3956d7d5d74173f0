// SPDX-License-Identifier: MIT
/*
 * mempool.c - allocators with a reserve.
 *
 * The ladder of mempool_alloc():
 *
 *	allocator, what is at hand	no reclaim, no warning, no reserves of its own
 *	the reserve
 *	allocator, all of the flags	(__GFP_DIRECT_RECLAIM from here on)
 *	the reserve
 *	wait for a free, begin again
 *
 * Elements go back to the reserve while that is not full, so the reserve is
 * refilled before anybody else has a chance.
 *
 * Waiting. freed counts the frees that waiters must hear of; a waiter notes it
 * under the lock, together with an empty reserve, and sleeps while it has not
 * changed (futex). A free that fills the reserve adds to it under the same lock,
 * so it either comes before, and the reserve was not empty, or it changes the word
 * that the waiter sleeps on. A pool without a reserve (min_nr 0) has one slot all
 * the same, which a free fills while somebody waits. Memory may also come back to
 * the allocator by other ways than this pool; for that a waiter looks again every
 * WAIT_MS.
 *
 * Freeing looks at curr_nr without the lock. If the element that is freed was
 * taken out of the reserve, then curr_nr went below min_nr before, and the element
 * came to the one who frees it after that: along whatever way it came, this way
 * orders the two (a relaxed one together with the fence here). Without that
 * order a free might see the reserve full as it was before, give the element to
 * the allocator, and leave the reserve short, with somebody asleep, for good.
 *
 * Locks: the pool's; the allocator's functions run without it.
 */
#include <kmem/mempool.h>

#include <errno.h>
#include <limits.h>

#include <kmem/page_alloc.h>
#include <kmem/slab.h>

#include "base/bug.h"
#include "host/host.h"
#include "pool_lock.h"
#include "slab.h"

/* How often a waiter looks for memory that came back by another way. */
#define WAIT_MS	100

/* Elements of the reserve that a free compares its own with: a few cache lines. */
#define LOOK_BACK	64

/* struct mempool::min_nr of a pool after mempool_exit(), and after mempool_destroy(). */
#define ENDED		(-1)
#define DESTROYED	(-2)

struct mempool_lock {
	struct pool_lock lock;		/* the pool's, and all below */
	u32 freed;			/* frees since the beginning; waiters sleep on it */
	u32 waiters;			/* threads that sleep on it, or are about to */
};

/* ---- the reserve: lock held -------------------------------------------------------------- */

static void set_nr(struct mempool *pool, int nr)
{
	WRITE_ONCE(pool->curr_nr, nr);
	WRITE_ONCE(pool->top, nr ? pool->elements[nr - 1] : NULL);
}

static void push(struct mempool *pool, void *element)
{
	pool->elements[pool->curr_nr] = element;
	set_nr(pool, pool->curr_nr + 1);
}

static void *pop(struct mempool *pool)
{
	void *element;

	BUG_ON(pool->curr_nr <= 0);
	element = pool->elements[pool->curr_nr - 1];
	set_nr(pool, pool->curr_nr - 1);
	return element;
}

/*
 * Freed twice, both times into the reserve: two users would get it. Only the last
 * ones are looked at, where the other free is most likely to have left it.
 */
static bool there_already(const struct mempool *pool, const void *element)
{
	for (int i = pool->curr_nr; i > 0 && i > pool->curr_nr - LOOK_BACK; i--)
		if (unlikely(pool->elements[i - 1] == element))
			return true;
	return false;
}

/* Not of the pool's cache; of kmalloc(), what is no object of any. */
static bool foreign(const struct mempool *pool, const void *element)
{
	if (pool->alloc == mempool_alloc_slab)
		return virt_to_cache(element) != pool->pool_data;
	if (pool->alloc == mempool_kmalloc && (size_t)pool->pool_data - 1 < KMALLOC_MAX_CACHE_SIZE)
		return !virt_to_cache(element);
	return false;
}

/* Why @element must not get into the reserve, or NULL. */
static const char *refusal(const struct mempool *pool, const void *element)
{
	if (unlikely(there_already(pool, element)))
		return "is in the reserve already (a double free)";
	return unlikely(foreign(pool, element)) ? "is not of the pool's allocator" : NULL;
}

/* Whether a free goes to the reserve. */
static bool wanted(const struct mempool *pool)
{
	if (pool->curr_nr < pool->min_nr)
		return true;
	return pool->min_nr == 0 && pool->curr_nr == 0 && pool->lock->waiters;
}

/*
 * The same without the lock, too often yes rather than too often no. What is read
 * is no older than what handed the element to this thread: see above.
 */
static bool may_be_wanted(const struct mempool *pool)
{
	int curr, min_nr;

	/* ThreadSanitizer knows no fences; x86, where it runs, keeps loads in order. */
#ifndef KMEM_TSAN
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
#endif
	curr = READ_ONCE(pool->curr_nr);
	min_nr = READ_ONCE(pool->min_nr);
	return curr < min_nr || (min_nr == 0 && curr == 0 && READ_ONCE(pool->lock->waiters));
}

/* After @nr elements went to the reserve: the lock, and those who wait for them. */
static void unlock_and_wake(struct mempool *pool, unsigned int nr)
{
	struct mempool_lock *l = pool->lock;
	bool waiters = nr && l->waiters;

	if (waiters)
		WRITE_ONCE(l->freed, l->freed + 1);
	pool_unlock(&l->lock);
	if (waiters)
		host_futex_wake(&l->freed, (int)min(nr, (unsigned int)INT_MAX));
}

/* ---- making and ending ------------------------------------------------------------------- */

static int slots(int min_nr)
{
	return max(min_nr, 1);
}

/*
 * The allocator of a pool that has ended: whoever goes on using it is told, as long as
 * its memory has not become something else, and no path has a check for that.
 */
static void *ended_alloc(gfp_t gfp, void *pool_data)
{
	(void)gfp;
	BUG("mempool_alloc: the pool (%p) was destroyed", pool_data);
}

static void ended_free(void *element, void *pool_data)
{
	BUG("mempool_free: %p: the pool (%p) was destroyed", element, pool_data);
}

/* The lock, in functions that do not ask the allocator first. */
static struct mempool_lock *lock_of(struct mempool *pool, const char *who)
{
	if (unlikely(!pool->lock))
		BUG("%s: %p is not a pool, or one that was destroyed", who, (void *)pool);
	return pool->lock;
}

void mempool_exit(struct mempool *pool)
{
	if (!pool->elements)
		return;
	while (pool->curr_nr > 0)
		pool->free(pop(pool), pool->pool_data);
	pool_lock_exit(&pool->lock->lock);
	kfree(pool->lock);
	kfree(pool->elements);
	*pool = (struct mempool){
		.min_nr = ENDED, .alloc = ended_alloc, .free = ended_free, .pool_data = pool,
	};
}

int mempool_init_node(struct mempool *pool, int min_nr, mempool_alloc_t *alloc_fn,
		      mempool_free_t *free_fn, void *pool_data, gfp_t gfp_mask, int node_id)
{
	*pool = (struct mempool){
		.min_nr = max(min_nr, 0), .alloc = alloc_fn, .free = free_fn,
		.pool_data = pool_data,
	};
	if (min_nr < 0 || !alloc_fn || !free_fn)
		return -EINVAL;
	pool->lock = kzalloc_node(sizeof(*pool->lock), gfp_mask, node_id);
	pool->elements = kmalloc_array_node((size_t)slots(min_nr), sizeof(void *), gfp_mask,
					    node_id);
	if (!pool->lock || !pool->elements) {
		kfree(pool->lock);
		kfree(pool->elements);
		pool->lock = NULL;
		pool->elements = NULL;
		return -ENOMEM;
	}
	pool_lock_init(&pool->lock->lock);
	while (pool->curr_nr < min_nr) {
		void *element = alloc_fn(gfp_mask, pool_data);

		if (!element) {
			mempool_exit(pool);
			return -ENOMEM;
		}
		push(pool, element);
	}
	return 0;
}

int mempool_init(struct mempool *pool, int min_nr, mempool_alloc_t *alloc_fn,
		 mempool_free_t *free_fn, void *pool_data)
{
	return mempool_init_node(pool, min_nr, alloc_fn, free_fn, pool_data, GFP_KERNEL,
				 NUMA_NO_NODE);
}

struct mempool *mempool_create_node(int min_nr, mempool_alloc_t *alloc_fn,
				    mempool_free_t *free_fn, void *pool_data,
				    gfp_t gfp_mask, int nid)
{
	struct mempool *pool = kmalloc_node(sizeof(*pool), gfp_mask, nid);

	if (pool && mempool_init_node(pool, min_nr, alloc_fn, free_fn, pool_data, gfp_mask,
				      nid) != 0) {
		kfree(pool);
		pool = NULL;
	}
	return pool;
}

struct mempool *mempool_create(int min_nr, mempool_alloc_t *alloc_fn,
			       mempool_free_t *free_fn, void *pool_data)
{
	return mempool_create_node(min_nr, alloc_fn, free_fn, pool_data, GFP_KERNEL,
				   NUMA_NO_NODE);
}

void mempool_destroy(struct mempool *pool)
{
	if (!pool)
		return;
	if (unlikely(pool->min_nr == DESTROYED))
		BUG("mempool_destroy: %p was destroyed already", (void *)pool);
	mempool_exit(pool);
	pool->min_nr = DESTROYED;
	kfree(pool);
}

/* ---- resizing ---------------------------------------------------------------------------- */

/* Lowers min_nr; what is too many goes back to the allocator one by one. */
static void shrink(struct mempool *pool, int min_nr)
{
	struct pool_lock *l = &pool->lock->lock;

	pool_lock(l);
	WRITE_ONCE(pool->min_nr, min_nr);
	while (pool->curr_nr > min_nr) {
		void *element = pop(pool);

		pool_unlock(l);
		pool->free(element, pool->pool_data);
		pool_lock(l);
	}
	pool_unlock(l);
}

/* From here on frees fill the larger reserve, and so do we as far as we can. */
static void fill(struct mempool *pool)
{
	void *element;

	while (!mempool_is_saturated(pool)) {
		element = pool->alloc(GFP_KERNEL, pool->pool_data);
		if (!element)
			return;
		mempool_free(element, pool);
	}
}

int mempool_resize(struct mempool *pool, int new_min_nr)
{
	struct pool_lock *l = &lock_of(pool, "mempool_resize")->lock;
	void **larger, **old;

	if (new_min_nr < 1)
		return -EINVAL;
	/* Resizes do not meet: by contract there is one owner who does it. */
	if (new_min_nr <= READ_ONCE(pool->min_nr)) {
		shrink(pool, new_min_nr);
		return 0;
	}
	larger = kmalloc_array((size_t)new_min_nr, sizeof(void *), GFP_KERNEL);
	if (!larger)
		return -ENOMEM;
	pool_lock(l);
	old = pool->elements;
	for (int i = 0; i < pool->curr_nr; i++)
		larger[i] = old[i];
	pool->elements = larger;
	WRITE_ONCE(pool->min_nr, new_min_nr);
	pool_unlock(l);
	kfree(old);
	fill(pool);
	return 0;
}

/* ---- allocation -------------------------------------------------------------------------- */

/* What a first, careless try may do: take what is at hand, and say nothing. */
static gfp_t at_hand(gfp_t gfp)
{
	return (gfp | __GFP_NOMEMALLOC | __GFP_NORETRY | __GFP_NOWARN) &
	       ~(__GFP_DIRECT_RECLAIM | __GFP_IO);
}

static gfp_t full(gfp_t gfp)
{
	return gfp | __GFP_NOMEMALLOC | __GFP_NORETRY | __GFP_NOWARN;
}

/*
 * Fills the @missing empty slots among the first @count from the reserve, all or
 * none. With @wait it sleeps until something was freed, if it could not. True: done.
 */
static bool take_reserve(struct mempool *pool, void **elems, unsigned int count,
			 unsigned int missing, bool wait)
{
	struct mempool_lock *l = pool->lock;
	u32 seen;

	pool_lock(&l->lock);
	if ((unsigned int)pool->curr_nr >= missing) {
		for (unsigned int i = 0; i < count; i++)
			if (!elems[i])
				elems[i] = pop(pool);
		pool_unlock(&l->lock);
		return true;
	}
	if (!wait) {
		pool_unlock(&l->lock);
		return false;
	}
	seen = l->freed;
	WRITE_ONCE(l->waiters, l->waiters + 1);
	pool_unlock(&l->lock);
	host_futex_wait_ms(&l->freed, seen, WAIT_MS);
	pool_lock(&l->lock);
	WRITE_ONCE(l->waiters, l->waiters - 1);
	pool_unlock(&l->lock);
	return false;
}

/* One round of the allocator over the empty slots. Returns how many remain. */
static unsigned int take_allocator(struct mempool *pool, void **elems, unsigned int count,
				   gfp_t gfp)
{
	unsigned int missing = 0;

	for (unsigned int i = 0; i < count; i++) {
		if (!elems[i] && !missing)
			elems[i] = pool->alloc(gfp, pool->pool_data);
		missing += !elems[i];
	}
	return missing;
}

static noinline bool alloc_slow(struct mempool *pool, void **elems, unsigned int count,
				unsigned int missing, gfp_t gfp)
{
	for (;;) {
		if (take_reserve(pool, elems, count, missing, false))
			return true;
		if (!gfpflags_allow_blocking(gfp))
			return false;
		missing = take_allocator(pool, elems, count, full(gfp));
		if (!missing || take_reserve(pool, elems, count, missing, true))
			return true;
	}
}

void *mempool_alloc(struct mempool *pool, gfp_t gfp)
{
	void *element;

	if (WARN_ONCE(gfp & __GFP_ZERO, "mempool_alloc: __GFP_ZERO"))
		gfp &= ~__GFP_ZERO;
	element = pool->alloc(at_hand(gfp), pool->pool_data);
	if (likely(element))
		return element;
	return alloc_slow(pool, &element, 1, 1, gfp) ? element : NULL;
}

void *mempool_alloc_preallocated(struct mempool *pool)
{
	void *element = NULL;

	lock_of(pool, "mempool_alloc_preallocated");
	return take_reserve(pool, &element, 1, 1, false) ? element : NULL;
}

int mempool_alloc_bulk(struct mempool *pool, void **elems, unsigned int count,
		       unsigned int allocated)
{
	unsigned int missing;

	(void)allocated;		/* the slots say so themselves */
	WARN_ONCE(count > (unsigned int)READ_ONCE(pool->min_nr),
		  "mempool_alloc_bulk: %u elements of a reserve of %d", count, pool->min_nr);
	missing = take_allocator(pool, elems, count, at_hand(GFP_KERNEL));
	if (missing)
		alloc_slow(pool, elems, count, missing, GFP_KERNEL);
	return 0;
}

/* ---- freeing ----------------------------------------------------------------------------- */

static void __cold __noreturn bad_free(const void *element, const char *why)
{
	BUG("mempool_free: %p %s", element, why);
}

unsigned int mempool_free_bulk(struct mempool *pool, void **elems, unsigned int count)
{
	const char *why = NULL;
	unsigned int nr = 0;

	if (likely(!may_be_wanted(pool)))
		return 0;
	pool_lock(&pool->lock->lock);
	while (nr < count && wanted(pool)) {
		why = refusal(pool, elems[nr]);
		if (unlikely(why))
			break;
		push(pool, elems[nr]);
		elems[nr++] = NULL;
	}
	unlock_and_wake(pool, nr);
	if (unlikely(why))
		bad_free(elems[nr], why);
	return nr;
}

/* @element looked like the top of the reserve: it may have been taken by now. */
static noinline void check_top(struct mempool *pool, const void *element)
{
	bool twice;

	pool_lock(&pool->lock->lock);
	twice = pool->top == element;
	pool_unlock(&pool->lock->lock);
	if (twice)
		bad_free(element, "is in the reserve already (a double free)");
}

/*
 * With a full reserve the allocator gets it, and if it was the one that filled the
 * reserve a moment ago, both would have it.
 */
void mempool_free(void *element, struct mempool *pool)
{
	if (unlikely(!element))
		return;
	if (unlikely(element == READ_ONCE(pool->top)))
		check_top(pool, element);
	if (likely(!mempool_free_bulk(pool, &element, 1)))
		pool->free(element, pool->pool_data);
}

/* ---- allocators -------------------------------------------------------------------------- */

void *mempool_alloc_slab(gfp_t gfp, void *pool_data)
{
	return kmem_cache_alloc(pool_data, gfp);
}

void mempool_free_slab(void *element, void *pool_data)
{
	kmem_cache_free(pool_data, element);
}

void *mempool_kmalloc(gfp_t gfp, void *pool_data)
{
	return kmalloc((size_t)pool_data, gfp);
}

void mempool_kfree(void *element, void *pool_data)
{
	(void)pool_data;
	kfree(element);
}

void *mempool_alloc_pages(gfp_t gfp, void *pool_data)
{
	return alloc_pages(gfp, (unsigned int)(long)pool_data);
}

void mempool_free_pages(void *element, void *pool_data)
{
	__free_pages(element, (unsigned int)(long)pool_data);
}
