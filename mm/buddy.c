// SPDX-License-Identifier: MIT
/*
 * buddy.c - the free lists of a zone: a binary buddy system over exact runs.
 *
 * Free pages stand on the lists as blocks of 2^order pages, aligned to their
 * size within the zone, no two free buddies of the same order side by side
 * (below the largest order). What is handed out need not be a block: a run of
 * 25 pages is the front of a block of 32 whose other 7 go back as 1 + 2 + 4.
 * Taking is one list removal and as many insertions as the rest has blocks;
 * freeing a run walks up the orders once, and at each order either absorbs a
 * free neighbour or leaves a block behind (buddy_free).
 *
 *	state of a page		type		whose
 *	head of a free block	PT_BUDDY	on free_area[order].free_list[mt]
 *	inside a free block	PT_NONE
 *	head, being purged	PT_ISOLATED	on no list
 *	anything else		in use: not looked at
 *
 * Types. Every pageblock has a migrate type; a block stands on the list of the
 * type that its first pageblock had when it was inserted. A request takes the
 * smallest block of its own type that fits; failing that the largest of
 * another, if that is at least half a pageblock: then the pageblocks that it
 * takes of change their type, and what is left of them serves this type from
 * now on. A smaller block of another type is borrowed if it is resident, since
 * the frontier would cost fresh memory; if it is not, the frontier is extended
 * first, which keeps the types apart at no cost. Movable requests of up to 64 pages borrow such a
 * block even where their own lists have clean ones. Long runs are first looked for
 * in gaps between blocks, wherever these begin (take_gap).
 *
 * Dirty. A page whose dirty bit is clear is not resident and reads as zero. A
 * free block that has a dirty page is at the front of its list (memory that is
 * resident is used before memory that must be faulted in) and on dirty_lru,
 * the youngest first; clean blocks are at the back. free_stamp never increases
 * along dirty_lru: what is freed gets the zone's latest stamp and goes to its
 * front, and what a block leaves behind when it is split or merged by the
 * purger stands where that block stood. Blocks smaller than the system's page
 * (where that is larger than ours) can't be purged and are not on dirty_lru.
 *
 * Locking: the zone lock is held throughout. No system calls.
 */
#include "buddy.h"

#define HALF_PAGEBLOCK_ORDER	(PAGEBLOCK_ORDER - 1)

/* In which order a type looks at the others when its own lists are empty. */
static const u8 fallbacks[MIGRATE_TYPES][MIGRATE_TYPES - 1] = {
	[MIGRATE_UNMOVABLE]	= { MIGRATE_RECLAIMABLE, MIGRATE_MOVABLE },
	[MIGRATE_MOVABLE]	= { MIGRATE_RECLAIMABLE, MIGRATE_UNMOVABLE },
	[MIGRATE_RECLAIMABLE]	= { MIGRATE_UNMOVABLE, MIGRATE_MOVABLE },
};

/* Where a dirty block goes on dirty_lru: behind @prev, with the stamp that fits there. */
struct lru_place {
	struct list_head *prev;
	u32 stamp;
};

static bool any_dirty(const struct zone *z, unsigned long start, unsigned long end)
{
	return bitmap_find(z->dirty, true, start, end) < end;
}

/* A free block that counts as such: one that is shorter than the system's page is on no LRU. */
static bool is_resident(const struct page *page)
{
	return !list_empty(&page->lru) || page->order < host_page_order;
}

static struct lru_place lru_front(struct zone *z)
{
	return (struct lru_place){ .prev = &z->dirty_lru, .stamp = z->stamp };
}

/* Puts a block on its list. The page counts are the caller's. */
static void add_free(struct zone *z, unsigned long zpn, unsigned int order,
		     bool dirty, struct lru_place place)
{
	struct page *page = z->memmap + zpn;
	unsigned int mt = z->pageblock_type[zpn >> PAGEBLOCK_ORDER];
	struct free_area *area = &z->free_area[order];

	page->order = (u8)order;
	page->zone = (u8)z->index;
	page->migratetype = (u8)mt;
	page->free_stamp = place.stamp;
	page_set_type(page, PT_BUDDY);
	INIT_LIST_HEAD(&page->lru);
	if (dirty) {
		list_add(&page->buddy_list, &area->free_list[mt]);
		if (order >= host_page_order)
			list_add(&page->lru, place.prev);
	} else {
		list_add_tail(&page->buddy_list, &area->free_list[mt]);
	}
	area->nr_free++;
	z->free_mask[mt] |= 1U << order;
	if (order == MAX_PAGE_ORDER)
		__set_bit(z->free_max, zpn >> MAX_PAGE_ORDER);
}

