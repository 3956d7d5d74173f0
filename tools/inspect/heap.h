/* SPDX-License-Identifier: MIT */
/*
 * heap.h - the heap of one library in one target, read into plain structures.
 *
 * What is read is a running program's, and it may change between two reads, or
 * be anything at all. Each list is followed for a bounded number of steps and
 * with its back links checked, read again a few times when it does not hold
 * together, and then taken as far as it went, which heap.torn says.
 */
#ifndef TOOLS_INSPECT_HEAP_H
#define TOOLS_INSPECT_HEAP_H

#include "layout.h"

#define HEAP_MAX_ORDERS		32
#define HEAP_MAX_ZONES		256
#define HEAP_MAX_NODES		64
#define CACHE_NAME_MAX		128

enum heap_mode { HEAP_UNUSED, HEAP_RSEQ, HEAP_FALLBACK };

struct heap_zone {
	uint64_t addr;			/* of the struct */
	uint64_t base;
	uint64_t nr_pages;		/* reserved */
	uint64_t memmap, slotmap, dirty, pageblock_type, free_max;
	uint64_t nr_present, nr_committed;
	uint64_t nr_free, nr_dirty_free;	/* pages */
	uint64_t nr_free_blocks[HEAP_MAX_ORDERS];
	uint64_t nr_purged, nr_steals;
	unsigned int index;
	int node;
	bool low;			/* below 4 GiB */
	unsigned int ordinal;		/* among the zones of its node and kind */
};

struct heap_cache {
	uint64_t addr;
	char name[CACHE_NAME_MAX];
	char **aliases;
	size_t nr_aliases;
	uint64_t flags;
	uint32_t size, object_size, align;
	uint32_t objects;		/* per slab */
	uint32_t order;
	uint32_t slot;
	uint32_t capacity, max_full;	/* of its magazines, of its depot */
	uint32_t nr_full;		/* full magazines in the depot */
	uint64_t full;			/* the first of them */
	uint32_t nr_empty_magazines;
	uint64_t empty_magazines;	/* the first of the empty ones there */
	uint8_t slotmap_byte;		/* what the slot map says of its slabs */
	uint32_t bin_reciprocal;	/* inuse * this >> 16: which partial list */
	bool has_ctor;
	/* As the cache counts them. */
	uint64_t nr_slabs, nr_partial, nr_empty;
	uint64_t nr_inuse;		/* objects not free in a slab, those in magazines included */
	uint64_t alloc_slab, free_slab, alloc_slowpath, free_slowpath;
	uint64_t nr_refill, nr_flush, nr_depot_get, nr_depot_put;
	/* As counted here. */
	uint64_t in_cpus, in_depot;	/* objects in loaded magazines, in the depot */
	uint64_t rss;			/* bytes of its slabs that are resident (rss.c) */
};

struct heap_params {
	bool known;
	uint64_t decay_ms;
	bool rseq, reclaim, purge_lazy, slab_nomerge, slab_debug_checks;
	bool init_on_alloc, init_on_free;
};

/* Something that is not as it should be: a kind from a fixed list, where, and a sentence. */
struct finding {
	const char *kind;
	uint64_t addr;
	char *text;
};

#define MAX_FINDINGS	1000U

struct findings {
	struct finding *list;		/* the first MAX_FINDINGS */
	size_t nr;
	unsigned long total;
};

