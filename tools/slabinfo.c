// SPDX-License-Identifier: MIT
/*
 * slabinfo.c - shows the heap of a process that runs on the library: the
 * kernel's slabinfo and buddyinfo tables, and where the RSS is.
 *
 * Options here; the work is in inspect/: a source of memory (process.c), the
 * library's description of itself found in it (image.c, layout.c), the heap read
 * by that description (heap.c, caches.c, rss.c), and what is printed
 * (report.c, json.c, processes.c).
 *
 * Exit status: 0 fine, 1 can't be read (one line on stderr says why).
 */
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "inspect/report.h"

#ifndef KMEM_VERSION
#define KMEM_VERSION "0.0.0"
#endif

struct options {
	int pid;			/* 0: list processes */
	bool table, buddy, map, json;
	struct selection selection;
};

static const char usage_text[] =
"Usage: slabinfo [-b] [-m] [--table] [--json] -p PID [PATTERN...]\n"
"       slabinfo [--json]\n"
"\n"
"Shows the heap of a process that runs on libkmem. The process is neither\n"
"stopped nor made to do anything; it may be stopped already.\n"
"\n"
"  -p, --pid PID    the process; without it, a list of those that run on libkmem\n"
"      --table      the caches, as the kernel's /proc/slabinfo (the default)\n"
"  -b, --buddyinfo  free blocks by order, as the kernel's /proc/buddyinfo\n"
"  -m, --map        where the RSS is\n"
"      --json       all of it as JSON, sizes in bytes\n"
"  -h, --help       this\n"
"  -V, --version    the version\n"
"\n"
"PATTERN is a regular expression for names of caches; case does not matter.\n"
"Exit status: 0 fine, 1 can't be read.\n";

static void fail(const char *what)
{
	fprintf(stderr, "slabinfo: %s\n", what);
}

/* ---- options ---------------------------------------------------------------------- */

static bool parse_pid(const char *text, int *pid)
{
	char *end;
	long n;

	errno = 0;
	n = strtol(text, &end, 10);
	if (errno || *end || end == text || n <= 0 || n > INT_MAX) {
		fprintf(stderr, "slabinfo: \"%s\" is no process id\n", text);
		return false;
	}
	*pid = (int)n;
	return true;
}

static bool add_pattern(struct selection *s, const char *text)
{
	char why[200];
	int err;

	s->pattern = grow(s->pattern, s->nr, sizeof(*s->pattern));
	err = regcomp(&s->pattern[s->nr], text, REG_ICASE | REG_NOSUB);
	if (err) {
		regerror(err, &s->pattern[s->nr], why, sizeof(why));
		fprintf(stderr, "slabinfo: pattern \"%s\": %s\n", text, why);
		return false;
	}
	s->nr++;
	return true;
}

enum { OPT_TABLE = 256, OPT_JSON };

static const struct option long_options[] = {
	{ "pid", required_argument, NULL, 'p' },
	{ "table", no_argument, NULL, OPT_TABLE },
	{ "buddyinfo", no_argument, NULL, 'b' },
	{ "map", no_argument, NULL, 'm' },
	{ "json", no_argument, NULL, OPT_JSON },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },
	{ NULL, 0, NULL, 0 }
};

/* The exit status if there is nothing more to do, else -1. */
static int parse_options(int argc, char **argv, struct options *o)
{
	int c;

	while ((c = getopt_long(argc, argv, "p:bmhV", long_options, NULL)) != -1) {
		switch (c) {
		case 'p':
			if (!parse_pid(optarg, &o->pid))
				return 1;
			break;
		case OPT_TABLE:
			o->table = true;
			break;
		case 'b':
			o->buddy = true;
			break;
		case 'm':
			o->map = true;
			break;
		case OPT_JSON:
			o->json = true;
			break;
		case 'h':
			fputs(usage_text, stdout);
			return 0;
		case 'V':
			puts("slabinfo " KMEM_VERSION);
			return 0;
		default:
			fputs("Try \"slabinfo --help\".\n", stderr);
			return 1;
		}
	}
	for (; optind < argc; optind++)
		if (!add_pattern(&o->selection, argv[optind]))
			return 1;
	if (!o->pid && (o->table || o->buddy || o->map || o->selection.nr)) {
		fail("which process? -p PID is missing; \"slabinfo\" alone lists them");
		return 1;
	}
	if (!o->buddy && !o->map)
		o->table = true;
	return -1;
}

/* ---- one process -------------------------------------------------------------------- */

