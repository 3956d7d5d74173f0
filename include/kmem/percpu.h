/* SPDX-License-Identifier: MIT */
/**
 * DOC: percpu.h - memory of which every CPU has its own copy.
 *
 * Contracts: the kernel's include/linux/percpu.h and this_cpu_ops.rst.
 *
 * Which CPU. "CPU" here is an index from 0 to num_possible_cpus() - 1 that no
 * two threads have at the same moment (the last one apart where a thread has none of its
 * own: Documentation/core-api/percpu.rst). Where the kernel gives concurrency ids
 * (Linux 6.3) it is that id, dense from 0: a program of three threads uses three
 * copies, whatever processors they run on. Else it is the processor's number. In
 * either case a thread's CPU may change between any two instructions, and
 * for_each_possible_cpu() reaches every copy that was ever written: a sum over
 * all of them is the sum of all additions that happened before.
 *
 * this_cpu operations change the copy of the CPU that they run on, atomically
 * with respect to everything else on that CPU (other threads, signal handlers):
 * restartable sequences, no locked instruction. They order nothing for other
 * CPUs. Writing another CPU's copy meanwhile loses updates, atomically or not;
 * reading it is fine. Where the kernel has no restartable sequences, or
 * KMEM_CMDLINE=rseq=off, each is one atomic instruction on the copy of a virtual
 * CPU that threads may share.
 *
 * What the kernel has and a process has not: a way to stay on a CPU
 * (get_cpu_ptr(), get_cpu_var()) and static per-CPU variables (DEFINE_PER_CPU).
 *
 * Context: this_cpu operations and the pointers: any, signal handlers included,
 * but not between vfork() and exec. None of the functions changes errno.
 */
#ifndef KMEM_PERCPU_H
#define KMEM_PERCPU_H

#include <stdint.h>

#include <kmem/cleanup.h>
#include <kmem/gfp.h>
#include <kmem/types.h>

/* Marks a pointer that is to be looked through by per_cpu_ptr() and the like only. */
#define __percpu

/* The largest piece, in bytes, and the largest alignment. */
#define PCPU_MAX_ALLOC		32768UL
#define PCPU_MAX_ALIGN		4096UL

/* From one CPU's copy to the next one's: 1 << this. */
#define KMEM_PCPU_SHIFT		16

KMEM_BEGIN_DECLS

/* ---- allocating ---------------------------------------------------------------- */

/**
 * __alloc_percpu_gfp - @size zeroed bytes for every CPU
 * @size: 1 to PCPU_MAX_ALLOC
 * @align: of each copy, a power of two up to PCPU_MAX_ALIGN
 * @gfp: without __GFP_DIRECT_RECLAIM only what is mapped already is given
 *
 * A copy that its CPU never touches costs no memory but address space.
 * Return: a per-CPU pointer, NULL when there is no memory or for bad arguments
 * (with a message, unless __GFP_NOWARN).
 * Context: takes a lock; may make system calls with __GFP_DIRECT_RECLAIM.
 */
void *__alloc_percpu_gfp(size_t size, size_t align, gfp_t gfp)
	__attribute__((malloc, alloc_size(1)));
/** __alloc_percpu - the same with GFP_KERNEL. */
void *__alloc_percpu(size_t size, size_t align) __attribute__((malloc, alloc_size(1)));
/**
 * free_percpu - give all copies back; NULL is allowed
 * What was never allocated, or is free already, is reported, and stops the program.
 */
void free_percpu(void *pdata);

/** alloc_percpu, alloc_percpu_gfp - one object of a type for every CPU. */
#define alloc_percpu(type)						\
	((__typeof__(type) __percpu *)__alloc_percpu(sizeof(type), __alignof__(type)))
#define alloc_percpu_gfp(type, gfp)					\
	((__typeof__(type) __percpu *)__alloc_percpu_gfp(sizeof(type), __alignof__(type), gfp))

DEFINE_FREE(free_percpu, void *, free_percpu(_T))

/* ---- CPUs, and where their copies are --------------------------------------------- */

/** raw_smp_processor_id - the CPU (see above) of the caller, right now. */
unsigned int raw_smp_processor_id(void);
/** num_possible_cpus - how many copies there are; constant. */
unsigned int num_possible_cpus(void);

#define for_each_possible_cpu(cpu)	for ((cpu) = 0; (cpu) < num_possible_cpus(); (cpu)++)

/** per_cpu_ptr - @cpu's copy. @cpu is below num_possible_cpus(). */
#define per_cpu_ptr(ptr, cpu)						\
	((__typeof__(&*(ptr)))((uintptr_t)(ptr) + ((uintptr_t)(cpu) << KMEM_PCPU_SHIFT)))
/**
 * this_cpu_ptr, raw_cpu_ptr - the copy of the CPU that the caller was on
 *
 * By the time that it is used the thread may be elsewhere, and another thread
 * be writing there: for data that is read, or locked, or atomic.
 */
#define this_cpu_ptr(ptr)	per_cpu_ptr(ptr, raw_smp_processor_id())
#define raw_cpu_ptr(ptr)	this_cpu_ptr(ptr)

/* ---- operations on the present CPU's copy ------------------------------------------ */

/*
 * By the size in bytes. Each returns what was there before; of the value the low
 * bytes count.
 */
