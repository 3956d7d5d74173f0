// SPDX-License-Identifier: MIT
/*
 * limit.c - eight threads at a hard limit, with a soft one that moves below it and a
 * shrinker that they all run into: nobody may see more used than the limit, no
 * object may be touched by two, every failure must be one of memory, and in the
 * end all is there again.
 */
#include "stress.h"

#include <kmem/limit.h>
#include <kmem/memalloc.h>
#include <kmem/shrinker.h>

#include "mm/init.h"
#include "mm/page_limit.h"
#include "mm/task.h"

#define THREADS		8
#define LIVE		3000
#define LIMIT		(24UL << 20)

static unsigned long operations, failures, shrunk, most;

/* ---- a cache that gives back --------------------------------------------------------- */

struct cached {
	struct cached *next;
	unsigned char body[1000];
};

static pthread_mutex_t store_lock = PTHREAD_MUTEX_INITIALIZER;
static struct kmem_cache *store_cache;
static struct cached *store;
static unsigned long stored;

static unsigned long store_count(struct shrinker *s, struct shrink_control *sc)
{
	(void)s;
	(void)sc;
	return __atomic_load_n(&stored, __ATOMIC_RELAXED);
}

static unsigned long store_scan(struct shrinker *s, struct shrink_control *sc)
{
	unsigned long n = 0;

	(void)s;
	if (!(task_flags & TASK_MEMALLOC))
		stress_fail("a shrinker outside of a noreclaim scope");
	if (!(sc->gfp_mask & __GFP_FS) || pthread_mutex_trylock(&store_lock))
		return SHRINK_STOP;
	for (; store && n < sc->nr_to_scan; n++) {
		struct cached *c = store;

		store = c->next;
		stress_unstamp(c->body);
		kmem_cache_free(store_cache, c);
	}
	__atomic_fetch_sub(&stored, n, __ATOMIC_RELAXED);
	pthread_mutex_unlock(&store_lock);
	__atomic_fetch_add(&shrunk, n, __ATOMIC_RELAXED);
	return n;
}

static bool store_add(void)
{
	unsigned int scope = memalloc_nofs_save();
	struct cached *c;

	pthread_mutex_lock(&store_lock);
	c = kmem_cache_alloc(store_cache, GFP_KERNEL | __GFP_NOWARN | __GFP_NORETRY);
	if (c) {
		stress_stamp(c->body, sizeof(c->body));
		c->next = store;
		store = c;
		__atomic_fetch_add(&stored, 1, __ATOMIC_RELAXED);
	}
	pthread_mutex_unlock(&store_lock);
	memalloc_nofs_restore(scope);
	return c != NULL;
}

/* ---- threads --------------------------------------------------------------------------- */

static void *allocate(uint64_t r, size_t size)
{
	switch (r % 8) {
	case 0:
		return kmalloc(size, GFP_NOWAIT);
	case 1:
		return kmalloc(size, GFP_ATOMIC | __GFP_NOWARN);
	case 2:
		return kmalloc(size, GFP_KERNEL | __GFP_NOWARN | __GFP_NORETRY);
	default:
		return MyMalloc(size);
	}
}

static void *work(void *arg)
{
	uint64_t seed = (uintptr_t)arg * 31 + 5;
	void **live = calloc(LIVE, sizeof(*live));
	unsigned long n = 0, failed = 0;

	for (; stress_running(); n++) {
		uint64_t r = stress_rnd(&seed);
		unsigned int i = (unsigned int)(r >> 32) % LIVE;
		size_t size = stress_size(r) * (r % 97 == 0 ? 20 : 2);

		if (r % 5 == 0)
			failed += !store_add();
		if (live[i]) {
			stress_unstamp(live[i]);
			MyFree(live[i]);
		}
		live[i] = stress_stamp(allocate(r >> 16, size), size);
		failed += !live[i];
		if (task_flags)
			stress_fail("task flags %x are left", task_flags);
	}
	for (unsigned int i = 0; i < LIVE; i++) {
		if (live[i]) {
			stress_unstamp(live[i]);
			MyFree(live[i]);
		}
	}
	free(live);
	__atomic_fetch_add(&operations, n, __ATOMIC_RELAXED);
	__atomic_fetch_add(&failures, failed, __ATOMIC_RELAXED);
	return NULL;
}

static void tick(unsigned int n)
{
	unsigned long used = pages_used() << PAGE_SHIFT;

	most = used > most ? used : most;
	if (n % 64 == 63)
		page_limits_set(LIMIT >> PAGE_SHIFT,
				n % 128 == 127 ? ~0UL : LIMIT * 3 / 4 >> PAGE_SHIFT);
	if (n % 256 == 255)
		stress_validate_caches();
}

int main(int argc, char **argv)
{
	struct shrinker *s;
	pthread_t t[THREADS];
	long before, lost;

	stress_start(argc, argv);
	MyFree(MyMalloc(1));
	before = stress_live();
	store_cache = kmem_cache_create("store", sizeof(struct cached), NULL, SLAB_NO_MERGE);
	s = shrinker_alloc(0, "store");
	if (!store_cache || !s)
		return 2;
	s->count_objects = store_count;
	s->scan_objects = store_scan;
	shrinker_register(s);
	if (kmem_set_limit(LIMIT, KMEM_LIMIT_NONE))
		stress_fail("no limit");
	for (unsigned long i = 0; i < THREADS; i++)
		if (pthread_create(&t[i], NULL, work, (void *)i))
			return 2;
	stress_sleep(tick);
	for (int i = 0; i < THREADS; i++)
		pthread_join(t[i], NULL);

	if (most > LIMIT)
		stress_fail("%lu bytes were in use", most);
	if (!shrunk)
		stress_fail("no shrinker was run");
	if (page_limits.pending)
		stress_fail("%lu pages are pending", page_limits.pending);
	kmem_reclaim(KMEM_LIMIT_NONE);
	if (stored)
		stress_fail("%lu objects are left", stored);
	shrinker_free(s);
	kmem_cache_destroy(store_cache);
	kmem_set_limit(KMEM_LIMIT_NONE, KMEM_LIMIT_NONE);
	lost = stress_lost(before);
	if (lost)
		stress_fail("%ld objects are lost", lost);
	printf("%lu failed, %lu shrunk, at most %lu KiB; ", failures, shrunk, most >> 10);
	return stress_result("limit", operations);
}
