// SPDX-License-Identifier: MIT
/*
 * Tests of mm/pool.c: both manners of freeing, reuse of blocks, large objects,
 * reset, clean-up, misuse, threads, and that nothing is looked for in lists.
 */
#include "slab_test.h"

#include <kmem/pool.h>

#include "capture.h"
#include "mm/pool.h"

static struct mp_stat stat_of(struct mp_pool_s *pool)
{
	struct mp_stat s;

	cr_expect_eq(mp_validate(pool), 0);
	mp_pool_stat(pool, &s);
	return s;
}

Test(pool, objects_are_aligned_and_do_not_overlap)
{
	static const unsigned int flags[] = { MP_COUNTED, MP_NGINX, MP_SHARED, MP_ALIGN32,
					      MP_NGINX | MP_ALIGN32 | MP_SHARED };
	static unsigned char *p[2000];
	static size_t size[2000];

	for (unsigned int f = 0; f < ARRAY_SIZE(flags); f++) {
		struct mp_pool_s *pool = mp_create_pool_flags(4096, flags[f]);
		size_t align = flags[f] & MP_ALIGN32 ? 32 : 16;
		u64 seed = f + 1;

		cr_assert_not_null(pool);
		for (unsigned int i = 0; i < 2000; i++) {
			bool any = i % 5 == 0;

			size[i] = 1 + rnd(&seed) % (i % 100 ? 200 : 9000);
			p[i] = any ? mp_nalloc(pool, size[i]) : mp_malloc(pool, size[i]);
			cr_assert_not_null(p[i]);
			if (!any || !(flags[f] & MP_NGINX))
				cr_expect_eq((unsigned long)p[i] % align, 0);
			fill(p[i], size[i], (unsigned char)i);
		}
		for (unsigned int i = 0; i < 2000; i++)
			cr_assert(filled(p[i], size[i], (unsigned char)i), "flags %u: %u", flags[f], i);
		for (unsigned int i = 0; i < 2000; i++)
			mp_free(pool, p[i]);
		cr_expect_eq(stat_of(pool).large, 0);
		cr_expect_eq(stat_of(pool).objects, 0);
		mp_destroy_pool(pool);
	}
	mp_destroy_pool(NULL);
	cr_expect_eq(zones_validate(), 0);
}

Test(pool, sizes_of_pools)
{
	static const struct { size_t size; unsigned int flags; size_t block; } pools[] = {
		{ 0, 0, 4096 }, { 1, 0, 4096 }, { 4096, 0, 4096 }, { 5000, 0, 4096 },
		{ 8192, 0, 8192 }, { 12288, 0, 16384 }, { 64 << 20, 0, 4 << 20 },
		{ SIZE_MAX, 0, 4096 }, { 256, MP_NGINX, 4096 }, { 4096, MP_NGINX, 8192 },
		{ 0, MP_NGINX, 4096 }, { SIZE_MAX, MP_NGINX, 4 << 20 },
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(pools); i++) {
		struct mp_pool_s *pool = mp_create_pool_flags(pools[i].size, pools[i].flags);

		cr_assert_not_null(pool);
		cr_expect_eq(stat_of(pool).block_size, pools[i].block);
		cr_expect_not_null(mp_malloc(pool, 1));
		mp_destroy_pool(pool);
	}
	cr_expect_null(mp_create_pool_flags(4096, 0x80));
	fault_every_call(true);
	while (mp_create_pool(4 << 20))
		;
	fault_every_call(false);
}

/*
 * The live bits of a block count among its administration, and for blocks of 512 KiB and
 * more they are larger than a page. The largest small object used to be a page less
 * that: it fell as the blocks grew, then wrapped round, and what was larger than a
 * block was looked for in one new block after another, in vain.
 */
Test(pool, what_is_large_does_not_depend_on_the_blocks)
{
	for (size_t size = 4096; size <= 4 << 20; size *= 2) {
		for (unsigned int flags = 0; flags <= MP_ALIGN32; flags += MP_ALIGN32) {
			struct mp_pool_s *pool = mp_create_pool_flags(size, flags);
			size_t max = pool->max;

			cr_expect_geq(max, 4000);
			cr_assert_not_null(mp_malloc(pool, max));
			cr_expect_eq(stat_of(pool).large, 0);
			cr_assert_not_null(mp_malloc(pool, max + 1));
			cr_assert_not_null(mp_malloc(pool, 2 * size));
			cr_assert_not_null(mp_calloc(pool, 8 << 20));
			cr_expect_eq(stat_of(pool).large, 3);
			cr_expect_leq(stat_of(pool).blocks, 2);
			mp_destroy_pool(pool);
		}
	}
}

