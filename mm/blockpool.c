// SPDX-License-Identifier: MIT
/*
 * blockpool.c - fixed numbers of blocks of one size.
 *
 * The blocks are a run of pages. The books are a stack of the free blocks'
 * numbers, the top the next one to go, and a bit for each block that is in use,
 * which tells a double free from a first one:
 *
 *	the stack holds n, once	<=>	bit n is clear
 *
 * They lie in an allocation of their own, so that a block which is written to
 * after it was freed harms nobody but its next user. The caller's struct has what
 * users may look at; a pool on the stack of a function that forgets to destroy it
 * leaves memory behind, but nothing that points to it.
 *
 * Locks: none, or the pool's (BLOCKPOOL_SHARED).
 */
#include <kmem/blockpool.h>

#include <limits.h>
#include <string.h>

#include <kmem/page_alloc.h>
#include <kmem/slab.h>
#include <kmem/vmalloc.h>

#include "base/bitops.h"
#include "base/bug.h"
#include "pool_lock.h"

struct blockpool_books {
	/* Constant. */
	u32 count;
	unsigned int flags;
	size_t stride;			/* from one block to the next */
	size_t bytes;			/* of all blocks */
	u64 reciprocal;			/* of the stride: see number_of(); 0: none */
	struct pool_lock lock;		/* BLOCKPOOL_SHARED: all below, and struct blockpool */
	unsigned long *used;		/* a bit for each block */
	u32 stack[];			/* the free ones, bp->free_count of them */
};

/*
 * struct blockpool::magic. The hits of taking and giving back ask for a pool of one
 * thread, and so need not ask whether there is a lock.
 */
enum magic { MAGIC_DESTROYED, MAGIC_OWN, MAGIC_SHARED };

static unsigned long magic_of(const struct blockpool *bp, enum magic kind)
{
	return ((unsigned long)bp ^ 0x626c6f636b706f6fUL) + kind;
}

static bool is(const struct blockpool *bp, enum magic kind)
{
	return bp->magic == magic_of(bp, kind);
}

/* 0, or what is wrong with it. */
static int check(const struct blockpool *bp)
{
	if (likely(bp && (is(bp, MAGIC_OWN) || is(bp, MAGIC_SHARED))))
		return 0;
	return bp && is(bp, MAGIC_DESTROYED) ? BLOCKPOOL_DESTROYED : BLOCKPOOL_INVALID;
}

static void lock_books(struct blockpool_books *b)
{
	if (unlikely(b->flags & BLOCKPOOL_SHARED))
		pool_lock(&b->lock);
}

static void unlock_books(struct blockpool_books *b)
{
	if (unlikely(b->flags & BLOCKPOOL_SHARED))
		pool_unlock(&b->lock);
}

static void *block_at(const struct blockpool *bp, size_t n)
{
	return (char *)bp->mem + n * bp->books->stride;
}

/* The top of the stack has changed. */
static void show_next(struct blockpool *bp)
{
	const struct blockpool_books *b = bp->books;

	bp->ptr = bp->free_count ? block_at(bp, b->stack[bp->free_count - 1]) : NULL;
}

/* ---- making and ending ------------------------------------------------------------------- */

static size_t stride_of(size_t block_size)
{
	return block_size < 8 ? roundup_pow_of_two(block_size) : ALIGN(block_size, 8UL);
}

static struct blockpool_books *make_books(size_t stride, u32 count, unsigned int flags)
{
	size_t words = DIV_ROUND_UP((size_t)count, BITS_PER_LONG);
	size_t stack = ALIGN((size_t)count * sizeof(u32), sizeof(long));
	struct blockpool_books *b;

	b = kvzalloc(sizeof(*b) + stack + words * sizeof(long), GFP_KERNEL);
	if (!b)
		return NULL;
	b->count = count;
	b->stride = stride;
	b->bytes = count * stride;
	if (stride > 1 && b->bytes <= 1UL << 32)
		b->reciprocal = ~0UL / stride + 1;
	b->flags = flags;
	b->used = (unsigned long *)((char *)b->stack + stack);
	/* The first block on top. */
	for (u32 i = 0; i < count; i++)
		b->stack[i] = count - 1 - i;
	return b;
}

int blockpool_init_flags(struct blockpool *bp, size_t block_size, size_t count,
			 unsigned int flags)
{
	size_t bytes;

	if (!bp)
		return BLOCKPOOL_INVALID;
	memset(bp, 0, sizeof(*bp));
	if (!block_size || block_size > LONG_MAX || !count || count > INT_MAX ||
	    (flags & ~BLOCKPOOL_SHARED) ||
	    __builtin_mul_overflow(stride_of(block_size), count, &bytes))
		return BLOCKPOOL_INVALID;
	bp->mem = vmalloc(bytes);
	bp->books = bp->mem ? make_books(stride_of(block_size), (u32)count, flags) : NULL;
	if (!bp->books) {
		vfree(bp->mem);
		bp->mem = NULL;
		return BLOCKPOOL_NO_MEMORY;
	}
	bp->block_size = block_size;
	bp->free_count = (int)count;
	show_next(bp);
	if (flags & BLOCKPOOL_SHARED)
		pool_lock_init(&bp->books->lock);
	bp->magic = magic_of(bp, flags & BLOCKPOOL_SHARED ? MAGIC_SHARED : MAGIC_OWN);
	return 0;
}

int blockpool_init(struct blockpool *bp, size_t block_size)
{
	size_t count = 0;

	if (block_size && block_size <= PAGE_SIZE)
		count = PAGE_SIZE / stride_of(block_size);
	return blockpool_init_flags(bp, block_size, count, 0);
}

