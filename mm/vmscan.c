// SPDX-License-Identifier: MIT
/*
 * vmscan.c - reclaim: in the background, by a thread that is short of memory, and
 * when it is asked for.
 *
 * The page layer wakes the background thread (reclaim_kick_hook) when more than a
 * threshold of free pages lie dirty, or when more is used than the soft limit
 * says. It then runs for as long as there is something to give back: at each tick
 * it purges blocks that have been free for the decay time, drains magazines of
 * caches that nobody has used since the last tick, and releases their empty
 * slabs; above the soft limit, all of them at once. When there is nothing left to
 * do for a while it ends; the next kick starts another. A small or short-lived
 * program never has one.
 *
 * The thread is not libc's (host.h): starting it takes no lock of libc, so it
 * can be started from within any free(), and libc goes on believing that a
 * program of one thread has one thread. So it has no C library beneath it and runs
 * only code of the library: shrinkers, which are the program's, are never called
 * by it, but by threads of the program: those that are short of memory
 * (direct_reclaim_hook; page_limit.c says when), and those that ask
 * (kmem_reclaim(), malloc_trim(), kmem_set_limit()).
 *
 * Direct reclaim: from a gentle priority to the harshest, the shrinkers are run,
 * and the caches that their objects went to are emptied, until enough pages are
 * free. All of it in a noreclaim scope: what a shrinker allocates may use the
 * reserves and never comes back here. Several threads may be at it at once; only
 * the draining is one by one.
 *
 * While requests from outside are allowed (control.h) the thread stays, and looks
 * for them; it does nothing else once there is nothing to give back.
 *
 * Without it (reclaim=off, or no thread to be had) the kicks themselves purge
 * what is old enough, a bounded number of pages each time.
 *
 * State: one word, vmscan.running, claimed by exchange by the kicker that
 * starts the thread and cleared by the thread when it is done. No lock.
 */
#include "init.h"

#include <errno.h>
#include <kmem/limit.h>

#include "cmdline.h"
#include "control.h"
#include "host/host.h"
#include "kmalloc_nolock.h"
#include "numa.h"
#include "page_limit.h"
#include "percpu.h"
#include "shrinker.h"
#include "slab.h"
#include "slab_rcu.h"
#include "task.h"

/* Ticks without anything to give back after which the thread ends. */
#define IDLE_TICKS		6
/* Pages that a kick purges by itself where there is no thread. */
#define KICK_PURGE_PAGES	1024
/* How often an idle thread looks for requests. */
#define CONTROL_TICK_MS		200
/* How often a start that is asked for is tried. */
#define START_TRIES		100
/* A refused thread is tried again after so long. */
#define RETRY_MS		1000
/* How long reclaim waits, at last, for what RCU has in hand. */
#define RCU_WAIT_MS		50
/* What direct reclaim aims at, at least: the kernel's SWAP_CLUSTER_MAX. */
#define RECLAIM_MIN_PAGES	32UL

static struct {
	u32 running;		/* 1: a thread is there, or being started */
	u32 wake;		/* futex: kicked while it sleeps */
	u64 retry_at_ms;	/* no thread before this time */
} vmscan;

/* ---- in the background ------------------------------------------------------------------ */

static unsigned int tick_ms(void)
{
	return clamp(kmem_params.decay_ms / 4, 50U, 500U);
}

/* One look at everything. True if something was given back. */
static bool reclaim_tick(void)
{
	bool pressed = pages_over_soft();

	if (pressed)
		rcu_expedite();
	slab_reclaim_idle(pressed);
	stock_drain();
	if (pressed || zones_dirty_free() <= READ_ONCE(reclaim_threshold))
		page_alloc_drain();
	return zones_purge(pressed ? 0 : kmem_params.decay_ms, ~0UL) > 0;
}

