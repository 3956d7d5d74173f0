// SPDX-License-Identifier: MIT
/* Tests of mm/blockpool.c: order, every error, sizes, threads. */
#include "slab_test.h"

#include <limits.h>

#include <kmem/blockpool.h>

Test(blockpool, last_in_first_out)
{
	struct blockpool bp;
	char *p[4];

	cr_assert_eq(blockpool_init(&bp, 32), 0);
	cr_expect_eq(bp.free_count, 128);
	cr_expect_eq(bp.block_size, 32);
	cr_expect_eq(bp.ptr, bp.mem);
	for (int i = 0; i < 4; i++) {
		p[i] = blockpool_alloc(&bp, 5 * (size_t)(i + 1));
		cr_expect_eq(p[i], (char *)bp.mem + 32 * i);
	}
	cr_expect_eq(blockpool_free(&bp, p[0]), 0);
	cr_expect_eq(bp.ptr, p[0]);
	cr_expect_eq(blockpool_free(&bp, p[2]), 0);
	cr_expect_eq(bp.ptr, p[2]);
	cr_expect_eq(blockpool_alloc(&bp, 25), p[2]);
	cr_expect_eq(blockpool_alloc(&bp, 30), p[0]);
	cr_expect_eq(bp.free_count, 124);
	cr_expect_eq(blockpool_destroy(&bp), 0);
}

Test(blockpool, every_error_has_its_code_and_text)
{
	struct blockpool bp, never;
	char *p, *last = NULL;
	void *block;
	int n = 0;

	memset(&never, 0x5a, sizeof(never));
	cr_expect_eq(blockpool_init(NULL, 8), BLOCKPOOL_INVALID);
	cr_expect_eq(blockpool_init(&bp, 0), BLOCKPOOL_INVALID);
	cr_expect_eq(blockpool_init(&bp, 4097), BLOCKPOOL_INVALID);
	cr_expect_eq(blockpool_init(&bp, (size_t)-1), BLOCKPOOL_INVALID);
	cr_expect_eq(blockpool_init_flags(&bp, 8, 0, 0), BLOCKPOOL_INVALID);
	cr_expect_eq(blockpool_init_flags(&bp, 8, SIZE_MAX / 2, 0), BLOCKPOOL_INVALID);
	cr_expect_eq(blockpool_init_flags(&bp, LONG_MAX / 4, 100, 0), BLOCKPOOL_INVALID);
	cr_expect_eq(blockpool_init_flags(&bp, 8, 8, 16), BLOCKPOOL_INVALID);
	cr_expect_null(blockpool_alloc(&never, 8));
	cr_expect_eq(never.error, BLOCKPOOL_INVALID);
	cr_expect_null(blockpool_alloc(NULL, 8));
	cr_expect_eq(blockpool_free(NULL, &n), BLOCKPOOL_INVALID);

	cr_assert_eq(blockpool_init(&bp, 1000), 0);
	cr_expect_null(blockpool_alloc(&bp, 1001));
	cr_expect_eq(bp.error, BLOCKPOOL_TOO_LARGE);
	cr_expect_eq(blockpool_take(&bp, (size_t)-5, &block), BLOCKPOOL_TOO_LARGE);
	cr_expect_null(blockpool_alloc(&bp, 0));
	cr_expect_eq(bp.error, BLOCKPOOL_INVALID);
	for (; (p = blockpool_alloc(&bp, 1000)); n++) {
		memset(p, n, 1000);
		last = p;
	}
	cr_expect_eq(n, 4);
	cr_expect_eq(bp.error, BLOCKPOOL_EMPTY);
	cr_expect_null(bp.ptr);
	cr_expect_eq(blockpool_free(&bp, &n), BLOCKPOOL_FOREIGN);
	cr_expect_eq(blockpool_free(&bp, (char *)bp.mem - 1), BLOCKPOOL_FOREIGN);
	cr_expect_eq(blockpool_free(&bp, (char *)bp.mem + 4000), BLOCKPOOL_FOREIGN);
	cr_expect_eq(blockpool_free(&bp, last + 1), BLOCKPOOL_INTERIOR);
	cr_expect_eq(blockpool_free(&bp, NULL), 0);
	cr_expect_eq(blockpool_free(&bp, last), 0);
	cr_expect_eq(blockpool_free(&bp, last), BLOCKPOOL_DOUBLE_FREE);
	cr_expect_eq(bp.free_count, 1);
	cr_expect_eq(blockpool_destroy(&bp), 0);
	cr_expect_eq(blockpool_destroy(&bp), BLOCKPOOL_DESTROYED);
	cr_expect_eq(blockpool_free(&bp, last), BLOCKPOOL_DESTROYED);
	cr_expect_null(blockpool_alloc(&bp, 8));
	cr_expect_eq(bp.error, BLOCKPOOL_DESTROYED);

	for (int e = BLOCKPOOL_DESTROYED; e <= 0; e++)
		for (int f = e + 1; f <= 1; f++)
			cr_expect_str_neq(blockpool_strerror(e), blockpool_strerror(f));
	cr_expect_str_eq(blockpool_strerror(-1000), blockpool_strerror(1));
}

