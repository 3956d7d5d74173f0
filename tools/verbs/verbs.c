// SPDX-License-Identifier: MIT
/* verbs.c - the table of verbs, and what they have in common. */
#include "verbs.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

const struct verb verbs[] = {
	{ "buddyinfo", "", "free blocks by order, as the kernel's /proc/buddyinfo",
	  verb_buddyinfo },
	{ "findleaks", "[--stop] [--limit=N]", "objects that nothing points at", verb_findleaks },
	{ "grep", "[--all] [--exact] [--limit=N] VALUE",
	  "who points there: all words with that value or into that object", verb_grep },
	{ "map", "{-o FILE | --json}", "the heap's pages by use, a picture (SVG) or JSON", verb_map },
	{ "objects", "[--hex] [--free] [--limit=N] CACHE", "every object that the program holds",
	  verb_objects },
	{ "pagetypeinfo", "", "free blocks by migrate type, as the kernel's /proc/pagetypeinfo",
	  verb_pagetypeinfo },
	{ "record", "[--json] -o FILE [-i SECONDS] [-n COUNT]",
	  "the heap over time, for slabinfo-plot", verb_record },
	{ "top-users", "", "who allocated most, by call site, where the library records it",
	  verb_top_users },
	{ "verify", "[--limit=N]", "every structure of the heap checked against the others",
	  verb_verify },
	{ "whatis", "ADDRESS...", "what an address is: which object of which cache, or what else",
	  verb_whatis },
	{ NULL, NULL, NULL, NULL }
};

const struct verb *verb_find(const char *name)
{
	for (const struct verb *v = verbs; v->name; v++)
		if (!strcmp(v->name, name))
			return v;
	return NULL;
}

bool verb_number(const char *text, uint64_t *value)
{
	char *end;

	errno = 0;
	*value = strtoull(text, &end, 0);
	if (errno || *end || end == text || *text == '-') {
		fail("\"%s\" is no number", text);
		return false;
	}
	return true;
}

/* ---- options ------------------------------------------------------------------------ */

static void usage(const char *name)
{
	const struct verb *v = verb_find(name);

	printf("Usage: slabinfo %s [--json] {-p PID | --core CORE [--exe FILE]}%s%s\n"
	       "%c%s.\n", name, v && *v->arguments ? " " : "", v ? v->arguments : "",
	       v ? v->help[0] & ~0x20 : ' ', v ? v->help + 1 : "");
}

static bool take_option(struct verb_options *o, int c, const char *allowed)
{
	uint64_t n;

	if (c > 255 || !strchr(allowed, c))
		return false;
	switch (c) {
	case 'h':
		o->hex = true;
		return true;
	case 'f':
		o->free = true;
		return true;
	case 'a':
		o->all = true;
		return true;
	case 's':
		o->stop = true;
		return true;
	case 'e':
		o->exact = true;
		return true;
	case 'l':
		if (!verb_number(optarg, &n))
			return false;
		o->limit = n;
		return true;
	default:
		return false;
	}
}

bool verb_parse(struct verb_options *o, int argc, char **argv, const char *allowed,
		int min, int max, int *status)
{
	/* The letters are this file's own: only long options are the user's. */
	static const struct option longs[] = {
		TARGET_LONG_OPTIONS,
		{ "hex", no_argument, NULL, 'h' },
		{ "free", no_argument, NULL, 'f' },
		{ "all", no_argument, NULL, 'a' },
		{ "stop", no_argument, NULL, 's' },
		{ "exact", no_argument, NULL, 'e' },
		{ "limit", required_argument, NULL, 'l' },
		{ "help", no_argument, NULL, 'H' },
		{ NULL, 0, NULL, 0 }
	};
	int c, taken;

	*o = (struct verb_options){ .limit = ULONG_MAX };
	*status = EXIT_CANT;
	while ((c = getopt_long(argc, argv, TARGET_SHORT_OPTIONS, longs, NULL)) != -1) {
		if (c == 'H') {
			usage(argv[0]);
			*status = EXIT_FINE;
			return false;
		}
		taken = target_option(&o->target, c, optarg);
		if (taken < 0)
			return false;
		if (c == OPT_JSON)
			o->json = true;
		else if (!taken && !take_option(o, c, allowed)) {
			fprintf(stderr, "Try \"slabinfo %s --help\".\n", argv[0]);
			return false;
		}
	}
	o->args = argv + optind;
	o->nr_args = argc - optind;
	if (o->nr_args < min || o->nr_args > max) {
		fail("%s: %s; try \"slabinfo %s --help\"", argv[0],
		     o->nr_args < min ? "something is missing" : "too many arguments", argv[0]);
		return false;
	}
	if (!o->target.pid == !o->target.core) {
		fail("%s: which process? -p PID, or --core CORE", argv[0]);
		return false;
	}
	return true;
}

/* ---- running over the heaps ------------------------------------------------------------ */

int verb_heaps(struct verb_options *o, int (*fn)(struct heap **h, struct verb_options *o))
{
	char *error;
	struct target *t = target_open(&o->target, &error);

	if (!t) {
		fail("%s", error);
		free(error);
		return EXIT_CANT;
	}
	o->status = EXIT_FINE;
	if (o->json)
		json_target_begin(stdout, t->src);
	for (size_t i = 0; i < t->nr_heaps; i++) {
		int status;

		if (o->json && i)
			fputs(",\n ", stdout);
		else if (!o->json && t->nr_heaps > 1)
			printf("%s# heap %zu of %zu: %s\n", i ? "\n" : "", i + 1, t->nr_heaps,
			       t->heaps[i]->image->path);
		status = fn(&t->heaps[i], o);
		if (status > o->status)
			o->status = status;
	}
	if (o->json)
		json_target_end(stdout);
	if (!target_stayed(t))
		o->status = EXIT_CANT;
	else
		for (size_t i = 0; i < t->nr_heaps; i++)
			target_warn(t->heaps[i]);
	target_close(t);
	return o->status;
}
