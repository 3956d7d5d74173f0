// SPDX-License-Identifier: MIT
/*
 * mmzone.c - zones: reserving their address space, committing it in steps,
 * adding further ones.
 *
 * Size of zones[0]. heap_reserve= if it is set. Else 64 times the memory that
 * the machine has, between 64 GiB and 16 TiB: enough that no program that fits
 * the machine ever fills it, even with holes; 16 TiB are an eighth of what a
 * process can address. Its maps take another 1.6 %. With
 * RLIMIT_AS a quarter of the limit, at least 32 MiB, for the limit counts
 * reservations and the program's own mappings need room, too. Sanitizers have
 * shadow mappings to fit in: 16 GiB. What is refused is halved down to 8 MiB.
 *
 * Further zones, where zones[0] turns out too short: twice the last one, or
 * what the request takes if that is more, halved on refusal down to what the
 * request takes. zones[] is filled from the front and never shrinks: zones_lock
 * covers the filling, readers take nr_zones with acquire, which pairs with the
 * release in zone_publish(), and find every zone below it complete. The
 * reservation is made before the lock is taken, and is given up if somebody
 * else has added a zone meanwhile: no system call under a lock.
 *
 * Committing. A zone's accessible part grows by max(8 MiB, an eighth of itself)
 * a step, heap and maps alike; a refused step is halved down to what is needed.
 * The call is made without the zone lock, under a claim:
 *
 *	lock; growing == 0 and nr_committed short of the target: growing = 1; unlock
 *	commit behind nr_committed		(only the claim's holder does that)
 *	lock; nr_committed = end; growing = 0; unlock; wake the waiters
 *
 * Others go on taking and freeing pages of the zone. Who needs more than there
 * is finds the claim taken, waits on the word and tries again from the start;
 * it never waits with a lock held, and the claim's holder takes no lock but the
 * zone's while it has it, so nobody can wait for his own doing. A commit that
 * was made but not entered (the claim's holder fails half way) is repeated by
 * the next one: committing twice does no harm.
 *
 * Order of publication: heap and maps are committed before nr_committed moves
 * (lock); nr_present and kmem_hot.heap_pages follow it, with release, when the
 * page layer has made a block of the pages. free()'s fast path reads the
 * slotmap of any address below heap_pages, so the map must be there before.
 *
 * Fork: zones_fork_lock() holds everything with no claim under way; else the
 * child would wait for a grower that does not exist in it, and would have lost
 * the blocks that a purger had taken off the lists.
 *
 * Locks: zones_lock, then zone->lock (lock.h).
 */
#include "mmzone.h"

#include "buddy.h"
#include "cmdline.h"
#include "host/host.h"
#include "memblock.h"
#include "numa.h"
#include "percpu.h"

#define ZONE_ALIGN		(PAGE_SIZE << MAX_PAGE_ORDER)
#define ZONE_MIN		(8UL << 20)
#define ZONE_MIN_LIMITED	(32UL << 20)
#define ZONE_AUTO_MIN		(64UL << 30)
#define ZONE_AUTO_MAX		(16UL << 40)
#define ZONE_SANITIZER_MAX	(16UL << 30)
#define ZONE_LOW_MAX		(1UL << 30)
#define GROW_MIN_PAGES		((8UL << 20) >> PAGE_SHIFT)

struct zone *zones[MAX_ZONES];
unsigned int nr_zones;
unsigned int host_page_order;

static struct zone first_zone;
static struct kmem_lock zones_lock = LOCK_INIT(RANK_ZONES);

/* ---- layout ------------------------------------------------------------------------ */

enum zone_map { MAP_MEMMAP, MAP_SLOTMAP, MAP_DIRTY, MAP_PAGEBLOCKS, MAP_FREE_MAX, NR_MAPS };

static unsigned long host_page_align(unsigned long bytes)
{
	return ALIGN(bytes, PAGE_SIZE << host_page_order);
}

/* Bytes of a map that describe the first @nr_pages pages (whole 4 MiB). */
static unsigned long map_bytes(enum zone_map map, unsigned long nr_pages)
{
	switch (map) {
	case MAP_MEMMAP:
		return nr_pages * sizeof(struct page);
	case MAP_SLOTMAP:
		return nr_pages;
	case MAP_DIRTY:
		return nr_pages / 8;
	case MAP_PAGEBLOCKS:
		return nr_pages / PAGEBLOCK_PAGES;
	default:
		/* One bit a block, read and written by words. */
		return ALIGN(nr_pages / MAX_ORDER_PAGES, BITS_PER_LONG) / 8;
	}
}

/* A reservation for @nr_pages pages: the heap, then the maps. */
static unsigned long zone_span(unsigned long nr_pages)
{
	unsigned long span = nr_pages << PAGE_SHIFT;

	for (enum zone_map map = 0; map < NR_MAPS; map++)
		span += host_page_align(map_bytes(map, nr_pages));
	return span;
}

