// SPDX-License-Identifier: MIT
/*
 * slabinfo-exporter.c - heaps of several processes for Prometheus.
 *
 *	exporter/metrics.c	reads and writes the text
 *	exporter/http.c		serves it
 *
 * A scrape reads the processes, unless the text is younger than --cache seconds: so
 * nobody who can connect makes it work without bounds.
 */
#include <getopt.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "exporter/http.h"
#include "exporter/metrics.h"
#include "views/watch.h"

#ifndef KMEM_VERSION
#define KMEM_VERSION "0.1.0"
#endif

struct exporter {
	struct metrics metrics;
	double cache;			/* seconds */
	char *text;			/* the last scrape */
	size_t size;
	double time;
};

struct options {
	bool once;
	const char *listen;
	double cache;
	struct metrics_options metrics;
};

static volatile sig_atomic_t stopped;

static void on_signal(int sig)
{
	(void)sig;
	stopped = 1;
}

static void usage(void)
{
	puts("Usage: slabinfo-exporter [options] [PID...]\n"
	     "Serves the heaps of processes that run on libkmem to Prometheus: of the named ones,\n"
	     "or of all that this user may look at.\n"
	     "  -l, --listen=ADDRESS   a loopback address and port; default 127.0.0.1:9877\n"
	     "  -c, --cache=SECONDS    how long an answer serves again, 0 to 3600; default 1\n"
	     "  -C, --no-caches        no series for each cache, heaps only\n"
	     "  -o, --once             prints the text and ends\n"
	     "  -h, --help             this text\n"
	     "  -V, --version          the version");
}

/* -1: go on; otherwise the exit status. */
static int parse_pids(struct options *o, int argc, char **argv)
{
	long pid;

	if (argc == 0)
		return -1;
	o->metrics.pids = xcalloc((size_t)argc, sizeof(int));
	for (int i = 0; i < argc; i++) {
		size_t k = 0;

		if (!view_integer(argv[i], 1, INT_MAX, &pid)) {
			fail("\"%s\" is no process id", argv[i]);
			return 1;
		}
		/* A series may be there only once. */
		while (k < o->metrics.nr_pids && o->metrics.pids[k] != (int)pid)
			k++;
		o->metrics.pids[k] = (int)pid;
		if (k == o->metrics.nr_pids)
			o->metrics.nr_pids++;
	}
	return -1;
}

static int parse(struct options *o, int argc, char **argv)
{
	static const struct option longs[] = {
		{ "listen", required_argument, NULL, 'l' },
		{ "cache", required_argument, NULL, 'c' },
		{ "no-caches", no_argument, NULL, 'C' },
		{ "once", no_argument, NULL, 'o' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{ NULL, 0, NULL, 0 }
	};
	int c;

	while ((c = getopt_long(argc, argv, "l:c:CohV", longs, NULL)) != -1) {
		if (c == 'l') {
			o->listen = optarg;
		} else if (c == 'c') {
			if (!view_seconds(optarg, 0, 3600, &o->cache)) {
				fail("-c: \"%s\" is out of bounds", optarg);
				return 1;
			}
		} else if (c == 'C') {
			o->metrics.caches = false;
		} else if (c == 'o') {
			o->once = true;
		} else if (c == 'h') {
			usage();
			return 0;
		} else if (c == 'V') {
			puts("slabinfo-exporter (libkmem) " KMEM_VERSION);
			return 0;
		} else {
			fputs("Try \"slabinfo-exporter --help\".\n", stderr);
			return 1;
		}
	}
	return parse_pids(o, argc - optind, argv + optind);
}

static char *document(void *arg, size_t *size)
{
	struct exporter *e = arg;
	char *copy;

	if (!e->text || watch_now() - e->time >= e->cache) {
		free(e->text);
		e->text = metrics_text(&e->metrics, &e->size);
		e->time = watch_now();
	}
	if (!e->text)
		return NULL;
	copy = xcalloc(1, e->size);
	memcpy(copy, e->text, e->size);
	*size = e->size;
	return copy;
}

static int serve(struct exporter *e, const char *address)
{
	/* Without SA_RESTART: poll() returns. */
	struct sigaction sa = { .sa_handler = on_signal };
	char *error;
	int port, fd = http_listen(address, &port, &error);

	if (fd < 0) {
		fail("%s", error);
		free(error);
		return 1;
	}
	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
	signal(SIGPIPE, SIG_IGN);
	/* Said once it can be asked; with port 0 nobody would know otherwise. */
	printf("slabinfo-exporter: port %d, /metrics\n", port);
	fflush(stdout);
	http_serve(fd, "/metrics", document, e, &stopped);
	return 0;
}

int main(int argc, char **argv)
{
	struct options o = {
		.listen = "127.0.0.1:9877", .cache = 1, .metrics = { .caches = true },
	};
	struct exporter e = { 0 };
	int status = parse(&o, argc, argv);

	if (status < 0) {
		e.metrics.options = o.metrics;
		e.cache = o.cache;
		if (o.once) {
			e.text = metrics_text(&e.metrics, &e.size);
			status = !e.text || fwrite(e.text, 1, e.size, stdout) != e.size;
			if (fflush(stdout) || status) {
				fail("can't write the output");
				status = 1;
			}
		} else {
			status = serve(&e, o.listen);
		}
	}
	free(e.text);
	free(e.metrics.memory.plain);
	free(o.metrics.pids);
	return status;
}
