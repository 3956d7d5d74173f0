/* SPDX-License-Identifier: MIT */
/*
 * slab.h - struct kmem_cache, and what the files of the slab layer share.
 *
 * A cache's objects live in slabs: blocks of pages cut into equal strides.
 * Which objects of a slab are free is a bitmap in the struct pages of the slab
 * (mmzone.h), never in the objects. Object i's bit is bit i % 256 of the
 * (i / 256)th page's bitmap.
 *
 * States of a slab, by its count of objects in use (those that lie in
 * magazines count as in use; node lock):
 *
 *	inuse			list it is on
 *	0			empty (at most node_max_empty of them; more go back, of a
 *				SLAB_TYPESAFE_BY_RCU cache as PT_RCU, after a grace period)
 *	1 .. objects - 1	partial[bin], by how full it is
 *	objects			none (slab_list points to itself)
 *
 * There is a set of these lists for each NUMA node.
 */
#ifndef MM_SLAB_H
#define MM_SLAB_H

#include <kmem/slab.h>

#include "magazine.h"
#include "mmzone.h"

/* partial[0] holds the emptiest slabs; refills take from the fullest bin. */
#define SLAB_BINS	4

struct slab_lists {
	struct list_head partial[SLAB_BINS];
	struct list_head empty;
};

/* One for each cache; what is told apart by NUMA node are the lists of slabs. */
struct kmem_cache_node {
	struct kmem_lock lock;		/* "node lock": all below, and every slab's bitmap */
	struct slab_lists lists;	/* slabs on the first NUMA node */
	struct slab_lists *far;		/* [nr_nodes - 1]: on the others; NULL where there is one */
	unsigned long nr_slabs;
	unsigned long nr_partial;
	unsigned long nr_empty;
	unsigned long nr_inuse;		/* objects in use in all slabs (magazines included) */
	/* Statistics. */
	unsigned long alloc_slab, free_slab;	/* slabs made and given back, ever */
	unsigned long alloc_slowpath, free_slowpath; /* objects through refill and flush */
};

struct kmem_cache {
	struct magazine_cache mag;	/* first: kmem_cache_alloc() needs mag.slot */

	/* Constant after creation, but for SLAB_CONSISTENCY_CHECKS and debug (slab_mutex). */
	slab_flags_t flags;
	unsigned int size;		/* stride: object, alignment, debug data */
	unsigned int object_size;	/* as asked for by the first creator */
	unsigned int align;
	unsigned int objects;		/* per slab */
	u64 reciprocal;			/* offset * reciprocal >> 40 = offset / size */
	unsigned int bin_reciprocal;	/* inuse * bin_reciprocal >> 16 = its bin */
	unsigned int colour;		/* of the first slabs, the object to hand out first */
	u8 order;			/* of a slab */
	u8 migratetype;
	u8 slotmap_byte;		/* kmalloc caches: mag.slot, what the slot map says; else 0 */
	gfp_t allocflags;		/* added to each request for pages */
	void (*ctor)(void *);		/* a stand-in where only the next two are there */
	int (*construct)(void *object, void *data, gfp_t gfp);
	void (*destruct)(void *object, void *data);
	void (*reclaim)(void *data);
	void *callback_data;
	struct shrinker *owner;		/* that calls reclaim; NULL: there is none */
	unsigned int useroffset, usersize;
	const char *name;
	bool debug;			/* no magazines: every call checks (slab_debug=, init_on_*) */

	struct kmem_cache_node node;

	/* slab_mutex. */
	int refcount;			/* creators that share it; -1: never merged */
	struct list_head list;		/* slab_caches */
	struct list_head aliases;	/* struct kmem_cache_alias, one a further creator */
};

struct kmem_cache_alias {
	struct list_head list;
	const char *name;
};

extern struct list_head slab_caches;
extern struct kmem_lock slab_mutex;

/* ---- slub.c: slabs and their bitmaps -------------------------------------------- */

