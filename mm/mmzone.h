/* SPDX-License-Identifier: MIT */
/*
 * mmzone.h - zones, the page map, and struct page: the vocabulary of the page
 * layer and of everything above it.
 *
 * Address space. A zone is one reservation, its heap first, the maps of the
 * heap behind it, each on pages of its own:
 *
 *	base (2 MiB aligned)
 *	| heap: nr_pages pages | memmap | slotmap | dirty | pageblocks | free_max |
 *
 * It becomes accessible in steps, from the start of the heap: pages below
 * nr_present are committed, have a struct page, and have been given to the
 * buddy system; those above cost nothing. The maps are committed in step and
 * become resident only where pages are in use. Pages are counted from the
 * zone's start: a zone page number, "zpn".
 *
 * zones[0] is made at start-up and is normally far larger than the machine's
 * memory; free()'s fast path knows only it (struct kmem_hot, percpu.h). Where
 * address space is short it is small and further zones follow; zone_of() finds
 * the zone of any address.
 *
 * With several NUMA nodes that first reservation is divided among as many zones,
 * one a node, with one set of maps, which each has its part of:
 *
 *	| heap of node 0 | heap of node 1 | memmap 0 | memmap 1 | slotmap 0 | ...
 *
 * so that free()'s fast path finds all of them by the one slotmap; it is all
 * accessible then, and reads as 0 where nothing is.
 */
#ifndef MM_MMZONE_H
#define MM_MMZONE_H

#include <kmem/page_alloc.h>

#include "base/bitops.h"
#include "base/bug.h"
#include "base/list.h"
#include "lock.h"

struct kmem_cache;

/* A pageblock is what a huge page covers: 2 MiB, with one migrate type. */
#define PAGEBLOCK_ORDER		9
#define PAGEBLOCK_PAGES		(1UL << PAGEBLOCK_ORDER)
#define MAX_ORDER_PAGES		(1UL << MAX_PAGE_ORDER)

/* The longest run that is parked when it is freed, and what a zone parks in all. */
#define PARK_MAX_PAGES		64U
#define PARK_LIMIT_PAGES	256UL

/* The longest run that a CPU keeps for itself when it is freed, and how many. */
#define STOCK_MAX_PAGES		64UL
#define STOCK_RUNS		8U

enum page_type {
	PT_NONE,	/* inside a buddy block, or never used: what a fresh map says */
	PT_BUDDY,	/* head of a free block on a free list */
	PT_PCP,		/* head of a block in a per-CPU page list */
	PT_ALLOC,	/* head of a block from alloc_pages() and the like */
	PT_COMP,	/* head of a compound block */
	PT_LARGE,	/* head of a large object: an exact run of nr_pages */
	PT_SLAB,	/* head of a slab */
	PT_TAIL,	/* any further page of a compound block or slab */
	PT_ISOLATED,	/* head of a free block that is off the lists to be purged */
	PT_PARKED,	/* head of a free run of nr_pages, kept whole for the next of its length */
	PT_RCU,		/* head of an empty slab that waits for a grace period (slab_rcu.c) */
	PT_STOCK,	/* head of a free run of nr_pages in a CPU's stock (page_stock.c) */
	NR_PAGE_TYPES
};

enum migratetype {
	MIGRATE_UNMOVABLE,	/* slabs, and pages from the API */
	MIGRATE_MOVABLE,	/* large objects, and __GFP_MOVABLE */
	MIGRATE_RECLAIMABLE,	/* slabs of SLAB_RECLAIM_ACCOUNT caches, __GFP_RECLAIMABLE */
	MIGRATE_TYPES
};

/*
 * One cache line a page. The first half says what the page is. The second half
 * is this page's share of its slab's free bitmap: 4096 bytes hold at most 256
 * objects of 16 bytes, so a slab of n pages has 256 n bits in the struct pages
 * that it owns anyway, and an object's bit is next to nothing of the program's.
 *
 * type, order, zone of a head page: written by the page's owner of the moment
 * (the zone lock for PT_BUDDY and PT_ISOLATED); constant while it is in use.
 * type is written through page_set_type(): the buddy system looks at the type
 * of neighbours that are not its own, and acts only if it says PT_BUDDY, which
 * nobody writes without the zone lock.
 *
 * All pages of a block but the head are PT_NONE, those of compound blocks and
 * slabs PT_TAIL. Large objects and plain blocks have PT_NONE there because
 * writing a map entry for each page of a 100 MiB object would touch 1.6 MiB of
 * map. Whoever frees a block with tails makes them PT_NONE first; so a page
 * that is not a head now never carries the mark of an earlier life.
 */
