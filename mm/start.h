/* SPDX-License-Identifier: MIT */
/*
 * start.h - "is the allocator ready", for the floors that may be called first.
 *
 * What it takes to be ready is known on the uppermost floor alone (init.c), so
 * __mm_init() is a hook: declared here, defined there.
 */
#ifndef MM_START_H
#define MM_START_H

#include "base/compiler.h"

enum mm_state { MM_NONE, MM_RUNNING, MM_READY, MM_FAILED };

extern enum mm_state mm_state __kmem_internal;

bool __mm_init(void) __cold;

/*
 * Makes the allocator ready; every slow path that can come first begins with
 * it. False when the system gives no memory at all (the next call tries again).
 */
static inline bool mm_init(void)
{
	return likely(smp_load_acquire(&mm_state) == MM_READY) || __mm_init();
}

#endif /* MM_START_H */
