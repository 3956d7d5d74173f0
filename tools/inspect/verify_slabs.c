// SPDX-License-Identifier: MIT
/*
 * verify_slabs.c - slabs: a slab's bitmap against its count, its cache's counts
 * against all its slabs, the cache's lists against both.
 */
#include "verify.h"

#include <inttypes.h>

#include "pages.h"

/* ---- one slab ---------------------------------------------------------------------- */

/* Free objects by the bitmap; bits that are no object's are damage. */
static unsigned int count_free(struct verify *v, const struct heap_block *b)
{
	unsigned int bits = (unsigned int)b->nr_pages * BITMAP_BITS, n = 0;

	for (unsigned int i = 0; i < b->cache->objects; i++)
		n += slab_object_free(v->h, b, i);
	for (unsigned int i = b->cache->objects; i < bits; i++)
		if (slab_object_free(v->h, b, i)) {
			DAMAGE(v, "slab-bitmap", b->addr, "%s: slab at page %" PRIu64
			       " has a free bit for object %u of %u", b->cache->name, b->zpn, i,
			       b->cache->objects);
			break;
		}
	return n;
}

/* What magazines hold of this slab. */
static void check_rounds(struct verify *v, const struct heap_block *b)
{
	uint64_t end = b->addr + (b->nr_pages << v->h->page_shift);

	for (size_t i = verify_first_round(v, b->addr);
	     i < v->nr_rounds && v->round[i].object < end; i++) {
		const struct magazine_round *r = &v->round[i];
		uint64_t index = (r->object - b->addr) / b->cache->size;

		v->met[i] = true;
		if (r->cache != b->cache)
			DAMAGE(v, "magazine-round", r->at, "0x%" PRIx64 " lies in a magazine "
			       "of %s, and is an object of %s", r->object, r->cache->name,
			       b->cache->name);
		else if ((r->object - b->addr) % b->cache->size || index >= b->cache->objects)
			DAMAGE(v, "magazine-round", r->at, "0x%" PRIx64 " lies in a magazine "
			       "of %s, and is not the start of an object", r->object,
			       r->cache->name);
		else if (slab_object_free(v->h, b, (unsigned int)index))
			DAMAGE(v, "double-free", r->at, "0x%" PRIx64 " of %s lies in a "
			       "magazine, and is free in its slab", r->object, r->cache->name);
	}
}

void verify_slab(struct verify *v, struct page_window *w, const struct heap_block *b)
{
	const struct heap_fields *f = v->h->fields;
	struct slab_counts *c = &v->count[b->cache - v->h->caches];
	uint64_t inuse = VALUE(f, b->pages, page_inuse), free = count_free(v, b);

	(void)w;
	v->r->slabs++;
	v->r->objects += b->cache->objects;
	c->slabs++;
	c->inuse += inuse;
	c->empty += inuse == 0;
	c->partial += inuse && inuse < b->cache->objects;
	if (free + inuse != b->cache->objects)
		DAMAGE(v, "slab-bitmap", b->addr, "%s: slab at page %" PRIu64 " has %" PRIu64
		       " free bits and counts %" PRIu64 " of %u objects in use", b->cache->name,
		       b->zpn, free, inuse, b->cache->objects);
	if (VALUE(f, b->pages, page_order) != b->cache->order)
		DAMAGE(v, "slab-order", b->addr, "%s: slab at page %" PRIu64 " has order %"
		       PRIu64 ", not %u", b->cache->name, b->zpn,
		       VALUE(f, b->pages, page_order), b->cache->order);
	check_rounds(v, b);
}

/* ---- lists ---------------------------------------------------------------------- */

static bool is_struct_page(const struct heap *h, uint64_t addr)
{
	uint32_t size = h->fields->sizeof_page;

	for (size_t i = 0; i < h->nr_zones; i++) {
		uint64_t at = addr - h->zones[i].memmap;

		if (at / size < h->zones[i].nr_present)
			return at % size == 0;
	}
	return false;
}

static void check_entry(struct verify *v, const struct heap_cache *c, const char *page,
			uint64_t addr, int bin)
{
	const struct heap_fields *f = v->h->fields;
	uint64_t inuse = VALUE(f, page, page_inuse);
	int belongs = inuse == 0 ? -1 : (int)(inuse * c->bin_reciprocal >> 16);

	if (VALUE(f, page, page_type) != f->PT_SLAB || VALUE(f, page, page_slab_cache) != c->addr)
		DAMAGE(v, "slab-list", addr, "%s: struct page 0x%" PRIx64 " on its list of %s "
		       "slabs is none of its slabs", c->name, addr, bin < 0 ? "empty" :
		       "partial");
	else if (inuse >= c->objects || (f->kmem_cache_bin_reciprocal.size && belongs != bin))
		DAMAGE(v, "slab-list", addr, "%s: a slab with %" PRIu64 " of %u objects in "
		       "use is on the list of %s slabs", c->name, inuse, c->objects, bin < 0 ?
		       "empty" : "differently used");
}

