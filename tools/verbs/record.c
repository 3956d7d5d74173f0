// SPDX-License-Identifier: MIT
/*
 * record.c - slabinfo record: the heap over time, into a file for slabinfo-plot.
 *
 * The form of a recording: text, lines that end in a newline. Lines that begin
 * with # come first: "# libkmem recording 1" (the form's version), "# pid N",
 * "# command NAME", "# start SECONDS" (since the epoch), and last
 * "# columns: NAME...". Each further line is a sample: a number for each column,
 * separated by blanks. Readers find columns by name; new ones are added at the
 * end, and what has another meaning gets another name. A line is written at
 * once and whole, so that a recording can be read while it is made and is good
 * up to its last newline if the recorder is killed.
 *
 * With --json each line is an object: first {"libkmem_recording": 1, "pid": N,
 * "command": "NAME", "start": SECONDS}, then a sample a line with the columns'
 * names as keys and the same numbers.
 *
 * "time" is seconds since the start; other columns are bytes, but for objects
 * (how many the program holds), totals of events since the target's start
 * (slabs_made to purged), and torn (places that changed while they were read).
 */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../views/sample.h"
#include "../views/watch.h"
#include "verbs.h"

struct record_options {
	long pid;
	const char *file;
	double interval;		/* seconds */
	long count;			/* 0: until the process ends */
	bool json;
};

static volatile sig_atomic_t stopped;

static void stop(int sig)
{
	(void)sig;
	stopped = 1;
}

static void usage(void)
{
	puts("Usage: slabinfo record [--json] -p PID -o FILE [-i SECONDS] [-n COUNT]\n"
	     "Records RSS, live bytes and where the rest is, over time, for slabinfo-plot.\n"
	     "  -p, --pid=PID            the process\n"
	     "  -o, --output=FILE        the recording; - for standard output\n"
	     "      --json               JSON, an object a line\n"
	     "  -i, --interval=SECONDS   between samples, 0.01 to 86400; default 1\n"
	     "  -n, --count=COUNT        how many samples; default: until the process ends\n"
	     "  -h, --help               this text");
}

/* -1: go on; otherwise the exit status. */
static int parse(struct record_options *o, int argc, char **argv)
{
	static const struct option longs[] = {
		{ "pid", required_argument, NULL, 'p' },
		{ "output", required_argument, NULL, 'o' },
		{ "interval", required_argument, NULL, 'i' },
		{ "count", required_argument, NULL, 'n' },
		{ "json", no_argument, NULL, OPT_JSON },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 }
	};
	int c;

	while ((c = getopt_long(argc, argv, "p:o:i:n:h", longs, NULL)) != -1) {
		bool ok = true;

		if (c == 'h') {
			usage();
			return EXIT_FINE;
		} else if (c == OPT_JSON) {
			o->json = true;
		} else if (c == 'o') {
			o->file = optarg;
		} else if (c == 'p') {
			ok = view_integer(optarg, 1, INT32_MAX, &o->pid);
		} else if (c == 'i') {
			ok = view_seconds(optarg, 0.01, 86400, &o->interval);
		} else if (c == 'n') {
			ok = view_integer(optarg, 1, INT64_MAX, &o->count);
		} else {
			fputs("Try \"slabinfo record --help\".\n", stderr);
			return EXIT_CANT;
		}
		if (!ok) {
			fail("record: -%c: \"%s\" is out of bounds", c, optarg);
			return EXIT_CANT;
		}
	}
	if (optind < argc || !o->pid || !o->file) {
		fail("record: %s; try \"slabinfo record --help\"", optind < argc ?
		     "too many arguments" : o->pid ? "which file? -o FILE" :
		     "which process? -p PID");
		return EXIT_CANT;
	}
	return -1;
}

/* ---- writing ------------------------------------------------------------------------- */

static const struct {
	const char *name;
	size_t offset;
} totals[] = {
	{ "slabs_made", offsetof(struct sample, slabs_made) },
	{ "slabs_freed", offsetof(struct sample, slabs_freed) },
	{ "refills", offsetof(struct sample, refills) },
	{ "flushes", offsetof(struct sample, flushes) },
	{ "depot_gets", offsetof(struct sample, depot_gets) },
	{ "depot_puts", offsetof(struct sample, depot_puts) },
	{ "purged", offsetof(struct sample, purged) },
};

#define NR_COLUMNS	(5 + NR_ROWS + ARRAY_SIZE(totals))

struct column {
	const char *name;
	uint64_t value;
};

