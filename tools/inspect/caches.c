// SPDX-License-Identifier: MIT
/*
 * caches.c - reads the list of caches, and the objects in their magazines.
 *
 * Magazines. A CPU's slot word, relative to its area, leads to the top round of
 * the magazine that it has loaded; below the first round stands NULL
 * (mm/percpu.h). A magazine in the depot says itself how many rounds it holds.
 * Either has at most MAGAZINE_MAX_BYTES; what lies in front of it in memory may be
 * nothing, so that no page is read that the rounds seen so far do not lead to.
 *
 * A slot page that was never touched is all zeros, which means "nothing loaded",
 * and is not read.
 */
#include "caches.h"

#include <stdlib.h>

#include "fields.h"

#define MAX_CACHES	(1U << 17)
#define MAX_ALIASES	1024U
#define LIST_TRIES	5
#define MAX_DEPOT	4096U

/* ---- lists --------------------------------------------------------------------- */

typedef void (*entry_fn)(struct heap *h, void *arg, uint64_t node);

/*
 * Calls @fn for each node of the circular list whose head stands at @head.
 * False: it did not hold together; the nodes before that were given.
 */
static bool walk_list(struct heap *h, uint64_t head, size_t max, entry_fn fn, void *arg)
{
	const struct heap_fields *f = h->fields;
	uint64_t at = head, next;
	char bytes[64];

	if (f->sizeof_list_head > sizeof(bytes) ||
	    !source_read(h->src, head, bytes, f->sizeof_list_head))
		return false;
	for (size_t n = 0; n <= max; n++) {
		next = VALUE(f, bytes, list_head_next);
		/* A head that was never set up: an empty list of a library not used. */
		if (next == head || (next == 0 && at == head && h->mode == HEAP_UNUSED))
			return true;
		if (!source_read(h->src, next, bytes, f->sizeof_list_head) ||
		    VALUE(f, bytes, list_head_prev) != at)
			return false;
		fn(h, arg, next);
		at = next;
	}
	return false;
}

/* ---- caches ---------------------------------------------------------------------- */

/* Names are shown on terminals and in tables of columns. */
static void read_name(struct heap *h, uint64_t addr, char *name)
{
	source_read_string(h->src, addr, name, CACHE_NAME_MAX);
	clean_text(name, '_', false);
}

static void add_alias(struct heap *h, void *arg, uint64_t node)
{
	const struct heap_fields *f = h->fields;
	uint64_t alias = node - f->kmem_cache_alias_list.offset, at;
	struct heap_cache *c = arg;
	char name[CACHE_NAME_MAX];

	if (!source_read(h->src, alias + f->kmem_cache_alias_name.offset, &at, sizeof(at)))
		return;
	read_name(h, at, name);
	c->aliases = grow(c->aliases, c->nr_aliases, sizeof(*c->aliases));
	c->aliases[c->nr_aliases++] = xstrdup(name);
}

static uint32_t capacity_of(const struct heap *h, unsigned int level)
{
	const struct layout_item *item;
	char name[32];

	snprintf(name, sizeof(name), "MAGAZINE_CAPACITY%u", level);
	item = layout_item(h->image->layout, "", name);
	return item ? (uint32_t)item->value : 0;
}

void decode_magazine_cache(struct heap *h, const char *mag, struct heap_cache *c)
{
	const struct heap_fields *f = h->fields;

	c->slot = (uint32_t)VALUE(f, mag, magazine_cache_slot);
	c->capacity = c->slot == f->SLOT_NONE ? 0 :
		capacity_of(h, (unsigned int)VALUE(f, mag, magazine_cache_level));
	c->max_full = (uint32_t)VALUE(f, mag, magazine_cache_max_full);
	c->full = VALUE(f, mag, magazine_cache_full);
	c->nr_full = (uint32_t)VALUE(f, mag, magazine_cache_nr_full);
	c->empty_magazines = VALUE(f, mag, magazine_cache_empty);
	c->nr_empty_magazines = (uint32_t)VALUE(f, mag, magazine_cache_nr_empty);
	c->nr_refill = VALUE(f, mag, magazine_cache_nr_refill);
	c->nr_flush = VALUE(f, mag, magazine_cache_nr_flush);
	c->nr_depot_get = VALUE(f, mag, magazine_cache_nr_depot_get);
	c->nr_depot_put = VALUE(f, mag, magazine_cache_nr_depot_put);
}