/* Takes a block off its list. */
static void del_free(struct zone *z, struct page *page)
{
	unsigned int order = page->order, mt = page->migratetype;
	struct free_area *area = &z->free_area[order];

	list_del(&page->buddy_list);
	if (list_empty(&area->free_list[mt]))
		z->free_mask[mt] &= ~(1U << order);
	if (!list_empty(&page->lru))
		list_del(&page->lru);
	area->nr_free--;
	if (order == MAX_PAGE_ORDER)
		__clear_bit(z->free_max, page_zpn(z, page) >> MAX_PAGE_ORDER);
	page_set_type(page, PT_NONE);
}

/* Whether a free block of just this order stands at @zpn. */
static struct page *free_block_at(const struct zone *z, unsigned long zpn,
				  unsigned int order)
{
	struct page *page = z->memmap + zpn;

	return READ_ONCE(page->type) == PT_BUDDY && page->order == order ? page : NULL;
}

static bool absorb(struct zone *z, unsigned long zpn, unsigned int order)
{
	struct page *page = free_block_at(z, zpn, order);

	if (!page)
		return false;
	del_free(z, page);
	return true;
}

/* ---- taking ----------------------------------------------------------------------- */

/* Makes the next committed pages of the zone present: a free block, clean. */
static bool extend_frontier(struct zone *z, enum migratetype mt)
{
	unsigned long zpn = z->nr_present;

	if (z->nr_committed - zpn < MAX_ORDER_PAGES + z->frontier_keep)
		return false;
	for (unsigned long p = zpn; p < zpn + MAX_ORDER_PAGES; p += PAGEBLOCK_PAGES)
		z->pageblock_type[p >> PAGEBLOCK_ORDER] = (u8)mt;
	/* Fresh map entries say zone 0. */
	for (unsigned long i = 0; z->index && i < MAX_ORDER_PAGES; i++)
		z->memmap[zpn + i].zone = (u8)z->index;
	add_free(z, zpn, MAX_PAGE_ORDER, false, (struct lru_place){ 0 });
	stat_add_locked(z->nr_free, MAX_ORDER_PAGES);
	zone_set_present(z, zpn + MAX_ORDER_PAGES);
	return true;
}

/*
 * The largest block, of at least @order, on the lists of type @mt that another
 * type may have: half a pageblock or more, or resident memory, or, if there is
 * nothing else (@any), whatever is there. NULL: none.
 */
static struct page *lend_block(struct zone *z, unsigned int order, unsigned int mt, bool any)
{
	for (u32 mask = z->free_mask[mt] >> order << order; mask; mask &= ~BIT(__fls(mask))) {
		unsigned int o = __fls(mask);
		struct page *page = list_first_entry(&z->free_area[o].free_list[mt],
						     struct page, buddy_list);

		/* Dirty blocks are at the front: the first one speaks for the list. */
		if (any || o >= HALF_PAGEBLOCK_ORDER || !list_empty(&page->lru))
			return page;
	}
	return NULL;
}

static struct page *find_fallback(struct zone *z, unsigned int order, enum migratetype mt,
				  bool any)
{
	struct page *best = NULL;

	for (unsigned int i = 0; i < MIGRATE_TYPES - 1; i++) {
		struct page *page = lend_block(z, order, fallbacks[mt][i], any);

		if (page && (!best || page->order > best->order))
			best = page;
	}
	if (best)
		stat_inc_locked(z->nr_steals);
	return best;
}

static struct page *first_free(struct zone *z, unsigned int order, enum migratetype mt)
{
	return list_first_entry(&z->free_area[order].free_list[mt], struct page, buddy_list);
}

/* Of the lists of type @mt whose orders are in @mask, the smallest dirty block; NULL: none. */
static struct page *smallest_dirty(struct zone *z, u32 mask, enum migratetype mt)
{
	for (; mask; mask &= mask - 1) {
		struct page *page = first_free(z, __ffs(mask), mt);

		if (!list_empty(&page->lru))
			return page;
	}
	return NULL;
}

