// SPDX-License-Identifier: MIT
/*
 * depot.c - where a cache's magazines lie that no CPU has loaded, and how large
 * and how many they are.
 *
 * Capacity. Magazines start small and grow by a level after some misses at the
 * present one. What a full one may hold, and what all those in the depot may,
 * follows the bytes that the cache has in use, within bounds. A small heap keeps
 * little in stock, a size that a program hardly uses next to nothing.
 *
 * Locks: the depot lock, alone. Magazines are made and deleted outside it.
 */
#include "depot.h"

#include <string.h>

#include "base/bug.h"
#include "home.h"
#include "memblock.h"
#include "percpu.h"

/*
 * What a loaded magazine may hold: a sixteenth of the live bytes up to SMALL, a CPU's
 * part of an eighth of them beyond, up to MAX. There may be many more CPUs than the program
 * has threads for, so their number counts only where a magazine is large. In the smallest
 * heap, and beyond MAX, what always_allowed() says: with fewer rounds, a program that takes
 * and gives back a dozen objects in turn would come to the depot with every other one.
 */
#define MAGAZINE_SMALL_BYTES	(32UL << 10)
#define MAGAZINE_MAX_BYTES	(64UL << 10)
/*
 * First magazines: of eleven rounds if these hold START_BYTES at most, else of three; and of a
 * higher level, up to START_MAX_LEVEL, while they hold no more than START_SMALL_BYTES. Of small
 * objects a program soon has more than eleven, however short it runs.
 */
#define START_BYTES		(12UL << 10)
#define START_SMALL_BYTES	(4UL << 10)
#define START_MAX_LEVEL		3
/* What a depot may hold, magazines and all: a third within these bounds, in 1 to 16. */
#define DEPOT_SHARE		3
#define DEPOT_MIN_BYTES		(32UL << 10)
#define DEPOT_MAX_BYTES		(512UL << 10)
#define DEPOT_MAX_FULL		16UL
/* Empty magazines kept for the next ones. */
#define DEPOT_MAX_EMPTY		4
/* How far down the depot's list one of the CPU's own is looked for. */
#define DEPOT_LOOK		4
/* Magazines that it has no room for, one after the other, until it is emptied by anybody. */
#define DEPOT_REFUSALS		8
/* A level is left after this many misses, times its capacity over 3. */
#define LEVEL_MISSES		4

/* An unused round: not NULL, and no object. */
#define ROUND_UNUSED		((void *)1)

/* In the end word: a magazine's address is that of a cache line. */
BUILD_BUG_ON(MAGAZINE_LEVELS > MAGAZINE_LEVEL_MASK + 1);

/* What is larger is mapped and unmapped each time. */
BUILD_BUG_ON(MAGAZINE_BYTES(MAGAZINE_LEVELS - 1) > MEMBLOCK_CLASS_MAX);
/* Whoever takes the depot's lock leaves the line alone that kmem_cache_alloc() reads. */
BUILD_BUG_ON(offsetof(struct magazine_cache, full) != 64);

/* ---- magazines ------------------------------------------------------------------ */

struct magazine *magazine_new(unsigned int level)
{
	struct magazine *m = memblock_alloc(MAGAZINE_BYTES(level));

	if (!m)
		return NULL;
	m->capacity = (u16)MAGAZINE_CAPACITY(level);
	for (u32 i = 0; i < m->capacity; i++)
		m->round[i] = ROUND_UNUSED;
	m->round[m->capacity] = NULL;
	m->round[m->capacity + 1] = (void *)(unsigned long)level;
	return m;
}

void magazine_delete(struct magazine *m)
{
	memblock_free(m, magazine_bytes(m));
}

struct magazine *magazine_of_level(struct magazine *m, unsigned int level)
{
	if (m && m->capacity < MAGAZINE_CAPACITY(level)) {
		magazine_delete(m);
		m = NULL;
	}
	return m ? m : magazine_new(level);
}

struct magazine *magazine_enlarge(struct magazine *m, struct magazine *larger,
				  unsigned int level)
{
	larger = magazine_of_level(larger, level);
	if (!larger)
		return m;
	memcpy(larger->round, m->round, m->count * sizeof(void *));
	larger->count = m->count;
	magazine_delete(m);
	return larger;
}

