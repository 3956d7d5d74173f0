// SPDX-License-Identifier: MIT
/*
 * api_live.c - cost of an alloc and a free against the number of live objects.
 *
 *	api_live SCALE [MOST]		MOST: live objects at the end, 1e6 if not said
 *
 * Stands for: a program that has grown: no operation may search what is there.
 * Described: scalable allocators' claim of constant cost; here it is checked.
 *
 * With N objects of 64 bytes live, random ones are replaced. Prints live_N_ns for
 * N = 1e3, 1e4 ... MOST, and beside it memory_N_ns, what reading and writing a
 * random one of these objects, and the pointer to it, costs with no allocation: the
 * machine's own cache misses, which no allocator can take away. Each step waits for what the one
 * before read, in both: else the CPU overlaps the misses of as many steps as it has
 * room for instructions, which says more of that room than of the allocator. 1e8
 * objects need 8 GB: a step for which the machine has not twice that free is left out.
 */
#include "../objcache.h"

#define OBJECT	64

/*
 * The two take turns, so that what else the machine does meanwhile is in both, and their
 * difference is the median of the turns': of two sums of hundreds of ns each it would be noise.
 */
#define TURNS	101

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double *figures)
{
	qsort(figures, TURNS, sizeof(*figures), compare);
	return figures[TURNS / 2];
}

static void step(objcache_t c, void **objects, unsigned long n, unsigned long ops)
{
	struct rng rng = rng_seed(120);
	double memory[TURNS], more[TURNS];
	unsigned long i, wait = 0;

	ops = ops / TURNS + 1;
	for (int turn = 0; turn < TURNS; turn++) {
		uint64_t start = bench_now_ns(), middle;

		for (i = 0; i < ops; i++) {
			void **slot = &objects[rng_below(&rng, (uint32_t)n) + wait];

			*(void *volatile *)slot = *slot;
			wait = touch_and_wait(*slot);
		}
		middle = bench_now_ns();
		for (i = 0; i < ops; i++) {
			void **slot = &objects[rng_below(&rng, (uint32_t)n) + wait];

			obj_free(c, *slot);
			*slot = obj_alloc(c);
			wait = touch_and_wait(*slot);
		}
		memory[turn] = (double)(middle - start);
		more[turn] = (double)(bench_now_ns() - middle) - memory[turn];
	}
	bench_say_ns("memory", n, median(memory), (double)ops);
	bench_say_ns("live", n, median(memory) + median(more), (double)ops);
}

static bool enough_memory(unsigned long n)
{
	long pages = sysconf(_SC_AVPHYS_PAGES), size = sysconf(_SC_PAGESIZE);

	return (double)n * (OBJECT + 16) * 2 < (double)pages * (double)size;
}

int main(int argc, char **argv)
{
	unsigned long ops = bench_times(bench_scale(argc, argv), 2e6), n, live = 0;
	double most = argc > 2 ? atof(argv[2]) : 1e6;
	objcache_t c = objcache_create("bench_live", OBJECT);
	void **objects = bench_ptr(malloc((size_t)most * sizeof(*objects)));

	for (n = 1000; (double)n <= most && enough_memory(n); n *= 10) {
		for (; live < n; live++)
			objects[live] = bench_fill(obj_alloc(c), OBJECT);
		step(c, objects, n, ops);
	}
	return 0;
}
