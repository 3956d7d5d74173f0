// SPDX-License-Identifier: MIT
/* Tests of mm/genalloc.c: chunks, algorithms, misuse, threads, a million blocks. */
#include "slab_test.h"

#include <errno.h>
#include <unistd.h>

#include <kmem/genalloc.h>

#include "capture.h"
#include "mm/genalloc.h"

#define BASE	0x10000000UL

static struct gen_pool *make(int order, size_t size)
{
	struct gen_pool *pool = gen_pool_create(order, -1);

	cr_assert_not_null(pool);
	cr_assert_eq(gen_pool_add(pool, BASE, size, -1), 0);
	return pool;
}

Test(genalloc, sizes_are_rounded_to_the_granule)
{
	struct gen_pool *pool = make(5, 1000);

	cr_expect_eq(gen_pool_size(pool), 992);
	cr_expect_eq(gen_pool_alloc(pool, 1), BASE);
	cr_expect_eq(gen_pool_alloc(pool, 33), BASE + 32);
	cr_expect_eq(gen_pool_alloc(pool, 1), BASE + 96);
	cr_expect_eq(gen_pool_avail(pool), 992 - 128);
	gen_pool_free(pool, BASE + 32, 33);
	cr_expect_eq(gen_pool_alloc(pool, 64), BASE + 32);
	cr_expect_eq(gen_pool_alloc(pool, 0), 0);
	cr_expect_eq(gen_pool_alloc(pool, SIZE_MAX), 0);
	cr_expect_eq(gen_pool_alloc(pool, 992), 0);
	gen_pool_free(pool, BASE, 128);		/* three blocks at once */
	cr_expect_eq(gen_pool_avail(pool), 992);
	cr_expect_eq(gen_pool_validate(pool), 0);
	gen_pool_destroy(pool);
	gen_pool_destroy(NULL);
}

Test(genalloc, chunks)
{
	struct gen_pool *pool = make(12, 8192);

	cr_expect_eq(gen_pool_add(pool, BASE + 8192, 8192, -1), 0);
	cr_expect_eq(gen_pool_add_virt(pool, BASE + (1UL << 30), 0x5000, 4096, -1), 0);
	cr_expect_eq(gen_pool_add(pool, BASE + 4096, 8192, -1), -EEXIST);
	cr_expect_eq(gen_pool_add(pool, 0, 8192, -1), -EINVAL);
	cr_expect_eq(gen_pool_add(pool, BASE + 100, 8192, -1), -EINVAL);
	cr_expect_eq(gen_pool_add(pool, 4096, 4095, -1), -EINVAL);
	cr_expect_eq(gen_pool_add(pool, -4096UL, 8192, -1), -EINVAL);
	cr_expect_eq(gen_pool_size(pool), 5 * 4096);
	/* Neighbours that are two chunks are not one piece. */
	cr_expect_eq(gen_pool_alloc(pool, 16384), 0);
	cr_expect(gen_pool_has_addr(pool, BASE, 8192));
	cr_expect_not(gen_pool_has_addr(pool, BASE, 8193));
	cr_expect_not(gen_pool_has_addr(pool, BASE - 1, 1));
	cr_expect_eq(gen_pool_virt_to_phys(pool, BASE + (1UL << 30) + 10), 0x500a);
	cr_expect_eq(gen_pool_virt_to_phys(pool, BASE), (phys_addr_t)-1);
	cr_expect_eq(gen_pool_virt_to_phys(pool, 1), (phys_addr_t)-1);
	gen_pool_destroy(pool);
	cr_expect_null(gen_pool_create(-1, -1));
	cr_expect_null(gen_pool_create(64, -1));
}

Test(genalloc, dma_alloc_gives_both_addresses)
{
	struct gen_pool *pool = gen_pool_create(4, -1);
	dma_addr_t dma = 0;

	cr_assert_eq(gen_pool_add_virt(pool, BASE, 0x800, 64, -1), 0);
	cr_expect_eq(gen_pool_alloc(pool, 16), BASE);
	cr_expect_eq((unsigned long)gen_pool_dma_alloc(pool, 16, &dma), BASE + 16);
	cr_expect_eq(dma, 0x810);
	cr_expect_null(gen_pool_dma_alloc(pool, 64, &dma));
	gen_pool_free(pool, BASE, 32);
	gen_pool_destroy(pool);
}

