/* SPDX-License-Identifier: MIT */
/*
 * pages.h - the page map of a zone: what each page is part of, and the objects
 * in slabs.
 *
 * The map is copied in windows, of which only resident parts are read: the
 * rest is zero, as the system would give it, but would have to be made for us.
 */
#ifndef TOOLS_INSPECT_PAGES_H
#define TOOLS_INSPECT_PAGES_H

#include "fields.h"
#include "heap.h"

#define BITMAP_BITS	256U		/* of a slab's bitmap, in each of its pages */

enum block_kind {
	BLOCK_NONE,		/* a page that is in no block */
	BLOCK_FREE,		/* on a free list */
	BLOCK_ISOLATED,		/* free, being given back to the system */
	BLOCK_PCP,		/* in a per-CPU page list, or on its way */
	BLOCK_PAGES,		/* from alloc_pages() */
	BLOCK_LARGE,		/* a large object */
	BLOCK_PARKED,		/* a large object that was freed, kept whole */
	BLOCK_STOCK,		/* the same, kept by a CPU */
	BLOCK_RCU,		/* a slab, empty, that waits for a grace period */
	BLOCK_SLAB,
	NR_BLOCK_KINDS
};

/* The struct pages of one zone. */
struct page_window {
	struct heap *heap;
	const struct heap_zone *zone;
	char *bytes;		/* copies of the struct pages [first, first + held) */
	uint64_t first, held;
	uint64_t span;		/* how many are read at once; fewer for those who look at few */
};

void page_window_open(struct page_window *w, struct heap *h, const struct heap_zone *z);
void page_window_close(struct page_window *w);

/*
 * The copy of page @zpn, with @nr in a row as far as the zone has them (and no
 * more than 65536). Good until the next call.
 */
const char *page_window_get(struct page_window *w, uint64_t zpn, uint64_t nr);

struct heap_block {
	enum block_kind kind;
	uint64_t zpn, nr_pages;
	uint64_t addr;
	uint32_t order;			/* those that have one */
	uint32_t migratetype;
	uint64_t requested;		/* BLOCK_LARGE: bytes, at least 1 */
	struct heap_cache *cache;	/* BLOCK_SLAB */
	const char *pages;		/* BLOCK_SLAB: its struct pages; others: the head's */
};

/*
 * The block whose first page is @zpn: false when none begins there that could be
 * one; *@b is then that single page, BLOCK_NONE.
 */
bool block_read(struct page_window *w, uint64_t zpn, struct heap_block *b);

/*
 * The block that page @zpn is in, wherever in it: found through the tail's way
 * to its head, or by looking back. False: none, as above.
 */
bool block_find(struct page_window *w, uint64_t zpn, struct heap_block *b);

/* Calls @fn for each block of the zone in order, for pages in none as BLOCK_NONE. */
typedef void (*block_fn)(void *arg, struct page_window *w, const struct heap_block *b);
void blocks_walk(struct page_window *w, block_fn fn, void *arg);

const char *block_kind_name(enum block_kind kind);

/* As the kernel's /proc/pagetypeinfo writes it: "Movable". */
const char *migratetype_name(unsigned int type);

/* ---- objects in a slab ------------------------------------------------------------ */

static inline bool slab_object_free(const struct heap *h, const struct heap_block *b,
				    unsigned int i)
{
	uint64_t word;

	memcpy(&word, b->pages + i / BITMAP_BITS * h->fields->sizeof_page +
	       h->fields->page_bitmap.offset + i % BITMAP_BITS / 64 * 8, 8);
	return word >> i % 64 & 1;
}

/* The index in heap.rounds of the first object in a magazine that is not below @addr. */
size_t heap_first_round(const struct heap *h, uint64_t addr);
/* Whether the object at @addr lies in a magazine. */
bool heap_in_magazine(const struct heap *h, uint64_t addr);

enum object_state { OBJECT_LIVE, OBJECT_IN_MAGAZINE, OBJECT_FREE };

static inline enum object_state slab_object_state(const struct heap *h,
						  const struct heap_block *b, unsigned int i)
{
	if (slab_object_free(h, b, i))
		return OBJECT_FREE;
	return heap_in_magazine(h, b->addr + (uint64_t)i * b->cache->size) ?
		OBJECT_IN_MAGAZINE : OBJECT_LIVE;
}

#endif /* TOOLS_INSPECT_PAGES_H */
