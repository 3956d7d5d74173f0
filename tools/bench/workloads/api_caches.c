// SPDX-License-Identifier: MIT
/*
 * api_caches.c - cost of an alloc and a free against the number of caches in use.
 *
 *	api_caches SCALE [MOST]		MOST: caches at the end, 10000 if not said
 *
 * Stands for: a large program with a cache for each kind of object, and a malloc
 * that has one for each size. Described: slabinfo of a running kernel, 200 caches
 * and, with memory control groups, thousands.
 *
 * Prints caches_N_ns for N = 1, 10 ... MOST; the caches are used in turns, an
 * object of each live; and beside it memory_N_ns, what writing to these objects costs
 * with no allocation. On a malloc, N is the number of slots.
 */
#include "../objcache.h"

int main(int argc, char **argv)
{
	unsigned long ops = bench_times(bench_scale(argc, argv), 2e6), n, made = 0, i, k;
	unsigned long most = argc > 2 ? (unsigned long)atof(argv[2]) : 10000;
	objcache_t *caches = bench_ptr(calloc(most, sizeof(*caches)));
	void **objects = bench_ptr(calloc(most, sizeof(*objects)));
	uint64_t start;
	char name[32];

	for (n = 1; n <= most; n *= 10) {
		for (; made < n; made++) {
			snprintf(name, sizeof(name), "bench_%lu", made);
			caches[made] = objcache_create(name, 64);
			objects[made] = bench_fill(obj_alloc(caches[made]), 64);
		}
		start = bench_now_ns();
		for (i = 0, k = 0; i < ops; i++) {
			++*(volatile long *)objects[k];
			k = k + 1 == n ? 0 : k + 1;
		}
		bench_say_ns("memory", n, bench_now_ns() - start, (double)ops);
		start = bench_now_ns();
		for (i = 0, k = 0; i < ops; i++) {
			obj_free(caches[k], objects[k]);
			objects[k] = obj_alloc(caches[k]);
			++*(volatile long *)objects[k];
			k = k + 1 == n ? 0 : k + 1;
		}
		bench_say_ns("caches", n, bench_now_ns() - start, (double)ops);
	}
	return 0;
}
