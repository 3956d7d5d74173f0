// SPDX-License-Identifier: MIT
/*
 * pagetypeinfo.c - slabinfo pagetypeinfo: the kernel's /proc/pagetypeinfo: free
 * blocks by migrate type and order, and how many pageblocks each type has.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "../inspect/pages.h"
#include "verbs.h"

#define MAX_TYPES	8

struct counts {
	uint64_t free[MAX_TYPES][HEAP_MAX_ORDERS];	/* blocks */
	uint64_t blocks[MAX_TYPES];			/* pageblocks */
};

static unsigned int nr_types(const struct heap *h)
{
	const struct layout_item *item = layout_item(h->image->layout, "", "MIGRATE_TYPES");

	return item ? (unsigned int)min_u64(item->value, MAX_TYPES) : 3;
}

static void count_block(void *arg, struct page_window *w, const struct heap_block *b)
{
	struct counts *c = arg;

	(void)w;
	if (b->kind == BLOCK_FREE && b->migratetype < MAX_TYPES && b->order < HEAP_MAX_ORDERS)
		c->free[b->migratetype][b->order]++;
}

static void count_zone(struct heap *h, const struct heap_zone *z, struct counts *c)
{
	uint64_t nr = z->nr_present >> h->fields->PAGEBLOCK_ORDER;
	unsigned char *types = xcalloc(1, nr);
	struct page_window w;

	*c = (struct counts){ 0 };
	page_window_open(&w, h, z);
	blocks_walk(&w, count_block, c);
	page_window_close(&w);
	if (!z->pageblock_type || !source_read(h->src, z->pageblock_type, types, nr))
		nr = 0;
	for (uint64_t i = 0; i < nr; i++)
		if (types[i] < MAX_TYPES)
			c->blocks[types[i]]++;
	free(types);
}

static void zone_json(const struct heap *h, const struct heap_zone *z, const struct counts *c)
{
	char name[32];

	printf("{\"node\": %d, \"zone\": \"%s\", \"types\": {", z->node,
	       zone_name(z, name, sizeof(name)));
	for (unsigned int t = 0; t < nr_types(h); t++) {
		printf("%s\n    \"%s\": {\"pageblocks\": %" PRIu64 ", \"free_blocks\": [",
		       t ? "," : "", migratetype_name(t), c->blocks[t]);
		for (uint32_t o = 0; o < h->nr_orders; o++)
			printf("%s%" PRIu64, o ? ", " : "", c->free[t][o]);
		fputs("]}", stdout);
	}
	fputs("}}", stdout);
}

static void zone_free_text(const struct heap *h, const struct heap_zone *z,
			   const struct counts *c)
{
	char name[32];

	for (unsigned int t = 0; t < nr_types(h); t++) {
		printf("Node %4d, zone %8s, type %12s ", z->node,
		       zone_name(z, name, sizeof(name)), migratetype_name(t));
		for (uint32_t o = 0; o < h->nr_orders; o++)
			printf("%6" PRIu64 " ", c->free[t][o]);
		putchar('\n');
	}
}

static void show_text(const struct heap *h, const struct counts *c)
{
	char name[32];

	printf("Page block order: %" PRIu64 "\nPages per block:  %lu\n\n",
	       h->fields->PAGEBLOCK_ORDER, 1UL << h->fields->PAGEBLOCK_ORDER);
	printf("%-43s ", "Free pages count per migrate type at order");
	for (uint32_t o = 0; o < h->nr_orders; o++)
		printf("%6u ", o);
	putchar('\n');
	for (size_t i = 0; i < h->nr_zones; i++)
		zone_free_text(h, &h->zones[i], &c[i]);
	printf("\n%-23s", "Number of blocks type ");
	for (unsigned int t = 0; t < nr_types(h); t++)
		printf("%12s ", migratetype_name(t));
	putchar('\n');
	for (size_t i = 0; i < h->nr_zones; i++) {
		printf("Node %d, zone %8s ", h->zones[i].node,
		       zone_name(&h->zones[i], name, sizeof(name)));
		for (unsigned int t = 0; t < nr_types(h); t++)
			printf("%12" PRIu64 " ", c[i].blocks[t]);
		putchar('\n');
	}
}

static int show(struct heap **heap, struct verb_options *o)
{
	struct heap *h = *heap;
	struct counts *c;

	if (!h->fields->page_migratetype.size || !nr_types(h)) {
		fail("%s: libkmem %s does not describe its pages' types", h->src->label,
		     h->image->layout->version);
		if (o->json)
			fputs("null", stdout);
		return EXIT_CANT;
	}
	c = xcalloc(h->nr_zones, sizeof(*c));
	for (size_t i = 0; i < h->nr_zones; i++)
		count_zone(h, &h->zones[i], &c[i]);
	if (o->json) {
		printf("{\"pageblock_order\": %" PRIu64 ", \"zones\": [",
		       h->fields->PAGEBLOCK_ORDER);
		for (size_t i = 0; i < h->nr_zones; i++) {
			fputs(i ? ", " : "", stdout);
			zone_json(h, &h->zones[i], &c[i]);
		}
		fputs("]}", stdout);
	} else {
		show_text(h, c);
	}
	free(c);
	return EXIT_FINE;
}

int verb_pagetypeinfo(int argc, char **argv)
{
	struct verb_options o;
	int status;

	if (!verb_parse(&o, argc, argv, "", 0, 0, &status))
		return status;
	return verb_heaps(&o, show);
}
