// SPDX-License-Identifier: MIT
/*
 * independent.c - threads that share nothing: random sizes and lifetimes in each.
 *
 * Stands for: parallel programs as they should be written; whatever keeps them
 * from scaling is the allocator's. Described: glibc's benchtests/
 * bench-malloc-thread (sizes from 4 bytes to 32 KiB by an inverse power law);
 * threadtest in Berger et al., "Hoard" (ASPLOS 2000).
 */
#include "../bench.h"

#define SLOTS	2048

static void *worker(void *arg)
{
	struct bench_thread *t = arg;
	unsigned long steps = *(unsigned long *)t->arg, i;
	struct rng rng = rng_seed(70 + t->index);
	void **slots = bench_ptr(calloc(SLOTS, sizeof(*slots)));

	for (i = 0; i < steps; i++) {
		void **slot = &slots[rng_below(&rng, SLOTS)];

		bench_free(*slot);
		*slot = bench_alloc(rng_power_law(&rng, 4, 32768));
	}
	for (i = 0; i < SLOTS; i++)
		bench_free(slots[i]);
	free(slots);
	return NULL;
}

int main(int argc, char **argv)
{
	unsigned int n = bench_threads();
	unsigned long steps = bench_times(bench_scale(argc, argv), 2e7 / n);

	bench_run_threads(n, worker, &steps);
	return 0;
}