static void decode_node(struct heap *h, const char *node, struct heap_cache *c)
{
	const struct heap_fields *f = h->fields;

	c->nr_slabs = VALUE(f, node, kmem_cache_node_nr_slabs);
	c->nr_partial = VALUE(f, node, kmem_cache_node_nr_partial);
	c->nr_empty = VALUE(f, node, kmem_cache_node_nr_empty);
	c->nr_inuse = VALUE(f, node, kmem_cache_node_nr_inuse);
	c->alloc_slab = VALUE(f, node, kmem_cache_node_alloc_slab);
	c->free_slab = VALUE(f, node, kmem_cache_node_free_slab);
	c->alloc_slowpath = VALUE(f, node, kmem_cache_node_alloc_slowpath);
	c->free_slowpath = VALUE(f, node, kmem_cache_node_free_slowpath);
}

/* False: this is no cache, whatever the list said. */
static bool decode_cache(struct heap *h, const char *bytes, struct heap_cache *c)
{
	const struct heap_fields *f = h->fields;

	c->flags = VALUE(f, bytes, kmem_cache_flags);
	c->size = (uint32_t)VALUE(f, bytes, kmem_cache_size);
	c->object_size = (uint32_t)VALUE(f, bytes, kmem_cache_object_size);
	c->align = (uint32_t)VALUE(f, bytes, kmem_cache_align);
	c->objects = (uint32_t)VALUE(f, bytes, kmem_cache_objects);
	c->order = (uint32_t)VALUE(f, bytes, kmem_cache_order);
	c->slotmap_byte = (uint8_t)VALUE(f, bytes, kmem_cache_slotmap_byte);
	c->bin_reciprocal = (uint32_t)VALUE(f, bytes, kmem_cache_bin_reciprocal);
	c->has_ctor = VALUE(f, bytes, kmem_cache_ctor) != 0;
	decode_magazine_cache(h, bytes + f->kmem_cache_mag.offset, c);
	decode_node(h, bytes + f->kmem_cache_node.offset, c);
	read_name(h, VALUE(f, bytes, kmem_cache_name), c->name);
	return c->size && c->object_size <= c->size && c->order < h->nr_orders &&
	       (uint64_t)c->objects * c->size <= 1UL << (h->page_shift + c->order);
}

static void add_cache(struct heap *h, void *arg, uint64_t node)
{
	const struct heap_fields *f = h->fields;
	uint64_t addr = node - f->kmem_cache_list.offset;
	struct heap_cache *c;
	char bytes[STRUCT_MAX];

	(void)arg;
	if (!source_read(h->src, addr, bytes, f->sizeof_kmem_cache)) {
		heap_damage(h, "cache-list", addr, "an entry of the list of caches can't be read");
		return;
	}
	h->caches = grow(h->caches, h->nr_caches, sizeof(*h->caches));
	c = &h->caches[h->nr_caches];
	*c = (struct heap_cache){ .addr = addr };
	if (!decode_cache(h, bytes, c)) {
		heap_damage(h, "cache", addr, "cache \"%s\": size %u, %u objects, order %u "
			    "can't be", c->name, c->size, c->objects, c->order);
		return;
	}
	h->nr_caches++;
	if (f->kmem_cache_aliases.size && f->kmem_cache_alias_list.size &&
	    !walk_list(h, addr + f->kmem_cache_aliases.offset, MAX_ALIASES, add_alias, c))
		heap_damage(h, "alias-list", addr, "cache \"%s\": its list of aliases does not "
			    "hold together", c->name);
}

