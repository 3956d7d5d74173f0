// SPDX-License-Identifier: MIT
/*
 * this_cpu.c - the operations behind the this_cpu macros of <kmem/percpu.h>.
 *
 * RSEQ mode: a section on the copy of the CPU that the thread is on; threads of one
 * CPU and their signal handlers are ordered by restarting, CPUs never share a copy.
 *
 * FALLBACK mode: threads may share a virtual CPU's copy, so each operation is one
 * atomic instruction (or loop) on it; in RSEQ mode threads that have no CPU's number
 * (percpu_thread_ready()) do so with a copy that is theirs alone. Relaxed: the operations
 * order nothing else in either mode.
 *
 * Before the allocator is ready there is no per-CPU pointer to operate on, so the mode
 * is known here.
 */
#include "percpu.h"

#include "arch/rseq.h"
#include "arch/this_cpu.h"
#include "start.h"

static void *vcpu_copy(void *pcp)
{
	return per_cpu_ptr((char *)pcp, percpu_cpu());
}

static inline bool on_a_cpu(void)
{
	return percpu.mode == PERCPU_RSEQ && percpu_thread_ready();
}

#define TC_FALLBACK_ADD(p, v)	__atomic_fetch_add(p, v, __ATOMIC_RELAXED)
#define TC_FALLBACK_AND(p, v)	__atomic_fetch_and(p, v, __ATOMIC_RELAXED)
#define TC_FALLBACK_OR(p, v)	__atomic_fetch_or(p, v, __ATOMIC_RELAXED)
#define TC_FALLBACK_XCHG(p, v)	__atomic_exchange_n(p, v, __ATOMIC_RELAXED)

#define DEFINE_MODIFY(name, bytes, type, OP)				\
DEFINE_RSEQ_MODIFY(name, bytes, TC_##OP)				\
u64 __this_cpu_##name##_##bytes(void *pcp, u64 value)			\
{									\
	if (likely(on_a_cpu()))						\
		return rseq_##name##_##bytes(pcp, value);		\
	return TC_FALLBACK_##OP((type *)vcpu_copy(pcp), (type)value);	\
}

#define DEFINE_CMPXCHG(bytes, type)					\
DEFINE_RSEQ_CMPXCHG(bytes)						\
u64 __this_cpu_cmpxchg_##bytes(void *pcp, u64 old, u64 value)		\
{									\
	type expect = (type)old;					\
									\
	if (likely(on_a_cpu()))						\
		return rseq_cmpxchg_##bytes(pcp, expect, value);	\
	__atomic_compare_exchange_n((type *)vcpu_copy(pcp), &expect, (type)value, \
				    false, __ATOMIC_RELAXED, __ATOMIC_RELAXED); \
	return expect;							\
}

#define DEFINE_ALL(bytes, type)						\
	DEFINE_MODIFY(fetch_add, bytes, type, ADD)			\
	DEFINE_MODIFY(fetch_and, bytes, type, AND)			\
	DEFINE_MODIFY(fetch_or, bytes, type, OR)			\
	DEFINE_MODIFY(xchg, bytes, type, XCHG)				\
	DEFINE_CMPXCHG(bytes, type)

DEFINE_ALL(1, u8)
DEFINE_ALL(2, u16)
DEFINE_ALL(4, u32)
DEFINE_ALL(8, u64)

unsigned int raw_smp_processor_id(void)
{
	return mm_init() ? percpu_cpu() : 0;
}

unsigned int num_possible_cpus(void)
{
	return mm_init() ? percpu.nr_cpus : 1;
}
