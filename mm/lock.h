/* SPDX-License-Identifier: MIT */
/*
 * lock.h - the locks of the library: their type, and the one ranked list.
 *
 * A lock is one word. The holder's path is two compare-and-swaps; a contender
 * spins a little (the sections are short and make no system call) and then waits
 * in the kernel.
 *
 * Order: a thread that holds a lock takes only locks of a higher rank. Debug
 * builds (KMEM_DEBUG) check that at run time, but for locks that are only tried.
 * Locks of the same rank are never held together.
 *
 * fork() takes them all, in this order, those of one rank in list order, by
 * lock_fork() (fork.c). Until it gives them back, the thread that forks may run
 * other libraries' fork handlers, which may allocate: to take a lock that it holds
 * already, and to give it back, does nothing then. So every lock is among those that
 * fork() takes, and one that the thread makes meanwhile is made held.
 *
 *	rank		lock			protects
 *	POOLS		pools_lock		the list of pools that lock themselves
 *	POOL		l->lock			such a pool: its free space, its blocks
 *	SLAB_MUTEX	slab_mutex		the list of caches; creating, merging and
 *						destroying them; slot numbers
 *	KVFREE		kvfree_lock		objects that wait for a grace period
 *	DRAIN		drain_mutex		there is one drainer of magazines at a time
 *	DEPOT		s->depot.lock		the depot's lists of magazines
 *	NODE		s->node.lock		slab lists, every slab's bitmap and counts
 *	CPU		vcpu lock		the magazines of a shared virtual CPU (fallback only)
 *	ZONES		zones_lock		the table of zones, growing one
 *	ZONE		zone->lock		free areas, pageblock types, dirty bits
 *	PERCPU		pcpu_lock		chunks of per-CPU memory and their bitmaps
 *	MEMBLOCK	memblock lock		the metadata arena
 *	LIMITS		limits_lock		changes of the memory limits
 *	VMAP		vmap_lock		the list of views of pages
 *	SHRINKERS	shrinkers_lock		the list of shrinkers, who is in which
 *	RCU		rcu_lock		what waits for a grace period
 */
#ifndef MM_LOCK_H
#define MM_LOCK_H

#include "base/bug.h"
#include "base/compiler.h"
#include "task.h"

enum lock_rank {
	RANK_NONE,
	RANK_POOLS,
	RANK_POOL,
	RANK_SLAB_MUTEX,
	RANK_KVFREE,
	RANK_DRAIN,
	RANK_DEPOT,
	RANK_NODE,
	RANK_CPU,
	RANK_ZONES,
	RANK_ZONE,
	RANK_PERCPU,
	RANK_MEMBLOCK,
	RANK_LIMITS,
	RANK_VMAP,
	RANK_SHRINKERS,
	RANK_RCU,
	NR_LOCK_RANKS
};

enum {
	LOCK_FREE,
	LOCK_HELD,
	LOCK_WAITED,	/* held, and somebody may be waiting */
	LOCK_FORK,	/* held by who forks; LOCK_WAITED as soon as somebody waits */
};

struct kmem_lock {
	u32 word;
#ifdef KMEM_DEBUG
	u32 rank;
#endif
};

#ifdef KMEM_DEBUG
#define LOCK_INIT(r)	{ .word = 0, .rank = (r) }
void lock_order_acquire(struct kmem_lock *l);	/* BUG when out of order */
void lock_order_tried(struct kmem_lock *l);	/* in any order: it did not wait */
void lock_order_release(struct kmem_lock *l);
/*
 * Between the two the calling thread may hold several locks of one rank: the
 * fork handlers, which take them all. In the child the thread that holds them
 * is the one that forked, so the record carries over. Locks that come and go in
 * other libraries' handlers are not in it; at the end it is empty.
 */
void lock_order_fork_begin(void);
void lock_order_fork_end(void);
#else
#define LOCK_INIT(r)	{ .word = 0 }
static inline void lock_order_acquire(struct kmem_lock *l) { (void)l; }
static inline void lock_order_tried(struct kmem_lock *l) { (void)l; }
static inline void lock_order_release(struct kmem_lock *l) { (void)l; }
static inline void lock_order_fork_begin(void) { }
static inline void lock_order_fork_end(void) { }
#endif

void __lock_slow(struct kmem_lock *l, u32 held);
void __unlock_slow(struct kmem_lock *l);

static inline void lock_init(struct kmem_lock *l, enum lock_rank rank)
{
	l->word = unlikely(task_flags & TASK_LOCKS) ? LOCK_FORK : LOCK_FREE;
#ifdef KMEM_DEBUG
	l->rank = rank;
#else
	(void)rank;
#endif
}

static inline bool lock_claim(struct kmem_lock *l, u32 held)
{
	u32 free = LOCK_FREE;

	return __atomic_compare_exchange_n(&l->word, &free, held, false,
					   __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
}

/*
 * Context: any, a signal handler that interrupted the holder included. For that it fails
 * on a lock that fork() holds for the calling thread.
 */
static inline bool trylock(struct kmem_lock *l)
{
	if (!lock_claim(l, LOCK_HELD))
		return false;
	lock_order_tried(l);
	return true;
}

/* A look, for who would rather do something else than wait. */
static inline bool is_locked(const struct kmem_lock *l)
{
	return READ_ONCE(l->word) != LOCK_FREE;
}

static inline void lock_as(struct kmem_lock *l, u32 held)
{
	lock_order_acquire(l);		/* before it can hang */
	if (unlikely(!lock_claim(l, held)))
		__lock_slow(l, held);
}

/* Context: may wait in the kernel; not from a signal handler. */
static inline void lock(struct kmem_lock *l)
{
	lock_as(l, LOCK_HELD);
}

/* For fork(): until the handlers are through, the caller may take it again. */
static inline void lock_fork(struct kmem_lock *l)
{
	lock_as(l, LOCK_FORK);
}

static inline void unlock(struct kmem_lock *l)
{
	u32 held = LOCK_HELD;

	lock_order_release(l);
	if (unlikely(!__atomic_compare_exchange_n(&l->word, &held, LOCK_FREE, false,
						  __ATOMIC_RELEASE, __ATOMIC_RELAXED)))
		__unlock_slow(l);
}

#endif /* MM_LOCK_H */
