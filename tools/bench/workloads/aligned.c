// SPDX-License-Identifier: MIT
/*
 * aligned.c - blocks with an alignment of 32 to 4,096 bytes, among ordinary ones.
 *
 * Stands for: vectors for SIMD, cache-line-aligned structures, buffers for direct
 * I/O. Who serves an alignment by asking for size + alignment wastes one
 * alignment a block. Described: posix_memalign(3); Eigen's and numpy's aligned
 * allocation; databases with O_DIRECT pages.
 */
#include "../bench.h"

#define SLOTS	4096

int main(int argc, char **argv)
{
	unsigned long steps = bench_times(bench_scale(argc, argv), 5e6), i;
	static void *slots[SLOTS];
	struct rng rng = rng_seed(14);

	for (i = 0; i < steps; i++) {
		unsigned int s = rng_below(&rng, SLOTS), kind = rng_next(&rng) & 7;
		size_t size = 32 + rng_below(&rng, 480), align = 32;

		bench_free(slots[s]);
		if (kind == 0) {
			size = align = 4096;
		} else if (kind < 3) {
			align = 64;
		} else if (kind == 7) {
			slots[s] = bench_alloc(size);
			continue;
		}
		if (posix_memalign(&slots[s], align, size) != 0)
			return 1;
		bench_fill(slots[s], size);
	}
	return 0;
}
