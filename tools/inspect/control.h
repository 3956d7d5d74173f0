/* SPDX-License-Identifier: MIT */
/*
 * control.h - asks a live target to do something to itself, through the words
 * that mm/control.h specifies. Nothing else of this directory changes a target.
 */
#ifndef TOOLS_INSPECT_CONTROL_H
#define TOOLS_INSPECT_CONTROL_H

#include "heap.h"

struct control_answer {
	uint64_t value;		/* pages that went back to the system */
};

/*
 * Releases empty slabs and magazines of a cache (address of its struct; 0: of all, and gives free
 * pages back). False: refused, or no answer in time; *@error says which, and what can be
 * done about it; to be freed.
 */
bool control_shrink(struct heap *h, uint64_t cache, struct control_answer *a, char **error);

/* Switches debugging flags (letters, "-" for none) of all caches. */
bool control_debug(struct heap *h, const char *flags, struct control_answer *a, char **error);

#endif /* TOOLS_INSPECT_CONTROL_H */
