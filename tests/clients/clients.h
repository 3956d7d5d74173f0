/* SPDX-License-Identifier: MIT */
/*
 * clients.h - what the client programs share. A client is a small program of the kind
 * that the library is for, written against the public headers alone. It checks its own
 * invariants while it runs, and has slabinfo, which looks from outside, confirm that as
 * many objects are in use as it knows of: in the middle and, none, at the end.
 */
#ifndef TESTS_CLIENTS_H
#define TESTS_CLIENTS_H

#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <kmem/slab.h>
#include <kmem/string.h>

#define check(cond, ...) do {						\
	if (!(cond)) {							\
		fprintf(stderr, "%s:%d: %s: ", __FILE__, __LINE__, #cond); \
		fprintf(stderr, __VA_ARGS__);				\
		fputc('\n', stderr);					\
		exit(1);						\
	}								\
} while (0)

static inline uint64_t rnd(uint64_t *state)
{
	uint64_t x = *state;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	return *state = x;
}

/* What slabinfo says of a cache's objects in use; -1: it knows no such cache. */
static inline long active_objects(const char *name)
{
	const char *build = getenv("KMEM_BUILDDIR");
	char command[512], line[512], key[64];
	long active, found = -1;
	FILE *f;

	snprintf(command, sizeof(command), "%s/tools/slabinfo --table -p %d '^%s$'",
		 build ? build : "build", (int)getpid(), name);
	f = popen(command, "r");
	check(f, "popen");
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "%63s %ld", key, &active) == 2 && !strcmp(key, name))
			found = active;
	check(pclose(f) == 0, "slabinfo failed");
	return found;
}

/* All of a cache's objects are the @live ones that the program knows of, and it is sound. */
static inline void confirm(struct kmem_cache *s, long live)
{
	long active;

	kmem_cache_shrink(s);	/* what is free in magazines goes back to the slabs */
	active = active_objects(kmem_cache_name(s));
	check(active == live, "%s: slabinfo sees %ld objects in use, there are %ld",
	      kmem_cache_name(s), active, live);
	check(validate_slab_cache(s) == 0, "%s is damaged", kmem_cache_name(s));
}

#endif /* TESTS_CLIENTS_H */
