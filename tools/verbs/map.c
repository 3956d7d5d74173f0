// SPDX-License-Identifier: MIT
/*
 * map.c - slabinfo map: the heap's pages by use, as a picture or as JSON.
 *
 * It is made in memory: a file is opened, and an old one lost, only when there is something
 * whole for it. A picture shows one heap; JSON has all, or the one that was asked for.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../views/watch.h"
#include "map.h"
#include "verbs.h"

static void usage(void)
{
	puts("Usage: slabinfo map [--json] -o FILE {-p PID | --core CORE [--exe FILE]}\n"
	     "Draws the heap's pages by use, as SVG, or tells them as JSON.\n"
	     "  -o, --output=FILE        where to; - for standard output, --json's default\n"
	     "      --json               JSON, with each run of pages\n"
	     "  -p, --pid=PID            the process\n"
	     "      --core=CORE          a core file, and\n"
	     "      --exe=FILE           the program that dumped it\n"
	     "      --heap=N             which heap of the process, where it has several; default 1,\n"
	     "                           with --json all\n"
	     "  -h, --help               this text");
}

enum { OPT_HEAP = OPT_TARGET_END };

struct map_options {
	struct target_options target;
	const char *file;
	bool json;
	long heap;			/* from 1; 0: all */
};

static bool write_file(const char *file, const char *text, size_t size, char **error)
{
	FILE *out = strcmp(file, "-") ? fopen(file, "we") : stdout;
	bool ok = out && fwrite(text, 1, size, out) == size && !fflush(out);

	if (!ok)
		*error = xasprintf("%s: %s", file, strerror(errno));
	if (out && out != stdout && fclose(out) && ok) {
		*error = xasprintf("%s: %s", file, strerror(errno));
		ok = false;
	}
	return ok;
}

static bool wanted(const struct map_options *o, size_t i)
{
	return !o->heap || (size_t)o->heap == i + 1;
}

static bool put_json(FILE *out, const struct map_options *o, struct target *t)
{
	bool ok = true, any = false;

	json_target_begin(out, t->src);
	for (size_t i = 0; ok && i < t->nr_heaps; i++) {
		if (!wanted(o, i))
			continue;
		fputs(any ? ",\n " : "", out);
		ok = map_json(out, t->heaps[i]);
		any = true;
	}
	json_target_end(out);
	return ok;
}

/* The whole output, to be freed; NULL: *@error. */
static char *render(const struct map_options *o, struct target *t, size_t *size, char **error)
{
	char *text = NULL;
	FILE *out = open_memstream(&text, size);
	bool ok;

	if (!out) {
		*error = xstrdup(strerror(errno));
		return NULL;
	}
	ok = o->json ? put_json(out, o, t) : map_svg(out, t->heaps[o->heap - 1]);
	if (!source_alive(t->src))
		*error = xasprintf("%s: the process ended while it was read", t->src->label);
	else if (!ok)
		*error = xasprintf("%s: which pages are resident can't be told", t->src->label);
	if (fclose(out) && !*error)
		*error = xstrdup(strerror(errno));
	if (!*error)
		return text;
	free(text);
	return NULL;
}

static bool show(const struct map_options *o, char **error)
{
	struct target *t = target_open(&o->target, error);
	char *text = NULL;
	bool ok = false;
	size_t size;

	if (t && (size_t)o->heap > t->nr_heaps)
		*error = xasprintf("%s: there is no heap %ld", t->src->label, o->heap);
	else if (t)
		text = render(o, t, &size, error);
	if (text)
		ok = write_file(o->file, text, size, error);
	for (size_t i = 0; ok && i < t->nr_heaps; i++)
		if (wanted(o, i))
			target_warn(t->heaps[i]);
	free(text);
	target_close(t);
	return ok;
}

/* -1: go on; otherwise the exit status. */
static int parse(struct map_options *o, int argc, char **argv)
{
	static const struct option longs[] = {
		{ "pid", required_argument, NULL, 'p' },
		{ "core", required_argument, NULL, OPT_CORE },
		{ "exe", required_argument, NULL, OPT_EXE },
		{ "heap", required_argument, NULL, OPT_HEAP },
		{ "json", no_argument, NULL, OPT_JSON },
		{ "output", required_argument, NULL, 'o' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 }
	};
	bool heap_ok = true;
	int c;

	while ((c = getopt_long(argc, argv, "p:o:h", longs, NULL)) != -1) {
		int taken = target_option(&o->target, c, optarg);

		if (c == 'h') {
			usage();
			return EXIT_FINE;
		} else if (c == 'o') {
			o->file = optarg;
		} else if (c == OPT_JSON) {
			o->json = true;
		} else if (c == OPT_HEAP) {
			heap_ok = view_integer(optarg, 1, INT32_MAX, &o->heap);
		} else if (taken <= 0) {
			if (!taken)
				fputs("Try \"slabinfo map --help\".\n", stderr);
			return EXIT_CANT;
		}
	}
	if (o->json && !o->file)
		o->file = "-";
	if (!o->json && !o->heap && heap_ok)
		o->heap = 1;
	if (optind == argc && o->file && !o->target.pid != !o->target.core && heap_ok)
		return -1;
	fail("map: %s; try \"slabinfo map --help\"", optind < argc ? "too many arguments" :
	     !o->file ? "which file? -o FILE" : !heap_ok ? "--heap is a number from 1" :
	     "which process? -p PID, or --core CORE");
	return EXIT_CANT;
}

int verb_map(int argc, char **argv)
{
	struct map_options o = { 0 };
	int status = parse(&o, argc, argv);
	char *error = NULL;

	if (status >= 0)
		return status;
	if (show(&o, &error))
		return EXIT_FINE;
	fail("map: %s", error);
	free(error);
	return EXIT_CANT;
}
