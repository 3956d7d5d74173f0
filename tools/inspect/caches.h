/* SPDX-License-Identifier: MIT */
/* caches.h - what heap.c asks of caches.c. */
#ifndef TOOLS_INSPECT_CACHES_H
#define TOOLS_INSPECT_CACHES_H

#include "heap.h"

void caches_read(struct heap *h);	/* fills caches and rounds */
void caches_free(struct heap *h);

/* The magazine part of a cache from the bytes of a struct magazine_cache. */
void decode_magazine_cache(struct heap *h, const char *mag, struct heap_cache *c);

#endif /* TOOLS_INSPECT_CACHES_H */