Test(pool, zero_and_impossible_sizes_give_null)
{
	struct mp_pool_s *pool = mp_create_pool(4096);
	volatile size_t minus_one = (size_t)-1;	/* the compiler would object */

	cr_expect_null(mp_malloc(pool, 0));
	cr_expect_null(mp_alloc(pool, 0));
	cr_expect_null(mp_nalloc(pool, 0));
	cr_expect_null(mp_calloc(pool, 0));
	cr_expect_null(mp_malloc(pool, minus_one));
	cr_expect_null(mp_calloc(pool, minus_one - 511));
	cr_expect_null(mp_malloc(pool, SIZE_MAX / 2));
	mp_free(pool, NULL);
	cr_expect_eq(stat_of(pool).objects, 0);
	mp_destroy_pool(pool);
}

Test(pool, a_block_is_used_again_when_its_last_object_is_freed)
{
	struct mp_pool_s *pool = mp_create_pool(4096);
	void *p[100];

	for (int round = 0; round < 50; round++) {
		for (int i = 0; i < 100; i++)
			cr_assert_not_null(p[i] = mp_malloc(pool, 512));
		cr_assert_eq(stat_of(pool).objects, 100);
		for (int i = 0; i < 100; i++)
			mp_free(pool, p[(i * 37 + round) % 100]);
		cr_assert_eq(stat_of(pool).objects, 0);
		cr_assert_eq(stat_of(pool).blocks, 15, "round %d: %zu blocks", round,
			     stat_of(pool).blocks);
	}
	mp_destroy_pool(pool);
}

Test(pool, calloc_is_zero_after_any_use)
{
	struct mp_pool_s *pool = mp_create_pool(8192);

	for (int round = 0; round < 20; round++) {
		for (size_t size = 1; size < 30000; size = size * 3 + round) {
			void *p = mp_calloc(pool, size);

			cr_assert(p && all_bytes(p, size, 0), "size %zu", size);
			memset(p, 0xff, size);
			if (round % 2)
				mp_free(pool, p);
		}
		if (round % 3 == 0)
			mp_reset_pool(pool);
	}
	mp_destroy_pool(pool);
}

Test(pool, nginx_pools_keep_small_objects_until_the_reset)
{
	struct mp_pool_s *pool = mp_create_pool_flags(1000, MP_NGINX);
	char *p, *q, *large;

	p = mp_nalloc(pool, 3);
	q = mp_nalloc(pool, 3);
	cr_expect_eq(q - p, 3);
	mp_free(pool, q);
	cr_expect_eq((char *)mp_nalloc(pool, 3) - q, 3);
	large = mp_alloc(pool, 1001);
	cr_expect_eq(stat_of(pool).large, 1);
	cr_expect_eq(stat_of(pool).large_bytes, 1001);
	mp_free(pool, large);
	cr_expect_eq(stat_of(pool).large, 0);
	cr_expect_eq((unsigned long)mp_alloc(pool, 1) % 16, 0);
	mp_reset_pool(pool);
	cr_expect_eq(mp_nalloc(pool, 3), p);
	mp_destroy_pool(pool);
}

Test(pool, reset_keeps_the_blocks_and_frees_the_rest)
{
	struct mp_pool_s *pool = mp_create_pool(4096);
	void *first = NULL;

	for (int round = 0; round < 10; round++) {
		for (int i = 0; i < 1000; i++) {
			void *p = mp_malloc(pool, 100);

			if (!first)
				first = p;
			cr_expect(i || p == first);
		}
		for (int i = 0; i < 10; i++)
			cr_assert_not_null(mp_malloc(pool, 50000));
		cr_assert_eq(stat_of(pool).large, 10);
		cr_assert_eq(stat_of(pool).blocks, 29, "%zu blocks", stat_of(pool).blocks);
		mp_reset_pool(pool);
		cr_assert_eq(stat_of(pool).large, 0);
		cr_assert_eq(stat_of(pool).pages, 29);
	}
	mp_destroy_pool(pool);
}

