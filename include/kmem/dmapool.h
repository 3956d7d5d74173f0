/* SPDX-License-Identifier: MIT */
/**
 * DOC: dmapool.h - blocks of one size that do not cross a boundary.
 *
 * A process has no bus addresses: the handle that comes with a block is the
 * block's own address, and the device is not looked at. A driver in user space
 * that needs more translates it by its own means.
 *
 * Context: as of kmem_cache_alloc() and kmem_cache_create() (slab.h); each pool
 * is a cache and is seen as one (dma-NAME:N) by slabinfo.
 */
#ifndef KMEM_DMAPOOL_H
#define KMEM_DMAPOOL_H

#include <stdint.h>

#include <kmem/gfp.h>
#include <kmem/types.h>

typedef uint64_t dma_addr_t;

struct device;
struct dma_pool;

KMEM_BEGIN_DECLS

/**
 * dma_pool_create - make a pool
 * @name: shown by slabinfo and in reports; copied
 * @dev: ignored
 * @size: bytes of a block, 1 to 4 MiB
 * @align: of each block, a power of two; 0: none
 * @boundary: no block crosses a multiple of it: a power of two, at least @size; 0: none
 *
 * Where a boundary below 4 MiB is no multiple of the size, blocks take the next
 * power of two.
 * Return: the pool; NULL for bad arguments or when there is no memory.
 */
struct dma_pool *dma_pool_create(const char *name, struct device *dev, size_t size,
				 size_t align, size_t boundary);
/** dma_pool_destroy - end a pool; NULL is allowed. Blocks in use are reported and leaked. */
void dma_pool_destroy(struct dma_pool *pool);

/**
 * dma_pool_alloc - a block
 * @handle: receives the address for the device
 * Return: the block, NULL when there is no memory.
 */
void *dma_pool_alloc(struct dma_pool *pool, gfp_t gfp, dma_addr_t *handle);
/** dma_pool_zalloc - the same, zeroed. */
void *dma_pool_zalloc(struct dma_pool *pool, gfp_t gfp, dma_addr_t *handle);
/** dma_pool_free - give a block back; stops the program if @dma is not its handle. */
void dma_pool_free(struct dma_pool *pool, void *vaddr, dma_addr_t dma);

KMEM_END_DECLS

#endif /* KMEM_DMAPOOL_H */