Test(genalloc, algorithms)
{
	struct genpool_data_align align = { .align = 256 };
	struct genpool_data_fixed fixed = { .offset = 1024 };
	struct gen_pool *pool = make(4, 65536);
	unsigned long all = gen_pool_alloc(pool, 65536);

	cr_assert_eq(all, BASE);
	/* Holes of 96, 64 and 128 bytes. */
	gen_pool_free(pool, BASE + 16, 96);
	gen_pool_free(pool, BASE + 512, 64);
	gen_pool_free(pool, BASE + 1024, 128);
	cr_expect_eq(gen_pool_alloc_algo(pool, 64, gen_pool_best_fit, NULL), BASE + 512);
	gen_pool_free(pool, BASE + 512, 64);
	cr_expect_eq(gen_pool_alloc(pool, 64), BASE + 16);
	gen_pool_free(pool, BASE + 16, 64);
	cr_expect_eq(gen_pool_alloc_algo(pool, 16, gen_pool_first_fit_align, &align), BASE + 512);
	cr_expect_eq(gen_pool_alloc_algo(pool, 100, gen_pool_first_fit_order_align, NULL),
		     BASE + 1024);
	gen_pool_free(pool, BASE + 1024, 100);
	cr_expect_eq(gen_pool_alloc_algo(pool, 32, gen_pool_fixed_alloc, &fixed), BASE + 1024);
	cr_expect_eq(gen_pool_alloc_algo(pool, 32, gen_pool_fixed_alloc, &fixed), 0);
	align.align = 3;
	cr_expect_eq(gen_pool_alloc_algo(pool, 16, gen_pool_first_fit_align, &align), 0);
	gen_pool_set_algo(pool, gen_pool_best_fit, NULL);
	cr_expect_eq(gen_pool_alloc(pool, 48), BASE + 528);
	gen_pool_set_algo(pool, NULL, NULL);
	cr_expect_eq(gen_pool_alloc(pool, 48), BASE + 16);
	cr_expect_eq(gen_pool_validate(pool), 0);
}

/* Small sizes from the front, large ones at multiples of what @data says: one's own. */
static unsigned long by_size(struct gen_pool *pool, size_t size, void *data)
{
	return size < 256 ? gen_pool_first_fit(pool, size, NULL) :
			    gen_pool_first_fit_align(pool, size, data);
}

Test(genalloc, an_algorithm_of_ones_own)
{
	struct genpool_data_align align = { .align = 4096 };
	struct gen_pool *pool = make(4, 65536);

	gen_pool_set_algo(pool, by_size, &align);
	cr_expect_eq(gen_pool_alloc(pool, 16), BASE);
	cr_expect_eq(gen_pool_alloc(pool, 256), BASE + 4096);
	cr_expect_eq(gen_pool_alloc(pool, 30), BASE + 16);
	cr_expect_eq(gen_pool_validate(pool), 0);
}

static unsigned long always_there(struct gen_pool *pool, size_t size, void *data)
{
	(void)pool;
	(void)size;
	return (unsigned long)data;
}

static void choose_what_is_used(void)
{
	struct gen_pool *pool = make(4, 4096);

	gen_pool_alloc(pool, 16);
	gen_pool_alloc_algo(pool, 64, always_there, (void *)BASE);
}

static void choose_between(void)
{
	gen_pool_alloc_algo(make(4, 4096), 64, always_there, (void *)(BASE + 8));
}

static void choose_elsewhere(void)
{
	gen_pool_alloc_algo(make(4, 4096), 64, always_there, (void *)(BASE + 4096));
}

Test(genalloc, a_bad_choice_stops)
{
	assert_aborts(choose_what_is_used, "gen_pool_alloc: the algorithm chose [10000000, 10000040)");
	assert_aborts(choose_between, "which is not all free");
	assert_aborts(choose_elsewhere, "which is not all free");
}

static struct gen_pool *destroyed(void)
{
	struct gen_pool *pool = make(4, 4096);

	gen_pool_destroy(pool);
	return pool;
}

static void alloc_after_destroy(void) { gen_pool_alloc(destroyed(), 16); }
static void free_after_destroy(void) { gen_pool_free(destroyed(), BASE, 16); }
static void add_after_destroy(void) { gen_pool_add(destroyed(), BASE + 4096, 4096, -1); }
static void ask_after_destroy(void) { gen_pool_avail(destroyed()); }
static void destroy_twice(void) { gen_pool_destroy(destroyed()); }

static void free_twice(void)
{
	struct gen_pool *pool = make(4, 4096);

	gen_pool_alloc(pool, 64);
	gen_pool_alloc(pool, 64);
	gen_pool_free(pool, BASE, 64);
	gen_pool_free(pool, BASE, 64);
}

static void free_too_much(void)
{
	struct gen_pool *pool = make(4, 4096);

	gen_pool_alloc(pool, 64);
	gen_pool_free(pool, BASE, 128);
}

