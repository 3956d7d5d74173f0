// SPDX-License-Identifier: MIT
/*
 * damaged.c KIND - a program whose heap is broken in one way, and which then
 * waits without touching it. Linked with the static library, so that it can reach
 * what it breaks. The reader must come to an end, with or without an answer, and
 * "slabinfo verify" must name the damage.
 *
 * Without an argument it lists the ways, each with the name that verify has for it.
 * "none" breaks nothing: verify finds nothing then.
 */
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <kmem/numa.h>

#include "mm/buddy.h"
#include "mm/memblock.h"
#include "mm/percpu.h"
#include "mm/slab.h"

static struct kmem_cache *victim;
static struct page *slab;		/* of victim, full */
static struct page *free_page;		/* head of a free block */
static void *object;			/* of victim, the last one */

static void none(void)
{
}

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

/* ---- one count or bit against the rest ---------------------------------------------- */

static struct page *partial_slab(void)
{
	struct list_head *partial = victim->node.lists.partial;

	for (int i = 0; i < SLAB_BINS; i++)
		if (!list_empty(&partial[i]))
			return list_first_entry(&partial[i], struct page, slab_list);
	abort();
}

/* The magazine that victim has loaded, and where its top round stands. */
static struct magazine *loaded(void ***top)
{
	for (unsigned int i = 0; i < percpu.nr_cpus; i++) {
		long word = *percpu_slot(i, victim->mag.slot);

		if (word != WORD_CLOSED && *round_of(i, word)) {
			*top = round_of(i, word);
			return magazine_of(*top);
		}
	}
	abort();
}

static void bitmap_has_a_bit_more(void)
{
	slab->bitmap[0] |= 1;
}

static void bitmap_has_a_bit_too_far(void)
{
	slab[3].bitmap[3] |= 1UL << 63;
}

static void slab_counts_wrong(void)
{
	slab->inuse--;
}

static void slab_has_another_order(void)
{
	slab->order = 1;
}

static void tail_leads_elsewhere(void)
{
	slab[2].head_distance = 1;
}

static void tail_is_no_tail(void)
{
	page_set_type(slab + 1, PT_NONE);
}

static void page_is_of_another_zone(void)
{
	slab->zone = 7;
}

static void page_has_no_migratetype(void)
{
	slab->migratetype = 77;
}

static void slab_is_on_the_wrong_list(void)
{
	list_move(&partial_slab()->slab_list, &victim->node.lists.empty);
}

static void slab_list_is_cut(void)
{
	partial_slab()->slab_list.next = NULL;
}

static void slab_does_not_point_back(void)
{
	partial_slab()->slab_list.prev = &slab->slab_list;
}

static void slabs_are_miscounted(void)
{
	victim->node.nr_slabs++;
}

static void partial_slabs_are_miscounted(void)
{
	victim->node.nr_partial++;
}

static void empty_slabs_are_miscounted(void)
{
	victim->node.nr_empty += 2;
}

static void objects_are_miscounted(void)
{
	victim->node.nr_inuse--;
}

static void object_is_freed_twice(void)
{
	void **top;

	loaded(&top);
	top[-1] = top[0];
}

static void object_in_magazine_is_free(void)
{
	void **top;
	struct page *s;
	unsigned int index;

	loaded(&top);
	s = page_head(zones[0]->memmap + zone_zpn(zones[0], *top));
	index = slab_index(victim, (unsigned long)((char *)*top - slab_address(s)));
	s[index / 256].bitmap[index % 256 / 64] |= 1UL << index % 64;
	s->inuse--;
	victim->node.nr_inuse--;
}

static void magazine_holds_a_stranger(void)
{
	void **top;

	loaded(&top);
	*top = kmalloc(500, GFP_KERNEL);
}

static void magazine_holds_the_inside_of_an_object(void)
{
	void **top;

	loaded(&top);
	*top = (char *)*top + 8;
}

static void magazine_holds_an_address_of_nothing(void)
{
	void **top;

	loaded(&top);
	*top = (void *)0x123450;
}

static void magazine_has_a_wrong_capacity(void)
{
	void **top;

	loaded(&top)->capacity = 12;
}

static void magazine_end_is_overwritten(void)
{
	void **top;
	struct magazine *m = loaded(&top);

	m->round[m->capacity] = (void *)1;
}

static void magazine_level_is_overwritten(void)
{
	void **top;
	struct magazine *m = loaded(&top);

	m->round[m->capacity + 1] = (char *)m->round[m->capacity + 1] + 1;
}

static void depot_is_miscounted(void)
{
	victim->mag.nr_full += 3;
}

static void depot_has_no_such_empties(void)
{
	victim->mag.nr_empty += 1;
}

static void slot_map_is_wrong(void)
{
	zones[0]->slotmap[zone_zpn(zones[0], object)] = 9;
}

static void page_in_use_is_clean(void)
{
	__clear_bit(zones[0]->dirty, page_zpn(zones[0], slab));
}

