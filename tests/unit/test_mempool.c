// SPDX-License-Identifier: MIT
/*
 * Tests of mm/mempool.c: the ladder, the reserve under failure, waiting and waking,
 * bulks, resizing, the three kinds.
 */
#include "slab_test.h"

#include <errno.h>

#include <kmem/mempool.h>
#include <kmem/page_alloc.h>

#include "capture.h"

/* An allocator that fails when it is told to, and counts. */
static bool empty;
static long live, asked;
static gfp_t last_gfp, first_gfp;

static void *test_alloc(gfp_t gfp, void *data)
{
	if (!__atomic_fetch_add(&asked, 1, __ATOMIC_RELAXED))
		first_gfp = gfp;
	last_gfp = gfp;
	if (__atomic_load_n(&empty, __ATOMIC_RELAXED))
		return NULL;
	__atomic_fetch_add(&live, 1, __ATOMIC_RELAXED);
	return kmalloc((size_t)data, GFP_KERNEL);
}

static void test_free(void *element, void *data)
{
	(void)data;
	__atomic_fetch_sub(&live, 1, __ATOMIC_RELAXED);
	kfree(element);
}

static struct mempool *make(int min_nr)
{
	struct mempool *pool = mempool_create(min_nr, test_alloc, test_free, (void *)64);

	cr_assert_not_null(pool);
	cr_assert_eq(pool->curr_nr, min_nr);
	asked = 0;
	return pool;
}

Test(mempool, the_reserve_comes_second_and_is_filled_first)
{
	struct mempool *pool = make(3);
	void *p[4], *q;

	cr_expect(mempool_is_saturated(pool));
	q = mempool_alloc(pool, GFP_NOWAIT);
	cr_expect(q && pool->curr_nr == 3 && live == 4);
	empty = true;
	for (int i = 0; i < 3; i++)
		cr_assert_not_null(p[i] = mempool_alloc(pool, GFP_ATOMIC));
	cr_expect_eq(pool->curr_nr, 0);
	cr_expect_not(mempool_is_saturated(pool));
	cr_expect_null(mempool_alloc(pool, GFP_NOWAIT));
	cr_expect_null(mempool_alloc_preallocated(pool));
	mempool_free(q, pool);
	cr_expect(pool->curr_nr == 1 && live == 4);
	cr_assert_eq(mempool_alloc_preallocated(pool), q);
	empty = false;
	for (int i = 0; i < 3; i++)
		mempool_free(p[i], pool);
	cr_expect_eq(pool->curr_nr, 3);
	mempool_free(q, pool);
	cr_expect_eq(live, 3);
	mempool_free(NULL, pool);
	mempool_destroy(pool);
	mempool_destroy(NULL);
	cr_expect_eq(live, 0);
}

Test(mempool, the_first_try_takes_what_is_at_hand)
{
	struct mempool *pool = make(1);
	void *p, *q;

	p = mempool_alloc(pool, GFP_KERNEL);
	cr_expect_eq(asked, 1);
	cr_expect_eq(first_gfp & (__GFP_DIRECT_RECLAIM | __GFP_IO), 0);
	cr_expect_eq(first_gfp & (__GFP_NOWARN | __GFP_NORETRY | __GFP_NOMEMALLOC),
		     __GFP_NOWARN | __GFP_NORETRY | __GFP_NOMEMALLOC);
	empty = true;
	asked = 0;
	q = mempool_alloc(pool, GFP_KERNEL);
	cr_expect(q && asked == 1, "the reserve before reclaim");
	empty = false;
	mempool_free(q, pool);
	mempool_free(p, pool);
	mempool_destroy(pool);
}

Test(mempool, zeroed_memory_is_no_pool_and_can_be_ended)
{
	struct mempool pool;

	memset(&pool, 0, sizeof(pool));
	cr_expect_not(mempool_initialized(&pool));
	mempool_exit(&pool);
	cr_assert_eq(mempool_init(&pool, 2, test_alloc, test_free, (void *)10), 0);
	cr_expect(mempool_initialized(&pool));
	mempool_exit(&pool);
	mempool_exit(&pool);
	cr_expect_not(mempool_initialized(&pool));
	cr_expect_eq(live, 0);
	cr_expect_eq(mempool_init(&pool, -1, test_alloc, test_free, NULL), -EINVAL);
}

