// SPDX-License-Identifier: MIT
/*
 * pool_lock.c - the list of pools that lock themselves, for fork().
 *
 * Locks: pools_lock, then any of the listed ones. The list is the order in which
 * fork() takes them; as it holds pools_lock meanwhile, the list stands still.
 */
#include "pool_lock.h"

static struct kmem_lock pools_lock = LOCK_INIT(RANK_POOLS);
static LIST_HEAD(pools);

void pool_lock_init(struct pool_lock *l)
{
	lock_init(&l->lock, RANK_POOL);
	lock(&pools_lock);
	list_add_tail(&l->list, &pools);
	unlock(&pools_lock);
}

void pool_lock_exit(struct pool_lock *l)
{
	lock(&pools_lock);
	list_del(&l->list);
	unlock(&pools_lock);
}

void pools_fork_lock(void)
{
	struct pool_lock *l;

	lock_fork(&pools_lock);
	list_for_each_entry(l, &pools, list)
		lock_fork(&l->lock);
}

void pools_fork_unlock(void)
{
	struct pool_lock *l;

	list_for_each_entry(l, &pools, list)
		unlock(&l->lock);
	unlock(&pools_lock);
}