Test(blockpool, blocks_of_any_size_do_not_overlap)
{
	static const size_t sizes[] = { 1, 2, 3, 7, 8, 20, 24, 100, 4096, 5000, 100000 };

	for (unsigned int s = 0; s < ARRAY_SIZE(sizes); s++) {
		size_t count = 10 + s * 7;
		struct blockpool bp;
		char *p[200];

		cr_assert_eq(blockpool_init_flags(&bp, sizes[s], count, 0), 0);
		for (size_t i = 0; i < count; i++) {
			cr_assert_not_null(p[i] = blockpool_alloc(&bp, sizes[s]));
			memset(p[i], (int)i, sizes[s]);
			if (sizes[s] >= 8)
				cr_expect_eq((unsigned long)p[i] % 8, 0);
		}
		cr_expect_null(blockpool_alloc(&bp, 1));
		for (size_t i = 0; i < count; i++) {
			cr_assert(all_bytes(p[i], sizes[s], (unsigned char)i));
			cr_assert_eq(blockpool_free(&bp, p[i]), 0);
		}
		cr_expect_eq(bp.free_count, (int)count);
		cr_expect_eq(blockpool_destroy(&bp), 0);
	}
}

/* Every offset of pools of all strides: the block it falls into is found without dividing. */
Test(blockpool, each_byte_belongs_to_one_block)
{
	for (size_t size = 1; size <= 2048; size += size < 64 ? 1 : 77) {
		struct blockpool bp;
		size_t stride;
		char *p[2];

		cr_assert_eq(blockpool_init(&bp, size), 0);
		p[0] = blockpool_alloc(&bp, size);
		p[1] = blockpool_alloc(&bp, size);
		stride = (size_t)(p[1] - p[0]);
		for (size_t offset = 0; offset < 4096; offset++) {
			int wanted = BLOCKPOOL_INTERIOR;

			if (offset >= 4096 / stride * stride)
				wanted = BLOCKPOOL_FOREIGN;
			else if (offset % stride == 0)
				wanted = offset < 2 * stride ? 0 : BLOCKPOOL_DOUBLE_FREE;
			cr_assert_eq(blockpool_free(&bp, p[0] + offset), wanted,
				     "size %zu offset %zu", size, offset);
		}
		cr_assert_eq(blockpool_destroy(&bp), 0);
	}
}

Test(blockpool, no_memory_leaves_nothing)
{
	struct blockpool bp;

	fault_every_call(true);
	cr_expect_eq(blockpool_init_flags(&bp, 1 << 20, 1 << 14, 0), BLOCKPOOL_NO_MEMORY);
	fault_every_call(false);
	cr_expect_null(bp.mem);
	cr_expect_null(blockpool_alloc(&bp, 1));
	cr_expect_eq(bp.error, BLOCKPOOL_INVALID);
}

static struct blockpool shared;

static void *use_shared(void *arg)
{
	unsigned char seed = (unsigned char)(unsigned long)arg;

	for (int i = 0; i < 20000; i++) {
		void *p;
		int error = blockpool_take(&shared, 64, &p);

		if (error == BLOCKPOOL_EMPTY)
			continue;
		if (error)
			return (void *)1;
		fill(p, 64, seed);
		if (i % 64 == 0)
			sched_yield();
		if (!filled(p, 64, seed) || blockpool_free(&shared, p) != 0)
			return (void *)2;
	}
	return NULL;
}

Test(blockpool, eight_threads, .timeout = 120)
{
	pthread_t threads[8];
	void *wrong;

	cr_assert_eq(blockpool_init_flags(&shared, 64, 6, BLOCKPOOL_SHARED), 0);
	for (unsigned long i = 0; i < 8; i++)
		cr_assert_eq(pthread_create(&threads[i], NULL, use_shared, (void *)i), 0);
	for (int i = 0; i < 8; i++) {
		pthread_join(threads[i], &wrong);
		cr_expect_null(wrong);
	}
	cr_expect_eq(shared.free_count, 6);
	cr_expect_eq(blockpool_destroy(&shared), 0);
}

/* A pool of its own for each thread needs no lock. */
static void *use_own(void *arg)
{
	struct blockpool bp;
	void *p[100];

	(void)arg;
	if (blockpool_init_flags(&bp, 48, 100, 0) != 0)
		return (void *)1;
	for (int round = 0; round < 200; round++) {
		for (int i = 0; i < 100; i++)
			if (!(p[i] = blockpool_alloc(&bp, 48)))
				return (void *)2;
		for (int i = 0; i < 100; i++)
			if (blockpool_free(&bp, p[i]) != 0)
				return (void *)3;
	}
	return (void *)(long)blockpool_destroy(&bp);
}

Test(blockpool, a_pool_each_for_eight_threads, .timeout = 60)
{
	pthread_t threads[8];
	void *wrong;

	for (int i = 0; i < 8; i++)
		cr_assert_eq(pthread_create(&threads[i], NULL, use_own, NULL), 0);
	for (int i = 0; i < 8; i++) {
		pthread_join(threads[i], &wrong);
		cr_expect_null(wrong);
	}
}