static void drop_caches(struct heap *h)
{
	for (size_t i = 0; i < h->nr_caches; i++) {
		for (size_t k = 0; k < h->caches[i].nr_aliases; k++)
			free(h->caches[i].aliases[k]);
		free(h->caches[i].aliases);
	}
	free(h->caches);
	free(h->by_addr);
	h->by_addr = NULL;
	h->caches = NULL;
	h->nr_caches = 0;
}

static void read_caches(struct heap *h)
{
	uint64_t head = layout_symbol(h->image->layout, "slab_caches");
	unsigned int before = h->torn;
	size_t seen = h->damage.nr;

	if (!head) {
		heap_note(h, "the library does not say where its caches are");
		return;
	}
	for (int i = 0; i < LIST_TRIES; i++) {
		bool whole;

		drop_caches(h);
		h->torn = before;
		findings_cut(&h->damage, seen);
		whole = walk_list(h, head, MAX_CACHES, add_cache, NULL);
		if (whole && h->torn == before)
			return;
		if (!whole)
			heap_damage(h, "cache-list", head, "the list of caches does not hold "
				    "together behind %zu caches", h->nr_caches);
	}
}

/* ---- magazines ----------------------------------------------------------------------- */

static bool add_round(struct heap *h, uint64_t object)
{
	if (!heap_zone_of(h, object))
		return false;
	h->rounds = grow(h->rounds, h->nr_rounds, sizeof(*h->rounds));
	h->rounds[h->nr_rounds++] = object;
	return true;
}

/*
 * The rounds of a loaded magazine, from the top one at @top down, *@nr of them; to be
 * freed. NULL: they can't be read, or no NULL is below them.
 */
static uint64_t *read_loaded(struct heap *h, uint64_t top, size_t *nr)
{
	size_t max = h->fields->MAGAZINE_MAX_BYTES / 8;
	uint64_t *round = xcalloc(max, 8), word[STRUCT_MAX / 8], at = top;

	*nr = 0;
	/* By aligned pieces: what lies in front of the magazine may be nowhere. */
	while (top % 8 == 0 && *nr < max) {
		uint64_t from = at & ~(uint64_t)(sizeof(word) - 1);
		size_t n = (at - from) / 8 + 1;

		if (!source_read(h->src, from, word, n * 8))
			break;
		while (n-- > 0 && *nr < max) {
			if (!word[n])
				return round;
			round[(*nr)++] = word[n];
		}
		at = from - 8;
	}
	free(round);
	return NULL;
}

/* The rounds of a magazine that is loaded. */
static void loaded_rounds(struct heap *h, struct heap_cache *c, const struct magazine_at *m,
			  round_fn fn, void *arg)
{
	if (!m->round) {
		heap_damage(h, "magazine", m->top, "cache \"%s\": the magazine loaded on CPU %d "
			    "is nowhere, or has no end", c->name, m->cpu);
		return;
	}
	for (size_t i = 0; i < m->nr; i++) {
		struct magazine_round r = { c, m->cpu, false, m->round[i], m->top - 8 * i };

		fn(h, arg, &r);
	}
}

/* Those of one that says itself how many they are. */
static void counted_rounds(struct heap *h, struct heap_cache *c, const struct magazine_at *m,
			   round_fn fn, void *arg)
{
	uint64_t addr = m->addr;
	const struct heap_fields *f = h->fields;
	size_t max_rounds = (f->MAGAZINE_MAX_BYTES - f->magazine_round.offset) / 8, count;
	uint64_t rounds = addr + f->magazine_round.offset, *word;
	char bytes[STRUCT_MAX];

	if (!source_read(h->src, addr, bytes, f->sizeof_magazine))
		return;		/* magazines_each() has said it */
	count = VALUE(f, bytes, magazine_count);
	word = xcalloc(max_rounds, 8);
	if (count > max_rounds || count > VALUE(f, bytes, magazine_capacity) ||
	    !source_read(h->src, rounds, word, count * 8)) {
		heap_damage(h, "magazine", addr, "cache \"%s\": a magazine %s says that it holds "
			    "%zu objects", c->name, m->cpu < 0 ? "in the depot" : "that is a spare",
			    count);
		count = 0;
	}
	for (size_t i = 0; i < count; i++) {
		struct magazine_round r = { c, m->cpu, m->cpu >= 0, word[i], rounds + 8 * i };

		fn(h, arg, &r);
	}
	free(word);
}

