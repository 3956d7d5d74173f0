// SPDX-License-Identifier: MIT
/*
 * api_pairs.c - an object taken and given back at once, and a hundred in and out.
 *
 * Stands for: the kernel's use of object caches: a request, a dentry, a buffer head.
 * Described: Bonwick, "The Slab Allocator" (USENIX 1994), whose figure is this
 * pair; the kernel's slab microbenchmarks (alloc and free in pairs and in rows).
 *
 * Prints pair_SIZE_ns and row_SIZE_ns, each for an alloc and a free together.
 */
#include "../objcache.h"

#define ROW	100

int main(int argc, char **argv)
{
	static const unsigned int sizes[] = { 32, 192, 1024 };
	unsigned long rows = bench_times(bench_scale(argc, argv), 1e5), r;
	void *row[ROW], *p;
	unsigned int s, i;
	uint64_t start;
	objcache_t c;

	for (s = 0; s < 3; s++) {
		c = objcache_create("bench_pairs", sizes[s]);
		start = bench_now_ns();
		for (r = 0; r < rows * ROW; r++) {
			p = obj_alloc(c);
			*(volatile long *)p = 1;
			obj_free(c, p);
		}
		bench_say_ns("pair", sizes[s], bench_now_ns() - start, (double)rows * ROW);
		start = bench_now_ns();
		for (r = 0; r < rows; r++) {
			for (i = 0; i < ROW; i++) {
				row[i] = obj_alloc(c);
				*(volatile long *)row[i] = 1;
			}
			for (i = 0; i < ROW; i++)
				obj_free(c, row[i]);
		}
		bench_say_ns("row", sizes[s], bench_now_ns() - start, (double)rows * ROW);
	}
	return 0;
}