/* A heap, read whole before anything is printed. */
struct view {
	struct heap *heap;
	struct rss_map map;
};

static struct heap *read_view(struct source *src, const struct image *image,
			      const struct options *o, struct view *v, char **error)
{
	v->heap = heap_read(src, image, error);
	if (v->heap && (o->map || o->json) && !rss_read(v->heap, &v->map, error)) {
		heap_free(v->heap);
		v->heap = NULL;
	}
	return v->heap;
}

static void print_text(const struct view *v, const struct options *o)
{
	if (o->table)
		report_slabinfo(stdout, v->heap, &o->selection);
	if (o->buddy) {
		if (o->table)
			putchar('\n');
		report_buddyinfo(stdout, v->heap);
	}
	if (o->map) {
		if (o->table || o->buddy)
			putchar('\n');
		report_rss(stdout, v->heap, &v->map);
	}
}

static void print_warnings(const struct heap *h)
{
	fflush(stdout);		/* so that both are in order where they go to one place */
	for (size_t i = 0; i < h->nr_notes; i++)
		fprintf(stderr, "slabinfo: note: %s\n", h->notes[i]);
	if (h->mode == HEAP_UNUSED)
		fprintf(stderr, "slabinfo: note: %s is loaded and has not been used yet\n",
			h->image->path);
	else if (h->torn)
		fprintf(stderr, "slabinfo: note: the heap changed while it was read "
			"(%u places)\n", h->torn);
}

/* The heaps that were used; if none was, all. Returns how many. */
static size_t drop_unused(struct view *views, size_t nr)
{
	size_t used = 0;

	for (size_t i = 0; i < nr; i++)
		used += views[i].heap->mode != HEAP_UNUSED;
	if (used == 0)
		return nr;
	for (size_t i = 0, to = 0; i < nr; i++) {
		if (views[i].heap->mode == HEAP_UNUSED)
			heap_free(views[i].heap);
		else
			views[to++] = views[i];
	}
	return used;
}

/* Several heaps in one process are told apart by a line each. */
static void print_views(struct source *src, const struct view *views, size_t nr,
			const struct options *o)
{
	if (o->json) {
		printf("{\"pid\": %d, \"command\": ", src->pid);
		json_string(stdout, src->command);
		fputs(", \"heaps\": [\n ", stdout);
	}
	for (size_t i = 0; i < nr; i++) {
		if (o->json) {
			fputs(i ? ",\n " : "", stdout);
			report_json(stdout, views[i].heap, &views[i].map, &o->selection);
		} else {
			if (nr > 1)
				printf("%s# heap %zu of %zu: %s\n", i ? "\n" : "", i + 1, nr,
				       views[i].heap->image->path);
			print_text(&views[i], o);
		}
		print_warnings(views[i].heap);
	}
	if (o->json)
		fputs("]}\n", stdout);
}

static bool show_process(const struct options *o, char **error)
{
	struct source *src = source_process(o->pid, error);
	struct image *images;
	struct view *views;
	char *why = NULL;
	size_t nr_images, nr = 0;
	bool ok;

	if (!src)
		return false;
	images = images_find(src, &nr_images);
	views = xcalloc(nr_images, sizeof(*views));
	for (size_t i = 0; i < nr_images; i++) {
		free(why);
		nr += read_view(src, &images[i], o, &views[nr], &why) != NULL;
	}
	ok = nr > 0;
	if (ok) {
		nr = drop_unused(views, nr);
		print_views(src, views, nr, o);
	} else {
		if (!nr_images)
			why = xasprintf("%s does not run on libkmem", src->command);
		*error = xasprintf("%d: %s", o->pid, why);
	}
	for (size_t i = 0; i < nr; i++)
		heap_free(views[i].heap);
	free(why);
	free(views);
	images_free(images, nr_images);
	source_close(src);
	return ok;
}

int main(int argc, char **argv)
{
	struct options o = { 0 };
	char *error = NULL;
	bool ok = true;
	int status = parse_options(argc, argv, &o);

	if (status < 0) {
		if (o.pid)
			ok = show_process(&o, &error);
		else
			report_processes(stdout, o.json);
		if (!ok)
			fail(error);
		status = ok ? 0 : 1;
	}
	if (fflush(stdout) || ferror(stdout)) {
		fail("can't write the output");
		status = 1;
	}
	for (size_t i = 0; i < o.selection.nr; i++)
		regfree(&o.selection.pattern[i]);
	free(o.selection.pattern);
	free(error);
	return status;
}
