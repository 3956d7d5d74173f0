// SPDX-License-Identifier: MIT
/* whatis.c - names an address: an object, a page, metadata, or what it is outside the heap. */
#include "whatis.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>

#include "scan.h"

static void __attribute__((format(printf, 4, 5)))
fact(struct whatis *w, const char *key, bool number, const char *fmt, ...)
{
	va_list ap;
	char *text;

	if (w->nr_facts == MAX_FACTS)
		return;
	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) < 0)
		text = NULL;
	va_end(ap);
	if (text)
		w->fact[w->nr_facts++] = (struct fact){ key, text, number };
}

#define NUMBER(w, key, n)	fact(w, key, true, "%" PRIu64, (uint64_t)(n))
#define ADDRESS(w, key, a)	fact(w, key, false, "0x%" PRIx64, (uint64_t)(a))

/* ---- objects and pages --------------------------------------------------------------- */

struct search {
	uint64_t object;
	struct magazine_round found;
	unsigned int times;
};

static void match_round(struct heap *h, void *arg, const struct magazine_round *r)
{
	struct search *s = arg;

	(void)h;
	if (r->object == s->object && !s->times++)
		s->found = *r;
}

static void tell_magazine(struct heap *h, struct whatis *w, uint64_t object)
{
	struct search s = { .object = object };

	magazines_walk(h, h->caches, h->nr_caches, match_round, &s);
	if (!s.times)
		return;
	if (s.found.cpu < 0)
		fact(w, "magazine", false, "in the depot, entry at 0x%" PRIx64, s.found.at);
	else
		fact(w, "magazine", false, "%s on CPU %d, entry at 0x%" PRIx64,
		     s.found.spare ? "the spare" : "loaded", s.found.cpu,
		     s.found.at);
	if (s.times > 1)
		fact(w, "damage", false, "it is in magazines %u times: freed twice", s.times);
}

static void tell_slab(struct heap *h, const struct heap_block *b, uint64_t addr, struct whatis *w)
{
	static const char *const states[] = {
		[OBJECT_LIVE] = "allocated", [OBJECT_IN_MAGAZINE] = "free, in a magazine",
		[OBJECT_FREE] = "free, in its slab",
	};
	const struct heap_cache *c = b->cache;
	uint64_t index = (addr - b->addr) / c->size;
	enum object_state state;

	fact(w, "cache", false, "%s", c->name);
	ADDRESS(w, "slab", b->addr);
	NUMBER(w, "slab_objects", c->objects);
	NUMBER(w, "slab_inuse", VALUE(h->fields, b->pages, page_inuse));
	if (index >= c->objects) {
		w->what = xasprintf("end of a slab of %s, behind its last object", c->name);
		return;
	}
	state = slab_object_state(h, b, (unsigned int)index);
	w->start = b->addr + index * c->size;
	w->end = w->start + c->size;
	w->live = state == OBJECT_LIVE;
	w->what = xasprintf("object of %s, %s, + %" PRIu64, c->name, states[state],
			    addr - w->start);
	ADDRESS(w, "object", w->start);
	NUMBER(w, "offset", addr - w->start);
	NUMBER(w, "index", index);
	NUMBER(w, "object_size", c->object_size);
	fact(w, "state", false, "%s", states[state]);
	if (addr - w->start >= c->object_size)
		fact(w, "note", false, "behind the object's %u bytes, in its rounding",
		     c->object_size);
	if (state == OBJECT_IN_MAGAZINE)
		tell_magazine(h, w, w->start);
	if (w->live)
		fact(w, "allocated_by", false, "not recorded: this library tracks no call sites");
}

static void tell_block(struct heap *h, const struct heap_block *b, uint64_t addr,
		       struct whatis *w)
{
	uint64_t bytes = b->nr_pages << h->page_shift;

	w->what = xasprintf("%s, + %" PRIu64, block_kind_name(b->kind), addr - b->addr);
	w->start = b->addr;
	w->end = b->addr + bytes;
	w->live = b->kind == BLOCK_LARGE || b->kind == BLOCK_PAGES;
	ADDRESS(w, "block", b->addr);
	NUMBER(w, "offset", addr - b->addr);
	NUMBER(w, "pages", b->nr_pages);
	if (b->kind == BLOCK_LARGE) {
		NUMBER(w, "requested", b->requested);
		w->end = b->addr + b->requested;
		if (addr >= w->end)
			fact(w, "note", false, "behind the bytes that were asked for");
	} else if (b->kind != BLOCK_PARKED && b->kind != BLOCK_STOCK) {
		NUMBER(w, "order", b->order);
	}
	fact(w, "state", false, "%s", w->live ? "allocated" : "free");
}

