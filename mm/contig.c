// SPDX-License-Identifier: MIT
/*
 * contig.c - exact runs of pages, of any length: large objects for the layer
 * above, and the kernel's alloc_pages_exact() and alloc_contig_pages().
 *
 * All of them come from the buddy system's free lists: up to 4 MiB from the
 * front of one block, beyond that from largest blocks side by side or from the
 * frontier; what is left of the last block goes back at once (buddy.c).
 *
 * A large object (PT_LARGE) has one page that says what it is, its first: its
 * length is there, the others are PT_NONE. It can grow where it stands into
 * free pages behind it and into the frontier, and shrink anywhere; nobody but
 * its owner looks at it, so only the free lists need the zone lock. Short ones
 * that are freed are kept as they are first (page_stock.c, page_park.c).
 *
 * The kernel's runs are pages of order 0, side by side, each with a reference
 * of its own, to be freed one by one or together. Freed together, those whose
 * last reference that was go back as one run, in one merge.
 *
 * Locks: none is held on entry; the zone lock, alone.
 */
#include "buddy.h"
#include "host/host.h"
#include "numa.h"
#include "page_limit.h"

/* Makes a run that was just taken PT_LARGE, sets its dirty bits, zeroes it if asked. */
static struct page *finish_run(struct zone *z, struct page *page, const struct run_request *r)
{
	page->order = 0;
	page->migratetype = (u8)r->mt;
	page->nr_pages = r->nr_pages;
	page->requested = r->nr_pages << PAGE_SHIFT;
	page_set_type(page, PT_LARGE);
	run_finish(z, page_zpn(z, page), r->nr_pages, r->gfp);
	return page;
}

/* Its pages are dirty already. */
static struct page *finish_stocked(struct page *page, gfp_t gfp)
{
	page->order = 0;
	page->requested = page->nr_pages << PAGE_SHIFT;
	if (gfp & __GFP_ZERO)
		__builtin_memset(page_address(page), 0, page->nr_pages << PAGE_SHIFT);
	page_set_type(page, PT_LARGE);
	return page;
}

static struct page *alloc_run(const struct run_request *r)
{
	struct zone *z;
	struct page *page = run_get(r, &z);

	return likely(page) ? finish_run(z, page, r) : NULL;
}

/* ---- large objects ------------------------------------------------------------------ */

/* One that was freed not long ago. With the zone's lock held if there is one. */
static struct page *take_parked(struct zone *z, unsigned long n, unsigned long align)
{
	struct page *page;

	if (n > PARK_MAX_PAGES || !z || !(READ_ONCE(z->parked_mask) & BIT(n - 1)))
		return NULL;
	lock(&z->lock);
	page = unpark_run(z, n, align);
	if (unlikely(!page))
		unlock(&z->lock);
	return page;
}

/*
 * What a CPU or the first zone keeps of that very length. Fresh runs as short are aligned
 * to what their length is a multiple of, as kmalloc() promises; what was resized need not be.
 */
static struct page *alloc_kept(const struct run_request *r)
{
	unsigned long n = r->nr_pages, align = max(r->align, n & -n);
	struct page *page = stock_take(n, align);

	if (page)
		return finish_stocked(page, r->gfp);
	page = nr_nodes == 1 ? take_parked(zones[0], n, align) : NULL;
	return page ? finish_run(zones[0], page, r) : NULL;
}

/* 32 GiB: what lies before an address that is aligned more has its part of the maps. */
#define MAX_ALIGN_PAGES	(1UL << (35 - PAGE_SHIFT))

struct page *alloc_large(unsigned long nr_pages, unsigned long align_pages, gfp_t gfp)
{
	struct run_request r = { nr_pages, align_pages, MIGRATE_MOVABLE, init_flags(gfp) };
	struct page *page;

	if (unlikely(!nr_pages || !is_power_of_2(align_pages) || align_pages > MAX_ALIGN_PAGES))
		return NULL;
	if (nr_pages > STOCK_MAX_PAGES) {
		stock_return();
	} else if (likely(!(gfp & GFP_PLACE) && !numa_node_is_named())) {
		page = alloc_kept(&r);
		if (page)
			return page;
	}
	return alloc_run(&r);
}