static void free_foreign(void)
{
	gen_pool_free(make(4, 4096), BASE + 4096, 16);
}

static void free_between(void)
{
	struct gen_pool *pool = make(4, 4096);

	gen_pool_alloc(pool, 64);
	gen_pool_free(pool, BASE + 8, 16);
}

static void destroy_in_use(void)
{
	struct gen_pool *pool = make(4, 4096);

	gen_pool_alloc(pool, 64);
	gen_pool_destroy(pool);
}

Test(genalloc, misuse_stops)
{
	assert_aborts(free_twice, "gen_pool_free: [10000000, 10000040) is not all in use");
	assert_aborts(free_too_much, "gen_pool_free: [10000000, 10000080) is not all in use");
	assert_aborts(free_foreign, "gen_pool_free: [10001000, 10001010) is not in the pool");
	assert_aborts(free_between, "is not in the pool");
	assert_aborts(destroy_in_use, ": 64 bytes are in use");
	assert_aborts(alloc_after_destroy, "gen_pool_alloc: ");
	assert_aborts(free_after_destroy, "gen_pool_free: ");
	assert_aborts(add_after_destroy, "gen_pool_add: ");
	assert_aborts(ask_after_destroy, "is not a pool, or one that was destroyed");
	assert_aborts(destroy_twice, "gen_pool_destroy: ");
}

/* Each thread holds blocks of its own, with its own pattern; pieces never overlap. */
#define THREADS	8
#define HELD	64

static struct gen_pool *shared;

static void *use_shared(void *arg)
{
	u64 seed = (u64)(unsigned long)arg + 1;
	size_t size[HELD] = { 0 };
	unsigned long at[HELD] = { 0 };

	for (int i = 0; i < 4000; i++) {
		unsigned int k = rnd(&seed) % HELD;

		if (at[k]) {
			if (!filled((void *)at[k], size[k], (unsigned char)(unsigned long)arg))
				return (void *)1;
			gen_pool_free(shared, at[k], size[k]);
			at[k] = 0;
		} else {
			size[k] = 1 + rnd(&seed) % 300;
			at[k] = gen_pool_alloc(shared, size[k]);
			if (at[k])
				fill((void *)at[k], size[k], (unsigned char)(unsigned long)arg);
		}
	}
	for (unsigned int k = 0; k < HELD; k++)
		if (at[k])
			gen_pool_free(shared, at[k], size[k]);
	return NULL;
}

Test(genalloc, eight_threads, .timeout = 120)
{
	static char memory[THREADS * HELD * 200] __aligned(16);
	pthread_t threads[THREADS];
	void *wrong;

	shared = gen_pool_create(3, -1);
	cr_assert_eq(gen_pool_add(shared, (unsigned long)memory, sizeof(memory), -1), 0);
	gen_pool_set_algo(shared, gen_pool_best_fit, NULL);
	for (unsigned long i = 0; i < THREADS; i++)
		cr_assert_eq(pthread_create(&threads[i], NULL, use_shared, (void *)i), 0);
	for (int i = 0; i < THREADS; i++) {
		pthread_join(threads[i], &wrong);
		cr_expect_null(wrong);
	}
	cr_expect_eq(gen_pool_avail(shared), sizeof(memory));
	cr_expect_eq(gen_pool_validate(shared), 0);
	gen_pool_destroy(shared);
}

/*
 * A million blocks, every other one freed: half a million pieces. The searches that
 * follow have to pass all of them, as a list would; in a tree it is some twenty steps.
 * A thousand of each take milliseconds; walking lists, they would take minutes.
 */
Test(genalloc, a_million_blocks, .timeout = 60)
{
	enum { N = 1000000 };
	struct gen_pool *pool = make(3, (size_t)N * 64 + 4096);

	gen_pool_alloc_algo(pool, 64, gen_pool_best_fit, NULL);
	for (unsigned long i = 1; i < N; i++)
		cr_assert_eq(gen_pool_alloc(pool, 64), BASE + i * 64);
	for (unsigned long i = 0; i < N; i += 2)
		gen_pool_free(pool, BASE + i * 64, 64);
	for (int i = 0; i < 1000; i++) {
		unsigned long last = BASE + (unsigned long)N * 64;

		cr_assert_eq(gen_pool_alloc(pool, 72), last);
		gen_pool_free(pool, last, 72);
		cr_assert_eq(gen_pool_alloc_algo(pool, 72, gen_pool_best_fit, NULL), last);
		gen_pool_free(pool, last, 72);
		gen_pool_free(pool, BASE + (N - 1) * 64, 64);
		cr_assert_eq(gen_pool_alloc_algo(pool, 128, gen_pool_first_fit, NULL),
			     BASE + (N - 2) * 64);
		gen_pool_free(pool, BASE + (N - 2) * 64, 64);
		cr_assert_eq(pool->space.nr, N / 2 + 1);
	}
	cr_expect_eq(gen_pool_validate(pool), 0);
	gen_pool_free(pool, BASE + 64, 64);
	for (unsigned long i = 3; i < N; i += 2)
		gen_pool_free(pool, BASE + i * 64, 64);
	cr_expect_eq(pool->space.nr, 1);
	gen_pool_destroy(pool);
}

