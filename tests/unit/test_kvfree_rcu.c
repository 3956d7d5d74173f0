// SPDX-License-Identifier: MIT
/* Tests of mm/kvfree_rcu.c: objects that are freed after a grace period. */
#include "slab_test.h"

#include <errno.h>
#include <kmem/limit.h>
#include <kmem/vmalloc.h>

#include "rcu_test.h"

TestSuite(kvfree_rcu, .timeout = 60);

struct object {
	unsigned long value;
	struct kmem_rcu_head rcu;
};

static struct kmem_cache *cache(void)
{
	kmem_rcu_use_flavor(&fake_flavor);
	return kmem_cache_create("deferred", sizeof(struct object), 0, SLAB_NO_MERGE, NULL);
}

static struct object *object(struct kmem_cache *s)
{
	struct object *o = kmem_cache_alloc(s, GFP_KERNEL);

	cr_assert_not_null(o);
	return o;
}

Test(kvfree_rcu, an_object_lives_until_the_grace_period_ends)
{
	struct kmem_cache *s = cache();
	struct object *o = object(s);

	fake_read(true);
	o->value = 42;
	kfree_rcu(o, rcu);
	EVENTUALLY(fake_seen());
	usleep(2000);
	cr_expect(cache_live(s) == 1 && o->value == 42, "freed under a reader");
	fake_read(false);
	EVENTUALLY(cache_live(s) == 0);
	cr_expect(cache_live(s) == 0);
}

Test(kvfree_rcu, freed_without_anybody_asking)
{
	struct kmem_cache *s = cache();

	kfree_rcu(object(s), rcu);
	EVENTUALLY(cache_live(s) == 0);
	cr_expect(cache_live(s) == 0);
	kfree_rcu(object(s), rcu);
	EVENTUALLY(cache_live(s) == 0);
	cr_expect(cache_live(s) == 0, "the second time, too");
}

Test(kvfree_rcu, barrier_waits_for_all)
{
	struct kmem_cache *s = cache();

	for (int i = 0; i < 3000; i++)
		kfree_rcu(object(s), rcu);
	kvfree_rcu_barrier();
	cr_expect(cache_live(s) == 0, "%ld", cache_live(s));
	for (int i = 0; i < 100; i++)
		kfree_rcu_mightsleep(object(s));
	kvfree_rcu_barrier_on_cache(s);
	cr_expect(cache_live(s) == 0, "%ld", cache_live(s));
}

Test(kvfree_rcu, barrier_without_anything_costs_no_grace_period)
{
	struct kmem_cache *s = cache();

	kvfree_rcu_barrier();
	cr_expect(fake_seen() == 0);
	kfree_rcu(object(s), rcu);
	kvfree_rcu_barrier();
	kvfree_rcu_barrier();
	cr_expect(fake_seen() == 1, "%lu", fake_seen());
}

/* What is accepted: all that kvfree() accepts, of any size. */
Test(kvfree_rcu, memory_of_every_kind)
{
	static const size_t sizes[] = { 24, 100, 1024, 1025, 5000, 32768, 40000, 3 << 20 };

	cache();
	for (unsigned int i = 0; i < ARRAY_SIZE(sizes); i++) {
		struct object *o = kmalloc(sizes[i], GFP_KERNEL);

		kvfree_rcu(o, rcu);
		o = vmalloc(sizes[i]);
		kvfree_rcu_mightsleep(o);
		o = kvmalloc(sizes[i], GFP_KERNEL);
		kvfree_rcu(o);
	}
	kvfree_rcu_barrier();
	for (unsigned int i = 0; i < KMALLOC_CLASSES; i++)
		cr_expect(cache_live(kmalloc_caches[i]) == 0, "%u", kmalloc_caches[i]->size);
	cr_expect(zones_validate() == 0);
}

Test(kvfree_rcu, null_and_zero_size_do_nothing)
{
	struct object *o = NULL;

	cache();
	kfree_rcu(o, rcu);
	kfree_rcu_mightsleep(o);
	o = kmalloc(0, GFP_KERNEL);
	kvfree_call_rcu(NULL, o);
	kvfree_rcu_barrier();
	cr_expect(fake_seen() == 0);
}

