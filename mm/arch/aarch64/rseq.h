/* SPDX-License-Identifier: MIT */
/*
 * aarch64/rseq.h - the restartable sequences of mm/arch/rseq.h for arm64.
 *
 * The thread pointer is tpidr_el0. The signature in front of the abort handler
 * is a brk instruction (0xd428bc00). Descriptors are in the ELF section
 * __rseq_cs; abort handlers in a text section that no compiler puts functions into.
 * The area of a CPU is base + (cpu << 17).
 */
#ifndef MM_ARCH_AARCH64_RSEQ_H
#define MM_ARCH_AARCH64_RSEQ_H

#include "../../percpu.h"

#define RSEQ_SIG		0xd428bc00

/* Labels as on x86-64: 1 start, 2 end, 3 descriptor, 4 abort, 5 begin, 6 and 7 loops. */
#define RSEQ_DESCRIPTOR							\
	".pushsection __rseq_cs, \"aw\", %%progbits\n\t"		\
	".balign 32\n"							\
	"3:\n\t"							\
	".word 0, 0\n\t"						\
	".quad 1f, 2f - 1f, 4f\n\t"					\
	".popsection\n"							\
	".pushsection .text.rseq_abort, \"ax\", %%progbits\n\t"		\
	".inst 0xd428bc00\n"						\
	"4:\n\t"							\
	"b 5f\n\t"							\
	".popsection\n"

#define RSEQ_BEGIN							\
	"5:\n\t"							\
	"mrs %[tp], tpidr_el0\n\t"					\
	"adrp %[a], 3b\n\t"						\
	"add %[a], %[a], :lo12:3b\n\t"					\
	"str %[a], [%[tp], %[cs_off]]\n"				\
	"1:\n\t"

#define RSEQ_LOAD_AREA							\
	"ldr %w[a], [%[tp], %[cpu_off]]\n\t"				\
	"add %[a], %[base], %[a], lsl #17\n\t"

static __always_inline void *rseq_pop(unsigned long slot)
{
	void *object;
	long word;
	char *tp, *a;

	__asm__ volatile goto (
		RSEQ_DESCRIPTOR
		RSEQ_BEGIN
		RSEQ_LOAD_AREA
		"ldr %[word], [%[a], %[slot], lsl #3]\n\t"
		"ldr %[object], [%[a], %[word]]\n\t"
		"cbz %[object], %l[miss]\n\t"
		"sub %[word], %[word], #8\n\t"
		"str %[word], [%[a], %[slot], lsl #3]\n"	/* commit */
		"2:\n"
		: [object] "=&r" (object), [a] "=&r" (a), [word] "=&r" (word), [tp] "=&r" (tp)
		: [slot] "r" (slot), [base] "r" (kmem_hot.percpu_base),
		  [cs_off] "r" (kmem_hot.rseq_cs_off), [cpu_off] "r" (kmem_hot.cpu_off)
		: "memory", "cc"
		: miss);
	if (!object)
		__builtin_unreachable();
	return object;
miss:
	return NULL;
}

static __always_inline bool rseq_push(unsigned long slot, void *object)
{
	long word, top;
	char *tp, *a;

	__asm__ volatile goto (
		RSEQ_DESCRIPTOR
		RSEQ_BEGIN
		RSEQ_LOAD_AREA
		"ldr %[word], [%[a], %[slot], lsl #3]\n\t"
		"add %[word], %[word], #8\n\t"
		"ldr %[top], [%[a], %[word]]\n\t"
		"cbz %[top], %l[full]\n\t"
		"str %[object], [%[a], %[word]]\n\t"
		"str %[word], [%[a], %[slot], lsl #3]\n"	/* commit */
		"2:\n"
		: [top] "=&r" (top), [a] "=&r" (a), [word] "=&r" (word), [tp] "=&r" (tp)
		: [slot] "r" (slot), [object] "r" (object), [base] "r" (kmem_hot.percpu_base),
		  [cs_off] "r" (kmem_hot.rseq_cs_off), [cpu_off] "r" (kmem_hot.cpu_off)
		: "memory", "cc"
		: full);
	return true;
full:
	return false;
}

