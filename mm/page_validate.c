// SPDX-License-Identifier: MIT
/*
 * page_validate.c - checks of a whole zone against what mmzone.h and buddy.c
 * say of it.
 *
 * Four walks, each of which counts what the others are compared with:
 *
 *	lists	every block on a free list is one of that order and type, aligned,
 *		present; free_mask says just which lists are not empty
 *	pages	from head to head the blocks tile the present pages; no two free
 *		buddies of the same order; inside a block the marks are right;
 *		dirty bits of pages in use are set; free_max is right
 *	LRU	free blocks with a dirty page, all of them, the youngest first
 *	parked	each on the list of its length and on parked_lru
 *
 * The zone lock holds the free blocks still, but not those in use, whose owners
 * may be changing them: for an exact answer nobody else uses the zone. What is
 * found is noted, and printed when the lock is dropped.
 */
#include "buddy.h"

#include "base/printk.h"

#define MAX_NOTES	16

struct walk {
	struct zone *z;
	long errors;
	struct {
		const char *what;
		unsigned long zpn;
	} note[MAX_NOTES];

	/* Counted by the walk over the pages. */
	unsigned long blocks[NR_PAGE_ORDERS];
	unsigned long free, dirty_free, lru_blocks, parked;
};

static void violation(struct walk *w, const char *what, unsigned long zpn)
{
	if (w->errors < MAX_NOTES) {
		w->note[w->errors].what = what;
		w->note[w->errors].zpn = zpn;
	}
	w->errors++;
}

static void expect(struct walk *w, bool ok, const char *what, unsigned long zpn)
{
	if (unlikely(!ok))
		violation(w, what, zpn);
}

/* ---- lists -------------------------------------------------------------------------- */

/* The page that a list entry is in, if it is one of the zone's present pages. */
static bool entry_zpn(const struct zone *z, const struct list_head *entry, size_t offset,
		      unsigned long *zpn)
{
	size_t at = (size_t)((const char *)entry - offset - (const char *)z->memmap);

	*zpn = at / sizeof(struct page);
	return at % sizeof(struct page) == 0 && *zpn < z->nr_present;
}

/* One list. Returns how many blocks it holds. */
static unsigned long walk_list(struct walk *w, unsigned int order, unsigned int mt)
{
	struct zone *z = w->z;
	struct list_head *head = &z->free_area[order].free_list[mt], *e;
	unsigned long n = 0, zpn;

	for (e = head->next; e != head; e = e->next) {
		const struct page *page;

		if (!entry_zpn(z, e, offsetof(struct page, buddy_list), &zpn) ||
		    n++ > z->nr_present >> order) {
			violation(w, "free list leads astray", zpn);
			break;
		}
		page = z->memmap + zpn;
		expect(w, page->type == PT_BUDDY, "page on a free list is not free", zpn);
		expect(w, page->order == order, "block on the list of another order", zpn);
		expect(w, page->migratetype == mt, "block on the list of another type", zpn);
		expect(w, IS_ALIGNED(zpn, 1UL << order), "block is not aligned", zpn);
		expect(w, e->next->prev == e, "free list does not point back", zpn);
	}
	return n;
}

static void walk_lists(struct walk *w)
{
	for (unsigned int o = 0; o < NR_PAGE_ORDERS; o++) {
		unsigned long n = 0;

		for (unsigned int mt = 0; mt < MIGRATE_TYPES; mt++) {
			unsigned long on_list = walk_list(w, o, mt);

			expect(w, !on_list == !(w->z->free_mask[mt] >> o & 1),
			       "free_mask disagrees with a list (order)", o);
			n += on_list;
		}
		expect(w, n == w->z->free_area[o].nr_free,
		       "nr_free of an order disagrees with its lists (order)", o);
		expect(w, n == w->blocks[o],
		       "blocks on the lists and in the map differ (order)", o);
	}
}

/* ---- pages ---------------------------------------------------------------------------- */