/* The books need memory where a piece begins in the midst of what is in use. */
Test(genalloc, no_memory)
{
	struct gen_pool *pool, *last = NULL;

	fault_every_call(true);
	while ((pool = gen_pool_create(3, -1)))	/* what is in stock */
		last = pool;
	fault_every_call(false);
	if (last)
		gen_pool_destroy(last);
	pool = make(3, 4096);
	cr_assert_neq(gen_pool_alloc(pool, 4096), 0);
	fault_every_call(true);
	/* A node in stock, and those left over from before, are enough for a few. */
	gen_pool_free(pool, BASE, 8);
	fault_every_call(false);
	gen_pool_free(pool, BASE + 8, 4088);
	gen_pool_destroy(pool);
}

static void *bring_memory(void *arg)
{
	(void)arg;
	usleep(50000);
	fault_every_call(false);
	return NULL;
}

Test(genalloc, a_free_waits_for_the_memory_it_needs, .timeout = 60)
{
	struct gen_pool *pool = make(3, 1 << 16);
	void *all = NULL, *p;
	pthread_t thread;

	cr_assert_eq(gen_pool_alloc(pool, 1 << 16), BASE);
	/* Pieces that do not touch, until the stock is used up, and all there is besides. */
	while (pool->space.nr_stock) {
		pool_lock(&pool->lock);
		p = extent_stock_take(&pool->space);
		pool_unlock(&pool->lock);
		kfree(p);
	}
	cr_assert_eq(pthread_create(&thread, NULL, bring_memory, NULL), 0);
	fault_every_call(true);
	while ((p = kmalloc(sizeof(struct extent), GFP_NOWAIT))) {
		*(void **)p = all;
		all = p;
	}
	gen_pool_free(pool, BASE, 8);
	pthread_join(thread, NULL);
	cr_expect_null(host_fault);
	cr_expect_eq(gen_pool_avail(pool), 8);
	cr_expect_eq(gen_pool_validate(pool), 0);
}

Test(genalloc, dma_alloc_in_all_its_forms)
{
	static char room[4096] __attribute__((aligned(4096)));
	struct genpool_data_fixed fixed = { .offset = 1024 };
	struct gen_pool *pool = gen_pool_create(4, -1);
	unsigned long base = (unsigned long)room;
	dma_addr_t dma = 0;
	char *p;

	memset(room, 1, sizeof(room));
	cr_assert_eq(gen_pool_add_virt(pool, base, 0x70000, sizeof(room), -1), 0);
	cr_expect_eq(gen_pool_dma_alloc_algo(pool, 16, &dma, gen_pool_fixed_alloc, &fixed),
		     room + 1024);
	cr_expect_eq(dma, 0x70400);
	cr_expect_null(gen_pool_dma_alloc_algo(pool, 16, &dma, gen_pool_fixed_alloc, &fixed));
	cr_expect_null(gen_pool_dma_zalloc_algo(pool, 16, &dma, gen_pool_fixed_alloc, &fixed));
	p = gen_pool_dma_zalloc(pool, 16, NULL);
	cr_expect(p == room && p[0] == 0 && p[15] == 0 && p[16] == 1);
	cr_expect_eq(gen_pool_dma_alloc_align(pool, 16, &dma, 512), room + 512);
	cr_expect(dma == 0x70200 && room[512] == 1);
	cr_expect_null(gen_pool_dma_alloc_align(pool, 16, &dma, 48));
	p = gen_pool_dma_zalloc_align(pool, 32, &dma, 256);
	cr_expect(p == room + 256 && p[31] == 0 && p[32] == 1 && dma == 0x70100);
	fixed.offset = 2048;
	p = gen_pool_dma_zalloc_algo(pool, 16, &dma, gen_pool_fixed_alloc, &fixed);
	cr_expect(p == room + 2048 && p[15] == 0 && dma == 0x70800);
	gen_pool_free(pool, base, 16);
	gen_pool_free(pool, base + 256, 32);
	gen_pool_free(pool, base + 512, 16);
	gen_pool_free(pool, base + 1024, 16);
	gen_pool_free(pool, base + 2048, 16);
	gen_pool_destroy(pool);
}