#define KMEM_PCPU_DECLARE(bytes)						\
	uint64_t __this_cpu_fetch_add_##bytes(void *pcp, uint64_t value);	\
	uint64_t __this_cpu_fetch_and_##bytes(void *pcp, uint64_t value);	\
	uint64_t __this_cpu_fetch_or_##bytes(void *pcp, uint64_t value);	\
	uint64_t __this_cpu_xchg_##bytes(void *pcp, uint64_t value);		\
	uint64_t __this_cpu_cmpxchg_##bytes(void *pcp, uint64_t old, uint64_t value);

KMEM_PCPU_DECLARE(1)
KMEM_PCPU_DECLARE(2)
KMEM_PCPU_DECLARE(4)
KMEM_PCPU_DECLARE(8)

KMEM_END_DECLS

/* The call of the right size: 1, 2, 4 or 8 bytes; anything else does not compile. */
#define __kmem_pcpu_call(op, pcp, ...)					\
	((__typeof__(pcp))((void)sizeof(char[				\
		sizeof(pcp) <= 8 && !(sizeof(pcp) & (sizeof(pcp) - 1)) ? 1 : -1]), \
	 sizeof(pcp) == 8 ? __this_cpu_##op##_8((void *)&(pcp), __VA_ARGS__) : \
	 sizeof(pcp) == 4 ? __this_cpu_##op##_4((void *)&(pcp), __VA_ARGS__) : \
	 sizeof(pcp) == 2 ? __this_cpu_##op##_2((void *)&(pcp), __VA_ARGS__) : \
	 __this_cpu_##op##_1((void *)&(pcp), __VA_ARGS__)))

/**
 * this_cpu_read, this_cpu_write - the copy's value; replace it
 * @pcp: an lvalue through a per-CPU pointer, as *p, p->field; an integer or a
 *	pointer of 1, 2, 4 or 8 bytes
 */
#define this_cpu_read(pcp)						\
	(*(const volatile __typeof__(pcp) *)this_cpu_ptr(&(pcp)))
#define this_cpu_write(pcp, val)	((void)this_cpu_xchg(pcp, val))
/** this_cpu_add and so on - read, change, write back, as one. Nothing is returned. */
#define this_cpu_add(pcp, val)						\
	((void)__kmem_pcpu_call(fetch_add, pcp, (uint64_t)(val)))
#define this_cpu_sub(pcp, val)						\
	((void)__kmem_pcpu_call(fetch_add, pcp, -(uint64_t)(val)))
#define this_cpu_inc(pcp)		this_cpu_add(pcp, 1)
#define this_cpu_dec(pcp)		this_cpu_sub(pcp, 1)
#define this_cpu_and(pcp, val)						\
	((void)__kmem_pcpu_call(fetch_and, pcp, (uint64_t)(val)))
#define this_cpu_or(pcp, val)						\
	((void)__kmem_pcpu_call(fetch_or, pcp, (uint64_t)(val)))
/** this_cpu_add_return and so on - the new value. */
#define this_cpu_add_return(pcp, val) (__extension__ ({			\
	uint64_t __kmem_val = (uint64_t)(val);				\
	(__typeof__(pcp))(__kmem_val +					\
		(uint64_t)__kmem_pcpu_call(fetch_add, pcp, __kmem_val)); }))
#define this_cpu_sub_return(pcp, val)	this_cpu_add_return(pcp, -(uint64_t)(val))
#define this_cpu_inc_return(pcp)	this_cpu_add_return(pcp, 1)
#define this_cpu_dec_return(pcp)	this_cpu_sub_return(pcp, 1)
/** this_cpu_xchg - replace; the old value. */
#define this_cpu_xchg(pcp, val)						\
	__kmem_pcpu_call(xchg, pcp, (uint64_t)(val))
/** this_cpu_cmpxchg - replace @old by @val; what was there: it happened if that is @old. */
#define this_cpu_cmpxchg(pcp, old, val)					\
	__kmem_pcpu_call(cmpxchg, pcp, (uint64_t)(old), (uint64_t)(val))
/** this_cpu_try_cmpxchg - the same; true if done, else *@ovalp is what was there. */
#define this_cpu_try_cmpxchg(pcp, ovalp, val) (__extension__ ({		\
	__typeof__(pcp) __kmem_old = *(ovalp);				\
	__typeof__(pcp) __kmem_was = this_cpu_cmpxchg(pcp, __kmem_old, val); \
	*(ovalp) = __kmem_was;						\
	__kmem_was == __kmem_old; }))

/* Without the promise of atomicity: the same here. */
#define raw_cpu_read		this_cpu_read
#define raw_cpu_write		this_cpu_write
#define raw_cpu_add		this_cpu_add
#define raw_cpu_inc		this_cpu_inc
#define raw_cpu_dec		this_cpu_dec
#define __this_cpu_read		this_cpu_read
#define __this_cpu_write	this_cpu_write
#define __this_cpu_add		this_cpu_add
#define __this_cpu_sub		this_cpu_sub
#define __this_cpu_inc		this_cpu_inc
#define __this_cpu_dec		this_cpu_dec

/** per_cpu - @cpu's copy as an lvalue: per_cpu(*p, 3). */
#define per_cpu(var, cpu)		(*per_cpu_ptr(&(var), cpu))

#define alloc_percpu_noprof		alloc_percpu
#define alloc_percpu_gfp_noprof		alloc_percpu_gfp
#define __alloc_percpu_noprof		__alloc_percpu
#define __alloc_percpu_gfp_noprof	__alloc_percpu_gfp

#endif /* KMEM_PERCPU_H */
