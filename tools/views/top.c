// SPDX-License-Identifier: MIT
/* top.c - slabtop's table: sums, sorting, rates, lines of text. */
#include "top.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "../inspect/report.h"
#include "../inspect/rss.h"

/* ---- reading ------------------------------------------------------------------------ */

static void take_cache(struct top_row *r, const struct heap *h, const struct heap_cache *c)
{
	memcpy(r->name, c->name, sizeof(r->name));
	r->heap = h->image->start;
	r->addr = c->addr;
	r->objects = cache_total(c);
	r->active = min_u64(cache_active(c), r->objects);
	r->slabs = c->nr_slabs;
	r->active_slabs = c->nr_slabs - min_u64(c->nr_empty, c->nr_slabs);
	r->pages = 1U << c->order;
	r->bytes = c->nr_slabs << (h->page_shift + c->order);
	r->exchanges = c->nr_refill + c->nr_flush + c->nr_depot_get + c->nr_depot_put;
	r->slab_events = c->alloc_slab + c->free_slab;
	r->size = c->size;
	r->per_slab = c->objects;
}

static int by_identity(const void *a, const void *b)
{
	const struct top_row *x = a, *y = b;

	if (x->heap != y->heap)
		return x->heap < y->heap ? -1 : 1;
	return x->addr < y->addr ? -1 : x->addr > y->addr;
}

static double rate(uint64_t now, uint64_t before, double seconds)
{
	return ((double)now - (double)before) / seconds;
}

/* A cache that took the place of another is told by totals that went back. */
static void set_rates(struct top_row *r, const struct top *old, double seconds)
{
	const struct top_row *o = bsearch(r, old->row, old->nr, sizeof(*r), by_identity);

	if (!o || strcmp(o->name, r->name) || o->exchanges > r->exchanges ||
	    o->slab_events > r->slab_events)
		return;
	r->net_rate = rate(r->active, o->active, seconds);
	r->exchange_rate = rate(r->exchanges, o->exchanges, seconds);
	r->slab_rate = rate(r->slab_events, o->slab_events, seconds);
}

void top_take(struct top *t, struct target *target, double now)
{
	struct top old = *t;
	size_t nr = 0;

	for (size_t i = 0; i < target->nr_heaps; i++)
		nr += target->heaps[i]->nr_caches;
	t->row = xcalloc(nr, sizeof(*t->row));
	t->nr = 0;
	t->rss = 0;
	t->time = now;
	snprintf(t->command, sizeof(t->command), "%s", target->src->command);
	for (size_t i = 0; i < target->nr_heaps; i++) {
		const struct heap *h = target->heaps[i];

		t->rss += rss_total(h);
		for (size_t k = 0; k < h->nr_caches; k++)
			take_cache(&t->row[t->nr++], h, &h->caches[k]);
	}
	if (old.nr && now > old.time) {
		qsort(old.row, old.nr, sizeof(*old.row), by_identity);
		for (size_t i = 0; i < t->nr; i++)
			set_rates(&t->row[i], &old, now - old.time);
	}
	free(old.row);
	top_sort(t, t->sort);
}

void top_free(struct top *t)
{
	free(t->row);
	*t = (struct top){ 0 };
}

/* ---- sorting ------------------------------------------------------------------------ */

static double value_active(const struct top_row *r) { return (double)r->active; }
static double value_per_slab(const struct top_row *r) { return r->per_slab; }
static double value_bytes(const struct top_row *r) { return (double)r->bytes; }
static double value_slabs(const struct top_row *r) { return (double)r->slabs; }
static double value_active_slabs(const struct top_row *r) { return (double)r->active_slabs; }
static double value_objects(const struct top_row *r) { return (double)r->objects; }
static double value_pages(const struct top_row *r) { return r->pages; }
static double value_size(const struct top_row *r) { return r->size; }
static double value_net(const struct top_row *r) { return r->net_rate; }
static double value_exchange(const struct top_row *r) { return r->exchange_rate; }
static double value_slab(const struct top_row *r) { return r->slab_rate; }

