// SPDX-License-Identifier: MIT
/*
 * slab_rcu.c - rounds: what waits for a grace period is collected, the grace period is
 * waited for, the memory is freed.
 *
 * One round at a time, numbered. A round that has begun after something was queued
 * frees it; that is all that the barrier relies on: it waits until a round has ended
 * whose number is higher than that of the last one begun. Rounds are made by
 *
 *	the worker	a thread of libc's (liburcu needs one), started by the first
 *			thing that is queued. It lets RCU_DRAIN_MS pass, so that a round
 *			is worth its grace period, unless somebody asks for haste; it
 *			ends when it has found nothing for a second.
 *	a barrier	on the caller's thread, if no round is under way
 *
 * Where the worker may be started. Slabs become empty anywhere: below malloc(), with
 * slab_mutex held, on the reclaimer, which is no thread of libc's. Nothing may be
 * started there. So an empty slab of a SLAB_TYPESAFE_BY_RCU cache is queued only while
 * the worker is there; else it stays with its cache, as one of its empty slabs, and
 * goes when the program next frees an object of it or shrinks it
 * (slab_rcu_release() in slab_common.c), or destroys it.
 *
 * The worker's words (futexes):
 *
 *	work	1: something was queued since the worker last looked. Set after
 *		queueing (rcu_queued()), cleared before a round collects: so what is
 *		queued is either seen by that round, or work is 1 after it.
 *	urgent	1: do not wait for RCU_DRAIN_MS
 *	worker	1: there is one, or one is being started. Cleared by the worker, which
 *		then looks at work once more; a queuer sets work and then looks at
 *		worker. Both sequentially consistent: one of them sees the other.
 *	done	the number of the last round that ended
 *
 * Threads of qsbr that are online count as readers: they go offline while they wait
 * here (rcu_wait_enter()). A thread that waits holds no lock.
 *
 * Slabs that wait are of type PT_RCU, chained by slab_list, and belong to this file.
 *
 * fork. A round may be under way on a thread that the child does not have. Its lists
 * are static, so the child puts them back into the queue (rcu_fork_child()). liburcu's
 * mutexes are not held across fork by liburcu: a grace period under way would leave
 * them locked in the child for ever; and a batch that is just being freed would be lost
 * to the child. So the fork shuts a gate before either, and waits until the round is
 * not inside (rcu_fork_prepare()): for FORK_WAIT_MS at most, since somebody's own
 * handler may hold what the grace period waits for, and not in a read-side section. If
 * it has to go ahead in the midst of a grace period, the child makes no rounds: what
 * it defers stays deferred.
 *
 * Lock: rcu_lock, the last of all, around the lists, the numbers and `running`.
 */
#include "slab_rcu.h"

#include "base/bug.h"
#include "host/host.h"
#include "rcu.h"
#include "slab.h"

/* The worker ends after so long without work. */
#define IDLE_MS		1000
/* A start that failed is tried again after so long. */
#define RETRY_MS	100
/* How long a fork waits for a grace period under way. */
#define FORK_WAIT_MS	100

struct kmem_lock kvfree_lock = LOCK_INIT(RANK_KVFREE);
static struct kmem_lock rcu_lock = LOCK_INIT(RANK_RCU);

enum { INSIDE_NOTHING, INSIDE_FREE, INSIDE_GRACE };

static struct {
	u32 worker, work, urgent;	/* above; atomic */
	u32 pause;			/* forks under way: nobody enters while there is one; futex */
	u32 inside;			/* what the round is doing inside the gate; futex */
	bool stuck;			/* forked in a grace period: there can be no other */
	u64 retry_at_ms;
	const struct rcu_kind *kind;	/* NULL: no object was ever deferred */

	/* rcu_lock */
	u32 begun, done;		/* numbers of rounds; done is a futex */
	bool running;
	struct list_head queued;	/* slabs */
	struct list_head taken;		/* slabs of the round under way */
	unsigned long nr_queued, nr_taken;
} rcu = {
	.queued = LIST_HEAD_INIT(rcu.queued),
	.taken = LIST_HEAD_INIT(rcu.taken),
};

/* ---- the gate --------------------------------------------------------------------------- */

/*
 * A round is inside the gate while it is in liburcu, and while it frees a batch or a
 * slab: not while a fork is under way. Either side sets its word and then looks at the
 * other's, all four sequentially consistent.
 */
static void gate_enter(u32 what)
{
	for (;;) {
		u32 forks;

		__atomic_store_n(&rcu.inside, what, __ATOMIC_SEQ_CST);
		forks = __atomic_load_n(&rcu.pause, __ATOMIC_SEQ_CST);
		if (likely(!forks))
			return;
		__atomic_store_n(&rcu.inside, 0, __ATOMIC_SEQ_CST);
		host_futex_wake(&rcu.inside, 1 << 30);
		host_futex_wait(&rcu.pause, forks);
	}
}

