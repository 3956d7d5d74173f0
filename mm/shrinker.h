/* SPDX-License-Identifier: MIT */
/* shrinker.h - the registered shrinkers, for the reclaimer and the fork handlers. */
#ifndef MM_SHRINKER_H
#define MM_SHRINKER_H

#include <kmem/shrinker.h>

#include "base/compiler.h"

/*
 * Calls every shrinker once, at @priority: 12 asks for a 4096th of what each has
 * (times 4 / seeks), 0 for all. Those that are SHRINKER_ON_REQUEST only if somebody
 * asked for it (@requested). Returns the objects freed.
 * Context: no lock held; the caller is in a noreclaim scope.
 */
unsigned long shrink_all(gfp_t gfp, int priority, bool requested);

/* Prints the shrinkers that have objects to free, and how many. */
void shrinkers_show(void);

void shrinkers_fork_lock(void);
void shrinkers_fork_unlock(void);
/* In the child: nobody but the calling thread is in a shrinker. Lock held. */
void shrinkers_fork_child(void);

#endif /* MM_SHRINKER_H */
