// SPDX-License-Identifier: MIT
/* Tests of mm/slab_rcu.c: rounds, slabs that wait for a grace period, fork. */
#include "slab_test.h"

#include <errno.h>
#include <kmem/limit.h>
#include <sys/wait.h>

#include "rcu_test.h"

TestSuite(slab_rcu, .timeout = 60);

#define N	2000

static void *objects[N];

static struct kmem_cache *typesafe(void)
{
	kmem_rcu_use_flavor(&fake_flavor);
	return kmem_cache_create("typesafe", 200, 0, SLAB_TYPESAFE_BY_RCU, NULL);
}

static void fill_cache(struct kmem_cache *s)
{
	for (int i = 0; i < N; i++) {
		objects[i] = kmem_cache_alloc(s, GFP_KERNEL);
		cr_assert_not_null(objects[i]);
		memset(objects[i], 0x3c, 200);
	}
}

static void empty_cache(struct kmem_cache *s)
{
	for (int i = 0; i < N; i++)
		kmem_cache_free(s, objects[i]);
}

/* The memory is neither given back nor anybody else's. */
static bool untouched(void)
{
	for (int i = 0; i < N; i++)
		if (!all_bytes(objects[i], 200, 0x3c))
			return false;
	return true;
}

Test(slab_rcu, slabs_stay_until_the_grace_period_ends)
{
	struct kmem_cache *s = typesafe();
	void *others[N];

	fill_cache(s);
	fake_read(true);
	empty_cache(s);
	cr_expect(kmem_cache_shrink(s) == 0);
	cr_expect(slab_rcu_waiting() > 10, "%lu", slab_rcu_waiting());
	for (int i = 0; i < N; i++) {
		others[i] = kmalloc(200, GFP_KERNEL);
		memset(others[i], 0xff, 200);
	}
	kmem_reclaim(KMEM_LIMIT_NONE);
	cr_expect(untouched(), "memory of another type under a reader");
	cr_expect(zones_validate() == 0 && validate_slab_cache(s) == 0);
	fake_read(false);
	kvfree_rcu_barrier();
	cr_expect(slab_rcu_waiting() == 0);
	cr_expect(zones_validate() == 0);
	for (int i = 0; i < N; i++)
		kfree(others[i]);
	kmem_cache_destroy(s);
}

Test(slab_rcu, slabs_are_given_back_without_anybody_asking)
{
	struct kmem_cache *s = typesafe();
	unsigned long most;

	fill_cache(s);
	most = s->node.nr_slabs;
	empty_cache(s);
	EVENTUALLY(slab_rcu_waiting() == 0);
	cr_expect(slab_rcu_waiting() == 0);
	cr_expect(s->node.nr_slabs < most, "%lu of %lu", s->node.nr_slabs, most);
	kmem_cache_destroy(s);
}

Test(slab_rcu, destroy_waits_for_the_slabs)
{
	struct kmem_cache *s = typesafe();
	unsigned long before;

	fill_cache(s);
	empty_cache(s);
	kvfree_rcu_barrier();
	before = fake_seen();
	kmem_cache_destroy(s);
	cr_expect(fake_seen() > before, "%lu", before);
	cr_expect(slab_rcu_waiting() == 0);
}

/* No thread: the slabs stay with their cache, and with it all works. */
static bool no_thread(enum host_call call)
{
	return call == HOST_THREAD;
}

Test(slab_rcu, no_thread_to_be_had)
{
	struct kmem_cache *s = typesafe();
	unsigned long slabs;

	host_fault = no_thread;
	fill_cache(s);
	slabs = s->node.nr_slabs;
	empty_cache(s);
	cr_expect(kmem_cache_shrink(s) == 1);
	cr_expect(s->node.nr_slabs == slabs && slab_rcu_waiting() == 0);
	fill_cache(s);
	empty_cache(s);
	kmem_cache_destroy(s);
	cr_expect(zones_validate() == 0);
	host_fault = NULL;
}

/* From where no thread may be started, none is: the reclaimer, direct reclaim. */
Test(slab_rcu, reclaim_starts_no_thread)
{
	struct kmem_cache *s = typesafe();

	fill_cache(s);
	host_fault = no_thread;
	empty_cache(s);
	host_fault = NULL;
	slab_reclaim_idle(true);
	kmem_reclaim(KMEM_LIMIT_NONE);
	cr_expect(!slab_rcu_ready());
	cr_expect(slab_rcu_waiting() == 0);
	kmem_cache_destroy(s);
}

