// SPDX-License-Identifier: MIT
/*
 * verify_lists.c - the lists of a zone's free blocks: each entry is what the list
 * says of it, links lead back, and the counts are those of the map.
 */
#include "verify.h"

#include <inttypes.h>

#include "fields.h"

/* A list of struct pages, and what its entries are to be. */
struct page_list {
	struct verify *v;
	const struct heap_zone *z;
	const char *kind;		/* of findings */
	char name[48];
	uint64_t head;			/* address of the list_head */
	struct field link;		/* in struct page */
	uint64_t type;			/* of every page */
	uint64_t max;			/* entries */
	/* What more to look at. False: said. */
	bool (*check)(struct page_list *l, const char *page, uint64_t zpn);
	uint64_t arg[2];
	uint64_t pages;			/* counted by check */
};

/* The page that an entry at @entry is in. */
static bool entry_page(const struct page_list *l, uint64_t entry, uint64_t *zpn)
{
	uint64_t at = entry - l->link.offset - l->z->memmap;
	uint32_t size = l->v->h->fields->sizeof_page;

	*zpn = at / size;
	return at % size == 0 && *zpn < l->z->nr_present;
}

/* Returns how many entries there are; up to where it breaks. */
static uint64_t walk(struct page_list *l)
{
	const struct heap_fields *f = l->v->h->fields;
	uint64_t at = l->head, next, nr = 0, zpn = 0;
	char link[64], page[STRUCT_MAX];

	if (!source_read(l->v->h->src, l->head, link, f->sizeof_list_head))
		return 0;
	for (next = VALUE(f, link, list_head_next); next != l->head; nr++) {
		if (nr > l->max || !entry_page(l, next, &zpn) ||
		    !source_read(l->v->h->src, next - l->link.offset, page, f->sizeof_page)) {
			DAMAGE(l->v, l->kind, l->head, "%s leads astray behind %" PRIu64
			       " entries, to 0x%" PRIx64, l->name, nr, next);
			return nr;
		}
		memcpy(link, page + l->link.offset, f->sizeof_list_head);
		if (VALUE(f, link, list_head_prev) != at)
			DAMAGE(l->v, l->kind, next, "%s: the entry of page %" PRIu64
			       " does not point back", l->name, zpn);
		if (VALUE(f, page, page_type) != l->type)
			DAMAGE(l->v, l->kind, next, "%s: page %" PRIu64 " is on it, and its "
			       "type is %" PRIu64, l->name, zpn, VALUE(f, page, page_type));
		else if (l->check && !l->check(l, page, zpn))
			return nr;
		at = next;
		next = VALUE(f, link, list_head_next);
	}
	return nr;
}

/* ---- free lists ---------------------------------------------------------------------- */

static bool check_free(struct page_list *l, const char *page, uint64_t zpn)
{
	const struct heap_fields *f = l->v->h->fields;
	uint64_t order = VALUE(f, page, page_order), mt = VALUE(f, page, page_migratetype);

	if (order != l->arg[0])
		DAMAGE(l->v, l->kind, l->head, "%s: the block at page %" PRIu64 " has order %"
		       PRIu64, l->name, zpn, order);
	if (f->page_migratetype.size && mt != l->arg[1])
		DAMAGE(l->v, l->kind, l->head, "%s: the block at page %" PRIu64 " is of type %"
		       PRIu64, l->name, zpn, mt);
	return true;
}

static uint64_t free_area_of(const struct heap *h, const struct heap_zone *z, uint32_t order)
{
	return z->addr + h->fields->zone_free_area.offset +
	       order * h->fields->sizeof_free_area;
}

static void verify_free_lists(struct verify *v, const struct heap_zone *z,
			      const struct zone_counts *c, const char *zone)
{
	const struct heap_fields *f = v->h->fields;
	uint64_t types = f->free_area_free_list.size / f->sizeof_list_head;

	for (uint32_t o = 0; o < v->h->nr_orders; o++) {
		uint64_t nr = 0, area = free_area_of(v->h, z, o);

		for (uint64_t mt = 0; mt < types; mt++) {
			struct page_list l = {
				.v = v, .z = z, .kind = "free-list", .link = f->page_buddy_list,
				.head = area + f->free_area_free_list.offset +
					mt * f->sizeof_list_head,
				.type = f->PT_BUDDY, .max = z->nr_present >> o,
				.check = check_free, .arg = { o, mt },
			};
			uint64_t on_list;
			uint32_t mask;

			snprintf(l.name, sizeof(l.name), "free list of order %u, type %u", o,
				 (unsigned int)mt);
			on_list = walk(&l);
			nr += on_list;
			if (f->zone_free_mask.size < (mt + 1) * 4)
				continue;
			memcpy(&mask, zone + f->zone_free_mask.offset + 4 * mt, 4);
			if ((on_list != 0) != (mask >> o & 1))
				DAMAGE(v, "free-mask", l.head, "free_mask says that the %s is "
				       "%s", l.name, on_list ? "empty" : "not empty");
		}
		if (nr != z->nr_free_blocks[o])
			DAMAGE(v, "free-list-count", area, "nr_free of order %u is %" PRIu64
			       ", and %" PRIu64 " blocks are on its lists", o,
			       z->nr_free_blocks[o], nr);
		if (nr != c->blocks[o])
			DAMAGE(v, "free-list-count", area, "of order %u %" PRIu64
			       " blocks are on the lists, and %" PRIu64 " are free in the "
			       "page map", o, nr, c->blocks[o]);
	}
}

