// SPDX-License-Identifier: MIT
/*
 * cache_thrash.c - every thread takes a small object, writes it often, frees it.
 *
 * Stands for: active false sharing: an allocator that serves threads on several CPUs
 * from one cache line makes it travel at every write. Described: active-false,
 * also cache-thrash, in Berger et al., "Hoard" (ASPLOS 2000).
 */
#include "../bench.h"

static unsigned long rounds;

static void *worker(void *arg)
{
	unsigned long r;
	unsigned int i;

	for (r = 0; r < rounds; r++) {
		volatile char *p = bench_ptr(malloc(8));

		for (i = 0; i < 200; i++)
			p[i & 7]++;
		free((void *)p);
	}
	return arg;
}

int main(int argc, char **argv)
{
	unsigned int n = bench_threads();

	rounds = bench_times(bench_scale(argc, argv), 4e6) / n + 1;
	bench_run_threads(n, worker, NULL);
	return 0;
}
