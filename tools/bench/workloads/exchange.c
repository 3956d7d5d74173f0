// SPDX-License-Identifier: MIT
/*
 * exchange.c - mixed sizes, an object in four given to whoever passes by.
 *
 * Stands for: shared tables of a server: any thread may free any object, and none
 * is bound to a partner. Described: mstress of mimalloc and rptest of rpmalloc:
 * threads allocate by a mixed law, keep some, and swap some through a shared
 * array; the threads of one round end before the next round begins.
 */
#include "../bench.h"

#define OWN	2000
#define SHARED	1024
#define ROUNDS	6

static _Atomic(void *) shared[SHARED];

static void *worker(void *arg)
{
	struct bench_thread *t = arg;
	unsigned long steps = *(unsigned long *)t->arg, i;
	struct rng rng = rng_seed(60 + t->index);
	static __thread void *own[OWN];

	for (i = 0; i < steps; i++) {
		size_t size = rng_power_law(&rng, 16, 32768);
		unsigned int k = rng_below(&rng, OWN);

		bench_free(own[k]);
		own[k] = bench_alloc(size);
		if (i % 4 == 0)
			own[k] = atomic_exchange(&shared[rng_below(&rng, SHARED)], own[k]);
	}
	/* Half of the rest is left to others. */
	for (i = 0; i < OWN; i++)
		bench_free(i % 2 ? own[i] : atomic_exchange(&shared[i % SHARED], own[i]));
	return NULL;
}

int main(int argc, char **argv)
{
	unsigned int n = bench_threads(), r;
	unsigned long steps = bench_times(bench_scale(argc, argv), 8e6 / ROUNDS / n);

	for (r = 0; r < ROUNDS; r++)
		bench_run_threads(n, worker, &steps);
	return 0;
}