static void gate_leave(void)
{
	__atomic_store_n(&rcu.inside, 0, __ATOMIC_SEQ_CST);
	if (unlikely(__atomic_load_n(&rcu.pause, __ATOMIC_SEQ_CST)))
		host_futex_wake(&rcu.inside, 1 << 30);
}

void rcu_free_begin(void)
{
	gate_enter(INSIDE_FREE);
}

void rcu_free_end(void)
{
	gate_leave();
}

/* False: there can be no grace periods in this process any more. */
static bool wait_for_readers(void)
{
	gate_enter(INSIDE_GRACE);
	if (!rcu.stuck)
		rcu_synchronize();
	gate_leave();
	return !rcu.stuck;
}

/* ---- a round ------------------------------------------------------------------------ */

static void release_slabs(void)
{
	struct page *slab;

	do {
		gate_enter(INSIDE_FREE);
		lock(&rcu_lock);
		slab = list_empty(&rcu.taken) ? NULL :
		       list_first_entry(&rcu.taken, struct page, slab_list);
		if (slab) {
			list_del(&slab->slab_list);
			WRITE_ONCE(rcu.nr_taken, rcu.nr_taken - 1);
		}
		unlock(&rcu_lock);
		if (slab)
			slab_discard(slab);
		gate_leave();
	} while (slab);
}

/* What is queued becomes this round's. Returns whether there is anything. */
static bool collect(void)
{
	const struct rcu_kind *kind = smp_load_acquire(&rcu.kind);
	bool any = kind && kind->collect();

	lock(&rcu_lock);
	list_splice_init(&rcu.queued, &rcu.taken);
	WRITE_ONCE(rcu.nr_taken, rcu.nr_taken + rcu.nr_queued);
	WRITE_ONCE(rcu.nr_queued, 0);
	any |= !list_empty(&rcu.taken);
	unlock(&rcu_lock);
	return any;
}

/* The round that the caller has begun; no lock held. Returns whether it freed something. */
static bool run_round(u32 number)
{
	bool any;

	__atomic_store_n(&rcu.work, 0, __ATOMIC_SEQ_CST);
	any = collect() && wait_for_readers();
	if (any) {
		if (rcu.kind)
			rcu.kind->release();
		release_slabs();
	}
	lock(&rcu_lock);
	WRITE_ONCE(rcu.running, false);
	WRITE_ONCE(rcu.done, number);
	unlock(&rcu_lock);
	host_futex_wake(&rcu.done, 1 << 30);
	return any;
}

/*
 * Until a round has ended whose number is @wanted or higher: made here unless somebody
 * else is at one.
 */
static void wait_for_round(u32 wanted)
{
	lock(&rcu_lock);
	while ((int)(rcu.done - wanted) < 0) {
		u32 done = rcu.done, number = ++rcu.begun;
		bool mine = !rcu.running;

		if (mine)
			WRITE_ONCE(rcu.running, true);
		else
			rcu.begun--;
		unlock(&rcu_lock);
		if (mine)
			run_round(number);
		else
			host_futex_wait(&rcu.done, done);
		lock(&rcu_lock);
	}
	unlock(&rcu_lock);
}

void rcu_wait_queued(void)
{
	unsigned int entered;
	u32 wanted;

	lock(&rcu_lock);
	wanted = rcu.begun + 1;
	if (!rcu.kind && !rcu.running && list_empty(&rcu.queued))
		wanted = rcu.done;
	unlock(&rcu_lock);
	if (wanted == READ_ONCE(rcu.done))
		return;
	entered = rcu_wait_enter();
	WARN_ONCE(rcu_reading(), "waiting for a grace period in a read-side section");
	wait_for_round(wanted);
	rcu_wait_leave(entered);
}

/* ---- the worker ----------------------------------------------------------------------- */

/* Sleeps until there is work. False: there was none for IDLE_MS. */
static bool wait_for_work(void)
{
	u64 begin = host_now_ms();

	while (!__atomic_load_n(&rcu.work, __ATOMIC_SEQ_CST)) {
		if (host_now_ms() - begin >= IDLE_MS)
			return false;
		host_futex_wait_ms(&rcu.work, 0, IDLE_MS);
	}
	return true;
}

static void worker_loop(void)
{
	while (wait_for_work()) {
		u32 wanted;

		if (!__atomic_exchange_n(&rcu.urgent, 0, __ATOMIC_ACQ_REL))
			host_futex_wait_ms(&rcu.urgent, 0, RCU_DRAIN_MS);
		__atomic_store_n(&rcu.urgent, 0, __ATOMIC_RELEASE);
		lock(&rcu_lock);
		wanted = rcu.begun + 1;
		unlock(&rcu_lock);
		wait_for_round(wanted);
	}
}

