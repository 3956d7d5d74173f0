/* SPDX-License-Identifier: MIT */
/**
 * DOC: blockpool.h - a fixed number of blocks of one size.
 *
 * A pool has all its memory from the beginning and never asks for more: taking a
 * block cannot fail but for want of a block, and costs a few instructions. The
 * block given back last is the next one taken. What is free is kept apart from
 * the blocks.
 *
 * Errors are said by a negative code, by blockpool_strerror() in words, and, of
 * calls that give a pointer, in the pool's field error.
 *
 * Context: a pool belongs to one thread at a time; who shares it locks it. Made
 * with BLOCKPOOL_SHARED it has a lock of its own, and any threads may take and
 * give back; destroying belongs to one of them, when the others are done. Not
 * from a signal handler, but for pools that only that handler uses: once made, a
 * pool that is not shared needs no lock and no memory. errno is not changed.
 *
 * With KMEM_BLOCKPOOL_MEMPOOL_NAMES defined before this header is included, the
 * names mempool_t, mempool_init(), _malloc(), _free() and mempool_destroy() stand
 * for these (and the kernel's <kmem/mempool.h> cannot be included, too).
 */
#ifndef KMEM_BLOCKPOOL_H
#define KMEM_BLOCKPOOL_H

#include <kmem/types.h>

/** enum blockpool_error - what went wrong */
enum blockpool_error {
	BLOCKPOOL_OK = 0,
	BLOCKPOOL_INVALID = -1,		/* NULL or no pool, no or impossible size, unknown flag */
	BLOCKPOOL_NO_MEMORY = -2,	/* to make the pool */
	BLOCKPOOL_EMPTY = -3,		/* all blocks are in use */
	BLOCKPOOL_TOO_LARGE = -4,	/* more than a block was asked for */
	BLOCKPOOL_FOREIGN = -5,		/* the pointer is not the pool's */
	BLOCKPOOL_INTERIOR = -6,	/* it points into the midst of a block */
	BLOCKPOOL_DOUBLE_FREE = -7,	/* the block is free already */
	BLOCKPOOL_DESTROYED = -8,	/* the pool was destroyed */
};

/* Flags of blockpool_init_flags(). */
#define BLOCKPOOL_SHARED	1u	/* the pool locks itself */

struct blockpool_books;

/**
 * struct blockpool - to be read by its users, and not to be copied
 * @block_size: bytes of a block, as asked for
 * @free_count: blocks that are free
 * @mem: the first block
 * @ptr: the block that is taken next; NULL: there is none
 * @error: enum blockpool_error of the last call that gave NULL, in any thread
 * @magic, @books: the library's
 */
struct blockpool {
	size_t block_size;
	int free_count;
	int error;
	void *mem;
	void *ptr;
	unsigned long magic;
	struct blockpool_books *books;
};

KMEM_BEGIN_DECLS

/**
 * blockpool_init_flags - make a pool
 * @bp: uninitialised memory; it must not be moved
 * @block_size: bytes of a block, 1 or more. Blocks are aligned to 8 (smaller ones to
 *	the power of two that holds them), the first to a page
 * @count: how many, 1 to 2^31 - 1
 * @flags: BLOCKPOOL_SHARED or 0
 * Return: 0, or BLOCKPOOL_INVALID, BLOCKPOOL_NO_MEMORY: nothing is left behind.
 */
int blockpool_init_flags(struct blockpool *bp, size_t block_size, size_t count,
			 unsigned int flags);
/** blockpool_init - as many as fit into a page; @block_size is 4096 at most. */
int blockpool_init(struct blockpool *bp, size_t block_size);

/**
 * blockpool_alloc - a block for @size bytes, 1 to block_size
 * Return: the block; NULL, and why in @bp->error: BLOCKPOOL_EMPTY, _TOO_LARGE,
 * _INVALID (@size 0, or no pool) or _DESTROYED.
 */
void *blockpool_alloc(struct blockpool *bp, size_t size);
/** blockpool_take - the same; *@block is set, and the code is returned. */
int blockpool_take(struct blockpool *bp, size_t size, void **block);

/**
 * blockpool_free - give a block back; NULL is allowed
 * Return: 0; or, with nothing changed, BLOCKPOOL_FOREIGN, _INTERIOR, _DOUBLE_FREE,
 * _INVALID or _DESTROYED.
 */
int blockpool_free(struct blockpool *bp, void *ptr);

/**
 * blockpool_destroy - give all memory back, blocks in use included
 * Return: 0, BLOCKPOOL_INVALID, BLOCKPOOL_DESTROYED.
 */
int blockpool_destroy(struct blockpool *bp);

/** blockpool_strerror - an enum blockpool_error in words; constant. */
const char *blockpool_strerror(int err);

KMEM_END_DECLS

#ifdef KMEM_BLOCKPOOL_MEMPOOL_NAMES
#ifdef KMEM_MEMPOOL_H
#error "KMEM_BLOCKPOOL_MEMPOOL_NAMES and <kmem/mempool.h> mean different things by mempool_t"
#endif
#define KMEM_MEMPOOL_H

#include <stdio.h>

typedef struct blockpool mempool_t;

static inline int mempool_init(mempool_t *mp, size_t block_size)
{
	return blockpool_init(mp, block_size);
}

/* Other than blockpool_alloc(), these two say what went wrong on stderr. */
static inline void *_malloc(mempool_t *mp, size_t size)
{
	void *block = NULL;
	int error = blockpool_take(mp, size, &block);

	if (error)
		fprintf(stderr, "_malloc(%zu): %s\n", size, blockpool_strerror(error));
	return block;
}

/* And this one says on stdout that it was called. */
static inline void _free(mempool_t *mp, void *ptr)
{
	int error = blockpool_free(mp, ptr);

	if (error)
		fprintf(stderr, "_free(%p): %s\n", ptr, blockpool_strerror(error));
	else
		puts("_free");
}

static inline int mempool_destroy(mempool_t *mp)
{
	return blockpool_destroy(mp);
}
#endif /* KMEM_BLOCKPOOL_MEMPOOL_NAMES */

#endif /* KMEM_BLOCKPOOL_H */