static void free_list_is_cut(void)
{
	free_page->buddy_list.next = (struct list_head *)64;
}

static void free_block_does_not_point_back(void)
{
	free_page->buddy_list.prev = &slab->slab_list;
}

static void free_block_has_another_type(void)
{
	free_page->migratetype = (free_page->migratetype + 1) % MIGRATE_TYPES;
}

static void free_blocks_are_miscounted(void)
{
	zones[0]->free_area[free_page->order].nr_free++;
}

static void free_mask_is_wrong(void)
{
	zones[0]->free_mask[free_page->migratetype] ^= 1U << free_page->order;
}

static void free_pages_are_miscounted(void)
{
	zones[0]->nr_free -= 8;
}

static void dirty_pages_are_miscounted(void)
{
	zones[0]->nr_dirty_free += 5;
}

static void dirty_list_is_cut(void)
{
	struct page *page = list_first_entry(&zones[0]->dirty_lru, struct page, lru);

	list_del(&page->lru);
	INIT_LIST_HEAD(&page->lru);
}

static void dirty_list_is_out_of_order(void)
{
	list_last_entry(&zones[0]->dirty_lru, struct page, lru)->free_stamp = zones[0]->stamp + 99;
}

static void free_block_is_misaligned(void)
{
	free_page->order++;
}

static void free_block_has_marks_inside(void)
{
	VM_BUG_ON(free_page->order == 0);
	page_set_type(free_page + 1, PT_LARGE);
}

static void largest_blocks_are_misnoted(void)
{
	zones[0]->free_max[0] ^= 1;
}

static void pageblock_has_no_type(void)
{
	zones[0]->pageblock_type[1] = 200;
}

static void parked_pages_are_miscounted(void)
{
	zones[0]->nr_parked++;
}

static void parked_list_is_wrong(void)
{
	zones[0]->parked_mask ^= 4;
}

static void hot_line_is_wrong(void)
{
	kmem_hot.heap_pages--;
}

static void page_list_holds_a_page_in_use(void)
{
	for (unsigned int o = 0; o < NR_PCP_ORDERS; o++)
		for (unsigned int i = 0; i < percpu.nr_cpus; i++) {
			unsigned int slot = pcp_lists[o][MIGRATE_UNMOVABLE].mag.slot;
			long word = *percpu_slot(i, slot);

			if (word == WORD_CLOSED || !*round_of(i, word))
				continue;
			*round_of(i, word) = slab;
			return;
		}
	abort();
}

static void stock_holds_a_page_in_use(void)
{
	*percpu_slot(0, SLOT_STOCK) = word_of(0, (void **)slab) | 4;
}

static void stock_holds_no_page(void)
{
	*percpu_slot(0, SLOT_STOCK) = 1L << 40;
}

#define KIND(f, name)	{ #f, name, f }

static const struct {
	const char *name;
	const char *kind;		/* what verify calls it */
	void (*fn)(void);
} kinds[] = {
	KIND(none, "none"),
	KIND(list_of_caches_loops, "cache-list"),
	KIND(list_of_caches_leads_nowhere, "cache-list"),
	KIND(list_of_aliases_is_zero, "alias-list"),
	KIND(depot_loops, "depot-list"),
	KIND(depot_is_wild, "depot-list"),
	KIND(slot_is_wild, "magazine"),
	KIND(cache_has_wild_sizes, "cache"),
	KIND(cache_has_many_objects, "slab-count"),
	KIND(name_is_wild, "cache-name"),
	KIND(slab_has_no_cache, "page-type"),
	KIND(page_has_wild_order, "page-type"),
	KIND(large_is_endless, "page-type"),
	KIND(zone_is_endless, "zone"),
	KIND(zone_has_no_map, "zone"),
	KIND(zones_are_many, "zone-table"),
	KIND(cpus_are_many, "cpu-areas"),
	KIND(chunks_loop, "chunk-list"),
	KIND(bitmap_has_a_bit_more, "slab-bitmap"),
	KIND(bitmap_has_a_bit_too_far, "slab-bitmap"),
	KIND(slab_counts_wrong, "slab-bitmap"),
	KIND(slab_has_another_order, "slab-order"),
	KIND(tail_leads_elsewhere, "block-tail"),
	KIND(tail_is_no_tail, "block-tail"),
	KIND(page_is_of_another_zone, "page-zone"),
	KIND(page_has_no_migratetype, "page-migratetype"),
	KIND(slab_is_on_the_wrong_list, "slab-list"),
	KIND(slab_list_is_cut, "slab-list"),
	KIND(slab_does_not_point_back, "slab-list"),
	KIND(slabs_are_miscounted, "slab-count"),
	KIND(partial_slabs_are_miscounted, "partial-count"),
	KIND(empty_slabs_are_miscounted, "empty-count"),
	KIND(objects_are_miscounted, "inuse-count"),
	KIND(object_is_freed_twice, "double-free"),
	KIND(object_in_magazine_is_free, "double-free"),
	KIND(magazine_holds_a_stranger, "magazine-round"),
	KIND(magazine_holds_the_inside_of_an_object, "magazine-round"),
	KIND(magazine_holds_an_address_of_nothing, "magazine-round"),
	KIND(magazine_has_a_wrong_capacity, "magazine"),
	KIND(magazine_end_is_overwritten, "magazine"),
	KIND(magazine_level_is_overwritten, "magazine"),
	KIND(depot_is_miscounted, "depot-count"),
	KIND(depot_has_no_such_empties, "depot-count"),
	KIND(slot_map_is_wrong, "slot-map"),
	KIND(page_in_use_is_clean, "page-not-dirty"),
	KIND(free_list_is_cut, "free-list"),
	KIND(free_block_does_not_point_back, "free-list"),
	KIND(free_block_has_another_type, "free-list"),
	KIND(free_blocks_are_miscounted, "free-list-count"),
	KIND(free_mask_is_wrong, "free-mask"),
	KIND(free_pages_are_miscounted, "zone-count"),
	KIND(dirty_pages_are_miscounted, "zone-count"),
	KIND(dirty_list_is_cut, "dirty-lru"),
	KIND(dirty_list_is_out_of_order, "dirty-lru"),
	KIND(free_block_is_misaligned, "free-list"),
	KIND(free_block_has_marks_inside, "block-mark"),
	KIND(largest_blocks_are_misnoted, "free-max"),
	KIND(pageblock_has_no_type, "pageblock-type"),
	KIND(parked_pages_are_miscounted, "parked-count"),
	KIND(parked_list_is_wrong, "parked-list"),
	KIND(hot_line_is_wrong, "hot-line"),
	KIND(page_list_holds_a_page_in_use, "page-list"),
	KIND(stock_holds_a_page_in_use, "stock"),
	KIND(stock_holds_no_page, "stock"),
};

