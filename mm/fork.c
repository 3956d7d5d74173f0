// SPDX-License-Identifier: MIT
/*
 * fork.c - fork() in a process whose other threads may hold any of our locks.
 *
 * Before the fork all locks are taken in the order of lock.h, so that the child
 * inherits structures that nobody is in the middle of changing; afterwards both
 * sides give them back. In between other libraries' handlers run, those that were
 * registered before ours: they may allocate and free (TASK_LOCKS), and even fork, but not
 * wait for a grace period. Magazines that a CPU has, or in fallback mode a thread, need no lock: a
 * slot's word changes in one store, and a section that another thread was in when the
 * child was made had either stored it or not. What other threads had in their
 * hands at that moment (an object between a slab and a magazine, say) is lost to
 * the child, as is every object that those threads own.
 *
 * The cost is the number of caches and of shared pools, whatever the size of the heap: each
 * lock is in a page that parent and child then have a copy of. So a process of one thread,
 * which is what most forks come from, takes none (alone()): nobody can be in the middle of
 * anything. It has to stay so until the fork: no thread is started meanwhile (TASK_FORK).
 */
#include "init.h"

#include <pthread.h>

#include "control.h"
#include "host/host.h"
#include "lock.h"
#include "memblock.h"
#include "page_limit.h"
#include "percpu.h"
#include "percpu_alloc.h"
#include "pool_lock.h"
#include "shrinker.h"
#include "slab.h"
#include "slab_rcu.h"
#include "task.h"
#include "vmap.h"

/* Forks of the calling thread under way: more than one if a handler forks. */
static __thread unsigned int depth __attribute__((tls_model("initial-exec")));

/*
 * Whether this is the only thread. As the C library sees it, whose own fork() and malloc() rely
 * on that; and ours, of which it does not know.
 */
static bool alone(void)
{
	return host_single_threaded() && !host_thread_runs();
}

static void take_locks(void)
{
	rcu_fork_prepare();
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
	task_flags |= TASK_LOCKS;
}

static void give_locks(void)
{
	task_flags &= ~TASK_LOCKS;
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

static void fork_prepare(void)
{
	if (depth++)
		return;
	percpu_fork_prepare();
	task_flags |= TASK_FORK;
	if (!alone())
		take_locks();
}

static void fork_done(void)
{
	if (--depth)
		return;
	if (task_flags & TASK_LOCKS)
		give_locks();
	task_flags &= ~TASK_FORK;
}

static void fork_parent(void)
{
	bool locked = task_flags & TASK_LOCKS;

	fork_done();
	if (locked && !depth)
		rcu_fork_parent();
}

/* What other threads were at is not gone on with. */
static void forget_threads(void)
{
	rcu_fork_child(depth > 1);
	shrinkers_fork_child();
	page_limits_fork_child();
	vmscan_fork_child();
}

static void fork_child(void)
{
	bool locked = task_flags & TASK_LOCKS;

	if (locked)
		forget_threads();
	fork_done();
	percpu_fork_child();
	if (locked)
		rcu_fork_child_done();
	control_fork_child();
}

void fork_init(void)
{
	pthread_atfork(fork_prepare, fork_parent, fork_child);
}