static void worker_main(void)
{
	do {
		worker_loop();
		__atomic_store_n(&rcu.worker, 0, __ATOMIC_SEQ_CST);
	} while (__atomic_load_n(&rcu.work, __ATOMIC_SEQ_CST) &&
		 !__atomic_exchange_n(&rcu.worker, 1, __ATOMIC_ACQ_REL));
}

bool rcu_start_worker(void)
{
	if (__atomic_load_n(&rcu.worker, __ATOMIC_SEQ_CST))
		return true;
	if (rcu.stuck || (task_flags & TASK_FORK) || host_now_ms() < READ_ONCE(rcu.retry_at_ms))
		return false;
	if (__atomic_exchange_n(&rcu.worker, 1, __ATOMIC_ACQ_REL))
		return true;
	if (host_libc_thread_start(worker_main, "kmem-rcu") == 0)
		return true;
	WRITE_ONCE(rcu.retry_at_ms, host_now_ms() + RETRY_MS);
	__atomic_store_n(&rcu.worker, 0, __ATOMIC_RELEASE);
	return false;
}

void rcu_queued(void)
{
	if (!__atomic_load_n(&rcu.work, __ATOMIC_SEQ_CST) &&
	    !__atomic_exchange_n(&rcu.work, 1, __ATOMIC_SEQ_CST))
		host_futex_wake(&rcu.work, 1);
}

static bool anything_waits(void)
{
	return READ_ONCE(rcu.work) || READ_ONCE(rcu.running);
}

void rcu_expedite(void)
{
	if (!anything_waits() || READ_ONCE(rcu.urgent))
		return;
	__atomic_store_n(&rcu.urgent, 1, __ATOMIC_RELEASE);
	host_futex_wake(&rcu.urgent, 1);
}

bool rcu_expedite_wait(unsigned int ms)
{
	u32 done = READ_ONCE(rcu.done);

	if (!anything_waits() || !READ_ONCE(rcu.worker) || rcu_reading())
		return false;
	rcu_expedite();
	host_futex_wait_ms(&rcu.done, done, ms);
	return READ_ONCE(rcu.done) != done;
}

/* ---- what is queued --------------------------------------------------------------------- */

void rcu_set_kind(const struct rcu_kind *kind)
{
	smp_store_release(&rcu.kind, kind);
}

bool slab_rcu_ready(void)
{
	return __atomic_load_n(&rcu.worker, __ATOMIC_SEQ_CST);
}

unsigned long slab_rcu_waiting(void)
{
	return READ_ONCE(rcu.nr_queued) + READ_ONCE(rcu.nr_taken);
}

void slab_rcu_defer(struct list_head *slabs)
{
	struct page *slab;
	unsigned long n = 0;

	list_for_each_entry(slab, slabs, slab_list)
		n++;
	lock(&rcu_lock);
	list_splice_init(slabs, &rcu.queued);
	WRITE_ONCE(rcu.nr_queued, rcu.nr_queued + n);
	unlock(&rcu_lock);
	rcu_queued();
}

/* ---- fork --------------------------------------------------------------------------------- */

void rcu_fork_prepare(void)
{
	u64 begin = host_now_ms();
	unsigned int entered;
	u32 inside;

	__atomic_fetch_add(&rcu.pause, 1, __ATOMIC_SEQ_CST);
	if (likely(!__atomic_load_n(&rcu.inside, __ATOMIC_SEQ_CST)))
		return;
	entered = rcu_wait_enter();
	while ((inside = __atomic_load_n(&rcu.inside, __ATOMIC_SEQ_CST)) &&
	       !(inside == INSIDE_GRACE && rcu_reading()) &&
	       host_now_ms() - begin < FORK_WAIT_MS)
		host_futex_wait_ms(&rcu.inside, inside, FORK_WAIT_MS);
	rcu_wait_leave(entered);
}

void rcu_fork_lock(void)
{
	lock_fork(&rcu_lock);
}

void rcu_fork_unlock(void)
{
	unlock(&rcu_lock);
}

void rcu_fork_parent(void)
{
	if (__atomic_sub_fetch(&rcu.pause, 1, __ATOMIC_SEQ_CST) == 0)
		host_futex_wake(&rcu.pause, 1 << 30);
}

/*
 * The thread that made a round is not there; nor is the worker, nor are other threads' forks.
 * @forks: of this thread's, those under way still.
 */
void rcu_fork_child(u32 forks)
{
	rcu.stuck |= rcu.inside == INSIDE_GRACE;
	rcu.inside = rcu.worker = rcu.urgent = 0;
	rcu.pause = forks;
	rcu.retry_at_ms = 0;
	WRITE_ONCE(rcu.running, false);
	rcu.done = rcu.begun;
	list_splice_init(&rcu.taken, &rcu.queued);
	rcu.nr_queued += rcu.nr_taken;
	rcu.nr_taken = 0;
	rcu.work = rcu.kind || !list_empty(&rcu.queued);
}

void rcu_fork_child_done(void)
{
	if (rcu.kind)
		rcu.kind->requeue();
}
