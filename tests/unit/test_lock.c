// SPDX-License-Identifier: MIT
/* Tests of mm/lock.c: exclusion, sleeping and waking, and the order of ranks. */
#include <pthread.h>
#include <sched.h>
#include <time.h>

#include "capture.h"
#include "mm/lock.h"
#include "mm/task.h"

#define NR_THREADS	4
#define ROUNDS		20000

static struct kmem_lock the_lock = LOCK_INIT(RANK_ZONE);

/* the_lock; not atomic on purpose. */
static unsigned long counter;
static int inside;

Test(lock, free_held_free)
{
	cr_assert_eq(the_lock.word, 0);
	lock(&the_lock);
	cr_assert_eq(the_lock.word, 1);
	cr_assert_not(trylock(&the_lock));
	unlock(&the_lock);
	cr_assert_eq(the_lock.word, 0);
	cr_assert(trylock(&the_lock));
	unlock(&the_lock);

	lock(&the_lock);
	lock_init(&the_lock, RANK_ZONE);
	cr_assert_eq(the_lock.word, 0);
}

/* Between fork()'s handlers the thread that forks may take what it holds; nobody else can. */
static void *try_it(void *got)
{
	*(bool *)got = trylock(&the_lock);
	return NULL;
}

Test(lock, who_forks_has_it_already)
{
	struct kmem_lock made;
	pthread_t t;
	bool got;

	lock_fork(&the_lock);
	cr_assert_eq(the_lock.word, LOCK_FORK);
	task_flags |= TASK_LOCKS;
	for (int i = 0; i < 2; i++) {
		lock(&the_lock);
		cr_assert_not(trylock(&the_lock), "a signal handler may be here");
		lock(&the_lock);
		unlock(&the_lock);
		cr_assert_eq(pthread_create(&t, NULL, try_it, &got), 0);
		pthread_join(t, NULL);
		cr_assert_not(got);
		unlock(&the_lock);
		the_lock.word = LOCK_WAITED;	/* as somebody who waits leaves it */
	}
	lock_init(&made, RANK_ZONE);
	cr_assert_eq(made.word, LOCK_FORK, "made free: somebody may take it before the end");
	task_flags &= ~TASK_LOCKS;
	unlock(&the_lock);
	cr_assert_eq(the_lock.word, LOCK_FREE);
}

static void *stress(void *arg)
{
	unsigned long seed = (unsigned long)arg;

	for (int i = 0; i < ROUNDS; i++) {
		if (i % 8 != 0 || !trylock(&the_lock))
			lock(&the_lock);
		if (inside++)
			return (void *)1;
		counter++;
		/* Now and then lose the CPU inside, so that others go to sleep. */
		if ((i * 7 + seed) % 512 == 0)
			sched_yield();
		inside--;
		unlock(&the_lock);
	}
	return NULL;
}

Test(lock, threads_exclude_each_other, .timeout = 60)
{
	pthread_t threads[NR_THREADS];
	void *failed;

	for (unsigned long i = 0; i < NR_THREADS; i++)
		cr_assert_eq(pthread_create(&threads[i], NULL, stress, (void *)(i * 37)), 0);
	for (int i = 0; i < NR_THREADS; i++) {
		pthread_join(threads[i], &failed);
		cr_assert_null(failed, "two threads were inside at once");
	}
	cr_assert_eq(counter, NR_THREADS * ROUNDS);
	cr_assert_eq(the_lock.word, 0);
}

static void *take_and_drop(void *arg)
{
	lock(&the_lock);
	counter++;
	unlock(&the_lock);
	return arg;
}

