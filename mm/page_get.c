// SPDX-License-Identifier: MIT
/*
 * page_get.c - the ladder of a request for a run of pages, zone by zone.
 *
 *	free lists		of the zones of the wanted node
 *	grow a zone		of that node: commit more of its reservation (1)
 *	add a zone		for that node: reserve more address space (1)
 *	other nodes		the same two, the next node first, without __GFP_THISNODE
 *	reclaim			shrinkers; then per-CPU caches and empty slabs (1)
 *	give up			or start again: how often, the flags say (page_limit.c)
 *
 *	(1) with __GFP_DIRECT_RECLAIM; without it a request makes no system call
 *
 * Where a limit is set, whether the pages may be used at all is asked before the
 * free lists are (page_charge()), and that is where a request reclaims at the limit.
 *
 * Zones. A request for low memory (__GFP_DMA, __GFP_DMA32) is served by low zones
 * alone, whatever their node; the first is made when somebody asks for one. Where
 * there is no room for one below 4 GiB, there is no such kind of memory, and the
 * flags mean nothing, as in a kernel built without these zones. All other requests
 * pass low zones by.
 *
 * Locks: none is held on entry; the zone lock, alone.
 */
#include "buddy.h"
#include "host/host.h"
#include "numa.h"
#include "page_limit.h"
#include "page_nolock.h"
#include "start.h"

/* A GiB. From here on it does not matter what it costs to ask how much memory there is. */
#define HUGE_RUN_PAGES	(1UL << (30 - PAGE_SHIFT))

/* Set when a low zone could not be made: not tried again. */
static bool no_low_zone;

/* Where a request is to be served. */
struct place {
	unsigned int n;		/* zones that there are */
	bool low;
	int node;
	bool only;		/* on that node or nowhere */
};

static bool zone_fits(const struct zone *z, const struct place *p, int node)
{
	return z->low == p->low && (p->low || z->node == node);
}

/* The wanted node, then those after it, around the circle: i from 0 to nr_nodes - 1. */
static int nth_node(const struct place *p, int i)
{
	int at = 0;

	while (at < nr_nodes - 1 && numa_node(at) != p->node)
		at++;
	return numa_node((at + i) % nr_nodes);
}

static unsigned int nr_candidates(const struct place *p)
{
	return p->low || p->only ? 1 : (unsigned int)nr_nodes;
}

/* The free lists of a node's zones. On success with the zone's lock held. */
static struct page *take_from_node(const struct run_request *r, const struct place *p, int node,
				   struct zone **zp)
{
	unsigned long keep = frontier_keep(r->gfp);

	for (unsigned int i = 0; i < p->n; i++) {
		struct zone *z = zones[i];
		struct page *page;

		if (!zone_fits(z, p, node))
			continue;
		lock(&z->lock);
		z->frontier_keep = keep;
		page = buddy_take(z, r->nr_pages, r->align, r->mt);
		if (likely(page)) {
			*zp = z;
			return page;
		}
		unlock(&z->lock);
	}
	return NULL;
}

/* Makes room for a request on a node. True: try again. */
static bool grow_node(const struct run_request *r, const struct place *p, int node)
{
	unsigned long keep = frontier_keep(r->gfp);

	for (unsigned int i = 0; i < p->n; i++) {
		struct zone *z = zones[i];
		unsigned long target;

		if (!zone_fits(z, p, node))
			continue;
		lock(&z->lock);
		target = buddy_target(z, r->nr_pages, r->align) + keep;
		unlock(&z->lock);
		/* Memory that is refused here will be refused in a new zone, too. */
		if (target <= z->nr_pages) {
			if (READ_ONCE(z->nr_present))
				page_limits_learn();
			return zone_grow(z, target);
		}
	}
	return !p->low && zone_add(r->nr_pages + keep, r->align, p->n, node);
}

/* Free lists and growth, from the wanted node on. *@again: something has grown. */
static struct page *take_or_grow(const struct run_request *r, const struct place *p,
				 struct zone **zp, bool *again)
{
	*again = false;
	for (unsigned int i = 0; i < nr_candidates(p); i++) {
		int node = nth_node(p, (int)i);
		struct page *page = take_from_node(r, p, node, zp);

		if (!page && !p->low && stock_held()) {
			stock_return();
			page = take_from_node(r, p, node, zp);
		}
		if (page)
			return page;
		if (gfpflags_allow_blocking(r->gfp) && grow_node(r, p, node)) {
			*again = true;
			return NULL;
		}
	}
	return NULL;
}