Test(kvfree_rcu, a_bad_pointer_is_reported, .signal = SIGABRT)
{
	static char no_object[64];

	printk_sink = sink_drop;
	kvfree_call_rcu(NULL, no_object);
}

static void twice(void)
{
	struct object *o = object(cache());

	kfree_rcu(o, rcu);
	kfree_rcu(o, rcu);
	kvfree_rcu_barrier();
	kmem_cache_shrink(virt_to_cache(o));
}

Test(kvfree_rcu, a_double_free_is_reported, .signal = SIGABRT)
{
	printk_sink = sink_drop;
	twice();
}

/* Without memory for a batch the object's own head serves; without one the caller waits. */
Test(kvfree_rcu, no_memory_for_a_batch)
{
	enum { N = 200000 };
	struct kmem_cache *s = cache();
	static struct object *objects[N];
	unsigned long before;

	for (int i = 0; i < N; i++)
		objects[i] = object(s);
	fault_every_call(true);
	before = fake_seen();
	fake_read(true);
	/* What metadata memory there is is used up on the way. */
	for (int i = 0; i < N; i++)
		kfree_rcu(objects[i], rcu);
	cr_expect(cache_live(s) == N, "%ld", cache_live(s));
	fake_read(false);
	kvfree_rcu_barrier();
	cr_expect(cache_live(s) == 0, "%ld", cache_live(s));
	cr_expect(fake_seen() > before);
	for (int i = 0; i < 1000; i++) {
		struct object *o = kmalloc(64, GFP_KERNEL);

		if (o)
			kfree_rcu_mightsleep(o);
	}
	fault_every_call(false);
	kvfree_rcu_barrier();
	cr_expect(validate_slab_caches() == 0);
}

static int may_go;	/* atomic */

static void *let_go(void *unused)
{
	EVENTUALLY(__atomic_load_n(&may_go, __ATOMIC_ACQUIRE));
	usleep(20000);
	fake_read(false);
	return unused;
}

/* No memory, and no head in the object: the caller sees to it that nobody reads any more. */
Test(kvfree_rcu, no_memory_and_no_head)
{
	enum { N = 100000 };
	struct kmem_cache *s = cache();
	static struct object *objects[N];
	struct object *last = object(s);
	pthread_t helper;
	unsigned long before;
	long live;

	for (int i = 0; i < N; i++)
		objects[i] = object(s);
	fake_read(true);
	kfree_rcu(objects[0], rcu);
	rcu_expedite();
	EVENTUALLY(fake_seen());	/* the worker is held up: nothing comes back */
	cr_assert(pthread_create(&helper, NULL, let_go, NULL) == 0);
	fault_every_call(true);
	for (int i = 1; i < N; i++)
		kfree_rcu(objects[i], rcu);
	live = cache_live(s);
	before = fake_seen();
	__atomic_store_n(&may_go, 1, __ATOMIC_RELEASE);
	kfree_rcu_mightsleep(last);
	cr_expect(__atomic_load_n(&fake_readers, __ATOMIC_SEQ_CST) == 0 || fake_seen() == before,
		  "came back under a reader");
	cr_expect(live == N + 1, "%ld", live);
	fault_every_call(false);
	pthread_join(helper, NULL);
	kvfree_rcu_barrier();
	cr_expect(cache_live(s) == 0, "%ld", cache_live(s));
}

/* Where magazines of other CPUs cannot be taken, there are none: one list serves all. */
Test(kvfree_rcu, without_membarrier)
{
	struct kmem_cache *s = cache();

	percpu.can_drain = false;
	for (int i = 0; i < 2000; i++)
		kfree_rcu(object(s), rcu);
	kvfree_rcu((char *)kmalloc(100, GFP_KERNEL));
	kvfree_rcu_barrier();
	kmem_cache_shrink(s);
	cr_expect(cache_live(s) == 0, "%ld", cache_live(s));
	kfree_rcu(object(s), rcu);
	EVENTUALLY(cache_live(s) == 0);
	cr_expect(cache_live(s) == 0);
}

static bool no_thread(enum host_call call)
{
	return call == HOST_THREAD;
}

