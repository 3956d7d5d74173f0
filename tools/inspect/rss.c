// SPDX-License-Identifier: MIT
/*
 * rss.c - attributes every resident byte of a heap.
 *
 * For each zone: (1) which pages of the heap are resident, into a bitmap, one
 * bit a page; (2) a walk over the page map, block by block, each block's resident
 * bytes going to the row of its kind; (3) what is left is untracked. Metadata is
 * told by address alone.
 *
 * A slab that is resident as a whole, as nearly all are, is counted by its
 * bitmap: strides times objects. In one that was touched in part each object's
 * own pages are looked at.
 */
#include "rss.h"

#include <stdlib.h>

#include "pages.h"

struct walk {
	struct heap *heap;
	const struct heap_zone *zone;
	struct rss_line *row;
	uint64_t *resident;		/* bit per page */
};

/* ---- resident pages ------------------------------------------------------------- */

static void mark_resident(void *arg, uint64_t start, uint64_t end)
{
	struct walk *w = arg;
	uint64_t at = (start - w->zone->base) >> w->heap->page_shift;
	uint64_t last = (end - w->zone->base) >> w->heap->page_shift;

	for (; at < last; at++) {
		if (at % 64 == 0 && last - at >= 64) {
			w->resident[at / 64] = ~0UL;
			at += 63;
			continue;
		}
		w->resident[at / 64] |= 1UL << at % 64;
	}
}

static bool page_resident(const struct walk *w, uint64_t zpn)
{
	return w->resident[zpn / 64] >> zpn % 64 & 1;
}

static uint64_t pages_resident(const struct walk *w, uint64_t zpn, uint64_t nr)
{
	uint64_t n = 0;

	for (uint64_t end = zpn + nr; zpn < end; zpn++) {
		if (zpn % 64 == 0 && end - zpn >= 64) {
			n += (uint64_t)__builtin_popcountl(w->resident[zpn / 64]);
			zpn += 63;
			continue;
		}
		n += page_resident(w, zpn);
	}
	return n;
}

/* Resident bytes of [@start, @end), offsets in the zone's heap. */
static uint64_t bytes_resident(const struct walk *w, uint64_t start, uint64_t end)
{
	uint64_t shift = w->heap->page_shift, bytes = 0;

	while (start < end) {
		uint64_t next = min_u64(end, ((start >> shift) + 1) << shift);

		if (page_resident(w, start >> shift))
			bytes += next - start;
		start = next;
	}
	return bytes;
}

/* ---- slabs ------------------------------------------------------------------------------- */

static void add(struct rss_line *row, uint64_t count, uint64_t size, uint64_t rss)
{
	row->count += count;
	row->size += size;
	row->rss += rss;
}

/* All of it is resident: counting will do. */
static void slab_whole(struct walk *w, const struct heap_block *s)
{
	const struct heap_cache *c = s->cache;
	size_t at = heap_first_round(w->heap, s->addr);
	uint64_t free = 0, cached = 0, used, bytes = s->nr_pages << w->heap->page_shift;

	for (unsigned int i = 0; i < c->objects; i++)
		free += slab_object_free(w->heap, s, i);
	for (; at < w->heap->nr_rounds && w->heap->rounds[at] < s->addr + bytes; at++) {
		uint64_t offset = w->heap->rounds[at] - s->addr;

		cached += offset % c->size == 0 && offset / c->size < c->objects &&
			  !slab_object_free(w->heap, s, (unsigned int)(offset / c->size));
	}
	used = c->objects - free - cached;
	add(&w->row[ROW_OBJECTS], used, used * c->object_size, used * c->object_size);
	add(&w->row[ROW_ROUNDING], 0, used * (c->size - c->object_size),
	    used * (c->size - c->object_size));
	add(&w->row[ROW_MAGAZINES], cached, cached * c->size, cached * c->size);
	add(&w->row[ROW_SLAB_FREE], free, free * c->size, free * c->size);
	add(&w->row[ROW_SLAB_TAIL], 0, bytes - (uint64_t)c->objects * c->size,
	    bytes - (uint64_t)c->objects * c->size);
}

