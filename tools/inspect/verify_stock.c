// SPDX-License-Identifier: MIT
/*
 * verify_stock.c - the runs of pages that CPUs keep: each word of a CPU's stock speaks of
 * one that the page map knows as such, and that no other word speaks of. (One that the map
 * knows and no word speaks of may be in the hands of a thread, or was when the program forked.)
 */
#include "pages.h"
#include "verify.h"

#include <inttypes.h>
#include <stdlib.h>

/* More than any library has a CPU keep. */
#define MAX_RUNS	64

struct stock {
	uint64_t *run;
	size_t nr;
};

/* The run that a word speaks of: its first struct page, and its length less one in the low bits. */
static void check_word(struct verify *v, uint64_t at, uint64_t run)
{
	const struct heap_fields *f = v->h->fields;
	uint64_t addr = run & ~(uint64_t)(f->sizeof_page - 1);
	uint64_t pages = run - addr + 1;
	char page[STRUCT_MAX];
	bool found = false;

	for (size_t i = 0; i < v->h->nr_zones && !found; i++)
		found = (addr - v->h->zones[i].memmap) / f->sizeof_page <
			v->h->zones[i].nr_present;
	if (!found || !source_read(v->h->src, addr, page, f->sizeof_page)) {
		DAMAGE(v, "stock", at, "0x%" PRIx64 " is in a CPU's stock, and is no struct page",
		       addr);
		return;
	}
	if (VALUE(f, page, page_type) != f->PT_STOCK || VALUE(f, page, page_nr_pages) != pages)
		DAMAGE(v, "stock", at, "struct page 0x%" PRIx64 " is in a CPU's stock as a run of "
		       "%" PRIu64 " pages, and has type %" PRIu64 ", %" PRIu64 " pages", addr,
		       pages, VALUE(f, page, page_type), VALUE(f, page, page_nr_pages));
}

/* Those of one CPU. */
static void check_area(struct verify *v, uint64_t area, struct stock *s)
{
	const struct heap_fields *f = v->h->fields;
	uint64_t word[MAX_RUNS], at = area + f->SLOT_STOCK * 8;

	verify_read_sparse(v->h, at, word, f->STOCK_RUNS * 8);
	for (uint64_t i = 0; i < f->STOCK_RUNS; i++) {
		if (!word[i] || word[i] == f->WORD_DRAINING)
			continue;
		check_word(v, at + i * 8, area + word[i]);
		s->run = grow(s->run, s->nr, sizeof(*s->run));
		s->run[s->nr++] = area + word[i];
	}
}

static int by_address(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

void verify_stock(struct verify *v)
{
	const struct heap_fields *f = v->h->fields;
	struct stock s = { 0 };

	if (!f->PT_STOCK || !f->STOCK_RUNS || f->STOCK_RUNS > MAX_RUNS ||
	    f->sizeof_page & (f->sizeof_page - 1)) {
		verify_left_out(v, "CPUs' stocks of runs");
		return;
	}
	for (uint64_t cpu = 0; cpu < v->h->nr_cpus; cpu++)
		check_area(v, v->h->percpu_base + (cpu << v->h->percpu_shift), &s);
	if (s.nr)
		qsort(s.run, s.nr, sizeof(*s.run), by_address);
	for (size_t i = 1; i < s.nr; i++)
		if (s.run[i] == s.run[i - 1])
			DAMAGE(v, "stock", s.run[i] & ~(uint64_t)(f->sizeof_page - 1),
			       "a run of pages is in stock twice");
	free(s.run);
}
