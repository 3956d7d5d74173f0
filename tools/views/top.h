/* SPDX-License-Identifier: MIT */
/*
 * top.h - slabtop's table: read from a target, with rates against the reading
 * before, sorted, as lines of text. Knows nothing of the terminal.
 */
#ifndef TOOLS_VIEWS_TOP_H
#define TOOLS_VIEWS_TOP_H

#include "../inspect/target.h"

struct top_row {
	char name[CACHE_NAME_MAX];
	uint64_t heap, addr;		/* which cache it is */
	uint64_t objects, active;
	uint64_t slabs, active_slabs;
	uint64_t bytes;			/* of the slabs */
	uint64_t exchanges;		/* of magazines, ever */
	uint64_t slab_events;		/* slabs made and given back, ever */
	uint32_t size, per_slab, pages;
	double net_rate, exchange_rate, slab_rate;	/* per second */
};

struct top {
	struct top_row *row;
	size_t nr;
	char sort;			/* a key */
	double time;			/* of the reading, in seconds */
	char command[64];
	uint64_t rss;			/* of the heaps */
};

#define TOP_HEADER_LINES	6

/* Takes a new reading; rates are against the one before, 0 if there is none. */
void top_take(struct top *t, struct target *target, double now);
void top_free(struct top *t);

bool top_is_key(char key);
const char *top_key_name(char key);
void top_print_keys(void);
void top_sort(struct top *t, char key);

/* Line @n of the header, the titles, a cache. */
void top_header(const struct top *t, int n, char *line, size_t size);
void top_columns(bool rates, char *line, size_t size);
void top_line(const struct top_row *r, bool rates, char *line, size_t size);

/* All of it without rates. */
/* The same as JSON: an object with the process and an array of caches. */
void top_json(const struct top *t, int pid, FILE *out);
void top_print(const struct top *t, FILE *out);

#endif /* TOOLS_VIEWS_TOP_H */
