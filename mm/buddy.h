/* SPDX-License-Identifier: MIT */
/*
 * buddy.h - the free lists of a zone, for the files of the page layer:
 * mmzone.c, page_alloc.c, contig.c, page_reporting.c, page_validate.c.
 *
 * Ranges are zone page numbers, [start, end). "zone lock held" unless said
 * otherwise.
 */
#ifndef MM_BUDDY_H
#define MM_BUDDY_H

#include "cmdline.h"
#include "magazine.h"
#include "mmzone.h"
#include "task.h"

/* No run is longer than the 2^47 bytes of address space that a process has. */
#define MAX_RUN_PAGES	(1UL << (47 - PAGE_SHIFT))

/* ---- buddy.c: the free lists ------------------------------------------------------- */

/*
 * Takes @n pages, the first aligned to @align pages (a power of two), off the
 * free lists or the committed frontier. NULL: no such run, or, with zone->thrifty,
 * none but clean ones. The pages are
 * PT_NONE, but for the dirty bits they are the caller's: it must give the head
 * its type and set the bits (zone_hand_out) before it drops the lock.
 */
struct page *buddy_take(struct zone *z, unsigned long n, unsigned long align,
			enum migratetype mt);
/* The same for just these pages; false when one of them is in use. */
bool buddy_take_at(struct zone *z, unsigned long start, unsigned long end,
		   enum migratetype mt);
/*
 * How far the zone must be committed (in pages from its start) before
 * buddy_take() can succeed, if it has just failed; more than nr_pages if the
 * zone is too short.
 */
unsigned long buddy_target(const struct zone *z, unsigned long n, unsigned long align);

/*
 * Frees a range whose pages are PT_NONE and whose dirty bits are set, at the
 * time @now, merging it with what is free around it.
 */
void buddy_free(struct zone *z, unsigned long start, unsigned long end, u32 now);

/* Takes a whole free block off the lists for the purger. */
void buddy_isolate(struct zone *z, struct page *page);
/* Puts it back. If dirty bits are left it counts as freed now. */
void buddy_putback(struct zone *z, struct page *page);

/* ---- page_stock.c: large objects that a CPU freed last ------------------------------------ */

/*
 * A run of @n pages that begins at a multiple of @align, a power of two, from the present
 * CPU's stock, or NULL. Of type PT_STOCK, all dirty. No lock is taken.
 */
struct page *stock_take(unsigned long n, unsigned long align);
/*
 * Keeps a run of type PT_LARGE that the caller frees; another may be parked for it.
 * False: it is still the caller's. No lock held.
 */
bool stock_put(struct page *page);
/* Whether the present CPU has any; a hint. */
bool stock_held(void);
/*
 * contig.c: a run of type PT_LARGE or PT_STOCK that nobody uses any more joins the free
 * lists, or is parked. No lock held. True: the reclaimer should be kicked, by a free.
 */
bool large_put(struct page *head, bool park);

/* ---- page_park.c: large objects freed last ------------------------------------------------ */

/*
 * Keeps a run that is being freed, PT_LARGE until now, if it is short enough;
 * what has been parked longest makes room. False: free it.
 */
bool park_run(struct zone *z, struct page *page, unsigned long n, u32 now);
/*
 * The run of @n pages that was parked last, or NULL, also where that does not begin at a
 * multiple of @align, a power of two. Of type PT_NONE, all dirty.
 */
struct page *unpark_run(struct zone *z, unsigned long n, unsigned long align);
/* Frees one that is parked. */
void unpark_free(struct zone *z, struct page *page, u32 now);
/* Frees all that are parked, as freed at the zone's latest stamp. */
void unpark_all(struct zone *z);
/* Frees those that two calls have found: neither has anybody wanted them in between. */
void unpark_old(struct zone *z, u32 now);

static inline unsigned long zone_dirty_pages(const struct zone *z)
{
	return READ_ONCE(z->nr_dirty_free) + READ_ONCE(z->nr_parked);
}

/* Pages that are in use, or free and dirty: about as many as are resident. No lock, an estimate. */
static inline unsigned long zone_resident(const struct zone *z)
{
	return READ_ONCE(z->nr_present) - READ_ONCE(z->nr_isolated) - READ_ONCE(z->nr_free) +
	       READ_ONCE(z->nr_dirty_free);
}

/* Behind every request for @gfp that took pages off the free lists; no lock held. */
static inline void zone_check_growth(struct zone *z, gfp_t gfp)
{
	if (unlikely((long)(zone_resident(z) - READ_ONCE(z->resident_most)) > 0) &&
	    gfpflags_allow_blocking(gfp))
		zone_grown(z);
}

/* ---- mmzone.c: growing ----------------------------------------------------------------- */