int blockpool_destroy(struct blockpool *bp)
{
	int error = check(bp);
	struct blockpool_books *b;

	if (error)
		return error;
	b = bp->books;
	if (b->flags & BLOCKPOOL_SHARED)
		pool_lock_exit(&b->lock);
	vfree(bp->mem);
	kvfree(b);
	memset(bp, 0, sizeof(*bp));
	bp->magic = magic_of(bp, MAGIC_DESTROYED);
	return 0;
}

/* ---- blocks ------------------------------------------------------------------------------ */

/* There is one. Lock held. */
static inline void *pop(struct blockpool *bp)
{
	struct blockpool_books *b = bp->books;
	/* Not bp->ptr, which is here for users to see: each call would wait for the last. */
	u32 n = b->stack[--bp->free_count];

	__set_bit(b->used, n);
	show_next(bp);
	return block_at(bp, n);
}

/* Why there is none for @size bytes, or 0. Lock held. */
static inline int refusal(const struct blockpool *bp, size_t size)
{
	if (unlikely(size - 1 >= bp->block_size))
		return size ? BLOCKPOOL_TOO_LARGE : BLOCKPOOL_INVALID;
	return unlikely(!bp->free_count) ? BLOCKPOOL_EMPTY : 0;
}

int blockpool_take(struct blockpool *bp, size_t size, void **block)
{
	int error = check(bp);

	*block = NULL;
	if (error)
		return error;
	lock_books(bp->books);
	error = refusal(bp, size);
	if (!error)
		*block = pop(bp);
	unlock_books(bp->books);
	return error;
}

static noinline void *alloc_shared(struct blockpool *bp, size_t size)
{
	struct blockpool_books *b = bp->books;
	void *block = NULL;
	int error;

	pool_lock(&b->lock);
	error = refusal(bp, size);
	if (likely(!error))
		block = pop(bp);
	else
		bp->error = error;
	pool_unlock(&b->lock);
	return block;
}

static noinline __cold void *alloc_failed(struct blockpool *bp, size_t size)
{
	int error = check(bp);

	if (bp)
		bp->error = error ? error : refusal(bp, size);
	return NULL;
}

void *blockpool_alloc(struct blockpool *bp, size_t size)
{
	if (likely(bp && is(bp, MAGIC_OWN) && !refusal(bp, size)))
		return pop(bp);
	if (likely(bp && is(bp, MAGIC_SHARED)))
		return alloc_shared(bp, size);
	return alloc_failed(bp, size);
}

/*
 * The block that an offset falls into: offset / stride without a division, which
 * would be half of the cost of a free. With r the reciprocal, r * stride = 2^64 + e
 * where e < stride, and offset * r / 2^64 is too large by offset * e / (stride * 2^64):
 * less than the 1 / stride that it would take to reach the next number as long as
 * offset * e < 2^64, which is so for offsets below 2^32 (and e < stride <= 2^32).
 */
static size_t number_of(const struct blockpool_books *b, size_t offset)
{
	if (unlikely(!b->reciprocal))
		return offset / b->stride;
	return (size_t)(((unsigned __int128)offset * b->reciprocal) >> 64);
}

/* Lock held. */
static inline int push(struct blockpool *bp, void *block)
{
	struct blockpool_books *b = bp->books;
	size_t offset = (size_t)((char *)block - (char *)bp->mem), n;

	if (unlikely((char *)block < (char *)bp->mem || offset >= b->bytes))
		return BLOCKPOOL_FOREIGN;
	n = number_of(b, offset);
	if (unlikely(n * b->stride != offset))
		return BLOCKPOOL_INTERIOR;
	if (unlikely(!test_bit(b->used, n)))
		return BLOCKPOOL_DOUBLE_FREE;
	__clear_bit(b->used, n);
	b->stack[bp->free_count++] = (u32)n;
	bp->ptr = block;
	return 0;
}

static noinline int free_shared(struct blockpool *bp, void *ptr)
{
	struct blockpool_books *b = bp->books;
	int error;

	pool_lock(&b->lock);
	error = push(bp, ptr);
	pool_unlock(&b->lock);
	return error;
}

int blockpool_free(struct blockpool *bp, void *ptr)
{
	if (unlikely(!bp || !ptr))
		return check(bp);
	if (likely(is(bp, MAGIC_OWN)))
		return push(bp, ptr);
	return is(bp, MAGIC_SHARED) ? free_shared(bp, ptr) : check(bp);
}

const char *blockpool_strerror(int err)
{
	static const char *const text[] = {
		[-BLOCKPOOL_OK] = "no error",
		[-BLOCKPOOL_INVALID] = "not a pool, or an impossible size or flag",
		[-BLOCKPOOL_NO_MEMORY] = "no memory for a pool",
		[-BLOCKPOOL_EMPTY] = "all blocks of the pool are in use",
		[-BLOCKPOOL_TOO_LARGE] = "larger than a block of the pool",
		[-BLOCKPOOL_FOREIGN] = "the pointer is not the pool's",
		[-BLOCKPOOL_INTERIOR] = "the pointer is not the beginning of a block",
		[-BLOCKPOOL_DOUBLE_FREE] = "the block is free already",
		[-BLOCKPOOL_DESTROYED] = "the pool was destroyed",
	};

	if (err > 0 || err < BLOCKPOOL_DESTROYED)
		return "no error of a block pool";
	return text[-err];
}