/* Where a map of a reservation of @nr_pages from @base on begins. */
static char *map_start(char *base, unsigned long nr_pages, enum zone_map map)
{
	char *p = base + (nr_pages << PAGE_SHIFT);

	for (enum zone_map m = 0; m < map; m++)
		p += host_page_align(map_bytes(m, nr_pages));
	return p;
}

static char *map_base(const struct zone *z, enum zone_map map)
{
	switch (map) {
	case MAP_MEMMAP:
		return (char *)z->memmap;
	case MAP_SLOTMAP:
		return (char *)z->slotmap;
	case MAP_DIRTY:
		return (char *)z->dirty;
	case MAP_PAGEBLOCKS:
		return (char *)z->pageblock_type;
	default:
		return (char *)z->free_max;
	}
}

/*
 * Huge pages would make 2 MiB of a map, or of the heap of a program that uses
 * little, resident at the first touch. What is reserved and not committed is left
 * out of core files: the kernel would, but gdb's gcore writes it as zeros, which
 * fills any disk.
 */
static void advise_zone(char *base, unsigned long nr_pages)
{
	unsigned long heap = nr_pages << PAGE_SHIFT;
	unsigned long maps = zone_span(nr_pages) - heap;

	host_name(base, heap, "kmem-heap");
	host_name(base + heap, maps, "kmem-map");
	host_advise_huge(base, heap + maps, false);
	if (kmem_params.thp)
		host_advise_huge(base, heap, true);
	host_dump(base, heap + maps, false);
}

/* ---- making zones ---------------------------------------------------------------------- */

/* A zone that has the pages from @first on of a reservation of @whole pages. */
static void zone_setup(struct zone *z, char *base, unsigned long whole, unsigned long first,
		       unsigned long nr_pages, int node)
{
	z->base = base + (first << PAGE_SHIFT);
	z->nr_pages = nr_pages;
	z->memmap = (struct page *)map_start(base, whole, MAP_MEMMAP) + first;
	z->slotmap = (u8 *)map_start(base, whole, MAP_SLOTMAP) + first;
	z->dirty = (unsigned long *)map_start(base, whole, MAP_DIRTY) + first / BITS_PER_LONG;
	z->pageblock_type = (u8 *)map_start(base, whole, MAP_PAGEBLOCKS) + first / PAGEBLOCK_PAGES;
	z->free_max = (unsigned long *)map_start(base, whole, MAP_FREE_MAX) +
		      first / MAX_ORDER_PAGES / BITS_PER_LONG;
	z->node = node;
	z->node_index = numa_index(node);
	lock_init(&z->lock, RANK_ZONE);
	INIT_LIST_HEAD(&z->dirty_lru);
	INIT_LIST_HEAD(&z->parked_lru);
	for (unsigned int n = 0; n <= PARK_MAX_PAGES; n++)
		INIT_LIST_HEAD(&z->parked[n]);
	for (unsigned int o = 0; o < NR_PAGE_ORDERS; o++)
		for (unsigned int mt = 0; mt < MIGRATE_TYPES; mt++)
			INIT_LIST_HEAD(&z->free_area[o].free_list[mt]);
	numa_bind(z->base, nr_pages << PAGE_SHIFT, node);
}

/* Reserves a zone of @bytes, halved down to @min when refused. NULL: refused. */
static char *reserve_zone(unsigned long bytes, unsigned long min, unsigned long *nr_pages)
{
	for (;;) {
		unsigned long pages = ALIGN(bytes, ZONE_ALIGN) >> PAGE_SHIFT;
		char *base = host_reserve(zone_span(pages), ZONE_ALIGN);

		if (base) {
			*nr_pages = pages;
			return base;
		}
		if (bytes <= min)
			return NULL;
		bytes = max(bytes / 2, min);
	}
}

/* Makes a zone visible. zones_lock held, or nobody else there yet. */
static void zone_publish(struct zone *z)
{
	z->index = nr_zones;
	zones[nr_zones] = z;
	/* Pairs with the acquire loads of nr_zones: whoever sees it sees the zone. */
	smp_store_release(&nr_zones, nr_zones + 1);
}

static unsigned long limit_reservation(unsigned long bytes)
{
	size_t limit = host_address_limit();

#if defined(KMEM_TSAN) || defined(KMEM_ASAN)
	bytes = min(bytes, ZONE_SANITIZER_MAX);
#endif
	if (limit != SIZE_MAX)
		bytes = min(bytes, max((unsigned long)limit / 4, ZONE_MIN_LIMITED));
	return bytes;
}