Test(kvfree_rcu, no_thread_to_be_had)
{
	struct kmem_cache *s = cache();

	host_fault = no_thread;
	for (int i = 0; i < 1000; i++)
		kfree_rcu(object(s), rcu);
	usleep(3 * RCU_DRAIN_MS * 1000);
	cr_expect(cache_live(s) == 1000 && fake_seen() == 0);
	kvfree_rcu_barrier();
	cr_expect(cache_live(s) == 0, "the barrier does it itself");
	kfree_rcu(object(s), rcu);
	host_fault = NULL;
	usleep(150000);
	for (int i = 0; i < 300; i++)
		kfree_rcu(object(s), rcu);
	EVENTUALLY(cache_live(s) == 0);
	cr_expect(cache_live(s) == 0, "a later call finds one: %ld", cache_live(s));
}

/* Many bytes do not wait for the clock: with 4 MiB a round begins. */
Test(kvfree_rcu, bytes_are_bounded)
{
	cache();
	for (int i = 0; i < 40; i++) {
		char *p = kmalloc(1 << 20, GFP_KERNEL);

		cr_assert_not_null(p);
		kfree_rcu_mightsleep(p);
	}
	EVENTUALLY(fake_seen() > 0);
	kvfree_rcu_barrier();
	cr_expect(zones_validate() == 0);
}

/* Above 64 MiB the caller is slowed down, but not for ever, whatever the reader does. */
Test(kvfree_rcu, a_stalled_reader_slows_callers)
{
	u64 begin;

	cache();
	fake_read(true);
	for (int i = 0; i < 80; i++)
		kfree_rcu_mightsleep((char *)kmalloc(1 << 20, GFP_KERNEL));
	begin = host_now_ms();
	for (int i = 0; i < 5; i++)
		kfree_rcu_mightsleep((char *)kmalloc(1 << 20, GFP_KERNEL));
	cr_expect(host_now_ms() - begin >= 30, "%lu ms", (unsigned long)(host_now_ms() - begin));
	fake_in_section = 1;	/* one that reads itself is not held up */
	begin = host_now_ms();
	for (int i = 0; i < 5; i++)
		kfree_rcu_mightsleep((char *)kmalloc(1 << 20, GFP_KERNEL));
	fake_in_section = 0;
	fake_read(false);
	kvfree_rcu_barrier();
}

/* At a memory limit, what waits is not in the way of what is asked for. */
Test(kvfree_rcu, reclaim_hurries_what_waits)
{
	unsigned int failed = 0;

	cache();
	cr_assert(kmem_set_limit(24 << 20, KMEM_LIMIT_NONE) == 0);
	for (int i = 0; i < 3000; i++) {
		char *p = kmalloc(60000, GFP_KERNEL | __GFP_NOWARN);

		if (p)
			kvfree_rcu_mightsleep(p);
		else
			failed++;
	}
	cr_expect(failed < 300, "%u; a busy machine may let a few fail", failed);
	kvfree_rcu_barrier();
}

#define THREADS	4

static struct kmem_cache *shared;

static void *note_many(void *arg)
{
	for (int i = 0; i < 20000; i++) {
		struct object *o = kmem_cache_alloc(shared, GFP_KERNEL);

		if (!o)
			return arg;
		kfree_rcu(o, rcu);
		if (i % 1000 == 0)
			kvfree_rcu_barrier();
	}
	return NULL;
}

Test(kvfree_rcu, threads_and_barriers)
{
	pthread_t threads[THREADS];
	void *failed;

	shared = cache();
	for (int i = 0; i < THREADS; i++)
		cr_assert(pthread_create(&threads[i], NULL, note_many, shared) == 0);
	for (int i = 0; i < THREADS; i++) {
		pthread_join(threads[i], &failed);
		cr_expect_null(failed);
	}
	kvfree_rcu_barrier();
	cr_expect(cache_live(shared) == 0, "%ld", cache_live(shared));
	sink_catch();
	kmem_cache_destroy(shared);
	cr_expect(sink_len == 0, "%s", sink_text);
}

Test(kvfree_rcu, errno_is_kept)
{
	struct kmem_cache *s = cache();

	errno = 12345;
	for (int i = 0; i < 1000; i++)
		kfree_rcu(object(s), rcu);
	kvfree_rcu_barrier();
	cr_expect(errno == 12345);
}
