/* SPDX-License-Identifier: MIT */
/*
 * vcpu.h - fallback mode: the virtual CPUs that areas belong to where there is no rseq;
 * see vcpu.c. For percpu.c, which hides the mode.
 *
 * Layer: cpu.
 */
#ifndef MM_VCPU_H
#define MM_VCPU_H

#include "lock.h"
#include "percpu.h"

/* So many are shared, the others, up to VCPUS in all, for a thread of their own each. */
#define VCPUS_SHARED_MAX	64U
#define VCPUS_OWNED_MAX		64U
#define VCPUS			(VCPUS_SHARED_MAX + VCPUS_OWNED_MAX)

void vcpu_init(unsigned int shared, unsigned int owned);

/* Never one for this thread, which is the library's own. */
void vcpu_thread_init(void);

/*
 * Gives the caller a virtual CPU of its own, if it has none and there is one to be had.
 * Context: no lock held; may make system calls, but for TASK_NOWAIT.
 */
void vcpu_want(void);

/* The one that the caller has, or shared last. */
unsigned int vcpu_number(void);

/* Of percpu.h, on such a one. */
void *vcpu_pop(unsigned int slot);
bool vcpu_push(unsigned int slot, void *object);
size_t vcpu_pop_bulk(unsigned int slot, void **objects, size_t n);
size_t vcpu_push_bulk(unsigned int slot, void *const *objects, size_t n);
bool vcpu_cmpxchg(unsigned int cpu, unsigned int slot, long expect, long new);

/*
 * Drainers (percpu.c): the first that has an owner; takes the word of @slot on a shared one;
 * waits until the owner of another is in no operation that it began before. False: it stays
 * in it. The first wait for such an owner may take 10 ms; until it has left, others do not wait.
 */
unsigned int vcpu_first_owned(void);
long vcpu_take_shared(unsigned int cpu, unsigned int slot);
bool vcpu_wait_left(unsigned int cpu);

/* Around vfork(): a child that was killed in an operation leaves its parent in none. */
void vcpu_vfork_enter(void);
void vcpu_vfork_leave(void);

/* ---- hits ---------------------------------------------------------------------------- */

struct vcpu {
	u64 owner;			/* a thread's id, and above it how many have had it; 0: none */
	u32 busy;			/* the owner is in an operation; the owner's to write */
	u32 stuck;			/* and does not leave it; the drainer's */
	long *area;			/* of one that is owned; constant */
	struct kmem_lock lock;		/* of a shared one */
} __cacheline_aligned;

/* The caller's own; NULL: it has none, as in RSEQ mode. */
extern __thread struct vcpu *vcpu_own
	__attribute__((tls_model("initial-exec"), visibility("hidden")));

/* False: in an operation already; we are in a signal handler. */
static __always_inline bool vcpu_enter(struct vcpu *v)
{
	if (unlikely(v->busy))
		return false;
	WRITE_ONCE(v->busy, 1);
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	return true;
}

static __always_inline void vcpu_leave(struct vcpu *v)
{
	__atomic_store_n(&v->busy, 0, __ATOMIC_RELEASE);
}

/*
 * What the slow paths try first: the hit paths find closed slots in fallback mode. NULL,
 * false: go on.
 */
static __always_inline void *vcpu_hit_pop(unsigned int slot)
{
	struct vcpu *v = vcpu_own;
	long word;
	void *object;

	if (!v || !vcpu_enter(v))
		return NULL;
	word = READ_ONCE(v->area[slot]);
	object = *(void **)((char *)v->area + word);
	if (likely(object))
		WRITE_ONCE(v->area[slot], word - 8);
	vcpu_leave(v);
	return object;
}

static __always_inline bool vcpu_hit_push(unsigned int slot, void *object)
{
	struct vcpu *v = vcpu_own;
	void **next;
	long word;
	bool room;

	if (!v || !vcpu_enter(v))
		return false;
	word = READ_ONCE(v->area[slot]);
	next = (void **)((char *)v->area + word) + 1;
	room = *next != NULL;
	if (likely(room)) {
		WRITE_ONCE(*next, object);
		WRITE_ONCE(v->area[slot], word + 8);
	}
	vcpu_leave(v);
	return room;
}

/* Fork. */
void vcpu_fork_lock(void);
void vcpu_fork_unlock(void);
void vcpu_fork_child(void);

#endif /* MM_VCPU_H */