/* Some of it is not: each object by itself. */
static void slab_part(struct walk *w, const struct heap_block *s)
{
	const struct heap_cache *c = s->cache;
	size_t at = heap_first_round(w->heap, s->addr);
	uint64_t start = s->zpn << w->heap->page_shift;
	uint64_t end = start + (s->nr_pages << w->heap->page_shift);

	for (unsigned int i = 0; i < c->objects; i++, start += c->size) {
		uint64_t addr = w->zone->base + start;
		uint64_t stride = bytes_resident(w, start, start + c->size);
		bool cached;

		while (at < w->heap->nr_rounds && w->heap->rounds[at] < addr)
			at++;
		cached = at < w->heap->nr_rounds && w->heap->rounds[at] == addr;
		if (slab_object_free(w->heap, s, i)) {
			add(&w->row[ROW_SLAB_FREE], 1, c->size, stride);
		} else if (cached) {
			add(&w->row[ROW_MAGAZINES], 1, c->size, stride);
		} else {
			uint64_t rss = bytes_resident(w, start, start + c->object_size);

			add(&w->row[ROW_OBJECTS], 1, c->object_size, rss);
			add(&w->row[ROW_ROUNDING], 0, c->size - c->object_size, stride - rss);
		}
	}
	add(&w->row[ROW_SLAB_TAIL], 0, end - start, bytes_resident(w, start, end));
}

static void walk_slab(struct walk *w, const struct heap_block *b)
{
	uint64_t present = pages_resident(w, b->zpn, b->nr_pages);

	if (present == b->nr_pages)
		slab_whole(w, b);
	else
		slab_part(w, b);
	b->cache->rss += present << w->heap->page_shift;
}

/* ---- blocks ---------------------------------------------------------------------------------- */

static void add_block(struct walk *w, enum rss_row row, uint64_t count,
		      const struct heap_block *b)
{
	add(&w->row[row], count, b->nr_pages << w->heap->page_shift,
	    pages_resident(w, b->zpn, b->nr_pages) << w->heap->page_shift);
}

static void walk_large(struct walk *w, const struct heap_block *b)
{
	uint64_t start = b->zpn << w->heap->page_shift, bytes = b->nr_pages << w->heap->page_shift;
	uint64_t rss, used;

	/* What was asked for ends in the last pages. */
	used = b->requested & ~((1UL << w->heap->page_shift) - 1);
	rss = pages_resident(w, b->zpn, used >> w->heap->page_shift) << w->heap->page_shift;
	rss += bytes_resident(w, start + used, start + b->requested);
	add(&w->row[ROW_LARGE], 1, b->requested, rss);
	add(&w->row[ROW_LARGE_ROUNDING], 0, bytes - b->requested,
	    (pages_resident(w, b->zpn, b->nr_pages) << w->heap->page_shift) - rss);
}

static void walk_block(void *arg, struct page_window *window, const struct heap_block *b)
{
	static const enum rss_row rows[NR_BLOCK_KINDS] = {
		[BLOCK_FREE] = ROW_FREE, [BLOCK_ISOLATED] = ROW_FREE, [BLOCK_PCP] = ROW_PCP,
		[BLOCK_PAGES] = ROW_PAGES, [BLOCK_PARKED] = ROW_PARKED, [BLOCK_STOCK] = ROW_PARKED,
		[BLOCK_RCU] = ROW_SLAB_RCU,
	};
	struct walk *w = arg;

	(void)window;
	if (b->kind == BLOCK_SLAB) {
		walk_slab(w, b);
	} else if (b->kind == BLOCK_LARGE) {
		walk_large(w, b);
	} else if (b->kind != BLOCK_NONE) {
		add_block(w, rows[b->kind], 1, b);
	} else if (page_resident(w, b->zpn)) {
		/* Inside no block: nobody's, or a block that changed meanwhile. */
		add_block(w, ROW_UNTRACKED, 1, b);
		w->heap->torn++;
	}
}

static void walk_zone(struct walk *w)
{
	struct page_window window;

	page_window_open(&window, w->heap, w->zone);
	blocks_walk(&window, walk_block, w);
	page_window_close(&window);
}

/* ---- metadata, and the whole --------------------------------------------------------------- */

static void add_range(struct heap *h, struct rss_line *row, uint64_t start, uint64_t used,
		      uint64_t reserved)
{
	if (start)
		add(row, 0, used, source_resident_bytes(h->src, start,
							start + heap_page_up(h, reserved)));
}

static void add_zone_maps(struct heap *h, const struct heap_zone *z, struct rss_line *row)
{
	uint64_t all = z->nr_pages, now = z->nr_committed;
	uint64_t block = h->fields->PAGEBLOCK_ORDER, max = h->nr_orders - 1;

	add_range(h, &row[ROW_MEMMAP], z->memmap, now * h->fields->sizeof_page,
		  all * h->fields->sizeof_page);
	add_range(h, &row[ROW_ZONE_MAPS], z->slotmap, now, all);
	add_range(h, &row[ROW_ZONE_MAPS], z->dirty, now / 8, all / 8);
	add_range(h, &row[ROW_ZONE_MAPS], z->pageblock_type, now >> block, all >> block);
	add_range(h, &row[ROW_ZONE_MAPS], z->free_max, now >> max >> 3, all >> max >> 3);
}

