// SPDX-License-Identifier: MIT
/*
 * threads256.c - 256 threads on as few CPUs as there are.
 *
 * Stands for: servers with a thread for each connection, pools sized for a larger
 * machine. Memory that is kept for each thread is kept 256 times. Described:
 * tcmalloc's design document, on why its caches went from threads to CPUs.
 */
#include "../bench.h"

#define SLOTS	200

static void *worker(void *arg)
{
	struct bench_thread *t = arg;
	unsigned long steps = *(unsigned long *)t->arg, i;
	struct rng rng = rng_seed(100 + t->index);
	void *slots[SLOTS] = { NULL };

	for (i = 0; i < steps; i++) {
		void **slot = &slots[rng_below(&rng, SLOTS)];

		bench_free(*slot);
		*slot = bench_alloc(rng_power_law(&rng, 16, 8192));
		/* A request is over: the next connection's turn. */
		if (i % 512 == 511)
			sched_yield();
	}
	for (i = 0; i < SLOTS; i++)
		bench_free(slots[i]);
	return NULL;
}

int main(int argc, char **argv)
{
	unsigned long steps = bench_times(bench_scale(argc, argv), 4e4);

	bench_run_threads(256, worker, &steps);
	return 0;
}