struct page {
	u8 type;			/* enum page_type */
	u8 order;			/* of the block; PT_TAIL: unused; PT_LARGE: a mark, or 0 */
	u8 zone;			/* index into zones[]; set when the page becomes present */
	u8 migratetype;			/* PT_BUDDY: the free list it is on; in use: what was asked for */
	union {
		u32 refcount;		/* PT_ALLOC, PT_COMP: 1 after allocation; atomic */
		struct {
			u16 inuse;	/* PT_SLAB: objects not free in the bitmap; node lock */
			u16 home;	/* PT_SLAB: the CPU that last took from it; a hint */
		};
		u32 head_distance;	/* PT_TAIL: pages back to the head */
		u32 free_stamp;		/* PT_BUDDY: (u32)host_now_ms() when freed; zone lock */
		u32 known_zero;		/* PT_PCP: the content is zero; whose list it is on */
		u32 park_round;		/* PT_PARKED: zone->park_round when it was; zone lock */
	};
	union {
		struct {		/* PT_SLAB */
			struct kmem_cache *slab_cache;	/* constant */
			struct list_head slab_list;	/* a list of the node; node lock */
		};
		struct {		/* PT_BUDDY, zone lock; PT_ISOLATED, the purger */
			struct list_head buddy_list;	/* zone->free_area[order].free_list[] */
		};
		struct {		/* PT_LARGE, the object's owner; PT_PARKED, zone lock;
					   PT_STOCK, whoever has the slot's word */
			unsigned long nr_pages;
			union {
				unsigned long requested;	/* PT_LARGE: bytes asked for */
				struct list_head park_list;	/* zone->parked[nr_pages] */
			};
		};
	};
	union {
		unsigned long bitmap[4];	/* PT_SLAB and its tails: 1 = free; node lock */
		struct list_head lru;		/* PT_BUDDY: zone->dirty_lru, or empty; zone lock.
						   PT_PARKED: zone->parked_lru */
		struct {			/* PT_LARGE with pool.c's mark; pool and its lock */
			struct list_head pool_list;	/* pool->large */
			void *pool;			/* whose it is */
		};
	};
};

BUILD_BUG_ON(sizeof(struct page) != 64);

struct free_area {
	struct list_head free_list[MIGRATE_TYPES];
	unsigned long nr_free;		/* blocks, all types together */
};

struct zone {
	/* Constant once the zone is in zones[]. */
	char *base;
	unsigned long nr_pages;		/* reserved */
	struct page *memmap;
	u8 *slotmap;			/* per page: slot of the kmalloc cache whose slab it is, or 0 */
	unsigned long *dirty;		/* per page: may be resident and not zero; zone lock */
	u8 *pageblock_type;		/* per pageblock: enum migratetype; zone lock */
	unsigned long *free_max;	/* per 4 MiB: 1 = free as one block of the largest order; zone lock */
	unsigned int index;		/* in zones[] */
	int node;			/* NUMA node */
	int node_index;			/* and its place among the nodes (numa.h) */
	bool low;			/* below 4 GiB, for those who ask for it */

	struct kmem_lock lock;
	unsigned long nr_present;	/* pages committed and given to the buddy system */
	unsigned long nr_committed;	/* pages committed; >= nr_present */
	unsigned long nr_free;		/* pages on the free lists */
	unsigned long nr_dirty_free;	/* those of them whose dirty bit is set */
	struct list_head dirty_lru;	/* free blocks with a dirty page, the youngest first */
	struct free_area free_area[NR_PAGE_ORDERS];
	u32 free_mask[MIGRATE_TYPES];	/* bit o: free_area[o].free_list[type] is not empty */
	u32 stamp;			/* the latest free_stamp given; never goes back */
	unsigned long nr_isolated;	/* pages in PT_ISOLATED blocks; not in nr_free */
	unsigned long frontier_keep;	/* committed pages that the present request leaves (page_limit.c) */
	bool thrifty;			/* the present request would rather fail than have pages
					   faulted in: it has a stock to give back first */

