// SPDX-License-Identifier: MIT
/*
 * percpu_alloc.c - memory of which every CPU has a copy (<kmem/percpu.h>).
 *
 * Chunks. A chunk is a sparse mapping of UNIT bytes for each CPU, one after the
 * other, so that a CPU's copy is found by a shift and an add from CPU 0's, whose
 * address is the per-CPU pointer. Only what a CPU touches costs memory. Chunks are
 * never given back as a mapping; what lies in them is reused.
 *
 *	        CPU 0            CPU 1            CPU 2
 *	| a . b b . . . . | a . b b . . . . | a . b b . . . . |
 *	      ^ the pointer
 *
 * A granule is 8 bytes. Three bitmaps say of each granule of a unit whether it is in
 * use, whether it is the last one of a piece, and whether it was ever in use since
 * the chunk was mapped: fresh granules are zero, others are cleared when they are
 * given out again, reading first, so that no page of a CPU that has never been there
 * comes into being.
 *
 * First fit, from the chunk's first free granule. A chunk remembers, for each alignment, the
 * least size that it had no place for: until something in it is freed it has none for
 * a larger one or a stricter alignment either, and is passed by without a look at its bitmap.
 *
 * Locks: pcpu_lock (RANK_PERCPU) around the list and the bitmaps. Chunks are mapped
 * and pieces cleared with no lock held.
 */
#include "percpu_alloc.h"

#include <kmem/percpu.h>
#include <string.h>

#include "base/bitops.h"
#include "base/bug.h"
#include "base/list.h"
#include "base/printk.h"
#include "host/host.h"
#include "lock.h"
#include "memblock.h"
#include "percpu.h"
#include "start.h"

#define UNIT		(1UL << KMEM_PCPU_SHIFT)
#define GRANULE		8UL
#define GRANULES	(UNIT / GRANULE)
/* Alignments that are told apart: 1 to PCPU_MAX_ALIGN / GRANULE granules. */
#define ALIGNMENTS	10U
#define NO_LIMIT	((u16)~0U)

BUILD_BUG_ON(PCPU_MAX_ALLOC > UNIT / 2);
BUILD_BUG_ON(PCPU_MAX_ALIGN / GRANULE != 1UL << (ALIGNMENTS - 1));
BUILD_BUG_ON(GRANULES >= NO_LIMIT);

struct pcpu_chunk {
	struct list_head list;		/* pcpu_chunks; pcpu_lock */
	char *base;			/* of CPU 0's unit; constant */
	/* pcpu_lock, as is all that follows. */
	unsigned int nr_free;		/* granules not in use: the zeros of @used */
	unsigned int first_free;	/* no granule below is free */
	u16 too_long[ALIGNMENTS];	/* so many granules or more have no place, by log2 of the alignment */
	unsigned long used[GRANULES / 64];
	unsigned long last[GRANULES / 64];
	unsigned long dirty[GRANULES / 64];
};

static LIST_HEAD(pcpu_chunks);
static struct kmem_lock pcpu_lock = LOCK_INIT(RANK_PERCPU);

/* ---- within a chunk: pcpu_lock ---------------------------------------------------- */

/* The first of @n free granules in a row, aligned to @align granules; GRANULES: none. */
static unsigned long chunk_find(const struct pcpu_chunk *c, unsigned long n, unsigned long align)
{
	unsigned long at = c->first_free;

	for (;;) {
		unsigned long end;

		at = ALIGN(bitmap_find(c->used, false, at, GRANULES), align);
		if (at + n > GRANULES)
			return GRANULES;
		end = bitmap_find(c->used, true, at, at + n);
		if (end == at + n)
			return at;
		at = end;
	}
}

/* Something was freed: there may be a place for anything. */
static void chunk_forget(struct pcpu_chunk *c)
{
	memset(c->too_long, 0xff, sizeof(c->too_long));
}

/* There is none for this, nor for what is as long and more strictly aligned. */
static void chunk_remember(struct pcpu_chunk *c, unsigned long n, unsigned long align)
{
	for (unsigned int a = __ffs(align); a < ALIGNMENTS; a++)
		c->too_long[a] = min(c->too_long[a], (u16)n);
}

/* As chunk_find(), without a look at a bitmap that was searched for the like before. */
static unsigned long chunk_place(struct pcpu_chunk *c, unsigned long n, unsigned long align)
{
	unsigned long at;

	if (c->nr_free < n || n >= c->too_long[__ffs(align)])
		return GRANULES;
	at = chunk_find(c, n, align);
	if (at == GRANULES)
		chunk_remember(c, n, align);
	return at;
}

/* Takes them; *@dirty: some were in use before. */
static void chunk_take(struct pcpu_chunk *c, unsigned long at, unsigned long n, bool *dirty)
{
	*dirty = bitmap_find(c->dirty, true, at, at + n) != at + n;
	bitmap_set_range(c->used, at, at + n);
	bitmap_set_range(c->dirty, at, at + n);
	__set_bit(c->last, at + n - 1);
	c->nr_free -= (unsigned int)n;
	if (at == c->first_free)
		c->first_free = (unsigned int)bitmap_find(c->used, false, at + n, GRANULES);
}

