// SPDX-License-Identifier: MIT
/* pages.c - reads the page map, block by block. */
#include "pages.h"

#include <stdlib.h>

#define WINDOW_PAGES	(1UL << 16)	/* struct pages held at a time */
/* No slab is longer: how far the head of a page without a way to it is looked for first. */
#define NEAR_PAGES	1024UL

void page_window_open(struct page_window *w, struct heap *h, const struct heap_zone *z)
{
	*w = (struct page_window){
		.heap = h, .zone = z, .span = WINDOW_PAGES,
		.bytes = xcalloc(min_u64(WINDOW_PAGES, z->nr_present + 1),
				 h->fields->sizeof_page),
	};
}

void page_window_close(struct page_window *w)
{
	free(w->bytes);
	w->bytes = NULL;
}

static void read_window(void *arg, uint64_t start, uint64_t end)
{
	struct page_window *w = arg;
	uint64_t origin = w->zone->memmap + w->first * w->heap->fields->sizeof_page;

	if (!source_read(w->heap->src, start, w->bytes + (start - origin), end - start))
		w->heap->torn++;
}

const char *page_window_get(struct page_window *w, uint64_t zpn, uint64_t nr)
{
	uint64_t size = w->heap->fields->sizeof_page, present = w->zone->nr_present;

	nr = min_u64(nr, present - zpn);
	if (zpn < w->first || zpn + nr > w->first + w->held) {
		uint64_t start = w->zone->memmap + zpn * size, bytes;

		w->first = zpn;
		w->held = min_u64(max_u64(w->span, nr), present - zpn);
		bytes = w->held * size;
		memset(w->bytes, 0, bytes);
		if (!w->heap->src->ops->resident(w->heap->src, start, start + bytes,
						 read_window, w))
			read_window(w, start, start + bytes);
	}
	return w->bytes + (zpn - w->first) * size;
}

/* ---- blocks ------------------------------------------------------------------------- */

static enum block_kind kind_of(const struct heap_fields *f, uint64_t type)
{
	if (type == f->PT_NONE || type == f->PT_TAIL)
		return BLOCK_NONE;
	if (type == f->PT_SLAB)
		return BLOCK_SLAB;
	if (type == f->PT_LARGE)
		return BLOCK_LARGE;
	if (type == f->PT_BUDDY)
		return BLOCK_FREE;
	if (type == f->PT_ISOLATED)
		return BLOCK_ISOLATED;
	if (type == f->PT_PCP)
		return BLOCK_PCP;
	if (type == f->PT_ALLOC || type == f->PT_COMP)
		return BLOCK_PAGES;
	if (f->PT_RCU && type == f->PT_RCU)
		return BLOCK_RCU;
	if (f->PT_STOCK && type == f->PT_STOCK)
		return BLOCK_STOCK;
	return f->PT_PARKED && type == f->PT_PARKED ? BLOCK_PARKED : BLOCK_NONE;
}

/* A slab: its cache is one of ours, its bitmap fits. */
static bool read_slab(struct page_window *w, struct heap_block *b)
{
	const struct heap_fields *f = w->heap->fields;
	struct heap_cache *c = heap_cache_at(w->heap, VALUE(f, b->pages, page_slab_cache));
	uint64_t pages = c ? 1UL << c->order : 0;

	if (!c || b->zpn + pages > w->zone->nr_present || c->objects > pages * BITMAP_BITS ||
	    f->page_bitmap.size < BITMAP_BITS / 8)
		return false;
	b->cache = c;
	b->order = c->order;
	b->nr_pages = pages;
	b->pages = page_window_get(w, b->zpn, pages);
	return true;
}

static bool read_run(struct page_window *w, struct heap_block *b)
{
	const struct heap_fields *f = w->heap->fields;
	uint64_t pages = VALUE(f, b->pages, page_nr_pages);
	uint64_t asked = VALUE(f, b->pages, page_requested);

	if (pages == 0 || pages > w->zone->nr_present - b->zpn)
		return false;
	b->nr_pages = pages;
	pages <<= w->heap->page_shift;
	b->requested = asked && asked <= pages ? asked : pages;
	return true;
}

