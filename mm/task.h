/* SPDX-License-Identifier: MIT */
/*
 * task.h - what the library knows of the calling thread: a word of flags.
 *
 * A thread writes its own word alone; signal handlers leave it as they found it.
 * Zero in a new thread, the library's own included.
 */
#ifndef MM_TASK_H
#define MM_TASK_H

#include <kmem/memalloc.h>

#include "base/bitops.h"
#include "base/compiler.h"

/* Reclaiming, or said to be (memalloc_noreclaim_save()): reclaims no further, uses reserves. */
#define TASK_MEMALLOC	1U
#define TASK_NOIO	2U
#define TASK_NOFS	4U
/* On a request's way that may make no system call: no metadata is mapped, nobody is woken. */
#define TASK_NOWAIT	8U
/* Between the fork handlers (fork.c): starts no thread; has all locks. */
#define TASK_FORK	16U
#define TASK_LOCKS	32U

extern __thread unsigned int task_flags
	__attribute__((tls_model("initial-exec"), visibility("hidden")));

/* Sets flags; gives those of them that were set, which task_restore() takes. */
static inline unsigned int task_save(unsigned int flags)
{
	unsigned int old = task_flags & flags;

	task_flags |= flags;
	return old;
}

static inline void task_restore(unsigned int flags, unsigned int old)
{
	task_flags = (task_flags & ~flags) | old;
}

/* Whether the calling thread may make system calls. */
static inline bool task_may_wait(void)
{
	return !(task_flags & TASK_NOWAIT);
}

/* For the time of a call with these flags that may free something, too. */
static inline unsigned int task_save_nowait(gfp_t gfp)
{
	return task_save(gfpflags_allow_blocking(gfp) ? 0 : TASK_NOWAIT);
}

static inline void task_restore_nowait(gfp_t gfp, unsigned int old)
{
	task_restore(gfpflags_allow_blocking(gfp) ? 0 : TASK_NOWAIT, old);
}

#endif /* MM_TASK_H */
