// SPDX-License-Identifier: MIT
/*
 * cache_scratch.c - objects that one thread took together, freed and written by many.
 *
 * Stands for: passive false sharing: neighbours handed to different threads, which
 * free them and get them (and half a cache line of another's) back. Described:
 * passive-false, also cache-scratch, in Berger et al., "Hoard: A Scalable Memory
 * Allocator for Multithreaded Applications" (ASPLOS 2000).
 */
#include "../bench.h"

static void *first[BENCH_MAX_THREADS];
static unsigned long rounds;

static void *worker(void *arg)
{
	struct bench_thread *t = arg;
	unsigned long r;
	unsigned int i;

	bench_free(first[t->index]);
	for (r = 0; r < rounds; r++) {
		volatile char *p = bench_ptr(malloc(8));

		for (i = 0; i < 200; i++)
			p[i & 7]++;
		free((void *)p);
	}
	return NULL;
}

int main(int argc, char **argv)
{
	unsigned int n = bench_threads(), i;

	rounds = bench_times(bench_scale(argc, argv), 4e6) / n + 1;
	for (i = 0; i < n; i++)
		first[i] = bench_alloc(8);
	bench_run_threads(n, worker, NULL);
	return 0;
}
