// SPDX-License-Identifier: MIT
/*
 * verify_pages.c - the page map of a zone: from head to head its blocks tile the
 * zone, and each page says what its block says.
 */
#include "verify.h"

#include <inttypes.h>

#include "pages.h"

struct pass {
	struct verify *v;
	const struct heap_zone *z;
	const struct zone_maps *m;
	struct zone_counts *c;
	uint64_t run;		/* pages in no block: the first; each run is one finding */
	uint64_t run_length;
};

static uint64_t dirty_pages(const struct pass *p, uint64_t zpn, uint64_t nr)
{
	uint64_t n = 0;

	for (uint64_t end = zpn + nr; p->m->dirty && zpn < end; zpn++) {
		if (zpn % 64 == 0 && end - zpn >= 64) {
			n += (uint64_t)__builtin_popcountl(p->m->dirty[zpn / 64]);
			zpn += 63;
			continue;
		}
		n += verify_bit(p->m->dirty, zpn);
	}
	return n;
}

/* The page that a block's buddy would begin with is free and as large: they should be one. */
static void check_buddy(struct pass *p, struct page_window *w, const struct heap_block *b)
{
	const struct heap_fields *f = w->heap->fields;
	uint64_t buddy = b->zpn ^ 1UL << b->order;
	const char *page;

	if (b->order + 1 >= w->heap->nr_orders || buddy >= p->z->nr_present)
		return;
	page = page_window_get(w, buddy, 1);
	if (VALUE(f, page, page_type) == f->PT_BUDDY && VALUE(f, page, page_order) == b->order)
		DAMAGE(p->v, "free-buddies", b->addr,
		       "two free blocks of order %u side by side at page %" PRIu64, b->order,
		       b->zpn);
}

static void check_free(struct pass *p, struct page_window *w, const struct heap_block *b)
{
	const struct heap_fields *f = w->heap->fields;
	uint64_t dirty = dirty_pages(p, b->zpn, b->nr_pages);
	uint64_t lru = p->z->memmap + b->zpn * f->sizeof_page + f->page_lru.offset;
	uint64_t lru_next = 0;
	bool on_lru;

	p->c->blocks[b->order]++;
	p->c->free += b->nr_pages;
	p->c->dirty_free += dirty;
	if (f->page_lru.size) {
		memcpy(&lru_next, b->pages + f->page_lru.offset, 8);
		on_lru = lru_next != lru;
		p->c->lru_blocks += on_lru;
		if (p->m->dirty && on_lru != (dirty && b->order >= p->v->host_page_order))
			DAMAGE(p->v, "dirty-lru", b->addr, "free block at page %" PRIu64
			       " is %s the list of dirty blocks, with %" PRIu64 " dirty pages",
			       b->zpn, on_lru ? "on" : "not on", dirty);
	}
	check_buddy(p, w, b);
}

static void check_head(struct pass *p, struct page_window *w, const struct heap_block *b)
{
	const struct heap_fields *f = w->heap->fields;

	if (f->page_zone.size && VALUE(f, b->pages, page_zone) != p->z->index)
		DAMAGE(p->v, "page-zone", b->addr, "page %" PRIu64 " says that it is of zone %"
		       PRIu64, b->zpn, VALUE(f, b->pages, page_zone));
	if (f->MIGRATE_TYPES && b->migratetype >= f->MIGRATE_TYPES)
		DAMAGE(p->v, "page-migratetype", b->addr, "page %" PRIu64 " has migrate type %u",
		       b->zpn, b->migratetype);
	if (b->kind != BLOCK_LARGE && b->kind != BLOCK_PARKED && b->kind != BLOCK_STOCK &&
	    b->zpn & (b->nr_pages - 1))
		DAMAGE(p->v, "block-alignment", b->addr, "%s of %" PRIu64 " pages at page %" PRIu64,
		       block_kind_name(b->kind), b->nr_pages, b->zpn);
	if (b->kind != BLOCK_FREE && b->kind != BLOCK_ISOLATED && p->m->dirty &&
	    dirty_pages(p, b->zpn, b->nr_pages) != b->nr_pages)
		DAMAGE(p->v, "page-not-dirty", b->addr, "pages of a %s at page %" PRIu64
		       " count as clean", block_kind_name(b->kind), b->zpn);
}