static void add_metadata(struct heap *h, struct rss_line *row)
{
	uint64_t areas = (uint64_t)h->nr_cpus << h->percpu_shift;

	add_range(h, &row[ROW_PERCPU], h->percpu_base, areas, areas);
	for (size_t i = 0; i < h->nr_chunks; i++) {
		uint64_t size = h->chunks[i].end - h->chunks[i].start;

		add_range(h, &row[ROW_MEMBLOCK], h->chunks[i].start, size, size);
	}
	for (size_t i = 0; i < h->image->nr_data; i++) {
		uint64_t size = h->image->data[i].end - h->image->data[i].start;

		add_range(h, &row[ROW_DATA], h->image->data[i].start, size, size);
	}
}

static bool read_zone_pages(struct walk *w, const struct heap_zone *z, char **error)
{
	uint64_t heap_end = z->base + (z->nr_pages << w->heap->page_shift);
	uint64_t present_end = z->base + (z->nr_present << w->heap->page_shift);
	bool ok;

	w->zone = z;
	w->resident = xcalloc(z->nr_present / 64 + 1, 8);
	ok = w->heap->src->ops->resident(w->heap->src, z->base, present_end, mark_resident, w);
	if (ok)
		walk_zone(w);
	else
		*error = xasprintf("which pages are resident can't be told "
				   "(/proc/PID/pagemap does not answer)");
	free(w->resident);
	/* Beyond what the buddy system has there should be nothing. */
	add(&w->row[ROW_UNTRACKED], 0, 0,
	    source_resident_bytes(w->heap->src, present_end, heap_end));
	return ok;
}

bool rss_read(struct heap *h, struct rss_map *map, char **error)
{
	struct walk w = { .heap = h, .row = map->row };
	bool ok = true;

	*map = (struct rss_map){ 0 };
	for (size_t i = 0; i < h->nr_caches; i++)
		h->caches[i].rss = 0;
	for (size_t i = 0; ok && i < h->nr_zones; i++) {
		ok = read_zone_pages(&w, &h->zones[i], error);
		add_zone_maps(h, &h->zones[i], map->row);
	}
	add_metadata(h, map->row);
	for (int i = 0; i < NR_ROWS; i++)
		map->total += map->row[i].rss;
	if (ok && !source_alive(h->src)) {
		*error = xstrdup("the process ended while it was read");
		ok = false;
	}
	return ok;
}

void rss_account(struct heap *h, struct rss_map *map)
{
	size_t nr;
	struct range *ranges = heap_ranges(h, &nr);

	map->accounted = h->src->ops->accounted(h->src, ranges, nr, &map->smaps) &&
			 source_alive(h->src);
	free(ranges);
}

uint64_t rss_total(const struct heap *h)
{
	uint64_t total = 0;
	size_t nr;
	struct range *r = heap_ranges(h, &nr);

	for (size_t i = 0; i < nr; i++)
		total += source_resident_bytes(h->src, r[i].start, r[i].end);
	free(r);
	return total;
}

static const struct {
	const char *title, *key;
} rows[NR_ROWS] = {
	[ROW_OBJECTS]		= { "objects in use", "objects" },
	[ROW_ROUNDING]		= { "rounding of objects in use", "rounding" },
	[ROW_MAGAZINES]		= { "free in magazines", "magazines" },
	[ROW_SLAB_FREE]		= { "free in slabs", "slab_free" },
	[ROW_SLAB_TAIL]		= { "ends of slabs", "slab_tail" },
	[ROW_SLAB_RCU]		= { "slabs waiting for RCU", "slab_rcu" },
	[ROW_LARGE]		= { "large objects", "large" },
	[ROW_LARGE_ROUNDING]	= { "rounding of large objects", "large_rounding" },
	[ROW_PAGES]		= { "pages of alloc_pages()", "pages" },
	[ROW_PCP]		= { "per-CPU page lists", "page_lists" },
	[ROW_PARKED]		= { "free runs kept whole", "parked" },
	[ROW_FREE]		= { "free pages, not given back", "free_pages" },
	[ROW_MEMMAP]		= { "metadata: page map", "memmap" },
	[ROW_ZONE_MAPS]		= { "metadata: slot map and bits", "zone_maps" },
	[ROW_PERCPU]		= { "metadata: per-CPU areas", "percpu" },
	[ROW_MEMBLOCK]		= { "metadata: magazines, caches", "memblock" },
	[ROW_DATA]		= { "metadata: library's data", "data" },
	[ROW_UNTRACKED]		= { "untracked", "untracked" },
};

const char *rss_row_title(enum rss_row row)
{
	return rows[row].title;
}

const char *rss_row_key(enum rss_row row)
{
	return rows[row].key;
}
