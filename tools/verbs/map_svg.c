// SPDX-License-Identifier: MIT
/*
 * map_svg.c - slabinfo map: a picture of the heap's pages by use.
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
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "../inspect/fields.h"
#include "map.h"

#define MAX_ROWS	256U
#define MAX_CELLS	512U
#define COLOURS		12
#define MAX_ZONES_SHOWN	64U		/* those that have pages */

/* Pixels. */
#define LEFT		150
#define WIDTH		1024
#define LEGEND		280

/*
 * What is drawn: the uses of map.h, of which MAP_SLAB stands for caches without a colour
 * of their own, and behind them slabs of those that have one.
 */
enum { NR_SHADES = NR_MAP_USES + COLOURS };

static const struct {
	const char *colour, *title;
} uses[NR_MAP_USES] = {
	[MAP_NOT_RESIDENT] = { "#ffffff", "free or unused, not resident" },
	[MAP_FREE]	= { "#cfd8dc", "free, resident" },
	[MAP_UNTRACKED]	= { "#ffff00", "resident, in no block" },
	[MAP_PCP]	= { "#90a4ae", "per-CPU page lists" },
	[MAP_MOVABLE]	= { "#1b5e20", "pages, movable" },
	[MAP_PAGES]	= { "#6d4c41", "pages" },
	[MAP_LARGE]	= { "#37474f", "large objects" },
	[MAP_PARKED]	= { "#ffab91", "parked: freed runs kept whole" },
	[MAP_RCU]	= { "#f0e2b6", "slabs waiting for RCU" },
	[MAP_SLAB]	= { "#bcaaa4", "slabs of other caches" },
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
	uint64_t pages[NR_SHADES];	/* of the whole heap, for the legend */
	FILE *out;
	int y;
};

struct zone_shades {
	struct map *map;
	const struct heap_zone *zone;
	unsigned char *shade;		/* byte per page */
};

static unsigned int shade_of(const struct map *m, const struct map_run *run)
{
	for (unsigned int i = 0; run->use == MAP_SLAB && i < COLOURS; i++)
		if (m->coloured[i] == run->cache)
			return NR_MAP_USES + i;
	return run->use;
}

static void shade_run(void *arg, const struct map_run *run)
{
	struct zone_shades *z = arg;
	unsigned int shade = shade_of(z->map, run);

	memset(z->shade + run->first, (int)shade, run->pages);
	z->map->pages[shade] += run->pages;
}

/* ---- drawing ------------------------------------------------------------------------------ */

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

static const char *colour(unsigned int shade)
{
	return shade < NR_MAP_USES ? uses[shade].colour : slab_colours[shade - NR_MAP_USES];
}

static void rectangle(FILE *out, double x, double y, double w, double h, const char *fill)
{
	fprintf(out, "<rect x='%.6g' y='%.6g' width='%.6g' height='%.6g' fill='%s'/>\n",
		x, y, w, h, fill);
}

/* The use of most of the pages [@from, @to). Where equal, the higher: what is used shows. */
static unsigned int most(const struct zone_shades *z, uint64_t from, uint64_t to)
{
	uint64_t count[NR_SHADES] = { 0 };
	unsigned int best = 0;

	for (uint64_t p = from; p < to; p++)
		count[z->shade[p]]++;
	for (unsigned int u = 1; u < NR_SHADES; u++)
		if (count[u] >= count[best])
			best = u;
	return best;
}

struct grid {
	uint64_t per_row, per_cell;	/* pages */
	double cell;			/* pixels */
	int height;
};

static void draw_row(struct map *m, const struct zone_shades *z, const struct grid *g,
		     uint64_t row)
{
	uint64_t end = min_u64((row + 1) * g->per_row, z->zone->nr_present), start = row * g->per_row;
	unsigned int last = MAP_NOT_RESIDENT;
	uint64_t since = start, at;

	for (at = start; at <= end; at += g->per_cell) {
		unsigned int use = MAP_NOT_RESIDENT;

		if (at < end)
			use = most(z, at, min_u64(at + g->per_cell, end));
		if (use == last)
			continue;
		if (last != MAP_NOT_RESIDENT)
			rectangle(m->out, LEFT + (double)((since - start) / g->per_cell) * g->cell,
				  m->y, (double)((at - since) / g->per_cell) * g->cell, g->height,
				  colour(last));
		last = use;
		since = at;
	}
	if (last != MAP_NOT_RESIDENT)
		rectangle(m->out, LEFT + (double)((since - start) / g->per_cell) * g->cell, m->y,
			  (double)((end - since + g->per_cell - 1) / g->per_cell) * g->cell,
			  g->height, colour(last));
}

static void draw_row_frame(struct map *m, const struct zone_shades *z, const struct grid *g,
			   uint64_t row, const unsigned char *types)
{
	uint64_t first = row * g->per_row, order = m->heap->fields->PAGEBLOCK_ORDER;

	if (types && types[first >> order] < ARRAY_SIZE(type_colours))
		rectangle(m->out, LEFT - 8, m->y, 5, g->height,
			  type_colours[types[first >> order]]);
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

static void draw_zone(struct map *m, const struct zone_shades *z)
{
	struct grid g = make_grid(m, z->zone);
	uint64_t nr_types, rows = (z->zone->nr_present + g.per_row - 1) / g.per_row;
	unsigned char *types = map_pageblocks(m->heap, z->zone, &nr_types);
	char name[32];
	int top;

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

	for (unsigned int u = 0; u < NR_SHADES; u++) {
		if (!m->pages[u])
			continue;
		snprintf(size, sizeof(size), "%.1f MiB",
			 (double)(m->pages[u] << m->heap->page_shift) / (1 << 20));
		legend_line(m, &y, colour(u), u < NR_MAP_USES ? uses[u].title :
			    m->coloured[u - NR_MAP_USES]->name, size);
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

static bool draw_zones(struct map *m)
{
	struct heap *h = m->heap;
	size_t shown = 0;
	bool ok = true;

	for (size_t i = 0; ok && i < h->nr_zones && shown < MAX_ZONES_SHOWN; i++) {
		struct zone_shades z = { .map = m, .zone = &h->zones[i] };

		if (!z.zone->nr_present)
			continue;
		z.shade = xcalloc(z.zone->nr_present, 1);
		ok = map_walk(h, z.zone, shade_run, &z);
		if (ok)
			draw_zone(m, &z);
		free(z.shade);
		shown++;
	}
	return ok;
}

/* The height is known at the end, and stands at the front: the body goes to memory. */
bool map_svg(FILE *out, struct heap *h)
{
	struct map m = { .heap = h, .y = 34 };
	char *body = NULL;
	size_t size;
	int legend;
	bool ok;

	m.out = open_memstream(&body, &size);
	if (!m.out)
		return false;
	choose_colours(&m);
	ok = draw_zones(&m);
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
	free(body);
	return ok;
}
