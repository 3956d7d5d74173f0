/* SPDX-License-Identifier: MIT */
/* caches.h - what heap.c asks of caches.c. */
#ifndef TOOLS_INSPECT_CACHES_H
#define TOOLS_INSPECT_CACHES_H

#include "heap.h"

void caches_read(struct heap *h);	/* fills caches and rounds */
void caches_free(struct heap *h);

#endif /* TOOLS_INSPECT_CACHES_H */
