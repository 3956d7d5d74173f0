/* SPDX-License-Identifier: MIT */
/*
 * verify.h - every structure of a heap checked against the others.
 *
 *	verify.c		one pass; and several, in a heap that changes meanwhile
 *	verify_pages.c		blocks tile the zone; marks, tails, dirty bits, buddies, slot map
 *	verify_lists.c		free lists, the dirty LRU, parked runs, against counts and the map
 *	verify_slabs.c		bitmaps, counts and lists of each cache
 *	verify_magazines.c	magazines, and what lies in them
 *	verify_stock.c		the runs that CPUs keep
 *
 * A check whose fields the library does not describe is left out, and that is
 * counted in "left_out".
 *
 * Kinds of damage, as "kind" in JSON: see verify_kinds[].
 */
#ifndef TOOLS_INSPECT_VERIFY_H
#define TOOLS_INSPECT_VERIFY_H

#include "heap.h"

struct verify_result {
	struct findings findings;
	unsigned long zones, blocks, slabs, objects, magazines;	/* looked at */
	unsigned int passes;
	unsigned int unstable;	/* findings of a pass that the next one did not confirm */
	char **left_out;	/* checks that can't be made */
	size_t nr_left_out;
};

/*
 * Of a target that can't change, one pass says it. Of a live one, what is
 * found must be found again, at the same place, in every one of several passes:
 * the target may be in the middle of anything. *@h may be replaced by a newer
 * picture of the heap.
 */
void verify_heap(struct heap **h, struct verify_result *r);
void verify_free(struct verify_result *r);

/* Every kind there is, and what it means; ends with NULL. */
extern const struct verify_kind {
	const char *kind, *meaning;
} verify_kinds[];

/* ---- between the files ---------------------------------------------------------- */

/* What a pass has counted in the slabs of a cache. */
struct slab_counts {
	uint64_t slabs, partial, empty, inuse;
};

struct verify {
	struct heap *h;
	struct verify_result *r;
	struct slab_counts *count;		/* [h->nr_caches] */
	/* All objects in magazines, sorted; each is to be met in a slab. */
	struct magazine_round *round;
	bool *met;				/* [nr_rounds] */
	size_t nr_rounds;
	uint32_t host_page_order;
};

/* What the walk over a zone's blocks counts, for the lists to be compared with. */
struct zone_counts {
	uint64_t blocks[HEAP_MAX_ORDERS];	/* free ones */
	uint64_t free, dirty_free, lru_blocks, parked;
};

/* The zone's bit maps and byte maps, as far as they are described. */
struct zone_maps {
	uint64_t *dirty;
	uint8_t *slotmap, *pageblock_type;
	uint64_t *free_max;
};

#define DAMAGE(v, kind, addr, ...)	finding_add(&(v)->r->findings, kind, addr, __VA_ARGS__)

void verify_left_out(struct verify *v, const char *what);

void verify_pages(struct verify *v, const struct heap_zone *z, const struct zone_maps *m,
		  struct zone_counts *c);
void verify_lists(struct verify *v, const struct heap_zone *z, const struct zone_counts *c);
void verify_magazines(struct verify *v);	/* before the zones: fills round[] */
void verify_rounds_left(struct verify *v);	/* after them: those that were not met */
/* The first of round[] whose object is not below @addr. */
size_t verify_first_round(const struct verify *v, uint64_t addr);
void verify_page_magazines(struct verify *v);
void verify_stock(struct verify *v);		/* after the zones */
void verify_caches(struct verify *v);		/* after the zones */

/* Bytes of a sparse map: parts that were never touched are zero. */
void verify_read_sparse(struct heap *h, uint64_t addr, void *buf, uint64_t len);

struct heap_block;
struct page_window;
/* A slab met in the walk: its bitmap, its tails, its rounds. */
void verify_slab(struct verify *v, struct page_window *w, const struct heap_block *b);

static inline bool verify_bit(const uint64_t *map, uint64_t i)
{
	return map[i / 64] >> i % 64 & 1;
}

#endif /* TOOLS_INSPECT_VERIFY_H */
