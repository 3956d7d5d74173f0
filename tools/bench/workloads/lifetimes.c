// SPDX-License-Identifier: MIT
/*
 * lifetimes.c - small blocks of a few sizes, each freed at a random time.
 *
 * Stands for: records of sessions, requests or entities that come and go in
 * no order. Described: alloc-test (node-dcpp on GitHub, ITHare 2018): a table of slots, each step empties or fills a random one,
 * and fills in what it has taken.
 */
#include "../bench.h"

#define SLOTS	20000

int main(int argc, char **argv)
{
	unsigned long steps = bench_times(bench_scale(argc, argv), 1.5e7), i;
	static void *slots[SLOTS];
	struct rng rng = rng_seed(3);

	for (i = 0; i < steps; i++) {
		unsigned int s = rng_below(&rng, SLOTS);

		if (slots[s]) {
			bench_free(slots[s]);
			slots[s] = NULL;
		} else {
			slots[s] = bench_alloc(16 + (rng_next(&rng) & 15) * 16);
		}
	}
	return 0;
}
