// SPDX-License-Identifier: MIT
/*
 * fork_load.c - fork() while threads allocate, create caches and drain them: the
 * child finds no lock taken and no structure half changed. Each child checks all
 * of it, allocates, frees what its parent's threads own, drains, starts a thread,
 * forks again, and says by its status whether all was well.
 */
#include "stress.h"

#include "mm/cmdline.h"
#include "mm/init.h"

#define THREADS	4
#define SHARED	512

/*
 * The sanitizers' own runtimes do not survive a fork beside threads well enough to
 * start one in the child: ThreadSanitizer says so, AddressSanitizer's allocator
 * keeps a lock of another thread's. The reclaimer is a thread, too, there.
 */
#if defined(KMEM_TSAN) || defined(KMEM_ASAN)
#define THREADS_IN_CHILD	false
#else
#define THREADS_IN_CHILD	true
#endif

static void *shared[SHARED];	/* objects that the child frees on its own account */
static struct kmem_cache *cache;

static void *churn(void *arg)
{
	uint64_t seed = (uintptr_t)arg * 17 + 3;

	while (stress_running()) {
		uint64_t r = stress_rnd(&seed);
		size_t size = stress_size(r);
		bool small = r >> 33 & 1;
		void *p = small ? stress_stamp(kmem_cache_alloc(cache, GFP_KERNEL), 88) :
				  stress_stamp(MyMalloc(size), size);
		void *old = __atomic_exchange_n(&shared[r % SHARED], p, __ATOMIC_ACQ_REL);

		if (old) {
			stress_unstamp(old);
			MyFree(old);
		}
	}
	return NULL;
}

static void *disturb(void *arg)
{
	for (unsigned int n = 0; stress_running(); n++) {
		struct kmem_cache *s = kmem_cache_create("stress-short", 64 + n % 999, 0,
							 n & 1 ? SLAB_NO_MERGE : 0, NULL);

		if (!s) {
			stress_fail("no cache");
			continue;
		}
		kmem_cache_free(s, kmem_cache_alloc(s, GFP_KERNEL));
		kmem_cache_destroy(s);
		kmem_cache_shrink(cache);
		if (n % 16 == 0)
			vmscan_trim();
	}
	return arg;
}

static void *child_thread(void *arg)
{
	for (unsigned int i = 0; i < 200; i++) {
		void *p = stress_stamp(MyMalloc(sizeof(struct stamp) + i * 20),
				       sizeof(struct stamp) + i * 20);

		stress_unstamp(p);
		MyFree(p);
	}
	return arg;
}

/*
 * An object that a thread of the parent was just stamping or freeing cannot be
 * told from a damaged one: those in the table are only freed, not looked at.
 */
static int child(unsigned int n)
{
	struct kmem_cache *s;
	pthread_t t;

	alarm(20);
	kmem_params.reclaim = THREADS_IN_CHILD;
	stress_errors = 0;
	stress_validate_caches();
	child_thread(NULL);
	for (unsigned int i = 0; i < SHARED; i += 3)
		MyFree(shared[i]);
	s = kmem_cache_create("stress-child", 100, 0, SLAB_NO_MERGE, NULL);
	kmem_cache_free(s, kmem_cache_alloc(s, GFP_KERNEL));
	kmem_cache_destroy(s);
	if (n % 4 == 0 && THREADS_IN_CHILD) {
		if (pthread_create(&t, NULL, child_thread, NULL))
			return 2;
		pthread_join(t, NULL);
	}
	if (n % 4 == 1)
		vmscan_trim();
	if (n % 8 == 2) {
		int status = 1;
		pid_t pid = fork();

		if (pid == 0) {
			child_thread(NULL);
			stress_validate_caches();
			_exit(stress_errors != 0);
		}
		if (pid < 0 || waitpid(pid, &status, 0) != pid || status)
			return 3;
	}
	stress_validate_caches();
	return stress_errors != 0;
}

int main(int argc, char **argv)
{
	pthread_t t[THREADS + 1];
	unsigned long forks = 0;

	stress_start(argc, argv);
	cache = kmem_cache_create("stress-fork", 88, 0, SLAB_NO_MERGE, NULL);
	for (unsigned long i = 0; i < THREADS + 1; i++)
		if (pthread_create(&t[i], NULL, i < THREADS ? churn : disturb, (void *)i))
			return 2;
	while (stress_time_left() && stress_errors < 5) {
		int status = -1;
		pid_t pid = fork();

		if (pid == 0)
			_exit(child((unsigned int)forks));
		if (pid < 0 || waitpid(pid, &status, 0) != pid || status)
			stress_fail("fork %lu: pid %d, status 0x%x", forks, (int)pid, status);
		forks++;
	}
	__atomic_store_n(&stress_over, true, __ATOMIC_RELAXED);
	for (int i = 0; i < THREADS + 1; i++)
		pthread_join(t[i], NULL);
	for (unsigned int i = 0; i < SHARED; i++) {
		if (shared[i]) {
			stress_unstamp(shared[i]);
			MyFree(shared[i]);
		}
	}
	if (kmem_cache_shrink(cache))
		stress_fail("the cache is not empty");
	return stress_result("fork_load", forks);
}
