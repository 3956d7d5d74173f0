// SPDX-License-Identifier: MIT
/*
 * verify_magazines.c - magazines: their own words, the depots' counts, and what
 * lies in them: each object once, and each block of the per-CPU page lists a
 * block that says so.
 */
#include "verify.h"

#include <inttypes.h>
#include <stdlib.h>

#include "caches.h"
#include "fields.h"

/* ---- the magazine itself ---------------------------------------------------------------------- */

#define DEPOT_TRIES	64

/* Of magazines with this capacity; -1: there are none such. */
static int level_of(const struct heap *h, uint64_t capacity)
{
	for (int level = 0; level < 16; level++) {
		const struct layout_item *item;
		char name[32];

		snprintf(name, sizeof(name), "MAGAZINE_CAPACITY%d", level);
		item = layout_item(h->image->layout, "", name);
		if (!item)
			break;
		if (item->value == capacity)
			return level;
	}
	return -1;
}

/* Above the level stands a hint, which may be of any age; older libraries have the address there. */
static bool is_end_word(const struct heap_fields *f, uint64_t word, uint64_t addr, int level)
{
	return f->MAGAZINE_LEVEL_MASK ? (word & f->MAGAZINE_LEVEL_MASK) == (uint64_t)level :
					word == addr;
}

/* Its header and the two words behind its rounds; @count: as many as it should hold at most. */
static void check_magazine(struct verify *v, const struct heap_cache *c, uint64_t addr,
			   uint64_t rounds)
{
	const struct heap_fields *f = v->h->fields;
	uint64_t capacity, end[2], bottom;
	char bytes[STRUCT_MAX];
	int level;

	if (!source_read(v->h->src, addr, bytes, f->sizeof_magazine))
		return;
	v->r->magazines++;
	capacity = VALUE(f, bytes, magazine_capacity);
	bottom = f->magazine_bottom.size ? VALUE(f, bytes, magazine_bottom) : 0;
	level = level_of(v->h, capacity);
	if (level < 0 || rounds > capacity) {
		DAMAGE(v, "magazine", addr, "%s: a magazine has capacity %" PRIu64 ", with %" PRIu64
		       " rounds", c->name, capacity, rounds);
		return;
	}
	if (!source_read(v->h->src, addr + f->magazine_round.offset + 8 * capacity, end,
			 sizeof(end)))
		return;
	if (bottom || end[0] || !is_end_word(f, end[1], addr, level))
		DAMAGE(v, "magazine", addr, "%s: the words around the rounds of a magazine "
		       "are damaged", c->name);
}

static void look_at_magazine(struct heap *h, void *arg, struct heap_cache *c,
			     const struct magazine_at *at)
{
	struct verify *v = arg;
	uint64_t rounds = at->nr;
	char bytes[STRUCT_MAX];

	if (!at->addr)
		return;			/* what can't be read was said while the heap was read */
	if (!at->top) {
		if (!source_read(h->src, at->addr, bytes, h->fields->sizeof_magazine))
			return;
		rounds = VALUE(h->fields, bytes, magazine_count);
	}
	if (at->cpu < 0 && rounds == 0)
		DAMAGE(v, "magazine", at->addr, "%s: an empty magazine is among its full ones",
		       c->name);
	check_magazine(v, c, at->addr, rounds);
}

static void check_empty_magazines(struct verify *v, const struct heap_cache *c)
{
	const struct heap_fields *f = v->h->fields;
	uint64_t addr = c->empty_magazines, nr = 0;
	char bytes[STRUCT_MAX];

	for (; addr && nr <= c->nr_empty_magazines + 1UL; nr++) {
		if (!source_read(v->h->src, addr, bytes, f->sizeof_magazine)) {
			DAMAGE(v, "depot-list", addr, "%s: its list of empty magazines leads "
			       "astray", c->name);
			return;
		}
		if (VALUE(f, bytes, magazine_count))
			DAMAGE(v, "magazine", addr, "%s: a magazine that holds objects is "
			       "among its empty ones", c->name);
		check_magazine(v, c, addr, 0);
		addr = VALUE(f, bytes, magazine_next);
	}
}

