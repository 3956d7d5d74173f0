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
 * A cache with a reclaim callback has a shrinker: its owner is one like any other of
 * those who can be asked (shrinker.c), and the cache's destruction waits until it is
 * not. It is asked by those who say that they want memory back, and not from within
 * allocations, which may be the owner's own, with its locks held.
 *
 * No locks.
 */
#include "slab.h"

#include "shrinker.h"

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

static unsigned long live_objects(struct kmem_cache *s)
{
	unsigned long inuse = READ_ONCE(s->node.nr_inuse);

	return inuse - min(magazine_cache_count(&s->mag), inuse);
}

static unsigned long count_objects(struct shrinker *shrinker, struct shrink_control *sc)
{
	(void)sc;
	return live_objects(shrinker->private_data);
}

/* The callback is not told how many: once is all there is to ask for. */
static unsigned long ask_owner(struct shrinker *shrinker, struct shrink_control *sc)
{
	struct kmem_cache *s = shrinker->private_data;
	unsigned long before = live_objects(s);

	sc->nr_scanned = ~0UL >> 1;
	s->reclaim(s->callback_data);
	return before - min(live_objects(s), before);
}

bool slab_add_owner(struct kmem_cache *s)
{
	struct shrinker *shrinker;

	if (!s->reclaim)
		return true;
	shrinker = shrinker_alloc(SHRINKER_ON_REQUEST, "%s", s->name);
	if (!shrinker)
		return false;
	shrinker->count_objects = count_objects;
	shrinker->scan_objects = ask_owner;
	shrinker->batch = 1;
	shrinker->private_data = s;
	s->owner = shrinker;
	shrinker_register(shrinker);
	return true;
}

void slab_del_owner(struct kmem_cache *s)
{
	struct shrinker *owner = s->owner;

	s->owner = NULL;
	shrinker_free(owner);
}

void kmem_cache_reap(struct kmem_cache *s)
{
	if (s->reclaim)
		s->reclaim(s->callback_data);
	kmem_cache_shrink(s);
}
