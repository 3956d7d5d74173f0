// SPDX-License-Identifier: MIT
/*
 * lock.c - what a lock does when it is not free, and the check of their order.
 *
 * States of the word:
 *
 *	LOCK_FREE
 *	LOCK_HELD	held, nobody has gone to sleep on it since it was taken
 *	LOCK_WAITED	held, and somebody sleeps on it or is about to
 *	LOCK_FORK	as LOCK_HELD, by fork()
 *
 *	lock	FREE -> HELD by compare-and-swap; else, after spinning, exchange
 *		WAITED until the answer is FREE: then it is ours, as WAITED
 *	unlock	HELD -> FREE by compare-and-swap; else exchange FREE; if it was
 *		WAITED, wake one
 *
 * A sleeper always leaves WAITED behind before it sleeps, and the kernel compares
 * the word with that before it puts the thread to sleep; an unlock in between has
 * made it FREE, so the wait returns at once and no wake is lost. Whoever wakes
 * takes the lock as WAITED, since others may sleep still; the price is at most one
 * wake too many.
 *
 * A lock that fork() holds is never in state HELD. So whatever its thread does to
 * it between the handlers ends up here, where that is asked; who waits for it
 * leaves WAITED, and is woken at the end.
 *
 * unlock's wake comes after the lock is free, so the lock may be taken, dropped
 * and even unmapped by then. The kernel only uses the address as a key: a wake
 * there wakes nobody, or one who then looks at his own word again.
 *
 * Order: what makes it held is acquire, what makes it free is release, and
 * they pair: all that one holder wrote is seen by the next.
 */
#include "lock.h"

#include <string.h>

#include "host/host.h"

/*
 * Tries before sleeping. A section is some 10 to 100 ns long, a pause
 * instruction 5 to 50 ns, a sleep and its wake some 5 us: 100 tries cover a
 * few sections and cost no more than the sleep they save. Bounded, because
 * the holder may not be running at all.
 */
#define LOCK_SPINS	100

static inline void cpu_relax(void)
{
#if defined(__x86_64__)
	__builtin_ia32_pause();
#else
	__asm__ volatile("yield" ::: "memory");
#endif
}

void __lock_slow(struct kmem_lock *l, u32 held)
{
	if (unlikely(task_flags & TASK_LOCKS))
		return;
	for (int i = 0; i < LOCK_SPINS; i++) {
		/* Look before writing: the line stays shared while it is held. */
		if (READ_ONCE(l->word) == LOCK_FREE && lock_claim(l, held))
			return;
		cpu_relax();
	}
	while (__atomic_exchange_n(&l->word, LOCK_WAITED, __ATOMIC_ACQUIRE) != LOCK_FREE)
		host_futex_wait(&l->word, LOCK_WAITED);
}

void __unlock_slow(struct kmem_lock *l)
{
	if (unlikely(task_flags & TASK_LOCKS))
		return;
	if (__atomic_exchange_n(&l->word, LOCK_FREE, __ATOMIC_RELEASE) == LOCK_WAITED)
		host_futex_wake(&l->word, 1);
}

#ifdef KMEM_DEBUG

/*
 * What the thread holds, by rank. Initial-exec, so that looking at it never
 * allocates; debug builds may spend the 44 bytes of static TLS.
 */
static __thread struct {
	u32 nr[NR_LOCK_RANKS];		/* more than 1 only while forking */
	bool forking;
} held __attribute__((tls_model("initial-exec")));

static const char *const rank_name[NR_LOCK_RANKS] = {
	[RANK_NONE] = "NONE",
	[RANK_POOLS] = "POOLS",
	[RANK_POOL] = "POOL",
	[RANK_SLAB_MUTEX] = "SLAB_MUTEX",
	[RANK_KVFREE] = "KVFREE",
	[RANK_DRAIN] = "DRAIN",
	[RANK_DEPOT] = "DEPOT",
	[RANK_NODE] = "NODE",
	[RANK_CPU] = "CPU",
	[RANK_ZONES] = "ZONES",
	[RANK_ZONE] = "ZONE",
	[RANK_PERCPU] = "PERCPU",
	[RANK_MEMBLOCK] = "MEMBLOCK",
	[RANK_LIMITS] = "LIMITS",
	[RANK_VMAP] = "VMAP",
	[RANK_SHRINKERS] = "SHRINKERS",
	[RANK_RCU] = "RCU",
};

void lock_order_acquire(struct kmem_lock *l)
{
	unsigned int rank = l->rank;

	if (rank == RANK_NONE || rank >= NR_LOCK_RANKS)
		BUG("lock %p was never initialised", (void *)l);
	if (task_flags & TASK_LOCKS)
		return;
	for (unsigned int r = rank + held.forking; r < NR_LOCK_RANKS; r++)
		if (held.nr[r])
			BUG("lock order: %s taken while %s is held", rank_name[rank],
			    rank_name[r]);
	held.nr[rank]++;
}

void lock_order_tried(struct kmem_lock *l)
{
	if (l->rank == RANK_NONE || l->rank >= NR_LOCK_RANKS)
		BUG("lock %p was never initialised", (void *)l);
	held.nr[l->rank]++;
}

void lock_order_release(struct kmem_lock *l)
{
	if (task_flags & TASK_LOCKS)
		return;
	if (held.forking && l->rank < NR_LOCK_RANKS && !held.nr[l->rank])
		return;		/* made in a handler */
	if (l->rank >= NR_LOCK_RANKS || !held.nr[l->rank])
		BUG("lock %p released by a thread that does not hold it", (void *)l);
	held.nr[l->rank]--;
}

void lock_order_fork_begin(void)
{
	held.forking = true;
}

void lock_order_fork_end(void)
{
	memset(&held, 0, sizeof(held));
}

#endif /* KMEM_DEBUG */
