// SPDX-License-Identifier: MIT
/* objects.c - slabinfo objects CACHE: every object that the program holds. */
#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>

#include "../inspect/pages.h"
#include "verbs.h"

struct listing {
	struct verb_options *o;
	const struct heap_cache *cache;
	unsigned long shown;
};

static void hex_json(const unsigned char *p, uint32_t size)
{
	fputs(", \"bytes\": \"", stdout);
	for (uint32_t i = 0; i < size; i++)
		printf("%02x", p[i]);
	putchar('"');
}

/* Sixteen bytes a line, and as characters. */
static void hex_text(uint64_t addr, const unsigned char *p, uint32_t size)
{
	for (uint32_t at = 0; at < size; at += 16) {
		printf("  %012" PRIx64 " ", addr + at);
		for (uint32_t i = 0; i < 16; i++) {
			if (at + i < size)
				printf(" %02x", p[at + i]);
			else
				fputs("   ", stdout);
		}
		fputs("  ", stdout);
		for (uint32_t i = 0; i < 16 && at + i < size; i++)
			putchar(p[at + i] < 127 && isprint(p[at + i]) ? p[at + i] : '.');
		putchar('\n');
	}
}

static void print_object(struct listing *l, struct heap *h, const struct heap_block *b,
			 unsigned int i, enum object_state state)
{
	static const char *const states[] = {
		[OBJECT_LIVE] = "allocated", [OBJECT_IN_MAGAZINE] = "magazine",
		[OBJECT_FREE] = "free",
	};
	const struct heap_cache *c = l->cache;
	uint64_t addr = b->addr + (uint64_t)i * c->size;
	unsigned char *bytes = l->o->hex ? xcalloc(1, c->object_size) : NULL;
	bool read = bytes && source_read(h->src, addr, bytes, c->object_size);

	if (l->o->json) {
		printf("%s\n   {\"address\": \"0x%" PRIx64 "\", \"state\": \"%s\", \"slab\": \"0x%"
		       PRIx64 "\", \"index\": %u", l->shown ? "," : "", addr, states[state],
		       b->addr, i);
		if (read)
			hex_json(bytes, c->object_size);
		putchar('}');
	} else {
		printf("0x%012" PRIx64 " %-9s slab 0x%012" PRIx64 " index %u\n", addr,
		       states[state], b->addr, i);
		if (read)
			hex_text(addr, bytes, c->object_size);
	}
	l->shown++;
	free(bytes);
}

static void list_slab(void *arg, struct page_window *w, const struct heap_block *b)
{
	struct listing *l = arg;

	if (b->kind != BLOCK_SLAB || b->cache != l->cache)
		return;
	for (unsigned int i = 0; i < l->cache->objects && l->shown < l->o->limit; i++) {
		enum object_state state = slab_object_state(w->heap, b, i);

		if (state == OBJECT_LIVE || l->o->free)
			print_object(l, w->heap, b, i, state);
	}
}

static int show(struct heap **heap, struct verb_options *o)
{
	struct heap *h = *heap;
	struct listing l = { .o = o, .cache = heap_cache_named(h, o->args[0]) };

	if (o->json) {
		fputs("{\"cache\": ", stdout);
		json_string(stdout, l.cache ? l.cache->name : o->args[0]);
		printf(", \"object_size\": %u, \"objects\": [", l.cache ? l.cache->object_size : 0);
	}
	for (size_t i = 0; l.cache && i < h->nr_zones; i++) {
		struct page_window w;

		page_window_open(&w, h, &h->zones[i]);
		blocks_walk(&w, list_slab, &l);
		page_window_close(&w);
	}
	if (o->json)
		fputs("]}", stdout);
	if (l.cache)
		return EXIT_FINE;
	fail("%s: no cache is called \"%s\"", h->src->label, o->args[0]);
	return EXIT_CANT;
}

int verb_objects(int argc, char **argv)
{
	struct verb_options o;
	int status;

	if (!verb_parse(&o, argc, argv, "hfl", 1, 1, &status))
		return status;
	return verb_heaps(&o, show);
}
