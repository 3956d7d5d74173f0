/* SPDX-License-Identifier: MIT */
/**
 * DOC: memalloc.h - what all allocations of a thread may do, from one call to another.
 *
 * Contracts: the kernel's include/linux/sched/mm.h. Code that must not be
 * entered again by way of a shrinker opens a scope around what it does, in
 * place of handing GFP_NOFS down through every function that it calls.
 *
 * Scopes nest; each save is paired with a restore by the same thread, in
 * reverse order. They belong to the thread: a new one has none, and a signal
 * handler sees those of the thread that it interrupts. They have no effect on
 * allocations that are served from what is at hand, and cost these nothing.
 *
 * Context of all: any thread, with any locks held, and signal handlers; no lock
 * is taken, no system call made.
 */
#ifndef KMEM_MEMALLOC_H
#define KMEM_MEMALLOC_H

#include <kmem/gfp.h>

KMEM_BEGIN_DECLS

/**
 * memalloc_noio_save - allocations are GFP_NOIO from here on
 * Shrinkers see neither __GFP_IO nor __GFP_FS in their gfp_mask.
 * Return: what memalloc_noio_restore() takes.
 */
unsigned int memalloc_noio_save(void);
/** memalloc_noio_restore - the end of the scope that memalloc_noio_save() began. */
void memalloc_noio_restore(unsigned int flags);

/**
 * memalloc_nofs_save - allocations are GFP_NOFS from here on
 * Shrinkers do not see __GFP_FS in their gfp_mask.
 * Return: what memalloc_nofs_restore() takes.
 */
unsigned int memalloc_nofs_save(void);
/** memalloc_nofs_restore - the end of the scope that memalloc_nofs_save() began. */
void memalloc_nofs_restore(unsigned int flags);

/**
 * memalloc_noreclaim_save - allocations reclaim nothing, and may use all reserves
 *
 * For code that frees memory but needs some to do so. Shrinkers are called
 * inside such a scope.
 * Return: what memalloc_noreclaim_restore() takes.
 */
unsigned int memalloc_noreclaim_save(void);
/** memalloc_noreclaim_restore - the end of the scope that memalloc_noreclaim_save() began. */
void memalloc_noreclaim_restore(unsigned int flags);

/**
 * current_gfp_context - flags as the calling thread's scopes leave them
 * Return: @gfp without __GFP_IO and __GFP_FS, or without __GFP_FS, in a noio or
 *	nofs scope; else @gfp.
 */
gfp_t current_gfp_context(gfp_t gfp);

/**
 * might_alloc - says that the caller may allocate with these flags
 * @gfp: the flags
 *
 * For a function that allocates only now and then: the kernel's debug builds complain
 * where its caller is not allowed to. Here nothing knows in which context a thread is, so
 * that nothing is checked.
 */
static inline void might_alloc(gfp_t gfp)
{
	(void)gfp;
}

KMEM_END_DECLS

#endif /* KMEM_MEMALLOC_H */