/* The full magazines in a cache's depot. */
static void each_in_depot(struct heap *h, struct heap_cache *c, magazine_fn fn, void *arg)
{
	const struct heap_fields *f = h->fields;
	/* More than the cache counts only when it changes while it is read. */
	uint64_t left = min_u64(2 * (uint64_t)c->nr_full + 16, MAX_DEPOT);
	uint64_t addr = c->full;
	char bytes[STRUCT_MAX];

	for (; addr; left--) {
		if (!left || !source_read(h->src, addr, bytes, f->sizeof_magazine)) {
			heap_damage(h, "depot-list", addr, "cache \"%s\": the list of magazines in "
				    "its depot loops or leads astray", c->name);
			return;
		}
		fn(h, arg, c, &(struct magazine_at){ .cpu = -1, .addr = addr });
		addr = VALUE(f, bytes, magazine_next);
	}
}

struct slots {
	struct heap *heap;
	uint64_t area;			/* of the CPU at hand */
	uint64_t *word;			/* [nr] its slots */
	size_t nr;
};

/* Reads the part of a CPU's slots that was ever touched. */
static void read_slots(void *arg, uint64_t start, uint64_t end)
{
	struct slots *s = arg;
	uint64_t last = s->area + s->nr * 8;

	start = max_u64(start, s->area);
	end = min_u64(end, last);
	if (start < end && !source_read(s->heap->src, start,
					(char *)s->word + (start - s->area), end - start))
		heap_damage(s->heap, "cpu-areas", start, "a per-CPU area can't be read");
}

/* The slots of one CPU, zero where nothing can be known. */
static void load_slots(struct slots *s, uint64_t area)
{
	struct source *src = s->heap->src;

	s->area = area;
	memset(s->word, 0, s->nr * 8);
	if (!src->ops->resident(src, area, area + s->nr * 8, read_slots, s))
		read_slots(s, area, area + s->nr * 8);
}

/* A loaded magazine and its spare. */
static void each_on_cpu(struct heap *h, struct heap_cache *c, int cpu, uint64_t top,
			magazine_fn fn, void *arg)
{
	const struct heap_fields *f = h->fields;
	struct magazine_at m = { .cpu = cpu, .top = top }, spare = { .cpu = cpu };
	char bytes[STRUCT_MAX];

	m.round = read_loaded(h, top, &m.nr);
	if (m.round && f->magazine_bottom.size)
		m.addr = top - 8 * m.nr - f->magazine_bottom.offset;
	fn(h, arg, c, &m);
	if (m.addr && f->magazine_spare.size &&
	    source_read(h->src, m.addr, bytes, f->sizeof_magazine))
		spare.addr = VALUE(f, bytes, magazine_spare);
	if (spare.addr)
		fn(h, arg, c, &spare);
	free(m.round);
}