/* What is damaged is looked for in the first zone: stay on a CPU of its node. */
static void stay_on_node_0(void)
{
	cpu_set_t allowed, one;

	if (sched_getaffinity(0, sizeof(allowed), &allowed))
		abort();
	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		if (!CPU_ISSET(cpu, &allowed))
			continue;
		CPU_ZERO(&one);
		CPU_SET(cpu, &one);
		if (sched_setaffinity(0, sizeof(one), &one) == 0 && numa_node_id() == 0)
			return;
	}
}

/*
 * A heap with something of everything: full and partial slabs, objects in
 * magazines, free blocks of which some are dirty, parked runs and others in stock.
 */
static void fill(void)
{
	static void *objects[1000], *pages[16];

	kmalloc(1, GFP_KERNEL);		/* before that there are no nodes */
	stay_on_node_0();
	victim = kmem_cache_create("victim", 72, 8, SLAB_NO_MERGE, NULL);
	for (int i = 0; i < 1000; i++) {
		objects[i] = kmem_cache_alloc(victim, GFP_KERNEL);
		memset(objects[i], 1, 72);
	}
	object = objects[999];
	slab = page_head(zones[0]->memmap + zone_zpn(zones[0], objects[0]));
	for (int i = 300; i < 990; i += 2)
		kmem_cache_free(victim, objects[i]);
	for (int i = 0; i < 16; i++) {
		pages[i] = alloc_pages_exact(5 * 4096UL << i % 5, GFP_KERNEL);
		memset(pages[i], 1, 5 * 4096UL << i % 5);
	}
	for (int i = 0; i < 16; i += 2)
		free_pages_exact(pages[i], 5 * 4096UL << i % 5);
	for (int i = 0; i < 6; i++)	/* to the CPU's stock, and from there to be parked */
		pages[i] = kmalloc(100000, GFP_KERNEL);
	for (int i = 0; i < 6; i++)
		kfree(pages[i]);
	free_pages(__get_free_pages(GFP_KERNEL, 0), 0);	/* to a page list */
	free_page = NULL;
	for (unsigned int o = 1; o < NR_PAGE_ORDERS - 1 && !free_page; o++)
		for (unsigned int mt = 0; mt < MIGRATE_TYPES && !free_page; mt++) {
			struct list_head *list = &zones[0]->free_area[o].free_list[mt];

			if (!list_empty(list))
				free_page = list_first_entry(list, struct page, buddy_list);
		}
	if (!free_page || list_empty(&zones[0]->dirty_lru))
		abort();
}

int main(int argc, char **argv)
{
	if (argc < 2) {
		for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
			printf("%s %s\n", kinds[i].name, kinds[i].kind);
		return 0;
	}
	fill();
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (!strcmp(kinds[i].name, argv[1]))
			kinds[i].fn();
	if (write(STDOUT_FILENO, "ready\n", 6) != 6)
		_exit(1);
	for (;;)
		pause();
}