/* All but the time, which stands before them, in their order. */
static void fill_columns(struct column column[NR_COLUMNS], const struct sample *s)
{
	size_t n = 0;

	column[n++] = (struct column){ "rss", s->map.total };
	column[n++] = (struct column){ "live", s->live };
	column[n++] = (struct column){ "waste", s->waste };
	column[n++] = (struct column){ "objects_held", s->objects };
	for (enum rss_row i = 0; i < NR_ROWS; i++)
		column[n++] = (struct column){ rss_row_key(i), s->map.row[i].rss };
	for (size_t i = 0; i < ARRAY_SIZE(totals); i++)
		column[n++] = (struct column){
			totals[i].name, *(const uint64_t *)((const char *)s + totals[i].offset)
		};
	column[n++] = (struct column){ "torn", s->torn };
}

static void write_header(FILE *out, const struct source *src)
{
	static const struct sample none;
	struct column column[NR_COLUMNS];

	fprintf(out, "# libkmem recording 1\n# pid %d\n# command ", src->pid);
	for (const char *c = src->command; *c; c++)
		fputc((unsigned char)*c < ' ' ? '?' : *c, out);
	fprintf(out, "\n# start %lld\n# columns: time", (long long)time(NULL));
	fill_columns(column, &none);
	for (size_t i = 0; i < NR_COLUMNS; i++)
		fprintf(out, " %s", column[i].name);
	fputc('\n', out);
}

static void write_json_header(FILE *out, const struct source *src)
{
	fprintf(out, "{\"libkmem_recording\": 1, \"pid\": %d, \"command\": ", src->pid);
	json_string(out, src->command);
	fprintf(out, ", \"start\": %lld}\n", (long long)time(NULL));
}

static void write_sample(FILE *out, const struct sample *s, double seconds, bool json)
{
	struct column column[NR_COLUMNS];

	fill_columns(column, s);
	fprintf(out, json ? "{\"time\": %.3f" : "%.3f", seconds);
	for (size_t i = 0; i < NR_COLUMNS; i++) {
		if (json)
			fprintf(out, ", \"%s\": %" PRIu64, column[i].name, column[i].value);
		else
			fprintf(out, " %" PRIu64, column[i].value);
	}
	fputs(json ? "}\n" : "\n", out);
}

struct recording {
	const struct record_options *o;
	FILE *out;			/* NULL: not begun */
	double begin;
};

/*
 * Writes a sample, before the first the header. The file is made, and an old one
 * lost, only when there is something for it.
 */
static bool put(struct recording *r, const struct source *src, const struct sample *s,
		char **error)
{
	if (!r->out) {
		r->out = strcmp(r->o->file, "-") ? fopen(r->o->file, "we") : stdout;
		r->begin = watch_now();
		if (r->out && r->o->json)
			write_json_header(r->out, src);
		else if (r->out)
			write_header(r->out, src);
	}
	if (r->out) {
		write_sample(r->out, s, watch_now() - r->begin, r->o->json);
		if (!fflush(r->out))
			return true;
	}
	*error = xasprintf("%s: %s", r->o->file, strerror(errno));
	return false;
}

/* Takes a sample. *@over: there will be no more, since the process has ended. */
static bool take(struct recording *r, const struct watch *w, bool *over, char **error)
{
	struct target *t = watch_read(w, error);
	struct sample s;
	bool ok = t && sample_read(t, &s, error);

	if (ok) {
		ok = put(r, t->src, &s, error);
	} else if (r->out && watch_ended(w)) {
		/* What there is is the whole recording. */
		free(*error);
		*over = ok = true;
	}
	target_close(t);
	return ok;
}

/*
 * Samples lie on a grid of the interval: one that took long delays no other, and what
 * was missed is left out.
 */
static bool record(const struct watch *w, const struct record_options *o, char **error)
{
	struct recording r = { .o = o };
	double next = watch_now();
	bool ok = true, over = false;

	for (long n = 1; ok; n++) {
		ok = take(&r, w, &over, error);
		while (next <= watch_now())
			next += o->interval;
		if (!ok || over || stopped || n == o->count)
			break;
		watch_sleep(w, next);
		if (stopped)
			break;
	}
	if (r.out && r.out != stdout && fclose(r.out) && ok) {
		*error = xasprintf("%s: %s", o->file, strerror(errno));
		ok = false;
	}
	return ok;
}

int verb_record(int argc, char **argv)
{
	struct record_options o = { .interval = 1 };
	struct sigaction sa = { .sa_handler = stop };
	char *error = NULL;
	int status = parse(&o, argc, argv);
	struct watch w;
	bool ok;

	if (status >= 0)
		return status;
	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
	ok = watch_open(&w, (int)o.pid, &error);
	if (ok) {
		ok = record(&w, &o, &error);
		watch_close(&w);
	}
	if (!ok) {
		fail("record: %s", error);
		free(error);
	}
	return ok ? EXIT_FINE : EXIT_CANT;
}
