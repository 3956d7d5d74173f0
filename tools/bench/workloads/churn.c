// SPDX-License-Identifier: MIT
/*
 * churn.c - a large population of small objects whose sizes change over the hours.
 *
 * Stands for: a cache server's values: it is full, each new value evicts a
 * random old one, and the sizes drift as the application changes. What was
 * free among the old sizes does not serve the new ones. Described: Rumble et al.,
 * "Log-structured Memory for DRAM-based Storage" (FAST 2014), workloads W1 to
 * W8, where allocators needed up to twice the live bytes.
 */
#include "../bench.h"

#define OBJECTS	300000
#define PHASES	6

int main(int argc, char **argv)
{
	/* Base and spread of each phase: about 96 bytes on the mean, so that live bytes stay. */
	static const size_t lo[PHASES] = { 64, 16, 90, 24, 112, 40 };
	static const size_t spread[PHASES] = { 64, 160, 12, 144, 16, 112 };
	unsigned long steps = bench_times(bench_scale(argc, argv), 8e5), i;
	struct rng rng = rng_seed(10);
	unsigned int p, s;
	void **objects;

	objects = bench_ptr(calloc(OBJECTS, sizeof(*objects)));
	for (p = 0; p < PHASES; p++) {
		for (i = 0; i < steps; i++) {
			s = rng_below(&rng, OBJECTS);
			bench_free(objects[s]);
			objects[s] = bench_alloc(lo[p] + rng_below(&rng, (uint32_t)spread[p] + 1));
		}
	}
	return 0;
}
