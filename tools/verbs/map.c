// SPDX-License-Identifier: MIT
/*
 * map.c - slabinfo map: a picture of the heap's pages by use, as SVG.
 *
 * Addresses grow from left to right and from top to bottom; a row is a pageblock or,
 * where there are more than MAX_ROWS of them, several. A row has at most MAX_CELLS
 * cells; the use that most pages of a cell have gives its colour. The bar at the
 * left of a row is the migrate type of its pageblock (the first, if several). What
 * is free and not resident is left white: it is address space and no memory.
 *
 * Cells that have the same colour are one rectangle, so that a heap of any size gives a
 * file of at most MAX_ROWS * MAX_CELLS of them, and normally some thousands. Caches
 * get colours of their own, the largest COLOURS of them; others share one.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "../inspect/pages.h"
#include "verbs.h"

#define MAX_ROWS	256U
#define MAX_CELLS	512U
#define COLOURS		12
#define MAX_ZONES_SHOWN	64U		/* those that have pages */

/* Pixels. */
#define LEFT		150
#define WIDTH		1024
#define LEGEND		280

/*
 * What a page is used for: the kinds of blocks, free and not resident, and then
 * slabs, by the colour of the cache.
 */
enum use {
	USE_NONE, USE_FREE, USE_PCP, USE_MOVABLE, USE_PAGES, USE_LARGE, USE_PARKED,
	USE_SLAB_OTHER, USE_SLAB, NR_USES = USE_SLAB + COLOURS
};

static const struct {
	const char *colour, *title;
} uses[USE_SLAB] = {
	[USE_NONE]	= { "#ffffff", "free or unused, not resident" },
	[USE_FREE]	= { "#cfd8dc", "free, resident" },
	[USE_PCP]	= { "#90a4ae", "per-CPU page lists" },
	[USE_MOVABLE]	= { "#1b5e20", "pages, movable" },
	[USE_PAGES]	= { "#6d4c41", "pages" },
	[USE_LARGE]	= { "#37474f", "large objects" },
	[USE_PARKED]	= { "#ffab91", "parked: freed runs kept whole" },
	[USE_SLAB_OTHER] = { "#bcaaa4", "slabs of other caches" },
};

static const char *const slab_colours[COLOURS] = {
	"#1f77b4", "#ff7f0e", "#2ca02c", "#d62728", "#9467bd", "#17becf", "#e377c2",
	"#bcbd22", "#8c6bb1", "#41ab5d", "#fdb863", "#4575b4",
};
static const char *const type_colours[] = { "#d84315", "#1b5e20", "#f9a825" };
static const char *const type_names[] = { "unmovable", "movable", "reclaimable" };

struct map {
	struct heap *heap;
	const struct heap_cache *coloured[COLOURS];
	uint64_t pages[NR_USES];	/* of the whole heap, for the legend */
	FILE *out;
	int y;
};

/* ---- which page is used for what ------------------------------------------------------ */

struct zone_uses {
	struct map *map;
	const struct heap_zone *zone;
	uint64_t *resident;		/* bit per page */
	unsigned char *use;		/* byte per page */
};

static void mark(void *arg, uint64_t start, uint64_t end)
{
	struct zone_uses *z = arg;
	unsigned int shift = z->map->heap->page_shift;

	for (uint64_t at = start; at < end; at += 1UL << shift) {
		uint64_t page = (at - z->zone->base) >> shift;

		z->resident[page / 64] |= 1UL << page % 64;
	}
}

static enum use slab_use(const struct map *m, const struct heap_cache *c)
{
	for (int i = 0; i < COLOURS; i++)
		if (m->coloured[i] == c)
			return USE_SLAB + i;
	return USE_SLAB_OTHER;
}

static enum use use_of(const struct zone_uses *z, const struct heap_block *b)
{
	const struct layout_item *movable;

	switch (b->kind) {
	case BLOCK_NONE:
	case BLOCK_FREE:
	case BLOCK_ISOLATED:
		return USE_FREE;
	case BLOCK_PCP:
		return USE_PCP;
	case BLOCK_LARGE:
		return USE_LARGE;
	case BLOCK_PARKED:
		return USE_PARKED;
	case BLOCK_RCU:
		return USE_SLAB_OTHER;
	case BLOCK_SLAB:
		return slab_use(z->map, b->cache);
	default:
		movable = layout_item(z->map->heap->image->layout, "", "MIGRATE_MOVABLE");
		return movable && movable->value == b->migratetype ? USE_MOVABLE : USE_PAGES;
	}
}

