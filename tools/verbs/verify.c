// SPDX-License-Identifier: MIT
/*
 * verify.c - slabinfo verify: every structure of the heap against the others.
 * Exit status 2 if something is wrong with it.
 */
#include "../inspect/verify.h"

#include <inttypes.h>
#include <limits.h>

#include "verbs.h"

#define DEFAULT_LIMIT	100	/* lines, in the text */

static void print_json(const struct verify_result *r)
{
	printf("{\"ok\": %s, \"passes\": %u, \"zones\": %lu, \"blocks\": %lu, \"slabs\": %lu, "
	       "\"objects\": %lu, \"magazines\": %lu, \"unstable\": %u, \"left_out\": [",
	       r->findings.nr ? "false" : "true", r->passes, r->zones, r->blocks, r->slabs,
	       r->objects, r->magazines, r->unstable);
	for (size_t i = 0; i < r->nr_left_out; i++) {
		fputs(i ? ", " : "", stdout);
		json_string(stdout, r->left_out[i]);
	}
	printf("], \"damage_count\": %lu, \"damage\": [", r->findings.total);
	for (size_t i = 0; i < r->findings.nr; i++) {
		const struct finding *f = &r->findings.list[i];

		printf("%s\n   {\"kind\": \"%s\", \"at\": \"0x%" PRIx64 "\", \"what\": ", i ?
		       "," : "", f->kind, f->addr);
		json_string(stdout, f->text);
		putchar('}');
	}
	fputs("]}", stdout);
}

static void print_text(const struct verify_result *r, unsigned long limit)
{
	for (size_t i = 0; i < r->findings.nr && i < limit; i++)
		printf("%s: %s (0x%" PRIx64 ")\n", r->findings.list[i].kind,
		       r->findings.list[i].text, r->findings.list[i].addr);
	if (r->findings.total > min_u64(r->findings.nr, limit))
		printf("... and %" PRIu64 " more\n",
		       r->findings.total - min_u64(r->findings.nr, limit));
	for (size_t i = 0; i < r->nr_left_out; i++)
		printf("# not checked, the library does not describe it: %s\n", r->left_out[i]);
	printf("# %lu zones, %lu blocks, %lu slabs, %lu objects, %lu magazines: ", r->zones,
	       r->blocks, r->slabs, r->objects, r->magazines);
	if (r->findings.nr)
		printf("%lu damaged\n", r->findings.total);
	else
		puts("no damage");
}

static int show(struct heap **h, struct verb_options *o)
{
	struct verify_result r;
	int status;

	verify_heap(h, &r);
	if (!source_alive((*h)->src)) {
		/* What is missing is no damage; verb_heaps() says what it is. */
		fputs(o->json ? "{}" : "", stdout);
		verify_free(&r);
		return EXIT_CANT;
	}
	status = r.findings.nr ? EXIT_FOUND : EXIT_FINE;
	if (o->json)
		print_json(&r);
	else
		print_text(&r, o->limit);
	verify_free(&r);
	return status;
}

int verb_verify(int argc, char **argv)
{
	struct verb_options o;
	int status;

	if (!verb_parse(&o, argc, argv, "l", 0, 0, &status))
		return status;
	if (o.limit == ULONG_MAX)
		o.limit = DEFAULT_LIMIT;
	return verb_heaps(&o, show);
}
