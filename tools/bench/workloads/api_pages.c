// SPDX-License-Identifier: MIT
/*
 * api_pages.c - blocks of 1, 8 and 512 pages taken, touched, given back.
 *
 * Stands for: stacks of coroutines, buffers of a storage engine, a JIT's code areas,
 * for which programs call mmap. Described: Documentation/core-api/mm-api in
 * Linux; the kernel's page allocator benchmarks by order.
 *
 * The first byte of each page is written. Prints pages_ORDER_ns, for a block
 * taken, touched and given back, sixteen live at a time. With a second argument
 * "mmap" it prints mmap_ORDER_ns instead: the same by mmap and munmap.
 */
#include <sys/mman.h>

#include "../objcache.h"

#define HELD	16

static void touch(char *p, unsigned int order)
{
	unsigned long i;

	for (i = 0; i < 1ul << order; i++)
		*(volatile char *)(p + i * 4096) = 1;
}

static uint64_t by_pages(unsigned long rounds, unsigned int order)
{
	uint64_t start = bench_now_ns();
	void *held[HELD] = { NULL };
	unsigned long r;

	for (r = 0; r < rounds + HELD; r++) {
		void **slot = &held[r % HELD];

		if (*slot)
			pages_free(*slot, order);
		*slot = NULL;
		if (r < rounds) {
			*slot = pages_alloc(order);
			touch(*slot, order);
		}
	}
	return bench_now_ns() - start;
}

static uint64_t by_mmap(unsigned long rounds, unsigned int order)
{
	uint64_t start = bench_now_ns();
	void *held[HELD] = { NULL };
	unsigned long r;

	for (r = 0; r < rounds + HELD; r++) {
		void **slot = &held[r % HELD];

		if (*slot)
			munmap(*slot, 4096ul << order);
		*slot = NULL;
		if (r < rounds) {
			*slot = mmap(NULL, 4096ul << order, PROT_READ | PROT_WRITE,
				     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
			if (*slot == MAP_FAILED)
				exit(1);
			touch(*slot, order);
		}
	}
	return bench_now_ns() - start;
}

int main(int argc, char **argv)
{
	static const unsigned int orders[] = { 0, 3, 9 };
	static const double blocks[] = { 1e7, 4e6, 4e3 };
	bool by_system = argc > 2 && strcmp(argv[2], "mmap") == 0;
	double scale = bench_scale(argc, argv);
	unsigned long rounds;
	unsigned int o;

	for (o = 0; o < 3; o++) {
		/* A system call and its faults take some two hundred times as long. */
		rounds = bench_times(scale, by_system ? blocks[o] / 200 : blocks[o]);
		if (by_system)
			bench_say_ns("mmap", orders[o], by_mmap(rounds, orders[o]), (double)rounds);
		else
			bench_say_ns("pages", orders[o], by_pages(rounds, orders[o]), (double)rounds);
	}
	return 0;
}