static void note_block(void *arg, struct page_window *w, const struct heap_block *b)
{
	struct zone_uses *z = arg;
	enum use use = use_of(z, b);

	(void)w;
	for (uint64_t p = b->zpn; p < b->zpn + b->nr_pages; p++) {
		bool here = z->resident[p / 64] >> p % 64 & 1;

		z->use[p] = use == USE_FREE && !here ? USE_NONE : use;
		z->map->pages[z->use[p]]++;
	}
}

static bool read_uses(struct zone_uses *z, struct map *m, const struct heap_zone *zone)
{
	struct source *src = m->heap->src;
	struct page_window w;

	*z = (struct zone_uses){ .map = m, .zone = zone };
	z->resident = xcalloc(zone->nr_present / 64 + 1, 8);
	z->use = xcalloc(zone->nr_present + 1, 1);
	if (!src->ops->resident(src, zone->base,
				zone->base + (zone->nr_present << m->heap->page_shift), mark, z))
		return false;
	page_window_open(&w, m->heap, zone);
	blocks_walk(&w, note_block, z);
	page_window_close(&w);
	return true;
}

static void free_uses(struct zone_uses *z)
{
	free(z->resident);
	free(z->use);
}

/* ---- SVG ---------------------------------------------------------------------------------- */

static void put_text(FILE *out, const char *s)
{
	for (; *s; s++) {
		unsigned char c = (unsigned char)*s;

		if (c == '<' || c == '>' || c == '&')
			fprintf(out, "&#%d;", c);
		else
			fputc(c < ' ' || c > '~' ? '?' : c, out);
	}
}

static const char *colour(enum use use)
{
	return use < USE_SLAB ? uses[use].colour : slab_colours[use - USE_SLAB];
}

static void rectangle(FILE *out, double x, double y, double w, double h, const char *fill)
{
	fprintf(out, "<rect x='%.6g' y='%.6g' width='%.6g' height='%.6g' fill='%s'/>\n",
		x, y, w, h, fill);
}

/* The use of most of the pages [@from, @to). Where equal, the higher: what is used shows. */
static enum use most(const struct zone_uses *z, uint64_t from, uint64_t to)
{
	uint64_t count[NR_USES] = { 0 };
	enum use best = 0;

	for (uint64_t p = from; p < to; p++)
		count[z->use[p]]++;
	for (enum use u = 1; u < NR_USES; u++)
		if (count[u] >= count[best])
			best = u;
	return best;
}

struct grid {
	uint64_t per_row, per_cell;	/* pages */
	double cell;			/* pixels */
	int height;
};

static void draw_row(struct map *m, const struct zone_uses *z, const struct grid *g,
		     uint64_t row)
{
	uint64_t end = min_u64((row + 1) * g->per_row, z->zone->nr_present), start = row * g->per_row;
	enum use last = USE_NONE;
	uint64_t since = start, at;

	for (at = start; at <= end; at += g->per_cell) {
		enum use use = at < end ? most(z, at, min_u64(at + g->per_cell, end)) : USE_NONE;

		if (use == last)
			continue;
		if (last != USE_NONE)
			rectangle(m->out, LEFT + (double)((since - start) / g->per_cell) * g->cell,
				  m->y, (double)((at - since) / g->per_cell) * g->cell, g->height,
				  colour(last));
		last = use;
		since = at;
	}
	if (last != USE_NONE)
		rectangle(m->out, LEFT + (double)((since - start) / g->per_cell) * g->cell, m->y,
			  (double)((end - since + g->per_cell - 1) / g->per_cell) * g->cell,
			  g->height, colour(last));
}

static void draw_row_frame(struct map *m, const struct zone_uses *z, const struct grid *g,
			   uint64_t row, const unsigned char *types)
{
	uint64_t first = row * g->per_row, order = m->heap->fields->PAGEBLOCK_ORDER;
	unsigned int type = types[first >> order];

	if (type < ARRAY_SIZE(type_colours))
		rectangle(m->out, LEFT - 8, m->y, 5, g->height, type_colours[type]);
	if (row % 8 == 0)
		fprintf(m->out, "<text x='%d' y='%d' text-anchor='end'>%" PRIx64 "</text>\n",
			LEFT - 12, m->y + 9, z->zone->base + (first << m->heap->page_shift));
}

static struct grid make_grid(const struct map *m, const struct heap_zone *zone)
{
	struct grid g = { .per_row = 1UL << m->heap->fields->PAGEBLOCK_ORDER };

