// SPDX-License-Identifier: MIT
/*
 * page_nolock.c - pages for code that may have interrupted anything: a signal
 * handler, above all, that came while its thread held one of our locks.
 *
 *	alloc	loaded magazine -> depot -> free lists, each lock only tried
 *	free	loaded magazine -> the deferred blocks, an atomic list
 *
 * Nothing is waited for, so nothing can be waited for that waits for us. A section
 * on magazines that was interrupted starts over (percpu.h); a lock that is held,
 * by the interrupted thread or by any other, counts as "nothing there".
 *
 * Deferred blocks are PT_PCP, in nobody's hands, linked by their first word. They
 * go home when a request of another kind finds its page list empty, and when the
 * reclaimer empties the lists. The list is pushed to by compare-and-swap and taken as
 * a whole, so a block that comes back meanwhile does no harm.
 *
 * With a hard limit the free lists are not tried: whether there is room below it
 * is known only with the zones locked.
 */
#include "buddy.h"
#include "numa.h"
#include "page_limit.h"
#include "page_nolock.h"

static struct page *deferred;		/* atomic */

/* ---- deferred blocks ----------------------------------------------------------------- */

static void defer(struct page *page)
{
	struct page **next = page_address(page), *head = READ_ONCE(deferred);

	do {
		*next = head;
	} while (!__atomic_compare_exchange_n(&deferred, &head, page, false,
					      __ATOMIC_RELEASE, __ATOMIC_RELAXED));
}

void page_nolock_drain(void)
{
	struct page *page;

	if (likely(!READ_ONCE(deferred)))
		return;
	/* Pairs with defer(): the links are there. */
	page = __atomic_exchange_n(&deferred, NULL, __ATOMIC_ACQUIRE);
	while (page) {
		struct page *next = *(struct page **)page_address(page);

		page_free_block(page, page->order);
		page = next;
	}
}

/* ---- allocation ------------------------------------------------------------------------ */

static struct page *take_from_zones(unsigned int order, int node)
{
	unsigned int n = READ_ONCE(page_watch) & WATCH_HARD ? 0 : smp_load_acquire(&nr_zones);
	unsigned long size = 1UL << order;

	for (unsigned int i = 0; i < n; i++) {
		struct zone *z = zones[i];
		struct page *page;

		if (z->low || (nr_nodes > 1 && z->node != node) || !trylock(&z->lock))
			continue;
		z->frontier_keep = frontier_keep(GFP_NOWAIT);
		page = buddy_take(z, size, size, MIGRATE_UNMOVABLE);
		if (!page) {
			unlock(&z->lock);
			continue;
		}
		page_set_pcp(z, page, order, MIGRATE_UNMOVABLE);
		/* At most 1024 pages: it will not lock the zone again. */
		run_finish(z, page_zpn(z, page), size, __GFP_ZERO);
		return page;
	}
	return NULL;
}

static struct page *take_block(unsigned int order, int node)
{
	struct page *page;

	if (order < NR_PCP_ORDERS && node == numa_wanted_node()) {
		page = magazine_alloc_nolock(&pcp_lists[order][MIGRATE_UNMOVABLE].mag);
		if (page && !page->known_zero)
			__builtin_memset(page_address(page), 0, PAGE_SIZE << order);
		if (page)
			return page;
	}
	return take_from_zones(order, node);
}

__kmem_export struct page *alloc_pages_nolock(gfp_t gfp, int nid, unsigned int order)
{
	struct page *page;

	if (order > MAX_PAGE_ORDER || !READ_ONCE(nr_zones))
		return NULL;
	if (WARN_ONCE(gfp & ~__GFP_ACCOUNT, "alloc_pages_nolock: flags %#x mean nothing here",
		      gfp & ~__GFP_ACCOUNT))
		return NULL;
	page = take_block(order, nid == NUMA_NO_NODE || !numa_has_node(nid) ?
			  numa_wanted_node() : nid);
	if (!page)
		return NULL;
	if (unlikely(kmem_params.init_on_alloc))
		clear_pages(page_address(page), 1UL << order, false);
	page->refcount = 1;
	page_set_compound(page, order);
	return page;
}

/* ---- freeing ----------------------------------------------------------------------------- */

static void free_block(struct page *page, unsigned int order)
{
	page->order = (u8)order;
	page->known_zero = 0;
	page_set_type(page, PT_PCP);
	if (order >= NR_PCP_ORDERS || !numa_zone_is_near(page_zone(page)) ||
	    !magazine_free_nolock(&pcp_lists[order][page->migratetype].mag, page))
		defer(page);
}

__kmem_export void free_pages_nolock(struct page *page, unsigned int order)
{
	if (page)
		page_drop(page, order, free_block);
}
