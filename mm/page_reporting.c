// SPDX-License-Identifier: MIT
/*
 * page_reporting.c - telling the system which pages are not needed.
 *
 * Free pages that may be resident are dirty (buddy.c); purging takes the oldest
 * of their blocks and gives the memory back:
 *
 *	lock		the oldest blocks, up to PURGE_BLOCKS or PURGE_PAGES, leave
 *			the lists as PT_ISOLATED; their dirty bits are copied
 *	unlock
 *			host_purge() on every run of dirty pages
 *	lock		the bits of what went are cleared; the blocks go back, merging
 *	unlock
 *
 * While they are isolated nobody else can take the pages, touch their map
 * entries or change their bits: the purger owns them without holding a lock.
 * zone->purging counts such purgers, for fork (mmzone.c).
 *
 * The system's page may be larger than ours. Only blocks of its size or larger
 * are on dirty_lru, and they are aligned to it, so a run is rounded outward:
 * the clean pages that this adds belong to the same free block and are zero
 * before and after.
 *
 * purge=free (MADV_FREE) takes its time: the page keeps its old content until
 * the system wants it. Its bit is cleared all the same, for it need not be
 * purged again; clean pages then count as unknown, not as zero (clean_is_zero()).
 *
 * A purge that the system refuses leaves the bits set; the block counts as
 * freed now, and this call gives up, so nobody spins on what will not go.
 *
 * An object that grows by realloc leaves behind what is too short for what it needs
 * next, or grows into the frontier with free pages in front of it: within a decay time
 * three times what is in use would be resident. One that grows by megabytes of clean
 * pages has as many others purged, beyond half of what is in use (zones_offset()). What
 * is allocated and freed without growing is left to the reclaimer: where lengths change
 * all the time, the next request would fault in what this one had purged.
 *
 * The heap as a whole may grow beside free pages, too: they lie between long-lived objects, or
 * in pieces that are too short. So whoever makes more of a zone resident than has ever been
 * has as many pages purged that nobody has wanted for a moment, a fiftieth of the decay time
 * (zone_grown()). At most four a millisecond and zone on the mean, or a program whose phases each
 * want what the one before left would spend its time in faults: a page that is purged in
 * vain costs 3 us. Whatever the program does, that is 1 % of one CPU. What an object that grows
 * by megabytes has purged comes on top.
 *
 * Locks: zone->lock, dropped around every system call.
 */
#include "buddy.h"
#include "host/host.h"
#include "page_limit.h"
#include "task.h"

/* A batch is bounded by what the stack takes (2.5 KiB) and by how long 8 MiB are missed. */
#define PURGE_BLOCKS	16
#define PURGE_PAGES	2048UL

struct purge_block {
	struct page *page;
	unsigned long dirty[MAX_ORDER_PAGES / BITS_PER_LONG];	/* bit 0: its first page */
};

struct purge_batch {
	unsigned int nr;
	unsigned long nr_pages;		/* dirty ones */
	bool refused;
	struct purge_block block[PURGE_BLOCKS];
};

void (*reclaim_kick_hook)(void);
unsigned long reclaim_threshold = 384;

void reclaim_kick(void)
{
	void (*hook)(void) = READ_ONCE(reclaim_kick_hook);

	/* A request that may not call the kernel leaves this to the next free. */
	if (hook && likely(task_may_wait()))
		hook();
}

/* Copies the dirty bits of 2^@order pages, aligned to their size, from @start on. */
static void copy_bits(unsigned long *to, const unsigned long *map, unsigned long start,
		      unsigned int order)
{
	if (order < 6) {
		to[0] = map[start / 64] >> (start % 64) & (BIT(1U << order) - 1);
		return;
	}
	for (unsigned long w = 0; w < 1UL << (order - 6); w++)
		to[w] = map[start / 64 + w];
}

static bool old_enough(const struct page *page, u32 now, unsigned int min_age_ms)
{
	return !min_age_ms || (int)(now - page->free_stamp) >= (int)min_age_ms;
}