/* What the other pages of the block say; the first that is wrong stands for all. */
static void check_inside(struct pass *p, struct page_window *w, const struct heap_block *b,
			 bool tails)
{
	const struct heap_fields *f = w->heap->fields;

	for (uint64_t i = 1; i < b->nr_pages; i++) {
		const char *page = page_window_get(w, b->zpn + i, 1);
		uint64_t type = VALUE(f, page, page_type);

		if (!tails && type != f->PT_NONE) {
			DAMAGE(p->v, "block-mark", b->addr, "page %" PRIu64 " inside a %s of %"
			       PRIu64 " pages has a mark of its own (%" PRIu64 ")", b->zpn + i,
			       block_kind_name(b->kind), b->nr_pages, type);
			return;
		}
		if (tails && (type != f->PT_TAIL || (f->page_head_distance.size &&
						     VALUE(f, page, page_head_distance) != i))) {
			DAMAGE(p->v, "block-tail", b->addr, "page %" PRIu64 " of a %s does "
			       "not lead to its head at page %" PRIu64, b->zpn + i,
			       block_kind_name(b->kind), b->zpn);
			return;
		}
	}
}

/* The slot map says just for slabs of kmalloc caches which. */
static void check_slotmap(struct pass *p, const struct heap_block *b, uint8_t expect)
{
	for (uint64_t i = 0; p->m->slotmap && i < b->nr_pages; i++) {
		uint8_t is = p->m->slotmap[b->zpn + i];

		if (is == expect)
			continue;
		DAMAGE(p->v, "slot-map", b->addr, "the slot map says %u for page %" PRIu64
		       " of a %s, not %u", is, b->zpn + i, block_kind_name(b->kind), expect);
		return;
	}
}

static void end_run(struct pass *p)
{
	if (p->run_length)
		DAMAGE(p->v, "page-type", p->z->base + (p->run << p->v->h->page_shift),
		       "no block begins at page %" PRIu64 ", where the last one ends (%" PRIu64
		       " pages)", p->run, p->run_length);
	p->run_length = 0;
}

static void check_block(void *arg, struct page_window *w, const struct heap_block *b)
{
	struct pass *p = arg;
	const struct heap_fields *f = w->heap->fields;
	struct heap_block block = *b;
	char head[STRUCT_MAX];
	uint8_t slot = 0;

	if (b->kind == BLOCK_NONE) {
		if (!p->run_length++)
			p->run = b->zpn;
		return;
	}
	end_run(p);
	p->v->r->blocks++;
	if (b->kind == BLOCK_SLAB) {
		verify_slab(p->v, w, b);
		slot = b->cache->slotmap_byte;
	}
	/* The window moves on while the block is looked at. */
	memcpy(head, page_window_get(w, b->zpn, 1), f->sizeof_page);
	block.pages = head;
	check_head(p, w, &block);
	if (b->kind == BLOCK_FREE)
		check_free(p, w, &block);
	else if (b->kind == BLOCK_PARKED)
		p->c->parked += b->nr_pages;
	if (f->kmem_cache_slotmap_byte.size && b->kind != BLOCK_PCP)
		check_slotmap(p, &block, slot);
	/* A slab that is being made or given back is PT_PCP, its marks its owner's. */
	if (b->kind != BLOCK_PCP)
		check_inside(p, w, &block, b->kind == BLOCK_SLAB || b->kind == BLOCK_RCU ||
			     VALUE(f, head, page_type) == f->PT_COMP);
}

static void check_largest(struct pass *p, struct page_window *w)
{
	const struct heap_fields *f = w->heap->fields;
	uint32_t max = w->heap->nr_orders - 1;

	for (uint64_t i = 0; p->m->free_max && i < p->z->nr_present >> max; i++) {
		const char *page = page_window_get(w, i << max, 1);
		bool free = VALUE(f, page, page_type) == f->PT_BUDDY &&
			    VALUE(f, page, page_order) == max;

		if (verify_bit(p->m->free_max, i) != free)
			DAMAGE(p->v, "free-max", p->z->base + (i << max << w->heap->page_shift),
			       "the bit for a largest free block at page %" PRIu64 " says %d",
			       i << max, !free);
	}
	for (uint64_t i = 0; p->m->pageblock_type && f->MIGRATE_TYPES &&
	     i < p->z->nr_present >> f->PAGEBLOCK_ORDER; i++)
		if (p->m->pageblock_type[i] >= f->MIGRATE_TYPES)
			DAMAGE(p->v, "pageblock-type", p->z->pageblock_type + i,
			       "pageblock %" PRIu64 " has type %u", i, p->m->pageblock_type[i]);
}

void verify_pages(struct verify *v, const struct heap_zone *z, const struct zone_maps *m,
		  struct zone_counts *c)
{
	struct pass p = { .v = v, .z = z, .m = m, .c = c };
	struct page_window w;

	if (!v->h->fields->kmem_cache_slotmap_byte.size)
		verify_left_out(v, "slot map");
	if (!v->h->fields->page_zone.size || !v->h->fields->page_migratetype.size)
		verify_left_out(v, "zones and migrate types of pages");
	page_window_open(&w, v->h, z);
	blocks_walk(&w, check_block, &p);
	end_run(&p);
	check_largest(&p, &w);
	page_window_close(&w);
}
