// SPDX-License-Identifier: MIT
/*
 * batches.c - many small sizes, freed in batches: some in order, some reversed, some kept.
 *
 * Stands for: passes of a compiler or a layout engine, each taking many objects
 * of all sizes and dropping most of them together at its end. Described:
 * MicroQuill's sh6bench and sh8bench (SmartHeap), in the benchmark sets of
 * Hoard and mimalloc: sizes of 1 to 1,000 bytes, small ones far more often,
 * freed in this mixed order.
 */
#include "../bench.h"

#define BATCH	12000
#define KEPT	4

int main(int argc, char **argv)
{
	unsigned long rounds = bench_times(bench_scale(argc, argv), 700), r;
	static void *batch[KEPT][BATCH];
	struct rng rng = rng_seed(5);
	unsigned int i;

	for (r = 0; r < rounds; r++) {
		void **b = batch[r % KEPT];

		/* The batch of KEPT rounds ago: a third each way, every eighth object stays. */
		for (i = 0; i < BATCH / 2; i++) {
			unsigned int j = r % 3 == 0 ? i : BATCH / 2 - 1 - i;

			if (j % 8 != 0 || r % 16 == 0) {
				bench_free(b[j]);
				b[j] = NULL;
			}
		}
		for (; i < BATCH; i++) {
			bench_free(b[i]);
			b[i] = NULL;
		}
		for (i = 0; i < BATCH; i++)
			if (!b[i])
				b[i] = bench_alloc(1 + (rng_power_law(&rng, 8, 1024)));
	}
	return 0;
}
