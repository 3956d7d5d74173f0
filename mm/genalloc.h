/* SPDX-License-Identifier: MIT */
/*
 * genalloc.h - struct gen_pool, and what the region manager asks of it beyond the
 * kernel's interface: pools that know where each block begins, so that a block is
 * freed by its address alone.
 */
#ifndef MM_GENALLOC_H
#define MM_GENALLOC_H

#include <kmem/genalloc.h>

#include "base/hbitmap.h"
#include "extent.h"
#include "pool_lock.h"

struct gen_pool_chunk {
	struct list_head list;		/* pool->chunks; the pool's lock */
	/* Constant. */
	unsigned long start, end;	/* multiples of the granule */
	phys_addr_t phys;
	/* Tracked pools: bit n: a block in use begins at granule n. The pool's lock. */
	struct hbitmap starts;
	void *starts_memory;
};

struct gen_pool {
	struct pool_lock lock;		/* all below but what is constant */
	unsigned long magic;		/* made of this address; 0: destroyed */
	int order;			/* of the granule; constant */
	bool tracked;			/* constant */
	struct list_head chunks;	/* in the order of gen_pool_add() */
	struct extent_space space;	/* what is free in all of them; never merged across chunks */
	unsigned long nr_used;		/* blocks in use, in a tracked pool */
	unsigned long size;		/* bytes in all chunks; space.free of them are free */
	genpool_algo_t algo;
	void *data;
};

/* A tracked pool without space; NULL: no memory. */
struct gen_pool *gen_pool_create_tracked(int order);

/*
 * The only chunk of a tracked pool: -EEXIST if it has one; as gen_pool_add(). And
 * its end: -ENXIO if there is none, -EBUSY while a block is in use; 0 with
 * *@start, what gen_pool_add_only() was given.
 */
int gen_pool_add_only(struct gen_pool *pool, unsigned long start, size_t size);
int gen_pool_remove_only(struct gen_pool *pool, unsigned long *start);

/*
 * Frees the block of a tracked pool that begins at @addr. Returns 0, -ENXIO where
 * the pool has no space at all, -EINVAL where no block in use begins there.
 */
int gen_pool_free_block(struct gen_pool *pool, unsigned long addr);

/* A stretch of a tracked pool: a block in use, or a free extent. */
struct gen_pool_block {
	unsigned long start, len;
	bool used;
};

/* The first stretch that ends above @addr. False: there is none. O(log n). */
bool gen_pool_next_block(struct gen_pool *pool, unsigned long addr, struct gen_pool_block *b);

/* The whole of a tracked pool at one moment. False: it has no space. */
struct gen_pool_sum {
	unsigned long start, size, free;	/* bytes */
	unsigned long used_blocks, free_extents;
};

bool gen_pool_sum(struct gen_pool *pool, struct gen_pool_sum *sum);

/* Every invariant; takes the lock. Returns the number of violations, each printed. */
long gen_pool_validate(struct gen_pool *pool);

#endif /* MM_GENALLOC_H */