/* The magazines on a list of a depot, up to one more than there should be. */
static uint64_t list_length(struct verify *v, uint64_t addr, uint64_t expected)
{
	const struct heap_fields *f = v->h->fields;
	char bytes[STRUCT_MAX];
	uint64_t n = 0;

	for (; addr && n <= expected &&
	       source_read(v->h->src, addr, bytes, f->sizeof_magazine); n++)
		addr = VALUE(f, bytes, magazine_next);
	return n;
}

/* Takes the depot's words anew. False: they are as they were, or can't be read. */
static bool depot_changed(struct verify *v, struct heap_cache *c)
{
	const struct heap_fields *f = v->h->fields;
	struct heap_cache old = *c;
	char bytes[STRUCT_MAX];

	if (!source_read(v->h->src, c->addr, bytes, f->sizeof_kmem_cache))
		return false;
	decode_magazine_cache(v->h, bytes + f->kmem_cache_mag.offset, c);
	return c->full != old.full || c->nr_full != old.nr_full ||
	       c->empty_magazines != old.empty_magazines ||
	       c->nr_empty_magazines != old.nr_empty_magazines ||
	       c->nr_depot_get != old.nr_depot_get || c->nr_depot_put != old.nr_depot_put;
}

/*
 * The lists' lengths are as the depot counts them. In a busy program a count that
 * was read a moment before its list is wrong in look after look, and nothing is
 * damaged: only a difference between words that stood still meanwhile is one.
 */
static void check_depot_counts(struct verify *v, const struct heap_cache *cache)
{
	struct heap_cache c = *cache;

	for (int i = 0; i < DEPOT_TRIES; i++) {
		uint64_t full = list_length(v, c.full, c.nr_full);
		uint64_t empty = list_length(v, c.empty_magazines, c.nr_empty_magazines);
		bool full_wrong = v->h->fields->magazine_cache_nr_full.size && full != c.nr_full;
		bool empty_wrong = v->h->fields->magazine_cache_empty.size &&
				   empty != c.nr_empty_magazines;
		unsigned int nr_full = c.nr_full, nr_empty = c.nr_empty_magazines;

		if (!full_wrong && !empty_wrong)
			return;
		if (v->h->src->live && depot_changed(v, &c))
			continue;
		if (full_wrong)
			DAMAGE(v, "depot-count", c.addr, "%s: its depot counts %u full magazines, "
			       "and has %" PRIu64 "%s", c.name, nr_full, full,
			       full > nr_full ? " or more" : "");
		if (empty_wrong)
			DAMAGE(v, "depot-count", c.addr, "%s: its depot counts %u empty "
			       "magazines, and has %" PRIu64 "%s", c.name, nr_empty, empty,
			       empty > nr_empty ? " or more" : "");
		return;
	}
}

/* All magazines of some caches. */
static void check_magazines(struct verify *v, struct heap_cache *caches, size_t nr)
{
	magazines_each(v->h, caches, nr, look_at_magazine, v);
	for (size_t i = 0; i < nr; i++) {
		check_depot_counts(v, &caches[i]);
		if (v->h->fields->magazine_cache_empty.size)
			check_empty_magazines(v, &caches[i]);
	}
}

/* ---- objects ---------------------------------------------------------------------- */

struct collection {
	struct magazine_round *round;
	size_t nr;
};

static void collect(struct heap *h, void *arg, const struct magazine_round *r)
{
	struct collection *c = arg;

	(void)h;
	c->round = grow(c->round, c->nr, sizeof(*c->round));
	c->round[c->nr++] = *r;
}

static int by_object(const void *a, const void *b)
{
	const struct magazine_round *x = a, *y = b;

	return x->object < y->object ? -1 : x->object > y->object;
}

static void sort_rounds(struct verify *v, struct collection *c, const char *what)
{
	if (c->nr)
		qsort(c->round, c->nr, sizeof(*c->round), by_object);
	for (size_t i = 1; i < c->nr; i++)
		if (c->round[i].object == c->round[i - 1].object)
			DAMAGE(v, "double-free", c->round[i].at, "%s 0x%" PRIx64 " of %s lies "
			       "in magazines twice", what, c->round[i].object,
			       c->round[i].cache->name);
}

