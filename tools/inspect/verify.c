// SPDX-License-Identifier: MIT
/*
 * verify.c - one pass over a heap, and what several passes agree on.
 *
 * A heap that changes is never consistent as a whole: a thread may hold what is
 * on no list, a counter may be read before the slab that it counts. What is
 * really broken stays so. So a live target is looked at up to PASSES times, each
 * time anew, and a finding counts when every pass has one of that kind at that
 * place. Most heaps need one pass; a busy one two or three.
 */
#include "verify.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "fields.h"

#define PASSES		8
#define PAUSE_NS	3000000L	/* between them, growing */

const struct verify_kind verify_kinds[] = {
	{ "alias-list", "a cache's list of other names" },
	{ "block-alignment", "a block of pages that does not lie on a multiple of its size" },
	{ "block-mark", "a page inside a block that has a mark of its own" },
	{ "block-tail", "a page of a slab or compound block that does not lead to its head" },
	{ "cache", "a cache whose sizes can't be" },
	{ "cache-list", "the list of caches" },
	{ "cache-name", "a cache's name" },
	{ "chunk-list", "the list of the library's own mappings" },
	{ "cpu-areas", "the per-CPU areas" },
	{ "depot-count", "how many magazines a depot has" },
	{ "depot-list", "the list of magazines in a depot" },
	{ "dirty-lru", "the list of free blocks with dirty pages" },
	{ "double-free", "an object that is free twice over" },
	{ "empty-count", "how many empty slabs a cache has" },
	{ "free-buddies", "two free blocks that should be one" },
	{ "free-list", "a list of free blocks" },
	{ "free-list-count", "how many free blocks of an order there are" },
	{ "free-mask", "which free lists are not empty" },
	{ "free-max", "the bits of the largest free blocks" },
	{ "hot-line", "the fast paths' copy of addresses" },
	{ "inuse-count", "how many objects of a cache are in use" },
	{ "magazine", "a magazine's own words" },
	{ "magazine-round", "something in a magazine that is no object of its cache" },
	{ "page-list", "something in a per-CPU page list that is no such block" },
	{ "page-migratetype", "a page's migrate type" },
	{ "page-not-dirty", "a page in use that counts as clean" },
	{ "page-type", "the page map has a hole: no block begins where one ends" },
	{ "page-zone", "a page's zone" },
	{ "pageblock-type", "the type of a pageblock" },
	{ "parked-count", "how many pages are parked" },
	{ "parked-list", "a list of parked runs" },
	{ "partial-count", "how many partial slabs a cache has" },
	{ "slab-bitmap", "a slab's bitmap against its count" },
	{ "slab-count", "how many slabs a cache has" },
	{ "slab-list", "a cache's lists of slabs" },
	{ "slab-order", "a slab's order" },
	{ "slot-map", "the map from pages to kmalloc's caches" },
	{ "stock", "a CPU's stock of freed runs" },
	{ "zone", "a zone's limits and maps" },
	{ "zone-count", "how many pages of a zone are free, or dirty" },
	{ "zone-table", "the table of zones" },
	{ NULL, NULL }
};

void verify_left_out(struct verify *v, const char *what)
{
	struct verify_result *r = v->r;

	for (size_t i = 0; i < r->nr_left_out; i++)
		if (!strcmp(r->left_out[i], what))
			return;
	r->left_out = grow(r->left_out, r->nr_left_out, sizeof(*r->left_out));
	r->left_out[r->nr_left_out++] = xstrdup(what);
}

/* ---- zones ---------------------------------------------------------------------- */

struct sparse {
	struct heap *h;
	uint64_t origin;
	char *to;
};

static void read_part(void *arg, uint64_t start, uint64_t end)
{
	struct sparse *s = arg;

	if (!source_read(s->h->src, start, s->to + (start - s->origin), end - start))
		s->h->torn++;
}

void verify_read_sparse(struct heap *h, uint64_t addr, void *buf, uint64_t len)
{
	struct sparse s = { h, addr, buf };

	memset(buf, 0, len);
	if (!h->src->ops->resident(h->src, addr, addr + len, read_part, &s))
		read_part(&s, addr, addr + len);
}

/* NULL: the library does not describe it. */
static void *read_map(struct verify *v, uint64_t addr, uint64_t bytes, const char *what)
{
	void *map;

	if (!addr) {
		verify_left_out(v, what);
		return NULL;
	}
	map = xcalloc(1, bytes + 8);
	verify_read_sparse(v->h, addr, map, bytes);
	return map;
}

static void verify_zone(struct verify *v, const struct heap_zone *z)
{
	const struct heap_fields *f = v->h->fields;
	uint32_t max = v->h->nr_orders - 1;
	struct zone_counts c = { 0 };
	struct zone_maps m = {
		.dirty = read_map(v, z->dirty, z->nr_present / 8, "dirty bits"),
		.slotmap = read_map(v, z->slotmap, z->nr_present, "slot map"),
		.pageblock_type = read_map(v, z->pageblock_type,
					   z->nr_present >> f->PAGEBLOCK_ORDER, "pageblocks"),
		.free_max = read_map(v, z->free_max, ((z->nr_present >> max) + 7) / 8,
				     "largest free blocks"),
	};

	v->r->zones++;
	if (z->nr_present & ((1UL << max) - 1))
		DAMAGE(v, "zone", z->addr, "zone %u ends in the middle of a block: at page %"
		       PRIu64, z->index, z->nr_present);
	verify_pages(v, z, &m, &c);
	verify_lists(v, z, &c);
	if (f->zone_nr_free.size && z->nr_free != c.free)
		DAMAGE(v, "zone-count", z->addr, "zone %u counts %" PRIu64 " free pages, and "
		       "has %" PRIu64, z->index, z->nr_free, c.free);
	if (f->zone_nr_dirty_free.size && m.dirty && z->nr_dirty_free != c.dirty_free)
		DAMAGE(v, "zone-count", z->addr, "zone %u counts %" PRIu64 " dirty free "
		       "pages, and has %" PRIu64, z->index, z->nr_dirty_free, c.dirty_free);
	free(m.dirty);
	free(m.slotmap);
	free(m.pageblock_type);
	free(m.free_max);
}