	while (zone->nr_present / g.per_row > MAX_ROWS)
		g.per_row *= 2;
	g.per_cell = g.per_row > MAX_CELLS ? g.per_row / MAX_CELLS : 1;
	g.cell = (double)WIDTH / (double)(g.per_row / g.per_cell);
	g.height = zone->nr_present / g.per_row > 96 ? 4 : 10;
	return g;
}

static uint64_t mib(const struct map *m, uint64_t pages)
{
	return ((pages << m->heap->page_shift) + (1UL << 19)) >> 20;
}

static void draw_zone(struct map *m, const struct zone_uses *z)
{
	struct grid g = make_grid(m, z->zone);
	uint64_t order = m->heap->fields->PAGEBLOCK_ORDER;
	uint64_t nr_types = (z->zone->nr_present >> order) + 1;
	uint64_t rows = (z->zone->nr_present + g.per_row - 1) / g.per_row;
	unsigned char *types = xcalloc(1, nr_types);
	char name[32];
	int top;

	if (!z->zone->pageblock_type ||
	    !source_read(m->heap->src, z->zone->pageblock_type, types, nr_types))
		memset(types, 255, nr_types);
	fprintf(m->out, "<text x='%d' y='%d' font-weight='bold'>node %d, zone %s: %" PRIu64
		" MiB; a row is %" PRIu64 " KiB, a cell %" PRIu64 " KiB</text>\n", LEFT, m->y + 12,
		z->zone->node, zone_name(z->zone, name, sizeof(name)), mib(m, z->zone->nr_present),
		g.per_row << m->heap->page_shift >> 10, g.per_cell << m->heap->page_shift >> 10);
	m->y += 20;
	top = m->y;
	for (uint64_t row = 0; row < rows; row++, m->y += g.height + 1) {
		draw_row_frame(m, z, &g, row, types);
		draw_row(m, z, &g, row);
	}
	fprintf(m->out, "<rect x='%d' y='%d' width='%d' height='%d' fill='none' stroke='#999'/>\n",
		LEFT, top, WIDTH, m->y - top);
	m->y += 16;
	free(types);
}

static void legend_line(struct map *m, int *y, const char *fill, const char *text,
			const char *size)
{
	int x = LEFT + WIDTH + 24;

	fprintf(m->out, "<rect x='%d' y='%d' width='12' height='12' fill='%s' stroke='#999'/>"
		"<text x='%d' y='%d'>", x, *y, fill, x + 18, *y + 10);
	put_text(m->out, text);
	fprintf(m->out, "</text><text x='%d' y='%d' text-anchor='end'>%s</text>\n",
		LEFT + WIDTH + LEGEND - 4, *y + 10, size);
	*y += 18;
}

static int draw_legend(struct map *m)
{
	int y = 44;
	char size[32];

	for (enum use u = 0; u < NR_USES; u++) {
		if (!m->pages[u])
			continue;
		snprintf(size, sizeof(size), "%.1f MiB",
			 (double)(m->pages[u] << m->heap->page_shift) / (1 << 20));
		legend_line(m, &y, colour(u), u < USE_SLAB ? uses[u].title :
			    m->coloured[u - USE_SLAB]->name, size);
	}
	y += 10;
	for (size_t i = 0; i < ARRAY_SIZE(type_names); i++) {
		snprintf(size, sizeof(size), "pageblock");
		legend_line(m, &y, type_colours[i], type_names[i], size);
	}
	return y;
}

/* ---- the whole ------------------------------------------------------------------------------ */

static int by_space(const void *a, const void *b)
{
	const struct heap_cache *x = *(struct heap_cache *const *)a;
	const struct heap_cache *y = *(struct heap_cache *const *)b;
	uint64_t sx = x->nr_slabs << x->order, sy = y->nr_slabs << y->order;

	return sx > sy ? -1 : sx < sy;
}

static void choose_colours(struct map *m)
{
	struct heap *h = m->heap;
	const struct heap_cache **all = xcalloc(h->nr_caches, sizeof(*all));

	for (size_t i = 0; i < h->nr_caches; i++)
		all[i] = &h->caches[i];
	if (h->nr_caches)
		qsort(all, h->nr_caches, sizeof(*all), by_space);
	for (size_t i = 0; i < COLOURS && i < h->nr_caches && all[i]->nr_slabs; i++)
		m->coloured[i] = all[i];
	free(all);
}

