// SPDX-License-Identifier: MIT
/*
 * Shrinkers: shrinker.c. Who is called, with what, how much is asked for, and how
 * one goes while others are in it.
 */
#include "slab_test.h"

#include <kmem/limit.h>
#include <kmem/shrinker.h>
#include <sys/wait.h>
#include <unistd.h>

#include "capture.h"
#include "mm/init.h"
#include "mm/shrinker.h"
#include "mm/task.h"

TestSuite(shrinker, .timeout = 60);

/* A cache of objects that are just counted; what it is asked for is written down. */
struct counter {
	unsigned long objects;
	unsigned long scans, looked, counts;
	unsigned long refuse_after;	/* scans; then SHRINK_STOP */
	gfp_t gfp;
	int nid;
};

static unsigned long counter_count(struct shrinker *s, struct shrink_control *sc)
{
	struct counter *c = s->private_data;

	c->counts++;
	c->gfp = sc->gfp_mask;
	return c->objects;
}

/* Several threads may ask at once. */
static unsigned long take_objects(struct counter *c, unsigned long wanted)
{
	unsigned long have = READ_ONCE(c->objects);

	while (!__atomic_compare_exchange_n(&c->objects, &have, have - min(wanted, have), false,
					    __ATOMIC_RELAXED, __ATOMIC_RELAXED))
		;
	return min(wanted, have);
}

static unsigned long counter_scan(struct shrinker *s, struct shrink_control *sc)
{
	struct counter *c = s->private_data;
	unsigned long n;

	if (c->refuse_after && c->scans >= c->refuse_after)
		return SHRINK_STOP;
	cr_assert_eq(sc->nr_scanned, sc->nr_to_scan);
	cr_assert_leq(sc->nr_to_scan, (unsigned long)s->batch);
	cr_assert(task_flags & TASK_MEMALLOC, "allocations here reclaim nothing");
	c->scans++;
	n = take_objects(c, sc->nr_to_scan);
	c->looked += n;
	c->nid = sc->nid;
	return n;
}

static struct shrinker *new_counter(struct counter *c, unsigned int flags)
{
	struct shrinker *s = shrinker_alloc(flags, "test-%d", 1);

	cr_assert_not_null(s);
	cr_assert_eq(s->seeks, DEFAULT_SEEKS);
	s->count_objects = counter_count;
	s->scan_objects = counter_scan;
	s->private_data = c;
	return s;
}

static unsigned long shrink(gfp_t gfp, int priority)
{
	unsigned int scope = memalloc_noreclaim_save();
	unsigned long freed = shrink_all(gfp, priority, false);

	memalloc_noreclaim_restore(scope);
	return freed;
}

/* 4 (n >> priority) / seeks objects, in batches, the rest put off. */
Test(shrinker, scan_arithmetic)
{
	static const struct {
		unsigned long objects;
		int seeks, priority;
		unsigned long first;	/* looked at by the first call */
	} cases[] = {
		{ 4096 * 1024, 2, 12, 2048 }, { 4096 * 1024, 4, 12, 1024 },
		{ 4096 * 1024, 1, 12, 4096 }, { 4096 * 1024, 2, 10, 8192 },
		{ 1000, 2, 12, 0 }, { 1000, 2, 3, 128 }, { 1000, 2, 1, 896 },
		{ 1000, 2, 0, 1000 }, { 100, 2, 2, 0 }, { 100, 2, 1, 100 }, { 1000, 0, 12, 384 },
		{ 1, 2, 0, 1 }, { 0, 2, 0, 0 },
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(cases); i++) {
		struct counter c = { .objects = cases[i].objects };
		struct shrinker *s = new_counter(&c, 0);

		s->seeks = cases[i].seeks;
		shrinker_register(s);
		cr_expect_eq(s->batch, 128);
		cr_expect_eq(shrink(GFP_KERNEL, cases[i].priority), cases[i].first, "case %u: %lu",
			     i, c.looked);
		cr_expect_eq(c.looked, cases[i].first);
		cr_expect_eq(c.counts, 1);
		shrinker_free(s);
	}
}

