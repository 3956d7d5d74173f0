// SPDX-License-Identifier: MIT
/*
 * percpu.c - choosing the mode, the areas, and the operations in both modes.
 *
 * Who writes a slot's word:
 *
 *	RSEQ	a thread on that CPU, in a section (arch/rseq.h); the drainer, see
 *		percpu_drain(), by an atomic exchange
 *	FALLBACK see vcpu.c
 *
 * Memory order. Magazines are handed from CPU to CPU through the depot, whose
 * lock orders their content, and by the drainer, whose membarrier does. Between
 * two threads that use the same CPU one after the other the scheduler's barriers
 * order everything, the hand-over of a concurrency id included.
 */
#include "percpu.h"

#include "arch/rseq.h"
#include "base/bitops.h"
#include "base/bug.h"
#include "cmdline.h"
#include "host/host.h"
#include "memblock.h"
#include "task.h"
#include "vcpu.h"

/* glibc 2.35 and later; weak, so that an older C library still loads us. */
extern const ptrdiff_t __rseq_offset __attribute__((weak));
extern const unsigned int __rseq_size __attribute__((weak));

/* Offsets in the kernel's struct rseq (its ABI). */
#define RSEQ_CPU_ID		4
#define RSEQ_CS			8
#define RSEQ_MM_CID		24
#define RSEQ_MM_CID_END		28
#define RSEQ_ZERO		28	/* of the original 32 bytes, the last four */

/* The assembly addresses these by number. */
BUILD_BUG_ON(offsetof(struct kmem_hot, percpu_base) != 0);
BUILD_BUG_ON(offsetof(struct kmem_hot, rseq_cs_off) != 8);
BUILD_BUG_ON(offsetof(struct kmem_hot, cpu_off) != 16);
BUILD_BUG_ON(PERCPU_STRIDE != 131072);
BUILD_BUG_ON(sizeof(struct kmem_hot) != SMP_CACHE_BYTES);

struct kmem_hot kmem_hot;
struct percpu_state percpu;

/* What a thread that has not registered reads as its CPU: one that has an area of zeros. */
#define CPU_NONE		2047U

/*
 * A struct rseq of ours, where the C library registers none. In fallback mode nobody
 * registers it: sections read as their CPU's number the zero at its end, as long as it is,
 * and that CPU's area then is all zeros, so that they miss.
 */
static __thread struct {
	union {
		u32 rseq[8];
		u64 rseq_cs[2];		/* the second of them */
	};
	bool refused;			/* registering was */
	bool forks;			/* and is no vfork child */
} percpu_tls __attribute__((tls_model("initial-exec"), aligned(32))) = {
	.rseq = { [RSEQ_CPU_ID / 4] = CPU_NONE, [RSEQ_MM_CID / 4] = CPU_NONE },
};

static unsigned long slot_map[PERCPU_SLOTS / 64];	/* taken; slab_mutex */

/* ---- start-up ------------------------------------------------------------------ */

/* glibc has made a registration. */
static bool rseq_of_libc(void)
{
#ifdef KMEM_TSAN
	return false;
#else
	if (!KMEM_HAVE_RSEQ || !kmem_params.rseq)
		return false;
	if (!&__rseq_size || !&__rseq_offset || __rseq_size == 0)
		return false;
	/* cpu_id is negative until the kernel has filled the area in. */
	return *(int *)(thread_pointer() + __rseq_offset + RSEQ_CPU_ID) >= 0;
#endif
}

static unsigned int count_cpus(void)
{
	unsigned int n = host_possible_cpus();

	if (n == 0)
		n = 8192;	/* nobody says: any that Linux is built for may turn up */
	return n;
}

static size_t areas(unsigned int n)
{
	return (size_t)n << PERCPU_SHIFT;
}

static void have_areas(char *base, unsigned int n)
{
	percpu.base = base;
	percpu.closed = base + areas(n);
	host_name(base, areas(n), "kmem-percpu");
}

/* @n areas, and behind them @zeros more, which nobody can write to. */
static bool map_areas(unsigned int n, unsigned int zeros)
{
	char *base = host_map_sparse(areas(n + zeros));

	if (!base)
		return false;
	host_zeros(base + areas(n), areas(zeros));
	have_areas(base, n);
	return true;
}