/* ---- levels --------------------------------------------------------------------- */

static unsigned int depot_limit(const struct magazine_cache *mc)
{
	size_t bytes = (size_t)MAGAZINE_CAPACITY(mc->level) * mc->round_bytes +
		       MAGAZINE_BYTES(mc->level);
	size_t budget = clamp(READ_ONCE(mc->live_bytes) / DEPOT_SHARE, DEPOT_MIN_BYTES,
			      DEPOT_MAX_BYTES);

	return (unsigned int)clamp(budget / bytes, 1UL, DEPOT_MAX_FULL);
}

/* Three rounds of anything, 11 of 8 KiB, 27 of 1 KiB, 67 of 256 bytes, 131 of 128, ... */
static size_t always_allowed(unsigned int level)
{
	static const size_t bytes[] = { SIZE_MAX, 88UL << 10, 27UL << 10 };

	return level < ARRAY_SIZE(bytes) ? bytes[level] : 17UL << 10;
}

/* Whether a magazine of this level that holds objects of so many bytes is within @budget. */
static bool level_fits(unsigned int level, size_t round_bytes, size_t budget)
{
	return MAGAZINE_CAPACITY(level) * round_bytes <= max(budget, always_allowed(level));
}

static bool may_grow(const struct magazine_cache *mc)
{
	size_t live = READ_ONCE(mc->live_bytes);
	size_t share = max(min(live / 16, MAGAZINE_SMALL_BYTES), live / 8 / percpu.nr_cpus);

	return mc->level < mc->max_level &&
	       level_fits(mc->level + 1U, mc->round_bytes, min(share, MAGAZINE_MAX_BYTES));
}

/* A miss happened: grow the level when there have been enough. Depot lock. */
static void depot_count_miss(struct magazine_cache *mc)
{
	if (++mc->misses <= LEVEL_MISSES * MAGAZINE_CAPACITY(mc->level) / 3)
		return;
	mc->misses = 0;
	if (may_grow(mc))
		WRITE_ONCE(mc->level, mc->level + 1);
	mc->max_full = depot_limit(mc);
}

/* Three rounds; eleven, where they do not hold much; up to 67 of what is small. */
static u8 start_level(size_t round_bytes)
{
	u8 level = MAGAZINE_CAPACITY(1) * round_bytes <= START_BYTES;

	while (level && level < START_MAX_LEVEL &&
	       MAGAZINE_CAPACITY(level + 1U) * round_bytes <= START_SMALL_BYTES)
		level++;
	return level;
}

void depot_init(struct magazine_cache *mc, size_t round_bytes)
{
	lock_init(&mc->lock, RANK_DEPOT);
	while (mc->max_level + 1 < MAGAZINE_LEVELS &&
	       level_fits(mc->max_level + 1U, round_bytes, MAGAZINE_MAX_BYTES))
		mc->max_level++;
	mc->level = start_level(round_bytes);
	mc->max_full = depot_limit(mc);
}

void depot_raise_level(struct magazine_cache *mc, size_t rounds)
{
	lock(&mc->lock);
	while (mc->level < mc->max_level && MAGAZINE_CAPACITY(mc->level) < rounds)
		WRITE_ONCE(mc->level, mc->level + 1);
	mc->max_full = depot_limit(mc);
	unlock(&mc->lock);
}

void magazine_cache_want(struct magazine_cache *mc, unsigned int rounds)
{
	while (mc->level + 1 < MAGAZINE_LEVELS && MAGAZINE_CAPACITY(mc->level) < rounds)
		mc->level++;
	mc->max_level = max(mc->max_level, mc->level);
	mc->max_full = depot_limit(mc);
}

/* ---- magazines come and go -------------------------------------------------------- */

static struct magazine *list_pop(struct magazine **list, unsigned int *nr)
{
	struct magazine *m = *list;

	if (m) {
		*list = m->next;
		*nr -= 1;
	}
	return m;
}

static void list_push(struct magazine **list, unsigned int *nr, struct magazine *m)
{
	m->next = *list;
	*list = m;
	*nr += 1;
}

/*
 * The last one put that is of @home, among the last few. Just the last one for HOME_ANY, and where
 * there are too many, or had no room several times: an idle CPU's would fill the depot for ever.
 */
