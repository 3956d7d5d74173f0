/* SPDX-License-Identifier: MIT */
/*
 * arch/this_cpu.h - the restartable sequences on one CPU's copy of a word: specified
 * here once, implemented for each machine. arch/rseq.h says what a section is.
 *
 * rseq_NAME_BYTES(pcp, value), made by DEFINE_RSEQ_MODIFY(name, bytes, change):
 *
 *	begin
 *		addr = pcp + (the present CPU << KMEM_PCPU_SHIFT)
 *		old = *addr			@bytes of it, zero-extended
 *		new = change(old, value)	TC_ADD, TC_AND, TC_OR, TC_XCHG
 *		*addr = new			commit: the low @bytes
 *	end
 *	return old
 *
 * rseq_cmpxchg_BYTES(pcp, expect, new), made by DEFINE_RSEQ_CMPXCHG(bytes): the same,
 * but that it leaves without the commit unless old is @expect (zero-extended).
 *
 * The commit is one store, and stores of up to 8 bytes to an aligned address are not
 * torn: a reader on another CPU sees the old value or the new one.
 */
#ifndef MM_ARCH_THIS_CPU_H
#define MM_ARCH_THIS_CPU_H

#include <kmem/percpu.h>

#include "rseq.h"

#if !KMEM_HAVE_RSEQ
#include "generic/this_cpu.h"
#elif defined(__x86_64__)
#include "x86_64/this_cpu.h"
#else
#include "aarch64/this_cpu.h"
#endif

#endif /* MM_ARCH_THIS_CPU_H */