/* The smallest resident block of at least @order, and below half a pageblock, of another type. */
static struct page *resident_fallback(struct zone *z, unsigned int order, enum migratetype mt)
{
	for (unsigned int i = 0; i < MIGRATE_TYPES - 1; i++) {
		enum migratetype other = fallbacks[mt][i];
		u32 mask = z->free_mask[other] & (BIT(HALF_PAGEBLOCK_ORDER) - 1);
		struct page *page = smallest_dirty(z, mask >> order << order, other);

		if (page) {
			stat_inc_locked(z->nr_steals);
			return page;
		}
	}
	return NULL;
}

/*
 * The block to take 2^@order aligned pages or fewer from the front of: the
 * smallest that is resident, or else the smallest. The rest of a clean block
 * that was split stays clean; without this rule it would be faulted in while
 * larger blocks lie there dirty. Large objects, which mostly come and go, lie among what
 * is not movable rather than in clean memory; not the reverse, since slabs stay.
 */
static struct page *find_block(struct zone *z, unsigned int order, enum migratetype mt)
{
	u32 mask = z->free_mask[mt] >> order << order;
	struct page *smallest, *dirty;

	if (unlikely(!mask))
		return find_fallback(z, order, mt, false);
	smallest = first_free(z, __ffs(mask), mt);
	if (is_resident(smallest))
		return smallest;
	dirty = smallest_dirty(z, mask & (mask - 1), mt);
	if (!dirty && mt == MIGRATE_MOVABLE && !z->thrifty)
		dirty = resident_fallback(z, order, mt);
	return dirty ? dirty : smallest;
}

/*
 * Inserts what is left of a block from @start to its @end, in blocks as large
 * as their alignment allows. None of them can merge: the buddy of each holds a
 * page that is taken. @place: where the whole block stood on dirty_lru.
 */
static void put_rest(struct zone *z, unsigned long start, unsigned long end,
		     bool dirty, struct lru_place place)
{
	while (start < end) {
		unsigned int order = __ffs(start);
		unsigned long next = start + (1UL << order);

		add_free(z, start, order, dirty && any_dirty(z, start, next), place);
		start = next;
	}
}

/*
 * Takes the pages up to @end from the front of a free block. If it is at least
 * half a pageblock, the pageblocks that we take of become ours first, so that
 * the rest goes to our lists.
 */
static void take_front(struct zone *z, struct page *page, unsigned long end,
		       enum migratetype mt)
{
	unsigned long start = page_zpn(z, page);
	unsigned int order = page->order;
	/* Without a place of its own a small block's rest is as good as fresh. */
	bool dirty = is_resident(page);
	struct lru_place place = { .prev = page->lru.prev, .stamp = page->free_stamp };

	if (list_empty(&page->lru))
		place = lru_front(z);
	del_free(z, page);
	if (order >= HALF_PAGEBLOCK_ORDER) {
		for (unsigned long b = start >> PAGEBLOCK_ORDER;
		     b << PAGEBLOCK_ORDER < end; b++)
			z->pageblock_type[b] = (u8)mt;
	}
	put_rest(z, end, start + (1UL << order), dirty, place);
	stat_add_locked(z->nr_free, -(end - start));
	stat_add_locked(z->nr_dirty_free, -bitmap_weight_range(z->dirty, start, end));
}

/* The first index >= @i of a largest block whose address is aligned to @align pages. */
static unsigned long align_max_block(const struct zone *z, unsigned long i,
				     unsigned long align)
{
	unsigned long base = (unsigned long)z->base >> (PAGE_SHIFT + MAX_PAGE_ORDER);

	if (align <= MAX_ORDER_PAGES)
		return i;
	return ALIGN(base + i, align >> MAX_PAGE_ORDER) - base;
}

/*
 * Where a run of @k largest blocks goes: the lowest place where all are free,
 * the pages beyond the frontier counting as such. The index of its first block.
 */
static unsigned long run_place(const struct zone *z, unsigned long k, unsigned long align)
{
	unsigned long end = z->nr_present >> MAX_PAGE_ORDER;
	unsigned long i = 0;

	for (;;) {
		unsigned long stop;

		i = bitmap_find(z->free_max, true, i, end);
		i = align_max_block(z, i, align);
		if (i >= end)
			return i;
		stop = bitmap_find(z->free_max, false, i, min(i + k, end));
		if (stop == i + k || stop == end)
			return i;
		i = stop + (stop == i);
	}
}

