// SPDX-License-Identifier: MIT
/*
 * calloc_large.c - zeroed blocks of 64 KiB to 4 MiB, used in part, a few at a time.
 *
 * Stands for: tables and images that begin as zeros: hash tables, numpy.zeros,
 * frame buffers, caches of a database. Half of the blocks are filled, the other
 * half only here and there: who zeroes by hand what the kernel zeroed already
 * pays twice. Described: mallopt(3) on M_MMAP_THRESHOLD (mapped blocks come zeroed);
 * numpy.zeros, whose documentation leaves the clearing to calloc.
 */
#include "../bench.h"

#define SLOTS	8

int main(int argc, char **argv)
{
	unsigned long rounds = bench_times(bench_scale(argc, argv), 10000), r;
	struct rng rng = rng_seed(7);
	static char *slots[SLOTS];
	size_t i;

	for (r = 0; r < rounds; r++) {
		unsigned int s = rng_below(&rng, SLOTS);
		size_t size = rng_power_law(&rng, 65536, 4 << 20);

		bench_free(slots[s]);
		slots[s] = bench_ptr(calloc(1, size));
		if (r & 1)
			memset(slots[s], 1, size);
		else
			for (i = 0; i < size; i += 16384)
				slots[s][i] = 1;
	}
	return 0;
}
