// SPDX-License-Identifier: MIT
/*
 * region.c - the process's one region: a tracked gen_pool (genalloc.c) with one
 * chunk, which is a run of pages.
 *
 * The pool is made by the first mmInit() and stays; what comes and goes is its
 * chunk. So a thread that is late, with the region gone or replaced under it,
 * finds a pool without space, or an address where no block begins, and is told so.
 *
 * Locks: the pool's, inside genalloc.c.
 */
#include <kmem/region.h>

#include <errno.h>
#include <limits.h>

#include <kmem/vmalloc.h>

#include "genalloc.h"

#define REGION_ORDER	3		/* blocks are multiples of 8 bytes */

/* NULL until the first mmInit(), constant from then on. */
static struct gen_pool *the_region;

/* -1, and errno, of a negative error number. */
static int fail(int error)
{
	errno = -error;
	return -1;
}

static struct gen_pool *region_get(void)
{
	return smp_load_acquire(&the_region);	/* region_make()'s release: the pool itself */
}

/* Of several threads that make it at once, one is first, and all take its pool. */
static struct gen_pool *region_make(void)
{
	struct gen_pool *pool = region_get(), *first = NULL;

	if (pool)
		return pool;
	pool = gen_pool_create_tracked(REGION_ORDER);
	if (!pool || __atomic_compare_exchange_n(&the_region, &first, pool, false,
						 __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
		return pool;
	gen_pool_destroy(pool);
	return first;
}

int mmInit(int size)
{
	struct gen_pool *pool;
	void *memory;
	size_t bytes;
	int error;

	if (size <= 0)
		return fail(-EINVAL);
	bytes = ALIGN((size_t)size, 1UL << REGION_ORDER);
	pool = region_make();
	if (!pool)
		return fail(-ENOMEM);
	if (gen_pool_size(pool))
		return fail(-EEXIST);
	memory = vzalloc(bytes);
	if (!memory)
		return fail(-ENOMEM);
	error = gen_pool_add_only(pool, (unsigned long)memory, bytes);
	if (!error)
		return 0;
	vfree(memory);
	return fail(error);
}

void *mmAlloc(int size)
{
	struct gen_pool *pool = region_get();
	unsigned long block = 0;
	int error = 0;

	if (!pool || !gen_pool_size(pool))
		error = -ENXIO;
	else if (size <= 0)
		error = -EINVAL;
	else if (!(block = gen_pool_alloc(pool, (size_t)size)))
		error = -ENOMEM;
	if (error)
		fail(error);
	return (void *)block;
}

int mmFree(void *ptr)
{
	struct gen_pool *pool = region_get();
	int error;

	if (!pool)
		return fail(-ENXIO);
	error = gen_pool_free_block(pool, (unsigned long)ptr);
	return error ? fail(error) : 0;
}

int mmDestroy(void)
{
	struct gen_pool *pool = region_get();
	unsigned long memory;
	int error;

	error = pool ? gen_pool_remove_only(pool, &memory) : -ENXIO;
	if (error)
		return fail(error);
	vfree((void *)memory);
	return 0;
}

int mmInfo(MEM_MANAGER *info)
{
	struct gen_pool *pool = region_get();
	struct gen_pool_sum sum;

	if (!pool || !gen_pool_sum(pool, &sum))
		return fail(-ENXIO);
	info->userStartAddress = (void *)sum.start;
	info->userMemorySize = sum.size;
	info->restSize = sum.free;
	info->MemBlockNum = sum.used_blocks + sum.free_extents;
	info->useBlockNum = sum.used_blocks;
	return 0;
}

int mmNextBlock(MAN_CTRL_BLK *block)
{
	unsigned long end = (unsigned long)block->blockStartAddress + block->memorySize;
	struct gen_pool *pool = region_get();
	struct gen_pool_block b;

	if (!pool || !gen_pool_size(pool))
		return fail(-ENXIO);
	if (!gen_pool_next_block(pool, end, &b))
		return fail(0);
	block->blockStartAddress = (void *)b.start;
	block->memorySize = b.len;
	block->blockValid = b.used ? USE : FREE;
	return 0;
}