	/* Large objects freed last, whole and dirty (page_park.c). */
	unsigned long nr_parked;	/* pages in them; not in nr_free, nr_dirty_free */
	unsigned long parked_mask;	/* bit n - 1: parked[n] is not empty; read without lock */
	struct list_head parked[PARK_MAX_PAGES + 1];	/* by length; the last freed first */
	struct list_head parked_lru;	/* all of them, the last freed first */
	u32 park_round;			/* zones_purge() calls */

	/*
	 * Claims: what a thread does to the zone without the lock. Set and
	 * cleared under it. growing: 1 while somebody commits memory behind
	 * nr_committed (2: and others wait for it); purging: how many threads
	 * hold PT_ISOLATED blocks.
	 */
	u32 growing;
	u32 purging;

	/* The most pages that were resident at once, and what that led to (page_reporting.c). */
	unsigned long resident_most;	/* or a little more; read without lock */
	u64 growth_purged;		/* the pages that this has purged, against the clock; zone lock */

	/* Statistics, zone lock. */
	unsigned long nr_purged;	/* pages given back to the system, ever */
	unsigned long nr_steals;	/* pageblocks or blocks taken from another type */
};

#define MAX_ZONES	64
/* NUMA nodes that are told apart; those of higher numbers count as node 0. */
#define MAX_NODES	16

extern struct zone *zones[MAX_ZONES] __kmem_internal;	/* [0, nr_zones); published with release */
extern unsigned int nr_zones __kmem_internal;

/* NUMA nodes in use, numbered from 0; constant after start-up. */
extern int nr_nodes __kmem_internal;

/* The system's page is 2^this of ours; constant. */
extern unsigned int host_page_order __kmem_internal;

/* ---- finding one's way ------------------------------------------------------- */

struct zone *zone_of_slow(const void *addr);

/* The zone that an address lies in (present pages only), or NULL. */
static inline struct zone *zone_of(const void *addr)
{
	struct zone *z = zones[0];

	if (likely(z && (unsigned long)((const char *)addr - z->base) >> PAGE_SHIFT <
			READ_ONCE(z->nr_present)))
		return z;
	return zone_of_slow(addr);
}

static inline struct zone *page_zone(const struct page *page)
{
	return zones[page->zone];
}

static inline unsigned long page_zpn(const struct zone *z, const struct page *page)
{
	return (unsigned long)(page - z->memmap);
}

static inline void *zone_page_address(const struct zone *z, const struct page *page)
{
	return z->base + (page_zpn(z, page) << PAGE_SHIFT);
}

static inline unsigned long zone_zpn(const struct zone *z, const void *addr)
{
	return (unsigned long)((const char *)addr - z->base) >> PAGE_SHIFT;
}

static inline void page_set_type(struct page *page, enum page_type type)
{
	WRITE_ONCE(page->type, (u8)type);
}

static inline struct page *page_head(struct page *page)
{
	return page->type == PT_TAIL ? page - page->head_distance : page;
}

/* ---- what the layers above ask of the page layer (page_alloc.c) -------------- */

/* Makes zones[0]; false when not even a small reservation is to be had. */
bool zones_init(void);
/*
 * Commits what the first request would: so that one which may not call the
 * kernel finds something, even if it is the first. No memory is touched.
 */
void zones_prepare(void);
/* Sets up the per-CPU page lists; needs magazine_init(). */
void page_alloc_init(void);

/*
 * A block for a slab: 2^@order pages, through the per-CPU lists where these
 * serve the order. The head's type, order, zone and migratetype are set
 * (PT_PCP until the caller makes it a slab); the tails are the caller's to
 * write. The content is undefined. NULL when there is no memory.
 */
struct page *alloc_slab_pages(unsigned int order, enum migratetype mt, gfp_t gfp);
/*
 * The reverse. Resets head and tails to PT_NONE; the caller has cleared the
 * slotmap.
 */
