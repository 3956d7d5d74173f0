/* SPDX-License-Identifier: MIT */
/*
 * rss.h - where a heap's resident memory is.
 *
 * Each resident byte of the heap's address space (heap_ranges()) falls in just
 * one row, so the rows add up to the whole by construction; whether the whole
 * is right is seen from what the system accounts, which is got independently.
 */
#ifndef TOOLS_INSPECT_RSS_H
#define TOOLS_INSPECT_RSS_H

#include "heap.h"

enum rss_row {
	ROW_OBJECTS,		/* objects that the program holds: object_size of each */
	ROW_ROUNDING,		/* and what their strides have more than that */
	ROW_MAGAZINES,		/* strides of objects in per-CPU magazines and depots */
	ROW_SLAB_FREE,		/* strides of objects free in slabs */
	ROW_SLAB_TAIL,		/* ends of slabs, shorter than an object */
	ROW_SLAB_RCU,		/* empty slabs that wait for a grace period */
	ROW_LARGE,		/* large objects: the bytes asked for */
	ROW_LARGE_ROUNDING,	/* and the rest of their last pages */
	ROW_PAGES,		/* blocks from alloc_pages() */
	ROW_PCP,		/* blocks in per-CPU page lists */
	ROW_PARKED,		/* free runs of pages, kept whole for the next of their length */
	ROW_FREE,		/* free blocks that were not given back yet */
	ROW_MEMMAP,		/* struct pages */
	ROW_ZONE_MAPS,		/* slot map, dirty bits, pageblocks, free-block bits */
	ROW_PERCPU,		/* per-CPU areas */
	ROW_MEMBLOCK,		/* magazines, caches, names, tables */
	ROW_DATA,		/* the library's own data */
	ROW_UNTRACKED,		/* resident, and nothing says why */
	NR_ROWS
};

struct rss_line {
	uint64_t count;		/* objects, blocks or pages; 0 where that means nothing */
	uint64_t size;		/* bytes, resident or not */
	uint64_t rss;		/* bytes that are resident */
};

struct rss_map {
	struct rss_line row[NR_ROWS];
	uint64_t total;		/* sum of the rows' rss */
	bool accounted;		/* rss_account() was called, and the system told it: */
	uint64_t smaps;		/* the RSS of the same address space, by its account */
};

/*
 * Fills @map, and rss of each cache. False: *@error, to be freed. Takes a walk over
 * the page map: of what is resident of it.
 */
bool rss_read(struct heap *h, struct rss_map *map, char **error);

/*
 * Asks the system as well, to be shown beside @map. Costs as much again: the kernel
 * walks every mapping of the process, holding its mmap_lock. So not for what reads
 * every second.
 */
void rss_account(struct heap *h, struct rss_map *map);

/* The resident part of the heap alone, without a walk; for lists of processes. */
uint64_t rss_total(const struct heap *h);

/* For the text: "objects in use"; for JSON: "objects". */
const char *rss_row_title(enum rss_row row);
const char *rss_row_key(enum rss_row row);

#endif /* TOOLS_INSPECT_RSS_H */