static char *pcpu_take(unsigned long n, unsigned long align, bool *dirty)
{
	struct pcpu_chunk *c;
	char *p = NULL;

	lock(&pcpu_lock);
	list_for_each_entry(c, &pcpu_chunks, list) {
		unsigned long at = chunk_place(c, n, align);

		if (at == GRANULES)
			continue;
		chunk_take(c, at, n, dirty);
		p = c->base + at * GRANULE;
		break;
	}
	unlock(&pcpu_lock);
	return p;
}

/* ---- chunks ------------------------------------------------------------------------ */

static bool add_chunk(void)
{
	size_t bytes = (size_t)percpu.nr_cpus << KMEM_PCPU_SHIFT;
	struct pcpu_chunk *c = memblock_alloc(sizeof(*c));

	if (!c)
		return false;
	c->base = host_map_sparse(bytes);
	if (!c->base) {
		memblock_free(c, sizeof(*c));
		return false;
	}
	host_name(c->base, bytes, "kmem-percpu-data");
	c->nr_free = GRANULES;
	chunk_forget(c);
	lock(&pcpu_lock);
	list_add_tail(&c->list, &pcpu_chunks);
	unlock(&pcpu_lock);
	return true;
}

/* The copies of a piece that had another owner; untouched pages are only read. */
static void clear_copies(char *p, size_t bytes)
{
	for (unsigned int cpu = 0; cpu < percpu.nr_cpus; cpu++) {
		u64 *word = (u64 *)per_cpu_ptr(p, cpu);

		for (size_t i = 0; i < bytes / sizeof(*word); i++) {
			if (word[i])
				word[i] = 0;
		}
	}
}

/* ---- the calls ----------------------------------------------------------------------- */

static bool size_valid(size_t size, size_t align, gfp_t gfp)
{
	if (size && size <= PCPU_MAX_ALLOC && is_power_of_2(align) && align <= PCPU_MAX_ALIGN)
		return true;
	if (!(gfp & __GFP_NOWARN))
		printk("illegal size (%zu) or align (%zu) for percpu allocation\n", size, align);
	return false;
}

void *__alloc_percpu_gfp(size_t size, size_t align, gfp_t gfp)
{
	unsigned long n = DIV_ROUND_UP(size, GRANULE);
	bool dirty;
	char *p;

	if (!size_valid(size, align, gfp) || !mm_init())
		return NULL;
	align = DIV_ROUND_UP(align, GRANULE);
	/* Another thread may take what a new chunk brought: then once more. */
	while (!(p = pcpu_take(n, align, &dirty))) {
		if (!(gfp & __GFP_DIRECT_RECLAIM) || !add_chunk())
			return NULL;
	}
	if (dirty)
		clear_copies(p, n * GRANULE);
	return p;
}

void *__alloc_percpu(size_t size, size_t align)
{
	return __alloc_percpu_gfp(size, align, GFP_KERNEL);
}

/* Whether a piece begins at granule @at: in use, and none is under way from below. */
static bool piece_begins(const struct pcpu_chunk *c, unsigned long at)
{
	return test_bit(c->used, at) &&
	       (at == 0 || !test_bit(c->used, at - 1) || test_bit(c->last, at - 1));
}

static bool chunk_free(struct pcpu_chunk *c, unsigned long offset)
{
	unsigned long at = offset / GRANULE, end;

	if (offset % GRANULE || !piece_begins(c, at))
		return false;
	end = bitmap_find(c->last, true, at, GRANULES);
	VM_BUG_ON(end == GRANULES);
	__clear_bit(c->last, end);
	bitmap_clear_range(c->used, at, end + 1);
	c->nr_free += (unsigned int)(end + 1 - at);
	c->first_free = min(c->first_free, (unsigned int)at);
	chunk_forget(c);
	return true;
}

void free_percpu(void *pdata)
{
	struct pcpu_chunk *c;
	bool freed = false;

	if (!pdata)
		return;
	lock(&pcpu_lock);
	list_for_each_entry(c, &pcpu_chunks, list) {
		unsigned long offset = (unsigned long)((char *)pdata - c->base);

		if (offset >= UNIT)
			continue;
		freed = chunk_free(c, offset);
		break;
	}
	unlock(&pcpu_lock);
	if (!freed)
		BUG("free_percpu: %p is no per-CPU memory in use", pdata);
}

long percpu_alloc_validate(void)
{
	struct pcpu_chunk *c;
	long errors = 0;

	lock(&pcpu_lock);
	list_for_each_entry(c, &pcpu_chunks, list) {
		errors += GRANULES - bitmap_weight_range(c->used, 0, GRANULES) != c->nr_free;
		errors += bitmap_find(c->used, false, 0, GRANULES) < c->first_free;
		for (unsigned int w = 0; w < GRANULES / 64; w++)
			errors += (c->last[w] & ~c->used[w]) || (c->used[w] & ~c->dirty[w]);
		for (unsigned int a = 0; a < ALIGNMENTS; a++)
			errors += c->too_long[a] != NO_LIMIT &&
				  chunk_find(c, c->too_long[a], 1UL << a) != GRANULES;
	}
	unlock(&pcpu_lock);
	return errors;
}

void percpu_alloc_fork_lock(void)
{
	lock_fork(&pcpu_lock);
}

void percpu_alloc_fork_unlock(void)
{
	unlock(&pcpu_lock);
}
