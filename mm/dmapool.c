// SPDX-License-Identifier: MIT
/*
 * dmapool.c - pools of blocks that do not cross a boundary, as caches.
 *
 * A slab begins at a multiple of its own size, which is a power of two of at
 * most 4 MiB, and its objects follow each other without a gap. So no block
 * crosses a boundary that a slab does not cross, and none crosses a smaller one
 * that the block's size divides; for the other boundaries the size is rounded
 * up to a power of two. The same reasoning gives alignments above a page: the
 * size is a multiple of the alignment.
 */
#include <kmem/dmapool.h>

#include "base/bitops.h"
#include "base/bug.h"
#include "base/printk.h"
#include "slab.h"

#define MAX_BLOCK	(PAGE_SIZE << MAX_PAGE_ORDER)
#define MIN_BLOCK	16UL		/* the stride of a cache's objects is no less */

struct dma_pool {
	struct kmem_cache *cache;	/* constant */
};

/* Bytes from one block to the next; 0: no such pool. */
static size_t block_size(size_t size, size_t align, size_t boundary)
{
	if (!size || size > MAX_BLOCK)
		return 0;
	if (!align)
		align = 1;
	if (!is_power_of_2(align) || align > MAX_BLOCK)
		return 0;
	if (boundary && (!is_power_of_2(boundary) || boundary < size))
		return 0;
	size = ALIGN(max(size, min(MIN_BLOCK, boundary ? boundary : MIN_BLOCK)), align);
	if (boundary && boundary < MAX_BLOCK && boundary % size)
		size = 1UL << (__fls(size - 1) + 1);
	return size <= MAX_BLOCK && (!boundary || size <= boundary) ? size : 0;
}

struct dma_pool *dma_pool_create(const char *name, struct device *dev, size_t size,
				 size_t align, size_t boundary)
{
	static unsigned int number;
	struct kmem_cache_args args = { 0 };
	struct dma_pool *pool;
	char full[128];

	(void)dev;
	size = block_size(size, align, boundary);
	if (!name || !*name || !size)
		return NULL;
	pool = kmalloc(sizeof(*pool), GFP_KERNEL);
	if (!pool)
		return NULL;
	/* Pools of several devices may have one name. */
	kmem_snprintf(full, sizeof(full), "dma-%s:%u", name, stat_inc(number));
	args.align = (unsigned int)clamp(align, 8UL, PAGE_SIZE);
	pool->cache = __kmem_cache_create_args(full, (unsigned int)size, &args, SLAB_NO_MERGE);
	if (!pool->cache) {
		kfree(pool);
		return NULL;
	}
	return pool;
}

void dma_pool_destroy(struct dma_pool *pool)
{
	if (!pool)
		return;
	kmem_cache_destroy(pool->cache);
	kfree(pool);
}

void *dma_pool_alloc(struct dma_pool *pool, gfp_t gfp, dma_addr_t *handle)
{
	void *block = kmem_cache_alloc(pool->cache, gfp);

	if (block)
		*handle = (dma_addr_t)(uintptr_t)block;
	return block;
}

void *dma_pool_zalloc(struct dma_pool *pool, gfp_t gfp, dma_addr_t *handle)
{
	return dma_pool_alloc(pool, gfp | __GFP_ZERO, handle);
}

void dma_pool_free(struct dma_pool *pool, void *vaddr, dma_addr_t dma)
{
	if (unlikely(dma != (dma_addr_t)(uintptr_t)vaddr))
		BUG("dma_pool_free %s, %p: handle of another block", pool->cache->name, vaddr);
	kmem_cache_free(pool->cache, vaddr);
}