size_t verify_first_round(const struct verify *v, uint64_t addr)
{
	size_t low = 0, high = v->nr_rounds;

	while (low < high) {
		size_t mid = (low + high) / 2;

		if (v->round[mid].object < addr)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

void verify_magazines(struct verify *v)
{
	struct collection c = { 0 };
	size_t seen = v->h->damage.nr;

	check_magazines(v, v->h->caches, v->h->nr_caches);
	magazines_walk(v->h, v->h->caches, v->h->nr_caches, collect, &c);
	findings_cut(&v->h->damage, seen);	/* said once, when the heap was read */
	sort_rounds(v, &c, "object");
	v->round = c.round;
	v->nr_rounds = c.nr;
	v->met = xcalloc(c.nr, sizeof(*v->met));
}

void verify_rounds_left(struct verify *v)
{
	for (size_t i = 0; i < v->nr_rounds; i++)
		if (!v->met[i])
			DAMAGE(v, "magazine-round", v->round[i].at, "0x%" PRIx64 " lies in a "
			       "magazine of %s, and is in no slab", v->round[i].object,
			       v->round[i].cache->name);
}

/* ---- page lists ---------------------------------------------------------------------- */

/* A block in a page list: @r->object is its struct page; order and type are the list's. */
static void check_page(struct verify *v, const struct magazine_round *r)
{
	const struct heap_fields *f = v->h->fields;
	char page[STRUCT_MAX];
	bool found = false;

	for (size_t i = 0; i < v->h->nr_zones && !found; i++) {
		uint64_t at = r->object - v->h->zones[i].memmap;

		found = at / f->sizeof_page < v->h->zones[i].nr_present && at % f->sizeof_page == 0;
	}
	if (!found || !source_read(v->h->src, r->object, page, f->sizeof_page)) {
		DAMAGE(v, "page-list", r->at, "0x%" PRIx64 " lies in the %s, and is no struct page",
		       r->object, r->cache->name);
		return;
	}
	if (VALUE(f, page, page_type) != f->PT_PCP ||
	    VALUE(f, page, page_order) != r->cache->order ||
	    (f->page_migratetype.size && VALUE(f, page, page_migratetype) != r->cache->flags))
		DAMAGE(v, "page-list", r->at, "struct page 0x%" PRIx64 " lies in the %s, and "
		       "has type %" PRIu64 ", order %" PRIu64, r->object, r->cache->name,
		       VALUE(f, page, page_type), VALUE(f, page, page_order));
}

/* The page lists as if they were caches: order as it is, migrate type in flags. */
static struct heap_cache *read_page_lists(struct verify *v, uint64_t addr, size_t nr)
{
	const struct heap_fields *f = v->h->fields;
	struct heap_cache *list = xcalloc(nr, sizeof(*list));
	char bytes[STRUCT_MAX];

	for (size_t i = 0; i < nr; i++) {
		struct heap_cache *c = &list[i];

		c->addr = addr + i * f->sizeof_pcp_list;
		if (!source_read(v->h->src, c->addr, bytes, f->sizeof_pcp_list)) {
			free(list);
			return NULL;
		}
		decode_magazine_cache(v->h, bytes + f->pcp_list_mag.offset, c);
		c->order = (uint32_t)VALUE(f, bytes, pcp_list_order);
		c->flags = VALUE(f, bytes, pcp_list_mt);
		snprintf(c->name, sizeof(c->name), "page list of order %u, type %u", c->order,
			 (unsigned int)c->flags);
	}
	return list;
}

void verify_page_magazines(struct verify *v)
{
	const struct heap_fields *f = v->h->fields;
	uint64_t addr = layout_symbol(v->h->image->layout, "pcp_lists");
	size_t nr = min_u64(f->NR_PCP_LISTS, 256);
	struct collection c = { 0 };
	struct heap_cache *list;

	if (!addr || !nr || !f->sizeof_pcp_list) {
		verify_left_out(v, "per-CPU page lists");
		return;
	}
	list = read_page_lists(v, addr, nr);
	if (!list)
		return;
	check_magazines(v, list, nr);
	magazines_walk(v->h, list, nr, collect, &c);
	sort_rounds(v, &c, "struct page");
	for (size_t i = 0; i < c.nr; i++)
		check_page(v, &c.round[i]);
	free(c.round);
	free(list);
}
