// SPDX-License-Identifier: MIT
/*
 * api_rcu.c - objects that are freed after a grace period, beside such that are freed
 * at once.
 *
 * Stands for: a routing table, a name cache: what lock-free readers may still see is
 * retired in a steady stream. Described: the kernel's use of kfree_rcu(), and its
 * rcuscale test, which measures the same.
 *
 * Prints at_once_N_ns and deferred_N_ns for objects of N bytes, each for a free alone:
 * batches of 20000 are allocated outside the measured time, and waiting until all are
 * freed is inside. On a malloc deferred is what a program does that has nothing for it:
 * a list through the objects, freed at the end.
 */
#include "../objcache.h"

#define BATCH	20000

static void *objects[BATCH];

static void fill(size_t size)
{
	for (unsigned int i = 0; i < BATCH; i++)
		objects[i] = bench_fill(obj_malloc(size), 16);
}

int main(int argc, char **argv)
{
	static const unsigned int sizes[] = { 64, 256, 1000 };
	unsigned long rounds = bench_times(bench_scale(argc, argv), 200), r;
	uint64_t at_once, deferred, start;

	for (unsigned int s = 0; s < 3; s++) {
		at_once = deferred = 0;
		for (r = 0; r < rounds; r++) {
			fill(sizes[s]);
			start = bench_now_ns();
			for (unsigned int i = 0; i < BATCH; i++)
				obj_mfree(objects[i]);
			at_once += bench_now_ns() - start;
			fill(sizes[s]);
			start = bench_now_ns();
			for (unsigned int i = 0; i < BATCH; i++)
				obj_mfree_later(objects[i]);
			obj_mfree_now();
			deferred += bench_now_ns() - start;
		}
		bench_say_ns("at_once", sizes[s], at_once, (double)rounds * BATCH);
		bench_say_ns("deferred", sizes[s], deferred, (double)rounds * BATCH);
	}
	return 0;
}
