/* SPDX-License-Identifier: MIT */
/* kmem-run.h - what the launcher's two files share. */
#ifndef TOOLS_KMEM_RUN_H
#define TOOLS_KMEM_RUN_H

#include <limits.h>
#include <stddef.h>
#include <sys/types.h>

void fail(const char *fmt, ...) __attribute__((noreturn, format(printf, 1, 2)));

/* ---- kmem-run-watch.c: a picture of the heap near its peak ------------------------ */

struct watch {
	/* Set by the caller. */
	const char *lib;		/* absolute path of the preloaded library */
	const char *slabinfo;		/* the program that takes the picture */

	/* The last picture. */
	pid_t pid;			/* whose; 0: none was taken */
	char comm[32];
	unsigned long rss_kb;		/* when it was taken */
	char *text;			/* slabinfo's tables; free() */

	unsigned long seen_kb;		/* the largest RSS of any process on the library */
	unsigned long cost_us;		/* of the last look, without the picture */
};

/*
 * Looks at the processes below @root; when the largest of those that run on
 * the library has grown by a twentieth since the last picture, takes another.
 */
void watch_look(struct watch *w, pid_t root);
/* Prints the last picture to stderr, or why there is none. */
void watch_print(const struct watch *w);

#endif /* TOOLS_KMEM_RUN_H */
