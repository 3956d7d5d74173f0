// SPDX-License-Identifier: MIT
/*
 * pool_region.c - blocks of mixed sizes in one region, freed and taken at random, with
 * few and with very many alive.
 *
 * Stands for: a shared segment, a device's memory, an address space: a range of fixed
 * length whose parts come and go. Described: Knuth, TAOCP 1, 2.5 (first fit and
 * best fit on a list, which this would take minutes with).
 *
 * Prints region_HOW_N_ns, each for a block freed and another taken, N of them alive: mm
 * (the process's region), first and best (a gen_pool), malloc.
 */
#include "../bench.h"

#include <kmem/genalloc.h>
#include <kmem/region.h>

static void **block;
static uint32_t *length;

static uint32_t a_length(struct rng *r)
{
	return 16 + rng_below(r, 240);
}

#define MEASURE(name, take, give)						\
	do {									\
		struct rng r = rng_seed(3);					\
		uint64_t start;							\
		for (unsigned long i = 0; i < n; i++) {				\
			length[i] = a_length(&r);				\
			block[i] = bench_ptr((void *)(take));			\
		}								\
		start = bench_now_ns();						\
		for (unsigned long o = 0; o < ops; o++) {			\
			unsigned long i = rng_below(&r, (uint32_t)n);		\
			give;							\
			length[i] = a_length(&r);				\
			block[i] = bench_ptr((void *)(take));			\
		}								\
		printf("region_" name "_%lu_ns %.1f\n", n,			\
		       (double)(bench_now_ns() - start) / (double)ops);		\
		fflush(stdout);							\
		for (unsigned long i = 0; i < n; i++)				\
			give;							\
	} while (0)

static void measure(unsigned long n, unsigned long ops)
{
	static const genpool_algo_t algo[] = { gen_pool_first_fit, gen_pool_best_fit };
	size_t bytes = n * 300 + 4096;

	if (mmInit((int)bytes) != 0)
		exit(1);
	MEASURE("mm", mmAlloc((int)length[i]), mmFree(block[i]));
	mmDestroy();
	for (int a = 0; a < 2; a++) {
		struct gen_pool *pool = bench_ptr(gen_pool_create(3, -1));

		gen_pool_add(pool, 1UL << 40, bytes, -1);
		gen_pool_set_algo(pool, algo[a], NULL);
		if (a == 0)
			MEASURE("first", gen_pool_alloc(pool, length[i]),
				gen_pool_free(pool, (unsigned long)block[i], length[i]));
		else
			MEASURE("best", gen_pool_alloc(pool, length[i]),
				gen_pool_free(pool, (unsigned long)block[i], length[i]));
		gen_pool_destroy(pool);
	}
	MEASURE("malloc", malloc(length[i]), free(block[i]));
}

int main(int argc, char **argv)
{
	double scale = bench_scale(argc, argv);
	unsigned long most = bench_times(scale, 1e6);

	block = bench_ptr(calloc(most + 1000, sizeof(*block)));
	length = bench_ptr(calloc(most + 1000, sizeof(*length)));
	measure(1000, bench_times(scale, 4e5));
	if (most > 1000)
		measure(most, bench_times(scale, 1e5));
	return 0;
}
