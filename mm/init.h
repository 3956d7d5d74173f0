/* SPDX-License-Identifier: MIT */
/* init.h - start-up, fork and the background reclaimer: who calls whom when. */
#ifndef MM_INIT_H
#define MM_INIT_H

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

/* fork.c: handlers around fork() in the parent and in the child. */
void fork_init(void);

/* vmscan.c */
void vmscan_init(void);		/* lets the page layer wake the reclaimer */
void vmscan_fork_child(void);	/* the thread is gone in the child */
/* Gives back all that can be given back, now. True if anything was. */
bool vmscan_trim(void);

#endif /* MM_INIT_H */