/* Until there is nothing to do any more. */
static void reclaim_loop(void)
{
	unsigned int idle = 0;

	while (idle < IDLE_TICKS || control_allowed()) {
		bool reclaims = kmem_params.reclaim && idle < IDLE_TICKS;

		host_futex_wait_ms(&vmscan.wake, 0, reclaims ? tick_ms() : CONTROL_TICK_MS);
		control_look();
		if (reclaims && reclaim_tick())
			idle = 0;
		else if (zones_dirty_free() > 0)
			idle = 0;
		else if (idle < IDLE_TICKS)
			idle++;
	}
}

/*
 * Requests may have been allowed after the loop looked, by somebody who found
 * `running` set and left it at that. Pairs with kmem_control_allow() and
 * start_thread(): either side writes its word and then reads the other's, all four
 * sequentially consistent, so one of them sees what the other wrote.
 */
static void vmscan_thread(void *unused)
{
	(void)unused;
	percpu_thread_init();
	do {
		reclaim_loop();
		__atomic_store_n(&vmscan.running, 0, __ATOMIC_SEQ_CST);
	} while (__atomic_load_n(&kmem_control.allowed, __ATOMIC_SEQ_CST) &&
		 !__atomic_exchange_n(&vmscan.running, 1, __ATOMIC_ACQ_REL));
}

/* Whoever claims vmscan.running starts the thread. */
static int start_thread(void)
{
	if (task_flags & TASK_FORK)
		return -EAGAIN;
	if (__atomic_exchange_n(&vmscan.running, 1, __ATOMIC_SEQ_CST))
		return 0;
	if (host_thread_start(vmscan_thread, NULL, "kmem-reclaim") == 0)
		return 0;
	WRITE_ONCE(vmscan.retry_at_ms, host_now_ms() + RETRY_MS);
	smp_store_release(&vmscan.running, 0);
	return -EAGAIN;
}

/* One that is just ending is there for some microseconds after it cleared `running`. */
int vmscan_start(void)
{
	int err;

	for (int tries = 0; (err = start_thread()) && tries < START_TRIES; tries++)
		host_yield();
	return err;
}

static void vmscan_kick(void)
{
	if (control_allowed())
		control_look();
	if (kmem_params.decay_ms == 0) {
		zones_purge(0, KICK_PURGE_PAGES);
		return;
	}
	if (READ_ONCE(vmscan.running))
		return;
	if (kmem_params.reclaim && host_now_ms() >= READ_ONCE(vmscan.retry_at_ms) &&
	    start_thread() == 0)
		return;
	stock_return();
	zones_purge(kmem_params.decay_ms, KICK_PURGE_PAGES);
}

/* ---- by a thread of the program ----------------------------------------------------- */

/* What is in nobody's hands: per-CPU caches, empty slabs, page lists, parked runs. */
static void drain_caches(void)
{
	kmalloc_nolock_drain();
	slab_reclaim_idle(true);
	page_alloc_drain();
	zones_unpark();
}

/*
 * Asks the shrinkers, ever harder, and empties the caches that the objects went
 * to, until @nr_pages are free. At least a little more than one page is aimed at,
 * so that the next requests need not come here. What waits for a grace period is
 * hurried from the start, but waited for only where all else was not enough.
 */
static unsigned long reclaim_pages(gfp_t gfp, unsigned long nr_pages, int from, int to,
				   bool requested)
{
	unsigned int saved = task_save(TASK_MEMALLOC);
	int node = numa_prefer_save(NUMA_NO_NODE);
	unsigned long before = pages_used(), freed = 0;
	bool drained = false;

	gfp = current_gfp_context(gfp);
	nr_pages = max(nr_pages, RECLAIM_MIN_PAGES);
	rcu_expedite();
	for (int priority = from; priority >= to && freed < nr_pages; priority--) {
		if (shrink_all(gfp, priority, requested) == 0 && drained)
			continue;
		drain_caches();
		drained = true;
		freed = before - min(pages_used(), before);
	}
	if (freed < nr_pages && rcu_expedite_wait(RCU_WAIT_MS)) {
		drain_caches();
		freed = before - min(pages_used(), before);
	}
	numa_prefer_restore(node);
	task_restore(TASK_MEMALLOC, saved);
	return freed;
}