extern const struct magazine_backend slab_backend;

/* False: no memory. */
bool kmem_cache_node_init(struct kmem_cache_node *n);
void kmem_cache_node_release(struct kmem_cache_node *n);

static inline char *slab_address(const struct page *slab)
{
	return zone_page_address(page_zone(slab), slab);
}

static inline unsigned int slab_index(const struct kmem_cache *s, unsigned long offset)
{
	return (unsigned int)((offset * s->reciprocal) >> 40);
}

/*
 * One object past the magazines: from and to the slabs directly. The free
 * checks the pointer and reports; it is the whole of free in debugged caches.
 */
void *slab_alloc_one(struct kmem_cache *s, gfp_t gfp);
/* One from a slab on @node, a new one if need be; of another node only without __GFP_THISNODE. */
void *slab_alloc_node(struct kmem_cache *s, gfp_t gfp, int node);
/* One from the slabs that there are, for any context: NULL if the node is locked. */
void *slab_alloc_nolock(struct kmem_cache *s);
void slab_free_one(struct kmem_cache *s, void *object, void *caller);

/*
 * Of a SLAB_TYPESAFE_BY_RCU cache: gives empty slabs to slab_rcu.c, which frees them
 * after a grace period. Context: the program's, as of rcu_start_worker().
 */
void slab_rcu_release(struct kmem_cache *s);
/* Frees a slab that is on no list, now. */
void slab_discard(struct page *slab);

/* Gives back all empty slabs but @keep. Returns the slabs left. */
unsigned long slab_discard_empty(struct kmem_cache *s, unsigned long keep);

/* Of a slab's bitmap: the word, and the bit, of an object; set: free. Node lock. */
static inline unsigned long *slab_word(struct page *slab, unsigned int index)
{
	return &slab[index / 256].bitmap[index % 256 / 64];
}

static inline bool slab_bit(struct page *slab, unsigned int index)
{
	return *slab_word(slab, index) >> (index % 64) & 1;
}

/* The lists of the i-th NUMA node; that on which a slab with @inuse objects belongs. */
struct slab_lists *slab_nth_lists(struct kmem_cache_node *n, int i);
struct list_head *slab_list_of(struct kmem_cache *s, const struct page *slab, unsigned int inuse);

/* ---- slab_validate.c ------------------------------------------------------------------ */

/* Calls fn for every object that is in use; returns how many. Node lock held inside. */
unsigned long slab_for_each_inuse(struct kmem_cache *s,
				  void (*fn)(struct kmem_cache *s, void *object));

/* ---- slab_debug.c ------------------------------------------------------------------------ */

/*
 * Reports a bad pointer given to free, in the kernel's form, and aborts. No lock
 * held. @caller: the address that free() was called from, NULL if not known.
 */
void slab_report_bad_free(struct kmem_cache *s, struct page *slab, const void *object,
			  const char *reason, void *caller) __noreturn __cold;

/* ---- slab_object.c: a cache's callbacks --------------------------------------------- */

/* Copies them from the arguments; s->ctor is set if any constructs or destructs. */
void slab_set_callbacks(struct kmem_cache *s, const struct kmem_cache_args *args);
/* Makes a new slab's objects (s->ctor is set). False: one failed, none is made. */
bool slab_construct(struct kmem_cache *s, struct page *slab, gfp_t gfp);
/* Unmakes them, all free (s->destruct is set). */
void slab_destruct(struct kmem_cache *s, struct page *slab);
/* For a cache with args.reclaim; false: no memory. Del waits until it is not asked. */
bool slab_add_owner(struct kmem_cache *s);
void slab_del_owner(struct kmem_cache *s);

/* ---- slab_common.c: caches -------------------------------------------------------- */

