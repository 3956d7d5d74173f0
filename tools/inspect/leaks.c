// SPDX-License-Identifier: MIT
/*
 * leaks.c - marks what is reachable, as a conservative garbage collector would.
 *
 * Every block in use gets a number, and so does every object in it: the block's
 * first plus its place. Two bits an object: in use, met. For each page of a zone
 * the number of its block leads from any address to its object in a few steps.
 * Objects that were met and not looked through wait on a stack.
 */
#include "leaks.h"

#include <stdlib.h>

#include "pages.h"
#include "scan.h"

/* Objects up to this size are read in one piece. */
#define PIECE		65536UL

struct block {
	uint64_t addr;
	uint64_t first;			/* number of its first object */
	uint64_t bytes;			/* of an object that is alone */
	const struct heap_cache *cache;	/* NULL: one object */
	uint32_t nr;			/* objects */
	bool root;			/* pages: nobody need point at them */
};

struct zone_index {
	const struct heap_zone *zone;
	uint32_t *block;		/* per page: 1 + index, 0: none in use */
	uint64_t *resident;		/* bit per page */
};

struct marking {
	struct heap *h;
	struct leaks *l;
	struct block *block;
	size_t nr_blocks;
	struct zone_index *zone;
	uint64_t nr_objects;
	uint64_t *live, *met;		/* bit per object */
	uint64_t *stack;
	size_t depth;
	uint64_t *piece;		/* PIECE bytes */
	bool second;			/* looking through what was not met */
	uint64_t *pointed;		/* then: bit per object, pointed at by another */
	uint64_t current;		/* then: the object that is looked through */
};

static bool test(const uint64_t *bits, uint64_t i)
{
	return bits[i / 64] >> i % 64 & 1;
}

static void set(uint64_t *bits, uint64_t i)
{
	bits[i / 64] |= 1UL << i % 64;
}

/* ---- the index ---------------------------------------------------------------------- */

struct indexing {
	struct marking *m;
	struct zone_index *z;
};

static void index_block(void *arg, struct page_window *w, const struct heap_block *b)
{
	struct indexing *i = arg;
	struct marking *m = i->m;
	struct block *n;

	(void)w;
	if (b->kind != BLOCK_SLAB && b->kind != BLOCK_LARGE && b->kind != BLOCK_PAGES)
		return;
	m->block = grow(m->block, m->nr_blocks, sizeof(*m->block));
	n = &m->block[m->nr_blocks++];
	*n = (struct block){
		.addr = b->addr, .first = m->nr_objects, .cache = b->cache,
		.nr = b->kind == BLOCK_SLAB ? b->cache->objects : 1,
		.bytes = b->kind == BLOCK_LARGE ? b->requested : b->nr_pages << m->h->page_shift,
		.root = b->kind == BLOCK_PAGES,
	};
	m->nr_objects += n->nr;
	for (uint64_t p = 0; p < b->nr_pages; p++)
		i->z->block[b->zpn + p] = (uint32_t)m->nr_blocks;
}

static void mark_resident(void *arg, uint64_t start, uint64_t end)
{
	struct indexing *i = arg;
	uint32_t shift = i->m->h->page_shift;

	for (uint64_t p = (start - i->z->zone->base) >> shift;
	     p < (end - i->z->zone->base + (1UL << shift) - 1) >> shift; p++)
		set(i->z->resident, p);
}

static void index_zone(struct marking *m, struct zone_index *z, const struct heap_zone *zone)
{
	struct indexing i = { m, z };
	struct page_window w;
	uint64_t end = zone->base + (zone->nr_present << m->h->page_shift);

	*z = (struct zone_index){
		.zone = zone,
		.block = xcalloc(zone->nr_present, sizeof(*z->block)),
		.resident = xcalloc(zone->nr_present / 64 + 1, 8),
	};
	page_window_open(&w, m->h, zone);
	blocks_walk(&w, index_block, &i);
	page_window_close(&w);
	if (!m->h->src->ops->resident(m->h->src, zone->base, end, mark_resident, &i))
		mark_resident(&i, zone->base, end);
}

