// SPDX-License-Identifier: MIT
/*
 * heap.c - reads zones, parameters and mappings of a heap. Its caches and their
 * magazines: caches.c.
 */
#include "heap.h"

#include <stdlib.h>

#include "caches.h"
#include "fields.h"

/* ---- zones ------------------------------------------------------------------- */

static void read_free_areas(const struct heap *h, const char *bytes, struct heap_zone *z)
{
	const struct heap_fields *f = h->fields;
	uint64_t room = f->sizeof_free_area ? f->zone_free_area.size / f->sizeof_free_area : 0;

	for (uint32_t o = 0; o < min_u64(h->nr_orders, room); o++)
		z->nr_free_blocks[o] = VALUE(f, bytes + f->zone_free_area.offset +
					     o * f->sizeof_free_area, free_area_nr_free);
}

/* A zone that could be one; anything else is not followed. */
static bool zone_sane(const struct heap *h, const struct heap_zone *z)
{
	uint64_t page = 1UL << h->page_shift;

	return z->base && z->base % page == 0 && z->memmap && z->memmap % page == 0 &&
	       z->nr_pages < (1UL << 47) >> h->page_shift &&
	       z->nr_present <= z->nr_committed && z->nr_committed <= z->nr_pages;
}

static bool read_zone(struct heap *h, uint64_t addr, struct heap_zone *z)
{
	const struct heap_fields *f = h->fields;
	char bytes[STRUCT_MAX];

	if (!source_read(h->src, addr, bytes, f->sizeof_zone))
		return false;
	z->addr = addr;
	z->base = VALUE(f, bytes, zone_base);
	z->nr_pages = VALUE(f, bytes, zone_nr_pages);
	z->memmap = VALUE(f, bytes, zone_memmap);
	z->slotmap = VALUE(f, bytes, zone_slotmap);
	z->dirty = VALUE(f, bytes, zone_dirty);
	z->pageblock_type = VALUE(f, bytes, zone_pageblock_type);
	z->free_max = VALUE(f, bytes, zone_free_max);
	z->index = (unsigned int)VALUE(f, bytes, zone_index);
	z->node = (int)VALUE(f, bytes, zone_node);
	z->low = VALUE(f, bytes, zone_low) != 0;
	for (size_t i = 0; i < h->nr_zones; i++)
		z->ordinal += h->zones[i].node == z->node && h->zones[i].low == z->low;
	z->nr_present = VALUE(f, bytes, zone_nr_present);
	z->nr_committed = max_u64(VALUE(f, bytes, zone_nr_committed), z->nr_present);
	z->nr_free = VALUE(f, bytes, zone_nr_free);
	z->nr_dirty_free = VALUE(f, bytes, zone_nr_dirty_free);
	z->nr_purged = VALUE(f, bytes, zone_nr_purged);
	z->nr_steals = VALUE(f, bytes, zone_nr_steals);
	read_free_areas(h, bytes, z);
	return zone_sane(h, z);
}

/* How many nodes share the first reservation; one in a library that knows of none. */
static uint32_t read_nr_nodes(struct heap *h, uint32_t nr_zones)
{
	uint64_t counter = layout_symbol(h->image->layout, "nr_nodes");
	uint32_t nr;

	if (!counter || !source_read(h->src, counter, &nr, sizeof(nr)))
		return 1;
	if (nr == 0 || nr > HEAP_MAX_NODES || (nr_zones && nr > nr_zones)) {
		heap_damage(h, "zone-table", counter, "nr_nodes says %u, of %u zones", nr, nr_zones);
		return 1;
	}
	return nr;
}

static bool read_zones(struct heap *h, char **error)
{
	uint64_t table = layout_symbol(h->image->layout, "zones");
	uint64_t counter = layout_symbol(h->image->layout, "nr_zones");
	uint32_t nr;

	if (!table || !counter || !source_read(h->src, counter, &nr, sizeof(nr))) {
		*error = xasprintf("the table of zones can't be read");
		return false;
	}
	if (nr > HEAP_MAX_ZONES) {
		heap_damage(h, "zone-table", counter, "nr_zones says %u", nr);
		nr = 1;
	}
	h->zones = xcalloc(nr, sizeof(*h->zones));
	h->nr_nodes = read_nr_nodes(h, nr);
	for (uint32_t i = 0; i < nr; i++) {
		uint64_t addr;

		if (!source_read(h->src, table + 8 * i, &addr, sizeof(addr)) ||
		    !read_zone(h, addr, &h->zones[h->nr_zones])) {
			heap_damage(h, "zone", table + 8 * i, "zone %u is none: its limits or maps "
				    "can't be right", i);
			continue;
		}
		h->nr_zones++;
	}
	return true;
}

const struct heap_zone *heap_zone_of(const struct heap *h, uint64_t addr)
{
	for (size_t i = 0; i < h->nr_zones; i++)
		if ((addr - h->zones[i].base) >> h->page_shift < h->zones[i].nr_present)
			return &h->zones[i];
	return NULL;
}