void finding_add(struct findings *f, const char *kind, uint64_t addr, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
/* Forgets all but the first @nr. */
void findings_cut(struct findings *f, size_t nr);
void findings_free(struct findings *f);

struct heap_fields;

struct heap {
	struct source *src;
	const struct image *image;
	struct heap_fields *fields;
	enum heap_mode mode;
	bool ready;			/* start-up was over: what start-up makes is all there */
	bool use_cid;
	uint32_t nr_cpus;		/* per-CPU areas */
	uint64_t percpu_base, percpu_end, zeros_end;	/* all areas; those of zeros behind them */
	uint32_t page_shift, percpu_shift;
	uint32_t nr_orders;
	struct heap_params params;
	struct heap_zone *zones;
	size_t nr_zones;
	uint32_t nr_nodes;		/* NUMA nodes; the first so many zones are of one each */
	struct heap_cache *caches;	/* in the order of the library's list */
	size_t nr_caches;
	struct heap_cache **by_addr;	/* the same by the address of the struct */
	/* Objects that lie in magazines of the caches: sorted, no doubles. */
	uint64_t *rounds;
	size_t nr_rounds;
	/* The library's own mappings besides the zones' (memblock). */
	struct range *chunks;
	size_t nr_chunks;
	unsigned int torn;		/* lists and slabs that did not hold together */
	struct findings damage;		/* what that was, as far as it was seen while reading */
	char **notes;			/* what the library's description lacks */
	size_t nr_notes;
};

/*
 * Reads it. NULL: *@error is one line for the user, to be freed. A library that
 * is loaded and has not been used yet is a heap with mode HEAP_UNUSED.
 */
struct heap *heap_read(struct source *src, const struct image *image, char **error);
void heap_free(struct heap *h);
/* A newer picture of the same heap; false, and the old one, if the target has gone meanwhile. */
bool heap_read_again(struct heap **h);

/* Objects that the program holds. */
uint64_t cache_active(const struct heap_cache *c);
static inline uint64_t cache_total(const struct heap_cache *c)
{
	return c->nr_slabs * c->objects;
}

/* The cache whose struct is at @addr, NULL if there is none; one of this name or alias. */
struct heap_cache *heap_cache_at(const struct heap *h, uint64_t addr);
struct heap_cache *heap_cache_named(const struct heap *h, const char *name);

/* An object that lies in a magazine of its cache. */
struct magazine_round {
	struct heap_cache *cache;
	int cpu;			/* whose magazine; -1: the depot's */
	bool spare;			/* not the one loaded there */
	uint64_t object;
	uint64_t at;			/* where the magazine says so */
};

typedef void (*round_fn)(struct heap *h, void *arg, const struct magazine_round *r);

/* Reads all magazines of @caches, and calls @fn for each round; an object may be there twice. */
void magazines_walk(struct heap *h, struct heap_cache *caches, size_t nr, round_fn fn, void *arg);

/*
 * A magazine: loaded on a CPU, the spare of such a one, or a full one in the depot. The two
 * that are not loaded say themselves how many rounds they have.
 */
struct magazine_at {
	int cpu;			/* -1: in the depot */
	uint64_t addr;			/* of the magazine; 0: not known */
	uint64_t top;			/* where a loaded one's top round stands; 0: not loaded */
	uint64_t *round;		/* what it has, that one first; NULL: unreadable, or no end */
	size_t nr;
};

typedef void (*magazine_fn)(struct heap *h, void *arg, struct heap_cache *c,
			    const struct magazine_at *m);
void magazines_each(struct heap *h, struct heap_cache *caches, size_t nr, magazine_fn fn,
		    void *arg);

/* Whole pages. */
static inline uint64_t heap_page_up(const struct heap *h, uint64_t bytes)
{
	uint64_t page = 1UL << h->page_shift;

	return (bytes + page - 1) & ~(page - 1);
}

/* The zone that @addr lies in, NULL if in none. */
const struct heap_zone *heap_zone_of(const struct heap *h, uint64_t addr);

/*
 * The address space that is this heap: reservations, per-CPU areas, the
 * library's own mappings and data. Sorted, disjoint; freed by the caller.
 */
struct range *heap_ranges(const struct heap *h, size_t *nr);

const char *heap_mode_name(const struct heap *h);
const char *zone_name(const struct heap_zone *z, char *buf, size_t size);

#endif /* TOOLS_INSPECT_HEAP_H */
