// SPDX-License-Identifier: MIT
/*
 * slab_validate.c - looking at all slabs of a cache: which objects are in use, and whether
 * its metadata agrees.
 *
 *	a slab		free bits + inuse = objects; its order is the cache's; its tails
 *			lead to its head
 *	a list		holds just the slabs whose inuse says so; its links fit both ways
 *	the cache	its counts of slabs, by kind, and of objects are the sums
 *
 * What is wrong is counted and said, not mended. A link is checked before it is followed,
 * so that damage cannot lead astray who looks for it.
 *
 * Lock: the cache's node lock, while its slabs are looked at, however many there are.
 */
#include "slab.h"

#include "base/printk.h"
#include "numa.h"

/* ---- slabs --------------------------------------------------------------------------- */

static unsigned int slab_count_free(struct kmem_cache *s, struct page *slab)
{
	unsigned int n = 0;

	for (unsigned int first = 0; first < s->objects; first += 64)
		n += hweight_long(*slab_word(slab, first));
	return n;
}

/* Calls fn for each slab of the cache; node lock held. */
__racy static void for_each_slab(struct kmem_cache *s, void (*fn)(struct kmem_cache *s,
			  struct page *slab, void *arg), void *arg)
{
	for (unsigned int i = 0; i < nr_zones; i++) {
		struct zone *z = zones[i];
		unsigned long zpn = 0, end = READ_ONCE(z->nr_present);

		while (zpn < end) {
			struct page *page = z->memmap + zpn;

			if (READ_ONCE(page->type) == PT_SLAB && READ_ONCE(page->slab_cache) == s) {
				fn(s, page, arg);
				zpn += 1UL << s->order;
			} else {
				zpn++;
			}
		}
	}
}

struct inuse_walk {
	void (*fn)(struct kmem_cache *s, void *object);
	unsigned long count;
};

static void walk_inuse(struct kmem_cache *s, struct page *slab, void *arg)
{
	struct inuse_walk *walk = arg;

	for (unsigned int i = 0; i < s->objects; i++) {
		if (slab_bit(slab, i))
			continue;
		walk->count++;
		if (walk->fn)
			walk->fn(s, slab_address(slab) + (size_t)i * s->size);
	}
}

unsigned long slab_for_each_inuse(struct kmem_cache *s,
				  void (*fn)(struct kmem_cache *s, void *object))
{
	struct inuse_walk walk = { .fn = fn };

	lock(&s->node.lock);
	for_each_slab(s, walk_inuse, &walk);
	unlock(&s->node.lock);
	return walk.count;
}

/* ---- checking ------------------------------------------------------------------------- */

struct validation {
	unsigned long slabs, partial, empty, inuse;
	long errors;
};

static void slab_error(struct kmem_cache *s, struct validation *v, const char *what,
		       unsigned long is, unsigned long should)
{
	v->errors++;
	printk("validate %s: %s: %lu, should be %lu\n", s->name, what, is, should);
}

static void validate_slab(struct kmem_cache *s, struct page *slab, void *arg)
{
	unsigned int free = slab_count_free(s, slab);
	struct validation *v = arg;

	v->slabs++;
	v->inuse += slab->inuse;
	if (free + slab->inuse != s->objects)
		slab_error(s, v, "objects of a slab", free + slab->inuse, s->objects);
	if (slab->order != s->order)
		slab_error(s, v, "order of a slab", slab->order, s->order);
	if (slab->inuse == 0)
		v->empty++;
	else if (slab->inuse < s->objects)
		v->partial++;
	for (u32 i = 1; i < 1U << s->order; i++) {
		if (slab[i].type != PT_TAIL || slab[i].head_distance != i)
			slab_error(s, v, "head distance of a tail", slab[i].head_distance, i);
	}
}

/* The slab whose list entry @pos is, if it is one of the page map's at all. */
static struct page *entry_slab(struct list_head *pos)
{
	struct page *slab = container_of(pos, struct page, slab_list);

	for (unsigned int i = 0; i < nr_zones; i++) {
		unsigned long offset = (unsigned long)slab - (unsigned long)zones[i]->memmap;

		if (offset / sizeof(*slab) < READ_ONCE(zones[i]->nr_present))
			return offset % sizeof(*slab) ? NULL : slab;
	}
	return NULL;
}

/*
 * Each list holds just the slabs whose count says so. A link is looked at before it is
 * followed; where one is wrong the list ends. Node lock.
 */
static void validate_list(struct kmem_cache *s, struct list_head *list,
			  unsigned long limit, struct validation *v)
{
	struct list_head *pos, *before = list;
	unsigned long n = 0;

	for (pos = list->next; pos != list; before = pos, pos = pos->next) {
		struct page *slab = entry_slab(pos);

		if (!slab || pos->prev != before) {
			slab_error(s, v, "link of a slab list", (unsigned long)pos,
				   (unsigned long)before);
			return;
		}
		if (slab->type != PT_SLAB || slab->slab_cache != s)
			slab_error(s, v, "page type on a slab list", slab->type, PT_SLAB);
		else if (slab_list_of(s, slab, slab->inuse) != list)
			slab_error(s, v, "objects in use on this list", slab->inuse, 0);
		if (++n > limit) {
			slab_error(s, v, "slabs on a list", n, limit);
			return;
		}
	}
}

long validate_slab_cache(struct kmem_cache *s)
{
	struct kmem_cache_node *n = &s->node;
	struct validation v = { 0 };

	lock(&n->lock);
	for_each_slab(s, validate_slab, &v);
	for (int i = 0; i < nr_nodes; i++) {
		struct slab_lists *l = slab_nth_lists(n, i);

		for (int bin = 0; bin < SLAB_BINS; bin++)
			validate_list(s, &l->partial[bin], n->nr_partial, &v);
		validate_list(s, &l->empty, n->nr_empty, &v);
	}
	if (v.slabs != n->nr_slabs)
		slab_error(s, &v, "slabs", n->nr_slabs, v.slabs);
	if (v.partial != n->nr_partial)
		slab_error(s, &v, "partial slabs", n->nr_partial, v.partial);
	if (v.empty != n->nr_empty)
		slab_error(s, &v, "empty slabs", n->nr_empty, v.empty);
	if (v.inuse != n->nr_inuse)
		slab_error(s, &v, "objects in use", n->nr_inuse, v.inuse);
	unlock(&n->lock);
	return v.errors;
}
