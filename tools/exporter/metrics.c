// SPDX-License-Identifier: MIT
/*
 * metrics.c - heaps of many processes, in Prometheus' text format.
 *
 * Labels: pid, command, and heap, the number of the library's copy in the process,
 * from 0. Two caches of one heap may have the same name; their numbers are added,
 * since a series may be there only once.
 */
#include "metrics.h"

#include <ctype.h>
#include <dirent.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../inspect/rss.h"
#include "../views/watch.h"

#define MAX_PROCESSES	4096U
#define LABEL_MAX	(2 * CACHE_NAME_MAX)

struct cache_numbers {
	char name[CACHE_NAME_MAX];
	uint64_t active, total, slabs, size, rss;
	uint64_t slabs_made, slabs_freed, exchanges;
};

struct heap_numbers {
	char labels[LABEL_MAX];		/* pid="1",command="x",heap="0" */
	char version[32];
	const char *mode;
	struct rss_map map;
	uint64_t live, free_pages, purged;
	unsigned int torn;
	struct cache_numbers *cache;
	size_t nr_caches;
};

struct scrape {
	struct metrics *m;
	struct heap_numbers *heap;
	size_t nr;
	size_t nr_processes, nr_failed;
};

/* ---- reading --------------------------------------------------------------------------- */

/* A label's value: quotes, backslashes and whatever is not plain ASCII become "_". */
static void clean_label(char *s)
{
	for (; *s; s++)
		if (*s < ' ' || *s > '~' || *s == '"' || *s == '\\')
			*s = '_';
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct cache_numbers *)a)->name,
		      ((const struct cache_numbers *)b)->name);
}

static void add_same(struct cache_numbers *to, const struct cache_numbers *c)
{
	to->active += c->active;
	to->total += c->total;
	to->slabs += c->slabs;
	to->rss += c->rss;
	to->slabs_made += c->slabs_made;
	to->slabs_freed += c->slabs_freed;
	to->exchanges += c->exchanges;
}

static void take_caches(struct heap_numbers *n, const struct heap *h)
{
	size_t to = 0;

	n->cache = xcalloc(h->nr_caches, sizeof(*n->cache));
	for (size_t i = 0; i < h->nr_caches; i++) {
		const struct heap_cache *c = &h->caches[i];
		struct cache_numbers *k = &n->cache[i];

		*k = (struct cache_numbers){
			.active = min_u64(cache_active(c), cache_total(c)),
			.total = cache_total(c), .slabs = c->nr_slabs, .size = c->size,
			.rss = c->rss, .slabs_made = c->alloc_slab, .slabs_freed = c->free_slab,
			.exchanges = c->nr_refill + c->nr_flush + c->nr_depot_get +
				     c->nr_depot_put,
		};
		memcpy(k->name, c->name, sizeof(k->name));
		clean_label(k->name);
	}
	if (h->nr_caches)
		qsort(n->cache, h->nr_caches, sizeof(*n->cache), by_name);
	for (size_t i = 0; i < h->nr_caches; i++) {
		if (to && !strcmp(n->cache[to - 1].name, n->cache[i].name))
			add_same(&n->cache[to - 1], &n->cache[i]);
		else
			n->cache[to++] = n->cache[i];
	}
	n->nr_caches = to;
}

static bool take_heap(struct scrape *s, struct heap *h, size_t index)
{
	struct heap_numbers n = { .mode = heap_mode_name(h) };
	char command[64], *error = NULL;

	if (!rss_read(h, &n.map, &error)) {
		free(error);
		return false;
	}
	snprintf(command, sizeof(command), "%s", h->src->command);
	clean_label(command);
	snprintf(n.labels, sizeof(n.labels), "pid=\"%d\",command=\"%s\",heap=\"%zu\"",
		 h->src->pid, command, index);
	snprintf(n.version, sizeof(n.version), "%s", h->image->layout->version);
	clean_label(n.version);
	n.live = n.map.row[ROW_OBJECTS].rss + n.map.row[ROW_LARGE].rss + n.map.row[ROW_PAGES].rss;
	for (size_t i = 0; i < h->nr_zones; i++) {
		n.free_pages += h->zones[i].nr_free;
		n.purged += h->zones[i].nr_purged;
	}
	n.torn = h->torn;
	if (s->m->options.caches)
		take_caches(&n, h);
	s->heap = grow(s->heap, s->nr, sizeof(*s->heap));
	s->heap[s->nr++] = n;
	return true;
}