/* A run longer, or with a larger alignment, than a block can give. */
static struct page *take_run(struct zone *z, unsigned long n, unsigned long align,
			     enum migratetype mt)
{
	unsigned long k = DIV_ROUND_UP(n, MAX_ORDER_PAGES), start;

	unpark_all(z);
	start = run_place(z, k, align) << MAX_PAGE_ORDER;
	if (start + (k << MAX_PAGE_ORDER) > z->nr_committed)
		return NULL;
	return buddy_take_at(z, start, start + n, mt) ? z->memmap + start : NULL;
}

/*
 * A run of 600 pages fits into a block of 1024, or into free blocks of 512, 64
 * and 32 side by side that the buddy rule keeps apart. Blocks alone would give
 * each run of more than 2 MiB 4 MiB of its own to lie in, and the next one fresh
 * memory. So long runs look for such a gap first, around a few blocks, dirty ones
 * before clean ones, of the two orders below the one that would hold them: a gap of
 * n pages that holds no block of half its size holds one of a quarter.
 */
#define GAP_MIN_PAGES	65UL
#define GAP_SEEDS	8
/* What of a gap is looked at for resident pages: 16 MiB, so that no run makes the lock wait. */
#define GAP_LOOK_PAGES	4096UL
/* Free blocks to the left of a seed: between two that are in use lie 20 at most. */
#define GAP_LEFT_STEPS	20

/* The free block of type @mt that ends at @zpn, as its pages; 0: there is none. */
static unsigned long free_before(const struct zone *z, unsigned long zpn, enum migratetype mt)
{
	for (unsigned int o = 0; o <= MAX_PAGE_ORDER && !(zpn & (BIT(o) - 1)) &&
	     zpn >= BIT(o); o++) {
		struct page *page = free_block_at(z, zpn - BIT(o), o);

		if (page)
			return page->migratetype == mt ? BIT(o) : 0;
	}
	return 0;
}

/* The one that begins there; pages beyond the frontier count as one if they are committed. */
static unsigned long free_behind(const struct zone *z, unsigned long zpn, enum migratetype mt)
{
	const struct page *page = z->memmap + zpn;

	if (zpn >= z->nr_present)
		return zpn + MAX_ORDER_PAGES + z->frontier_keep <= z->nr_committed ?
			MAX_ORDER_PAGES : 0;
	if (READ_ONCE(page->type) != PT_BUDDY || page->migratetype != mt)
		return 0;
	return BIT(page->order);
}

/*
 * Where a gap of @n pages around the free pages [@start, @end) begins, or ULONG_MAX: as far
 * left as it goes, so that what it leaves is at one end, and right as far as needed.
 */
static unsigned long gap_around(const struct zone *z, unsigned long start, unsigned long end,
				unsigned long n, enum migratetype mt)
{
	unsigned long more;

	for (int i = 0; i < GAP_LEFT_STEPS && (more = free_before(z, start, mt)); i++)
		start -= more;
	while (end - start < n && (more = free_behind(z, end, mt)))
		end += more;
	return end - start >= n ? start : ~0UL;
}

struct gap {
	unsigned long start;		/* ULONG_MAX: none */
	unsigned long clean;		/* pages to be faulted in, of the first GAP_LOOK_PAGES */
};

/* The better one: with fewer such pages, and of these the lower. */
static void gap_consider(const struct zone *z, struct gap *best, unsigned long start,
			 unsigned long n)
{
	unsigned long clean;

	if (start == ~0UL || start == best->start)
		return;
	n = min(n, GAP_LOOK_PAGES);
	clean = n - bitmap_weight_range(z->dirty, start, start + n);
	if (clean < best->clean || (clean == best->clean && start < best->start))
		*best = (struct gap){ start, clean };
}

/* Long-lived runs gather at one end of the zone, since the lowest of equal gaps is taken. */
static struct gap find_gap(const struct zone *z, unsigned long n, enum migratetype mt)
{
	unsigned int top = min(ilog2_up(n) - 1U, (unsigned int)MAX_PAGE_ORDER);
	struct gap best = { ~0UL, ~0UL };