/* Isolates the oldest blocks. Zone lock held. */
static void batch_collect(struct zone *z, struct purge_batch *b, u32 now,
			  unsigned int min_age_ms, unsigned long max_pages)
{
	b->nr = 0;
	b->nr_pages = 0;
	b->refused = false;
	while (b->nr < PURGE_BLOCKS && b->nr_pages < max_pages &&
	       !list_empty(&z->dirty_lru)) {
		struct purge_block *pb = &b->block[b->nr];
		unsigned long before = z->nr_dirty_free;

		pb->page = list_last_entry(&z->dirty_lru, struct page, lru);
		if (!old_enough(pb->page, now, min_age_ms))
			break;
		copy_bits(pb->dirty, z->dirty, page_zpn(z, pb->page), pb->page->order);
		buddy_isolate(z, pb->page);
		b->nr_pages += before - z->nr_dirty_free;
		b->nr++;
	}
}

/* Purges a block's dirty runs; what is refused keeps its bits. No lock held. */
static void purge_block(const struct zone *z, struct purge_block *pb, bool *refused)
{
	unsigned long size = 1UL << pb->page->order, unit = 1UL << host_page_order;
	char *base = zone_page_address(z, pb->page);
	unsigned long p = 0;

	while ((p = bitmap_find(pb->dirty, true, p, size)) < size) {
		unsigned long end = bitmap_find(pb->dirty, false, p, size);

		p = ALIGN_DOWN(p, unit);
		end = ALIGN(end, unit);
		if (host_purge(base + (p << PAGE_SHIFT), (end - p) << PAGE_SHIFT,
			       kmem_params.purge_lazy))
			*refused = true;
		else
			bitmap_clear_range(pb->dirty, p, end);
		p = end;
	}
}

/*
 * A free block of the largest order that is wholly clean needs one entry of the
 * page map, its head's: the others say PT_NONE, which is zero, so their memory
 * can go as well (15 pages of 16; a heap that is given back would otherwise
 * leave 1.6 % behind). Not in later zones, whose entries carry a zone number.
 */
static void purge_map(const struct zone *z, const struct purge_block *pb)
{
	unsigned long host_page = PAGE_SIZE << host_page_order;
	char *from = (char *)ALIGN((unsigned long)(pb->page + 1), host_page);
	char *to = (char *)(pb->page + MAX_ORDER_PAGES);

	if (z->index == 0 && pb->page->order == MAX_PAGE_ORDER && from < to)
		host_purge(from, (size_t)(to - from), false);
}

/* Puts a block back, its bits as they are now. Zone lock held. */
static unsigned long block_return(struct zone *z, const struct purge_block *pb)
{
	unsigned long start = page_zpn(z, pb->page), size = 1UL << pb->page->order;
	unsigned long before = bitmap_weight_range(z->dirty, start, start + size);
	unsigned long left = bitmap_weight_range(pb->dirty, 0, size);

	bitmap_clear_range(z->dirty, start, start + size);
	for (unsigned long p = 0; left && p < size; p++)
		if (test_bit(pb->dirty, p))
			__set_bit(z->dirty, start + p);
	buddy_putback(z, pb->page);
	return before - left;
}

/* One batch of a zone. Returns the pages purged; *@more: whether to come again. */
static unsigned long purge_batch(struct zone *z, unsigned int min_age_ms,
				 unsigned long max_pages, bool *more)
{
	struct purge_batch b;
	unsigned long purged = 0;
	u32 now = (u32)host_now_ms();

	lock(&z->lock);
	batch_collect(z, &b, now, min_age_ms, min(max_pages, PURGE_PAGES));
	if (b.nr)
		WRITE_ONCE(z->purging, z->purging + 1);
	unlock(&z->lock);
	*more = false;
	if (!b.nr)
		return 0;

	for (unsigned int i = 0; i < b.nr && !b.refused; i++) {
		purge_block(z, &b.block[i], &b.refused);
		if (!b.refused)
			purge_map(z, &b.block[i]);
	}

	lock(&z->lock);
	for (unsigned int i = 0; i < b.nr; i++)
		purged += block_return(z, &b.block[i]);
	z->nr_purged += purged;
	WRITE_ONCE(z->purging, z->purging - 1);
	unlock(&z->lock);
	*more = !b.refused;
	return purged;
}

/* Parked runs join the free lists when they are old, or now if all are to go. */
static void release_parked(struct zone *z, unsigned int min_age_ms)
{
	u32 now = (u32)host_now_ms();

	lock(&z->lock);
	if (min_age_ms)
		unpark_old(z, now);
	else
		unpark_all(z);
	unlock(&z->lock);
}

