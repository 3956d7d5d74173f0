// SPDX-License-Identifier: MIT
/*
 * fifo.c - blocks of one size, freed in the order they were taken in.
 *
 * Stands for: queues: events of a simulation, lines of a pipeline, packets.
 * What is freed is always the coldest block, so that an allocator that hands
 * out last what was freed first walks through all of the queue's memory over
 * and over. Described: Wilson et al., "Dynamic Storage Allocation: A Survey"
 * (1995), on queue-like lifetimes.
 */
#include "../bench.h"

#define LONGEST	16384

int main(int argc, char **argv)
{
	static const unsigned int lengths[] = { 64, 1024, LONGEST };
	static const size_t sizes[] = { 40, 200, 1024 };
	unsigned long steps = bench_times(bench_scale(argc, argv), 5e6), i;
	static void *queue[LONGEST];
	unsigned int q;

	for (q = 0; q < 3; q++) {
		unsigned int length = lengths[q];

		for (i = 0; i < steps; i++) {
			void **slot = &queue[i & (length - 1)];

			bench_free(*slot);
			*slot = bench_alloc(sizes[q]);
		}
		for (i = 0; i < length; i++) {
			bench_free(queue[i]);
			queue[i] = NULL;
		}
	}
	return 0;
}
