/* SPDX-License-Identifier: MIT */
/**
 * DOC: limit.h - how much memory the process may take from the library.
 *
 * What counts is whole pages that are in use: objects and their slabs, page
 * blocks, large objects, and what lies in per-CPU caches; free pages that are
 * still resident count as long as they are needed. The library's own maps and
 * tables, about 2 % more, do not. Pages count when they are handed out, touched
 * or not. Documentation/mm/reclaim.rst has the whole model.
 */
#ifndef KMEM_LIMIT_H
#define KMEM_LIMIT_H

#include <stddef.h>

#include <kmem/types.h>

/* No limit. */
#define KMEM_LIMIT_NONE		((size_t)-1)

KMEM_BEGIN_DECLS

/**
 * kmem_set_limit - bound the memory in use
 * @hard: bytes; allocations that would go beyond it reclaim, and fail if that
 *	did not help. KMEM_LIMIT_NONE: no bound
 * @soft: bytes; above it memory is reclaimed, in the background and now and then
 *	by allocations, but nothing fails. KMEM_LIMIT_NONE: none of its own
 *
 * Replaces limit= and soft_limit= of KMEM_CMDLINE. Reclaims at once what is
 * above the new limits; what cannot be reclaimed stays, and allocations fail
 * until enough has been freed.
 * Context: runs shrinkers; makes system calls.
 * Return: 0; -EINVAL: a @hard of less than 1 MiB, or @soft above @hard;
 *	-ENOMEM: the limits are in force, but more than @hard is in use.
 */
int kmem_set_limit(size_t hard, size_t soft);

/**
 * struct kmem_usage - what counts and what bounds it, in bytes
 * @hard: the hard limit or KMEM_LIMIT_NONE
 * @soft: the soft limit in effect (the cgroup's, if that is lower), or KMEM_LIMIT_NONE
 * @used: pages in use
 * @resident_free: free pages that have not been given back to the system
 */
struct kmem_usage {
	size_t hard, soft;
	size_t used, resident_free;
};

/**
 * kmem_get_usage - fill in @usage
 * Context: takes locks; makes no system call but those of the locks.
 */
void kmem_get_usage(struct kmem_usage *usage);

/**
 * kmem_reclaim - give memory back to the system
 * @bytes: how much to aim at; KMEM_LIMIT_NONE: all that can go
 *
 * Shrinkers are run, ever harder, until @bytes are free; then per-CPU caches and
 * empty slabs are emptied and free pages purged.
 * Context: runs shrinkers; makes system calls; not from a shrinker (returns 0).
 * Return: bytes given back, which may be more or less than asked for.
 */
size_t kmem_reclaim(size_t bytes);

KMEM_END_DECLS

#endif /* KMEM_LIMIT_H */