/*
 * The same where threads may also read the area of CPU_NONE, from either beginning; and
 * registers this one:
 *
 *	| 0 .. n-1 | n .. 2n-1: zeros |  ...  | CPU_NONE: zeros |  ...  | n + CPU_NONE: zeros |
 *	  base       closed
 *
 * What is between goes back at once, so that it is only the asking that needs room.
 */
static bool map_own_areas(unsigned int n)
{
	char *base = host_reserve(areas(n + CPU_NONE + 1), host_page_size());
	char *none = base + areas(CPU_NONE), *last = base + areas(n + CPU_NONE);

	if (!base)
		return false;
	if (host_commit(base, areas(n)) || host_zeros(base + areas(n), areas(n)) ||
	    host_zeros(none, areas(1)) || host_zeros(last, areas(1)) ||
	    host_rseq_register(percpu_tls.rseq)) {
		host_release(base, areas(n + CPU_NONE + 1));
		return false;
	}
	host_release(base + areas(2 * n), areas(CPU_NONE - 2 * n));
	host_release(none + areas(1), areas(n - 1));
	host_advise_huge(base, areas(n), false);
	have_areas(base, n);
	return true;
}

/* @rseq: where each thread's struct is, from its thread pointer. */
static void use_rseq(long rseq, unsigned int nr_cpus)
{
	percpu.mode = PERCPU_RSEQ;
	percpu.nr_cpus = nr_cpus;
	percpu.use_cid = host_rseq_feature_size() >= RSEQ_MM_CID_END;
	percpu.can_drain = host_membarrier_rseq_register() == 0;
	kmem_hot.rseq_cs_off = rseq + RSEQ_CS;
	kmem_hot.cpu_off = rseq + (percpu.use_cid ? RSEQ_MM_CID : RSEQ_CPU_ID);
	kmem_hot.percpu_base = percpu.base;
}

/* While there is a vfork child each CPU has its area of zeros. */
static bool init_libc(void)
{
	unsigned int n = count_cpus();

	if (!rseq_of_libc() || !map_areas(n, n))
		return false;
	use_rseq(__rseq_offset, n);
	return true;
}

static long own_rseq(void)
{
	char *rseq = (char *)percpu_tls.rseq;

	/* gcc 12 folds the difference to the address of the GOT entry without this. */
	__asm__("" : "+r" (rseq));
	return rseq - thread_pointer();
}

/*
 * Registrations of our own, thread by thread. glibc leaves a thread's memory alone until
 * the kernel has done with the thread; musl unmaps the stack of a detached one under its
 * feet, where the kernel would still write to it.
 */
#if KMEM_HAVE_RSEQ && defined(__GLIBC__) && !defined(KMEM_TSAN)
#define MAY_REGISTER	true
#else
#define MAY_REGISTER	false
#endif

static bool init_own(void)
{
	/* And one more, for threads that have none. */
	unsigned int n = host_possible_cpus() + 1;

	if (!MAY_REGISTER || !kmem_params.rseq || n == 1 || 2 * n > CPU_NONE || !map_own_areas(n))
		return false;
	percpu.by_thread = true;
	use_rseq(own_rseq(), n);
	return true;
}

static bool init_fallback(void)
{
	unsigned int wanted = kmem_params.nr_cpus, cpus = count_cpus(), owned = 0;
	unsigned int shared = wanted ? min(wanted, VCPUS_SHARED_MAX) :
				       clamp(2 * cpus, 4U, VCPUS_SHARED_MAX);

#ifndef KMEM_TSAN	/* which does not know of membarriers */
	/* Who says how many it shall be has them all used to the full. */
	if (!wanted && host_membarrier_register() == 0)
		owned = clamp(4 * cpus, 8U, VCPUS_OWNED_MAX);
#endif
	if (!map_areas(shared + owned, 1))
		return false;
	vcpu_init(shared, owned);
	percpu.mode = PERCPU_FALLBACK;
	percpu.nr_cpus = shared + owned;
	percpu.by_thread = owned > 0;
	percpu.can_drain = true;
	kmem_hot.rseq_cs_off = own_rseq() + RSEQ_CS;
	kmem_hot.cpu_off = own_rseq() + RSEQ_ZERO;
	kmem_hot.percpu_base = percpu.closed;
	return true;
}

