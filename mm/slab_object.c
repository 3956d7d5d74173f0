// SPDX-License-Identifier: MIT
/*
 * slab_object.c - a cache's callbacks: making the objects of a slab, unmaking them,
 * and asking the owner for objects back.
 *
 * An object is made when its slab is, and unmade when its slab is released: between
 * them it goes in and out of use in constructed state, and the hit path knows of
 * nothing. A constructor that fails fails the slab; the objects made so far are
 * unmade. Both run with no lock of theirs held by the slab layer, but a destructor
 * may run under slab_mutex (a cache is destroyed, the reclaimer looks around): it may
 * allocate and free, and must not create, shrink or destroy caches.
 *
 * Owners to ask are on a list of their own. While one is asked it is pinned, with no
 * lock held; its cache's destruction waits for that.
 *
 * Lock: reapers_lock (RANK_RECLAIM), around the list and the pins.
 */
#include "slab.h"

#include "base/bug.h"
#include "host/host.h"
#include "lock.h"
#include "memblock.h"

struct reaper {
	struct list_head list;		/* reapers; reapers_lock */
	struct kmem_cache *cache;	/* constant */
	unsigned int pins;		/* being asked; reapers_lock */
};

static LIST_HEAD(reapers);
static struct kmem_lock reapers_lock = LOCK_INIT(RANK_RECLAIM);

/* ---- objects of a slab ------------------------------------------------------------- */

/* Stands in s->ctor where there are other callbacks: "free objects have content". */
static void constructed(void *object)
{
	(void)object;
}

void slab_set_callbacks(struct kmem_cache *s, const struct kmem_cache_args *args)
{
	s->ctor = args->ctor;
	s->construct = args->construct;
	s->destruct = args->destruct;
	s->reclaim = args->reclaim;
	s->callback_data = args->callback_data;
	if (!s->ctor && (s->construct || s->destruct))
		s->ctor = constructed;
}

static void destruct_first(struct kmem_cache *s, struct page *slab, unsigned int n)
{
	for (unsigned int i = 0; s->destruct && i < n; i++)
		s->destruct(slab_address(slab) + (size_t)i * s->size, s->callback_data);
}

bool slab_construct(struct kmem_cache *s, struct page *slab, gfp_t gfp)
{
	for (unsigned int i = 0; i < s->objects; i++) {
		void *object = slab_address(slab) + (size_t)i * s->size;

		s->ctor(object);
		if (s->construct && s->construct(object, s->callback_data, gfp)) {
			destruct_first(s, slab, i);
			return false;
		}
	}
	return true;
}

void slab_destruct(struct kmem_cache *s, struct page *slab)
{
	destruct_first(s, slab, s->objects);
}

/* ---- owners ---------------------------------------------------------------------------- */

bool slab_add_reaper(struct kmem_cache *s)
{
	struct reaper *r;

	if (!s->reclaim)
		return true;
	r = memblock_alloc(sizeof(*r));
	if (!r)
		return false;
	r->cache = s;
	lock(&reapers_lock);
	list_add_tail(&r->list, &reapers);
	unlock(&reapers_lock);
	return true;
}

static struct reaper *find_reaper(struct kmem_cache *s)
{
	struct reaper *r;

	list_for_each_entry(r, &reapers, list) {
		if (r->cache == s)
			return r;
	}
	return NULL;
}

void slab_del_reaper(struct kmem_cache *s)
{
	struct reaper *r;

	if (!s->reclaim)
		return;
	lock(&reapers_lock);
	r = find_reaper(s);
	while (r && r->pins) {
		unlock(&reapers_lock);
		host_yield();
		lock(&reapers_lock);
	}
	if (r)
		list_del(&r->list);
	unlock(&reapers_lock);
	if (r)
		memblock_free(r, sizeof(*r));
}

void kmem_cache_reap(struct kmem_cache *s)
{
	if (s->reclaim)
		s->reclaim(s->callback_data);
	kmem_cache_shrink(s);
}

/* A pinned entry stays on the list, so that the walk can go on from it. */
void kmem_cache_reap_all(void)
{
	struct reaper *r;

	lock(&reapers_lock);
	list_for_each_entry(r, &reapers, list) {
		r->pins++;
		unlock(&reapers_lock);
		kmem_cache_reap(r->cache);
		lock(&reapers_lock);
		r->pins--;
	}
	unlock(&reapers_lock);
}

void slab_object_fork_lock(void)
{
	lock(&reapers_lock);
}

void slab_object_fork_unlock(void)
{
	unlock(&reapers_lock);
}

/* In a forked child nobody is asking but, perhaps, the thread that forked. */
void slab_object_fork_child(void)
{
	struct reaper *r;

	list_for_each_entry(r, &reapers, list)
		r->pins = 0;
}