/* ---- the list of dirty blocks ---------------------------------------------------------------------- */

static bool check_dirty(struct page_list *l, const char *page, uint64_t zpn)
{
	uint32_t stamp = (uint32_t)VALUE(l->v->h->fields, page, page_free_stamp);

	if ((int32_t)((uint32_t)l->arg[0] - stamp) < 0)
		DAMAGE(l->v, l->kind, l->head, "%s: the block at page %" PRIu64 " is younger "
		       "than the one before it", l->name, zpn);
	l->arg[0] = stamp;
	return true;
}

static void verify_dirty_lru(struct verify *v, const struct heap_zone *z,
			     const struct zone_counts *c, const char *zone)
{
	const struct heap_fields *f = v->h->fields;
	struct page_list l = {
		.v = v, .z = z, .kind = "dirty-lru", .name = "list of dirty blocks",
		.head = z->addr + f->zone_dirty_lru.offset, .link = f->page_lru,
		.type = f->PT_BUDDY, .max = z->nr_present, .check = check_dirty,
		.arg = { VALUE(f, zone, zone_stamp) },
	};
	uint64_t nr = walk(&l);

	if (nr != c->lru_blocks)
		DAMAGE(v, "dirty-lru", l.head, "%" PRIu64 " blocks are on the list of dirty "
		       "blocks, and %" PRIu64 " in the page map say so", nr, c->lru_blocks);
}

/* ---- parked runs ---------------------------------------------------------------------- */

static bool check_parked(struct page_list *l, const char *page, uint64_t zpn)
{
	uint64_t nr = VALUE(l->v->h->fields, page, page_nr_pages);

	if (l->arg[0] && nr != l->arg[0]) {
		DAMAGE(l->v, l->kind, l->head, "%s: the run at page %" PRIu64 " has %" PRIu64
		       " pages", l->name, zpn, nr);
		return false;
	}
	l->pages += nr;
	return true;
}

static void verify_parked(struct verify *v, const struct heap_zone *z,
			  const struct zone_counts *c, const char *zone)
{
	const struct heap_fields *f = v->h->fields;
	uint64_t mask = VALUE(f, zone, zone_parked_mask), pages = 0;
	struct page_list l = {
		.v = v, .z = z, .kind = "parked-list", .type = f->PT_PARKED,
		.max = z->nr_present, .check = check_parked, .link = f->page_park_list,
	};

	for (uint64_t n = 1; n <= f->PARK_MAX_PAGES; n++) {
		l.head = z->addr + f->zone_parked.offset + n * f->sizeof_list_head;
		l.arg[0] = n;
		snprintf(l.name, sizeof(l.name), "list of parked runs of %u pages",
			 (unsigned int)n);
		l.pages = 0;
		if ((walk(&l) != 0) != (mask >> (n - 1) & 1))
			DAMAGE(v, "parked-list", l.head, "parked_mask is wrong about the %s",
			       l.name);
		pages += l.pages;
	}
	l.head = z->addr + f->zone_parked_lru.offset;
	l.link = f->page_lru;
	l.arg[0] = 0;
	l.pages = 0;
	snprintf(l.name, sizeof(l.name), "list of all parked runs");
	walk(&l);
	if (pages != c->parked || l.pages != c->parked ||
	    VALUE(f, zone, zone_nr_parked) != c->parked)
		DAMAGE(v, "parked-count", z->addr, "parked pages: nr_parked %" PRIu64
		       ", lists %" PRIu64 " and %" PRIu64 ", page map %" PRIu64,
		       VALUE(f, zone, zone_nr_parked), pages, l.pages, c->parked);
}

/* ---- all ---------------------------------------------------------------------- */

void verify_lists(struct verify *v, const struct heap_zone *z, const struct zone_counts *c)
{
	const struct heap_fields *f = v->h->fields;
	char zone[STRUCT_MAX];

	if (!source_read(v->h->src, z->addr, zone, f->sizeof_zone))
		return;
	if (f->free_area_free_list.size && f->page_buddy_list.size)
		verify_free_lists(v, z, c, zone);
	else
		verify_left_out(v, "free lists");
	if (f->zone_dirty_lru.size && f->page_lru.size && f->page_free_stamp.size)
		verify_dirty_lru(v, z, c, zone);
	else
		verify_left_out(v, "list of dirty blocks");
	if (f->zone_parked.size && f->page_park_list.size && f->PARK_MAX_PAGES)
		verify_parked(v, z, c, zone);
	else
		verify_left_out(v, "parked runs");
}
