// SPDX-License-Identifier: MIT
/*
 * findleaks.c - slabinfo findleaks: objects that nothing points at. Exit status
 * 2 if there are any.
 *
 * A live target goes on meanwhile, and a pointer can hide from one look: so an
 * object must be missing in two looks. With --stop the target stands still and one look is exact.
 */
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <time.h>

#include "../inspect/leaks.h"
#include "../inspect/scan.h"
#include "verbs.h"

#define PAUSE_NS	50000000L
#define DEFAULT_LIMIT	20	/* addresses, in the text */

static const char *name_of(const struct leak *l)
{
	return l->cache ? l->cache->name : "large objects";
}

static int by_cache(const void *a, const void *b)
{
	const struct leak *x = a, *y = b;

	if (x->cache != y->cache)
		return x->cache < y->cache ? -1 : 1;
	return x->addr < y->addr ? -1 : x->addr > y->addr;
}

/* How many from @from on are of the same cache. */
static size_t group(const struct leaks *l, size_t from, uint64_t *bytes, size_t *direct)
{
	size_t i = from;

	*bytes = *direct = 0;
	for (; i < l->nr && l->list[i].cache == l->list[from].cache; i++) {
		*bytes += l->list[i].bytes;
		*direct += !l->list[i].indirect;
	}
	return i - from;
}

static void print_text(const struct leaks *l, unsigned long limit)
{
	uint64_t bytes;
	size_t direct;

	if (l->nr)
		printf("%-21s %10s %10s %14s\n", "# cache", "leaked", "direct", "bytes");
	for (size_t i = 0, n; i < l->nr; i += n) {
		n = group(l, i, &bytes, &direct);
		printf("%-21s %10zu %10zu %14" PRIu64 "\n", name_of(&l->list[i]), n, direct, bytes);
		for (size_t k = 0; k < n && k < limit; k++)
			printf("  0x%012" PRIx64 " %" PRIu64 " bytes%s\n", l->list[i + k].addr,
			       l->list[i + k].bytes, l->list[i + k].indirect ?
			       ", from another leak" : "");
		if (n > limit)
			printf("  ... and %zu more\n", n - (size_t)limit);
	}
	printf("# %" PRIu64 " objects in use, %zu leaked with %" PRIu64 " bytes; looked through %"
	       PRIu64 " kB of roots, %" PRIu64 " kB of heap\n", l->objects, l->nr, l->bytes,
	       l->root_bytes >> 10, l->heap_bytes >> 10);
}

static void print_json(const struct leaks *l, bool stopped)
{
	printf("{\"objects\": %" PRIu64 ", \"leaked\": %zu, \"bytes\": %" PRIu64
	       ", \"root_bytes\": %" PRIu64 ", \"heap_bytes\": %" PRIu64 ", \"threads\": %zu, "
	       "\"threads_known\": %zu, \"stopped\": %s, \"leaks\": [", l->objects, l->nr, l->bytes,
	       l->root_bytes, l->heap_bytes, l->threads, l->threads_known,
	       stopped ? "true" : "false");
	for (size_t i = 0; i < l->nr; i++) {
		printf("%s\n   {\"address\": \"0x%" PRIx64 "\", \"bytes\": %" PRIu64
		       ", \"indirect\": %s, \"cache\": ", i ? "," : "", l->list[i].addr,
		       l->list[i].bytes, l->list[i].indirect ? "true" : "false");
		if (l->list[i].cache)
			json_string(stdout, l->list[i].cache->name);
		else
			fputs("null", stdout);
		putchar('}');
	}
	fputs("]}", stdout);
}

/* Two looks; the second only if the first found something. */
static void look_twice(struct heap **h, struct leaks *l)
{
	struct timespec pause = { 0, PAUSE_NS };
	struct leaks before;

	threads_read((*h)->src);
	leaks_find(*h, l);
	if (!l->nr || !(*h)->src->live)
		return;
	nanosleep(&pause, NULL);
	if (!heap_read_again(h))
		return;
	before = *l;
	threads_read((*h)->src);
	leaks_find(*h, l);
	leaks_keep_common(l, &before);
	leaks_free(&before);
}

static bool look_stopped(struct heap **h, struct leaks *l)
{
	char *error;
	bool ok;

	if (!threads_stop((*h)->src, &error)) {
		fail("%s: %s", (*h)->src->label, error);
		free(error);
		return false;
	}
	ok = heap_read_again(h);
	if (ok)
		leaks_find(*h, l);
	else
		fail("%s: the process ended while it was read", (*h)->src->label);
	threads_release((*h)->src);
	return ok;
}

static int show(struct heap **h, struct verb_options *o)
{
	struct leaks l = { 0 };
	bool stop = o->stop && (*h)->src->live;
	int status;

	if (!stop)
		look_twice(h, &l);
	else if (!look_stopped(h, &l))
		return EXIT_CANT;
	if (!source_alive((*h)->src)) {
		/* What could not be read points at nothing; verb_heaps() says what happened. */
		fputs(o->json ? "{}" : "", stdout);
		leaks_free(&l);
		return EXIT_CANT;
	}
	status = l.nr ? EXIT_FOUND : EXIT_FINE;
	if (l.nr)
		qsort(l.list, l.nr, sizeof(*l.list), by_cache);
	if (o->json)
		print_json(&l, stop);
	else
		print_text(&l, o->limit);
	if (l.nr && !stop && l.threads_known < l.threads)
		note("registers of %zu of %zu threads are not known; --stop stops the process "
		     "for exact ones", l.threads - l.threads_known, l.threads);
	leaks_free(&l);
	return status;
}

int verb_findleaks(int argc, char **argv)
{
	struct verb_options o;
	int status;

	if (!verb_parse(&o, argc, argv, "sl", 0, 0, &status))
		return status;
	if (o.limit == ULONG_MAX)
		o.limit = DEFAULT_LIMIT;
	return verb_heaps(&o, show);
}
