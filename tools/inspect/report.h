/* SPDX-License-Identifier: MIT */
/* report.h - what is printed: the kernel's tables, the map of RSS, JSON. */
#ifndef TOOLS_INSPECT_REPORT_H
#define TOOLS_INSPECT_REPORT_H

#include <regex.h>

#include "heap.h"
#include "rss.h"

/* Which caches are meant: those that match one of the patterns; all if there is none. */
struct selection {
	regex_t *pattern;
	size_t nr;
};

bool selected(const struct selection *s, const struct heap_cache *c);

/* The kernel's /proc/slabinfo, version 2.1. */
void report_slabinfo(FILE *out, const struct heap *h, const struct selection *s);
/* The kernel's /proc/buddyinfo. */
void report_buddyinfo(FILE *out, const struct heap *h);
/* Where the RSS is. */
void report_rss(FILE *out, const struct heap *h, const struct rss_map *map);
/* All of it, as a JSON object; @map NULL: without the RSS. */
void report_json(FILE *out, const struct heap *h, const struct rss_map *map,
		 const struct selection *s);

/*
 * The document around the heaps of one target: {"pid": ..., "command": ..., "heaps": [, then ]}.
 * A core file is named ("core": "PATH").
 */
void json_target_begin(FILE *out, const struct source *src);
void json_target_end(FILE *out);
/* "zones": [...] */
void json_zones(FILE *out, const struct heap *h);

/* A string in JSON's quotes; what is not UTF-8 is replaced. */
void json_string(FILE *out, const char *s);

/* Processes that run on the library, as text or JSON. Returns how many heaps there are. */
size_t report_processes(FILE *out, bool json);

#endif /* TOOLS_INSPECT_REPORT_H */
