// SPDX-License-Identifier: MIT
/*
 * pool_blocks.c - a hundred blocks of one size taken and given back.
 *
 * Stands for: packets, sessions, timers: as many as there ever can be, of one size.
 * Described: the pools of real-time systems, whose blocks are counted beforehand.
 *
 * Prints blocks_HOW_ns, each for a block taken and given back: blockpool, the same
 * with its lock (shared), an object cache (cache), that cache with a reserve
 * (mempool), and the malloc of the allocator under test.
 */
#include "../bench.h"

#include <kmem/blockpool.h>
#include <kmem/mempool.h>
#include <kmem/slab.h>

#define BLOCKS	100
#define SIZE	192

static void *block[BLOCKS];

#define MEASURE(name, take, give)						\
	do {									\
		uint64_t start = bench_now_ns();				\
		for (unsigned long r = 0; r < rounds; r++) {			\
			for (int i = 0; i < BLOCKS; i++) {			\
				block[i] = bench_ptr(take);			\
				*(volatile char *)block[i] = 1;			\
			}							\
			for (int k = 0, i = 0; k < BLOCKS; k++) {		\
				i = (i + 37) % BLOCKS;				\
				give;						\
			}							\
		}								\
		printf("blocks_" name "_ns %.2f\n",				\
		       (double)(bench_now_ns() - start) / (double)rounds / BLOCKS); \
		fflush(stdout);							\
	} while (0)

int main(int argc, char **argv)
{
	unsigned long rounds = bench_times(bench_scale(argc, argv), 8e4);
	struct blockpool own, shared;
	struct kmem_cache *cache;
	mempool_t *reserve;

	cache = bench_ptr(__kmem_cache_create("bench_blocks", SIZE, 8, SLAB_NO_MERGE, NULL));
	reserve = bench_ptr(mempool_create_slab_pool(8, cache));
	if (blockpool_init_flags(&own, SIZE, BLOCKS, 0) != 0 ||
	    blockpool_init_flags(&shared, SIZE, BLOCKS, BLOCKPOOL_SHARED) != 0)
		return 1;
	MEASURE("blockpool", blockpool_alloc(&own, SIZE), blockpool_free(&own, block[i]));
	MEASURE("shared", blockpool_alloc(&shared, SIZE), blockpool_free(&shared, block[i]));
	MEASURE("cache", kmem_cache_alloc(cache, GFP_KERNEL), kmem_cache_free(cache, block[i]));
	MEASURE("mempool", mempool_alloc(reserve, GFP_KERNEL), mempool_free(block[i], reserve));
	MEASURE("malloc", malloc(SIZE), free(block[i]));
	return 0;
}
