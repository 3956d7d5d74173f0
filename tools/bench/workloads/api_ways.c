// SPDX-License-Identifier: MIT
/*
 * api_ways.c - the ways to take an object of a cache, against the plain hit.
 *
 * Stands for: code that prefers one for what it promises, and should not pay for that:
 * constructed objects, a stock that cannot run dry, many at once. Described:
 * Bonwick, "The Slab Allocator" (USENIX 1994), for constructors; the kernel's maple tree,
 * which takes its nodes from prefilled sheaves.
 *
 * Prints, for objects of 128 bytes and rows of 16, by the object: plain_take_ns,
 * ctor_take_ns, sheaf_take_ns for the allocation alone, and plain_pair_ns,
 * ctor_pair_ns, bulk_pair_ns for an allocation and a free. Each is the least of many short runs,
 * which is what the way costs when nobody disturbs it. Under a malloc all are the plain way.
 */
#include "../objcache.h"

#define ROW	16
#define SIZE	128
#define ROUNDS	200	/* rows in a run, the clock's reading spread over them */

enum way { PLAIN, CTOR, SHEAF, BULK, NR_WAYS };

static const char *const names[NR_WAYS] = { "plain", "ctor", "sheaf", "bulk" };
static objcache_t caches[NR_WAYS];
static void *row[ROUNDS][ROW];

#ifdef BENCH_KMEM

static struct slab_sheaf *sheaf[ROUNDS];

static void construct(void *p)
{
	memset(p, 1, SIZE);
}

static void create_ctor(void)
{
	caches[CTOR] = bench_ptr(kmem_cache_create("bench_ctor", SIZE, 8, SLAB_NO_MERGE,
						   construct));
}

static void fill_sheaves(void)
{
	for (unsigned int r = 0; r < ROUNDS; r++) {
		if (!sheaf[r])
			sheaf[r] = bench_ptr(kmem_cache_prefill_sheaf(caches[SHEAF], GFP_KERNEL,
								      ROW));
		else if (kmem_cache_refill_sheaf(caches[SHEAF], GFP_KERNEL, &sheaf[r], ROW))
			bench_ptr(NULL);
	}
}

static inline void *take_from_sheaf(unsigned int r)
{
	return bench_ptr(kmem_cache_alloc_from_sheaf(caches[SHEAF], GFP_KERNEL, sheaf[r]));
}

#else /* !BENCH_KMEM */

static void create_ctor(void)
{
	caches[CTOR] = objcache_create("bench_ctor", SIZE);
}

static void fill_sheaves(void)
{
}

static inline void *take_from_sheaf(unsigned int r)
{
	(void)r;
	return obj_alloc(caches[SHEAF]);
}

#endif

static void free_row(enum way way, unsigned int r)
{
	for (unsigned int i = ROW; i-- > 0; )
		obj_free(caches[way], row[r][i]);
}

/* A row in and out, and the next: all but the first are hits. */
static double pair_ns(enum way way)
{
	uint64_t start = bench_now_ns();

	for (unsigned int r = 0; r < ROUNDS; r++) {
		if (way == BULK) {
			obj_alloc_bulk(caches[way], ROW, row[0]);
			obj_free_bulk(caches[way], ROW, row[0]);
			continue;
		}
		for (unsigned int i = 0; i < ROW; i++)
			row[0][i] = obj_alloc(caches[way]);
		free_row(way, 0);
	}
	return (double)(bench_now_ns() - start) / (ROUNDS * ROW);
}

/* Taking alone; a row is given back outside the clock, so that it is a hit again. */
static double take_ns(enum way way)
{
	uint64_t spent = 0, start;

	if (way == SHEAF)
		fill_sheaves();
	for (unsigned int r = 0; r < ROUNDS; r++) {
		start = bench_now_ns();
		for (unsigned int i = 0; i < ROW; i++)
			row[r][i] = way == SHEAF ? take_from_sheaf(r) : obj_alloc(caches[way]);
		spent += bench_now_ns() - start;
		free_row(way, r);
	}
	return (double)spent / (ROUNDS * ROW);
}

static void say_least(enum way way, const char *what, double (*run)(enum way way),
		      unsigned long runs)
{
	double least = run(way);

	for (unsigned long i = 1; i < runs; i++) {
		double ns = run(way);

		least = ns < least ? ns : least;
	}
	printf("%s_%s_ns %.3f\n", names[way], what, least);
}

int main(int argc, char **argv)
{
	unsigned long runs = bench_times(bench_scale(argc, argv), 2e3);

	for (enum way way = 0; way < NR_WAYS; way++)
		if (way != CTOR)
			caches[way] = objcache_create(names[way], SIZE);
	create_ctor();
	for (enum way way = PLAIN; way <= SHEAF; way++)
		say_least(way, "take", take_ns, runs);
	for (enum way way = PLAIN; way < NR_WAYS; way++)
		if (way != SHEAF)
			say_least(way, "pair", pair_ns, runs);
	return 0;
}