static struct magazine *pop_full(struct magazine_cache *mc, unsigned int home)
{
	struct magazine **link = &mc->full, *m;

	if (mc->refused >= DEPOT_REFUSALS || mc->nr_full > mc->max_full)
		home = HOME_ANY;
	for (int i = 0; (m = *link) && i < DEPOT_LOOK; link = &m->next, i++) {
		if (home == HOME_ANY || m->home == home || m->home == HOME_ANY) {
			mc->refused = 0;
			return list_pop(link, &mc->nr_full);
		}
	}
	return NULL;
}

/* Depot lock. False: the depot has enough; the magazine is still the caller's. */
static bool __depot_put_empty(struct magazine_cache *mc, struct magazine *m)
{
	if (mc->dead || mc->nr_empty >= DEPOT_MAX_EMPTY ||
	    m->capacity < MAGAZINE_CAPACITY(mc->level))
		return false;
	list_push(&mc->empty, &mc->nr_empty, m);
	return true;
}

void depot_put_empty(struct magazine_cache *mc, struct magazine *m)
{
	bool kept;

	lock(&mc->lock);
	kept = __depot_put_empty(mc, m);
	unlock(&mc->lock);
	if (!kept)
		magazine_delete(m);
}

/* The same for a magazine with rounds. */
static bool __depot_put_full(struct magazine_cache *mc, struct magazine *m)
{
	if (mc->dead || mc->nr_full >= mc->max_full) {
		mc->refused++;
		return false;
	}
	list_push(&mc->full, &mc->nr_full, m);
	stat_inc_locked(mc->nr_depot_put);
	return true;
}

bool depot_put_full(struct magazine_cache *mc, struct magazine *m)
{
	bool kept;

	lock(&mc->lock);
	kept = __depot_put_full(mc, m);
	unlock(&mc->lock);
	return kept;
}

struct magazine *depot_get_empty(struct magazine_cache *mc)
{
	struct magazine *m;
	unsigned int level;

	lock(&mc->lock);
	level = mc->level;
	m = list_pop(&mc->empty, &mc->nr_empty);
	unlock(&mc->lock);
	return magazine_of_level(m, level);
}

/*
 * Magazines of lower levels end here: a small one and a large one that take turns on a CPU would
 * miss as often as two small ones.
 */
struct magazine *depot_get_full(struct magazine_cache *mc, struct magazine *m,
				unsigned int home, bool again)
{
	struct magazine *full, *larger = NULL;
	bool small = false, kept = false;
	unsigned int level;

	lock(&mc->lock);
	if (!again)
		depot_count_miss(mc);
	level = mc->level;
	full = pop_full(mc, home);
	if (full) {
		stat_inc_locked(mc->nr_depot_get);
		kept = m && __depot_put_empty(mc, m);
		small = full->capacity < MAGAZINE_CAPACITY(level);
		if (small)
			larger = list_pop(&mc->empty, &mc->nr_empty);
	}
	unlock(&mc->lock);
	if (full && m && !kept)
		magazine_delete(m);
	return small ? magazine_enlarge(full, larger, level) : full;
}

bool depot_trade_full(struct magazine_cache *mc, struct magazine *m, struct magazine **empty)
{
	unsigned int level;
	bool kept;

	lock(&mc->lock);
	depot_count_miss(mc);
	level = mc->level;
	kept = __depot_put_full(mc, m);
	if (kept)
		*empty = list_pop(&mc->empty, &mc->nr_empty);
	unlock(&mc->lock);
	if (kept)
		*empty = magazine_of_level(*empty, level);
	return kept;
}

/* Without the lock: what it asks for may be anything by then. */
__racy void depot_expect_trade(const struct magazine_cache *mc)
{
	__builtin_prefetch(&mc->full, 1);
	__builtin_prefetch(READ_ONCE(mc->empty), 1);
}

struct magazine *depot_take_all(struct magazine_cache *mc)
{
	struct magazine *all, *empty, **end = &all;

	lock(&mc->lock);
	all = mc->full;
	empty = mc->empty;
	mc->full = mc->empty = NULL;
	mc->nr_full = mc->nr_empty = 0;
	unlock(&mc->lock);
	while (*end)
		end = &(*end)->next;
	*end = empty;
	return all;
}