static long cpu_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* A holder that stays long: the others sleep, and all of them are woken. */
Test(lock, sleepers_are_all_woken, .timeout = 60)
{
	struct timespec pause = { .tv_nsec = 200 * 1000000 };
	long burnt = cpu_ms();
	pthread_t threads[NR_THREADS];

	lock(&the_lock);
	for (int i = 0; i < NR_THREADS; i++)
		cr_assert_eq(pthread_create(&threads[i], NULL, take_and_drop, NULL), 0);
	nanosleep(&pause, NULL);
	cr_assert_eq(READ_ONCE(the_lock.word), 2, "nobody waits");
	cr_assert_eq(counter, 0);
	/* Four that spin would take 200 ms at the least, on however few CPUs. */
	burnt = cpu_ms() - burnt;
	cr_expect(burnt < 100 || emulated(), "the waiters burn the CPU: %ld ms", burnt);
	unlock(&the_lock);
	for (int i = 0; i < NR_THREADS; i++)
		pthread_join(threads[i], NULL);
	cr_assert_eq(counter, NR_THREADS);
	cr_assert_eq(the_lock.word, 0);
}

/* ---- order -------------------------------------------------------------- */

#ifdef KMEM_DEBUG

static struct kmem_lock depot = LOCK_INIT(RANK_DEPOT), node = LOCK_INIT(RANK_NODE);
static struct kmem_lock node2 = LOCK_INIT(RANK_NODE);

Test(lock, upward_order_is_fine)
{
	for (int i = 0; i < 2; i++) {
		lock(&depot);
		lock(&node);
		lock(&the_lock);
		/* Dropping in any order is. */
		unlock(&depot);
		unlock(&the_lock);
		unlock(&node);
		/* And so is trying, which waits for nobody. */
		lock(&node);
		cr_assert(trylock(&depot));
		unlock(&depot);
		unlock(&node);
	}
}

static void downward(void)
{
	lock(&node);
	lock(&depot);
}

static void same_rank(void)
{
	lock(&node);
	lock(&node2);
}

static void twice(void)
{
	lock(&node);
	lock(&node);
}

/* What was tried is held: nothing below it is waited for. */
static void downward_from_tried(void)
{
	if (trylock(&node))
		lock(&depot);
}

static void not_held(void)
{
	unlock(&node);
}

static void no_rank(void)
{
	static struct kmem_lock zero;

	lock(&zero);
}

Test(lock, order_violations_stop)
{
	assert_aborts(downward, "BUG: lock order: DEPOT taken while NODE is held at ");
	assert_aborts(same_rank, "BUG: lock order: NODE taken while NODE is held at ");
	assert_aborts(twice, "BUG: lock order: NODE taken while NODE is held at ");
	assert_aborts(downward_from_tried, "BUG: lock order: DEPOT taken while NODE is held at ");
	assert_aborts(not_held, "released by a thread that does not hold it at ");
	assert_aborts(no_rank, "was never initialised at ");
}

static void fork_downward(void)
{
	lock_order_fork_begin();
	lock(&node);
	lock(&node2);
	lock(&depot);
}

static void fork_ended(void)
{
	lock_order_fork_begin();
	lock_order_fork_end();
	same_rank();
}

Test(lock, the_forking_thread_may_take_a_whole_rank)
{
	lock_order_fork_begin();
	lock(&depot);
	lock(&node);
	lock(&node2);
	lock(&the_lock);
	unlock(&the_lock);
	unlock(&node2);
	unlock(&node);
	unlock(&depot);
	lock_order_fork_end();
	assert_aborts(fork_downward, "BUG: lock order: DEPOT taken while NODE is held at ");
	assert_aborts(fork_ended, "BUG: lock order: NODE taken while NODE is held at ");
}

static void *hold_node(void *arg)
{
	lock(&node);
	unlock(&node);
	return arg;
}

/* What one thread holds does not count for another. */
Test(lock, order_is_kept_per_thread)
{
	pthread_t thread;

	lock(&the_lock);
	cr_assert_eq(pthread_create(&thread, NULL, hold_node, NULL), 0);
	pthread_join(thread, NULL);
	unlock(&the_lock);
}

#else

Test(lock, release_builds_carry_no_rank)
{
	cr_assert_eq(sizeof(struct kmem_lock), sizeof(u32));
}

#endif /* KMEM_DEBUG */
