// SPDX-License-Identifier: MIT
/*
 * api_bulk.c - objects taken and given back many at a time.
 *
 * Stands for: network drivers that refill a ring of buffers, batched RPC. Described: the
 * kernel's documentation of kmem_cache_alloc_bulk(), made for such drivers.
 *
 * Prints bulk_N_ns for each number of objects at a time, for an alloc and a free.
 */
#include "../objcache.h"

int main(int argc, char **argv)
{
	static const unsigned int batches[] = { 4, 16, 64, 250 };
	double objects = bench_scale(argc, argv) * 1e7;
	unsigned long n, r;
	unsigned int b, i;
	void *batch[250];
	uint64_t start;
	objcache_t c;

	c = objcache_create("bench_bulk", 256);
	for (b = 0; b < 4; b++) {
		n = bench_times(1, objects / batches[b]);
		start = bench_now_ns();
		for (r = 0; r < n; r++) {
			obj_alloc_bulk(c, batches[b], batch);
			for (i = 0; i < batches[b]; i++)
				*(volatile long *)batch[i] = 1;
			obj_free_bulk(c, batches[b], batch);
		}
		bench_say_ns("bulk", batches[b], bench_now_ns() - start, (double)n * batches[b]);
	}
	return 0;
}
