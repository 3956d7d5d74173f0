// SPDX-License-Identifier: MIT
/*
 * fork_handlers.c - another library's fork handlers, registered before ours, allocate. They run
 * while ours hold every lock: the prepare handler after ours, those of the parent and of
 * the child before ours. Threads are at work meanwhile, and want the same locks.
 *
 * The handlers do what somebody's may: small and large objects, more pages than the heap has,
 * caches that come and go and one that stays, a pool, a vfork child, another fork.
 */
#include "stress.h"

#include <kmem/gfp.h>
#include <kmem/mempool.h>
#include <spawn.h>

#include "mm/cmdline.h"
#include "mm/init.h"

#define THREADS	4
#define OBJECTS	300

static struct kmem_cache *kept;		/* made in a prepare handler, used by all */
static mempool_t *pool;
static unsigned long handled;
static bool started, deep;

static void handler_allocates(size_t most)
{
	struct kmem_cache *s = kmem_cache_create("handler", 72, 0, SLAB_NO_MERGE, NULL);
	void *own[OBJECTS], *large;

	for (unsigned int i = 0; i < OBJECTS; i++) {
		size_t size = sizeof(struct stamp) + i * most / OBJECTS;

		own[i] = stress_stamp(MyMalloc(size), size);
	}
	for (unsigned int i = 0; i < OBJECTS; i++) {
		stress_unstamp(own[i]);
		MyFree(own[i]);
	}
	large = MyMalloc(handled % 8 ? 200000 : 20 << 20);
	memset(large, 1, 100000);
	MyFree(large);
	kmem_cache_free(s, kmem_cache_alloc(s, GFP_KERNEL));
	kmem_cache_destroy(s);
	if (kept)
		kmem_cache_free(kept, kmem_cache_alloc(kept, GFP_KERNEL));
	mempool_free(mempool_alloc(pool, GFP_KERNEL), pool);
	if (handled % 4 == 0)
		vmscan_trim();
	handled++;
}

/* A fork of a handler's: its own handlers come here, too. */
static void handler_forks(void)
{
	int status = -1;
	pid_t pid;

	deep = true;
	pid = fork();
	if (pid == 0) {
		handler_allocates(5000);
		_exit(stress_errors != 0);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid || status)
		stress_fail("fork in a handler: pid %d, status 0x%x", (int)pid, status);
	deep = false;
}

static void handler_spawns(void)
{
	char *const argv[] = { "true", NULL };
	int status = -1;
	pid_t pid;

	if (posix_spawnp(&pid, "true", NULL, NULL, argv, environ) ||
	    waitpid(pid, &status, 0) != pid || status)
		stress_fail("spawning in a handler: status 0x%x", status);
}

static void prepare(void)
{
	if (!started)
		return;
	if (!kept) {
		pool = mempool_create_kmalloc_pool(2, 700);
		__atomic_store_n(&kept, kmem_cache_create("handler-kept", 40, 0, SLAB_NO_MERGE,
							  NULL), __ATOMIC_RELEASE);
	}
	handler_allocates(20000);
	if (!deep && handled % 32 == 1)
		handler_forks();
	if (!deep && handled % 32 == 17)
		handler_spawns();
}

static void parent(void)
{
	if (started)
		handler_allocates(3000);
}

static void child(void)
{
	if (started)
		handler_allocates(20000);
}

static void register_first(void)
{
	if (pthread_atfork(prepare, parent, child))
		_exit(4);
}

/* The only place before the constructors. */
static void (*const first)(void) __attribute__((section(".preinit_array"), used)) = register_first;

static void *churn(void *arg)
{
	uint64_t seed = (uintptr_t)arg * 17 + 3;

	while (stress_running()) {
		void *own[64];

		for (unsigned int i = 0; i < 64; i++) {
			size_t size = stress_size(stress_rnd(&seed));
			struct kmem_cache *s = __atomic_load_n(&kept, __ATOMIC_ACQUIRE);

			own[i] = stress_stamp(MyMalloc(size), size);
			if (s && i % 4 == 0)
				kmem_cache_free(s, kmem_cache_alloc(s, GFP_KERNEL));
		}
		for (unsigned int i = 0; i < 64; i++) {
			stress_unstamp(own[i]);
			MyFree(own[i]);
		}
		if (stress_rnd(&seed) % 64 == 0)
			kmem_cache_shrink(kmalloc_caches[3]);
	}
	return NULL;
}

static int in_child(void)
{
	alarm(20);
	stress_errors = 0;
	stress_validate_caches();
	handler_allocates(20000);
	stress_validate_caches();
	return stress_errors != 0;
}

int main(int argc, char **argv)
{
	unsigned long forks = 0;
	pthread_t t[THREADS];

	stress_start(argc, argv);
#if defined(KMEM_TSAN) || defined(KMEM_ASAN)
	kmem_params.reclaim = false;	/* a thread, which their runtimes cannot start in a child */
#endif
	for (unsigned long i = 0; i < THREADS; i++)
		if (pthread_create(&t[i], NULL, churn, (void *)i))
			return 2;
	started = true;
	while (stress_time_left() && stress_errors < 5) {
		int status = -1;
		pid_t pid;

		pid = fork();
		if (pid == 0)
			_exit(in_child());
		if (pid < 0 || waitpid(pid, &status, 0) != pid || status)
			stress_fail("fork %lu: pid %d, status 0x%x", forks, (int)pid, status);
		forks++;
	}
	started = false;
	__atomic_store_n(&stress_over, true, __ATOMIC_RELAXED);
	for (int i = 0; i < THREADS; i++)
		pthread_join(t[i], NULL);
	if (handled < 2 * forks || !forks)
		stress_fail("%lu forks, %lu handlers", forks, handled);
	mempool_destroy(pool);
	kmem_cache_destroy(kept);
	return stress_result("fork_handlers", forks);
}
