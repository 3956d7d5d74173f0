/* SPDX-License-Identifier: MIT */
/*
 * leaks.h - objects that nothing points at.
 *
 * Conservative: every aligned word of the program's writable memory outside
 * the heap (data, stacks above their stack pointers, TLS, its own mappings), of
 * its registers and of pages from alloc_pages() counts as a pointer if it looks like
 * one, also into the middle of an object; what it points at is looked through in turn. An
 * object that is in use and was not met is a leak. Pointers that are kept
 * in other forms (xor'd, compressed, on disk) are not seen.
 */
#ifndef TOOLS_INSPECT_LEAKS_H
#define TOOLS_INSPECT_LEAKS_H

#include "heap.h"

struct leak {
	uint64_t addr;
	uint64_t bytes;
	const struct heap_cache *cache;	/* NULL: a large object */
	bool indirect;			/* another leak points at it */
};

struct leaks {
	struct leak *list;		/* by address */
	size_t nr;
	uint64_t bytes;
	uint64_t objects, reached;	/* in use; met */
	uint64_t root_bytes, heap_bytes;	/* looked through */
	size_t threads, threads_known;	/* of which the stack pointer is known */
};

/* One look. The threads' registers are as source.threads says (scan.h). */
void leaks_find(struct heap *h, struct leaks *l);
/* Keeps what both have; @l: the later look, whose caches stay. */
void leaks_keep_common(struct leaks *l, const struct leaks *before);
void leaks_free(struct leaks *l);

#endif /* TOOLS_INSPECT_LEAKS_H */