/* ---- clean-up ------------------------------------------------------------------------ */

static int order[8], ran;
static struct mp_pool_s *handlers_pool;

static void handler(void *data)
{
	order[ran++] = *(int *)data;
	cr_expect_not_null(mp_malloc(handlers_pool, 10), "the pool is still there");
}

static void add_handlers(void)
{
	static int outside = 7;
	struct mp_cleanup_s *c;

	for (int i = 1; i <= 3; i++) {
		cr_assert_not_null(c = mp_cleanup_add(handlers_pool, sizeof(int)));
		cr_expect_null(c->handler);
		*(int *)c->data = i;
		c->handler = handler;
	}
	c = mp_cleanup_add(handlers_pool, 0);
	cr_expect_null(c->data);
	c->data = &outside;
	c->handler = handler;
	cr_assert_not_null(mp_cleanup_add(handlers_pool, 9000)->data);	/* no handler */
}

Test(pool, handlers_run_last_first_before_memory_goes)
{
	static const unsigned int flags[] = { 0, MP_NGINX, MP_SHARED };

	for (unsigned int f = 0; f < ARRAY_SIZE(flags); f++) {
		handlers_pool = mp_create_pool_flags(4096, flags[f]);
		ran = 0;
		add_handlers();
		mp_reset_pool(handlers_pool);
		cr_expect(ran == 4 && order[0] == 7 && order[1] == 3 && order[3] == 1);
		add_handlers();
		mp_destroy_pool(handlers_pool);
		cr_expect_eq(ran, 8);
	}
}

static void reset_it(void *pool)
{
	mp_reset_pool(pool);
}

/* A handler that resets its own pool runs those that are left, once. */
Test(pool, handlers_may_reset)
{
	struct mp_cleanup_s *c;

	handlers_pool = mp_create_pool(4096);
	ran = 0;
	add_handlers();
	c = mp_cleanup_add(handlers_pool, 0);
	c->data = handlers_pool;
	c->handler = reset_it;
	mp_reset_pool(handlers_pool);
	cr_expect_eq(ran, 4);
	cr_expect_eq(stat_of(handlers_pool).objects, 0);
	mp_destroy_pool(handlers_pool);
	cr_expect_eq(ran, 4);
}

/* ---- misuse -------------------------------------------------------------------------------- */

static struct mp_pool_s *pool_of_two(void **p, size_t size, unsigned int flags)
{
	struct mp_pool_s *pool = mp_create_pool_flags(4096, flags);

	p[0] = mp_malloc(pool, size);
	p[1] = mp_malloc(pool, size);
	return pool;
}

#define MISUSE(name, ...)					\
	static void name(void)					\
	{							\
		void *p[2];					\
		struct mp_pool_s *pool;				\
		(void)p;					\
		__VA_ARGS__					\
		(void)pool;					\
	}

MISUSE(free_twice, pool = pool_of_two(p, 64, 0); mp_free(pool, p[0]); mp_free(pool, p[0]);)
MISUSE(free_last_twice, pool = pool_of_two(p, 64, 0); mp_free(pool, p[0]); mp_free(pool, p[1]);
       mp_free(pool, p[1]);)
MISUSE(free_large_twice, pool = pool_of_two(p, 9000, 0); mp_free(pool, p[0]);
       mp_free(pool, p[0]);)
MISUSE(free_inside, pool = pool_of_two(p, 64, 0); mp_free(pool, (char *)p[0] + 16);)
MISUSE(free_odd, pool = pool_of_two(p, 64, 0); mp_free(pool, (char *)p[0] + 1);)
MISUSE(free_large_inside, pool = pool_of_two(p, 9000, 0); mp_free(pool, (char *)p[0] + 4096);)
MISUSE(free_stack, pool = pool_of_two(p, 64, 0); mp_free(pool, &pool);)
MISUSE(free_kmalloc, pool = pool_of_two(p, 64, 0); mp_free(pool, kmalloc(64, GFP_KERNEL));)
MISUSE(free_kmalloc_large, pool = pool_of_two(p, 64, 0);
       mp_free(pool, kmalloc(100000, GFP_KERNEL));)
