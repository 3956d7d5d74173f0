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
 *
 * The page map is copied in windows, of which only resident parts are read: the
 * rest is zero, as the kernel would give it, but would have to be made for us.
 */
#include "rss.h"

#include <stdlib.h>

#include "fields.h"

#define WINDOW_PAGES	(1UL << 16)	/* of struct pages held at a time */
#define BITMAP_BITS	256U		/* of a slab's bitmap, in each of its pages */

struct walk {
	struct heap *heap;
	const struct heap_fields *f;
	const struct heap_zone *zone;
	struct rss_line *row;
	uint64_t nr;			/* pages that have a struct page */
	uint64_t *resident;		/* bit per page */
	char *window;			/* copies of the struct pages [first, first + held) */
	uint64_t first, held;
	struct heap_cache **by_addr;	/* sorted */
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

/* ---- struct pages ---------------------------------------------------------------------- */

static void read_window(void *arg, uint64_t start, uint64_t end)
{
	struct walk *w = arg;
	uint64_t origin = w->zone->memmap + w->first * w->f->sizeof_page;

	if (!source_read(w->heap->src, start, w->window + (start - origin), end - start))
		w->heap->torn++;
}

/* The copy of page @zpn, with at least @nr in a row where the zone has them. */
static const char *get_pages(struct walk *w, uint64_t zpn, uint64_t nr)
{
	uint64_t size = w->f->sizeof_page;

	nr = min_u64(nr, w->nr - zpn);
	if (zpn < w->first || zpn + nr > w->first + w->held) {
		uint64_t start = w->zone->memmap + zpn * size, bytes;

		w->first = zpn;
		w->held = min_u64(WINDOW_PAGES, w->nr - zpn);
		bytes = w->held * size;
		memset(w->window, 0, bytes);
		if (!w->heap->src->ops->resident(w->heap->src, start, start + bytes,
						 read_window, w))
			read_window(w, start, start + bytes);
	}
	return w->window + (zpn - w->first) * size;
}

/* ---- slabs ------------------------------------------------------------------------------- */

static struct heap_cache *find_cache(const struct walk *w, uint64_t addr)
{
	size_t low = 0, high = w->heap->nr_caches;