const char *zone_name(const struct heap_zone *z, char *buf, size_t size)
{
	const char *kind = z->low ? "DMA32" : "Normal";

	if (z->ordinal == 0)
		snprintf(buf, size, "%s", kind);
	else
		snprintf(buf, size, "%s%u", kind, z->ordinal);
	return buf;
}

/* ---- ranges ----------------------------------------------------------------------- */

static int by_start(const void *a, const void *b)
{
	const struct range *x = a, *y = b;

	return x->start < y->start ? -1 : x->start > y->start;
}

/* Sorts them and joins those that touch or overlap. Returns how many are left. */
static size_t ranges_merge(struct range *r, size_t nr)
{
	size_t n = 0;

	if (!nr)
		return 0;
	qsort(r, nr, sizeof(*r), by_start);
	for (size_t i = 1; i < nr; i++) {
		if (r[i].start <= r[n].end)
			r[n].end = max_u64(r[n].end, r[i].end);
		else
			r[++n] = r[i];
	}
	return n + 1;
}

/* ---- mode, parameters, mappings ---------------------------------------------------- */

/* More than Linux can be built for. */
#define MAX_CPUS	(1U << 14)

/*
 * Read before all else: what the library wrote before it said so (a release in __mm_init())
 * is seen by the reads behind this one, which are system calls of their own.
 */
static void read_ready(struct heap *h)
{
	uint64_t addr = layout_symbol(h->image->layout, "mm_state");
	uint32_t state;

	h->ready = !addr || !h->fields->MM_READY ||
		   (source_read(h->src, addr, &state, sizeof(state)) &&
		    state == h->fields->MM_READY);
}

static bool read_mode(struct heap *h, char **error)
{
	const struct heap_fields *f = h->fields;
	uint64_t addr = layout_symbol(h->image->layout, "percpu"), mode;
	char bytes[STRUCT_MAX];

	if (!addr || !source_read(h->src, addr, bytes, f->sizeof_percpu_state)) {
		*error = xasprintf("the state of its per-CPU areas can't be read");
		return false;
	}
	mode = VALUE(f, bytes, percpu_state_mode);
	h->mode = mode == f->PERCPU_RSEQ ? HEAP_RSEQ :
		  mode == f->PERCPU_FALLBACK ? HEAP_FALLBACK : HEAP_UNUSED;
	h->use_cid = VALUE(f, bytes, percpu_state_use_cid);
	h->percpu_base = VALUE(f, bytes, percpu_state_base);
	h->nr_cpus = (uint32_t)VALUE(f, bytes, percpu_state_nr_cpus);
	if (h->nr_cpus > MAX_CPUS) {
		heap_damage(h, "cpu-areas", addr, "there are %u per-CPU areas", h->nr_cpus);
		h->nr_cpus = 0;
	}
	if (h->mode == HEAP_UNUSED)
		h->nr_cpus = 0;
	h->percpu_end = h->percpu_base + ((uint64_t)h->nr_cpus << h->percpu_shift);
	h->zeros_end = h->percpu_end;
	if (VALUE(f, bytes, percpu_state_closed) == h->percpu_end)
		h->zeros_end += (h->mode == HEAP_RSEQ ? (uint64_t)h->nr_cpus : 1) << h->percpu_shift;
	return true;
}

const char *heap_mode_name(const struct heap *h)
{
	switch (h->mode) {
	case HEAP_RSEQ:
		return "rseq";
	case HEAP_FALLBACK:
		return "fallback";
	default:
		return "unused";
	}
}

static void read_params(struct heap *h)
{
	const struct heap_fields *f = h->fields;
	uint64_t addr = layout_symbol(h->image->layout, "kmem_params");
	char bytes[STRUCT_MAX];

	if (!addr || !f->sizeof_kmem_params ||
	    !source_read(h->src, addr, bytes, f->sizeof_kmem_params))
		return;
	h->params = (struct heap_params){
		.known = true,
		.decay_ms = VALUE(f, bytes, kmem_params_decay_ms),
		.rseq = VALUE(f, bytes, kmem_params_rseq),
		.reclaim = VALUE(f, bytes, kmem_params_reclaim),
		.purge_lazy = VALUE(f, bytes, kmem_params_purge_lazy),
		.slab_nomerge = VALUE(f, bytes, kmem_params_slab_nomerge),
		.slab_debug_checks = VALUE(f, bytes, kmem_params_slab_debug_checks),
		.init_on_alloc = VALUE(f, bytes, kmem_params_init_on_alloc),
		.init_on_free = VALUE(f, bytes, kmem_params_init_on_free),
	};
}

/* 64 KiB each, so far more than any heap has. */
#define MAX_CHUNKS	(1U << 17)

