// SPDX-License-Identifier: MIT
/* kernel_totals.c - the summary over all caches, as the kernel's slabinfo tool prints it. */
#include <inttypes.h>

#include "kernel.h"

/* Of some quantity: least, most and sum over caches. */
struct spread {
	uint64_t min, max, sum;
};

static void add(struct spread *s, uint64_t value)
{
	s->min = min_u64(s->min, value);
	s->max = max_u64(s->max, value);
	s->sum += value;
}

enum { OBJECTS, SLABS, PARTIAL, PERCENT_PARTIAL, PARTOBJ, PERCENT_PARTOBJ, MEMORY, USED, LOSS,
       OBJ_MEMORY, OBJ_USER, OBJ_LOSS, NR_SPREADS };

struct totals {
	struct spread s[NR_SPREADS];
	uint64_t caches, active, aliases;
};

static uint64_t percent(uint64_t part, uint64_t whole)
{
	return whole ? part * 100 / whole : 0;
}

static void count(struct totals *t, const struct kcache *k)
{
	const struct heap_cache *c = k->c;

	t->caches++;
	t->aliases += c->nr_aliases;
	if (!c->nr_slabs)
		return;
	t->active++;
	add(&t->s[OBJECTS], k->objects);
	add(&t->s[SLABS], c->nr_slabs);
	add(&t->s[PARTIAL], c->nr_partial);
	add(&t->s[PERCENT_PARTIAL], percent(c->nr_partial, c->nr_slabs));
	add(&t->s[PARTOBJ], k->partobj);
	add(&t->s[PERCENT_PARTOBJ], percent(k->partobj, c->nr_inuse));
	add(&t->s[MEMORY], k->space);
	add(&t->s[USED], k->objects * c->object_size);
	add(&t->s[LOSS], k->loss);
	/* Per object: weighted by their number in the average. */
	add(&t->s[OBJ_MEMORY], c->size);
	add(&t->s[OBJ_USER], c->object_size);
	add(&t->s[OBJ_LOSS], c->size - c->object_size);
}

static void line(const char *title, const struct spread *s, uint64_t n, bool is_percent, bool total)
{
	const char *unit = is_percent ? "%" : "";
	char b[4][SIZE_TEXT];

	printf("%-10s %15s%s %15s%s %15s%s", title,
	       kernel_size(b[0], SIZE_TEXT, n ? s->sum / n : 0, false), unit,
	       kernel_size(b[1], SIZE_TEXT, s->min, false), unit,
	       kernel_size(b[2], SIZE_TEXT, s->max, false), unit);
	if (total)
		printf(" %15s", kernel_size(b[3], SIZE_TEXT, s->sum, false));
	putchar('\n');
}

static void head(const struct totals *t, uint64_t loss, uint64_t used)
{
	char b[3][SIZE_TEXT];

	puts("Slabcache Totals");
	puts("----------------");
	printf("Slabcaches : %15" PRIu64 "   Aliases  : %11" PRIu64 "   Active:    %15" PRIu64 "\n",
	       t->caches, t->aliases, t->active);
	printf("Memory used: %15s   # Loss   : %11s   MRatio:%14" PRIu64 "%%\n",
	       kernel_size(b[0], SIZE_TEXT, t->s[MEMORY].sum, false),
	       kernel_size(b[1], SIZE_TEXT, loss, false), percent(loss, used));
	printf("# Objects  : %15s   # PartObj: %11s   ORatio:%14" PRIu64 "%%\n",
	       kernel_size(b[0], SIZE_TEXT, t->s[OBJECTS].sum, false),
	       kernel_size(b[1], SIZE_TEXT, t->s[PARTOBJ].sum, false),
	       percent(t->s[PARTOBJ].sum, t->s[OBJECTS].sum));
}

void kernel_totals(const struct kcache *k, size_t nr)
{
	static const struct {
		const char *title;
		int what;
		bool percent;
	} lines[] = {
		{ "#Objects", OBJECTS, false }, { "#Slabs", SLABS, false },
		{ "#PartSlab", PARTIAL, false }, { "%PartSlab", PERCENT_PARTIAL, true },
		{ "PartObjs", PARTOBJ, false }, { "% PartObj", PERCENT_PARTOBJ, true },
		{ "Memory", MEMORY, false }, { "Used", USED, false }, { "Loss", LOSS, false },
	};
	static const struct {
		const char *title;
		int what;
	} object_lines[] = { { "Memory", OBJ_MEMORY }, { "User", OBJ_USER }, { "Loss", OBJ_LOSS } };
	struct totals t = { 0 };

	for (int i = 0; i < NR_SPREADS; i++)
		t.s[i].min = UINT64_MAX;
	for (size_t i = 0; i < nr; i++)
		count(&t, &k[i]);
	if (!t.active) {
		puts("No slabs");
		return;
	}
	head(&t, t.s[LOSS].sum, t.s[USED].sum);
	printf("\n%-10s %15s %15s %15s %15s\n", "Per Cache", "Average", "Min", "Max", "Total");
	puts("--------------------------------------------------------------------------");
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
		line(lines[i].title, &t.s[lines[i].what], t.active, lines[i].percent,
		     !lines[i].percent);
	printf("\n%-10s %15s %15s %15s\n", "Per Object", "Average", "Min", "Max");
	puts("----------------------------------------------------------");
	for (size_t i = 0; i < ARRAY_SIZE(object_lines); i++)
		line(object_lines[i].title, &t.s[object_lines[i].what], t.active, false, false);
}