unsigned long zones_purge(unsigned int min_age_ms, unsigned long max_pages)
{
	unsigned int n = smp_load_acquire(&nr_zones);
	unsigned long purged = 0;

	for (unsigned int i = 0; i < n; i++) {
		bool more = true;

		release_parked(zones[i], min_age_ms);
		while (more && purged < max_pages)
			purged += purge_batch(zones[i], min_age_ms, max_pages - purged, &more);
	}
	return purged;
}

/* Part by part, each compared anew: other threads may be here, too. */
void zones_offset(unsigned long nr_pages)
{
	unsigned long purged = clean_is_zero();	/* MADV_FREE would win nothing */

	while (nr_pages && purged) {
		unsigned long spare = pages_used_estimate() / 2, dirty = zones_dirty_free();

		if (dirty <= spare)
			return;
		purged = zones_purge(0, min(min(nr_pages, dirty - spare), PURGE_PAGES));
		nr_pages -= min(nr_pages, purged);
	}
}

/*
 * What stays: 1 MiB, or a sixteenth of what is in use, but for the last block, which goes as a
 * whole. Where nothing is to be purged, or nothing has been free for long enough, the zone may
 * grow, by steps: in between nobody comes here.
 */
#define GROWTH_STEP		64UL
#define GROWTH_SPARE		256UL
#define GROWTH_SPARE_SHARE	16
/* How fast it purges; what it has not used of that it may make up for. */
#define GROWTH_PURGE_PER_MS	4
#define GROWTH_PURGE_MAX	1024UL
/* For how long nobody has wanted what it purges: of the decay time. */
#define GROWTH_AGE_SHARE	50

/* Zone lock. */
static void growth_allow(struct zone *z)
{
	WRITE_ONCE(z->resident_most, zone_resident(z) + GROWTH_STEP);
}

/*
 * How many pages to purge for the zone's growth, which are accounted for already; 0: none, it
 * may grow. @clock: pages that might have been purged until now. growth_purged follows it, by
 * those that were and by what it is too far behind. Zone lock.
 */
static unsigned long growth_excess(struct zone *z, u64 clock)
{
	unsigned long resident = zone_resident(z), dirty = z->nr_dirty_free;
	unsigned long spare = max(GROWTH_SPARE, (resident - dirty) / GROWTH_SPARE_SHARE);
	unsigned long grown = resident - z->resident_most, excess;
	u64 purged = max(z->growth_purged, clock - min(clock, (u64)GROWTH_PURGE_MAX));

	if ((long)grown <= 0)
		return 0;	/* somebody else was here */
	if (dirty < spare + GROWTH_STEP || clock < purged + GROWTH_STEP || !clean_is_zero()) {
		growth_allow(z);
		return 0;
	}
	excess = min(min(dirty - spare, grown + GROWTH_STEP), (unsigned long)(clock - purged));
	z->growth_purged = purged + excess;
	return excess;
}

void zone_grown(struct zone *z)
{
	/* With little to purge the zone may grow at any time: small programs never ask for it. */
	bool little = READ_ONCE(z->nr_dirty_free) < GROWTH_SPARE + GROWTH_STEP;
	u64 clock = little ? 0 : host_now_ms() * GROWTH_PURGE_PER_MS;
	unsigned long excess, purged;
	bool more;

	lock(&z->lock);
	excess = growth_excess(z, clock);
	unlock(&z->lock);
	if (!excess)
		return;
	purged = purge_batch(z, kmem_params.decay_ms / GROWTH_AGE_SHARE, excess, &more);
	lock(&z->lock);
	z->growth_purged += purged - excess;
	if (!purged)
		growth_allow(z);
	unlock(&z->lock);
}

void zones_unpark(void)
{
	unsigned int n = smp_load_acquire(&nr_zones);

	for (unsigned int i = 0; i < n; i++)
		release_parked(zones[i], 0);
}

unsigned long zones_dirty_free(void)
{
	unsigned int n = smp_load_acquire(&nr_zones);
	unsigned long pages = 0;

	for (unsigned int i = 0; i < n; i++)
		pages += zone_dirty_pages(zones[i]);
	return pages;
}