MISUSE(free_page_of_the_program, pool = pool_of_two(p, 64, 0);
       mp_free(pool, (void *)(get_zeroed_page(GFP_KERNEL) + 128));)
MISUSE(free_of_another_pool, pool = pool_of_two(p, 64, 0);
       mp_free(mp_create_pool(4096), p[0]);)
MISUSE(free_large_of_another_pool, pool = pool_of_two(p, 9000, 0);
       mp_free(mp_create_pool(4096), p[0]);)
MISUSE(free_the_pool_itself, pool = pool_of_two(p, 64, 0); mp_free(pool, pool);)
MISUSE(free_after_reset, pool = pool_of_two(p, 64, 0); mp_reset_pool(pool);
       mp_free(pool, p[0]);)
MISUSE(nginx_free_after_reset, pool = pool_of_two(p, 64, MP_NGINX); mp_reset_pool(pool);
       mp_free(pool, p[0]);)
MISUSE(use_after_destroy, pool = pool_of_two(p, 64, 0); mp_destroy_pool(pool);
       mp_malloc(pool, 1);)
MISUSE(destroy_twice, pool = pool_of_two(p, 64, MP_SHARED); mp_destroy_pool(pool);
       mp_destroy_pool(pool);)
static void destroy_it(void *pool)
{
	mp_destroy_pool(pool);
}

static void let_a_handler_destroy(struct mp_pool_s *pool)
{
	struct mp_cleanup_s *c = mp_cleanup_add(pool, 0);

	c->data = pool;
	c->handler = destroy_it;
}

MISUSE(destroy_in_destroy, pool = pool_of_two(p, 64, 0); let_a_handler_destroy(pool);
       mp_destroy_pool(pool);)
MISUSE(destroy_in_reset, pool = pool_of_two(p, 64, MP_SHARED); let_a_handler_destroy(pool);
       mp_reset_pool(pool);)
MISUSE(null_pool, pool = NULL; mp_calloc(pool, 1);)

Test(pool, misuse_stops)
{
	static void (*const no_object[])(void) = {
		free_twice, free_last_twice, free_large_twice, free_inside, free_odd,
		free_large_inside, free_stack, free_kmalloc, free_kmalloc_large,
		free_page_of_the_program, free_of_another_pool, free_large_of_another_pool,
		free_the_pool_itself, free_after_reset, nginx_free_after_reset,
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(no_object); i++)
		assert_aborts(no_object[i], "is no object in use of pool");
	assert_aborts(use_after_destroy, "mp_malloc: ");
	assert_aborts(use_after_destroy, "is not a pool, or one that was destroyed");
	assert_aborts(destroy_twice, "mp_destroy_pool: ");
	assert_aborts(destroy_in_destroy, "mp_destroy_pool: ");
	assert_aborts(destroy_in_reset, "mp_reset_pool: ");
	assert_aborts(null_pool, "mp_calloc: ");
}

Test(pool, validate_sees_damage)
{
	struct mp_pool_s *pool = mp_create_pool(4096);

	cr_assert_not_null(mp_malloc(pool, 100));
	cr_assert_eq(mp_validate(pool), 0);
	sink_catch();
	pool->head->quote++;
	cr_expect_eq(mp_validate(pool), 1);
	pool->head->quote--;
	pool->nr_large = 3;
	cr_expect_eq(mp_validate(pool), 1);
	pool->nr_large = 0;
	pool->head->state = MP_FULL;
	cr_expect_gt(mp_validate(pool), 0);
	pool->head->state = MP_OPEN;
	cr_expect_eq(mp_validate(pool), 0);
}

/* ---- cost and threads ------------------------------------------------------------------------ */

/*
 * 100 000 full blocks and 50 000 large objects: had any step to pass them, this
 * would take minutes. What is open stays few, whatever is freed when.
 */