void magazines_each(struct heap *h, struct heap_cache *caches, size_t nr, magazine_fn fn,
		    void *arg)
{
	uint64_t stride = 1UL << h->percpu_shift;
	struct slots s = { .heap = h };

	for (size_t i = 0; i < nr; i++)
		if (caches[i].slot < stride / 8)
			s.nr = max_u64(s.nr, caches[i].slot + 1UL);
	s.word = xcalloc(s.nr, 8);
	for (uint32_t cpu = 0; cpu < h->nr_cpus; cpu++) {
		load_slots(&s, h->percpu_base + cpu * stride);
		for (size_t i = 0; i < nr; i++) {
			struct heap_cache *c = &caches[i];
			uint64_t word = c->slot < s.nr ? s.word[c->slot] : 0;

			if (c->slot == h->fields->SLOT_NONE || word == 0 ||
			    word == h->fields->WORD_DRAINING)
				continue;
			each_on_cpu(h, c, (int)cpu, s.area + word, fn, arg);
		}
	}
	free(s.word);
	for (size_t i = 0; i < nr; i++)
		each_in_depot(h, &caches[i], fn, arg);
}

struct rounds {
	round_fn fn;
	void *arg;
};

static void walk_magazine(struct heap *h, void *arg, struct heap_cache *c,
			  const struct magazine_at *m)
{
	struct rounds *r = arg;

	if (m->top)
		loaded_rounds(h, c, m, r->fn, r->arg);
	else
		counted_rounds(h, c, m, r->fn, r->arg);
}

void magazines_walk(struct heap *h, struct heap_cache *caches, size_t nr, round_fn fn, void *arg)
{
	struct rounds r = { fn, arg };

	magazines_each(h, caches, nr, walk_magazine, &r);
}

static void count_round(struct heap *h, void *arg, const struct magazine_round *r)
{
	(void)arg;
	if (!add_round(h, r->object))
		return;
	if (r->cpu < 0)
		r->cache->in_depot++;
	else
		r->cache->in_cpus++;
}

static int by_address(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static void sort_rounds(struct heap *h)
{
	size_t n = 0;

	if (!h->nr_rounds)
		return;
	qsort(h->rounds, h->nr_rounds, sizeof(*h->rounds), by_address);
	for (size_t i = 0; i < h->nr_rounds; i++)
		if (i == 0 || h->rounds[i] != h->rounds[n - 1])
			h->rounds[n++] = h->rounds[i];
	h->nr_rounds = n;
}

/* ---- finding a cache ------------------------------------------------------------------- */

static int by_struct(const void *a, const void *b)
{
	const struct heap_cache *x = *(struct heap_cache *const *)a;
	const struct heap_cache *y = *(struct heap_cache *const *)b;

	return x->addr < y->addr ? -1 : x->addr > y->addr;
}

static void index_caches(struct heap *h)
{
	h->by_addr = xcalloc(h->nr_caches, sizeof(struct heap_cache *));
	for (size_t i = 0; i < h->nr_caches; i++)
		h->by_addr[i] = &h->caches[i];
	qsort(h->by_addr, h->nr_caches, sizeof(struct heap_cache *), by_struct);
}

struct heap_cache *heap_cache_at(const struct heap *h, uint64_t addr)
{
	size_t low = 0, high = h->nr_caches;

	while (low < high) {
		size_t mid = (low + high) / 2;

		if (h->by_addr[mid]->addr == addr)
			return h->by_addr[mid];
		if (h->by_addr[mid]->addr < addr)
			low = mid + 1;
		else
			high = mid;
	}
	return NULL;
}

struct heap_cache *heap_cache_named(const struct heap *h, const char *name)
{
	for (size_t i = 0; i < h->nr_caches; i++) {
		if (!strcmp(h->caches[i].name, name))
			return &h->caches[i];
		for (size_t k = 0; k < h->caches[i].nr_aliases; k++)
			if (!strcmp(h->caches[i].aliases[k], name))
				return &h->caches[i];
	}
	return NULL;
}

void caches_read(struct heap *h)
{
	read_caches(h);
	index_caches(h);
	magazines_walk(h, h->caches, h->nr_caches, count_round, NULL);
	sort_rounds(h);
}

void caches_free(struct heap *h)
{
	drop_caches(h);
	free(h->rounds);
}

uint64_t cache_active(const struct heap_cache *c)
{
	uint64_t free = c->in_cpus + c->in_depot;

	return c->nr_inuse > free ? c->nr_inuse - free : 0;
}