/* The height is known at the end, and stands at the front: the body goes to memory. */
static bool draw_heap(FILE *out, struct heap *h, int *top, char **error)
{
	struct map m = { .heap = h, .y = *top + 34 };
	size_t size, shown = 0;
	char *body = NULL;
	bool ok = true;
	int legend;

	m.out = open_memstream(&body, &size);
	if (!m.out) {
		*error = xstrdup(strerror(errno));
		return false;
	}
	choose_colours(&m);
	for (size_t i = 0; ok && i < h->nr_zones && shown < MAX_ZONES_SHOWN; i++) {
		struct zone_uses z;

		if (!h->zones[i].nr_present)
			continue;
		ok = read_uses(&z, &m, &h->zones[i]);
		if (ok)
			draw_zone(&m, &z);
		free_uses(&z);
		shown++;
	}
	if (!ok)
		*error = xasprintf("%s: which pages are resident can't be told", h->src->label);
	legend = draw_legend(&m);
	fclose(m.out);
	m.y = m.y > legend + 10 ? m.y : legend + 10;
	fprintf(out, "<svg xmlns='http://www.w3.org/2000/svg' width='%d' height='%d' "
		"font-family='sans-serif' font-size='11'>\n"
		"<rect width='100%%' height='100%%' fill='white'/>\n"
		"<text x='%d' y='22' font-size='15'>", LEFT + WIDTH + LEGEND + 10, m.y, LEFT);
	put_text(out, h->src->label);
	fputs(" (", out);
	put_text(out, h->src->command);
	fputs("): pages of the heap by use</text>\n", out);
	fwrite(body, 1, size, out);
	fputs("</svg>\n", out);
	*top = m.y;
	free(body);
	return ok;
}

static void usage(void)
{
	puts("Usage: slabinfo map -o FILE {-p PID | --core CORE [--exe FILE]}\n"
	     "Draws the heap's pages by use, as SVG.\n"
	     "  -o, --output=FILE        the picture; - for standard output\n"
	     "  -p, --pid=PID            the process\n"
	     "      --core=CORE          a core file, and\n"
	     "      --exe=FILE           the program that dumped it\n"
	     "      --heap=N             which heap of the process, where it has several; default 1\n"
	     "  -h, --help               this text");
}

enum { OPT_HEAP = OPT_TARGET_END };

static int draw(const struct target_options *o, const char *file, long which)
{
	char *error = NULL;
	struct target *t = target_open(o, &error);
	FILE *out = NULL;
	bool ok = false;
	int top = 0;

	if (!t)
		goto end;
	if ((size_t)which > t->nr_heaps) {
		error = xasprintf("%s: there is no heap %ld", t->src->label, which);
		goto end;
	}
	out = strcmp(file, "-") ? fopen(file, "we") : stdout;
	ok = out && draw_heap(out, t->heaps[which - 1], &top, &error);
	if (ok && !source_alive(t->src)) {
		error = xasprintf("%s: the process ended while it was read", t->src->label);
		ok = false;
	}
	if (out && (fflush(out) || ferror(out)))
		ok = false;
	if (!ok && !error)
		error = xasprintf("%s: %s", file, strerror(errno));
	if (ok)
		target_warn(t->heaps[which - 1]);
end:
	if (out && out != stdout && fclose(out) && ok) {
		error = xasprintf("%s: %s", file, strerror(errno));
		ok = false;
	}
	if (!ok)
		fail("map: %s", error);
	free(error);
	target_close(t);
	return ok ? EXIT_FINE : EXIT_CANT;
}

int verb_map(int argc, char **argv)
{
	static const struct option longs[] = {
		{ "pid", required_argument, NULL, 'p' },
		{ "core", required_argument, NULL, OPT_CORE },
		{ "exe", required_argument, NULL, OPT_EXE },
		{ "heap", required_argument, NULL, OPT_HEAP },
		{ "output", required_argument, NULL, 'o' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 }
	};
	struct target_options o = { 0 };
	const char *file = NULL;
	long which = 1;
	int c;

	while ((c = getopt_long(argc, argv, "p:o:h", longs, NULL)) != -1) {
		int taken = target_option(&o, c, optarg);

		if (c == 'h') {
			usage();
			return EXIT_FINE;
		} else if (c == 'o') {
			file = optarg;
		} else if (c == OPT_HEAP) {
			which = strtol(optarg, NULL, 10);
		} else if (taken <= 0) {
			if (!taken)
				fputs("Try \"slabinfo map --help\".\n", stderr);
			return EXIT_CANT;
		}
	}
	if (optind < argc || !file || !o.pid == !o.core || which < 1) {
		fail("map: %s; try \"slabinfo map --help\"", optind < argc ?
		     "too many arguments" : !file ? "which file? -o FILE" : which < 1 ?
		     "--heap is a number from 1" : "which process? -p PID, or --core CORE");
		return EXIT_CANT;
	}
	return draw(&o, file, which);
}
