// SPDX-License-Identifier: MIT
/*
 * page_park.c - large objects that were freed last, kept as they are.
 *
 * Freeing a run of 25 pages merges it with its rest into a block of up to
 * 4 MiB, and taking it again splits that block into eight pieces: 200 ns for
 * the pair, where a program that allocates and frees a 100 KiB buffer in a loop
 * needs none of it. So runs of up to PARK_MAX_PAGES are parked when they are
 * freed, and the next request for exactly that length takes the one parked last,
 * whose pages are warmest.
 *
 * It must not cost memory: a zone parks PARK_LIMIT_PAGES (1 MiB) in all, the
 * longest parked making room for the next; a zone that would have to extend its
 * frontier, or that is asked for more than 4 MiB, frees them all first; and so
 * does the reclaimer with those that it has met before (unpark_old).
 *
 * Only zones[0] parks, since requests look there first. Only movable runs (all
 * large objects are), so that a parked run is right for any request for large
 * objects.
 *
 * Parked pages are neither on the free lists nor in their counts. Their dirty
 * bits are set.
 *
 * Locking: the zone lock is held throughout. parked_mask is also read without
 * it, as a hint: a request that misses a run that has just been parked, or takes
 * the lock in vain, is none the worse for it.
 */
#include "buddy.h"

static void unpark(struct zone *z, struct page *page)
{
	unsigned long n = page->nr_pages;

	list_del(&page->park_list);
	list_del(&page->lru);
	if (list_empty(&z->parked[n]))
		WRITE_ONCE(z->parked_mask, z->parked_mask & ~BIT(n - 1));
	stat_add_locked(z->nr_parked, -n);
	page_set_type(page, PT_NONE);
}

static struct page *longest_parked(struct zone *z)
{
	return list_last_entry(&z->parked_lru, struct page, lru);
}

bool park_run(struct zone *z, struct page *page, unsigned long n, u32 now)
{
	if (n > PARK_MAX_PAGES || z != zones[0])
		return false;
	while (z->nr_parked + n > PARK_LIMIT_PAGES)
		unpark_free(z, longest_parked(z), now);
	page->nr_pages = n;
	page->park_round = z->park_round;
	list_add(&page->park_list, &z->parked[n]);
	list_add(&page->lru, &z->parked_lru);
	WRITE_ONCE(z->parked_mask, z->parked_mask | BIT(n - 1));
	stat_add_locked(z->nr_parked, n);
	page_set_type(page, PT_PARKED);
	return true;
}

struct page *unpark_run(struct zone *z, unsigned long n, unsigned long align)
{
	struct page *page;

	if (list_empty(&z->parked[n]))
		return NULL;
	page = list_first_entry(&z->parked[n], struct page, park_list);
	if (!IS_ALIGNED((unsigned long)zone_page_address(z, page), align << PAGE_SHIFT))
		return NULL;
	unpark(z, page);
	return page;
}

void unpark_free(struct zone *z, struct page *page, u32 now)
{
	unsigned long start = page_zpn(z, page), n = page->nr_pages;

	unpark(z, page);
	buddy_free(z, start, start + n, now);
}

void unpark_all(struct zone *z)
{
	while (!list_empty(&z->parked_lru))
		unpark_free(z, longest_parked(z), z->stamp);
}

void unpark_old(struct zone *z, u32 now)
{
	/* Rounds never decrease along the list from its end. */
	while (!list_empty(&z->parked_lru) && longest_parked(z)->park_round != z->park_round)
		unpark_free(z, longest_parked(z), now);
	z->park_round++;
}
