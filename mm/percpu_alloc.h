/* SPDX-License-Identifier: MIT */
/* percpu_alloc.h - what the library itself needs of percpu_alloc.c. */
#ifndef MM_PERCPU_ALLOC_H
#define MM_PERCPU_ALLOC_H

/*
 * Checks of each chunk that the count and the hint agree with the bitmaps, that
 * each last granule is in use and each used one dirty. Returns the errors found.
 */
long percpu_alloc_validate(void);

void percpu_alloc_fork_lock(void);
void percpu_alloc_fork_unlock(void);

#endif /* MM_PERCPU_ALLOC_H */