static void mark_live(void *arg, struct page_window *w, const struct heap_block *b)
{
	struct indexing *i = arg;
	uint32_t number = i->z->block[b->zpn];	/* 0: it was no block when the index was made */
	const struct block *n;

	if (!number)
		return;
	n = &i->m->block[number - 1];
	if (n->addr != b->addr)
		return;
	for (uint32_t k = 0; k < n->nr; k++)
		if (b->kind != BLOCK_SLAB ||
		    (n->cache == b->cache && slab_object_state(w->heap, b, k) == OBJECT_LIVE)) {
			set(i->m->live, n->first + k);
			i->m->l->objects++;
		}
}

static void make_index(struct marking *m)
{
	m->zone = xcalloc(m->h->nr_zones, sizeof(*m->zone));
	for (size_t i = 0; i < m->h->nr_zones; i++)
		index_zone(m, &m->zone[i], &m->h->zones[i]);
	m->live = xcalloc(m->nr_objects / 64 + 1, 8);
	m->met = xcalloc(m->nr_objects / 64 + 1, 8);
	for (size_t i = 0; i < m->h->nr_zones; i++) {
		struct indexing ix = { m, &m->zone[i] };
		struct page_window w;

		page_window_open(&w, m->h, &m->h->zones[i]);
		blocks_walk(&w, mark_live, &ix);
		page_window_close(&w);
	}
}

static void drop_index(struct marking *m)
{
	for (size_t i = 0; i < m->h->nr_zones; i++) {
		free(m->zone[i].block);
		free(m->zone[i].resident);
	}
	free(m->zone);
	free(m->block);
	free(m->live);
	free(m->met);
	free(m->pointed);
	free(m->stack);
	free(m->piece);
}

/* ---- marking ---------------------------------------------------------------------- */

/* The object that @addr points into, if it is in use. */
static bool find_object(const struct marking *m, uint64_t addr, uint64_t *object)
{
	for (size_t i = 0; i < m->h->nr_zones; i++) {
		const struct zone_index *z = &m->zone[i];
		uint64_t zpn = (addr - z->zone->base) >> m->h->page_shift;
		const struct block *b;
		uint64_t at;

		if (zpn >= z->zone->nr_present)
			continue;
		if (!z->block[zpn])
			return false;
		b = &m->block[z->block[zpn] - 1];
		at = b->cache ? (addr - b->addr) / b->cache->size : 0;
		*object = b->first + at;
		return at < b->nr && test(m->live, *object);
	}
	return false;
}

static void push(struct marking *m, uint64_t object)
{
	set(m->met, object);
	m->stack = grow(m->stack, m->depth, sizeof(*m->stack));
	m->stack[m->depth++] = object;
}

static void look(void *arg, uint64_t addr, const uint64_t *word, size_t nr)
{
	struct marking *m = arg;
	uint64_t object;

	(void)addr;
	for (size_t i = 0; i < nr; i++) {
		if (!find_object(m, word[i], &object))
			continue;
		if (m->second) {
			if (object != m->current && !test(m->met, object))
				set(m->pointed, object);
		} else if (!test(m->met, object)) {
			push(m, object);
		}
	}
}

static const struct block *block_of(const struct marking *m, uint64_t object)
{
	size_t low = 0, high = m->nr_blocks;

	while (high - low > 1) {
		size_t mid = (low + high) / 2;

		if (m->block[mid].first <= object)
			low = mid;
		else
			high = mid;
	}
	return &m->block[low];
}

static bool is_resident(const struct marking *m, uint64_t addr)
{
	for (size_t i = 0; i < m->h->nr_zones; i++) {
		uint64_t zpn = (addr - m->zone[i].zone->base) >> m->h->page_shift;

		if (zpn < m->zone[i].zone->nr_present)
			return test(m->zone[i].resident, zpn);
	}
	return false;
}

