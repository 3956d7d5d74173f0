// SPDX-License-Identifier: MIT
/*
 * map_uses.c - the pages of a zone as runs of one use.
 *
 * First which pages are resident, a bit per page; then a walk over the page map, which
 * tiles the zone with blocks. A block has one use, but a free one is free memory
 * where it is resident and bare address space where it is not. Neighbours of the same
 * use are joined on the way, so that nothing is kept per page but that bit.
 */
#include <stdlib.h>

#include "../inspect/pages.h"
#include "map.h"

struct walk {
	struct heap *heap;
	const struct heap_zone *zone;
	const struct layout_item *movable;
	uint64_t *resident;
	map_run_fn fn;
	void *arg;
	struct map_run run;		/* not handed on yet; pages 0: none */
};

static void mark(void *arg, uint64_t start, uint64_t end)
{
	struct walk *w = arg;
	unsigned int shift = w->heap->page_shift;

	for (uint64_t at = start; at < end; at += 1UL << shift) {
		uint64_t page = (at - w->zone->base) >> shift;

		w->resident[page / 64] |= 1UL << page % 64;
	}
}

static bool page_resident(const struct walk *w, uint64_t page)
{
	return w->resident[page / 64] >> page % 64 & 1;
}

static enum map_use use_of(const struct walk *w, const struct heap_block *b)
{
	switch (b->kind) {
	case BLOCK_NONE:
		return MAP_UNTRACKED;
	case BLOCK_FREE:
	case BLOCK_ISOLATED:
		return MAP_FREE;
	case BLOCK_PCP:
		return MAP_PCP;
	case BLOCK_LARGE:
		return MAP_LARGE;
	case BLOCK_PARKED:
	case BLOCK_STOCK:
		return MAP_PARKED;
	case BLOCK_RCU:
		return MAP_RCU;
	case BLOCK_SLAB:
		return MAP_SLAB;
	default:
		return w->movable && w->movable->value == b->migratetype ? MAP_MOVABLE : MAP_PAGES;
	}
}

static void hand_on(struct walk *w)
{
	if (w->run.pages)
		w->fn(w->arg, &w->run);
	w->run.pages = 0;
}

static void add_page(struct walk *w, uint64_t page, enum map_use use,
		     const struct heap_cache *cache)
{
	if (w->run.use != use || w->run.cache != cache)
		hand_on(w);
	if (!w->run.pages)
		w->run = (struct map_run){ .first = page, .use = use, .cache = cache };
	w->run.pages++;
	w->run.resident += page_resident(w, page);
}

static void add_block(void *arg, struct page_window *window, const struct heap_block *b)
{
	struct walk *w = arg;
	enum map_use use = use_of(w, b);
	bool space = use == MAP_FREE || use == MAP_UNTRACKED;

	(void)window;
	for (uint64_t p = b->zpn; p < b->zpn + b->nr_pages; p++)
		add_page(w, p, space && !page_resident(w, p) ? MAP_NOT_RESIDENT : use,
			 use == MAP_SLAB ? b->cache : NULL);
}

bool map_walk(struct heap *h, const struct heap_zone *z, map_run_fn fn, void *arg)
{
	struct walk w = { .heap = h, .zone = z, .fn = fn, .arg = arg };
	struct page_window window;
	bool ok;

	w.movable = layout_item(h->image->layout, "", "MIGRATE_MOVABLE");
	w.resident = xcalloc(z->nr_present / 64 + 1, 8);
	ok = h->src->ops->resident(h->src, z->base, z->base + (z->nr_present << h->page_shift),
				   mark, &w);
	if (ok) {
		page_window_open(&window, h, z);
		blocks_walk(&window, add_block, &w);
		page_window_close(&window);
		hand_on(&w);
	}
	free(w.resident);
	return ok;
}

unsigned char *map_pageblocks(struct heap *h, const struct heap_zone *z, uint64_t *nr)
{
	uint64_t pages = 1UL << h->fields->PAGEBLOCK_ORDER;
	unsigned char *types;

	*nr = (z->nr_present + pages - 1) / pages;
	types = xcalloc(*nr + 1, 1);
	if (z->pageblock_type && source_read(h->src, z->pageblock_type, types, *nr))
		return types;
	free(types);
	return NULL;
}
