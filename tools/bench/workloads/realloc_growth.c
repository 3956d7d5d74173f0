// SPDX-License-Identifier: MIT
/*
 * realloc_growth.c - buffers that grow: byte by byte, by half, and several at once.
 *
 * Stands for: string builders, growing arrays of parsers, getline(), buffers that
 * a reader doubles. Described: mremap(2), which exists for it; the growth rules
 * of std::vector, Python's list and redis' sds are the steps taken here.
 */
#include "../bench.h"

#define BUFFERS	32

/* All of them to @limit bytes, in turns, by @step bytes or (0) by half. */
static void grow(struct rng *rng, size_t limit, size_t step)
{
	static char *buf[BUFFERS];
	static size_t size[BUFFERS];
	unsigned int left = BUFFERS, i;

	memset(size, 0, sizeof(size));
	while (left > 0) {
		i = rng_below(rng, BUFFERS);
		if (size[i] < limit) {
			size_t more = step ? step : size[i] / 2 + 16;

			buf[i] = bench_ptr(realloc(buf[i], size[i] + more));
			memset(buf[i] + size[i], 1, more);
			size[i] += more;
			if (size[i] >= limit)
				left--;
		}
	}
	for (i = 0; i < BUFFERS; i++) {
		/* Cut to what is in it, as a builder does at the end. */
		buf[i] = bench_ptr(realloc(buf[i], size[i] - size[i] / 4));
		bench_free(buf[i]);
		buf[i] = NULL;
	}
}

int main(int argc, char **argv)
{
	unsigned long rounds = bench_times(bench_scale(argc, argv), 60), r;
	struct rng rng = rng_seed(6);
	unsigned int i;

	for (r = 0; r < rounds; r++) {
		for (i = 0; i < 20; i++)
			grow(&rng, 500, 8);
		grow(&rng, 20000, 24);
		grow(&rng, 100000, 0);
		if (r % 8 == 0)
			grow(&rng, 2 << 20, 0);
	}
	return 0;
}
