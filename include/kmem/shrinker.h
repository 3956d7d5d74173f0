/* SPDX-License-Identifier: MIT */
/**
 * DOC: shrinker.h - giving back what a program keeps only because there is room.
 *
 * Contracts: the kernel's include/linux/shrinker.h. A cache of the program
 * registers two functions: one says how many of its objects could go, the other
 * lets some go. They are called when memory runs short: at a limit
 * (<kmem/limit.h>), when the system gives no more, from kmem_reclaim() and from
 * malloc_trim(); Documentation/mm/reclaim.rst tells when and how often.
 *
 * Both are called with no lock of the library held, by a thread of the program
 * that is about to allocate, inside a memalloc_noreclaim scope: allocations that
 * they make themselves never reclaim. Such a thread may hold any lock of the
 * program or of the C library: a lock that is also held around allocations may
 * only be tried, or avoided by a GFP_NOFS (GFP_NOIO) convention as in the kernel.
 * Several threads may be in them at once.
 */
#ifndef KMEM_SHRINKER_H
#define KMEM_SHRINKER_H

#include <kmem/gfp.h>

struct mem_cgroup;

/**
 * struct shrink_control - what is asked of a shrinker
 * @gfp_mask: of the allocation that is short of memory, less what the scopes of
 *	its thread forbid: do not wait for input or output without __GFP_IO,
 *	do not enter the file system without __GFP_FS
 * @nid: the node to shrink, of a SHRINKER_NUMA_AWARE one; else 0
 * @nr_to_scan: scan_objects: how many objects to look at
 * @nr_scanned: scan_objects: how many were; @nr_to_scan unless it says otherwise
 * @memcg: NULL
 */
struct shrink_control {
	gfp_t gfp_mask;
	int nid;
	unsigned long nr_to_scan;
	unsigned long nr_scanned;
	struct mem_cgroup *memcg;
};

/* scan_objects: cannot do anything at present, do not ask again in this round. */
#define SHRINK_STOP		(~0UL)
/* count_objects: there is nothing, now or soon (0: nothing now). */
#define SHRINK_EMPTY		(~0UL - 1)

/* As good as what most caches cost: an object is two disk seeks. */
#define DEFAULT_SEEKS		2

#define SHRINKER_NUMA_AWARE	0x4u	/* called for each node in turn */
#define SHRINKER_MEMCG_AWARE	0x8u	/* accepted; there are no groups */
#define SHRINKER_NONSLAB	0x10u	/* accepted */
/*
 * An extension: called by kmem_reclaim(), malloc_trim() and kmem_set_limit() alone, not
 * when an allocation runs short. Such functions may wait for locks that are held
 * around allocations.
 */
#define SHRINKER_ON_REQUEST	0x10000u

/**
 * struct shrinker - a shrinker, from shrinker_alloc()
 * @count_objects: how many objects could be freed; SHRINK_EMPTY or 0: none. An
 *	estimate, cheap, and without consequences
 * @scan_objects: looks at sc->nr_to_scan objects, frees those that it can.
 *	Return: how many it freed, or SHRINK_STOP
 * @batch: the least that is worth a call of scan_objects; 0: 128
 * @seeks: what making an object again costs: the higher the fewer are asked
 *	for; 0: costs nothing, half of them are asked for at once
 * @flags: as given to shrinker_alloc()
 * @private_data: the program's own
 *
 * The fields are set between shrinker_alloc() and shrinker_register().
 */
struct shrinker {
	unsigned long (*count_objects)(struct shrinker *shrinker, struct shrink_control *sc);
	unsigned long (*scan_objects)(struct shrinker *shrinker, struct shrink_control *sc);
	long batch;
	int seeks;
	unsigned int flags;
	void *private_data;
};

KMEM_BEGIN_DECLS

/**
 * shrinker_alloc - a shrinker that nobody calls yet
 * @flags: SHRINKER_*
 * @fmt: its name, shown in reports; conversions as of printf, without %f and %n
 *
 * Return: the shrinker, with @seeks DEFAULT_SEEKS and all else zero; NULL when
 * there is no memory or @flags has an unknown one (with a message).
 * Context: may make system calls.
 */
struct shrinker *shrinker_alloc(unsigned int flags, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/**
 * shrinker_register - from here on it is called
 * One that has no functions, or that is registered already, is refused with a
 * warning.
 */
void shrinker_register(struct shrinker *shrinker);

/**
 * shrinker_free - end a shrinker, registered or not; NULL is allowed
 *
 * Waits until no thread is in its functions; none will be afterwards. Not to be
 * called from them, which is reported and aborts.
 */
void shrinker_free(struct shrinker *shrinker);

KMEM_END_DECLS

#endif /* KMEM_SHRINKER_H */
