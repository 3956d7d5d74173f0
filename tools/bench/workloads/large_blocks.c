// SPDX-License-Identifier: MIT
/*
 * large_blocks.c - 100 KB to 8 MB allocated, filled and freed over and over.
 *
 * Stands for: temporary buffers: decompression, image rows, matrices, messages,
 * an array expression's intermediate results. Each block that goes to mmap and
 * back pays for its faults and for zeroing it every time. Described:
 * mallopt(3) on M_MMAP_THRESHOLD, and why glibc adapts it to what the program does.
 */
#include "../bench.h"

int main(int argc, char **argv)
{
	unsigned long rounds = bench_times(bench_scale(argc, argv), 20000), r;
	struct rng rng = rng_seed(8);
	void *held[3] = { NULL };
	unsigned int i;

	for (r = 0; r < rounds; r++) {
		size_t size = 100000 + rng_power_law(&rng, 32768, 8 << 20);

		bench_free(held[r % 3]);
		held[r % 3] = bench_alloc(size);
	}
	for (i = 0; i < 3; i++)
		bench_free(held[i]);
	return 0;
}
