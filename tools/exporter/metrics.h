/* SPDX-License-Identifier: MIT */
/*
 * metrics.h - heaps of many processes, in Prometheus' text format 0.0.4.
 *
 * All samples of a metric must stand together there, so every process is read
 * first and written then, metric by metric.
 */
#ifndef TOOLS_EXPORTER_METRICS_H
#define TOOLS_EXPORTER_METRICS_H

#include "../inspect/layout.h"

struct metrics_options {
	int *pids;			/* those to watch; NULL: all of this user */
	size_t nr_pids;
	bool caches;			/* a series for each cache */
};

/* One exporter: what it remembers from scrape to scrape. Zero but for options. */
struct metrics {
	struct metrics_options options;
	struct image_memory memory;	/* files that are not the library */
};

/* The text of one scrape, to be freed; *@size bytes. NULL: out of memory. */
char *metrics_text(struct metrics *m, size_t *size);

#endif /* TOOLS_EXPORTER_METRICS_H */
