// SPDX-License-Identifier: MIT
/*
 * report.c - the tables for people and for programs that know the kernel's.
 *
 * Columns of the kernel that mean something slightly different here are
 * explained in Documentation/mm/slabinfo.rst.
 */
#include "report.h"

#include <inttypes.h>

bool selected(const struct selection *s, const struct heap_cache *c)
{
	if (!s->nr)
		return true;
	for (size_t i = 0; i < s->nr; i++) {
		if (!regexec(&s->pattern[i], c->name, 0, NULL, 0))
			return true;
		for (size_t k = 0; k < c->nr_aliases; k++)
			if (!regexec(&s->pattern[i], c->aliases[k], 0, NULL, 0))
				return true;
	}
	return false;
}

/* ---- slabinfo ------------------------------------------------------------------ */

static void slabinfo_line(FILE *out, const struct heap_cache *c)
{
	uint64_t total = cache_total(c), active = min_u64(cache_active(c), total);

	fprintf(out, "%-17s %6" PRIu64 " %6" PRIu64 " %6u %4u %4d", c->name, active, total,
		c->size, c->objects, 1 << c->order);
	fprintf(out, " : tunables %4u %4u %4u", c->capacity, c->max_full, 0U);
	fprintf(out, " : slabdata %6" PRIu64 " %6" PRIu64 " %6" PRIu64 "\n",
		c->nr_slabs > c->nr_empty ? c->nr_slabs - c->nr_empty : 0, c->nr_slabs,
		c->in_depot);
}

void report_slabinfo(FILE *out, const struct heap *h, const struct selection *s)
{
	fputs("slabinfo - version: 2.1\n", out);
	fputs("# name            <active_objs> <num_objs> <objsize> <objperslab> <pagesperslab>"
	      " : tunables <limit> <batchcount> <sharedfactor>"
	      " : slabdata <active_slabs> <num_slabs> <sharedavail>\n", out);
	for (size_t i = 0; i < h->nr_caches; i++)
		if (selected(s, &h->caches[i]))
			slabinfo_line(out, &h->caches[i]);
}

/* ---- buddyinfo ------------------------------------------------------------------- */

void report_buddyinfo(FILE *out, const struct heap *h)
{
	char name[32];

	for (size_t i = 0; i < h->nr_zones; i++) {
		const struct heap_zone *z = &h->zones[i];

		fprintf(out, "Node %d, zone %8s ", z->node, zone_name(z, name, sizeof(name)));
		for (uint32_t o = 0; o < h->nr_orders; o++)
			fprintf(out, "%6" PRIu64 " ", z->nr_free_blocks[o]);
		fputc('\n', out);
	}
}

/* ---- the map of RSS ---------------------------------------------------------------- */

static uint64_t kib(uint64_t bytes)
{
	return (bytes + 512) >> 10;
}

static void rss_line(FILE *out, const char *title, const struct rss_line *l, uint64_t total)
{
	char count[24] = "";

	if (l->count)
		snprintf(count, sizeof(count), "%" PRIu64, l->count);
	fprintf(out, "%-28s %12s %12" PRIu64 " %12" PRIu64 " %6.1f\n", title, count,
		kib(l->size), kib(l->rss), total ? 100.0 * (double)l->rss / (double)total : 0.0);
}

void report_rss(FILE *out, const struct heap *h, const struct rss_map *map)
{
	const struct rss_line *row = map->row;
	uint64_t live = row[ROW_OBJECTS].size + row[ROW_LARGE].size + row[ROW_PAGES].size;
	uint64_t count = row[ROW_OBJECTS].count + row[ROW_LARGE].count + row[ROW_PAGES].count;

	fprintf(out, "# RSS of the heap of %d (%s): libkmem %s, %s mode, %u per-CPU areas\n",
		h->src->pid, h->src->command, h->image->layout->version, heap_mode_name(h),
		h->nr_cpus);
	fprintf(out, "%-28s %12s %12s %12s %6s\n", "# where", "count", "size kB", "RSS kB", "%");
	for (enum rss_row i = 0; i < NR_ROWS; i++)
		rss_line(out, rss_row_title(i), &row[i], map->total);
	fprintf(out, "%-28s %12s %12s %12" PRIu64 " %6.1f\n", "sum of the rows", "", "",
		kib(map->total), map->total ? 100.0 : 0.0);
	if (map->accounted)
		fprintf(out, "%-28s %12s %12s %12" PRIu64 " %6.1f\n", "RSS by smaps", "", "",
			kib(map->smaps),
			map->total ? 100.0 * (double)map->smaps / (double)map->total : 0.0);
	fprintf(out, "%-28s %12" PRIu64 " %12" PRIu64 "\n", "live in the program", count,
		kib(live));
}