bool large_put(struct page *head, bool park)
{
	struct zone *z = page_zone(head);
	unsigned long start = page_zpn(z, head), n = head->nr_pages;
	u32 now = (u32)host_now_ms();
	bool kick;

	lock(&z->lock);
	if (!park || !park_run(z, head, n, now)) {
		page_set_type(head, PT_NONE);
		buddy_free(z, start, start + n, now);
	}
	kick = zone_dirty_pages(z) > READ_ONCE(reclaim_threshold);
	unlock(&z->lock);
	return kick;
}

void free_large(struct page *head)
{
	if (unlikely(head->type != PT_LARGE))
		bad_page(head, "free_large() of a page that is no large object");
	init_freed(page_zone(head), head, head->nr_pages);
	if (!stock_put(head) && large_put(head, true))
		reclaim_kick();
}

static void shrink_large(struct zone *z, struct page *head, unsigned long nr_pages)
{
	unsigned long start = page_zpn(z, head), end = start + head->nr_pages;

	head->nr_pages = nr_pages;
	init_freed(z, head + nr_pages, end - start - nr_pages);
	run_put(z, start + nr_pages, end, end - start);
}

/* An object that grows by more clean pages than this has others given back: 4 MiB. */
#define OFFSET_PAGES	1024UL

/* The clean ones of pages just taken, if there may be enough of them. Zone lock held. */
static unsigned long clean_pages(const struct zone *z, unsigned long start, unsigned long n)
{
	return n < OFFSET_PAGES ? 0 : n - bitmap_weight_range(z->dirty, start, start + n);
}

static void offset_growth(unsigned long clean, gfp_t gfp)
{
	if (unlikely(clean >= OFFSET_PAGES) && gfpflags_allow_blocking(gfp))
		zones_offset(clean);
}

/*
 * How far the zone must be committed for pages up to @end, which could not be
 * taken; 0 if something in use is in the way. Zone lock held.
 */
static unsigned long growth_target(const struct zone *z, unsigned long p, unsigned long end)
{
	unsigned long target = ALIGN(end, MAX_ORDER_PAGES);

	while (p < z->nr_present) {
		if (READ_ONCE(z->memmap[p].type) != PT_BUDDY)
			return 0;
		p += 1UL << z->memmap[p].order;
	}
	return target > z->nr_committed && target <= z->nr_pages ? target : 0;
}

/* Takes just the pages [start, end), growing the zone for it. On success its lock is held. */
static bool extend_large(struct zone *z, unsigned long start, unsigned long end,
			 enum migratetype mt, gfp_t gfp)
{
	unsigned long keep = frontier_keep(gfp), target;

	for (;;) {
		lock(&z->lock);
		z->frontier_keep = keep;
		if (buddy_take_at(z, start, end, mt))
			return true;
		target = growth_target(z, start, end);
		unlock(&z->lock);
		if (!target || !gfpflags_allow_blocking(gfp) ||
		    !zone_grow(z, min(target + keep, z->nr_pages)))
			return false;
	}
}

bool resize_large(struct page *head, unsigned long nr_pages, gfp_t gfp)
{
	struct zone *z = page_zone(head);
	unsigned long start = page_zpn(z, head), old = head->nr_pages, clean = 0;
	bool charge, grown;

	if (unlikely(head->type != PT_LARGE))
		bad_page(head, "resize_large() of a page that is no large object");
	if (unlikely(!nr_pages || (nr_pages > old && run_impossible(nr_pages, gfp))))
		return false;
	if (nr_pages < old)
		shrink_large(z, head, nr_pages);
	if (nr_pages <= old)
		return true;
	stock_return();
	charge = READ_ONCE(page_watch) & WATCH_HARD;
	if (unlikely(charge) && !page_charge(nr_pages - old, gfp))
		return false;
	grown = extend_large(z, start + old, start + nr_pages, head->migratetype, gfp);
	if (grown) {
		head->nr_pages = nr_pages;
		clean = clean_pages(z, start + old, nr_pages - old);
	}
	/* From here on they count as used. */
	if (unlikely(charge))
		page_uncharge(nr_pages - old);
	if (grown)
		run_finish(z, start + old, nr_pages - old, init_flags(gfp));
	offset_growth(clean, gfp);
	return grown;
}

