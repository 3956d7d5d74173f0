// SPDX-License-Identifier: MIT
/* none.c - slabinfo without a verb: the tables, the map of RSS, the list of processes. */
#include <stdlib.h>
#include <string.h>

#include "kernel.h"

#ifndef KMEM_VERSION
#define KMEM_VERSION "0.0.0"
#endif

struct options {
	struct target_options target;	/* none: list processes */
	bool table, buddy, map, json;
	struct kernel_options kernel;
	struct selection selection;
};

static const char usage_head[] =
"Usage: slabinfo [-b] [-m] [--table] [--json] {-p PID | --core CORE [--exe FILE]} [PATTERN...]\n"
"       slabinfo VERB [ARGUMENTS] {-p PID | --core CORE [--exe FILE]}\n"
"       slabinfo [--json]\n"
"\n"
"Shows the heap of a program that runs on libkmem: of a process, which is neither\n"
"stopped nor made to do anything, or of one that has left a core file.\n"
"\n"
"  -p, --pid PID    the process; without it, a list of those that run on libkmem\n"
"      --core CORE  a core file; --exe FILE: the program that dumped it\n"
"      --table      the caches, as the kernel's /proc/slabinfo (the default)\n"
"  -b, --buddyinfo  free blocks by order, as the kernel's /proc/buddyinfo\n"
"  -m, --map        where the RSS is\n"
"      --json       all of it as JSON, sizes in bytes\n"
"  -h, --help       this\n"
"  -V, --version    the version\n"
"\n"
"PATTERN is a regular expression for names of caches; case does not matter.\n"
"\n";

static const char usage_verbs[] =
"\nVerbs (slabinfo VERB --help says more):\n";

static void usage(void)
{
	fputs(usage_head, stdout);
	fputs(kernel_usage, stdout);
	fputs(usage_verbs, stdout);
	for (const struct verb *v = verbs; v->name; v++) {
		printf("  %-16s %s\n", v->name, v->help);
	}
	fputs("\nExit status: 0 fine, 1 can't be read, 2 damage or leaks found.\n", stdout);
}

/* ---- options ---------------------------------------------------------------------- */

static bool add_pattern(struct selection *s, const char *text)
{
	char why[200];
	int err;

	s->pattern = grow(s->pattern, s->nr, sizeof(*s->pattern));
	err = regcomp(&s->pattern[s->nr], text, REG_ICASE | REG_NOSUB);
	if (err) {
		regerror(err, &s->pattern[s->nr], why, sizeof(why));
		fail("pattern \"%s\": %s", text, why);
		return false;
	}
	s->nr++;
	return true;
}

enum { OPT_TABLE = OPT_TARGET_END };

#define SHORT_OPTIONS	TARGET_SHORT_OPTIONS KERNEL_SHORT_OPTIONS "bmhV"

static const struct option long_options[] = {
	TARGET_LONG_OPTIONS,
	KERNEL_LONG_OPTIONS,
	{ "table", no_argument, NULL, OPT_TABLE },
	{ "buddyinfo", no_argument, NULL, 'b' },
	{ "map", no_argument, NULL, 'm' },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },
	{ NULL, 0, NULL, 0 }
};

/* The exit status if there is nothing more to do, else -1. */
static int parse_option(struct options *o, int c)
{
	int taken = target_option(&o->target, c, optarg);

	if (!taken)
		taken = kernel_option(&o->kernel, c, optarg);
	if (taken)
		return taken < 0 ? EXIT_CANT : -1;
	switch (c) {
	case OPT_JSON:
		o->json = true;
		return -1;
	case OPT_TABLE:
		o->table = true;
		return -1;
	case 'b':
		o->buddy = true;
		return -1;
	case 'm':
		o->map = true;
		return -1;
	case 'h':
		usage();
		return EXIT_FINE;
	case 'V':
		puts("slabinfo " KMEM_VERSION);
		return EXIT_FINE;
	default:
		fputs("Try \"slabinfo --help\".\n", stderr);
		return EXIT_CANT;
	}
}