static unsigned long first_zone_bytes(void)
{
	unsigned long bytes = kmem_params.heap_reserve;

	if (bytes)
		return min(bytes, ZONE_AUTO_MAX);
	bytes = min((unsigned long)host_memory_total(), ZONE_AUTO_MAX);
	bytes = clamp(roundup_pow_of_two(max(bytes, 1UL)) * 64, ZONE_AUTO_MIN, ZONE_AUTO_MAX);
	return limit_reservation(bytes);
}

/* So many pages of the first reservation are there. Zone lock, or start-up. */
static void heap_reaches(unsigned long nr_pages)
{
	smp_store_release(&kmem_hot.heap_pages, nr_pages);
	if (percpu.mode == PERCPU_RSEQ)
		smp_store_release(&kmem_hot.hit_pages, nr_pages);
}

/*
 * Divides the first reservation among the nodes. A node's part is a whole number of
 * words of every map. What is too small to divide, and a slotmap that the system
 * will not have accessible as a whole, make it one node.
 */
static void divide_zones(char *base, unsigned long nr_pages)
{
	unsigned long part = ALIGN_DOWN(nr_pages / (unsigned long)nr_nodes,
					MAX_ORDER_PAGES * BITS_PER_LONG);

	if (part == 0 || host_commit(map_start(base, nr_pages, MAP_SLOTMAP),
				     host_page_align(map_bytes(MAP_SLOTMAP, nr_pages)))) {
		numa_one_node();
		part = nr_pages;
	}
	for (int i = 0; i < nr_nodes; i++) {
		struct zone *z = i ? memblock_alloc(sizeof(*z)) : &first_zone;

		if (!z)
			break;	/* that node's memory comes from the others */
		zone_setup(z, base, nr_pages, (unsigned long)i * part, part, numa_node(i));
		zone_publish(z);
	}
	if (nr_nodes > 1)
		heap_reaches(nr_pages);
}

bool zones_init(void)
{
	unsigned long bytes, nr_pages;
	char *base;

	if (nr_zones)
		return true;
	host_page_order = ilog2_up(max(host_page_size() >> PAGE_SHIFT, 1UL));
	numa_init();
	bytes = first_zone_bytes();
	base = reserve_zone(bytes, min(bytes, ZONE_MIN), &nr_pages);
	if (!base)
		return false;
	advise_zone(base, nr_pages);
	kmem_hot.heap_base = base;
	if (nr_nodes > 1) {
		divide_zones(base, nr_pages);
	} else {
		zone_setup(&first_zone, base, nr_pages, 0, nr_pages, numa_node(0));
		zone_publish(&first_zone);
	}
	kmem_hot.slotmap = first_zone.slotmap;
	return true;
}

void zones_prepare(void)
{
	struct zone *z = zones[0];

	if (READ_ONCE(z->nr_committed) == 0)
		zone_grow(z, min(GROW_MIN_PAGES, z->nr_pages));
}

/* Makes a zone of a reservation visible, unless there are more than @seen by now. */
static void publish_or_drop(struct zone *z, char *base, unsigned long nr_pages, unsigned int seen)
{
	bool changed;

	lock(&zones_lock);
	changed = nr_zones != seen;
	if (!changed)
		zone_publish(z);
	unlock(&zones_lock);
	if (changed) {
		host_release(base, zone_span(nr_pages));
		memblock_free(z, sizeof(*z));
	}
}

bool zone_add(unsigned long n, unsigned long align, unsigned int seen, int node)
{
	/* Room for the run wherever the zone's start falls against @align. */
	unsigned long least = ALIGN(n, MAX_ORDER_PAGES) + (align > MAX_ORDER_PAGES ? align : 0);
	unsigned long bytes, nr_pages;
	struct zone *z;
	char *base;

	if (seen >= MAX_ZONES)
		return false;
	least = max(least << PAGE_SHIFT, ZONE_ALIGN);
	bytes = min(2 * (zones[seen - 1]->nr_pages << PAGE_SHIFT), ZONE_AUTO_MAX);
	bytes = max(limit_reservation(bytes), least);
	z = memblock_alloc(sizeof(*z));
	if (!z)
		return false;
	base = reserve_zone(bytes, least, &nr_pages);
	if (!base) {
		memblock_free(z, sizeof(*z));
		return false;
	}
	advise_zone(base, nr_pages);
	zone_setup(z, base, nr_pages, 0, nr_pages, node);
	publish_or_drop(z, base, nr_pages, seen);
	return true;
}