Test(pool, nothing_is_looked_for_in_lists, .timeout = 60)
{
	enum { BLOCKS = 100000, LARGE = 50000 };
	struct mp_pool_s *pool = mp_create_pool(4096);
	static void *p[BLOCKS], *large[LARGE];

	for (int i = 0; i < BLOCKS; i++)
		cr_assert_not_null(p[i] = mp_malloc(pool, 3800));
	for (int i = 0; i < LARGE; i++)
		cr_assert_not_null(large[i] = mp_malloc(pool, 4096));
	for (int i = 0; i < BLOCKS; i++) {
		mp_free(pool, p[i]);
		cr_assert_not_null(p[i] = mp_malloc(pool, 3800));
	}
	for (int i = 0; i < LARGE; i++)
		mp_free(pool, large[i]);
	cr_expect_eq(stat_of(pool).blocks, BLOCKS);
	mp_destroy_pool(pool);
}

Test(pool, open_blocks_stay_few)
{
	struct mp_pool_s *pool = mp_create_pool(4096);
	static void *p[500];
	u64 seed = 4;

	for (int i = 0; i < 50000; i++) {
		unsigned int k = rnd(&seed) % 500;

		mp_free(pool, p[k]);
		p[k] = rnd(&seed) % 2 ? mp_malloc(pool, 1 + rnd(&seed) % 4000) : NULL;
		if (i % 256 == 0)
			cr_assert_eq(mp_validate(pool), 0);
	}
	mp_destroy_pool(pool);
}

static struct mp_pool_s *shared;

static void *use_shared(void *arg)
{
	unsigned char me = (unsigned char)(unsigned long)arg;
	struct { void *p; size_t size; } held[32] = { { NULL, 0 } };
	u64 seed = (u64)me + 1;

	for (int i = 0; i < 8000; i++) {
		unsigned int k = rnd(&seed) % 32;

		if (held[k].p) {
			if (!filled(held[k].p, held[k].size, me))
				return (void *)1;
			mp_free(shared, held[k].p);
			held[k].p = NULL;
			continue;
		}
		held[k].size = 1 + rnd(&seed) % (i % 32 ? 300 : 6000);
		held[k].p = mp_malloc(shared, held[k].size);
		if (!held[k].p)
			return (void *)2;
		fill(held[k].p, held[k].size, me);
	}
	for (int k = 0; k < 32; k++)
		mp_free(shared, held[k].p);
	return NULL;
}

Test(pool, eight_threads_share_one, .timeout = 120)
{
	pthread_t threads[8];
	void *wrong;

	shared = mp_create_pool_flags(16384, MP_SHARED);
	for (unsigned long i = 0; i < 8; i++)
		cr_assert_eq(pthread_create(&threads[i], NULL, use_shared, (void *)i), 0);
	for (int i = 0; i < 8; i++) {
		pthread_join(threads[i], &wrong);
		cr_expect_null(wrong);
	}
	cr_expect_eq(stat_of(shared).objects, 0);
	cr_expect_eq(stat_of(shared).large, 0);
	mp_destroy_pool(shared);
}

static void *use_own(void *arg)
{
	struct mp_pool_s *pool = mp_create_pool_flags(4096, (unsigned long)arg % 2 ? MP_NGINX : 0);

	for (int round = 0; pool && round < 200; round++) {
		for (int i = 0; i < 100; i++)
			if (!mp_calloc(pool, (size_t)(1 + i * 50)))
				return (void *)1;
		mp_reset_pool(pool);
	}
	mp_destroy_pool(pool);
	return pool ? NULL : (void *)2;
}

Test(pool, a_pool_each_for_eight_threads, .timeout = 60)
{
	pthread_t threads[8];
	void *wrong;

	for (unsigned long i = 0; i < 8; i++)
		cr_assert_eq(pthread_create(&threads[i], NULL, use_own, (void *)i), 0);
	for (int i = 0; i < 8; i++) {
		pthread_join(threads[i], &wrong);
		cr_expect_null(wrong);
	}
	cr_expect_eq(zones_validate(), 0);
}

Test(pool, no_memory)
{
	struct mp_pool_s *pool = mp_create_pool(1 << 20);

	fault_every_call(true);
	while (mp_malloc(pool, 4000))
		;
	cr_expect_null(mp_malloc(pool, 1UL << 30));
	cr_expect_eq(mp_validate(pool), 0);
	fault_every_call(false);
	cr_expect_not_null(mp_malloc(pool, 4000));
	mp_destroy_pool(pool);
}