bool percpu_init(void)
{
	bool fewer = kmem_params.nr_cpus && kmem_params.nr_cpus < count_cpus();

	bitmap_set_range(slot_map, 0, SLOT_DYNAMIC);
	percpu.pid = host_getpid();
	/* Sections find their area by the CPU's number, whatever it is. */
	return (!fewer && (init_libc() || init_own())) || init_fallback();
}

/* ---- threads -------------------------------------------------------------------------- */

/* What sections read. */
static unsigned int thread_cpu(void)
{
	return READ_ONCE(*(u32 *)(thread_pointer() + kmem_hot.cpu_off));
}

bool __percpu_thread_known(void)
{
	return percpu.mode == PERCPU_FALLBACK || thread_cpu() != CPU_NONE;
}

/*
 * Where the kernel refuses (another library has registered the thread) it is not asked
 * again. Not for a vfork child or the like, on its parent's struct: it would leave its
 * CPU there.
 */
static bool register_thread(void)
{
	if (likely(thread_cpu() != CPU_NONE))
		return true;
	if (percpu_tls.refused || READ_ONCE(percpu.vforks) || !task_may_wait() ||
	    host_getpid() != percpu.pid)
		return false;
	/* What sections that missed have left there; the kernel may look as it registers. */
	WRITE_ONCE(percpu_tls.rseq_cs[RSEQ_CS / 8], 0);
	percpu_tls.refused = host_rseq_register(percpu_tls.rseq) != 0;
	/* A signal handler may have been here meanwhile, and was not refused. */
	return thread_cpu() != CPU_NONE;
}

bool __percpu_thread_ready(void)
{
	if (percpu.mode == PERCPU_RSEQ)
		return register_thread();
	vcpu_want();
	return true;
}

void percpu_thread_init(void)
{
	if (percpu.mode == PERCPU_FALLBACK)
		vcpu_thread_init();
	else if (percpu.by_thread)
		percpu_tls.rseq[RSEQ_CPU_ID / 4] = percpu_tls.rseq[RSEQ_MM_CID / 4] = CPU_NONE;
}

/* ---- operations ------------------------------------------------------------------ */

/* Of a thread that is ready. */
static unsigned int area_number(void)
{
	return percpu.mode == PERCPU_RSEQ ? thread_cpu() : vcpu_number();
}

unsigned int percpu_cpu(void)
{
	return percpu_thread_ready() ? area_number() : percpu.nr_cpus - 1;
}

unsigned int percpu_cpu_hint(void)
{
	return percpu_thread_known() ? area_number() : 0;
}

long percpu_word(unsigned int slot, unsigned int *cpu)
{
	if (unlikely(READ_ONCE(percpu.vforks) || !percpu_thread_known())) {
		*cpu = 0;
		return WORD_DRAINING;
	}
	*cpu = area_number();
	return READ_ONCE(*percpu_slot(*cpu, slot));
}

void *percpu_pop(unsigned int slot)
{
	return percpu.mode == PERCPU_RSEQ ? rseq_pop(slot) : vcpu_pop(slot);
}

bool percpu_push(unsigned int slot, void *object)
{
	return percpu.mode == PERCPU_RSEQ ? rseq_push(slot, object) :
					    vcpu_push(slot, object);
}

size_t percpu_pop_bulk(unsigned int slot, void **objects, size_t n)
{
	return percpu.mode == PERCPU_RSEQ ? rseq_pop_bulk(slot, objects, n) :
					    vcpu_pop_bulk(slot, objects, n);
}

size_t percpu_push_bulk(unsigned int slot, void *const *objects, size_t n)
{
	return percpu.mode == PERCPU_RSEQ ? rseq_push_bulk(slot, objects, n) :
					    vcpu_push_bulk(slot, objects, n);
}

bool percpu_cmpxchg(unsigned int cpu, unsigned int slot, long expect, long new)
{
	VM_BUG_ON(expect == WORD_DRAINING);
	if (percpu.mode == PERCPU_RSEQ)
		return rseq_cmpxchg(cpu, percpu_slot(cpu, slot), expect, new);
	return vcpu_cmpxchg(cpu, slot, expect, new);
}

