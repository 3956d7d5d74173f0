/* SPDX-License-Identifier: MIT */
/*
 * pool_lock.h - the lock of a pool that several threads may use at once.
 *
 * A pool's lock is one of many of its rank, made and ended by the program at any
 * time; fork() must hold them all, so each is on a list from pool_lock_init() to
 * pool_lock_exit(). Pools that belong to one thread have none and are not listed:
 * making one costs nothing but its memory.
 *
 * Under a pool's lock nothing is allocated, freed or reported, and no code of the
 * program runs: what a pool needs from the floors below it gets beforehand, and
 * what it has too much of it gives back afterwards.
 */
#ifndef MM_POOL_LOCK_H
#define MM_POOL_LOCK_H

#include "base/list.h"
#include "lock.h"

struct pool_lock {
	struct kmem_lock lock;
	struct list_head list;		/* all of them; pools_lock */
};

/* Memory that holds an initialised lock stays where it is. No lock held. */
void pool_lock_init(struct pool_lock *l);
void pool_lock_exit(struct pool_lock *l);

static inline void pool_lock(struct pool_lock *l)
{
	lock(&l->lock);
}

static inline void pool_unlock(struct pool_lock *l)
{
	unlock(&l->lock);
}

/* Take and give back pools_lock and every pool's lock. */
void pools_fork_lock(void);
void pools_fork_unlock(void);

#endif /* MM_POOL_LOCK_H */