static bool read_block(struct page_window *w, struct heap_block *b)
{
	const struct heap_fields *f = w->heap->fields;
	uint64_t order = VALUE(f, b->pages, page_order);

	b->kind = kind_of(f, VALUE(f, b->pages, page_type));
	b->migratetype = (uint32_t)VALUE(f, b->pages, page_migratetype);
	switch (b->kind) {
	case BLOCK_NONE:
		return false;
	case BLOCK_SLAB:
		return read_slab(w, b);
	case BLOCK_LARGE:
	case BLOCK_PARKED:
	case BLOCK_STOCK:
		return read_run(w, b);
	default:
		if (order >= w->heap->nr_orders ||
		    1UL << order > w->zone->nr_present - b->zpn)
			return false;
		b->order = (uint32_t)order;
		b->nr_pages = 1UL << order;
		return true;
	}
}

bool block_read(struct page_window *w, uint64_t zpn, struct heap_block *b)
{
	*b = (struct heap_block){
		.zpn = zpn, .nr_pages = 1,
		.addr = w->zone->base + (zpn << w->heap->page_shift),
		.pages = page_window_get(w, zpn, 1),
	};
	if (read_block(w, b))
		return true;
	b->kind = BLOCK_NONE;
	b->nr_pages = 1;
	return false;
}

/* Whether a block that begins at @from covers @zpn. */
static bool covers(struct page_window *w, uint64_t from, uint64_t zpn, struct heap_block *b)
{
	return block_read(w, from, b) && zpn - from < b->nr_pages;
}

/*
 * The other pages of a large object or a free block say nothing. The nearest
 * head before such a page is that of its block, if it is in one; heads of large
 * objects may be far away, so the search starts with a short window.
 */
static bool look_back(struct page_window *w, uint64_t zpn, struct heap_block *b)
{
	uint64_t from = zpn, step = NEAR_PAGES, end = zpn;

	while (end > 0) {
		from = end > step ? end - step : 0;
		page_window_get(w, from, end - from);
		for (uint64_t at = end; at-- > from;)
			if (VALUE(w->heap->fields, page_window_get(w, at, 1), page_type) !=
			    w->heap->fields->PT_NONE)
				return covers(w, at, zpn, b);
		end = from;
		step = WINDOW_PAGES;
	}
	return false;
}

bool block_find(struct page_window *w, uint64_t zpn, struct heap_block *b)
{
	const struct heap_fields *f = w->heap->fields;
	const char *page = page_window_get(w, zpn, 1);
	uint64_t type = VALUE(f, page, page_type);
	uint64_t back = VALUE(f, page, page_head_distance);

	if (type == f->PT_TAIL && f->page_head_distance.size) {
		if (back && back <= zpn && covers(w, zpn - back, zpn, b))
			return true;
	} else if (type != f->PT_NONE) {
		return block_read(w, zpn, b);
	} else if (look_back(w, zpn, b)) {
		return true;
	}
	block_read(w, zpn, b);
	b->kind = BLOCK_NONE;
	b->nr_pages = 1;
	return false;
}

void blocks_walk(struct page_window *w, block_fn fn, void *arg)
{
	for (uint64_t zpn = 0; zpn < w->zone->nr_present;) {
		struct heap_block b;

		block_read(w, zpn, &b);
		fn(arg, w, &b);
		zpn += b.nr_pages;
	}
}

const char *block_kind_name(enum block_kind kind)
{
	static const char *const names[NR_BLOCK_KINDS] = {
		[BLOCK_NONE]		= "no block",
		[BLOCK_FREE]		= "free block",
		[BLOCK_ISOLATED]	= "free block, being given back",
		[BLOCK_PCP]		= "block in a per-CPU page list",
		[BLOCK_PAGES]		= "pages of alloc_pages()",
		[BLOCK_LARGE]		= "large object",
		[BLOCK_PARKED]		= "freed large object, parked",
		[BLOCK_STOCK]		= "freed large object, in a CPU's stock",
		[BLOCK_RCU]		= "empty slab, waiting for RCU",
		[BLOCK_SLAB]		= "slab",
	};

	return names[kind];
}

const char *migratetype_name(unsigned int type)
{
	static const char *const names[] = { "Unmovable", "Movable", "Reclaimable" };

	return type < ARRAY_SIZE(names) ? names[type] : "other";
}

/* ---- objects ---------------------------------------------------------------------------- */

size_t heap_first_round(const struct heap *h, uint64_t addr)
{
	size_t low = 0, high = h->nr_rounds;

	while (low < high) {
		size_t mid = (low + high) / 2;

		if (h->rounds[mid] < addr)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

bool heap_in_magazine(const struct heap *h, uint64_t addr)
{
	size_t at = heap_first_round(h, addr);

	return at < h->nr_rounds && h->rounds[at] == addr;
}
