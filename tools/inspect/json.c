// SPDX-License-Identifier: MIT
/*
 * json.c - the same as the tables, and what these have no column for, as JSON.
 *
 * Sizes are bytes. Addresses are strings in hexadecimal: JSON's numbers are not
 * exact beyond 2^53.
 */
#include "report.h"

#include <inttypes.h>

void json_string(FILE *out, const char *text)
{
	fputc('"', out);
	while (*text) {
		size_t n = utf8_length(text);

		if (n == 0) {
			fputs("\\ufffd", out);
			n = 1;
		} else if ((unsigned char)*text < ' ' || *text == 127) {
			fprintf(out, "\\u%04x", *text);
		} else {
			if (*text == '"' || *text == '\\')
				fputc('\\', out);
			fwrite(text, 1, n, out);
		}
		text += n;
	}
	fputc('"', out);
}

static void strings(FILE *out, char **s, size_t nr)
{
	fputc('[', out);
	for (size_t i = 0; i < nr; i++) {
		if (i)
			fputs(", ", out);
		json_string(out, s[i]);
	}
	fputc(']', out);
}

static const char *boolean(bool b)
{
	return b ? "true" : "false";
}

static void number(FILE *out, const char *key, uint64_t n)
{
	fprintf(out, ", \"%s\": %" PRIu64, key, n);
}

/* ---- the parts -------------------------------------------------------------------- */

static void params(FILE *out, const struct heap_params *p)
{
	if (!p->known) {
		fputs("null", out);
		return;
	}
	fprintf(out, "{\"rseq\": %s, \"decay_ms\": %" PRIu64 ", \"reclaim\": %s, "
		"\"purge_lazy\": %s, \"slab_nomerge\": %s, \"slab_debug_checks\": %s, "
		"\"init_on_alloc\": %s, \"init_on_free\": %s}",
		boolean(p->rseq), p->decay_ms, boolean(p->reclaim), boolean(p->purge_lazy),
		boolean(p->slab_nomerge), boolean(p->slab_debug_checks),
		boolean(p->init_on_alloc), boolean(p->init_on_free));
}

static void zone(FILE *out, const struct heap *h, const struct heap_zone *z)
{
	char name[32];

	fprintf(out, "{\"node\": %d, \"zone\": \"%s\", \"base\": \"0x%" PRIx64 "\"",
		z->node, zone_name(z, name, sizeof(name)), z->base);
	number(out, "page_size", 1UL << h->page_shift);
	number(out, "reserved_pages", z->nr_pages);
	number(out, "committed_pages", z->nr_committed);
	number(out, "present_pages", z->nr_present);
	number(out, "free_pages", z->nr_free);
	number(out, "dirty_free_pages", z->nr_dirty_free);
	number(out, "purged_pages", z->nr_purged);
	number(out, "steals", z->nr_steals);
	fputs(", \"free_blocks\": [", out);
	for (uint32_t o = 0; o < h->nr_orders; o++)
		fprintf(out, "%s%" PRIu64, o ? ", " : "", z->nr_free_blocks[o]);
	fputs("]}", out);
}

static void cache(FILE *out, const struct heap_cache *c, bool with_rss)
{
	uint64_t total = cache_total(c);

	fputs("{\"name\": ", out);
	json_string(out, c->name);
	fputs(", \"aliases\": ", out);
	strings(out, c->aliases, c->nr_aliases);
	number(out, "active_objs", min_u64(cache_active(c), total));
	number(out, "num_objs", total);
	number(out, "objsize", c->size);
	number(out, "objperslab", c->objects);
	number(out, "pagesperslab", 1UL << c->order);
	number(out, "limit", c->capacity);
	number(out, "batchcount", c->max_full);
	number(out, "sharedfactor", 0);
	number(out, "active_slabs", c->nr_slabs > c->nr_empty ? c->nr_slabs - c->nr_empty : 0);
	number(out, "num_slabs", c->nr_slabs);
	number(out, "sharedavail", c->in_depot);
	number(out, "object_size", c->object_size);
	number(out, "align", c->align);
	number(out, "flags", c->flags);
	fprintf(out, ", \"ctor\": %s", boolean(c->has_ctor));
	number(out, "partial_slabs", c->nr_partial);
	number(out, "empty_slabs", c->nr_empty);
	number(out, "in_cpu_magazines", c->in_cpus);
	number(out, "in_depot", c->in_depot);
	number(out, "alloc_slab", c->alloc_slab);
	number(out, "free_slab", c->free_slab);
	number(out, "alloc_slowpath", c->alloc_slowpath);
	number(out, "free_slowpath", c->free_slowpath);
	number(out, "refills", c->nr_refill);
	number(out, "flushes", c->nr_flush);
	number(out, "depot_gets", c->nr_depot_get);
	number(out, "depot_puts", c->nr_depot_put);
	if (with_rss)
		number(out, "rss", c->rss);
	fputc('}', out);
}

static void rss(FILE *out, const struct rss_map *map)
{
	fputs("{\"rows\": {", out);
	for (enum rss_row i = 0; i < NR_ROWS; i++)
		fprintf(out, "%s\n    \"%s\": {\"count\": %" PRIu64 ", \"size\": %" PRIu64
			", \"rss\": %" PRIu64 "}", i ? "," : "", rss_row_key(i),
			map->row[i].count, map->row[i].size, map->row[i].rss);
	fprintf(out, "},\n   \"total\": %" PRIu64, map->total);
	if (map->accounted)
		number(out, "smaps", map->smaps);
	fputc('}', out);
}

void json_zones(FILE *out, const struct heap *h)
{
	fputs("\"zones\": [", out);
	for (size_t i = 0; i < h->nr_zones; i++) {
		fputs(i ? ",\n   " : "\n   ", out);
		zone(out, h, &h->zones[i]);
	}
	fputc(']', out);
}

void json_target_begin(FILE *out, const struct source *src)
{
	fprintf(out, "{\"pid\": %d, \"command\": ", src->pid);
	json_string(out, src->command);
	if (!src->live) {
		fputs(", \"core\": ", out);
		json_string(out, src->label);
		fputs(", \"lacking\": ", out);
		if (src->lacking)
			json_string(out, src->lacking);
		else
			fputs("null", out);
	}
	fputs(", \"heaps\": [\n ", out);
}

void json_target_end(FILE *out)
{
	fputs("]}\n", out);
}

void report_json(FILE *out, const struct heap *h, const struct rss_map *map,
		 const struct selection *s)
{
	bool first = true;

	fputs("{\"image\": ", out);
	json_string(out, h->image->path);
	fputs(", \"library\": ", out);
	json_string(out, h->image->layout->version);
	fprintf(out, ", \"mode\": \"%s\"", heap_mode_name(h));
	number(out, "cpu_areas", h->nr_cpus);
	number(out, "torn", h->torn);
	fputs(", \"notes\": ", out);
	strings(out, h->notes, h->nr_notes);
	fputs(",\n  \"params\": ", out);
	params(out, &h->params);
	fputs(",\n  ", out);
	json_zones(out, h);
	fputs(",\n  \"caches\": [", out);
	for (size_t i = 0; i < h->nr_caches; i++) {
		if (!selected(s, &h->caches[i]))
			continue;
		fputs(first ? "\n   " : ",\n   ", out);
		cache(out, &h->caches[i], map != NULL);
		first = false;
	}
	fputs("],\n  \"rss\": ", out);
	if (map)
		rss(out, map);
	else
		fputs("null", out);
	fputc('}', out);
}