/* 1: it has heaps, which were taken; 0: not on the library; -1: can't be read. */
static int take_process(struct scrape *s, int pid)
{
	struct source *src = source_process(pid, NULL);
	struct image *images;
	size_t nr, used = 0;
	int result = 0;

	if (!src)
		return -1;
	images = images_find_known(src, &nr, &s->m->memory);
	for (size_t i = 0; i < nr; i++) {
		char *error = NULL;
		struct heap *h = heap_read(src, &images[i], &error);

		if (h && h->mode != HEAP_UNUSED)
			result = take_heap(s, h, used++) && result >= 0 ? 1 : -1;
		else if (!h)
			result = -1;
		heap_free(h);
		free(error);
	}
	images_free(images, nr);
	source_close(src);
	return result;
}

static bool ours(const char *name)
{
	char path[300];
	struct stat st;

	snprintf(path, sizeof(path), "/proc/%s", name);
	return geteuid() == 0 || (stat(path, &st) == 0 && st.st_uid == geteuid());
}

/* Named processes that can't be read are failures; others are not known to be ours. */
static void take_named(struct scrape *s)
{
	const struct metrics_options *o = &s->m->options;

	for (size_t i = 0; i < o->nr_pids; i++) {
		bool good = take_process(s, o->pids[i]) > 0;

		s->nr_processes += good;
		s->nr_failed += !good;
	}
}

static void take_all(struct scrape *s)
{
	DIR *dir = opendir("/proc");
	struct dirent *d;

	while (dir && (d = readdir(dir)) && s->nr_processes < MAX_PROCESSES) {
		int pid = isdigit((unsigned char)d->d_name[0]) ? atoi(d->d_name) : 0;

		if (pid > 0 && pid != getpid() && ours(d->d_name))
			s->nr_processes += take_process(s, pid) > 0;
	}
	if (dir)
		closedir(dir);
}

/* ---- writing ----------------------------------------------------------------------------- */

static void head(FILE *out, const char *name, const char *type, const char *help)
{
	fprintf(out, "# HELP libkmem_%s %s\n# TYPE libkmem_%s %s\n", name, help, name, type);
}

static void write_info(FILE *out, const struct scrape *s)
{
	head(out, "info", "gauge", "Version of the library and mode of its per-CPU caches.");
	for (size_t i = 0; i < s->nr; i++)
		fprintf(out, "libkmem_info{%s,version=\"%s\",mode=\"%s\"} 1\n", s->heap[i].labels,
			s->heap[i].version, s->heap[i].mode);
}

static void write_rss(FILE *out, const struct scrape *s)
{
	head(out, "heap_resident_bytes", "gauge",
	     "Resident memory of the heap by what it is; the sum is its RSS.");
	for (size_t i = 0; i < s->nr; i++)
		for (enum rss_row r = 0; r < NR_ROWS; r++)
			fprintf(out, "libkmem_heap_resident_bytes{%s,use=\"%s\"} %" PRIu64 "\n",
				s->heap[i].labels, rss_row_key(r), s->heap[i].map.row[r].rss);
}

static const struct {
	const char *name, *type, *help;
	size_t offset;
} heap_metrics[] = {
	{ "heap_live_bytes", "gauge", "Resident bytes that the program holds.",
	  offsetof(struct heap_numbers, live) },
	{ "heap_free_pages", "gauge", "Pages on free lists, resident or not.",
	  offsetof(struct heap_numbers, free_pages) },
	{ "heap_purged_pages_total", "counter", "Pages given back to the system.",
	  offsetof(struct heap_numbers, purged) },
};

