// SPDX-License-Identifier: MIT
/*
 * births.c - a hundred thousand threads, each born, a little work, dead.
 *
 * Stands for: a thread for each request or task (std::async, older servers): what
 * an allocator sets up for a thread and tears down after it. Some of what a
 * thread took outlives it and is freed by another. Described: mallopt(3) on
 * M_ARENA_MAX, which tells how arenas are made for threads and used again; the
 * generations of Larson and Krishnan (ISMM 1998) taken to the extreme.
 */
#include "../bench.h"

#define OUTLIVING	512

static _Atomic(void *) left[OUTLIVING];

static void *live(void *arg)
{
	struct rng rng = rng_seed((uintptr_t)arg);
	void *own[24];
	unsigned int i;

	for (i = 0; i < 24; i++)
		own[i] = bench_alloc(rng_power_law(&rng, 16, 4096));
	bench_free(atomic_exchange(&left[(uintptr_t)arg % OUTLIVING], own[0]));
	for (i = 1; i < 24; i++)
		bench_free(own[i]);
	return NULL;
}

int main(int argc, char **argv)
{
	unsigned long births = bench_times(bench_scale(argc, argv), 100000), i;
	pthread_t threads[4];
	unsigned int k;

	for (i = 0; i < births; i += 4) {
		for (k = 0; k < 4; k++)
			if (pthread_create(&threads[k], NULL, live, (void *)(i + k)) != 0)
				return 1;
		for (k = 0; k < 4; k++)
			pthread_join(threads[k], NULL);
	}
	return 0;
}
