// SPDX-License-Identifier: MIT
/*
 * bursts.c - threads that build up much, drop it, and sleep.
 *
 * Stands for: services under changing load: a burst of requests, then nothing for a
 * while; what a thread keeps in its own cache through the pause is lost to
 * all others. Described: the idle-RSS reports in mimalloc#351, jemalloc#2688
 * and gperftools#1634.
 */
#include "../bench.h"

#define OBJECTS	6000
#define BURSTS	8

static void *worker(void *arg)
{
	struct bench_thread *t = arg;
	unsigned long rounds = *(unsigned long *)t->arg, r;
	struct rng rng = rng_seed(40 + t->index);
	void **objects = bench_ptr(malloc(OBJECTS * sizeof(*objects)));
	unsigned int burst, i;

	for (burst = 0; burst < BURSTS; burst++) {
		for (r = 0; r < rounds; r++) {
			/* Another size each time, as another kind of request. */
			size_t lo = 16u << rng_below(&rng, 4);

			for (i = 0; i < OBJECTS; i++)
				objects[i] = bench_alloc(rng_power_law(&rng, lo, lo * 16));
			for (i = 0; i < OBJECTS; i++)
				bench_free(objects[i]);
		}
		bench_sleep_ms(1 + rng_below(&rng, 8));
	}
	free(objects);
	return NULL;
}

int main(int argc, char **argv)
{
	unsigned int n = 2 * bench_threads();
	unsigned long rounds = bench_times(bench_scale(argc, argv), 96.0 / n);

	bench_run_threads(n, worker, &rounds);
	return 0;
}
