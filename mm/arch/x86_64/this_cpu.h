/* SPDX-License-Identifier: MIT */
/*
 * x86_64/this_cpu.h - the sections of this_cpu.c for x86-64; see mm/arch/this_cpu.h.
 *
 * Values are worked on as 64 bits, zero-extended, of which the low bytes are
 * stored: what is above them never reaches memory.
 */
#ifndef MM_ARCH_X86_64_THIS_CPU_H
#define MM_ARCH_X86_64_THIS_CPU_H

#include "rseq.h"

#define TC_LOAD_1	"movzbl (%[addr]), %k[old]\n\t"
#define TC_LOAD_2	"movzwl (%[addr]), %k[old]\n\t"
#define TC_LOAD_4	"movl (%[addr]), %k[old]\n\t"
#define TC_LOAD_8	"movq (%[addr]), %[old]\n\t"
#define TC_STORE_1	"movb %b[new], (%[addr])\n"
#define TC_STORE_2	"movw %w[new], (%[addr])\n"
#define TC_STORE_4	"movl %k[new], (%[addr])\n"
#define TC_STORE_8	"movq %[new], (%[addr])\n"

#define TC_ADD		"leaq (%[old],%[value]), %[new]\n\t"
#define TC_AND		"movq %[old], %[new]\n\tandq %[value], %[new]\n\t"
#define TC_OR		"movq %[old], %[new]\n\torq %[value], %[new]\n\t"
#define TC_XCHG		"movq %[value], %[new]\n\t"

/* The address of this CPU's copy: @addr. Writes old, too. */
#define TC_BEGIN							\
	RSEQ_DESCRIPTOR							\
	RSEQ_BEGIN("%[old]", "%[addr]")					\
	"movq kmem_hot+16(%%rip), %[old]\n\t"				\
	"movl %%fs:(%[old]), %k[addr]\n\t"				\
	"shlq $" RSEQ_STR(KMEM_PCPU_SHIFT) ", %[addr]\n\t"		\
	"addq %[pcp], %[addr]\n\t"

#define DEFINE_RSEQ_MODIFY(name, bytes, CHANGE)				\
static inline u64 rseq_##name##_##bytes(void *pcp, u64 value)		\
{									\
	u64 old, new, addr;						\
									\
	__asm__ volatile(						\
		TC_BEGIN						\
		TC_LOAD_##bytes						\
		CHANGE							\
		TC_STORE_##bytes	/* commit */			\
		"2:\n"							\
		: [old] "=&r" (old), [new] "=&r" (new), [addr] "=&r" (addr) \
		: [pcp] "r" (pcp), [value] "r" (value)			\
		: "memory", "cc");					\
	return old;							\
}

#define DEFINE_RSEQ_CMPXCHG(bytes)					\
static inline u64 rseq_cmpxchg_##bytes(void *pcp, u64 expect, u64 new)	\
{									\
	u64 old, addr;							\
									\
	__asm__ volatile(						\
		TC_BEGIN						\
		TC_LOAD_##bytes						\
		"cmpq %[expect], %[old]\n\t"				\
		"jne 2f\n\t"						\
		TC_STORE_##bytes	/* commit */			\
		"2:\n"							\
		: [old] "=&r" (old), [addr] "=&r" (addr)		\
		: [pcp] "r" (pcp), [expect] "r" (expect), [new] "r" (new) \
		: "memory", "cc");					\
	return old;							\
}

#endif /* MM_ARCH_X86_64_THIS_CPU_H */
