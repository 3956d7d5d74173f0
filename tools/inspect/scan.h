/* SPDX-License-Identifier: MIT */
/* scan.h - looks through memory word by word: where pointers may be. */
#ifndef TOOLS_INSPECT_SCAN_H
#define TOOLS_INSPECT_SCAN_H

#include "heap.h"

typedef void (*words_fn)(void *arg, uint64_t addr, const uint64_t *word, size_t nr);

/*
 * Calls @fn with runs of aligned words of [@start, @end): of what is resident, and of everything
 * where that can't be told. What can't be read is passed over. Returns the bytes read.
 */
uint64_t scan_range(struct source *src, uint64_t start, uint64_t end, words_fn fn, void *arg);

/*
 * The memory besides the heap that the program can write: data, stacks, TLS,
 * mappings of its own. Sorted, disjoint; freed by the caller.
 */
struct range *scan_roots(const struct heap *h, size_t *nr);

/* The mapping that @addr lies in, or NULL. */
const struct mapping *mapping_of(const struct source *src, uint64_t addr);

/* "stack of thread 12", "/usr/lib/libc.so.6 + 0x1f00", "[heap] + 0x10": a new string. */
char *describe_address(const struct source *src, uint64_t addr);

/*
 * A live process's threads and as much of their registers as can be known
 * without stopping them: /proc/PID/task/TID/syscall has stack pointer and arguments of one
 * that waits. Fills source.threads; a core's are there already.
 */
void threads_read(struct source *src);

/*
 * Stops all threads of a live process (ptrace), reads their registers, and
 * keeps them stopped until threads_release(). False: refused, *@error is one
 * line; nothing is stopped then. Only for those who asked for it.
 */
bool threads_stop(struct source *src, char **error);
void threads_release(struct source *src);

#endif /* TOOLS_INSPECT_SCAN_H */
