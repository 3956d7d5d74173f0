/* SPDX-License-Identifier: MIT */
/*
 * sample.h - a process' heaps in some forty numbers, for a series over time.
 *
 * All heaps of the process together. Each number is either a level (bytes now) or
 * a total (since the start, of caches that exist); totals go back when a cache is
 * destroyed.
 */
#ifndef TOOLS_VIEWS_SAMPLE_H
#define TOOLS_VIEWS_SAMPLE_H

#include "../inspect/rss.h"
#include "../inspect/target.h"

struct sample {
	struct rss_map map;		/* the rows, summed */
	uint64_t live;			/* resident bytes that the program holds */
	uint64_t waste;			/* map.total - live */
	uint64_t objects;		/* that the program holds: in slabs, large, pages */
	/* Totals. */
	uint64_t slabs_made, slabs_freed;
	uint64_t refills, flushes;	/* magazines from and to slabs */
	uint64_t depot_gets, depot_puts;
	uint64_t purged;		/* pages given back to the system */
	unsigned int torn;
};

/* False: *@error, to be freed. Fills the caches' rss, too. */
bool sample_read(struct target *t, struct sample *s, char **error);

#endif /* TOOLS_VIEWS_SAMPLE_H */