struct page *regrow_large(struct page *head, unsigned long nr_pages, unsigned long align_pages,
			  gfp_t gfp)
{
	struct run_request r = { nr_pages, align_pages, MIGRATE_MOVABLE, init_flags(gfp) };
	unsigned long old = head->nr_pages, clean;
	struct page *page;
	struct zone *z;

	page = run_get(&r, &z);
	if (unlikely(!page))
		return NULL;
	clean = clean_pages(z, page_zpn(z, page), nr_pages);
	finish_run(z, page, &r);
	offset_growth(clean, gfp);
	__builtin_memcpy(page_address(page), page_address(head), old << PAGE_SHIFT);
	free_large(head);
	return page;
}

/* ---- the kernel's interface ------------------------------------------------------------- */

__kmem_export struct page *alloc_contig_pages(unsigned long nr_pages, gfp_t gfp)
{
	struct run_request r = { nr_pages, 1, gfp_migratetype(gfp), init_flags(gfp) };
	struct page *page;

	if (!nr_pages)
		return NULL;
	page = alloc_run(&r);
	if (!page)
		return NULL;
	/* The first page last: until then it says how long the run is. */
	for (unsigned long i = nr_pages; i-- > 0; ) {
		page[i].order = 0;
		page[i].migratetype = (u8)r.mt;
		page[i].refcount = 1;
		page_set_type(page + i, PT_ALLOC);
	}
	return page;
}

/* Single pages, the caller's. */
static void put_singles(struct zone *z, unsigned long start, unsigned long end)
{
	if (end == start)
		return;
	init_freed(z, z->memmap + start, end - start);
	run_put(z, start, end, 1);
}

/* Drops a reference to a single page; true: it was the last, the page is the caller's. */
static bool drop_single(struct page *page)
{
	if (unlikely(page->type != PT_ALLOC || page->order))
		bad_page(page, "free_contig_range() of a page that is not of order 0");
	if (unlikely((int)READ_ONCE(page->refcount) <= 0))
		bad_page(page, "no reference left to drop");
	return __atomic_sub_fetch(&page->refcount, 1, __ATOMIC_ACQ_REL) == 0;
}

__kmem_export void free_contig_range(struct page *page, unsigned long nr_pages)
{
	struct zone *z;
	unsigned long start, p;

	if (!nr_pages)
		return;
	z = page_zone(page);
	start = page_zpn(z, page);
	nr_pages += start;
	if (unlikely(nr_pages > READ_ONCE(z->nr_present)))
		bad_page(page, "free_contig_range() beyond the end of the zone");
	for (p = start; p < nr_pages; p++) {
		if (drop_single(z->memmap + p))
			continue;
		put_singles(z, start, p);
		start = p + 1;
	}
	put_singles(z, start, p);
}

__kmem_export void *alloc_pages_exact(size_t size, gfp_t gfp)
{
	struct page *page;

	if (WARN_ONCE(gfp & __GFP_COMP, "alloc_pages_exact: __GFP_COMP is ignored"))
		gfp &= ~__GFP_COMP;
	if (!size || size > MAX_RUN_PAGES << PAGE_SHIFT)
		return NULL;
	page = alloc_contig_pages(PAGE_ALIGN(size) >> PAGE_SHIFT, gfp);
	return page ? page_address(page) : NULL;
}

__kmem_export void free_pages_exact(void *virt, size_t size)
{
	struct page *page;

	if (!virt)
		return;
	page = (unsigned long)virt & ~PAGE_MASK ? NULL : virt_to_page(virt);
	if (!page)
		BUG("free_pages_exact: %p is no page of the heap", virt);
	free_contig_range(page, PAGE_ALIGN(size) >> PAGE_SHIFT);
}