Test(slab_rcu, the_worker_ends_when_idle)
{
	struct kmem_cache *s = typesafe();

	fill_cache(s);
	empty_cache(s);
	cr_expect(slab_rcu_ready());
	EVENTUALLY(!slab_rcu_ready());
	cr_expect(!slab_rcu_ready());
	fill_cache(s);
	empty_cache(s);
	cr_expect(slab_rcu_ready(), "and comes back");
	kmem_cache_destroy(s);
}

Test(slab_rcu, without_rcu_there_is_no_worker)
{
	struct kmem_cache *s = kmem_cache_create("plain", 200, 0, SLAB_NO_MERGE, NULL);

	fill_cache(s);
	empty_cache(s);
	kmem_cache_shrink(s);
	kmem_cache_destroy(s);
	kvfree_rcu_barrier();
	cr_expect(!slab_rcu_ready());
}

static int child_status(pid_t pid)
{
	int status = -1;

	cr_assert(waitpid(pid, &status, 0) == pid);
	return status;
}

struct object {
	struct kmem_rcu_head rcu;
};

/* What waits in a child is freed by the child's own worker, which the next object starts. */
Test(slab_rcu, a_child_gets_a_worker)
{
	struct kmem_cache *s = kmem_cache_create("forked", 64, 0, SLAB_NO_MERGE, NULL);
	pid_t pid;

	for (int i = 0; i < 10; i++)
		kfree_rcu((struct object *)kmem_cache_alloc(s, GFP_KERNEL), rcu);
	pid = fork();
	cr_assert_geq(pid, 0);
	if (pid == 0) {
		kfree_rcu((struct object *)kmem_cache_alloc(s, GFP_KERNEL), rcu);
		EVENTUALLY(cache_live(s) == 0);
		_exit(cache_live(s) == 0 ? 0 : 1);
	}
	cr_expect(child_status(pid) == 0);
}

Test(slab_rcu, a_child_frees_what_waited)
{
	struct kmem_cache *s, *t = typesafe();
	pid_t pid;

	s = kmem_cache_create("forked", sizeof(struct object), 0, SLAB_NO_MERGE, NULL);
	for (int round = 0; round < 5; round++) {
		fill_cache(t);
		empty_cache(t);
		for (int i = 0; i < 5000; i++)
			kfree_rcu((struct object *)kmem_cache_alloc(s, GFP_KERNEL), rcu);
		pid = fork();
		cr_assert_geq(pid, 0);
		if (pid == 0) {
			bool fine;

			kvfree_rcu_barrier();
			fine = cache_live(s) == 0 && slab_rcu_waiting() == 0;
			for (int i = 0; i < 3; i++)
				kfree_rcu((struct object *)kmem_cache_alloc(s, GFP_KERNEL), rcu);
			EVENTUALLY(cache_live(s) == 0);
			fine &= cache_live(s) == 0;
			kmem_cache_destroy(t);
			_exit(fine && validate_slab_caches() == 0 && zones_validate() == 0 ? 0 : 1);
		}
		cr_expect(child_status(pid) == 0);
	}
	kvfree_rcu_barrier();
	cr_expect(cache_live(s) == 0);
}

/* In the midst of a grace period that will not end: the child keeps what it has. */
Test(slab_rcu, fork_in_a_grace_period)
{
	struct kmem_cache *s = kmem_cache_create("forked", 64, 0, SLAB_NO_MERGE, NULL);
	unsigned long begun;
	pid_t pid;

	kmem_rcu_use_flavor(&fake_flavor);
	fake_read(true);
	kfree_rcu((struct object *)kmem_cache_alloc(s, GFP_KERNEL), rcu);
	rcu_expedite();
	EVENTUALLY(fake_seen());
	begun = fake_seen();
	pid = fork();
	cr_assert_geq(pid, 0);
	if (pid == 0) {
		alarm(20);
		fake_read(false);
		kvfree_rcu_barrier();	/* says nothing, and comes back */
		_exit(fake_seen() == begun && cache_live(s) == 1 ? 0 : 1);
	}
	cr_expect(child_status(pid) == 0);
	fake_read(false);
	kvfree_rcu_barrier();
	cr_expect(cache_live(s) == 0);
}
