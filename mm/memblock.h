/* SPDX-License-Identifier: MIT */
/*
 * memblock.h - memory for the allocator's own structures: magazines, caches,
 * names, tables. Never for objects: metadata shares no page with user memory.
 *
 * Whole cache lines up to MEMBLOCK_CLASS_MAX, carved from 64 KiB chunks and kept on a
 * free list for each size under one lock; larger pieces are mapped directly. Memory
 * is zeroed and aligned to a line (larger pieces to a page). The total is counted for
 * slabinfo (memblock_total()).
 */
#ifndef MM_MEMBLOCK_H
#define MM_MEMBLOCK_H

#include "base/compiler.h"

#define MEMBLOCK_LINE		64UL
#define MEMBLOCK_CLASS_MAX	(130 * MEMBLOCK_LINE)

void *memblock_alloc(size_t size);		/* NULL: no memory */
void memblock_free(void *p, size_t size);	/* the size that was asked for */
char *memblock_strdup(const char *s);
size_t memblock_total(void);			/* bytes mapped */

/* A mapping of the arena's; read by slabinfo (layout.c), by nobody here. */
struct memblock_chunk {
	struct memblock_chunk *next;	/* memblock_chunks; memblock lock */
	void *addr;			/* constant, as is size */
	size_t size;
	struct memblock_chunk *next_spare; /* a chunk not yet begun; memblock lock */
};

extern struct memblock_chunk *memblock_chunks;

void memblock_fork_lock(void);
void memblock_fork_unlock(void);

#endif /* MM_MEMBLOCK_H */
