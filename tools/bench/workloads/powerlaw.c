// SPDX-License-Identifier: MIT
/*
 * powerlaw.c - sizes from a power law, 8 bytes to 64 KiB, random lifetimes.
 *
 * Stands for: a general program's mix: most objects small, most bytes in the
 * few large ones. Described: rptest of rpmalloc's benchmark suite; glibc's bench-malloc-thread draws sizes with an inverse
 * power from 4 bytes to 32 KiB.
 */
#include "../bench.h"

#define SLOTS	8192

int main(int argc, char **argv)
{
	unsigned long steps = bench_times(bench_scale(argc, argv), 1e7), i;
	static void *slots[SLOTS];
	struct rng rng = rng_seed(4);

	for (i = 0; i < steps; i++) {
		unsigned int s = rng_below(&rng, SLOTS);

		bench_free(slots[s]);
		slots[s] = bench_alloc(rng_power_law(&rng, 8, 65536));
	}
	return 0;
}
