/* SPDX-License-Identifier: MIT */
/*
 * util.h - what all files of the tools use: messages, memory that does not fail,
 * arrays that grow, text of others, whole files. The tools run in a process of their
 * own; running out of memory there ends them with a message.
 */
#ifndef TOOLS_INSPECT_UTIL_H
#define TOOLS_INSPECT_UTIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

/*
 * A line on stderr, after what stdout has so far, that begins with the name by which
 * the program was called: the same code serves several tools.
 */
void fail(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void note(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

void *xcalloc(size_t n, size_t size);
void *xrealloc(void *p, size_t n, size_t size);
char *xstrdup(const char *s);
char *xasprintf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/*
 * Room for one more in an array of which *@nr are used: makes it longer when
 * *@nr reaches a power of two. Returns the array.
 */
void *grow(void *array, size_t nr, size_t size);

/* Bytes of the UTF-8 character at @s, 0 if there is none. */
size_t utf8_length(const char *s);

/*
 * Text of a target on its way to a terminal or into a table: @with stands for what is
 * no UTF-8, for control characters of both kinds (C0 and C1), and for blanks unless @blanks.
 */
void clean_text(char *text, char with, bool blanks);

/*
 * A whole file, such as those of /proc that tell no size, NUL terminated; at
 * most 256 MiB. NULL: errno says why.
 */
char *read_whole(const char *path, size_t *len);

static inline uint64_t min_u64(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static inline uint64_t max_u64(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

#endif /* TOOLS_INSPECT_UTIL_H */
