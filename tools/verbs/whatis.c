// SPDX-License-Identifier: MIT
/* whatis.c - slabinfo whatis ADDRESS...: which object or page that is, or what else. */
#include "../inspect/whatis.h"

#include <inttypes.h>

#include "../inspect/scan.h"
#include "verbs.h"

static void print_json(uint64_t addr, const struct whatis *w)
{
	printf("{\"address\": \"0x%" PRIx64 "\", \"what\": ", addr);
	json_string(stdout, w->what);
	printf(", \"in_heap\": %s, \"live\": %s", w->in_heap ? "true" : "false",
	       w->live ? "true" : "false");
	for (size_t i = 0; i < w->nr_facts; i++) {
		printf(", \"%s\": ", w->fact[i].key);
		if (w->fact[i].number)
			fputs(w->fact[i].value, stdout);
		else
			json_string(stdout, w->fact[i].value);
	}
	putchar('}');
}

static void print_text(uint64_t addr, const struct whatis *w)
{
	printf("0x%" PRIx64 ": %s\n", addr, w->what);
	for (size_t i = 0; i < w->nr_facts; i++)
		printf("  %-13s %s\n", w->fact[i].key, w->fact[i].value);
}

static int show(struct heap **heap, struct verb_options *o)
{
	struct heap *h = *heap;
	int status = EXIT_FINE;

	threads_read(h->src);
	if (o->json)
		fputs("{\"whatis\": [", stdout);
	for (int i = 0; i < o->nr_args; i++) {
		struct whatis w;
		uint64_t addr;

		if (!verb_number(o->args[i], &addr)) {
			status = EXIT_CANT;
			continue;
		}
		whatis(h, addr, &w);
		if (o->json) {
			fputs(i ? ", " : "", stdout);
			print_json(addr, &w);
		} else {
			print_text(addr, &w);
		}
		whatis_free(&w);
	}
	if (o->json)
		fputs("]}", stdout);
	return status;
}

int verb_whatis(int argc, char **argv)
{
	struct verb_options o;
	int status;

	if (!verb_parse(&o, argc, argv, "", 1, 1000, &status))
		return status;
	return verb_heaps(&o, show);
}
