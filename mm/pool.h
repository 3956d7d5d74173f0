/* SPDX-License-Identifier: MIT */
/*
 * pool.h - struct mp_pool_s and its blocks, for pool.c and its report.
 *
 * A block is 2^order pages, aligned to its size, with its node at the start; the
 * first block has the pool behind its node.
 *
 *	first block	| node | (live bits) | pool | objects ... last| ... end|
 *	others		| node | (live bits) | objects ... last| ... end|
 *
 * Live bits, in counted pools only: a bit for each 16 bytes of the block, set where
 * an object in use begins. They are what mp_free() believes.
 *
 * States of a block, and the list it is on through link:
 *
 *	MP_OPEN		pool->open ..	objects are taken from it, while they fit
 *	MP_FULL		none		too small too often; until its last object goes
 *	MP_EMPTY	pool->empty	no objects; taken before a new one is made
 */
#ifndef MM_POOL_H
#define MM_POOL_H

#include <kmem/pool.h>

#include "mmzone.h"
#include "pool_lock.h"

#define MP_GRANULE	16		/* no two objects of a counted pool begin closer */

enum mp_node_state { MP_OPEN, MP_FULL, MP_EMPTY };

struct mp_node_s {
	unsigned char *last;		/* the first byte not used */
	unsigned char *end;		/* of the block; constant */
	struct mp_node_s *next;		/* made after this one; all of the pool's */
	struct mp_node_s *link;		/* of the list that the state says */
	struct mp_pool_s *pool;		/* whose it is; NULL when that is destroyed */
	u32 quote;			/* objects in use, in a counted pool: live bits set */
	u8 failed;			/* new blocks made because nothing fitted, since it was empty */
	u8 misses;			/* the same, since it was opened: what closes it */
	u8 state;			/* enum mp_node_state */
	unsigned long live[];
};

/* The pool's lock if MP_SHARED, else the thread that has the pool. */
struct mp_pool_s {
	unsigned long magic;		/* mp_magic() of this address; 0: destroyed */
	struct mp_node_s *open, *open_tail;	/* through link; never empty */
	struct mp_node_s *recent;	/* the block of an object freed lately: likely that of the next */
	/* Constant. What a hit may be; 0 in pools whose kind has none. */
	unsigned int hit_size;		/* of an allocation: max; not MP_SHARED */
	unsigned int hit_bytes;		/* of a free in a block: all; not MP_SHARED or MP_NGINX */
	unsigned int flags;
	unsigned int align;		/* of objects */

	/* Constant. */
	unsigned int max;		/* the largest object that comes from a block */
	unsigned int order;		/* of a block */
	unsigned int node_size;		/* bytes before the objects, in all blocks but the first */
	struct mp_node_s *head, *tail;		/* all blocks, through next */
	struct mp_node_s *empty;
	struct mp_cleanup_s *cleanup;	/* the last one added */
	struct list_head large;		/* struct page, pool_list */
	size_t nr_blocks, nr_large;
	struct pool_lock lock;		/* MP_SHARED only */
};

static inline unsigned long mp_magic(const struct mp_pool_s *pool)
{
	return (unsigned long)pool ^ 0x6d705f706f6f6c21UL;
}

static inline bool mp_counted(const struct mp_pool_s *pool)
{
	return !(pool->flags & MP_NGINX);
}

static inline size_t mp_block_size(const struct mp_pool_s *pool)
{
	return PAGE_SIZE << pool->order;
}

/* Where a block's objects begin. */
static inline unsigned char *mp_node_data(const struct mp_pool_s *pool, struct mp_node_s *n)
{
	return (unsigned char *)n + pool->node_size + (n == pool->head ? sizeof(*pool) : 0);
}

static inline void mp_lock(struct mp_pool_s *pool)
{
	if (unlikely(pool->flags & MP_SHARED))
		pool_lock(&pool->lock);
}

static inline void mp_unlock(struct mp_pool_s *pool)
{
	if (unlikely(pool->flags & MP_SHARED))
		pool_unlock(&pool->lock);
}

/* Ends the program if @pool is none; @who: the function that was called. */
void mp_check(const struct mp_pool_s *pool, const char *who);

/* Every invariant. Takes the lock. Returns the number of violations, each printed. */
long mp_validate(struct mp_pool_s *pool);

#endif /* MM_POOL_H */