void free_slab_pages(struct page *page, unsigned int order);

/*
 * An exact run of @nr_pages >= 1 pages, of any length, its first page aligned
 * to @align_pages (a power of two; 1: none asked). The head is PT_LARGE with
 * nr_pages and requested (all of it) set; the other pages stay PT_NONE. With
 * __GFP_ZERO it is zero, and only pages that may not be are written. NULL when
 * there is no memory, or the alignment is above 32 GiB.
 */
struct page *alloc_large(unsigned long nr_pages, unsigned long align_pages, gfp_t gfp);
void free_large(struct page *head);
/*
 * Makes a large object longer or shorter where it stands: true when done,
 * nothing changed otherwise. With __GFP_ZERO added pages are zero. Shrinking
 * never fails. requested is the caller's to set.
 */
bool resize_large(struct page *head, unsigned long nr_pages, gfp_t gfp);
/*
 * Where resize_large() could not: makes it longer elsewhere, aligned as by alloc_large().
 * Its new head, or NULL and nothing changed. What it holds is copied. For runs of more
 * than STOCK_MAX_PAGES.
 */
struct page *regrow_large(struct page *head, unsigned long nr_pages, unsigned long align_pages,
			  gfp_t gfp);

/* ---- giving memory back (page_reporting.c) ------------------------------------ */

/*
 * Purges free dirty blocks that have been free for at least @min_age_ms,
 * the oldest first, at most @max_pages of them. Never under a lock.
 * Returns the pages purged.
 */
unsigned long zones_purge(unsigned int min_age_ms, unsigned long max_pages);
/*
 * So many clean pages went into use at once: purges as many free dirty ones, zone by zone,
 * the oldest first, as far as there are more than half of those in use. Context: no
 * lock held; makes system calls.
 */
void zones_offset(unsigned long nr_pages);
/*
 * More pages of the zone are resident than ever before: purges some that nobody wants, if there
 * are such. Context: no lock held; may make system calls.
 */
void zone_grown(struct zone *z);
/* Sends all parked runs to the free lists. */
void zones_unpark(void);
/* Free dirty pages in all zones, parked ones included; no lock, an estimate. */
unsigned long zones_dirty_free(void);
/* Sends the pages in the per-CPU page lists of all CPUs back to the zones. */
void page_alloc_drain(void);

/* Freed runs that the present CPU keeps (page_stock.c) go to the free lists; no system call. */
void stock_return(void);
/* Those of all CPUs do. Makes system calls. */
void stock_drain(void);

/*
 * Called, with no lock held but perhaps drain_mutex, after pages went back to a
 * zone that now has more than reclaim_threshold dirty free pages (parked ones
 * included): every time, so a reclaimer that is awake raises the threshold to
 * ULONG_MAX. It calls reclaim_kick_hook, which is NULL until the reclaimer
 * (vmscan.c) sets it.
 */
void reclaim_kick(void);
extern void (*reclaim_kick_hook)(void) __kmem_internal;
extern unsigned long reclaim_threshold __kmem_internal;	/* pages; READ_ONCE/WRITE_ONCE */

/* ---- fork ---------------------------------------------------------------------- */

/*
 * Takes zones_lock and every zone's lock, with no claim under way in any zone
 * (it waits for those), so that the child finds whole zones.
 */
void zones_fork_lock(void);
void zones_fork_unlock(void);
/* The depot locks of the per-CPU page lists: of the rank of the caches' own. */
void page_alloc_fork_lock(void);
void page_alloc_fork_unlock(void);

/* ---- checks ---------------------------------------------------------------------- */

/*
 * Every invariant of a zone: each free block is on the list of its order and
 * type, aligned, with its buddy not free at the same order; blocks tile the
 * present pages; nr_free, nr_dirty_free and free_max agree with a recount; the
 * dirty LRU holds just the free blocks with a dirty page, ordered by age.
 * Returns the number of violations, each printed. Takes the zone lock.
 */
long zone_validate(struct zone *z);
long zones_validate(void);

#endif /* MM_MMZONE_H */