static int alloc_some(void)
{
	static int left = 3;

	return left-- > 0;
}

static void *some_alloc(gfp_t gfp, void *data)
{
	return alloc_some() ? test_alloc(gfp, data) : NULL;
}

Test(mempool, a_reserve_that_cannot_be_filled_leaves_nothing)
{
	struct mempool pool;

	cr_expect_eq(mempool_init(&pool, 5, some_alloc, test_free, (void *)32), -ENOMEM);
	cr_expect_eq(live, 0);
	cr_expect_not(mempool_initialized(&pool));
	empty = true;
	cr_expect_null(mempool_create(1, test_alloc, test_free, NULL));
	cr_expect_not_null(mempool_create(0, test_alloc, test_free, NULL));
}

Test(mempool, resize)
{
	struct mempool *pool = make(4);
	void *p;

	cr_expect_eq(mempool_resize(pool, 0), -EINVAL);
	cr_expect_eq(mempool_resize(pool, -3), -EINVAL);
	cr_expect_eq(mempool_resize(pool, 2), 0);
	cr_expect(pool->curr_nr == 2 && live == 2);
	cr_expect_eq(mempool_resize(pool, 100), 0);
	cr_expect(pool->curr_nr == 100 && live == 100);
	empty = true;
	cr_expect_eq(mempool_resize(pool, 102), 0);
	cr_expect(pool->curr_nr == 100 && pool->min_nr == 102);
	empty = false;
	p = mempool_alloc(pool, GFP_KERNEL);
	mempool_free(p, pool);
	cr_expect_eq(pool->curr_nr, 101, "frees fill what resize could not");
	mempool_destroy(pool);
	cr_expect_eq(live, 0);
}

Test(mempool, bulks)
{
	struct mempool *pool = make(4);
	void *p[4] = { NULL }, *q[6] = { NULL };
	void *kept;

	cr_expect_eq(mempool_alloc_bulk(pool, p, 4, 0), 0);
	cr_expect_eq(pool->curr_nr, 4);
	kept = p[1];
	mempool_free(p[2], pool);
	p[2] = NULL;
	empty = true;
	cr_expect_eq(mempool_alloc_bulk(pool, p, 4, 3), 0);
	cr_expect(p[1] == kept && p[2] && pool->curr_nr == 3);
	empty = false;
	for (int i = 0; i < 4; i++)
		q[i] = p[i];
	cr_expect_eq(mempool_free_bulk(pool, q, 4), 1);
	cr_expect(!q[0] && q[1] == p[1] && pool->curr_nr == 4);
	cr_expect_eq(mempool_free_bulk(pool, q + 1, 3), 0);
	for (int i = 1; i < 4; i++)
		mempool_free(q[i], pool);
	mempool_destroy(pool);
	cr_expect_eq(live, 0);
}

/* A thread that waits gets the element that another one frees. */
static struct mempool *the_pool;
static void *got;

static void *wait_for_one(void *arg)
{
	(void)arg;
	__atomic_store_n(&got, mempool_alloc(the_pool, GFP_KERNEL), __ATOMIC_RELEASE);
	return NULL;
}

