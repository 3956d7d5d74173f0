/* SPDX-License-Identifier: MIT */
/*
 * home.h - the CPU that objects are at home on, while there are several threads.
 *
 * Neighbours share cache lines, so objects are to stay on one CPU as far as that can be
 * had; how is said where it is done (magazine.c, slub.c). A slab's struct page says on which.
 * That is a cache line which those who ask need for nothing else, and mostly the answer is:
 * on theirs. So there is a byte for each piece of memory besides, 64 to a line.
 *
 * All of this are hints, read and written without a lock: a wrong one costs time only.
 *
 * Layer: cpu.
 */
#ifndef MM_HOME_H
#define MM_HOME_H

#include "base/compiler.h"
#include "host/host.h"
#include "percpu.h"

/* No CPU in particular. */
#define HOME_ANY	0xffffU

/* Larger objects share few of their lines with neighbours. */
#define HOME_BYTES	512U

/*
 * Whether objects are to stay on their CPU. A single thread takes what there is; and in
 * fallback mode, where each thread has a number of its own, it would cost memory.
 */
static inline bool homes_matter(void)
{
	return percpu.mode == PERCPU_RSEQ && !host_single_threaded();
}

/* The memory from @start on is at home on @cpu. */
void home_set(const void *start, size_t bytes, unsigned int cpu);
/* Whether @object is known to be at home on @cpu. False: ask its slab. */
bool home_is(const void *object, unsigned int cpu);

#endif /* MM_HOME_H */
