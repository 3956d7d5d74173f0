/* SPDX-License-Identifier: MIT */
/*
 * aarch64/this_cpu.h - the sections of this_cpu.c for arm64; see mm/arch/this_cpu.h.
 */
#ifndef MM_ARCH_AARCH64_THIS_CPU_H
#define MM_ARCH_AARCH64_THIS_CPU_H

#include "rseq.h"

#define TC_STR_(x)	#x
#define TC_STR(x)	TC_STR_(x)

#define TC_LOAD_1	"ldrb %w[old], [%[a]]\n\t"
#define TC_LOAD_2	"ldrh %w[old], [%[a]]\n\t"
#define TC_LOAD_4	"ldr %w[old], [%[a]]\n\t"
#define TC_LOAD_8	"ldr %[old], [%[a]]\n\t"
#define TC_STORE_1	"strb %w[new], [%[a]]\n"
#define TC_STORE_2	"strh %w[new], [%[a]]\n"
#define TC_STORE_4	"str %w[new], [%[a]]\n"
#define TC_STORE_8	"str %[new], [%[a]]\n"

#define TC_ADD		"add %[new], %[old], %[value]\n\t"
#define TC_AND		"and %[new], %[old], %[value]\n\t"
#define TC_OR		"orr %[new], %[old], %[value]\n\t"
#define TC_XCHG		"mov %[new], %[value]\n\t"

/* The address of this CPU's copy: @a. */
#define TC_BEGIN							\
	RSEQ_DESCRIPTOR							\
	RSEQ_BEGIN							\
	"ldr %w[a], [%[tp], %[cpu_off]]\n\t"				\
	"add %[a], %[pcp], %[a], lsl #" TC_STR(KMEM_PCPU_SHIFT) "\n\t"

#define DEFINE_RSEQ_MODIFY(name, bytes, CHANGE)				\
static inline u64 rseq_##name##_##bytes(void *pcp, u64 value)		\
{									\
	u64 old, new, a, tp;						\
									\
	__asm__ volatile(						\
		TC_BEGIN						\
		TC_LOAD_##bytes						\
		CHANGE							\
		TC_STORE_##bytes	/* commit */			\
		"2:\n"							\
		: [old] "=&r" (old), [new] "=&r" (new), [a] "=&r" (a), [tp] "=&r" (tp) \
		: [pcp] "r" (pcp), [value] "r" (value),			\
		  [cs_off] "r" (kmem_hot.rseq_cs_off), [cpu_off] "r" (kmem_hot.cpu_off) \
		: "memory", "cc");					\
	return old;							\
}

#define DEFINE_RSEQ_CMPXCHG(bytes)					\
static inline u64 rseq_cmpxchg_##bytes(void *pcp, u64 expect, u64 new)	\
{									\
	u64 old, a, tp;							\
									\
	__asm__ volatile(						\
		TC_BEGIN						\
		TC_LOAD_##bytes						\
		"cmp %[old], %[expect]\n\t"				\
		"b.ne 2f\n\t"						\
		TC_STORE_##bytes	/* commit */			\
		"2:\n"							\
		: [old] "=&r" (old), [a] "=&r" (a), [tp] "=&r" (tp)	\
		: [pcp] "r" (pcp), [expect] "r" (expect), [new] "r" (new), \
		  [cs_off] "r" (kmem_hot.rseq_cs_off), [cpu_off] "r" (kmem_hot.cpu_off) \
		: "memory", "cc");					\
	return old;							\
}

#endif /* MM_ARCH_AARCH64_THIS_CPU_H */
