/* SPDX-License-Identifier: MIT */
/**
 * DOC: genalloc.h - the kernel's general allocator of address ranges.
 *
 * A gen_pool hands out parts of ranges (chunks) that the caller gives it and
 * never looks into: memory of any kind, or numbers that are no memory at all.
 * What is free is kept apart from it, in trees: finding a place and giving one
 * back take O(log n) for n pieces of free space. The lowest address that fits is
 * taken (first fit), or the smallest piece (best fit), across all chunks.
 *
 * Contract: the kernel's Documentation/core-api/genalloc. What differs: chunks
 * begin at multiples of the granule; a search goes over all chunks by address;
 * an algorithm gets the pool and a size, since there is no bitmap to be searched.
 *
 * What is not there: owners of chunks (gen_pool_add_owner() and so on), chunks as
 * structures (gen_pool_for_each_chunk()), pools that belong to a device
 * (devm_gen_pool_create(), gen_pool_get(), of_gen_pool_get()).
 *
 * Misuse ends the program with a report that begins with "BUG: " and the function's
 * name: freeing a range that is not all in use, or not the pool's; a pool that was
 * destroyed; destroying one in use; an algorithm that chooses what is not free.
 *
 * Context of all functions: any thread, each pool has a lock of its own; may
 * make system calls; not from a signal handler. errno is not changed.
 */
#ifndef KMEM_GENALLOC_H
#define KMEM_GENALLOC_H

#include <stdint.h>

#include <kmem/types.h>

/* Not in types.h: what a port includes for anything else may have types of these names. */
typedef uint64_t phys_addr_t;
typedef uint64_t dma_addr_t;

struct gen_pool;

/**
 * typedef genpool_algo_t - how a pool chooses the place of a block
 * @size: bytes, a multiple of the granule
 * @data: of gen_pool_set_algo(), or of the call
 *
 * One of those below, or the program's own, which mostly calls those with @data of
 * its choice. Called with the pool's lock held: it may call no other function of
 * the pool.
 * Return: where @size bytes are free; 0: nowhere.
 */
typedef unsigned long (*genpool_algo_t)(struct gen_pool *pool, size_t size, void *data);

/** struct genpool_data_align - for gen_pool_first_fit_align(): a power of two */
struct genpool_data_align {
	int align;
};

/** struct genpool_data_fixed - for gen_pool_fixed_alloc(): from the first chunk's start */
struct genpool_data_fixed {
	unsigned long offset;
};

KMEM_BEGIN_DECLS

/**
 * gen_pool_create - a pool without any space
 * @min_alloc_order: sizes are multiples of 2^this bytes (the granule), 0 to 40
 * @nid: ignored
 * Return: the pool; NULL for a bad order or when there is no memory.
 */
struct gen_pool *gen_pool_create(int min_alloc_order, int nid);
/** gen_pool_destroy - end a pool; with blocks in use it reports a bug and aborts. */
void gen_pool_destroy(struct gen_pool *pool);

/**
 * gen_pool_add_virt - give a pool a chunk
 * @virt: where it begins: a multiple of the granule, not 0
 * @phys: what gen_pool_virt_to_phys() answers for @virt
 * @size: bytes; what is left over of a granule is not used
 * @nid: ignored
 * Return: 0; -EINVAL for a bad range, -EEXIST where it overlaps a chunk of the
 * pool, -ENOMEM.
 */
int gen_pool_add_virt(struct gen_pool *pool, unsigned long virt, phys_addr_t phys,
		      size_t size, int nid);
/** gen_pool_add - the same where nobody asks for another address. */
static inline int gen_pool_add(struct gen_pool *pool, unsigned long addr, size_t size, int nid)
{
	return gen_pool_add_virt(pool, addr, (phys_addr_t)-1, size, nid);
}

/**
 * gen_pool_alloc - @size bytes, rounded up to the granule, by the pool's algorithm
 * Return: the address; 0 where nothing fits or @size is 0.
 */
unsigned long gen_pool_alloc(struct gen_pool *pool, size_t size);
/** gen_pool_alloc_algo - the same by the algorithm given, this once. */
unsigned long gen_pool_alloc_algo(struct gen_pool *pool, size_t size, genpool_algo_t algo,
				  void *data);