static double value_use(const struct top_row *r)
{
	return r->objects ? (double)r->active / (double)r->objects : 0;
}

/* procps' keys, and g, m, t for the rates. All sort downwards, but the name. */
static const struct key {
	char key;
	const char *name;
	double (*value)(const struct top_row *r);	/* NULL: the name */
} keys[] = {
	{ 'a', "active objects", value_active },
	{ 'b', "objects per slab", value_per_slab },
	{ 'c', "cache size", value_bytes },
	{ 'g', "net growth", value_net },
	{ 'l', "slabs", value_slabs },
	{ 'm', "magazine exchanges", value_exchange },
	{ 'n', "name", NULL },
	{ 'o', "objects", value_objects },
	{ 'p', "pages per slab", value_pages },
	{ 's', "object size", value_size },
	{ 't', "slab turnover", value_slab },
	{ 'u', "use", value_use },
	{ 'v', "active slabs", value_active_slabs },
};

static const struct key *find_key(char key)
{
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		if (keys[i].key == key)
			return &keys[i];
	return NULL;
}

bool top_is_key(char key)
{
	return find_key(key) != NULL;
}

const char *top_key_name(char key)
{
	const struct key *k = find_key(key);

	return k ? k->name : "nothing";
}

void top_print_keys(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		printf("  %c  %-20s%s", keys[i].key, keys[i].name,
		       i % 3 == 2 || i + 1 == ARRAY_SIZE(keys) ? "\n" : "");
}

static int compare(const void *a, const void *b, void *arg)
{
	const struct top_row *x = a, *y = b;
	const struct key *k = arg;
	double vx = k->value ? k->value(x) : 0, vy = k->value ? k->value(y) : 0;

	if (vx != vy)
		return vx > vy ? -1 : 1;
	return strcmp(x->name, y->name);
}

void top_sort(struct top *t, char key)
{
	t->sort = key;
	if (t->nr)
		qsort_r(t->row, t->nr, sizeof(*t->row), compare, (void *)find_key(key));
}

/* ---- lines of text --------------------------------------------------------------------- */

static double percent(uint64_t part, uint64_t whole)
{
	return whole ? 100.0 * (double)part / (double)whole : 0;
}

static double kib(uint64_t bytes)
{
	return (double)bytes / 1024;
}

struct sums {
	uint64_t objects, active, slabs, active_slabs, caches, bytes, active_bytes;
	uint64_t min, max;
};

static struct sums sum_up(const struct top *t)
{
	struct sums s = { .min = UINT64_MAX };

	for (size_t i = 0; i < t->nr; i++) {
		const struct top_row *r = &t->row[i];

		s.objects += r->objects;
		s.active += r->active;
		s.slabs += r->slabs;
		s.active_slabs += r->active_slabs;
		s.caches += r->slabs > 0;
		s.bytes += r->bytes;
		s.active_bytes += r->active * r->size;
		s.min = min_u64(s.min, r->size);
		s.max = max_u64(s.max, r->size);
	}
	if (!t->nr)
		s.min = 0;
	return s;
}

