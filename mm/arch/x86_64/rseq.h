/* SPDX-License-Identifier: MIT */
/*
 * x86_64/rseq.h - the restartable sequences of mm/arch/rseq.h for x86-64.
 *
 * The thread pointer is %fs. kmem_hot is addressed relative to the instruction
 * pointer; its fields' offsets are checked against percpu.h in percpu.c.
 *
 * The descriptor of each section goes to the ELF section __rseq_cs, the abort
 * handler out of line behind the signature that the kernel demands in front of
 * it, in a text section of its own: in one that the compiler uses, a function that it puts
 * there would run into the signature. A jump out of a section (miss) leaves rseq_cs set: the
 * kernel sees that the instruction pointer is outside and clears it.
 */
#ifndef MM_ARCH_X86_64_RSEQ_H
#define MM_ARCH_X86_64_RSEQ_H

#define RSEQ_SIG		0x53053053

/*
 * Labels: 1 first instruction, 2 behind the commit, 3 descriptor, 4 abort
 * handler, 5 where to begin again, 6 and 7 loops. The signature is the operand of an
 * undefined instruction (ud1).
 */
#define RSEQ_DESCRIPTOR							\
	".pushsection __rseq_cs, \"aw\", @progbits\n\t"			\
	".balign 32\n"							\
	"3:\n\t"							\
	".long 0, 0\n\t"						\
	".quad 1f, 2f - 1f, 4f\n\t"					\
	".popsection\n"							\
	".pushsection .text.rseq_abort, \"ax\", @progbits\n\t"		\
	".byte 0x0f, 0xb9, 0x3d\n\t"					\
	".long 0x53053053\n"						\
	"4:\n\t"							\
	"jmp 5f\n\t"							\
	".popsection\n"

/* Steps of the pseudo-code, by name. @a, @b: registers that may be written. */
#define RSEQ_BEGIN(a, b)						\
	"5:\n\t"							\
	"movq kmem_hot+8(%%rip), " a "\n\t"				\
	"leaq 3b(%%rip), " b "\n\t"					\
	"movq " b ", %%fs:(" a ")\n"					\
	"1:\n\t"

#define RSEQ_LOAD_AREA(area, area32, tmp)				\
	"movq kmem_hot+16(%%rip), " tmp "\n\t"				\
	"imull $" RSEQ_STR(RSEQ_STRIDE) ", %%fs:(" tmp "), " area32 "\n\t" \
	"addq kmem_hot(%%rip), " area "\n\t"

#define RSEQ_STR_(x)	#x
#define RSEQ_STR(x)	RSEQ_STR_(x)
#define RSEQ_STRIDE	131072		/* PERCPU_STRIDE; checked in percpu.c */

