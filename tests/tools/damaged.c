// SPDX-License-Identifier: MIT
/*
 * damaged.c KIND - a program whose heap is broken in one way, and which then
 * waits without touching it. Linked with the static library, so that it can reach
 * what it breaks. The reader must come to an end, with or without an answer.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mm/memblock.h"
#include "mm/percpu.h"
#include "mm/slab.h"

static struct kmem_cache *victim;
static struct page *slab;

static void list_of_caches_loops(void)
{
	victim->list.next = &victim->list;
}

static void list_of_caches_leads_nowhere(void)
{
	victim->list.next = (struct list_head *)0x1234567;
}

static void list_of_aliases_is_zero(void)
{
	memset(&victim->aliases, 0, sizeof(victim->aliases));
}

static void depot_loops(void)
{
	struct magazine *m = memblock_alloc(MAGAZINE_BYTES(2));

	m->capacity = m->count = MAGAZINE_CAPACITY(2);
	m->next = m;
	victim->mag.full = m;
	victim->mag.nr_full = 1;
}

static void depot_is_wild(void)
{
	victim->mag.full = (struct magazine *)-64L;
	victim->mag.nr_full = 0xffffffff;
}

static void slot_is_wild(void)
{
	for (unsigned int i = 0; i < percpu.nr_cpus; i++)
		*percpu_slot(i, victim->mag.slot) = 0x123456789abcdefL;
}

static void cache_has_wild_sizes(void)
{
	victim->size = 0;
	victim->objects = 0xffffffff;
	victim->order = 200;
}

static void cache_has_many_objects(void)
{
	victim->node.nr_slabs = ~0UL;
	victim->node.nr_inuse = ~0UL;
}

static void name_is_wild(void)
{
	victim->name = (const char *)0x10;
}

static void slab_has_no_cache(void)
{
	slab->slab_cache = (struct kmem_cache *)0xdeadbeefUL;
}

static void page_has_wild_order(void)
{
	slab->type = PT_BUDDY;
	slab->order = 255;
}

static void large_is_endless(void)
{
	slab->type = PT_LARGE;
	slab->nr_pages = ~0UL;
	slab->requested = ~0UL;
}

static void zone_is_endless(void)
{
	zones[0]->nr_pages = zones[0]->nr_committed = zones[0]->nr_present = 1UL << 50;
}

static void zone_has_no_map(void)
{
	zones[0]->memmap = NULL;
}

static void zones_are_many(void)
{
	nr_zones = 0xffffffff;
}

static void cpus_are_many(void)
{
	percpu.nr_cpus = 0xffffffff;
}

static void chunks_loop(void)
{
	memblock_chunks->next = memblock_chunks;
}

#define KIND(f)	{ #f, f }

static const struct {
	const char *name;
	void (*fn)(void);
} kinds[] = {
	KIND(list_of_caches_loops), KIND(list_of_caches_leads_nowhere),
	KIND(list_of_aliases_is_zero), KIND(depot_loops), KIND(depot_is_wild),
	KIND(slot_is_wild), KIND(cache_has_wild_sizes), KIND(cache_has_many_objects),
	KIND(name_is_wild), KIND(slab_has_no_cache), KIND(page_has_wild_order),
	KIND(large_is_endless), KIND(zone_is_endless), KIND(zone_has_no_map),
	KIND(zones_are_many), KIND(cpus_are_many), KIND(chunks_loop),
};

int main(int argc, char **argv)
{
	void *object;

	if (argc < 2) {
		for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
			puts(kinds[i].name);
		return 0;
	}
	victim = kmem_cache_create("victim", 72, 8, SLAB_NO_MERGE, NULL);
	for (int i = 0; i < 1000; i++) {
		object = kmem_cache_alloc(victim, GFP_KERNEL);
		memset(object, 1, 72);
	}
	slab = page_head(zones[0]->memmap + zone_zpn(zones[0], object));
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (!strcmp(kinds[i].name, argv[1]))
			kinds[i].fn();
	if (write(STDOUT_FILENO, "ready\n", 6) != 6)
		_exit(1);
	for (;;)
		pause();
}
