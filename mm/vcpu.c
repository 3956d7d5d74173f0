// SPDX-License-Identifier: MIT
/*
 * vcpu.c - virtual CPUs: whose area a thread works on in fallback mode.
 *
 * Without rseq a thread can't be kept from being interrupted by another of its CPU, so
 * areas belong to threads, or to who holds a lock:
 *
 *	| 0 .. shared-1: a lock each | shared .. all-1: one thread's each |
 *
 * Owned. A thread that comes to the slow path takes one that has no owner, or whose owner
 * has died: the owner's id is the word that says so, changed by compare-and-swap.
 * From then on no other thread writes to that area, drainers apart, and an operation takes
 * no lock and no atomic instruction.
 *
 * Shared. Threads that came when all the others were taken; a signal handler that finds its
 * thread in the middle of an operation on the one that it owns. They take the lock of the one
 * that the thread had last, or of the next that is free.
 *
 * Drainers take the magazines of owned areas as they do those of CPUs in RSEQ mode
 * (percpu_drain()), but where the kernel restarts sections there, they wait here until the
 * owner has left the operation that it was in:
 *
 *	owner				drainer
 *	busy = 1			word = exchange(slot, WORD_DRAINING)
 *	(compiler barrier)		membarrier
 *	read the word, commit		wait until busy == 0, acquire
 *	busy = 0, release		is the slot still WORD_DRAINING?
 *
 * The membarrier stands for a full barrier in the owner between its store to busy and its
 * load of the word. So if the drainer finds 0, the owner's operation is either over, and what
 * it has committed is seen, or it begins behind the exchange, reads WORD_DRAINING and misses.
 * An operation is a few instructions and makes no call, so the wait is short unless the owner
 * is preempted, or in a signal handler that came in the middle. So after 10 ms it is given
 * up, and later drainers only look until the owner has left.
 *
 * Where the kernel has no membarrier none is owned.
 */
#include "vcpu.h"

#include "host/host.h"
#include "task.h"

/* How often a drainer looks whether an owner has left; then so often each millisecond. */
#define SPIN_TRIES	200
#define WAIT_TRIES	10
/* Misses between two looks for one that could be owned: twice as many each time, up to this. */
#define LOOKS_MAX	4096U

/* A line each: threads write to those of different virtual CPUs all the time. */
static struct vcpu vcpus[VCPUS];

static unsigned int nr_shared, nr_all;

__thread struct vcpu *vcpu_own;

static __thread struct {
	u32 shared;			/* the one of these that it had last */
	u32 busy;			/* before vfork() */
	u32 looks, left;		/* misses between two looks, and up to the next */
	bool never;
} mine __attribute__((tls_model("initial-exec")));

void vcpu_init(unsigned int shared, unsigned int owned)
{
	nr_shared = shared;
	nr_all = shared + owned;
	for (unsigned int i = 0; i < shared; i++)
		lock_init(&vcpus[i].lock, RANK_CPU);
	for (unsigned int i = shared; i < nr_all; i++)
		vcpus[i].area = percpu_slot(i, 0);
}

unsigned int vcpu_first_owned(void)
{
	return nr_shared;
}

/* ---- owners -------------------------------------------------------------------------- */

static bool owner_lives(u64 owner)
{
	return host_thread_exists((int)(u32)owner);
}

/*
 * The id of a thread that has ended may be another's by now: then nobody gets it before that
 * one ends, or that one does. It may become another's between the look and the exchange, which
 * fails then, since that one has counted itself. The fence is for what the dead thread wrote,
 * which the kernel's locks on its way out have ordered before its id was free.
 */