	while (low < high) {
		size_t mid = (low + high) / 2;

		if (w->by_addr[mid]->addr == addr)
			return w->by_addr[mid];
		if (w->by_addr[mid]->addr < addr)
			low = mid + 1;
		else
			high = mid;
	}
	return NULL;
}

/* The first of the sorted rounds that is not below @addr. */
static size_t first_round(const struct heap *h, uint64_t addr)
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

struct slab {
	const char *pages;		/* its struct pages */
	const struct heap_cache *cache;
	uint64_t zpn, nr_pages;
	uint64_t base;			/* address */
};

static bool object_free(const struct walk *w, const struct slab *s, unsigned int i)
{
	uint64_t word;

	memcpy(&word, s->pages + i / BITMAP_BITS * w->f->sizeof_page +
	       w->f->page_bitmap.offset + i % BITMAP_BITS / 64 * 8, 8);
	return word >> i % 64 & 1;
}

static void add(struct rss_line *row, uint64_t count, uint64_t size, uint64_t rss)
{
	row->count += count;
	row->size += size;
	row->rss += rss;
}

/* All of it is resident: counting will do. */
static void slab_whole(struct walk *w, const struct slab *s)
{
	const struct heap_cache *c = s->cache;
	size_t at = first_round(w->heap, s->base);
	uint64_t free = 0, cached = 0, used, bytes = s->nr_pages << w->heap->page_shift;

	for (unsigned int i = 0; i < c->objects; i++)
		free += object_free(w, s, i);
	for (; at < w->heap->nr_rounds && w->heap->rounds[at] < s->base + bytes; at++) {
		uint64_t offset = w->heap->rounds[at] - s->base;

		cached += offset % c->size == 0 && offset / c->size < c->objects &&
			  !object_free(w, s, (unsigned int)(offset / c->size));
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
static void slab_part(struct walk *w, const struct slab *s)
{
	const struct heap_cache *c = s->cache;
	size_t at = first_round(w->heap, s->base);
	uint64_t start = s->zpn << w->heap->page_shift;
	uint64_t end = start + (s->nr_pages << w->heap->page_shift);

	for (unsigned int i = 0; i < c->objects; i++, start += c->size) {
		uint64_t addr = w->zone->base + start;
		uint64_t stride = bytes_resident(w, start, start + c->size);
		bool cached;

		while (at < w->heap->nr_rounds && w->heap->rounds[at] < addr)
			at++;
		cached = at < w->heap->nr_rounds && w->heap->rounds[at] == addr;
		if (object_free(w, s, i)) {
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

/* Returns its pages, 0 if it is none after all. */
static uint64_t walk_slab(struct walk *w, uint64_t zpn)
{
	const char *head = get_pages(w, zpn, 1);
	struct heap_cache *c = find_cache(w, VALUE(w->f, head, page_slab_cache));
	uint64_t pages = c ? 1UL << c->order : 0, present;
	struct slab s;

	/* The bitmap must fit, and so must the slab in the zone. */
	if (!c || zpn + pages > w->nr || c->objects > pages * BITMAP_BITS ||
	    w->f->page_bitmap.size < BITMAP_BITS / 8)
		return 0;
	s = (struct slab){
		.pages = get_pages(w, zpn, pages),
		.cache = c,
		.zpn = zpn,
		.nr_pages = pages,
		.base = w->zone->base + (zpn << w->heap->page_shift),
	};
	present = pages_resident(w, zpn, pages);
	if (present == pages)
		slab_whole(w, &s);
	else
		slab_part(w, &s);
	c->rss += present << w->heap->page_shift;
	return pages;
}

/* ---- blocks ---------------------------------------------------------------------------------- */

static void add_block(struct walk *w, enum rss_row row, uint64_t count, uint64_t zpn,
		      uint64_t pages)
{
	add(&w->row[row], count, pages << w->heap->page_shift,
	    pages_resident(w, zpn, pages) << w->heap->page_shift);
}

static uint64_t walk_large(struct walk *w, uint64_t zpn, const char *head)
{
	uint64_t pages = VALUE(w->f, head, page_nr_pages);
	uint64_t asked = VALUE(w->f, head, page_requested), rss, used;
	uint64_t start = zpn << w->heap->page_shift, bytes = pages << w->heap->page_shift;

	if (pages == 0 || pages > w->nr - zpn)
		return 0;
	if (asked == 0 || asked > bytes)
		asked = bytes;
	/* What was asked for ends in the last pages. */
	used = asked & ~((1UL << w->heap->page_shift) - 1);
	rss = pages_resident(w, zpn, used >> w->heap->page_shift) << w->heap->page_shift;
	rss += bytes_resident(w, start + used, start + asked);
	add(&w->row[ROW_LARGE], 1, asked, rss);
	add(&w->row[ROW_LARGE_ROUNDING], 0, bytes - asked,
	    (pages_resident(w, zpn, pages) << w->heap->page_shift) - rss);
	return pages;
}

static uint64_t walk_parked(struct walk *w, uint64_t zpn, const char *head)
{
	uint64_t pages = VALUE(w->f, head, page_nr_pages);

	if (pages == 0 || pages > w->nr - zpn)
		return 0;
	add_block(w, ROW_PARKED, 1, zpn, pages);
	return pages;
}

/* The block whose head is at @zpn; returns its pages, 0 if there is none. */
static uint64_t walk_block(struct walk *w, uint64_t zpn)
{
	const struct heap_fields *f = w->f;
	const char *head = get_pages(w, zpn, 1);
	uint64_t type = VALUE(f, head, page_type);
	uint64_t order = VALUE(f, head, page_order);
	uint64_t pages = 1UL << min_u64(order, 63);
	enum rss_row row;

	if (type == f->PT_NONE || type == f->PT_TAIL)
		return 0;
	if (type == f->PT_SLAB)
		return walk_slab(w, zpn);
	if (type == f->PT_LARGE)
		return walk_large(w, zpn, head);
	if (f->PT_PARKED && type == f->PT_PARKED)
		return walk_parked(w, zpn, head);
	if (type == f->PT_BUDDY || type == f->PT_ISOLATED)
		row = ROW_FREE;
	else if (type == f->PT_PCP)
		row = ROW_PCP;
	else if (type == f->PT_ALLOC || type == f->PT_COMP)
		row = ROW_PAGES;
	else
		return 0;
	if (order >= w->heap->nr_orders || pages > w->nr - zpn)
		return 0;
	add_block(w, row, 1, zpn, pages);
	return pages;
}

static void walk_zone(struct walk *w)
{
	for (uint64_t zpn = 0; zpn < w->nr;) {
		uint64_t pages = walk_block(w, zpn);

		if (!pages) {
			/* Inside no block: nobody's, or a block that changed meanwhile. */
			if (page_resident(w, zpn)) {
				add_block(w, ROW_UNTRACKED, 1, zpn, 1);
				w->heap->torn++;
			}
			pages = 1;
		}
		zpn += pages;
	}
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

static int by_addr(const void *a, const void *b)
{
	const struct heap_cache *x = *(struct heap_cache *const *)a;
	const struct heap_cache *y = *(struct heap_cache *const *)b;

	return x->addr < y->addr ? -1 : x->addr > y->addr;
}

static bool read_zone_pages(struct walk *w, const struct heap_zone *z, char **error)
{
	uint64_t heap_end = z->base + (z->nr_pages << w->heap->page_shift);
	uint64_t present_end = z->base + (z->nr_present << w->heap->page_shift);
	bool ok;

	w->zone = z;
	w->nr = z->nr_present;
	w->first = w->held = 0;
	w->resident = xcalloc(w->nr / 64 + 1, 8);
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
	struct walk w = { .heap = h, .f = h->fields, .row = map->row };
	struct range *ranges;
	bool ok = true;
	size_t nr;

	*map = (struct rss_map){ 0 };
	w.window = xcalloc(WINDOW_PAGES, h->fields->sizeof_page);
	w.by_addr = xcalloc(h->nr_caches, sizeof(*w.by_addr));
	for (size_t i = 0; i < h->nr_caches; i++) {
		w.by_addr[i] = &h->caches[i];
		h->caches[i].rss = 0;
	}
	qsort(w.by_addr, h->nr_caches, sizeof(*w.by_addr), by_addr);
	for (size_t i = 0; ok && i < h->nr_zones; i++) {
		ok = read_zone_pages(&w, &h->zones[i], error);
		add_zone_maps(h, &h->zones[i], map->row);
	}
	add_metadata(h, map->row);
	free(w.window);
	free(w.by_addr);
	for (int i = 0; i < NR_ROWS; i++)
		map->total += map->row[i].rss;
	ranges = heap_ranges(h, &nr);
	map->accounted = h->src->ops->accounted(h->src, ranges, nr, &map->smaps);
	free(ranges);
	if (ok && !h->src->ops->alive(h->src)) {
		*error = xstrdup("the process ended while it was read");
		ok = false;
	}
	return ok;
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
