/* SPDX-License-Identifier: MIT */
/*
 * magazine.h - magazines of objects in front of a slower allocator.
 *
 * A magazine cache is a slot in every CPU's area (percpu.h), a depot of full
 * and empty magazines shared by all CPUs, and behind that a backend that makes
 * and takes back objects in batches: slabs (slub.c) or blocks of pages
 * (page_alloc.c). It knows nothing of what the objects are.
 *
 *	alloc:	loaded magazine -> a full one from the depot -> refill from the backend
 *	free:	loaded magazine -> an empty one, the full one to the depot -> flush to the backend
 *
 * Layer: cpu. Magazines are made of memblock memory.
 */
#ifndef MM_MAGAZINE_H
#define MM_MAGAZINE_H

#include <kmem/types.h>

#include "base/compiler.h"
#include "base/list.h"
#include "lock.h"
#include "percpu.h"

/*
 * struct magazine - owned by the CPU in whose slot it is loaded, by the depot
 * on whose list it is, or by the thread that took it from there.
 */
struct magazine {
	union {
		struct magazine *next;	/* in the depot; depot lock */
		struct magazine *spare;	/* while it is loaded; NULL: none */
	};
	u16 capacity;			/* constant */
	union {
		u16 home;		/* in the depot: of its objects (home.h); depot lock */
		u16 spare_count;	/* while it is loaded: the spare's rounds */
	};
	u32 count;			/* valid while it is not loaded */
	void *bottom;			/* always NULL */
	void *round[];			/* [capacity]; then NULL; then the end word */
};

/*
 * Capacities by level: 3, 11, 27, 67, 131, 259, 515, 1027 rounds and five words around them.
 * The larger ones are a line longer than a power of two, or those of many caches,
 * which are about equally full, would have their tops in a few sets of the cache.
 */
#define MAGAZINE_LEVELS		8
#define MAGAZINE_BYTES(level)	((64U << (level)) + ((level) > 2 ? 64U : 0U))
#define MAGAZINE_CAPACITY(level) \
	((u32)((MAGAZINE_BYTES(level) - sizeof(struct magazine)) / 8 - 2))

/*
 * The end word, which is where those are who found it full: in these bits its level, by which
 * they find it, and above them the spare it was loaded with, a hint: to ask for both at once.
 */
#define MAGAZINE_LEVEL_MASK	63UL

struct magazine_cache;

struct magazine_backend {
	/*
	 * Fills rounds[0..n) with up to @n objects, the one to be handed out
	 * first last. Returns how many; 0: no memory. No lock is held.
	 */
	unsigned int (*refill)(struct magazine_cache *mc, void **rounds,
			       unsigned int n, gfp_t gfp);
	/* Takes @n objects back. No lock is held. */
	void (*flush)(struct magazine_cache *mc, void **rounds, unsigned int n);
	/*
	 * Where neighbours share cache lines, else NULL: the CPU that an object is at home on, a
	 * hint; and a refill() from those of the caller's CPU that there are already.
	 */
	unsigned int (*home)(const struct magazine_cache *mc, const void *object);
	unsigned int (*refill_own)(struct magazine_cache *mc, void **rounds, unsigned int n);
};

struct magazine_cache {
	/*
	 * A cache line that is written once a batch at most: kmem_cache_alloc() and what
	 * misses read it, which from a cache that is seldom used waits for each line.
	 */
	unsigned int slot;		/* SLOT_NONE: no magazines, all goes to the backend */
	u8 level;			/* of new magazines; grows with use; depot lock */
	u8 max_level;			/* bounded by the bytes that the rounds hold */
	bool closed;			/* nothing stays loaded: no slot, or magazine_cache_close() */
	bool dead;			/* being destroyed: keep nothing; depot lock */
	u32 round_bytes;		/* bytes of an object */
	u32 refused;			/* magazines that the depot had no room for; depot lock */
	const struct magazine_backend *backend;
	unsigned long live_bytes;	/* bytes of all objects, as the backend counts them; a hint */
	unsigned long nr_refill, nr_flush;	/* statistics: batches from and to the backend */
	unsigned long nr_seen;		/* the sum of all statistics at the reclaimer's last look */