/* Moves nr_present, zone lock held; the pages up to it are committed and on the lists. */
void zone_set_present(struct zone *z, unsigned long nr_present);
/*
 * Commits @z up to its page @target (at most nr_pages) at least, or waits
 * while somebody else commits. True: try again. False: the system refuses. No
 * lock held; system calls.
 */
bool zone_grow(struct zone *z, unsigned long target);
/*
 * Adds a zone of @node that a run of @n pages aligned to @align fits into, unless
 * there are more than @seen by now. True: try again. No lock held; system calls.
 */
bool zone_add(unsigned long n, unsigned long align, unsigned int seen, int node);
/* Adds a zone below 4 GiB, likewise. False: there is no room there. */
bool zone_add_low(unsigned int seen);

/* ---- page_alloc.c: the per-CPU page lists ------------------------------------------------- */

#define NR_PCP_ORDERS	4

struct pcp_list {
	struct magazine_cache mag;	/* of struct pages, of type PT_PCP */
	u8 order;
	u8 mt;				/* enum migratetype */
};

/* page_alloc.c's own; slabinfo looks at them (layout.c). */
extern struct pcp_list pcp_lists[NR_PCP_ORDERS][MIGRATE_TYPES] __kmem_internal;

/* ---- page_alloc.c: blocks, for page_nolock.c -------------------------------------------- */

/* A block that was just taken becomes PT_PCP. Zone lock held. */
void page_set_pcp(struct zone *z, struct page *page, unsigned int order, enum migratetype mt);
/* A block of type PT_PCP becomes a user's; of order 0 a plain page. */
void page_set_compound(struct page *page, unsigned int order);
/* Frees a block: the head is the caller's, its tails are PT_NONE. */
typedef void page_free_fn(struct page *page, unsigned int order);
page_free_fn page_free_block;
/* __free_pages() that ends in @free_fn. */
void page_drop(struct page *page, unsigned int order, page_free_fn *free_fn);

/* ---- page_alloc.c: the ladder, and reports ------------------------------------------------ */

struct run_request {
	unsigned long nr_pages;
	unsigned long align;		/* pages, a power of two */
	enum migratetype mt;
	gfp_t gfp;
};

/*
 * Finds a run: zone by zone, growing and adding zones where the flags allow it.
 * On success the zone's lock is held and buddy_take()'s duties are the
 * caller's. NULL: no memory, and that has been said if it was to be.
 */
struct page *run_get(const struct run_request *r, struct zone **zp);

/*
 * More pages than there is memory and swap for. The kernel refuses to map that; but it
 * has mapped the zones long ago, with nothing committed, and would not notice before
 * it kills somebody: the page map of such a run alone may fill the memory.
 */
bool run_impossible(unsigned long nr_pages, gfp_t gfp);

/*
 * Ends a run_get(): sets the dirty bits of the pages, drops the zone lock, and
 * zeroes what is not zero if @gfp asks for it. If @gfp may block, it may purge
 * others (zone_grown()).
 */
void run_finish(struct zone *z, unsigned long start, unsigned long n, gfp_t gfp);

/*
 * Gives pages [start, end) that are in use back to their zone in one go. Their
 * heads are reset to PT_NONE here, at every @step pages; tails, if they have
 * any, by the caller.
 */
void run_put(struct zone *z, unsigned long start, unsigned long end, unsigned long step);

static inline enum migratetype gfp_migratetype(gfp_t gfp)
{
	if (gfp & __GFP_MOVABLE)
		return MIGRATE_MOVABLE;
	return gfp & __GFP_RECLAIMABLE ? MIGRATE_RECLAIMABLE : MIGRATE_UNMOVABLE;
}

/* Reports damage or misuse in the kernel's form, and aborts. */
void bad_page(const struct page *page, const char *reason) __noreturn __cold;
const char *page_type_name(unsigned int type);

/*
 * Zeroes pages that nobody uses; from 32 MiB on with @may_wait (a system call), by having the
 * system take them. No lock held.
 */
void clear_pages(char *addr, unsigned long n, bool may_wait);

/*
 * Whether a page whose dirty bit is clear reads as zero. Not with purge=free:
 * there the bit is cleared when the system has been told that it may take the
 * page, and until it does the old content is there.
 */
static inline bool clean_is_zero(void)
{
	return !kmem_params.purge_lazy;
}

/* A request for pages that are for the program, with what init_on_alloc=1 adds. */
static inline gfp_t init_flags(gfp_t gfp)
{
	return unlikely(kmem_params.init_on_alloc) ? gfp | __GFP_ZERO : gfp;
}

/* Pages that the program gives back, still the caller's: init_on_free=1. No lock held. */
static inline void init_freed(const struct zone *z, const struct page *page, unsigned long n)
{
	if (unlikely(kmem_params.init_on_free))
		clear_pages(zone_page_address(z, page), n, task_may_wait());
}

#endif /* MM_BUDDY_H */