/* Too little for a batch each time: it adds up, and goes in the end. */
Test(shrinker, what_is_put_off_adds_up)
{
	struct counter c = { .objects = 100 };
	struct shrinker *s = new_counter(&c, 0);
	unsigned int calls = 0;

	s->batch = 40;
	shrinker_register(s);
	/* 24 a time at priority 3: (0, 24, 48, ...) >> 3, and 24 more. */
	while (c.looked == 0 && calls < 100) {
		shrink(GFP_KERNEL, 3);
		calls++;
	}
	cr_expect_eq(c.looked, 40);
	cr_expect_eq(calls, 7, "calls: %u", calls);
	shrinker_free(s);
}

Test(shrinker, shrink_stop_ends_the_round)
{
	struct counter c = { .objects = 1000, .refuse_after = 2 };
	struct shrinker *s = new_counter(&c, 0);

	shrinker_register(s);
	cr_expect_eq(shrink(GFP_KERNEL, 0), 256);
	cr_expect_eq(c.scans, 2);
	cr_expect_eq(shrink(GFP_KERNEL, 0), 0);
	shrinker_free(s);
}

static unsigned long count_empty(struct shrinker *s, struct shrink_control *sc)
{
	(void)s;
	(void)sc;
	return SHRINK_EMPTY;
}

static unsigned long scan_never(struct shrinker *s, struct shrink_control *sc)
{
	(void)s;
	(void)sc;
	cr_assert_fail("an empty shrinker is not scanned");
	return 0;
}

Test(shrinker, shrink_empty_is_nothing)
{
	struct shrinker *s = shrinker_alloc(0, "empty");

	s->count_objects = count_empty;
	s->scan_objects = scan_never;
	shrinker_register(s);
	cr_expect_eq(shrink(GFP_KERNEL, 0), 0);
	shrinker_free(s);
}

/* Not when an allocation is short of memory: its thread may hold the locks that it waits for. */
Test(shrinker, on_request_only)
{
	struct counter c = { .objects = 1000 };
	struct shrinker *s = new_counter(&c, SHRINKER_ON_REQUEST);

	shrinker_register(s);
	cr_assert_eq(kmem_set_limit(4 << 20, KMEM_LIMIT_NONE), 0);
	cr_expect_null(kmalloc(6 << 20, GFP_KERNEL | __GFP_NOWARN));
	cr_expect_eq(shrink(GFP_KERNEL, 0), 0);
	cr_expect_eq(c.counts, 0);
	kmem_set_limit(KMEM_LIMIT_NONE, KMEM_LIMIT_NONE);
	kmem_reclaim(KMEM_LIMIT_NONE);
	cr_expect_eq(c.looked, 1000);
	shrinker_free(s);
}

Test(shrinker, the_gfp_mask_is_that_of_the_scope)
{
	struct counter c = { .objects = 0 };
	struct shrinker *s = new_counter(&c, 0);
	unsigned int scope;

	shrinker_register(s);
	kmem_reclaim(1);
	cr_expect_eq(c.gfp, GFP_KERNEL);
	scope = memalloc_nofs_save();
	kmem_reclaim(1);
	cr_expect_eq(c.gfp, GFP_NOFS);
	memalloc_nofs_restore(scope);
	scope = memalloc_noio_save();
	kmem_reclaim(1);
	cr_expect_eq(c.gfp, GFP_NOIO);
	memalloc_noio_restore(scope);
	scope = memalloc_noreclaim_save();
	c.counts = 0;
	cr_expect_eq(kmem_reclaim(1), 0);
	cr_expect_eq(c.counts, 0);
	memalloc_noreclaim_restore(scope);
	shrinker_free(s);
}

Test(shrinker, bad_arguments)
{
	struct counter c = { .objects = 10 };
	struct shrinker *s;

	shrinker_free(NULL);
	sink_catch();
	cr_expect_null(shrinker_alloc(0x100, "flags"));
	cr_expect(sink_has("shrinker_alloc: unknown flags 0x100"), "%s", sink_text);
	s = shrinker_alloc(0, "lame");
	shrinker_register(s);
	cr_expect(sink_has("shrinker_register(lame): a function is missing"), "%s", sink_text);
	cr_expect_eq(shrink(GFP_KERNEL, 0), 0);
	shrinker_free(s);
	s = new_counter(&c, SHRINKER_MEMCG_AWARE | SHRINKER_NONSLAB);
	shrinker_register(s);
	shrinker_register(s);
	cr_expect(sink_has("it is registered already"), "%s", sink_text);
	cr_expect_eq(shrink(GFP_KERNEL, 0), 10);
	cr_expect_eq(c.counts, 1);
	shrinker_free(s);
	fault_every_call(true);
	while ((s = shrinker_alloc(0, "no memory")))
		;	/* the arena's chunk holds a few */
	fault_every_call(false);
}

