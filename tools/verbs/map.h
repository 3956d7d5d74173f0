/* SPDX-License-Identifier: MIT */
/*
 * map.h - slabinfo map: which page of the heap is used for what.
 *
 *	map.c			the verb: options, the file
 *	map_uses.c		the pages of a zone as runs of one use
 *	map_svg.c		the picture
 *	map_json.c		the same for programs
 */
#ifndef TOOLS_VERBS_MAP_H
#define TOOLS_VERBS_MAP_H

#include "../inspect/heap.h"

/* In the order in which a picture prefers them where pages share a cell. */
enum map_use {
	MAP_NOT_RESIDENT,	/* free, or in no block, and no memory there */
	MAP_FREE,		/* free, resident */
	MAP_UNTRACKED,		/* in no block, resident: torn, or damaged */
	MAP_PCP,
	MAP_MOVABLE,		/* alloc_pages(), movable */
	MAP_PAGES,		/* alloc_pages(), other */
	MAP_LARGE,
	MAP_PARKED,
	MAP_RCU,
	MAP_SLAB,
	NR_MAP_USES
};

struct map_run {
	uint64_t first, pages;		/* in the zone */
	uint64_t resident;		/* how many of them */
	enum map_use use;
	const struct heap_cache *cache;	/* MAP_SLAB; otherwise NULL */
};

typedef void (*map_run_fn)(void *arg, const struct map_run *run);

/*
 * Calls @fn for runs that cover each present page of the zone once, in order; two in a
 * row differ in use or cache. False: which pages are resident can't be told, and @fn
 * was not called.
 */
bool map_walk(struct heap *h, const struct heap_zone *z, map_run_fn fn, void *arg);

/*
 * The migrate type of each pageblock of the zone, *@nr of them, the last perhaps in part
 * present; to be freed. NULL: it can't be told.
 */
unsigned char *map_pageblocks(struct heap *h, const struct heap_zone *z, uint64_t *nr);

/* Each writes the heap to @out. False: it can't be told, and what is in @out is not whole. */
bool map_svg(FILE *out, struct heap *h);
bool map_json(FILE *out, struct heap *h);	/* an object */

#endif /* TOOLS_VERBS_MAP_H */