__racy static void check_free_block(struct walk *w, const struct page *page, unsigned long zpn)
{
	struct zone *z = w->z;
	unsigned long size = 1UL << page->order, buddy = zpn ^ size;
	unsigned long dirty = bitmap_weight_range(z->dirty, zpn, zpn + size);
	bool on_lru = !list_empty(&page->lru);

	w->blocks[page->order]++;
	w->free += size;
	w->dirty_free += dirty;
	w->lru_blocks += on_lru;
	expect(w, on_lru == (dirty && page->order >= host_page_order),
	       "block is on dirty_lru though clean, or not though dirty", zpn);
	if (page->order < MAX_PAGE_ORDER)
		expect(w, z->memmap[buddy].type != PT_BUDDY ||
		       z->memmap[buddy].order != page->order, "two free buddies", zpn);
}

/*
 * The pages of a block but the first. A slab that is being made or given back
 * (PT_PCP) has its marks written by its owner, without the zone lock; so what
 * looks wrong counts only while the head still says what it said before.
 */
__racy static void check_inside(struct walk *w, const struct page *page, unsigned long zpn,
				unsigned long size)
{
	u8 type = READ_ONCE(page->type);
	bool tails = type == PT_COMP || type == PT_SLAB || type == PT_RCU;

	for (unsigned long i = 1; i < size && type != PT_PCP; i++) {
		bool fine = tails ? READ_ONCE(page[i].type) == PT_TAIL &&
				    READ_ONCE(page[i].head_distance) == i :
				    READ_ONCE(page[i].type) == PT_NONE;

		expect(w, fine || READ_ONCE(page->type) != type, tails ?
		       "tail does not lead to its head" : "mark inside a block", zpn + i);
	}
}

/* Pages of the block that @page heads; 0: it heads none. */
__racy static unsigned long block_size(const struct page *page)
{
	switch (page->type) {
	case PT_LARGE:
	case PT_PARKED:
	case PT_STOCK:
		return page->nr_pages;
	case PT_NONE:
	case PT_TAIL:
		return 0;
	default:
		return page->type < NR_PAGE_TYPES && page->order <= MAX_PAGE_ORDER ?
			1UL << page->order : 0;
	}
}

__racy static void check_block(struct walk *w, const struct page *page, unsigned long zpn,
			unsigned long size)
{
	struct zone *z = w->z;

	expect(w, page->zone == z->index, "page of another zone", zpn);
	expect(w, page->migratetype < MIGRATE_TYPES, "no such migrate type", zpn);
	if (page->type == PT_PARKED)
		w->parked += size;
	else if (page->type != PT_LARGE && page->type != PT_STOCK)
		expect(w, IS_ALIGNED(zpn, size), "block is not aligned", zpn);
	if (page->type == PT_BUDDY)
		check_free_block(w, page, zpn);
	else if (page->type != PT_ISOLATED)
		expect(w, bitmap_find(z->dirty, false, zpn, zpn + size) == zpn + size,
		       "page in use is not dirty", zpn);
	check_inside(w, page, zpn, size);
}

__racy static void walk_pages(struct walk *w)
{
	struct zone *z = w->z;
	unsigned long zpn = 0;

	while (zpn < z->nr_present) {
		const struct page *page = z->memmap + zpn;
		unsigned long size = block_size(page);

		if (!size || size > z->nr_present - zpn) {
			violation(w, "no block begins where the last one ends", zpn);
			return;
		}
		check_block(w, page, zpn, size);
		zpn += size;
	}
	for (unsigned long b = 0; b < z->nr_present >> MAX_PAGE_ORDER; b++) {
		const struct page *page = z->memmap + (b << MAX_PAGE_ORDER);

		expect(w, test_bit(z->free_max, b) ==
		       (page->type == PT_BUDDY && page->order == MAX_PAGE_ORDER),
		       "free_max disagrees with the map", b << MAX_PAGE_ORDER);
	}
	for (unsigned long b = 0; b < z->nr_present >> PAGEBLOCK_ORDER; b++)
		expect(w, z->pageblock_type[b] < MIGRATE_TYPES, "no such pageblock type",
		       b << PAGEBLOCK_ORDER);
}