static void waiting(int min_nr)
{
	pthread_t thread;
	void *p;

	the_pool = make(min_nr);
	got = NULL;
	p = mempool_alloc(the_pool, GFP_KERNEL);
	empty = true;
	for (int i = 0; i < min_nr; i++)
		cr_assert_not_null(mempool_alloc(the_pool, GFP_NOWAIT));
	cr_assert_eq(pthread_create(&thread, NULL, wait_for_one, NULL), 0);
	usleep(20000);
	cr_expect_null(__atomic_load_n(&got, __ATOMIC_ACQUIRE));
	mempool_free(p, the_pool);
	/* With no reserve, a free before the other waits goes to the allocator. */
	if (!min_nr)
		__atomic_store_n(&empty, false, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
	cr_expect_not_null(got);
	if (min_nr)
		cr_expect_eq(got, p);
	empty = false;
}

Test(mempool, whoever_waits_is_served_by_a_free, .timeout = 60)
{
	waiting(1);
	waiting(3);
}

Test(mempool, without_a_reserve_too, .timeout = 60)
{
	waiting(0);
}

static void *make_room(void *arg)
{
	(void)arg;
	usleep(10000);
	__atomic_store_n(&empty, false, __ATOMIC_RELAXED);
	return NULL;
}

Test(mempool, memory_that_comes_back_by_another_way_is_seen, .timeout = 60)
{
	struct mempool *pool = make(1);
	pthread_t thread;

	empty = true;
	cr_assert_not_null(mempool_alloc(pool, GFP_KERNEL));
	cr_assert_eq(pthread_create(&thread, NULL, make_room, NULL), 0);
	cr_expect_not_null(mempool_alloc(pool, GFP_KERNEL));
	pthread_join(thread, NULL);
}

/*
 * Eight threads, a reserve of three and no memory behind it: every allocation gets
 * through, and no element is in two hands.
 */
static void *take_turns(void *arg)
{
	for (int i = 0; i < 300; i++) {
		unsigned long *p = mempool_alloc(the_pool, GFP_KERNEL);

		if (!p)
			return (void *)1;
		p[1] = (unsigned long)arg;
		if (i % 16 == 0)
			sched_yield();
		if (p[1] != (unsigned long)arg)
			return (void *)2;
		mempool_free(p, the_pool);
	}
	return NULL;
}

Test(mempool, eight_threads_on_three_elements, .timeout = 120)
{
	pthread_t threads[8];
	void *wrong;

	the_pool = make(3);
	empty = true;
	for (unsigned long i = 0; i < 8; i++)
		cr_assert_eq(pthread_create(&threads[i], NULL, take_turns, (void *)i), 0);
	for (int i = 0; i < 8; i++) {
		pthread_join(threads[i], &wrong);
		cr_expect_null(wrong);
	}
	cr_expect_eq(the_pool->curr_nr, 3);
	cr_expect_eq(live, 3);
	mempool_destroy(the_pool);
}

static void *take_bulks(void *arg)
{
	for (int i = 0; i < 100; i++) {
		void *p[2] = { NULL };
		unsigned int n;

		if (mempool_alloc_bulk(the_pool, p, 2, 0) != 0 || !p[0] || !p[1] || p[0] == p[1])
			return (void *)1;
		*(unsigned long *)p[0] = (unsigned long)arg;
		sched_yield();
		if (*(unsigned long *)p[0] != (unsigned long)arg)
			return (void *)2;
		n = mempool_free_bulk(the_pool, p, 2);
		for (; n < 2; n++)
			mempool_free(p[n], the_pool);
	}
	return NULL;
}

Test(mempool, bulks_do_not_wait_for_each_other, .timeout = 120)
{
	pthread_t threads[8];
	void *wrong;

	the_pool = make(3);
	empty = true;
	for (unsigned long i = 0; i < 8; i++)
		cr_assert_eq(pthread_create(&threads[i], NULL, take_bulks, (void *)i), 0);
	for (int i = 0; i < 8; i++) {
		pthread_join(threads[i], &wrong);
		cr_expect_null(wrong);
	}
	cr_expect_eq(the_pool->curr_nr, 3);
	mempool_destroy(the_pool);
}

/* The kinds, with the machine's memory failing instead of a test's allocator. */
static void reserve_survives(struct mempool *pool, int min_nr, size_t bytes)
{
	static void *others[200000];
	int n = 0, others_nr = 0;
	void *p[8];

	cr_assert_not_null(pool);
	fault_every_call(true);
	/* What the heap still has; then only the reserve is left. */
	while ((others[others_nr] = pool->alloc(GFP_NOWAIT, pool->pool_data)))
		cr_assert_lt(++others_nr, (int)ARRAY_SIZE(others));
	while (n < 8 && (p[n] = mempool_alloc(pool, GFP_NOWAIT)))
		n++;
	fault_every_call(false);
	cr_expect_eq(n, min_nr);
	for (int i = 0; i < n; i++) {
		if (bytes)
			memset(p[i], i, bytes);
		mempool_free(p[i], pool);
	}
	cr_expect_eq(pool->curr_nr, min_nr);
	while (others_nr > 0)
		pool->free(others[--others_nr], pool->pool_data);
	mempool_destroy(pool);
}

Test(mempool, the_three_kinds_keep_their_reserve_without_memory, .timeout = 60)
{
	struct kmem_cache *cache = kmem_cache_create("mempool_test", 2000, NULL, SLAB_NO_MERGE);

	reserve_survives(mempool_create_slab_pool(4, cache), 4, 2000);
	reserve_survives(mempool_create_kmalloc_pool(5, 3000), 5, 3000);
	reserve_survives(mempool_create_page_pool(3, 2), 3, 0);
	kmem_cache_destroy(cache);
}

static void free_twice(void)
{
	struct mempool *pool = make(3);
	void *p = mempool_alloc_preallocated(pool), *q = mempool_alloc_preallocated(pool);

	mempool_free(p, pool);
	(void)q;
	mempool_free(p, pool);
}

/* The first free fills the reserve, the second would give it to the allocator. */
static void free_twice_when_full(void)
{
	struct mempool *pool = make(3);
	void *p = mempool_alloc_preallocated(pool);

	mempool_free(p, pool);
	mempool_free(p, pool);
}

Test(mempool, a_double_free_into_the_reserve_stops)
{
	assert_aborts(free_twice, "is in the reserve already (a double free)");
	assert_aborts(free_twice_when_full, "is in the reserve already (a double free)");
}

static void free_stack(void)
{
	struct mempool *pool = mempool_create_kmalloc_pool(2, 64);
	long local;

	mempool_alloc_preallocated(pool);
	mempool_free(&local, pool);
}

static void free_of_another_cache(void)
{
	struct mempool *pool = mempool_create_slab_pool(2, kmem_cache_create("a", 64, 0, 0, NULL));

	mempool_alloc_preallocated(pool);
	mempool_free(kmalloc(200, GFP_KERNEL), pool);
}

Test(mempool, what_is_foreign_does_not_get_into_the_reserve)
{
	assert_aborts(free_stack, "is not of the pool's allocator");
	assert_aborts(free_of_another_cache, "is not of the pool's allocator");
}

static struct mempool *destroyed(void)
{
	struct mempool *pool = make(2);

	mempool_destroy(pool);
	return pool;
}

static void alloc_after_destroy(void) { mempool_alloc(destroyed(), GFP_KERNEL); }
static void free_after_destroy(void) { mempool_free(kmalloc(64, GFP_KERNEL), destroyed()); }
static void take_after_destroy(void) { mempool_alloc_preallocated(destroyed()); }
static void resize_after_destroy(void) { mempool_resize(destroyed(), 4); }
static void destroy_twice(void) { mempool_destroy(destroyed()); }

static void alloc_after_exit(void)
{
	struct mempool pool;

	mempool_init(&pool, 0, test_alloc, test_free, NULL);
	mempool_exit(&pool);
	mempool_exit(&pool);
	mempool_alloc(&pool, GFP_NOWAIT);
}

Test(mempool, use_after_destroy_stops)
{
	assert_aborts(alloc_after_destroy, "mempool_alloc: the pool");
	assert_aborts(free_after_destroy, "mempool_free: ");
	assert_aborts(take_after_destroy, "mempool_alloc_preallocated: ");
	assert_aborts(resize_after_destroy, "is not a pool, or one that was destroyed");
	assert_aborts(destroy_twice, "mempool_destroy: ");
	assert_aborts(alloc_after_exit, "mempool_alloc: the pool");
}

Test(mempool, zeroing_is_refused_with_a_warning)
{
	struct mempool *pool = make(1);

	sink_catch();
	cr_expect_not_null(mempool_alloc(pool, GFP_KERNEL | __GFP_ZERO));
	cr_expect_not_null(mempool_alloc(pool, GFP_KERNEL | __GFP_ZERO));
	cr_expect_eq(sink_count("WARNING: mempool_alloc: __GFP_ZERO"), 1);
	cr_expect_eq(last_gfp & __GFP_ZERO, 0);
}