static __always_inline void *rseq_pop(unsigned long slot)
{
	void *object, *area;
	long word;

	__asm__ volatile goto (
		RSEQ_DESCRIPTOR
		RSEQ_BEGIN("%[word]", "%[object]")
		RSEQ_LOAD_AREA("%[area]", "%k[area]", "%[word]")
		"movq (%[area],%[slot],8), %[word]\n\t"
		"movq (%[area],%[word]), %[object]\n\t"
		"testq %[object], %[object]\n\t"
		"jz %l[miss]\n\t"
		"subq $8, %[word]\n\t"
		"movq %[word], (%[area],%[slot],8)\n"	/* commit */
		"2:\n"
		: [object] "=&a" (object), [area] "=&r" (area), [word] "=&r" (word)
		: [slot] "r" (slot)
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
	void *area;
	long word;

	__asm__ volatile goto (
		RSEQ_DESCRIPTOR
		RSEQ_BEGIN("%[word]", "%[area]")
		RSEQ_LOAD_AREA("%[area]", "%k[area]", "%[word]")
		"movq (%[area],%[slot],8), %[word]\n\t"
		"cmpq $0, 8(%[area],%[word])\n\t"
		"je %l[full]\n\t"
		"movq %[object], 8(%[area],%[word])\n\t"
		"addq $8, %[word]\n\t"
		"movq %[word], (%[area],%[slot],8)\n"	/* commit */
		"2:\n"
		: [area] "=&r" (area), [word] "=&r" (word)
		: [slot] "r" (slot), [object] "r" (object)
		: "memory", "cc"
		: full);
	return true;
full:
	return false;
}

static __always_inline size_t rseq_pop_bulk(unsigned long slot, void **objects, size_t n)
{
	void *object, *area;
	size_t got;
	long word;

	__asm__ volatile goto (
		RSEQ_DESCRIPTOR
		RSEQ_BEGIN("%[word]", "%[object]")
		RSEQ_LOAD_AREA("%[area]", "%k[area]", "%[word]")
		"movq (%[area],%[slot],8), %[word]\n\t"
		"xorl %k[got], %k[got]\n"
		"6:\n\t"
		"movq (%[area],%[word]), %[object]\n\t"
		"testq %[object], %[object]\n\t"
		"jz 7f\n\t"
		"movq %[object], (%[objects],%[got],8)\n\t"
		"subq $8, %[word]\n\t"
		"incq %[got]\n\t"
		"cmpq %[n], %[got]\n\t"
		"jb 6b\n"
		"7:\n\t"
		"testq %[got], %[got]\n\t"
		"jz %l[miss]\n\t"
		"movq %[word], (%[area],%[slot],8)\n"	/* commit */
		"2:\n"
		: [object] "=&r" (object), [area] "=&r" (area), [word] "=&r" (word), [got] "=&r" (got)
		: [slot] "r" (slot), [objects] "r" (objects), [n] "r" (n)
		: "memory", "cc"
		: miss);
	return got;
miss:
	return 0;
}

static __always_inline size_t rseq_push_bulk(unsigned long slot, void *const *objects, size_t n)
{
	void *object, *area;
	size_t put;
	long word;

	__asm__ volatile goto (
		RSEQ_DESCRIPTOR
		RSEQ_BEGIN("%[word]", "%[object]")
		RSEQ_LOAD_AREA("%[area]", "%k[area]", "%[word]")
		"movq (%[area],%[slot],8), %[word]\n\t"
		"xorl %k[put], %k[put]\n"
		"6:\n\t"
		"cmpq $0, 8(%[area],%[word])\n\t"
		"je 7f\n\t"
		"movq (%[objects],%[put],8), %[object]\n\t"
		"testq %[object], %[object]\n\t"
		"jz 7f\n\t"
		"movq %[object], 8(%[area],%[word])\n\t"
		"addq $8, %[word]\n\t"
		"incq %[put]\n\t"
		"cmpq %[n], %[put]\n\t"
		"jb 6b\n"
		"7:\n\t"
		"testq %[put], %[put]\n\t"
		"jz %l[full]\n\t"
		"movq %[word], (%[area],%[slot],8)\n"	/* commit */
		"2:\n"
		: [object] "=&r" (object), [area] "=&r" (area), [word] "=&r" (word), [put] "=&r" (put)
		: [slot] "r" (slot), [objects] "r" (objects), [n] "r" (n)
		: "memory", "cc"
		: full);
	return put;
full:
	return 0;
}

static __always_inline bool rseq_cmpxchg(u32 cpu, long *where, long expect, long new)
{
	long a, b;

	__asm__ volatile goto (
		RSEQ_DESCRIPTOR
		RSEQ_BEGIN("%[a]", "%[b]")
		"movq kmem_hot+16(%%rip), %[a]\n\t"
		"cmpl %[cpu], %%fs:(%[a])\n\t"
		"jne %l[fail]\n\t"
		"cmpq %[expect], (%[where])\n\t"
		"jne %l[fail]\n\t"
		"movq %[new], (%[where])\n"		/* commit */
		"2:\n"
		: [a] "=&r" (a), [b] "=&r" (b)
		: [cpu] "r" (cpu), [where] "r" (where), [expect] "r" (expect), [new] "r" (new)
		: "memory", "cc"
		: fail);
	return true;
fail:
	return false;
}

#endif /* MM_ARCH_X86_64_RSEQ_H */