static int parse_options(int argc, char **argv, struct options *o)
{
	int c, status;

	while ((c = getopt_long(argc, argv, SHORT_OPTIONS, long_options, NULL)) != -1) {
		status = parse_option(o, c);
		if (status >= 0)
			return status;
	}
	for (; optind < argc; optind++)
		if (!add_pattern(&o->selection, argv[optind]))
			return EXIT_CANT;
	if (o->target.pid && o->target.core) {
		fail("-p or --core, not both");
		return EXIT_CANT;
	}
	if (!o->target.pid && !o->target.core &&
	    (o->table || o->buddy || o->map || o->kernel.any || o->selection.nr)) {
		fail("which process? -p PID is missing; \"slabinfo\" alone lists them");
		return EXIT_CANT;
	}
	if (o->kernel.any && o->json && (o->kernel.shrink || o->kernel.debug ||
					 o->kernel.validate)) {
		fail("--json goes with tables, not with -s, -d, -v");
		return EXIT_CANT;
	}
	if (!o->buddy && !o->map && !o->kernel.any)
		o->table = true;
	return -1;
}

/* ---- one target --------------------------------------------------------------------- */

static void print_text(const struct heap *h, const struct rss_map *map, const struct options *o)
{
	if (o->table)
		report_slabinfo(stdout, h, &o->selection);
	if (o->buddy) {
		if (o->table)
			putchar('\n');
		report_buddyinfo(stdout, h);
	}
	if (o->map) {
		if (o->table || o->buddy)
			putchar('\n');
		report_rss(stdout, h, map);
	}
}

static int max_int(int a, int b)
{
	return a > b ? a : b;
}

/* Several heaps in one process are told apart by a line each. */
static int print_heaps(struct target *t, const struct rss_map *maps, const struct options *o)
{
	int status = EXIT_FINE;

	if (o->json)
		json_target_begin(stdout, t->src);
	for (size_t i = 0; i < t->nr_heaps; i++) {
		if (o->json) {
			fputs(i ? ",\n " : "", stdout);
			report_json(stdout, t->heaps[i], &maps[i], &o->selection);
		} else {
			if (t->nr_heaps > 1)
				printf("%s# heap %zu of %zu: %s\n", i ? "\n" : "", i + 1,
				       t->nr_heaps, t->heaps[i]->image->path);
			print_text(t->heaps[i], &maps[i], o);
			if (o->kernel.any)
				status = max_int(status, kernel_run(&t->heaps[i], &o->kernel,
								    &o->selection));
		}
	}
	if (o->json)
		json_target_end(stdout);
	if (!target_stayed(t))
		return EXIT_CANT;
	for (size_t i = 0; i < t->nr_heaps; i++)
		target_warn(t->heaps[i]);
	return status;
}

/* All is read before anything is printed. */
static int show_target(const struct options *o)
{
	char *error;
	struct target *t = target_open(&o->target, &error);
	struct rss_map *maps;
	bool ok = true;
	int status = EXIT_CANT;

	if (!t) {
		fail("%s", error);
		free(error);
		return EXIT_CANT;
	}
	maps = xcalloc(t->nr_heaps, sizeof(*maps));
	for (size_t i = 0; ok && (o->map || o->json) && i < t->nr_heaps; i++) {
		ok = rss_read(t->heaps[i], &maps[i], &error);
		if (ok)
			rss_account(t->heaps[i], &maps[i]);
	}
	if (ok)
		status = print_heaps(t, maps, o);
	else {
		fail("%s: %s", t->src->label, error);
		free(error);
	}
	free(maps);
	target_close(t);
	return status;
}

int verb_none(int argc, char **argv)
{
	struct options o = { .kernel.lines = -1 };
	int status = parse_options(argc, argv, &o);

	if (status < 0) {
		status = EXIT_FINE;
		if (o.target.pid || o.target.core)
			status = show_target(&o);
		else
			report_processes(stdout, o.json);
	}
	for (size_t i = 0; i < o.selection.nr; i++)
		regfree(&o.selection.pattern[i]);
	free(o.selection.pattern);
	return status;
}
