// SPDX-License-Identifier: MIT
/*
 * lifo.c - blocks of one size, freed in the reverse of the order they were taken in.
 *
 * Stands for: scratch memory of nested calls, such as recursive descent through
 * expressions or directories: what was taken last goes first, a handful to a
 * thousand levels deep. Described: glibc's benchtests/bench-malloc-simple, which
 * takes N blocks and frees them again, for N up to 1,600; Bonwick's slab paper
 * (USENIX 1994) gives alloc-free pairs as the case to be fastest at.
 */
#include "../bench.h"

int main(int argc, char **argv)
{
	static const size_t sizes[] = { 16, 48, 128, 400 };
	static const unsigned int depths[] = { 1, 10, 100, 1000 };
	unsigned long rounds = bench_times(bench_scale(argc, argv), 8e4), r;
	static void *stack[1000];
	unsigned int d, i, k;

	for (r = 0; r < rounds; r++) {
		size_t size = sizes[r % 4];

		for (d = 0; d < 4; d++) {
			for (k = 0; k < (d < 3 ? 100 / depths[d] : r % 8 == 0); k++) {
				for (i = 0; i < depths[d]; i++)
					stack[i] = bench_alloc(size);
				while (i > 0)
					bench_free(stack[--i]);
			}
		}
	}
	return 0;
}