/* Whether there is a low zone, or can be one: else such requests are like any other. */
static bool want_low(gfp_t gfp, unsigned int n)
{
	if (likely(!(gfp & GFP_LOW)) || READ_ONCE(no_low_zone))
		return false;
	for (unsigned int i = 0; i < n; i++)
		if (zones[i]->low)
			return true;
	if (!gfpflags_allow_blocking(gfp))
		return true;	/* nothing is at hand */
	if (zone_add_low(n))
		return true;
	WRITE_ONCE(no_low_zone, true);
	return false;
}

bool run_impossible(unsigned long nr_pages, gfp_t gfp)
{
	if (nr_pages > MAX_RUN_PAGES)
		return true;
	return unlikely(nr_pages > HUGE_RUN_PAGES) && gfpflags_allow_blocking(gfp) &&
	       !kmem_params.sandbox && nr_pages > host_commit_limit() >> PAGE_SHIFT;
}

static noinline struct page *run_get_slow(const struct run_request *r, struct zone **zp)
{
	struct run_request req = *r;
	unsigned int rounds = 0;

	if (r->align > MAX_RUN_PAGES || run_impossible(r->nr_pages, r->gfp))
		return NULL;
	if (gfpflags_allow_blocking(r->gfp))
		page_nolock_drain();
	for (;;) {
		struct place p = { .n = smp_load_acquire(&nr_zones) };
		struct page *page;
		bool again;

		if (unlikely(!p.n)) {
			/* The first request of a program comes before start-up. */
			if (!mm_init())
				return NULL;
			continue;
		}
		p.low = want_low(req.gfp, p.n);
		p.n = smp_load_acquire(&nr_zones);
		p.node = numa_wanted_node();
		p.only = (req.gfp & __GFP_THISNODE) != 0;
		page = take_or_grow(&req, &p, zp, &again);
		if (page)
			return page;
		if (again)
			continue;
		if (!reclaim_and_retry(req.gfp, req.nr_pages, req.nr_pages, &rounds))
			return NULL;
		/* What is to succeed in the end may have a part of the reserves. */
		if (req.gfp & __GFP_NOFAIL)
			req.gfp |= __GFP_HIGH;
	}
}

/* Mostly the first zone has it. This CPU's stock goes back before more memory is used. */
static struct page *run_get_plain(const struct run_request *r, struct zone **zp)
{
	struct zone *z = zones[0];
	struct page *page;

	if (unlikely(!z || max(r->nr_pages, r->align) > MAX_ORDER_PAGES))
		return run_get_slow(r, zp);
	for (bool thrifty = stock_held(); ; thrifty = false) {
		lock(&z->lock);
		z->thrifty = thrifty;
		page = buddy_take(z, r->nr_pages, r->align, r->mt);
		z->thrifty = false;
		if (likely(page)) {
			*zp = z;
			return page;
		}
		unlock(&z->lock);
		if (!thrifty)
			return run_get_slow(r, zp);
		stock_return();
	}
}

/* With limits, reserves or nodes; and the requests that put reserves or low zones there. */
static noinline struct page *run_get_watched(const struct run_request *r, struct zone **zp,
					     unsigned int watch)
{
	struct page *page;

	if (r->gfp & (__GFP_HIGH | __GFP_MEMALLOC))
		page_reserve_arm();
	if (!(watch & WATCH_HARD)) {
		page_check_soft(r->nr_pages, r->gfp);
		return (watch & ~WATCH_SOFT) || (r->gfp & GFP_LOW) ? run_get_slow(r, zp) :
								     run_get_plain(r, zp);
	}
	if (!page_charge(r->nr_pages, r->gfp))
		return NULL;
	page = run_get_slow(r, zp);
	page_uncharge(r->nr_pages);
	return page;
}

struct page *run_get(const struct run_request *r, struct zone **zp)
{
	unsigned int watch = READ_ONCE(page_watch);
	struct page *page;

	if (unlikely(watch || (r->gfp & (__GFP_HIGH | __GFP_MEMALLOC | GFP_LOW))))
		page = run_get_watched(r, zp, watch);
	else
		page = run_get_plain(r, zp);
	if (unlikely(!page))
		warn_alloc(r->gfp, r->nr_pages);
	return page;
}