static const struct {
	const char *name, *type, *help;
	size_t offset;
} cache_metrics[] = {
	{ "cache_active_objects", "gauge", "Objects that the program holds.",
	  offsetof(struct cache_numbers, active) },
	{ "cache_objects", "gauge", "Objects in all slabs, in use or free.",
	  offsetof(struct cache_numbers, total) },
	{ "cache_object_size_bytes", "gauge", "Bytes from one object to the next.",
	  offsetof(struct cache_numbers, size) },
	{ "cache_slabs", "gauge", "Slabs.", offsetof(struct cache_numbers, slabs) },
	{ "cache_resident_bytes", "gauge", "Resident memory of the slabs.",
	  offsetof(struct cache_numbers, rss) },
	{ "cache_slabs_made_total", "counter", "Slabs made.",
	  offsetof(struct cache_numbers, slabs_made) },
	{ "cache_slabs_freed_total", "counter", "Slabs given back.",
	  offsetof(struct cache_numbers, slabs_freed) },
	{ "cache_magazine_exchanges_total", "counter",
	  "Magazines refilled, flushed, and exchanged with the depot.",
	  offsetof(struct cache_numbers, exchanges) },
};

static uint64_t number(const void *base, size_t offset)
{
	return *(const uint64_t *)((const char *)base + offset);
}

static void write_heaps(FILE *out, const struct scrape *s)
{
	for (size_t k = 0; k < ARRAY_SIZE(heap_metrics); k++) {
		head(out, heap_metrics[k].name, heap_metrics[k].type, heap_metrics[k].help);
		for (size_t i = 0; i < s->nr; i++)
			fprintf(out, "libkmem_%s{%s} %" PRIu64 "\n", heap_metrics[k].name,
				s->heap[i].labels, number(&s->heap[i], heap_metrics[k].offset));
	}
	head(out, "heap_torn", "gauge", "Places that changed while they were read.");
	for (size_t i = 0; i < s->nr; i++)
		fprintf(out, "libkmem_heap_torn{%s} %u\n", s->heap[i].labels, s->heap[i].torn);
}

static void write_caches(FILE *out, const struct scrape *s)
{
	for (size_t k = 0; s->m->options.caches && k < ARRAY_SIZE(cache_metrics); k++) {
		head(out, cache_metrics[k].name, cache_metrics[k].type, cache_metrics[k].help);
		for (size_t i = 0; i < s->nr; i++)
			for (size_t c = 0; c < s->heap[i].nr_caches; c++)
				fprintf(out, "libkmem_%s{%s,cache=\"%s\"} %" PRIu64 "\n",
					cache_metrics[k].name, s->heap[i].labels,
					s->heap[i].cache[c].name,
					number(&s->heap[i].cache[c], cache_metrics[k].offset));
	}
}

static void write_self(FILE *out, const struct scrape *s, double seconds)
{
	head(out, "exporter_processes", "gauge", "Processes that were read.");
	fprintf(out, "libkmem_exporter_processes %zu\n", s->nr_processes);
	head(out, "exporter_failed_processes", "gauge",
	     "Processes that were named and can't be read, or do not run on the library.");
	fprintf(out, "libkmem_exporter_failed_processes %zu\n", s->nr_failed);
	head(out, "exporter_read_seconds", "gauge", "How long reading took.");
	fprintf(out, "libkmem_exporter_read_seconds %.6f\n", seconds);
}

char *metrics_text(struct metrics *m, size_t *size)
{
	struct scrape s = { .m = m };
	double begin = watch_now();
	char *text = NULL;
	FILE *out = open_memstream(&text, size);

	if (!out)
		return NULL;
	if (m->options.pids)
		take_named(&s);
	else
		take_all(&s);
	write_info(out, &s);
	write_rss(out, &s);
	write_heaps(out, &s);
	write_caches(out, &s);
	write_self(out, &s, watch_now() - begin);
	for (size_t i = 0; i < s.nr; i++)
		free(s.heap[i].cache);
	free(s.heap);
	if (fclose(out)) {
		free(text);
		return NULL;
	}
	return text;
}
