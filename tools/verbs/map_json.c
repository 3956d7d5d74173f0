// SPDX-License-Identifier: MIT
/*
 * map_json.c - slabinfo map --json: the heap's pages by use, for programs.
 *
 * Page by page, where the picture has cells: each zone has a list of runs
 *
 *	[first page, pages, use, resident pages]
 *
 * that cover its present pages once, in order. A use is an index into the list "uses",
 * which is the legend: what it is, with the cache where it is a cache's slabs, and the
 * sums over all runs. Kinds that are also rows of the map of RSS have the same names
 * there. Caches are told by index and not by name, since two may have the same one.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "../inspect/fields.h"
#include "../inspect/pages.h"
#include "../inspect/report.h"
#include "map.h"

static const char *const keys[NR_MAP_USES] = {
	[MAP_NOT_RESIDENT] = "not_resident",
	[MAP_FREE]	= "free_pages",
	[MAP_UNTRACKED]	= "untracked",
	[MAP_PCP]	= "page_lists",
	[MAP_MOVABLE]	= "pages_movable",
	[MAP_PAGES]	= "pages",
	[MAP_LARGE]	= "large",
	[MAP_PARKED]	= "parked",
	[MAP_RCU]	= "slab_rcu",
	[MAP_SLAB]	= "slab",
};

struct sum {
	uint64_t pages, resident;
};

struct runs {
	FILE *out;
	const struct heap *heap;
	struct sum *sums;		/* by index of "uses" */
	bool any;			/* of this zone */
};

/* The uses but MAP_SLAB, which is the last, and then a use for each cache. */
static size_t index_of(const struct heap *h, const struct map_run *run)
{
	return run->use == MAP_SLAB ? MAP_SLAB + (size_t)(run->cache - h->caches) : run->use;
}

static void put_run(void *arg, const struct map_run *run)
{
	struct runs *r = arg;
	size_t use = index_of(r->heap, run);

	fprintf(r->out, "%s\n    [%" PRIu64 ", %" PRIu64 ", %zu, %" PRIu64 "]", r->any ? "," : "",
		run->first, run->pages, use, run->resident);
	r->sums[use].pages += run->pages;
	r->sums[use].resident += run->resident;
	r->any = true;
}

static void put_pageblocks(FILE *out, struct heap *h, const struct heap_zone *z)
{
	uint64_t nr;
	unsigned char *types = map_pageblocks(h, z, &nr);

	fputs(", \"pageblocks\": ", out);
	if (!types) {
		fputs("null", out);
		return;
	}
	fputc('[', out);
	for (uint64_t i = 0; i < nr; i++)
		fprintf(out, "%s\"%s\"", i ? ", " : "", migratetype_name(types[i]));
	fputc(']', out);
	free(types);
}

static bool put_zone(struct runs *r, struct heap *h, const struct heap_zone *z)
{
	char name[32];
	bool ok;

	fprintf(r->out, "{\"node\": %d, \"zone\": \"%s\", \"base\": \"0x%" PRIx64
		"\", \"page_size\": %lu, \"present_pages\": %" PRIu64, z->node,
		zone_name(z, name, sizeof(name)), z->base, 1UL << h->page_shift, z->nr_present);
	put_pageblocks(r->out, h, z);
	fputs(",\n   \"runs\": [", r->out);
	r->any = false;
	ok = map_walk(h, z, put_run, r);
	fputs("]}", r->out);
	return ok;
}

static void put_use(struct runs *r, size_t use, const struct heap_cache *c)
{
	fprintf(r->out, "%s\n   {\"use\": \"%s\"", use ? "," : "", keys[c ? MAP_SLAB : use]);
	if (c) {
		fputs(", \"cache\": ", r->out);
		json_string(r->out, c->name);
	}
	fprintf(r->out, ", \"pages\": %" PRIu64 ", \"resident_pages\": %" PRIu64 "}",
		r->sums[use].pages, r->sums[use].resident);
}

bool map_json(FILE *out, struct heap *h)
{
	struct runs r = { .out = out, .heap = h };
	bool ok = true;

	r.sums = xcalloc(MAP_SLAB + h->nr_caches, sizeof(*r.sums));
	fputs("{\"image\": ", out);
	json_string(out, h->image->path);
	fputs(", \"library\": ", out);
	json_string(out, h->image->layout->version);
	fprintf(out, ", \"pageblock_order\": %" PRIu64 ", \"zones\": [",
		h->fields->PAGEBLOCK_ORDER);
	for (size_t i = 0; ok && i < h->nr_zones; i++) {
		fputs(i ? ",\n  " : "\n  ", out);
		ok = put_zone(&r, h, &h->zones[i]);
	}
	fputs("],\n  \"uses\": [", out);
	for (size_t i = 0; i < MAP_SLAB; i++)
		put_use(&r, i, NULL);
	for (size_t i = 0; i < h->nr_caches; i++)
		put_use(&r, MAP_SLAB + i, &h->caches[i]);
	fprintf(out, "],\n  \"torn\": %u}", h->torn);
	free(r.sums);
	return ok;
}
