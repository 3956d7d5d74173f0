// SPDX-License-Identifier: MIT
/*
 * slabinfo.c - the heap in numbers, for the program that lives on it. What
 * tools/slabinfo reads from outside by the description of the layout is read
 * here under the locks.
 *
 * The list of caches is walked under slab_mutex; a cache's numbers are taken
 * under its node lock and, before that, its depot lock, one after the other as
 * in a flush. Objects in magazines are counted without a lock and may have moved
 * on; so active_objs is cut to what can be.
 */
#include <kmem/slabinfo.h>

#include <string.h>

#include "base/printk.h"
#include "mmzone.h"
#include "percpu.h"
#include "slab.h"
#include "start.h"

BUILD_BUG_ON(KMEM_SLABINFO_ORDERS < NR_PAGE_ORDERS);

/* Objects of full magazines in the depot. */
__racy static unsigned long depot_objects(struct magazine_cache *mc)
{
	unsigned long n = 0;

	lock(&mc->lock);
	for (struct magazine *m = mc->full; m; m = m->next)
		n += m->count;
	unlock(&mc->lock);
	return n;
}

static void copy_name(char *to, const char *from)
{
	size_t len = min(strlen(from), (size_t)KMEM_SLABINFO_NAME - 1);

	memcpy(to, from, len);
	to[len] = '\0';
}

void kmem_slabinfo_cache(struct kmem_cache *s, struct kmem_slabinfo *info)
{
	unsigned long inuse, empty;

	*info = (struct kmem_slabinfo){
		.limit = s->mag.slot == SLOT_NONE ? 0 : MAGAZINE_CAPACITY(READ_ONCE(s->mag.level)),
		.batchcount = READ_ONCE(s->mag.max_full),
		.objects_per_slab = s->objects,
		.cache_order = s->order,
		.object_size = s->object_size,
		.size = s->size,
		.align = s->align,
		.flags = s->flags,
		.shared_avail = depot_objects(&s->mag),
		.in_magazines = magazine_cache_count(&s->mag),
		.aliases = (unsigned int)max(READ_ONCE(s->refcount) - 1, 0),
	};
	copy_name(info->name, s->name);
	lock(&s->node.lock);
	info->num_slabs = s->node.nr_slabs;
	inuse = s->node.nr_inuse;
	empty = s->node.nr_empty;
	unlock(&s->node.lock);
	info->active_slabs = info->num_slabs - empty;
	info->num_objs = info->num_slabs * s->objects;
	info->active_objs = inuse - min(inuse, info->in_magazines);
}

size_t kmem_slabinfo_caches(struct kmem_slabinfo *info, size_t nr)
{
	struct kmem_cache *s;
	size_t n = 0;

	if (!mm_init())
		return 0;
	lock(&slab_mutex);
	list_for_each_entry(s, &slab_caches, list) {
		if (n < nr)
			kmem_slabinfo_cache(s, &info[n]);
		n++;
	}
	unlock(&slab_mutex);
	return n;
}

size_t kmem_slabinfo_zones(struct kmem_zoneinfo *info, size_t nr)
{
	unsigned int n = mm_init() ? smp_load_acquire(&nr_zones) : 0;

	for (unsigned int i = 0; i < n && i < nr; i++) {
		struct zone *z = zones[i];

		info[i] = (struct kmem_zoneinfo){ .node = z->node, .reserved = z->nr_pages };
		lock(&z->lock);
		info[i].present = z->nr_present;
		info[i].free = z->nr_free;
		info[i].dirty = z->nr_dirty_free + z->nr_parked;
		info[i].parked = z->nr_parked;
		info[i].purged = z->nr_purged;
		for (unsigned int o = 0; o < NR_PAGE_ORDERS; o++)
			info[i].nr_free[o] = z->free_area[o].nr_free;
		unlock(&z->lock);
	}
	return n;
}

/* The cache at place @n of the list; false: there are not that many. */
static bool nth_cache(size_t n, struct kmem_slabinfo *info)
{
	struct kmem_cache *s;
	bool found = false;

	lock(&slab_mutex);
	list_for_each_entry(s, &slab_caches, list) {
		if (n-- > 0)
			continue;
		kmem_slabinfo_cache(s, info);
		found = true;
		break;
	}
	unlock(&slab_mutex);
	return found;
}

#define HEAD1	"slabinfo - version: 2.1\n"
#define HEAD2	"# name            <active_objs> <num_objs> <objsize> <objperslab> <pagesperslab>" \
		" : tunables <limit> <batchcount> <sharedfactor>"			\
		" : slabdata <active_slabs> <num_slabs> <sharedavail>\n"

void kmem_slabinfo_show(void (*line)(void *arg, const char *text, size_t len), void *arg)
{
	struct kmem_slabinfo i;
	char text[256];

	line(arg, HEAD1, sizeof(HEAD1) - 1);
	line(arg, HEAD2, sizeof(HEAD2) - 1);
	if (!mm_init())
		return;
	for (size_t n = 0; nth_cache(n, &i); n++) {
		int len = kmem_snprintf(text, sizeof(text),
			"%-17s %6lu %6lu %6u %4u %4u : tunables %4u %4u %4u"
			" : slabdata %6lu %6lu %6lu\n", i.name,
			i.active_objs, i.num_objs, i.size, i.objects_per_slab, 1U << i.cache_order,
			i.limit, i.batchcount, i.shared, i.active_slabs, i.num_slabs,
			i.shared_avail);

		line(arg, text, (size_t)len);
	}
}