/**
 * gen_pool_free - give [@addr, @addr + @size) back
 *
 * It may be part of what was allocated at once. It never fails: where memory for
 * the books is short (64 bytes), it waits for some.
 */
void gen_pool_free(struct gen_pool *pool, unsigned long addr, size_t size);

/** gen_pool_virt_to_phys - by the chunk that @addr lies in; (phys_addr_t)-1: in none. */
phys_addr_t gen_pool_virt_to_phys(struct gen_pool *pool, unsigned long addr);
/** gen_pool_first_fit_align - aligned; @data: struct genpool_data_align. */
unsigned long gen_pool_first_fit_align(struct gen_pool *pool, size_t size, void *data);
/** gen_pool_dma_alloc - gen_pool_alloc(), and what gen_pool_virt_to_phys() says of it. */
void *gen_pool_dma_alloc(struct gen_pool *pool, size_t size, dma_addr_t *dma);

/** gen_pool_dma_alloc_algo - the same by the algorithm given, this once. */
static inline void *gen_pool_dma_alloc_algo(struct gen_pool *pool, size_t size, dma_addr_t *dma,
					    genpool_algo_t algo, void *data)
{
	unsigned long at = gen_pool_alloc_algo(pool, size, algo, data);

	if (at && dma)
		*dma = gen_pool_virt_to_phys(pool, at);
	return (void *)at;
}
/** gen_pool_dma_alloc_align - the same at a multiple of @align, a power of two. */
static inline void *gen_pool_dma_alloc_align(struct gen_pool *pool, size_t size, dma_addr_t *dma,
					     int align)
{
	struct genpool_data_align data = { align };

	return gen_pool_dma_alloc_algo(pool, size, dma, gen_pool_first_fit_align, &data);
}
/**
 * gen_pool_dma_zalloc, gen_pool_dma_zalloc_algo, gen_pool_dma_zalloc_align - the same, zeroed
 * These alone write to what the pool hands out: its chunks are memory.
 */
static inline void *gen_pool_dma_zalloc(struct gen_pool *pool, size_t size, dma_addr_t *dma)
{
	void *p = gen_pool_dma_alloc(pool, size, dma);

	return p ? __builtin_memset(p, 0, size) : NULL;
}

static inline void *gen_pool_dma_zalloc_algo(struct gen_pool *pool, size_t size, dma_addr_t *dma,
					     genpool_algo_t algo, void *data)
{
	void *p = gen_pool_dma_alloc_algo(pool, size, dma, algo, data);

	return p ? __builtin_memset(p, 0, size) : NULL;
}

static inline void *gen_pool_dma_zalloc_align(struct gen_pool *pool, size_t size, dma_addr_t *dma,
					      int align)
{
	void *p = gen_pool_dma_alloc_align(pool, size, dma, align);

	return p ? __builtin_memset(p, 0, size) : NULL;
}

/** gen_pool_has_addr - whether all of [@start, @start + @size) lies in one chunk. */
bool gen_pool_has_addr(struct gen_pool *pool, unsigned long start, size_t size);
/** gen_pool_avail - bytes that are free. */
size_t gen_pool_avail(struct gen_pool *pool);
/** gen_pool_size - bytes in all chunks. */
size_t gen_pool_size(struct gen_pool *pool);

/**
 * gen_pool_set_algo - how this pool chooses from now on
 * @algo: NULL: gen_pool_first_fit
 * @data: as the algorithm says; it must last as long as it is used
 */
void gen_pool_set_algo(struct gen_pool *pool, genpool_algo_t algo, void *data);

/** gen_pool_first_fit - the lowest address that fits. O(log n). */
unsigned long gen_pool_first_fit(struct gen_pool *pool, size_t size, void *data);
/** gen_pool_best_fit - the start of the smallest piece that fits. O(log n). */
unsigned long gen_pool_best_fit(struct gen_pool *pool, size_t size, void *data);
/** gen_pool_first_fit_order_align - aligned to the size, rounded up to a power of two. */
unsigned long gen_pool_first_fit_order_align(struct gen_pool *pool, size_t size, void *data);
/** gen_pool_fixed_alloc - there or nowhere; @data: struct genpool_data_fixed. */
unsigned long gen_pool_fixed_alloc(struct gen_pool *pool, size_t size, void *data);

KMEM_END_DECLS

#endif /* KMEM_GENALLOC_H */