/* @bin -1: the empty slabs. Returns how many are on it. */
static uint64_t walk_slabs(struct verify *v, const struct heap_cache *c, uint64_t head, int bin,
			   uint64_t max)
{
	const struct heap_fields *f = v->h->fields;
	uint64_t at = head, next, nr = 0;
	char link[64], page[STRUCT_MAX];

	if (!source_read(v->h->src, head, link, f->sizeof_list_head))
		return 0;
	for (next = VALUE(f, link, list_head_next); next != head; nr++) {
		uint64_t addr = next - f->page_slab_list.offset;

		if (nr > max || !is_struct_page(v->h, addr) ||
		    !source_read(v->h->src, addr, page, f->sizeof_page)) {
			DAMAGE(v, "slab-list", head, "%s: its list of %s slabs leads astray "
			       "behind %" PRIu64 " entries", c->name, bin < 0 ? "empty" :
			       "partial", nr);
			return nr;
		}
		memcpy(link, page + f->page_slab_list.offset, f->sizeof_list_head);
		if (VALUE(f, link, list_head_prev) != at)
			DAMAGE(v, "slab-list", addr, "%s: a slab on its lists does not point "
			       "back", c->name);
		check_entry(v, c, page, addr, bin);
		at = next;
		next = VALUE(f, link, list_head_next);
	}
	return nr;
}

/* Where the lists of the slabs on a node are, see struct kmem_cache_node. */
static uint64_t lists_of_node(const struct heap *h, const struct heap_cache *c, uint32_t i)
{
	const struct heap_fields *f = h->fields;
	uint64_t node = c->addr + f->kmem_cache_node.offset;
	char far[sizeof(uint64_t)];

	if (i == 0)
		return node + f->kmem_cache_node_lists.offset;
	if (!source_read(h->src, node + f->kmem_cache_node_far.offset, far, sizeof(far)))
		return 0;
	return value(far, (struct field){ 0, sizeof(far) }) + (i - 1) * f->sizeof_slab_lists;
}

static void check_lists(struct verify *v, const struct heap_cache *c,
			const struct slab_counts *count)
{
	const struct heap_fields *f = v->h->fields;
	uint64_t partial = 0, empty = 0;

	for (uint32_t i = 0; i < v->h->nr_nodes; i++) {
		uint64_t lists = lists_of_node(v->h, c, i);

		for (uint64_t bin = 0; bin < f->SLAB_BINS; bin++)
			partial += walk_slabs(v, c, lists + f->slab_lists_partial.offset +
					      bin * f->sizeof_list_head, (int)bin, count->slabs);
		empty += walk_slabs(v, c, lists + f->slab_lists_empty.offset, -1, count->slabs);
	}
	if (partial != count->partial)
		DAMAGE(v, "slab-list", c->addr, "%s: %" PRIu64 " slabs are on its partial "
		       "lists, and %" PRIu64 " are partial", c->name, partial, count->partial);
	if (empty != count->empty)
		DAMAGE(v, "slab-list", c->addr, "%s: %" PRIu64 " slabs are on its list of "
		       "empty ones, and %" PRIu64 " are empty", c->name, empty, count->empty);
}

/* ---- counts ---------------------------------------------------------------------- */

static void check_count(struct verify *v, const struct heap_cache *c, const char *kind,
			const char *what, uint64_t is, uint64_t should)
{
	if (is != should)
		DAMAGE(v, kind, c->addr, "%s: it counts %" PRIu64 " %s, and has %" PRIu64,
		       c->name, is, what, should);
}

void verify_caches(struct verify *v)
{
	const struct heap_fields *f = v->h->fields;
	bool lists = f->kmem_cache_node_lists.size && f->slab_lists_partial.size &&
		     f->page_slab_list.size && f->SLAB_BINS;

	for (size_t i = 0; i < v->h->nr_caches; i++) {
		const struct heap_cache *c = &v->h->caches[i];
		const struct slab_counts *n = &v->count[i];

		if (c->name[0] == '\0')
			DAMAGE(v, "cache-name", c->addr, "a cache has no name that can be read");
		check_count(v, c, "slab-count", "slabs", c->nr_slabs, n->slabs);
		check_count(v, c, "inuse-count", "objects in use", c->nr_inuse, n->inuse);
		if (f->kmem_cache_node_nr_partial.size)
			check_count(v, c, "partial-count", "partial slabs", c->nr_partial,
				    n->partial);
		if (f->kmem_cache_node_nr_empty.size)
			check_count(v, c, "empty-count", "empty slabs", c->nr_empty, n->empty);
		if (lists)
			check_lists(v, c, n);
	}
	if (!lists)
		verify_left_out(v, "lists of slabs");
}