/* ---- the rest ---------------------------------------------------------------------- */

static void verify_hot(struct verify *v)
{
	const struct heap_fields *f = v->h->fields;
	const struct heap_zone *z = v->h->nr_zones ? &v->h->zones[0] : NULL;
	uint64_t addr = layout_symbol(v->h->image->layout, "kmem_hot");
	char hot[STRUCT_MAX];
	uint64_t pages;

	if (!addr || !f->sizeof_kmem_hot || !f->kmem_hot_heap_base.size ||
	    !source_read(v->h->src, addr, hot, f->sizeof_kmem_hot)) {
		verify_left_out(v, "fast paths' addresses");
		return;
	}
	if (!z || z->index || v->h->mode == HEAP_UNUSED)
		return;
	/* Several nodes share the first reservation, and it then counts whole. */
	pages = v->h->nr_nodes == 1 ? z->nr_present : z->nr_pages * v->h->nr_nodes;
	if (VALUE(f, hot, kmem_hot_heap_base) != z->base ||
	    (f->kmem_hot_heap_pages.size && VALUE(f, hot, kmem_hot_heap_pages) < pages) ||
	    (z->slotmap && VALUE(f, hot, kmem_hot_slotmap) != z->slotmap))
		DAMAGE(v, "hot-line", addr, "kmem_hot and zone 0 disagree: heap 0x%" PRIx64
		       " and 0x%" PRIx64 ", %" PRIu64 " and %" PRIu64 " pages",
		       VALUE(f, hot, kmem_hot_heap_base), z->base,
		       VALUE(f, hot, kmem_hot_heap_pages), z->nr_present);
}

/* What was seen while the heap was read. */
static void take_over(struct verify *v)
{
	for (size_t i = 0; i < v->h->damage.nr; i++) {
		const struct finding *f = &v->h->damage.list[i];

		finding_add(&v->r->findings, f->kind, f->addr, "%s", f->text);
	}
}

static void one_pass(struct heap *h, struct verify_result *r)
{
	struct verify v = { .h = h, .r = r };
	uint64_t order = layout_symbol(h->image->layout, "host_page_order");

	if (order)
		source_read(h->src, order, &v.host_page_order, sizeof(v.host_page_order));
	v.count = xcalloc(h->nr_caches, sizeof(*v.count));
	r->zones = r->blocks = r->slabs = r->objects = r->magazines = 0;
	take_over(&v);
	verify_hot(&v);
	verify_magazines(&v);
	for (size_t i = 0; i < h->nr_zones; i++)
		verify_zone(&v, &h->zones[i]);
	verify_rounds_left(&v);
	verify_caches(&v);
	verify_page_magazines(&v);
	verify_stock(&v);
	free(v.round);
	free(v.met);
	free(v.count);
}

/* ---- passes ---------------------------------------------------------------------- */

/*
 * Whether it was found before, with the same numbers: those of a busy heap, read one after
 * the other, hardly ever fit each other, and never twice alike.
 */
static bool has(const struct findings *f, const struct finding *one)
{
	for (size_t i = 0; i < f->nr; i++)
		if (f->list[i].addr == one->addr && !strcmp(f->list[i].kind, one->kind) &&
		    !strcmp(f->list[i].text, one->text))
			return true;
	return false;
}

/* Drops from @now what @before does not have, too. Returns how many were dropped. */
static unsigned int keep_common(struct findings *now, const struct findings *before)
{
	size_t to = 0;
	unsigned int dropped = 0;

	for (size_t i = 0; i < now->nr; i++) {
		if (has(before, &now->list[i])) {
			now->list[to++] = now->list[i];
		} else {
			free(now->list[i].text);
			dropped++;
		}
	}
	now->nr = to;
	if (dropped || now->total < before->total)
		now->total = to;
	return dropped;
}

void verify_heap(struct heap **h, struct verify_result *r)
{
	*r = (struct verify_result){ .passes = 1 };
	one_pass(*h, r);
	while ((*h)->src->live && r->findings.nr && r->passes < PASSES) {
		struct timespec pause = { 0, PAUSE_NS * r->passes };
		struct findings before = r->findings;

		nanosleep(&pause, NULL);
		if (!heap_read_again(h))
			return;
		r->findings = (struct findings){ 0 };
		one_pass(*h, r);
		keep_common(&r->findings, &before);
		r->unstable += (unsigned int)(before.nr - min_u64(before.nr, r->findings.nr));
		findings_free(&before);
		r->passes++;
	}
}

void verify_free(struct verify_result *r)
{
	for (size_t i = 0; i < r->nr_left_out; i++)
		free(r->left_out[i]);
	free(r->left_out);
	findings_free(&r->findings);
}
