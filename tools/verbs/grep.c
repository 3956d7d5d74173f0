// SPDX-License-Identifier: MIT
/*
 * grep.c - slabinfo grep VALUE: who points there. VALUE in an object that is
 * allocated stands for any pointer into the object; any other value (and with
 * --exact every one) for itself. Looked through are the objects that the program holds, its
 * other writable memory and its registers; with --all what is free and the library's own as well.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "../inspect/scan.h"
#include "../inspect/whatis.h"
#include "verbs.h"

struct search {
	struct heap *heap;
	struct verb_options *o;
	uint64_t from, to;		/* the values that are looked for */
	unsigned long found;
};

static void report(struct search *s, uint64_t at, uint64_t value, const char *where)
{
	if (s->found++ >= s->o->limit)
		return;
	if (s->o->json) {
		printf("%s\n   {\"at\": \"0x%" PRIx64 "\", \"value\": \"0x%" PRIx64
		       "\", \"where\": ", s->found > 1 ? "," : "", at, value);
		json_string(stdout, where);
		putchar('}');
	} else {
		printf("0x%012" PRIx64 ": 0x%012" PRIx64 "  %s\n", at, value, where);
	}
}

static void look(void *arg, uint64_t addr, const uint64_t *word, size_t nr)
{
	struct search *s = arg;

	for (size_t i = 0; i < nr; i++) {
		struct whatis w;

		if (word[i] < s->from || word[i] >= s->to)
			continue;
		whatis(s->heap, addr + 8 * i, &w);
		if (!w.in_heap || w.live || s->o->all)
			report(s, addr + 8 * i, word[i], w.what);
		whatis_free(&w);
	}
}

static void look_at_registers(struct search *s)
{
	const struct source *src = s->heap->src;

	for (size_t i = 0; i < src->nr_threads; i++)
		for (size_t r = 0; r < src->threads[i].nr_regs; r++) {
			uint64_t value = src->threads[i].reg[r];
			char where[64];

			if (value < s->from || value >= s->to)
				continue;
			snprintf(where, sizeof(where), "register %zu of thread %d", r,
				 src->threads[i].tid);
			report(s, 0, value, where);
		}
}

static void look_everywhere(struct search *s)
{
	struct heap *h = s->heap;
	struct range *r;
	size_t nr;

	for (size_t i = 0; i < h->nr_zones; i++) {
		const struct heap_zone *z = &h->zones[i];

		scan_range(h->src, z->base, z->base + (z->nr_present << h->page_shift), look, s);
	}
	r = scan_roots(h, &nr);
	for (size_t i = 0; i < nr; i++)
		scan_range(h->src, r[i].start, r[i].end, look, s);
	free(r);
	for (size_t i = 0; s->o->all && i < h->nr_chunks; i++)
		scan_range(h->src, h->chunks[i].start, h->chunks[i].end, look, s);
	for (size_t i = 0; s->o->all && i < h->image->nr_data; i++)
		scan_range(h->src, h->image->data[i].start, h->image->data[i].end, look, s);
	look_at_registers(s);
}

static int show(struct heap **heap, struct verb_options *o)
{
	struct heap *h = *heap;
	struct search s = { .heap = h, .o = o };
	struct whatis w;
	uint64_t value;

	if (!verb_number(o->args[0], &value))
		return EXIT_CANT;
	threads_read(h->src);
	whatis(h, value, &w);
	s.from = w.live && !o->exact ? w.start : value;
	s.to = w.live && !o->exact ? w.end : value + 1;
	if (o->json) {
		printf("{\"value\": \"0x%" PRIx64 "\", \"what\": ", value);
		json_string(stdout, w.what);
		fputs(", \"found\": [", stdout);
	} else {
		printf("# 0x%" PRIx64 ": %s\n", value, w.what);
	}
	whatis_free(&w);
	look_everywhere(&s);
	if (o->json)
		printf("], \"count\": %lu}", s.found);
	else
		printf("# %lu found\n", s.found);
	return EXIT_FINE;
}

int verb_grep(int argc, char **argv)
{
	struct verb_options o;
	int status;

	if (!verb_parse(&o, argc, argv, "ale", 1, 1, &status))
		return status;
	return verb_heaps(&o, show);
}