bool zone_add_low(unsigned int seen)
{
	unsigned long nr_pages = ZONE_LOW_MAX >> PAGE_SHIFT;
	char *base = NULL;
	struct zone *z;

	if (seen >= MAX_ZONES)
		return false;
	z = memblock_alloc(sizeof(*z));
	if (!z)
		return false;
	for (; !base && nr_pages >= ZONE_ALIGN >> PAGE_SHIFT; nr_pages /= 2) {
		base = host_reserve_low(zone_span(nr_pages));
		if (base)
			break;
	}
	if (!base) {
		memblock_free(z, sizeof(*z));
		return false;
	}
	advise_zone(base, nr_pages);
	zone_setup(z, base, nr_pages, 0, nr_pages, numa_node(0));
	z->low = true;
	publish_or_drop(z, base, nr_pages, seen);
	return true;
}

/* ---- growing ------------------------------------------------------------------------------ */

static bool commit_range(char *addr, unsigned long bytes)
{
	if (host_commit(addr, bytes))
		return false;
	host_dump(addr, bytes, true);
	return true;
}

/*
 * Commits the pages from @from on, heap and maps. Only the growing claim's holder.
 * A zone's part of a map may begin and end inside a page of the system's, which its
 * neighbour then commits as well: that does no harm.
 */
static bool commit_pages(const struct zone *z, unsigned long from, unsigned long n)
{
	unsigned long unit = PAGE_SIZE << host_page_order;

	for (enum zone_map map = 0; map < NR_MAPS; map++) {
		unsigned long base = (unsigned long)map_base(z, map);
		unsigned long done = ALIGN(base + map_bytes(map, from), unit);
		unsigned long want = ALIGN(base + map_bytes(map, from + n), unit);

		if (from == 0)
			done = ALIGN_DOWN(base, unit);
		if (want > done && !commit_range((char *)done, want - done))
			return false;
	}
	return commit_range(z->base + (from << PAGE_SHIFT), n << PAGE_SHIFT);
}

/* How far to commit first: generously, and no further than there is. */
static unsigned long grow_end(const struct zone *z, unsigned long from, unsigned long target)
{
	unsigned long step = max(GROW_MIN_PAGES, ALIGN(from / 8, MAX_ORDER_PAGES));

	return min(max(from + step, target), z->nr_pages);
}

/* Waits until nobody grows @z. Called with its lock held, and returns so. */
static void wait_for_grower(struct zone *z)
{
	while (z->growing) {
		WRITE_ONCE(z->growing, 2);
		unlock(&z->lock);
		host_futex_wait(&z->growing, 2);
		lock(&z->lock);
	}
}

bool zone_grow(struct zone *z, unsigned long target)
{
	unsigned long from, end;
	u32 waiters;
	bool ok;

	VM_BUG_ON(target > z->nr_pages || target % MAX_ORDER_PAGES);
	lock(&z->lock);
	wait_for_grower(z);
	from = z->nr_committed;
	if (target <= from) {
		unlock(&z->lock);
		return true;
	}
	WRITE_ONCE(z->growing, 1);
	unlock(&z->lock);

	end = grow_end(z, from, target);
	while (!(ok = commit_pages(z, from, end - from)) && end > target)
		end = max(target, from + ALIGN((end - from) / 2, MAX_ORDER_PAGES));

	lock(&z->lock);
	if (ok)
		z->nr_committed = end;
	waiters = z->growing;
	WRITE_ONCE(z->growing, 0);
	unlock(&z->lock);
	if (waiters == 2)
		host_futex_wake(&z->growing, INT32_MAX);
	return ok;
}

void zone_set_present(struct zone *z, unsigned long nr_present)
{
	/*
	 * Release: who sees the new end finds the maps behind it. Pairs with
	 * nothing stronger than address dependency in free(): an address in
	 * the new part cannot be known to anyone before it was handed out.
	 */
	smp_store_release(&z->nr_present, nr_present);
	if (z == &first_zone && nr_nodes == 1)
		heap_reaches(nr_present);
}

struct zone *zone_of_slow(const void *addr)
{
	unsigned int n = smp_load_acquire(&nr_zones);

	for (unsigned int i = 0; i < n; i++) {
		struct zone *z = zones[i];

		if (zone_zpn(z, addr) < READ_ONCE(z->nr_present))
			return z;
	}
	return NULL;
}

/* ---- fork ------------------------------------------------------------------------------------ */

void zones_fork_lock(void)
{
	lock_fork(&zones_lock);
	for (unsigned int i = 0; i < nr_zones; i++) {
		struct zone *z = zones[i];

		lock_fork(&z->lock);
		while (z->growing || z->purging) {
			u32 purging = z->purging;

			wait_for_grower(z);
			unlock(&z->lock);
			/* Purging takes milliseconds at most and wakes nobody. */
			if (purging)
				host_futex_wait_ms(&z->purging, purging, 1);
			lock_fork(&z->lock);
		}
	}
}

void zones_fork_unlock(void)
{
	for (unsigned int i = nr_zones; i-- > 0; )
		unlock(&zones[i]->lock);
	unlock(&zones_lock);
}