	for (unsigned int order = top - 1; order <= MAX_PAGE_ORDER; order++) {
		unsigned int seeds = GAP_SEEDS;
		struct page *page;

		list_for_each_entry(page, &z->free_area[order].free_list[mt], buddy_list) {
			unsigned long zpn = page_zpn(z, page);

			gap_consider(z, &best, gap_around(z, zpn, zpn + BIT(order), n, mt), n);
			if (--seeds == 0)
				break;
		}
	}
	/* What ends at the frontier goes on behind it. If nothing does, another type may lend a block. */
	if (free_before(z, z->nr_present, mt))
		gap_consider(z, &best, gap_around(z, z->nr_present, z->nr_present, n, mt), n);
	return best;
}

/* What is parked lies between free blocks: it goes back before memory is faulted in. */
static struct page *take_gap(struct zone *z, unsigned long n, enum migratetype mt)
{
	struct gap gap = find_gap(z, n, mt);

	if (gap.clean && z->nr_parked) {
		unpark_all(z);
		gap = find_gap(z, n, mt);
	}
	if (gap.clean && z->thrifty)
		return NULL;
	if (gap.start == ~0UL || !buddy_take_at(z, gap.start, gap.start + n, mt))
		return NULL;
	return z->memmap + gap.start;
}

/*
 * The lowest of a few resident blocks that hold a run of 2^@order pages. Not the
 * smallest: short runs in the middle of free memory, where the smallest block may be,
 * are what long ones do not fit between.
 */
#define LOWEST_SEEDS	4

static struct page *lowest_block(struct zone *z, unsigned int order, enum migratetype mt)
{
	struct page *best = NULL;

	for (u32 mask = z->free_mask[mt] >> order << order; mask; mask &= mask - 1) {
		unsigned int seeds = LOWEST_SEEDS;
		struct page *page;

		list_for_each_entry(page, &z->free_area[__ffs(mask)].free_list[mt], buddy_list) {
			if (list_empty(&page->lru) || seeds-- == 0)
				break;
			if (!best || page < best)
				best = page;
		}
	}
	return best;
}

/* A run of any length and alignment. Blocks serve runs of a page or two best. NULL: see blocks. */
#define EXACT_MIN_PAGES	3UL

static struct page *take_exact(struct zone *z, unsigned long n, enum migratetype mt)
{
	struct page *page;

	if (n >= GAP_MIN_PAGES)
		return take_gap(z, n, mt);
	page = lowest_block(z, ilog2_up(n), mt);
	if (page)
		take_front(z, page, page_zpn(z, page) + n, mt);
	return page;
}

/* The lists have no such block: unpark what is parked, extend the frontier, borrow. */
static noinline struct page *refill_lists(struct zone *z, unsigned int order,
					  enum migratetype mt)
{
	struct page *page;

	if (z->nr_parked) {
		unpark_all(z);
		page = find_block(z, order, mt);
		if (page)
			return page;
	}
	if (z->thrifty)
		return NULL;
	if (extend_frontier(z, mt))
		return find_block(z, order, mt);
	return find_fallback(z, order, mt, true);
}

struct page *buddy_take(struct zone *z, unsigned long n, unsigned long align,
			enum migratetype mt)
{
	unsigned long span = max(n, align);
	unsigned int order = ilog2_up(span);
	struct page *page;

	if (n >= EXACT_MIN_PAGES && align == 1) {
		page = take_exact(z, n, mt);
		if (page)
			return page;
	}
	if (unlikely(span > MAX_ORDER_PAGES))
		return take_run(z, n, align, mt);
	page = find_block(z, order, mt);
	if (page && z->thrifty && !is_resident(page))
		return NULL;
	if (unlikely(!page)) {
		page = refill_lists(z, order, mt);
		if (!page)
			return NULL;
	}
	take_front(z, page, page_zpn(z, page) + n, mt);
	return page;
}

unsigned long buddy_target(const struct zone *z, unsigned long n, unsigned long align)
{
	unsigned long k = DIV_ROUND_UP(n, MAX_ORDER_PAGES);

	if (max(n, align) <= MAX_ORDER_PAGES)
		return z->nr_present + MAX_ORDER_PAGES;
	return (run_place(z, k, align) + k) << MAX_PAGE_ORDER;
}

/*
 * Whether [start, end) is free or can be made so without a system call. What
 * ends at @start is in use or free as a whole: a block begins there.
 */
static bool range_is_free(struct zone *z, unsigned long start, unsigned long end,
			  enum migratetype mt)
{
	unsigned long p = start;