/* ---- the LRU, and the sums ---------------------------------------------------------------- */

static void walk_lru(struct walk *w)
{
	struct zone *z = w->z;
	unsigned long n = 0, zpn;
	u32 younger = z->stamp;

	for (struct list_head *e = z->dirty_lru.next; e != &z->dirty_lru; e = e->next) {
		const struct page *page;

		if (!entry_zpn(z, e, offsetof(struct page, lru), &zpn) || n++ > z->nr_present) {
			violation(w, "dirty_lru leads astray", zpn);
			return;
		}
		page = z->memmap + zpn;
		expect(w, page->type == PT_BUDDY, "page on dirty_lru is not free", zpn);
		expect(w, (int)(younger - page->free_stamp) >= 0,
		       "block on dirty_lru is younger than the one before it", zpn);
		expect(w, e->next->prev == e, "dirty_lru does not point back", zpn);
		younger = page->free_stamp;
	}
	expect(w, n == w->lru_blocks, "blocks on dirty_lru and in the map differ", n);
}

/* Every parked run is on both lists, and of the length that its list says. */
static void walk_parked(struct walk *w)
{
	struct zone *z = w->z;
	unsigned long pages = 0, on_lru = 0, zpn;

	for (unsigned long n = 1; n <= PARK_MAX_PAGES; n++) {
		struct list_head *head = &z->parked[n];

		expect(w, !list_empty(head) == (z->parked_mask >> (n - 1) & 1),
		       "parked_mask disagrees with a list (length)", n);
		for (struct list_head *e = head->next; e != head; e = e->next) {
			if (!entry_zpn(z, e, offsetof(struct page, park_list), &zpn) ||
			    z->memmap[zpn].type != PT_PARKED || z->memmap[zpn].nr_pages != n ||
			    pages > PARK_LIMIT_PAGES) {
				violation(w, "list of parked runs leads astray", zpn);
				break;
			}
			pages += n;
		}
	}
	for (struct list_head *e = z->parked_lru.next; e != &z->parked_lru; e = e->next) {
		if (!entry_zpn(z, e, offsetof(struct page, lru), &zpn) ||
		    z->memmap[zpn].type != PT_PARKED || on_lru > PARK_LIMIT_PAGES) {
			violation(w, "parked_lru leads astray", zpn);
			break;
		}
		on_lru += z->memmap[zpn].nr_pages;
	}
	expect(w, pages == w->parked && on_lru == w->parked && z->nr_parked == w->parked,
	       "nr_parked, the lists and the map differ", z->nr_parked);
}

static void check_sums(struct walk *w)
{
	struct zone *z = w->z;

	expect(w, z->nr_present <= z->nr_committed && z->nr_committed <= z->nr_pages &&
	       IS_ALIGNED(z->nr_present, MAX_ORDER_PAGES), "limits out of order", z->nr_present);
	expect(w, z->nr_free == w->free, "nr_free disagrees with the map", z->nr_free);
	expect(w, z->nr_dirty_free == w->dirty_free, "nr_dirty_free disagrees with the map",
	       z->nr_dirty_free);
}

long zone_validate(struct zone *z)
{
	struct walk w = { .z = z };

	lock(&z->lock);
	walk_pages(&w);
	walk_lists(&w);
	walk_lru(&w);
	walk_parked(&w);
	check_sums(&w);
	unlock(&z->lock);

	for (long i = 0; i < min(w.errors, (long)MAX_NOTES); i++)
		pr_raw("zone %u: %s: %lu\n", z->index, w.note[i].what, w.note[i].zpn);
	if (w.errors > MAX_NOTES)
		pr_raw("zone %u: and %ld more\n", z->index, w.errors - MAX_NOTES);
	return w.errors;
}

long zones_validate(void)
{
	unsigned int n = smp_load_acquire(&nr_zones);
	long errors = 0;

	for (unsigned int i = 0; i < n; i++)
		errors += zone_validate(zones[i]);
	return errors;
}