static bool read_chunk(struct heap *h, uint64_t addr, struct range *r, uint64_t *next)
{
	const struct heap_fields *f = h->fields;
	uint64_t start, size;
	char bytes[STRUCT_MAX];

	if (!source_read(h->src, addr, bytes, f->sizeof_memblock_chunk))
		return false;
	start = VALUE(f, bytes, memblock_chunk_addr);
	size = VALUE(f, bytes, memblock_chunk_size);
	*next = VALUE(f, bytes, memblock_chunk_next);
	*r = (struct range){ start, start + size };
	return start && size && size < 1UL << 47;
}

/*
 * The list has no back links. That it loops is seen by a mark that moves on at
 * each power of two: sooner or later it stands inside the loop.
 */
static void read_chunks(struct heap *h)
{
	uint64_t root = layout_symbol(h->image->layout, "memblock_chunks"), addr, mark = 0;

	if (!root || !h->fields->sizeof_memblock_chunk) {
		heap_note(h, "the library does not list its own mappings: metadata is incomplete");
		return;
	}
	if (!source_read(h->src, root, &addr, sizeof(addr)))
		addr = 0;
	while (addr) {
		uint64_t next;
		struct range r;

		if (addr == mark || h->nr_chunks == MAX_CHUNKS ||
		    !read_chunk(h, addr, &r, &next)) {
			heap_damage(h, "chunk-list", addr,
				    "the list of the library's mappings loops or leads astray");
			break;
		}
		if (!(h->nr_chunks & (h->nr_chunks - 1)))
			mark = addr;
		addr = next;
		h->chunks = grow(h->chunks, h->nr_chunks, sizeof(*h->chunks));
		h->chunks[h->nr_chunks++] = r;
	}
	h->nr_chunks = ranges_merge(h->chunks, h->nr_chunks);
}

/* ---- the whole ------------------------------------------------------------------------ */

struct heap *heap_read(struct source *src, const struct image *image, char **error)
{
	struct heap *h = xcalloc(1, sizeof(*h));

	*error = NULL;
	h->src = src;
	h->image = image;
	h->fields = xcalloc(1, sizeof(*h->fields));
	if (!image->layout) {
		*error = xstrdup(image->error ? image->error : "no layout description");
		goto fail;
	}
	if (!fields_bind(h->fields, image->layout, h, error))
		goto fail;
	h->page_shift = (uint32_t)h->fields->PAGE_SHIFT;
	h->percpu_shift = (uint32_t)h->fields->PERCPU_SHIFT;
	h->nr_orders = (uint32_t)h->fields->NR_PAGE_ORDERS;
	read_ready(h);
	if (!read_mode(h, error) || !read_zones(h, error))
		goto fail;
	if (!h->nr_zones)
		h->mode = HEAP_UNUSED;
	read_params(h);
	read_chunks(h);
	caches_read(h);
	if (source_alive(src))
		return h;
fail:
	/* Whatever could not be read, this is why. */
	if (!source_alive(src)) {
		free(*error);
		*error = xstrdup("the process ended while it was read");
	}
	heap_free(h);
	return NULL;
}

void heap_free(struct heap *h)
{
	if (!h)
		return;
	caches_free(h);
	for (size_t i = 0; i < h->nr_notes; i++)
		free(h->notes[i]);
	free(h->notes);
	free(h->zones);
	free(h->chunks);
	findings_free(&h->damage);
	free(h->fields);
	free(h);
}

/* The maps behind a zone's heap, as far as the library describes them. */
static size_t zone_ranges(const struct heap *h, const struct heap_zone *z, struct range *r)
{
	struct {
		uint64_t start, bytes;
	} part[] = {
		{ z->base, z->nr_pages << h->page_shift },
		{ z->memmap, z->nr_pages * h->fields->sizeof_page },
		{ z->slotmap, z->nr_pages },
		{ z->dirty, z->nr_pages / 8 },
		{ z->pageblock_type, z->nr_pages >> h->fields->PAGEBLOCK_ORDER },
		{ z->free_max, z->nr_pages >> (h->nr_orders - 1) >> 3 },
	};
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_SIZE(part); i++)
		if (part[i].start)
			r[n++] = (struct range){ part[i].start,
						 part[i].start + heap_page_up(h, part[i].bytes) };
	return n;
}

struct range *heap_ranges(const struct heap *h, size_t *nr)
{
	struct range *r = xcalloc(h->nr_zones * 6 + h->nr_chunks + IMAGE_MAX_DATA + 1,
				  sizeof(*r));
	size_t n = 0;

	for (size_t i = 0; i < h->nr_zones; i++)
		n += zone_ranges(h, &h->zones[i], r + n);
	if (h->nr_cpus)
		r[n++] = (struct range){ h->percpu_base, h->percpu_end };
	for (size_t i = 0; i < h->nr_chunks; i++)
		r[n++] = h->chunks[i];
	for (size_t i = 0; i < h->image->nr_data; i++)
		r[n++] = h->image->data[i];
	*nr = ranges_merge(r, n);
	return r;
}

bool heap_read_again(struct heap **h)
{
	char *error;
	struct heap *again = heap_read((*h)->src, (*h)->image, &error);

	free(error);
	if (!again)
		return false;
	heap_free(*h);
	*h = again;
	return true;
}
