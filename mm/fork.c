// SPDX-License-Identifier: MIT
/*
 * fork.c - fork() in a process whose other threads may hold any of our locks.
 *
 * Before the fork all locks are taken in the order of lock.h, so that the child
 * inherits structures that nobody is in the middle of changing; afterwards both
 * sides give them back. Magazines that a CPU has, or in fallback mode a thread, need no lock: a
 * slot's word changes in one store, and a section that another thread was in when the
 * child was made had either stored it or not. What other threads had in their
 * hands at that moment (an object between a slab and a magazine, say) is lost to
 * the child, as is every object that those threads own.
 *
 * The cost is the number of caches and of shared pools, whatever the size of the heap.
 */
#include "init.h"

#include <pthread.h>

#include "control.h"
#include "lock.h"
#include "memblock.h"
#include "page_limit.h"
#include "percpu.h"
#include "percpu_alloc.h"
#include "pool_lock.h"
#include "shrinker.h"
#include "slab.h"
#include "slab_rcu.h"
#include "vmap.h"

static void fork_prepare(void)
{
	rcu_fork_prepare();
	percpu_fork_prepare();
	lock_order_fork_begin();
	pools_fork_lock();
	slab_fork_lock();
	percpu_fork_lock();
	zones_fork_lock();
	percpu_alloc_fork_lock();
	memblock_fork_lock();
	page_limits_fork_lock();
	vmap_fork_lock();
	shrinkers_fork_lock();
	rcu_fork_lock();
}

static void fork_release(void)
{
	rcu_fork_unlock();
	shrinkers_fork_unlock();
	vmap_fork_unlock();
	page_limits_fork_unlock();
	memblock_fork_unlock();
	percpu_alloc_fork_unlock();
	zones_fork_unlock();
	percpu_fork_unlock();
	slab_fork_unlock();
	pools_fork_unlock();
	lock_order_fork_end();
}

static void fork_parent(void)
{
	fork_release();
	rcu_fork_parent();
}

static void fork_child(void)
{
	rcu_fork_child();
	shrinkers_fork_child();
	page_limits_fork_child();
	fork_release();
	percpu_fork_child();
	rcu_fork_child_done();
	vmscan_fork_child();
	control_fork_child();
}

void fork_init(void)
{
	pthread_atfork(fork_prepare, fork_parent, fork_child);
}