void top_header(const struct top *t, int n, char *line, size_t size)
{
	const struct sums s = sum_up(t);

	line[0] = '\0';
	switch (n) {
	case 0:
		snprintf(line, size, " Active / Total Objects (%% used)    : %" PRIu64 " / %" PRIu64
			 " (%.1f%%)", s.active, s.objects, percent(s.active, s.objects));
		break;
	case 1:
		snprintf(line, size, " Active / Total Slabs (%% used)      : %" PRIu64 " / %" PRIu64
			 " (%.1f%%)", s.active_slabs, s.slabs, percent(s.active_slabs, s.slabs));
		break;
	case 2:
		snprintf(line, size, " Active / Total Caches (%% used)     : %" PRIu64 " / %zu"
			 " (%.1f%%)", s.caches, t->nr, percent(s.caches, t->nr));
		break;
	case 3:
		snprintf(line, size, " Active / Total Size (%% used)       : %.2fK / %.2fK (%.1f%%)",
			 kib(s.active_bytes), kib(s.bytes), percent(s.active_bytes, s.bytes));
		break;
	case 4:
		snprintf(line, size, " Minimum / Average / Maximum Object : %.2fK / %.2fK / %.2fK",
			 kib(s.min), s.objects ? kib(s.active_bytes) / (double)max_u64(s.active, 1) :
			 0, kib(s.max));
		break;
	case 5:
		snprintf(line, size, " Resident in the heap               : %.2fK", kib(t->rss));
		break;
	}
}

void top_columns(bool rates, char *line, size_t size)
{
	snprintf(line, size, "%6s %6s %4s %8s %6s %8s %10s%s %s", "OBJS", "ACTIVE", "USE",
		 "OBJ SIZE", "SLABS", "OBJ/SLAB", "CACHE SIZE",
		 rates ? "    NET/S    MAG/S   SLAB/S" : "", "NAME");
}

/* In eight characters; a number below 10 with a decimal. */
static const char *rate_text(char *buf, size_t size, double r)
{
	if (r > -0.05 && r < 0.05)
		return ".";
	if (r >= 1e7 || r <= -1e6)
		snprintf(buf, size, "%.0fM", r / 1e6);
	else
		snprintf(buf, size, r > -10 && r < 10 ? "%.1f" : "%.0f", r);
	return buf;
}

void top_line(const struct top_row *r, bool rates, char *line, size_t size)
{
	char a[32], b[32], c[32], text[100] = "";

	if (rates)
		snprintf(text, sizeof(text), " %8s %8s %8s",
			 rate_text(a, sizeof(a), r->net_rate),
			 rate_text(b, sizeof(b), r->exchange_rate),
			 rate_text(c, sizeof(c), r->slab_rate));
	snprintf(line, size, "%6" PRIu64 " %6" PRIu64 " %3.0f%% %7.2fK %6" PRIu64 " %8u %9.0fK%s %s",
		 r->objects, r->active, percent(r->active, r->objects), kib(r->size), r->slabs,
		 r->per_slab, kib(r->bytes), text, r->name);
}

void top_print(const struct top *t, FILE *out)
{
	char line[512];

	for (int i = 0; i < TOP_HEADER_LINES; i++) {
		top_header(t, i, line, sizeof(line));
		fprintf(out, "%s\n", line);
	}
	top_columns(false, line, sizeof(line));
	fprintf(out, "\n%s\n", line);
	for (size_t i = 0; i < t->nr; i++) {
		top_line(&t->row[i], false, line, sizeof(line));
		fprintf(out, "%s\n", line);
	}
}

void top_json(const struct top *t, int pid, FILE *out)
{
	fprintf(out, "{\"pid\": %d, \"command\": ", pid);
	json_string(out, t->command);
	fprintf(out, ", \"rss\": %" PRIu64 ", \"caches\": [", t->rss);
	for (size_t i = 0; i < t->nr; i++) {
		const struct top_row *r = &t->row[i];

		fprintf(out, "%s\n {\"name\": ", i ? "," : "");
		json_string(out, r->name);
		fprintf(out, ", \"objects\": %" PRIu64 ", \"active_objects\": %" PRIu64
			", \"object_size\": %u, \"slabs\": %" PRIu64 ", \"active_slabs\": %" PRIu64
			", \"objects_per_slab\": %u, \"pages_per_slab\": %u, \"size\": %" PRIu64 "}",
			r->objects, r->active, r->size, r->slabs, r->active_slabs, r->per_slab,
			r->pages, r->bytes);
	}
	fputs("]}\n", out);
}