	unsigned int max_full;		/* above it the depot's are flushed; follows live_bytes; depot lock */

	/* The next line: the depot. */
	struct magazine *full;		/* count > 0; the last one put first */
	struct magazine *empty;		/* count == 0 */
	struct kmem_lock lock;		/* "depot lock": this line, and what says so */
	unsigned int nr_full, nr_empty;
	unsigned int misses;		/* since the level last grew */
	unsigned long nr_depot_get, nr_depot_put;	/* statistics: magazines from and to it */
};

/*
 * @round_bytes bounds how much a CPU may hold; @slot from percpu_slot_alloc(). A
 * backend that does not keep live_bytes up to date gets what a large heap would.
 */
void magazine_cache_init(struct magazine_cache *mc, unsigned int slot,
			 size_t round_bytes, const struct magazine_backend *backend);

/* Magazines of at least @rounds from the start, as far as there are such. */
void magazine_cache_want(struct magazine_cache *mc, unsigned int rounds);

/* The whole ladders. NULL: no memory. */
void *magazine_alloc(struct magazine_cache *mc, gfp_t gfp);
void magazine_free(struct magazine_cache *mc, void *object);
/* Below the hit: what the fast paths call when they miss. */
void *magazine_alloc_slow(struct magazine_cache *mc, gfp_t gfp);
void magazine_free_slow(struct magazine_cache *mc, void *object);

/*
 * From any context, signal handlers that interrupted any of this included; nothing
 * is waited for. NULL, false: neither the loaded magazine nor, for an allocation, the
 * depot could serve just now.
 */
void *magazine_alloc_nolock(struct magazine_cache *mc);
bool magazine_free_nolock(struct magazine_cache *mc, void *object);

/*
 * @n > 0 objects at once. The first gives how many it got, fewer than @n only when
 * there is no memory; the second passes over NULLs.
 */
size_t magazine_alloc_bulk(struct magazine_cache *mc, gfp_t gfp, void **objects, size_t n);
void magazine_free_bulk(struct magazine_cache *mc, void *const *objects, size_t n);

/*
 * Sends every object in the depot, and with @cpus in all CPUs' magazines too,
 * to the backend. Context: no lock held; may make system calls.
 * Returns false if magazines on other CPUs could not be reached.
 */
bool magazine_cache_drain(struct magazine_cache *mc, bool cpus);
/*
 * Hits miss from its return on until it is opened again; the caller sees to it that
 * the slow paths do not come here meanwhile. Context: as magazine_cache_drain().
 */
void magazine_cache_close(struct magazine_cache *mc, bool closed);
/* As magazine_cache_drain() for a cache that nobody uses any more; its magazines are freed. */
void magazine_cache_destroy(struct magazine_cache *mc);

/* An empty one; NULL: no memory. Its deletion. */
struct magazine *magazine_new(unsigned int level);
void magazine_delete(struct magazine *m);

/* Objects in the depot and in loaded magazines; an estimate without locks. */
unsigned long magazine_cache_count(struct magazine_cache *mc);

/*
 * The magazine that a round belongs to: from the top round of one that was
 * loaded, as percpu_drain() gives it. Sets its count.
 */
struct magazine *magazine_of(void **top);

/* percpu_drain() for a slot whose magazines are its user's own, under the drain mutex. */
bool magazine_take_loaded(unsigned int slot, void (*fn)(void **top, void *arg), void *arg);

/* Fork: the mutex of the drainers. */
void magazine_fork_lock(void);
void magazine_fork_unlock(void);

/* Whether the cache was used since the last call. For the reclaimer. */
bool magazine_cache_touched(struct magazine_cache *mc);

#endif /* MM_MAGAZINE_H */