static __always_inline size_t rseq_pop_bulk(unsigned long slot, void **objects, size_t n)
{
	void *object;
	size_t got;
	long word;
	char *tp, *a;

	__asm__ volatile goto (
		RSEQ_DESCRIPTOR
		RSEQ_BEGIN
		RSEQ_LOAD_AREA
		"ldr %[word], [%[a], %[slot], lsl #3]\n\t"
		"mov %[got], #0\n"
		"6:\n\t"
		"ldr %[object], [%[a], %[word]]\n\t"
		"cbz %[object], 7f\n\t"
		"str %[object], [%[objects], %[got], lsl #3]\n\t"
		"sub %[word], %[word], #8\n\t"
		"add %[got], %[got], #1\n\t"
		"cmp %[got], %[n]\n\t"
		"b.lo 6b\n"
		"7:\n\t"
		"cbz %[got], %l[miss]\n\t"
		"str %[word], [%[a], %[slot], lsl #3]\n"	/* commit */
		"2:\n"
		: [object] "=&r" (object), [a] "=&r" (a), [word] "=&r" (word), [tp] "=&r" (tp),
		  [got] "=&r" (got)
		: [slot] "r" (slot), [objects] "r" (objects), [n] "r" (n),
		  [base] "r" (kmem_hot.percpu_base),
		  [cs_off] "r" (kmem_hot.rseq_cs_off), [cpu_off] "r" (kmem_hot.cpu_off)
		: "memory", "cc"
		: miss);
	return got;
miss:
	return 0;
}

static __always_inline size_t rseq_push_bulk(unsigned long slot, void *const *objects, size_t n)
{
	void *object;
	size_t put;
	long word;
	char *tp, *a;

	__asm__ volatile goto (
		RSEQ_DESCRIPTOR
		RSEQ_BEGIN
		RSEQ_LOAD_AREA
		"ldr %[word], [%[a], %[slot], lsl #3]\n\t"
		"mov %[put], #0\n"
		"6:\n\t"
		"add %[word], %[word], #8\n\t"
		"ldr %[object], [%[a], %[word]]\n\t"
		"cbz %[object], 7f\n\t"
		"ldr %[object], [%[objects], %[put], lsl #3]\n\t"
		"cbz %[object], 7f\n\t"
		"str %[object], [%[a], %[word]]\n\t"
		"add %[put], %[put], #1\n\t"
		"cmp %[put], %[n]\n\t"
		"b.lo 6b\n\t"
		"add %[word], %[word], #8\n"
		"7:\n\t"
		"cbz %[put], %l[full]\n\t"
		"sub %[word], %[word], #8\n\t"
		"str %[word], [%[a], %[slot], lsl #3]\n"	/* commit */
		"2:\n"
		: [object] "=&r" (object), [a] "=&r" (a), [word] "=&r" (word), [tp] "=&r" (tp),
		  [put] "=&r" (put)
		: [slot] "r" (slot), [objects] "r" (objects), [n] "r" (n),
		  [base] "r" (kmem_hot.percpu_base),
		  [cs_off] "r" (kmem_hot.rseq_cs_off), [cpu_off] "r" (kmem_hot.cpu_off)
		: "memory", "cc"
		: full);
	return put;
full:
	return 0;
}

static __always_inline bool rseq_cmpxchg(u32 cpu, long *where, long expect, long new)
{
	long word;
	char *tp, *a;

	__asm__ volatile goto (
		RSEQ_DESCRIPTOR
		RSEQ_BEGIN
		"ldr %w[a], [%[tp], %[cpu_off]]\n\t"
		"cmp %w[a], %w[cpu]\n\t"
		"b.ne %l[fail]\n\t"
		"ldr %[word], [%[where]]\n\t"
		"cmp %[word], %[expect]\n\t"
		"b.ne %l[fail]\n\t"
		"str %[new], [%[where]]\n"			/* commit */
		"2:\n"
		: [a] "=&r" (a), [word] "=&r" (word), [tp] "=&r" (tp)
		: [cpu] "r" (cpu), [where] "r" (where), [expect] "r" (expect), [new] "r" (new),
		  [cs_off] "r" (kmem_hot.rseq_cs_off), [cpu_off] "r" (kmem_hot.cpu_off)
		: "memory", "cc"
		: fail);
	return true;
fail:
	return false;
}

#endif /* MM_ARCH_AARCH64_RSEQ_H */
