/* SPDX-License-Identifier: MIT */
/*
 * depot.h - where a cache's magazines lie that no CPU has loaded: for magazine.c alone.
 *
 * Layer: cpu. All take the depot lock, but what only makes or deletes magazines; none is
 * held on entry.
 */
#ifndef MM_DEPOT_H
#define MM_DEPOT_H

#include "magazine.h"

/* Its own memory, end word and all. */
static inline size_t magazine_bytes(const struct magazine *m)
{
	return sizeof(*m) + (m->capacity + 2) * sizeof(void *);
}

/* Levels, limits and the lock, of a cache that is zeros but for what magazine_cache_init() sets. */
void depot_init(struct magazine_cache *mc, size_t round_bytes);
/* Magazines of at least @rounds from here on, as far as the cache may have such. */
void depot_raise_level(struct magazine_cache *mc, size_t rounds);

/*
 * @m, which is empty and may be NULL, or a new one in its place if it is of a lower level:
 * such are done with. NULL: no memory.
 */
struct magazine *magazine_of_level(struct magazine *m, unsigned int level);
/* The rounds of @m in @larger, which may be NULL, or in a new one of @level; else @m. */
struct magazine *magazine_enlarge(struct magazine *m, struct magazine *larger,
				  unsigned int level);

/* @m is empty; deleted where the depot has enough. */
void depot_put_empty(struct magazine_cache *mc, struct magazine *m);
/* @m has rounds. False: the depot has enough; it is still the caller's. */
bool depot_put_full(struct magazine_cache *mc, struct magazine *m);
/* The same, and an empty one for it, which may be NULL: no memory. */
bool depot_trade_full(struct magazine_cache *mc, struct magazine *m, struct magazine **empty);

/* Asks for the lines that this will want: while the caller waits for others. */
void depot_expect_trade(const struct magazine_cache *mc);

/* An empty magazine of the present level; NULL: no memory. */
struct magazine *depot_get_empty(struct magazine_cache *mc);
/*
 * One that has rounds, of @home, for the empty @m, which may be NULL; NULL: there is none, and
 * @m is still the caller's. @again: the miss has been counted.
 */
struct magazine *depot_get_full(struct magazine_cache *mc, struct magazine *m,
				unsigned int home, bool again);
/* All, full and empty, chained through next. */
struct magazine *depot_take_all(struct magazine_cache *mc);

#endif /* MM_DEPOT_H */