	while (p < end) {
		struct page *page = z->memmap + p;

		if (p >= z->nr_present) {
			if (!extend_frontier(z, mt))
				return false;
			continue;
		}
		if (READ_ONCE(page->type) == PT_PARKED) {
			/* It may merge with the free block before it: look again. */
			unpark_free(z, page, z->stamp);
			p = start;
			continue;
		}
		if (READ_ONCE(page->type) != PT_BUDDY)
			return false;
		p += 1UL << page->order;
	}
	return true;
}

bool buddy_take_at(struct zone *z, unsigned long start, unsigned long end,
		   enum migratetype mt)
{
	unsigned int order = 0;

	if (end > z->nr_committed || !range_is_free(z, start, end, mt))
		return false;
	for (unsigned long p = start; p < end; p += 1UL << order) {
		struct page *page = z->memmap + p;

		order = page->order;
		take_front(z, page, min(p + (1UL << order), end), mt);
	}
	return true;
}

/* ---- freeing ------------------------------------------------------------------------ */

/*
 * At the top of each turn start and end are multiples of 2^order, and what
 * stands between them is free and on no list. Of the two blocks of this order
 * at its ends, one that is a right half looks for its buddy on the left, one
 * that is a left half on the right: either the buddy joins the range or the
 * block stays behind. Every block that is inserted holds a page of the range
 * that was freed (the range's end moves over a whole block at most, and only
 * to where the next order's block contains it), so each is dirty and fresh.
 */
void buddy_free(struct zone *z, unsigned long start, unsigned long end, u32 now)
{
	struct lru_place place;

	if ((int)(now - z->stamp) > 0)
		z->stamp = now;
	place = lru_front(z);
	stat_add_locked(z->nr_free, end - start);
	stat_add_locked(z->nr_dirty_free, end - start);
	for (unsigned int order = 0; order < MAX_PAGE_ORDER && start < end; order++) {
		unsigned long size = 1UL << order;

		if (start & size) {
			if (absorb(z, start - size, order)) {
				start -= size;
			} else {
				add_free(z, start, order, true, place);
				start += size;
			}
		}
		if (start < end && (end & size)) {
			if (absorb(z, end, order)) {
				end += size;
			} else {
				end -= size;
				add_free(z, end, order, true, place);
			}
		}
	}
	for (; start < end; start += MAX_ORDER_PAGES)
		add_free(z, start, MAX_PAGE_ORDER, true, place);
}

/* ---- the purger's ---------------------------------------------------------------------- */

void buddy_isolate(struct zone *z, struct page *page)
{
	unsigned long start = page_zpn(z, page), size = 1UL << page->order;

	del_free(z, page);
	stat_add_locked(z->nr_free, -size);
	stat_add_locked(z->nr_isolated, size);
	stat_add_locked(z->nr_dirty_free,
			-bitmap_weight_range(z->dirty, start, start + size));
	page_set_type(page, PT_ISOLATED);
}

/*
 * A clean block that merges with dirty ones must not make them younger than
 * they are: the result stands where the youngest of them stood. That place is
 * remembered as the entry before it, which may be the next one to be absorbed.
 */
void buddy_putback(struct zone *z, struct page *page)
{
	unsigned long zpn = page_zpn(z, page);
	unsigned int order = page->order;
	struct lru_place place = { .prev = NULL };
	bool dirty = any_dirty(z, zpn, zpn + (1UL << order));

	page_set_type(page, PT_NONE);
	stat_add_locked(z->nr_free, 1UL << order);
	stat_add_locked(z->nr_isolated, -(1UL << order));
	if (dirty) {
		stat_add_locked(z->nr_dirty_free,
				bitmap_weight_range(z->dirty, zpn, zpn + (1UL << order)));
		place = lru_front(z);
	}
	for (; order < MAX_PAGE_ORDER; order++) {
		struct page *buddy = free_block_at(z, zpn ^ (1UL << order), order);

		if (!buddy)
			break;
		if (!list_empty(&buddy->lru) &&
		    (!place.prev || place.prev == &buddy->lru ||
		     (int)(buddy->free_stamp - place.stamp) > 0)) {
			place.prev = buddy->lru.prev;
			place.stamp = buddy->free_stamp;
		}
		del_free(z, buddy);
		zpn &= ~(1UL << order);
	}
	if (!place.prev) {
		dirty = host_page_order && any_dirty(z, zpn, zpn + (1UL << order));
		place = lru_front(z);
	} else {
		dirty = true;
	}
	add_free(z, zpn, order, dirty, place);
}
