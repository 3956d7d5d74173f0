/* SPDX-License-Identifier: MIT */
/*
 * target.h - what a tool looks at: a live process or a core file, and the heaps
 * that are in it. The way in for every tool:
 *
 *	struct target_options o = { .pid = 1234 };
 *	struct target *t = target_open(&o, &error);
 *
 *	for (size_t i = 0; i < t->nr_heaps; i++)
 *		look(t->heaps[i]);
 *	target_close(t);
 *
 * A heap is a picture: what it says was read in heap_read() and does not follow
 * the target. To look again, open again; target_open() of a process of 40
 * caches takes a millisecond.
 */
#ifndef TOOLS_INSPECT_TARGET_H
#define TOOLS_INSPECT_TARGET_H

#include <getopt.h>

#include "heap.h"

struct target_options {
	int pid;			/* a live process; 0: see core */
	const char *core;		/* a core file */
	const char *exe;		/* its program, where that is not found by itself */
};

struct target {
	struct source *src;
	struct image *images;
	size_t nr_images;
	/* Those that were used; if none was, all. At least one. */
	struct heap **heaps;
	size_t nr_heaps;
};

/*
 * NULL: *@error is one line for the user, to be freed; it begins with the
 * process id or the name of the core file.
 */
struct target *target_open(const struct target_options *o, char **error);
void target_close(struct target *t);

/*
 * Whether what was read is of a process that is still there, and still that program.
 * If not (it ended or called execve() meanwhile), parts of it may be missing or another's,
 * so that nothing may be concluded from it. Says so, once at the end.
 */
bool target_stayed(const struct target *t);

/* Whether the library has started there: in one of the heaps, what start-up makes is all there. */
bool target_ready(const struct target *t);

/* What was wrong with a heap while it was read, on stderr, a line each. */
void target_warn(const struct heap *h);

/* ---- options: what every tool that looks at a target understands ------------- */

enum { OPT_CORE = 512, OPT_EXE, OPT_JSON, OPT_TARGET_END };

#define TARGET_SHORT_OPTIONS	"p:"
#define TARGET_LONG_OPTIONS						\
	{ "pid", required_argument, NULL, 'p' },			\
	{ "core", required_argument, NULL, OPT_CORE },			\
	{ "exe", required_argument, NULL, OPT_EXE },			\
	{ "json", no_argument, NULL, OPT_JSON }

/*
 * Takes the option @c if it is one of these (but OPT_JSON). 1: taken; 0: not one of
 * them; -1: its value is wrong, and that was said on stderr.
 */
int target_option(struct target_options *o, int c, const char *value);

#endif /* TOOLS_INSPECT_TARGET_H */