/* ---- draining --------------------------------------------------------------------- */

#define DRAIN_BATCH	64
#define DRAIN_TRIES	4

/* Where nobody has written meanwhile. */
static void put_back(unsigned int cpu, unsigned int slot, long old)
{
	long expect = WORD_DRAINING;

	__atomic_compare_exchange_n(percpu_slot(cpu, slot), &expect, old, false,
				    __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
}

static int drain_barrier(void)
{
	return percpu.mode == PERCPU_RSEQ ? host_membarrier_rseq() : host_membarrier();
}

/*
 * Taking a magazine from another CPU while threads there may be in a section.
 *
 *	1. word = exchange(slot, WORD_DRAINING)
 *	2. membarrier: every section under way anywhere is restarted
 *	3. is the slot still WORD_DRAINING?
 *
 * A section that had read the old word before (1) either was restarted by (2),
 * then reads WORD_DRAINING and misses; or had committed before (2), then (3)
 * finds another value. A section that begins after (1) misses, and the slow path
 * never installs over WORD_DRAINING (percpu_cmpxchg() is never given it to
 * expect). So "yes" at (3) says that no CPU has the magazine, nor anyone who
 * took it from there: it is ours, with all its owner's stores before (2)
 * visible. "No" says that an owner still had it after our exchange: whatever
 * was done with it since then is the owner's business, and we try again.
 * Setting the slot to WORD_CLOSED afterwards is a plain store: nobody but the
 * one drainer (drain_mutex) writes over WORD_DRAINING once (2) is past.
 *
 * In fallback mode the same on virtual CPUs that have an owner: for "section" read
 * "operation", and (2) waits for its end (vcpu.c). Where it does not come, what was there
 * goes back: whoever wrote meanwhile had read that, or missed.
 */
static bool drain_batch(unsigned int first, unsigned int n, unsigned int slot,
			void (*fn)(void **top, void *arg), void *arg)
{
	long old[DRAIN_BATCH];
	bool taken[DRAIN_BATCH];
	bool any = false, again = false;

	for (unsigned int i = 0; i < n; i++) {
		long *word = percpu_slot(first + i, slot);

		/* A page that was never touched stays so. */
		taken[i] = READ_ONCE(*word) != WORD_CLOSED;
		if (!taken[i])
			continue;
		old[i] = __atomic_exchange_n(word, WORD_DRAINING, __ATOMIC_ACQ_REL);
		any = true;
	}
	if (!any)
		return true;
	if (drain_barrier() != 0) {
		/*
		 * Refused after all (a sandbox came later): the magazines cannot
		 * be taken safely. Put back what nobody has touched.
		 */
		percpu.can_drain = false;
		for (unsigned int i = 0; i < n; i++)
			if (taken[i])
				put_back(first + i, slot, old[i]);
		return true;
	}
	for (unsigned int i = 0; i < n; i++) {
		long *word = percpu_slot(first + i, slot);

		if (!taken[i])
			continue;
		if (percpu.mode == PERCPU_FALLBACK && !vcpu_wait_left(first + i)) {
			put_back(first + i, slot, old[i]);
			again = true;
			continue;
		}
		if (READ_ONCE(*word) != WORD_DRAINING) {
			again = true;
			continue;
		}
		WRITE_ONCE(*word, WORD_CLOSED);
		if (old[i] != WORD_CLOSED && old[i] != WORD_DRAINING)
			fn(round_of(first + i, old[i]), arg);
	}
	return !again;
}

void percpu_barrier(void)
{
	if (percpu.can_drain && (percpu.mode == PERCPU_RSEQ || percpu.by_thread))
		drain_barrier();
}

bool percpu_drain(unsigned int slot, void (*fn)(void **top, void *arg), void *arg)
{
	unsigned int first = percpu.mode == PERCPU_FALLBACK ? vcpu_first_owned() : 0;
	bool all = true;

	for (unsigned int cpu = 0; cpu < first; cpu++) {
		long old = vcpu_take_shared(cpu, slot);

		if (old != WORD_CLOSED)
			fn(round_of(cpu, old), arg);
	}
	for (unsigned int cpu = first; cpu < percpu.nr_cpus; cpu += DRAIN_BATCH) {
		unsigned int n = min(percpu.nr_cpus - cpu, (unsigned int)DRAIN_BATCH);
		bool taken = false;

		for (int i = 0; i < DRAIN_TRIES && !taken; i++) {
			if (!percpu.can_drain)
				return false;
			taken = drain_batch(cpu, n, slot, fn, arg);
		}
		all &= taken;
	}
	return all && percpu.can_drain;
}

void percpu_drain_dead(unsigned int slot, void (*fn)(void **top, void *arg), void *arg)
{
	for (unsigned int cpu = 0; cpu < percpu.nr_cpus; cpu++) {
		long *word = percpu_slot(cpu, slot);
		long old;

		if (READ_ONCE(*word) == WORD_CLOSED)
			continue;
		old = __atomic_exchange_n(word, WORD_CLOSED, __ATOMIC_ACQ_REL);
		if (old != WORD_CLOSED && old != WORD_DRAINING)
			fn(round_of(cpu, old), arg);
	}
}

/* ---- vfork ---------------------------------------------------------------------------- */

/*
 * A word of its own: taken by tasks that lock checking cannot tell apart. A fork handler that
 * makes a vfork child has it already (TASK_LOCKS).
 */
static u32 vfork_lock;

static void take_vfork_lock(void)
{
	if (task_flags & TASK_LOCKS)
		return;
	while (__atomic_exchange_n(&vfork_lock, 1, __ATOMIC_ACQUIRE))
		host_yield();
}

static void give_vfork_lock(void)
{
	if (task_flags & TASK_LOCKS)
		return;
	__atomic_store_n(&vfork_lock, 0, __ATOMIC_RELEASE);
}

static void set_vforks(unsigned int n)
{
	WRITE_ONCE(percpu.vforks, n);
	if (percpu.mode == PERCPU_RSEQ)
		WRITE_ONCE(kmem_hot.percpu_base, n ? percpu.closed : percpu.base);
}

static void vfork_count(int change)
{
	take_vfork_lock();
	set_vforks(percpu.vforks + (unsigned int)change);
	give_vfork_lock();
}

void percpu_vfork_enter(void)
{
	if (percpu.mode == PERCPU_FALLBACK)
		vcpu_vfork_enter();
	vfork_count(1);
}

void percpu_vfork_leave(void)
{
	vfork_count(-1);
	if (percpu.mode == PERCPU_FALLBACK)
		vcpu_vfork_leave();
}

/* ---- slot numbers: slab_mutex, or start-up ------------------------------------------ */

unsigned int percpu_slot_alloc(void)
{
	unsigned long n = bitmap_find(slot_map, false, SLOT_DYNAMIC, PERCPU_SLOTS);

	if (n == PERCPU_SLOTS)
		return SLOT_NONE;
	__set_bit(slot_map, n);
	return (unsigned int)n;
}

void percpu_slot_free(unsigned int slot)
{
	if (slot >= SLOT_DYNAMIC)
		__clear_bit(slot_map, slot);
}

/* ---- fork ------------------------------------------------------------------------------ */

void percpu_fork_prepare(void)
{
	percpu_tls.forks = host_getpid() == percpu.pid;
}

/* vfork()'s is held for two stores, by who takes no other: it may be taken after any. */
void percpu_fork_lock(void)
{
	take_vfork_lock();
	if (percpu.mode == PERCPU_FALLBACK)
		vcpu_fork_lock();
}

void percpu_fork_unlock(void)
{
	if (percpu.mode == PERCPU_FALLBACK)
		vcpu_fork_unlock();
	give_vfork_lock();
}

/*
 * The vfork children of other threads are the parent's. A child that a vfork child makes goes
 * on as that one: with a CPU's number that is stale and no registration. No lock: there is
 * one thread.
 */
void percpu_fork_child(void)
{
	if (!percpu_tls.forks)
		return;
	percpu.pid = host_getpid();
	if (percpu.vforks)
		set_vforks(0);
	if (percpu.mode == PERCPU_FALLBACK)
		vcpu_fork_child();
}