static void tell_page(struct heap *h, const struct heap_zone *z, uint64_t addr, struct whatis *w)
{
	uint64_t zpn = (addr - z->base) >> h->page_shift;
	struct page_window window;
	struct heap_block b;

	page_window_open(&window, h, z);
	window.span = 16;
	block_find(&window, zpn, &b);
	if (b.kind == BLOCK_SLAB)
		tell_slab(h, &b, addr, w);
	else if (b.kind != BLOCK_NONE)
		tell_block(h, &b, addr, w);
	else
		w->what = xstrdup("page of the heap that is in no block");
	NUMBER(w, "zone_page", zpn);
	ADDRESS(w, "struct_page", z->memmap + zpn * h->fields->sizeof_page);
	page_window_close(&window);
}

/* ---- metadata --------------------------------------------------------------------------- */

static void tell_memmap(struct heap *h, const struct heap_zone *z, uint64_t addr,
			struct whatis *w)
{
	uint64_t zpn = (addr - z->memmap) / h->fields->sizeof_page;

	w->what = xasprintf("struct page of page %" PRIu64 " of zone %u", zpn, z->index);
	ADDRESS(w, "page", z->base + (zpn << h->page_shift));
	NUMBER(w, "offset", (addr - z->memmap) % h->fields->sizeof_page);
}

/* The reservation of a zone: its heap and its maps. */
static bool tell_zone(struct heap *h, const struct heap_zone *z, uint64_t addr, struct whatis *w)
{
	const struct {
		const char *name;
		uint64_t start, bytes;
	} map[] = {
		{ "slot map", z->slotmap, z->nr_pages },
		{ "dirty bits", z->dirty, z->nr_pages / 8 },
		{ "types of pageblocks", z->pageblock_type,
		  z->nr_pages >> h->fields->PAGEBLOCK_ORDER },
		{ "bits of the largest free blocks", z->free_max,
		  z->nr_pages >> (h->nr_orders - 1) >> 3 },
	};

	if ((addr - z->base) >> h->page_shift < z->nr_present) {
		tell_page(h, z, addr, w);
		return true;
	}
	if (addr - z->base < z->nr_pages << h->page_shift) {
		w->what = xasprintf("reserved for the heap, not used yet (zone %u)", z->index);
		return true;
	}
	if (addr - z->memmap < z->nr_pages * h->fields->sizeof_page) {
		tell_memmap(h, z, addr, w);
		return true;
	}
	for (size_t i = 0; i < ARRAY_SIZE(map); i++) {
		if (!map[i].start || addr - map[i].start >= map[i].bytes)
			continue;
		w->what = xasprintf("%s of zone %u, + %" PRIu64, map[i].name, z->index,
				    addr - map[i].start);
		return true;
	}
	return false;
}

static bool tell_percpu(struct heap *h, uint64_t addr, struct whatis *w)
{
	uint64_t cpu, slot;

	if (!h->nr_cpus || addr < h->percpu_base || addr >= h->zeros_end)
		return false;
	if (addr >= h->percpu_end) {
		w->what = xasprintf("per-CPU area of zeros, which nobody writes to");
		return true;
	}
	cpu = (addr - h->percpu_base) >> h->percpu_shift;
	slot = ((addr - h->percpu_base) & ((1UL << h->percpu_shift) - 1)) / 8;
	w->what = xasprintf("per-CPU area of CPU %" PRIu64 ", slot %" PRIu64, cpu, slot);
	for (size_t i = 0; i < h->nr_caches; i++)
		if (h->caches[i].slot == slot && slot != h->fields->SLOT_NONE)
			fact(w, "cache", false, "%s", h->caches[i].name);
	return true;
}

static bool tell_library(struct heap *h, uint64_t addr, struct whatis *w)
{
	for (size_t i = 0; i < h->nr_caches; i++) {
		const struct heap_cache *c = &h->caches[i];

		if (addr - c->addr >= h->fields->sizeof_kmem_cache)
			continue;
		w->what = xasprintf("struct kmem_cache of %s, + %" PRIu64, c->name,
				    addr - c->addr);
		return true;
	}
	for (size_t i = 0; i < h->nr_chunks; i++)
		if (addr >= h->chunks[i].start && addr < h->chunks[i].end) {
			w->what = xstrdup("the library's own memory: magazines, caches, names");
			return true;
		}
	for (size_t i = 0; i < h->image->nr_data; i++)
		if (addr >= h->image->data[i].start && addr < h->image->data[i].end) {
			w->what = xstrdup("the library's data");
			return true;
		}
	return false;
}

void whatis(struct heap *h, uint64_t addr, struct whatis *w)
{
	*w = (struct whatis){ 0 };
	for (size_t i = 0; i < h->nr_zones && !w->what; i++)
		tell_zone(h, &h->zones[i], addr, w);
	if (w->what || tell_percpu(h, addr, w) || tell_library(h, addr, w)) {
		w->in_heap = true;
		return;
	}
	w->what = describe_address(h->src, addr);
}

void whatis_free(struct whatis *w)
{
	for (size_t i = 0; i < w->nr_facts; i++)
		free(w->fact[i].value);
	free(w->what);
}
