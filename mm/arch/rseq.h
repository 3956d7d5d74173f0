/* SPDX-License-Identifier: MIT */
/*
 * rseq.h - the restartable sequences, specified once; every architecture's
 * header implements exactly these under the same names.
 *
 * A section runs from the instruction behind "begin" to its commit, the one
 * store that makes it happen. When the kernel preempts or migrates the thread
 * in it, or delivers a signal, it goes on at the abort handler, which begins
 * again. Nothing before the commit is visible to anybody, except that a push may
 * have written rounds above the top, which nobody reads (and which were not NULL,
 * nor are now: the magazine's end stays where it is), and rseq_pop_bulk() the
 * caller's array. No section makes a call or a system call; none writes a field of struct rseq
 * but rseq_cs, which is user space's.
 *
 *	rseq_pop(slot):
 *		begin:	rseq->rseq_cs = &descriptor
 *			area = hot.percpu_base + cpu * PERCPU_STRIDE
 *			word = area->slot[slot]
 *			object = *(area + word)
 *			if (!object) miss
 *		commit:	area->slot[slot] = word - 8
 *
 *	rseq_push(slot, object):
 *		begin:	...
 *			area = hot.percpu_base + cpu * PERCPU_STRIDE
 *			word = area->slot[slot]
 *			if (!*(area + word + 8)) full
 *			*(area + word + 8) = object
 *		commit:	area->slot[slot] = word + 8
 *
 *	rseq_pop_bulk(slot, objects, n):	n > 0
 *		begin:	...
 *			area = hot.percpu_base + cpu * PERCPU_STRIDE
 *			word = area->slot[slot]
 *			for (got = 0; got < n && *(area + word); got++, word -= 8)
 *				objects[got] = *(area + word)
 *			if (!got) miss
 *		commit:	area->slot[slot] = word
 *
 *	rseq_push_bulk(slot, objects, n):	n > 0
 *		begin:	...
 *			area = hot.percpu_base + cpu * PERCPU_STRIDE
 *			word = area->slot[slot]
 *			for (put = 0; put < n && *(area + word + 8) && objects[put]; put++, word += 8)
 *				*(area + word + 8) = objects[put]
 *			if (!put) full
 *		commit:	area->slot[slot] = word
 *
 *	rseq_cmpxchg(cpu, where, expect, new):
 *		begin:	...
 *			if (rseq->cpu != cpu) fail
 *			if (*where != expect) fail
 *		commit:	*where = new
 *
 * Why they are right. Only threads that run on a CPU write that CPU's slots,
 * and of these only one runs at a time; each either commits before it is
 * interrupted or starts over with fresh values. A drainer on another CPU
 * (percpu_drain()) is the one exception; it is argued there.
 *
 * A word changes in one store, so a fork in the middle of any section leaves
 * the child's areas whole.
 */
#ifndef MM_ARCH_RSEQ_H
#define MM_ARCH_RSEQ_H

#include "../base/compiler.h"

/* gcc has jumps out of assembly that has results from version 11 on, clang from 11 on, too. */
#if (defined(__clang__) || __GNUC__ >= 11) && (defined(__x86_64__) || defined(__aarch64__))
#define KMEM_HAVE_RSEQ	1
#else
#define KMEM_HAVE_RSEQ	0
#endif

#if !KMEM_HAVE_RSEQ
#include "generic/rseq.h"
#elif defined(__x86_64__)
#include "x86_64/rseq.h"
#else
#include "aarch64/rseq.h"
#endif

#endif /* MM_ARCH_RSEQ_H */