/* For an allocation that is short of memory. */
static unsigned long reclaim_direct(gfp_t gfp, unsigned long nr_pages, int from, int to)
{
	return reclaim_pages(gfp, nr_pages, from, to, false);
}

/* All that can be had, given back to the system. Returns the pages. */
static unsigned long reclaim_and_purge(unsigned long nr_pages)
{
	unsigned long purged;

	if (task_flags & TASK_MEMALLOC)
		return 0;
	reclaim_pages(GFP_KERNEL, nr_pages, RECLAIM_PRIORITY, 0, true);
	purged = zones_purge(0, max(nr_pages, RECLAIM_MIN_PAGES));
	return purged;
}

/* The library's own caches alone: any thread may do that, from within a free, too. */
void vmscan_trim_caches(void)
{
	drain_caches();
	zones_purge(0, ~0UL);
}

bool vmscan_trim(void)
{
	return mm_init() && reclaim_and_purge(~0UL) > 0;
}

/* ---- limits ------------------------------------------------------------------------- */

#define HARD_MIN	(1UL << 20)

static unsigned long bytes_to_pages(size_t bytes)
{
	return bytes == KMEM_LIMIT_NONE ? ~0UL : bytes >> PAGE_SHIFT;
}

static size_t pages_to_bytes(unsigned long pages)
{
	return pages == ~0UL ? KMEM_LIMIT_NONE : pages << PAGE_SHIFT;
}

__kmem_export int kmem_set_limit(size_t hard, size_t soft)
{
	unsigned long used;

	if (hard < HARD_MIN || (soft > hard && soft != KMEM_LIMIT_NONE))
		return -EINVAL;
	if (!mm_init())
		return -ENOMEM;
	page_limits_set(bytes_to_pages(hard), bytes_to_pages(soft));
	used = pages_used();
	if (used > page_limits.soft_at && may_reclaim(GFP_KERNEL))
		reclaim_pages(GFP_KERNEL, used - page_limits.soft_at, RECLAIM_PRIORITY, 0, true);
	used = pages_used();
	if (used > page_limits.hard)
		return -ENOMEM;
	if (used + zones_dirty_free() > page_limits.hard)
		zones_purge(0, used + zones_dirty_free() - page_limits.hard);
	return 0;
}

__kmem_export void kmem_get_usage(struct kmem_usage *usage)
{
	mm_init();
	usage->hard = pages_to_bytes(READ_ONCE(page_limits.hard));
	usage->soft = pages_to_bytes(READ_ONCE(page_limits.soft));
	usage->used = pages_used() << PAGE_SHIFT;
	usage->resident_free = zones_dirty_free() << PAGE_SHIFT;
}

__kmem_export size_t kmem_reclaim(size_t bytes)
{
	if (!mm_init())
		return 0;
	return reclaim_and_purge(bytes_to_pages(bytes)) << PAGE_SHIFT;
}

/* ---- start-up, fork ------------------------------------------------------------------- */

/* For the report of a failed request. Shrinkers are asked only where they could be run. */
static void vmscan_show(gfp_t gfp)
{
	unsigned int saved;

	slab_show_largest();
	if (!may_reclaim(gfp))
		return;
	saved = task_save(TASK_MEMALLOC);
	shrinkers_show();
	task_restore(TASK_MEMALLOC, saved);
}

void vmscan_init(void)
{
	reclaim_kick_hook = vmscan_kick;
	direct_reclaim_hook = reclaim_direct;
	show_caches_hook = vmscan_show;
}

/* In a forked child there is no thread; the next kick starts one. */
void vmscan_fork_child(void)
{
	vmscan.running = 0;
	vmscan.retry_at_ms = 0;
	host_thread_fork_child();
}