/* Small ones page by page: what was never touched is not read. */
static void look_through(struct marking *m, uint64_t object)
{
	const struct block *b = block_of(m, object);
	uint64_t size = b->cache ? b->cache->size : b->bytes;
	uint64_t start = b->addr + (object - b->first) * size, end = start + size;

	if (size > PIECE) {
		m->l->heap_bytes += scan_range(m->h->src, start, end, look, m);
		return;
	}
	start = (start + 7) & ~7UL;
	while (start < end) {
		uint64_t page = 1UL << m->h->page_shift;
		uint64_t stop = min_u64((start | (page - 1)) + 1, end);
		size_t n = (stop - start) / 8;

		if (is_resident(m, start) && source_read(m->h->src, start, m->piece, n * 8)) {
			look(m, start, m->piece, n);
			m->l->heap_bytes += n * 8;
		}
		start = stop;
	}
}

/* ---- roots ---------------------------------------------------------------------- */

/* A thread's stack counts from its stack pointer on, less the red zone below it. */
static uint64_t stack_start(const struct source *src, const struct range *r)
{
	uint64_t start = r->end;
	bool any = false;

	for (size_t i = 0; i < src->nr_threads; i++) {
		uint64_t sp = src->threads[i].sp;

		if (sp >= r->start && sp < r->end) {
			start = min_u64(start, max_u64(r->start, sp - 128));
			any = true;
		}
	}
	return any ? start : r->start;
}

static void mark_from_roots(struct marking *m)
{
	struct source *src = m->h->src;
	size_t nr;
	struct range *r = scan_roots(m->h, &nr);

	for (size_t i = 0; i < nr; i++)
		m->l->root_bytes += scan_range(src, stack_start(src, &r[i]) & ~7UL, r[i].end,
					       look, m);
	free(r);
	for (size_t i = 0; i < src->nr_threads; i++) {
		look(m, 0, src->threads[i].reg, src->threads[i].nr_regs);
		m->l->threads_known += src->threads[i].sp != 0;
	}
	m->l->threads = src->nr_threads;
	for (size_t i = 0; i < m->nr_blocks; i++)
		if (m->block[i].root && !test(m->met, m->block[i].first))
			push(m, m->block[i].first);
	while (m->depth)
		look_through(m, m->stack[--m->depth]);
}

/* ---- what is left ---------------------------------------------------------------------- */

static void collect(struct marking *m)
{
	struct leaks *l = m->l;

	m->second = true;
	m->pointed = xcalloc(m->nr_objects / 64 + 1, 8);
	for (uint64_t i = 0; i < m->nr_objects; i++) {
		if (!test(m->live, i) || test(m->met, i))
			continue;
		m->current = i;
		look_through(m, i);
	}
	for (size_t k = 0; k < m->nr_blocks; k++) {
		const struct block *b = &m->block[k];
		uint64_t stride = b->cache ? b->cache->size : 0;

		for (uint32_t i = 0; i < b->nr; i++) {
			uint64_t size = b->cache ? b->cache->object_size : b->bytes;

			if (!test(m->live, b->first + i))
				continue;
			if (test(m->met, b->first + i)) {
				l->reached++;
				continue;
			}
			l->list = grow(l->list, l->nr, sizeof(*l->list));
			l->list[l->nr++] = (struct leak){
				b->addr + i * stride, size, b->cache,
				test(m->pointed, b->first + i),
			};
			l->bytes += size;
		}
	}
}

void leaks_find(struct heap *h, struct leaks *l)
{
	struct marking m = { .h = h, .l = l };

	*l = (struct leaks){ 0 };
	m.piece = xcalloc(1, PIECE);
	make_index(&m);
	mark_from_roots(&m);
	collect(&m);
	drop_index(&m);
}

void leaks_keep_common(struct leaks *l, const struct leaks *before)
{
	size_t to = 0, k = 0;

	l->bytes = 0;
	for (size_t i = 0; i < l->nr; i++) {
		while (k < before->nr && before->list[k].addr < l->list[i].addr)
			k++;
		if (k == before->nr || before->list[k].addr != l->list[i].addr)
			continue;
		l->bytes += l->list[i].bytes;
		l->list[to++] = l->list[i];
	}
	l->nr = to;
}

void leaks_free(struct leaks *l)
{
	free(l->list);
	*l = (struct leaks){ 0 };
}
