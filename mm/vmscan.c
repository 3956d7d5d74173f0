// SPDX-License-Identifier: MIT
/*
 * vmscan.c - the reclaimer: gives memory back while the program does other
 * things, or nothing at all.
 *
 * The page layer wakes it (reclaim_kick_hook) when more than a threshold of
 * free pages lie dirty. A thread then runs for as long as there is something to
 * give back: at each tick it purges blocks that have been free for the decay
 * time, drains magazines of caches that nobody has used since the last tick,
 * and releases their empty slabs. When there is nothing left to do for a while
 * it ends; the next kick starts another. A small or short-lived program never
 * has one.
 *
 * The thread is not libc's (host.h): starting it takes no lock of libc, so it
 * can be started from within any free(), and libc goes on believing that a
 * program of one thread has one thread. It runs only code of the library.
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

#include "cmdline.h"
#include "control.h"
#include "host/host.h"
#include "percpu.h"
#include "slab.h"

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

static struct {
	u32 running;		/* 1: a thread is there, or being started */
	u32 wake;		/* futex: kicked while it sleeps */
	u64 retry_at_ms;	/* no thread before this time */
} vmscan;

static unsigned int tick_ms(void)
{
	return clamp(kmem_params.decay_ms / 4, 50U, 500U);
}

/* One look at everything. True if something was given back. */
static bool reclaim_tick(bool force)
{
	unsigned long before = zones_dirty_free();
	unsigned long purged;

	slab_reclaim_idle(force);
	if (force || before <= READ_ONCE(reclaim_threshold))
		page_alloc_drain();
	purged = zones_purge(force ? 0 : kmem_params.decay_ms, ~0UL);
	return purged > 0;
}

/* Until there is nothing to do any more. */
static void reclaim_loop(void)
{
	unsigned int idle = 0;

	while (idle < IDLE_TICKS || control_allowed()) {
		bool reclaims = kmem_params.reclaim && idle < IDLE_TICKS;

		host_futex_wait_ms(&vmscan.wake, 0, reclaims ? tick_ms() : CONTROL_TICK_MS);
		control_look();
		if (reclaims && reclaim_tick(false))
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
	do {
		reclaim_loop();
		__atomic_store_n(&vmscan.running, 0, __ATOMIC_SEQ_CST);
	} while (__atomic_load_n(&kmem_control.allowed, __ATOMIC_SEQ_CST) &&
		 !__atomic_exchange_n(&vmscan.running, 1, __ATOMIC_ACQ_REL));
}

/* Whoever claims vmscan.running starts the thread. */
static int start_thread(void)
{
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
	zones_purge(kmem_params.decay_ms, KICK_PURGE_PAGES);
}

bool vmscan_trim(void)
{
	return mm_init() && reclaim_tick(true);
}

void vmscan_init(void)
{
	reclaim_kick_hook = vmscan_kick;
}

/* In a forked child there is no thread; the next kick starts one. */
void vmscan_fork_child(void)
{
	vmscan.running = 0;
	vmscan.retry_at_ms = 0;
	host_thread_fork_child();
}
