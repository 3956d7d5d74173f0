/* SPDX-License-Identifier: MIT */
/*
 * slab_rcu.h - what waits for a grace period, and the rounds in which it is freed:
 * slab_rcu.c. There are two kinds: slabs of SLAB_TYPESAFE_BY_RCU caches, and objects of
 * kfree_rcu(), which kvfree_rcu.c keeps.
 */
#ifndef MM_SLAB_RCU_H
#define MM_SLAB_RCU_H

#include "base/compiler.h"
#include "base/list.h"
#include "lock.h"

struct kmem_cache;
struct page;

extern struct kmem_lock kvfree_lock;	/* kvfree_rcu.c's; here for the fork handler's sake */

/* Once an object or a slab waits for longer than this, a round is begun. */
#define RCU_DRAIN_MS	50

/* ---- slabs ---------------------------------------------------------------------- */

/*
 * Whether slabs may be given to slab_rcu_defer() from any context: somebody is there
 * who will free them.
 */
bool slab_rcu_ready(void);
/* Empty slabs of a cache, off its lists, of type PT_RCU: their pages go after a grace period. */
void slab_rcu_defer(struct list_head *slabs);
/* Slabs that wait; an estimate without lock. */
unsigned long slab_rcu_waiting(void);

/* ---- kvfree_rcu.c's part in a round ------------------------------------------------- */

struct rcu_kind {
	/*
	 * All that was queued before the call is this round's, to be freed. Returns
	 * whether there is anything. No lock held.
	 */
	bool (*collect)(void);
	/* Frees what collect() took. No lock held. */
	void (*release)(void);
	/* In a forked child, no lock held: what collect() took, and all else, is queued. */
	void (*requeue)(void);
};

/* Around freeing a batch in release(): no fork happens in between. */
void rcu_free_begin(void);
void rcu_free_end(void);

/* Called once, before anything of that kind is queued. */
void rcu_set_kind(const struct rcu_kind *kind);

/* ---- rounds ------------------------------------------------------------------------- */

/*
 * Sees to it that there is a thread that makes rounds. Context: the program's, by a
 * call that it made for its own sake (libc_thread.c says why). False: there can be none
 * at present; the next call tries again.
 */
bool rcu_start_worker(void);
/* Something was queued: there will be a round within RCU_DRAIN_MS, if there is a worker. */
void rcu_queued(void);
/* The next round is to begin now. Any thread, any context; starts nothing. */
void rcu_expedite(void);
/*
 * rcu_expedite(), then waits for up to @ms for a round to end, unless the caller is in
 * a read-side section. Returns whether one ended; at once where nothing waits.
 */
bool rcu_expedite_wait(unsigned int ms);
/* Waits until all that was queued before is freed. Makes rounds itself. */
void rcu_wait_queued(void);

void rcu_fork_prepare(void);	/* before any lock is taken */
void rcu_fork_lock(void);
void rcu_fork_unlock(void);
void rcu_fork_parent(void);	/* after all are given back */
void rcu_fork_child(u32 forks);	/* of the calling thread, under way still */	/* locks still held */
void rcu_fork_child_done(void);	/* no longer */

#endif /* MM_SLAB_RCU_H */