static bool claim(struct vcpu *v, u32 tid)
{
	u64 owner = READ_ONCE(v->owner);

	if (owner && (u32)owner != tid && owner_lives(owner))
		return false;
	if (!__atomic_compare_exchange_n(&v->owner, &owner, ((owner >> 32) + 1) << 32 | tid, false,
					 __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
		return false;
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return true;
}

/*
 * Not for a vfork child or the like, on its parent's thread-local storage: its id is not that
 * of the thread that would own it afterwards.
 */
static void look_for_one(void)
{
	u32 tid;

	mine.looks = mine.looks ? min(2 * mine.looks, LOOKS_MAX) : 64;
	mine.left = mine.looks;
	if (READ_ONCE(percpu.vforks) || host_getpid() != percpu.pid)
		return;
	tid = (u32)host_gettid();
	for (unsigned int cpu = nr_shared; cpu < nr_all; cpu++)
		if (claim(&vcpus[cpu], tid)) {
			vcpus[cpu].busy = 0;
			WRITE_ONCE(vcpu_own, &vcpus[cpu]);
			return;
		}
}

void vcpu_want(void)
{
	if (likely(vcpu_own) || mine.never || (mine.left && --mine.left) ||
	    !task_may_wait())
		return;
	look_for_one();
}

void vcpu_thread_init(void)
{
	mine.never = true;
}

unsigned int vcpu_number(void)
{
	return vcpu_own && likely(!vcpu_own->busy) ? (unsigned int)(vcpu_own - vcpus) : mine.shared;
}

/* ---- taking one ------------------------------------------------------------------------ */

/*
 * The shared one that this thread had last, or the next that is free; where all are taken it
 * waits for its own.
 */
static unsigned int take_shared(void)
{
	unsigned int last = mine.shared;

	for (unsigned int i = 0; i < nr_shared; i++) {
		unsigned int cpu = (last + i) % nr_shared;

		if (trylock(&vcpus[cpu].lock)) {
			mine.shared = cpu;
			return cpu;
		}
	}
	lock(&vcpus[last].lock);
	return last;
}

static inline unsigned int take(void)
{
	struct vcpu *own = vcpu_own;

	return own && vcpu_enter(own) ? (unsigned int)(own - vcpus) : take_shared();
}

static inline void give(unsigned int cpu)
{
	if (likely(cpu >= nr_shared))
		vcpu_leave(&vcpus[cpu]);
	else
		unlock(&vcpus[cpu].lock);
}

/* ---- operations ---------------------------------------------------------------------------- */

void *vcpu_pop(unsigned int slot)
{
	unsigned int cpu = take();
	long *word = percpu_slot(cpu, slot), top = READ_ONCE(*word);
	void *object = *round_of(cpu, top);

	if (object)
		WRITE_ONCE(*word, top - 8);
	give(cpu);
	return object;
}

bool vcpu_push(unsigned int slot, void *object)
{
	unsigned int cpu = take();
	long *word = percpu_slot(cpu, slot), top = READ_ONCE(*word);
	void **next = round_of(cpu, top) + 1;
	bool room = *next != NULL;

	if (room) {
		WRITE_ONCE(*next, object);
		WRITE_ONCE(*word, top + 8);
	}
	give(cpu);
	return room;
}

size_t vcpu_pop_bulk(unsigned int slot, void **objects, size_t n)
{
	unsigned int cpu = take();
	long *word = percpu_slot(cpu, slot), first = READ_ONCE(*word);
	void **top = round_of(cpu, first);
	size_t got = 0;

	for (; got < n && *top; got++)
		objects[got] = *top--;
	if (got)
		WRITE_ONCE(*word, first - 8 * (long)got);
	give(cpu);
	return got;
}

size_t vcpu_push_bulk(unsigned int slot, void *const *objects, size_t n)
{
	unsigned int cpu = take();
	long *word = percpu_slot(cpu, slot), first = READ_ONCE(*word);
	void **top = round_of(cpu, first);
	size_t put = 0;

	for (; put < n && top[1] && objects[put]; put++)
		WRITE_ONCE(*++top, objects[put]);
	if (put)
		WRITE_ONCE(*word, first + 8 * (long)put);
	give(cpu);
	return put;
}

bool vcpu_cmpxchg(unsigned int cpu, unsigned int slot, long expect, long new)
{
	long *word = percpu_slot(cpu, slot);
	bool same;

	if (cpu < nr_shared)
		lock(&vcpus[cpu].lock);
	else if (&vcpus[cpu] != vcpu_own || !vcpu_enter(&vcpus[cpu]))
		return false;
	same = READ_ONCE(*word) == expect;
	if (same)
		WRITE_ONCE(*word, new);
	give(cpu);
	return same;
}

/* ---- drainers -------------------------------------------------------------------------------- */

long vcpu_take_shared(unsigned int cpu, unsigned int slot)
{
	long *word = percpu_slot(cpu, slot), old;

	lock(&vcpus[cpu].lock);
	old = *word;
	if (old != WORD_CLOSED)		/* a page that was never touched stays so */
		WRITE_ONCE(*word, WORD_CLOSED);
	unlock(&vcpus[cpu].lock);
	return old;
}

/* The owner may be the caller: drainers are in no operation. */
bool vcpu_wait_left(unsigned int cpu)
{
	struct vcpu *v = &vcpus[cpu];
	int tries = SPIN_TRIES + (v->stuck ? 0 : WAIT_TRIES);

	for (int i = 0; i < tries; i++) {
		if (!__atomic_load_n(&v->busy, __ATOMIC_ACQUIRE)) {
			v->stuck = 0;
			return true;
		}
		if (i >= SPIN_TRIES)
			host_futex_wait_ms(&v->busy, 1, 1);
	}
	v->stuck = 1;
	return !owner_lives(READ_ONCE(v->owner));	/* it never leaves it, nor commits */
}

/* ---- vfork -------------------------------------------------------------------------------------- */

void vcpu_vfork_enter(void)
{
	mine.busy = vcpu_own ? vcpu_own->busy : 0;
}

void vcpu_vfork_leave(void)
{
	if (vcpu_own)
		WRITE_ONCE(vcpu_own->busy, mine.busy);
}

/* ---- fork -------------------------------------------------------------------------------------- */

void vcpu_fork_lock(void)
{
	for (unsigned int i = 0; i < nr_shared; i++)
		lock_fork(&vcpus[i].lock);
}

void vcpu_fork_unlock(void)
{
	for (unsigned int i = nr_shared; i-- > 0;)
		unlock(&vcpus[i].lock);
}

/*
 * Other threads' are as they were left, in the middle of an operation perhaps, which had
 * either committed or not; nobody owns them here.
 */
void vcpu_fork_child(void)
{
	for (unsigned int cpu = nr_shared; cpu < nr_all; cpu++) {
		struct vcpu *v = &vcpus[cpu];

		v->owner = v == vcpu_own ? (u32)host_gettid() : 0;
		if (v != vcpu_own)
			v->busy = 0;
	}
}