static unsigned long free_itself(struct shrinker *s, struct shrink_control *sc)
{
	(void)sc;
	shrinker_free(s);
	return 0;
}

static void suicide(void)
{
	struct counter c = { .objects = 1 };
	struct shrinker *s = new_counter(&c, 0);

	s->scan_objects = free_itself;
	shrinker_register(s);
	shrink(GFP_KERNEL, 0);
}

Test(shrinker, freeing_itself_is_reported)
{
	assert_aborts(suicide, "shrinker_free(test-1) from one of its own functions");
}

/* ---- others are in it ------------------------------------------------------------------ */

static u32 entered, leave, freed_at;

static unsigned long wait_inside(struct shrinker *s, struct shrink_control *sc)
{
	(void)s;
	(void)sc;
	smp_store_release(&entered, 1);
	while (!smp_load_acquire(&leave))
		sched_yield();
	cr_assert_eq(smp_load_acquire(&freed_at), 0, "freed while a thread was inside");
	return SHRINK_STOP;
}

static void *shrink_thread(void *unused)
{
	(void)unused;
	shrink(GFP_KERNEL, 0);
	return NULL;
}

static void *free_thread(void *s)
{
	shrinker_free(s);
	smp_store_release(&freed_at, 1);
	return NULL;
}

Test(shrinker, free_waits_for_those_inside)
{
	struct counter c = { .objects = 1 };
	struct shrinker *s = new_counter(&c, 0);
	pthread_t inside, freeing;

	s->scan_objects = wait_inside;
	shrinker_register(s);
	cr_assert_eq(pthread_create(&inside, NULL, shrink_thread, NULL), 0);
	while (!smp_load_acquire(&entered))
		sched_yield();
	cr_assert_eq(pthread_create(&freeing, NULL, free_thread, s), 0);
	usleep(20000);
	cr_expect_eq(smp_load_acquire(&freed_at), 0);
	/* A dying one is not entered: this would never return. */
	shrink(GFP_KERNEL, 0);
	smp_store_release(&leave, 1);
	pthread_join(inside, NULL);
	pthread_join(freeing, NULL);
	cr_expect_eq(freed_at, 1);
}

/* fork() while another thread is inside: the child can free it, which waits for nobody. */
Test(shrinker, a_child_waits_for_nobody)
{
	struct counter c = { .objects = 1 };
	struct shrinker *s = new_counter(&c, 0);
	pthread_t inside;
	int status;
	pid_t pid;

	s->scan_objects = wait_inside;
	shrinker_register(s);
	cr_assert_eq(pthread_create(&inside, NULL, shrink_thread, NULL), 0);
	while (!smp_load_acquire(&entered))
		sched_yield();
	pid = fork();
	if (pid == 0) {
		alarm(20);
		shrinker_free(s);
		_exit(0);
	}
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	cr_expect_eq(status, 0);
	smp_store_release(&leave, 1);
	pthread_join(inside, NULL);
	shrinker_free(s);
}

/* Threads that register, shrink and free at once; nothing is called after it was freed. */
static void *churn(void *unused)
{
	(void)unused;
	for (unsigned int i = 0; i < 300; i++) {
		struct counter c = { .objects = 1000 };
		struct shrinker *s = new_counter(&c, 0);

		shrinker_register(s);
		shrink(GFP_KERNEL, (int)(i % 13));
		shrinker_free(s);
		c.scans = c.counts = ~0UL >> 1;
		for (unsigned int k = 0; k < 100; k++)
			cr_assert_eq(READ_ONCE(c.counts), ~0UL >> 1);
	}
	return NULL;
}

Test(shrinker, come_and_go)
{
	pthread_t thread[8];

	for (unsigned int i = 0; i < 8; i++)
		cr_assert_eq(pthread_create(&thread[i], NULL, churn, NULL), 0);
	for (unsigned int i = 0; i < 8; i++)
		pthread_join(thread[i], NULL);
	cr_expect_eq(shrink(GFP_KERNEL, 0), 0);
}