/* Sets size, objects, order and reciprocals from object_size and align. */
bool calculate_sizes(struct kmem_cache *s);
/* Creates a kmalloc-N cache, at start-up. NULL: no memory. */
struct kmem_cache *create_kmalloc_cache(unsigned int size, unsigned int slot);
/* kmem_cache_destroy(); true if nothing uses @s's callbacks any more. */
bool kmem_cache_destroy_check(struct kmem_cache *s);
/* The cache of the slab that @object lies in, or NULL. */
struct kmem_cache *virt_to_cache(const void *object);

/*
 * Drains the cache at this address and gives back its empty slabs, if it is one of
 * slab_caches; it is not looked at otherwise. 0 or -ENOENT.
 */
int slab_shrink_listed(const struct kmem_cache *s);
/* SLAB_CONSISTENCY_CHECKS for all caches that there are, or no more. Takes slab_mutex. */
void slab_set_checks(bool on);

/* Reclaimer: drains caches that have been idle since its last look. */
void slab_reclaim_idle(bool force);

void slab_fork_lock(void);
void slab_fork_unlock(void);

/* ---- slab_query.c ------------------------------------------------------------------- */

/* Prints the caches that hold most memory, for the report of a failed request. */
void slab_show_largest(void);

/* ---- kmalloc.c ------------------------------------------------------------------------ */

#define KMALLOC_CLASSES		40	/* 16 .. 128 by 16, 160 .. 1024 by four, 1088 .. 16384 by five */

extern struct kmem_cache *kmalloc_caches[KMALLOC_CLASSES] __kmem_internal;
/*
 * By size, up to KMALLOC_TABLE_MAX bytes: the slot of the class. A byte a size,
 * not one for each step of 16, saves the hit path two instructions.
 */
#define KMALLOC_TABLE_MAX	1024
extern const u8 kmalloc_slot_table[KMALLOC_TABLE_MAX + 1] __kmem_internal;
/* Above that, up to KMALLOC_MAX_CACHE_SIZE, of malloc()'s class: a byte for 16 sizes. */
#define KMALLOC_UPPER(size)	(((size) - KMALLOC_TABLE_MAX - 1) / 16)
#define KMALLOC_UPPER_SLOTS	((KMALLOC_MAX_CACHE_SIZE - KMALLOC_TABLE_MAX) / 16)
extern const u8 kmalloc_upper_slots[KMALLOC_UPPER_SLOTS] __kmem_internal;

/* By either table, of a size up to KMALLOC_MAX_CACHE_SIZE. */
static inline unsigned int malloc_slot(size_t size)
{
	return size <= KMALLOC_TABLE_MAX ? kmalloc_slot_table[size] :
		kmalloc_upper_slots[KMALLOC_UPPER(size)];
}

bool kmalloc_init(void);

/*
 * The class of a size from 1 to KMALLOC_MAX_CACHE_SIZE, aligned as kmalloc() promises; that of
 * malloc(), which owes an alignment of 16; and the bytes of a class.
 */
unsigned int kmalloc_index(size_t size);
unsigned int malloc_index(size_t size);
size_t kmalloc_class_size(unsigned int index);

/*
 * Whatever the size, no fast path: a class's cache, or a large run. @align is a
 * power of two. NULL: no memory.
 */
void *kmalloc_slow(size_t size, gfp_t gfp);
/* For malloc: @size bytes, aligned to 16, be they of a larger class that has many free. */
void *kmalloc_any(size_t size, gfp_t gfp);
void *kmalloc_aligned(size_t size, size_t align, gfp_t gfp);
/* The same for malloc's kin, whose objects owe @align and 16, whatever their size. */
void *malloc_aligned(size_t size, size_t align, gfp_t gfp);
/* Frees anything that the library ever handed out, or reports it and who freed it. */
void kfree_slow(void *object, void *caller);
/*
 * Resizes where it stands or moves; NULL: no memory, @p as it was. @any: for malloc, which owes
 * an alignment of 16.
 */
void *krealloc_slow(void *p, size_t size, gfp_t gfp, bool any);

#endif /* MM_SLAB_H */
