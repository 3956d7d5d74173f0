// SPDX-License-Identifier: MIT
/* Tests of mm/pool_lock.c: the list, and what fork() does with it. */
#include "slab_test.h"

#include <sys/wait.h>
#include <unistd.h>

#include "mm/pool_lock.h"

static struct pool_lock locks[3];
static int go_on;

static void *hold_and_release(void *arg)
{
	(void)arg;
	for (int i = 0; i < 2000; i++) {
		pool_lock(&locks[1]);
		sched_yield();
		pool_unlock(&locks[1]);
	}
	__atomic_store_n(&go_on, 0, __ATOMIC_RELEASE);
	return NULL;
}

Test(pool_lock, a_child_finds_every_pool_unlocked, .timeout = 60)
{
	pthread_t thread;
	int forks = 0;

	/* What links the allocator, and with it the fork handlers. */
	cr_assert(slab_is_available());
	for (unsigned int i = 0; i < ARRAY_SIZE(locks); i++)
		pool_lock_init(&locks[i]);
	go_on = 1;
	cr_assert_eq(pthread_create(&thread, NULL, hold_and_release, NULL), 0);
	do {
		int status;
		pid_t pid = fork();

		cr_assert_geq(pid, 0);
		if (pid == 0) {
			for (unsigned int i = 0; i < ARRAY_SIZE(locks); i++) {
				if (!trylock(&locks[i].lock))
					_exit(1);
				pool_unlock(&locks[i]);
				pool_lock_exit(&locks[i]);
			}
			_exit(0);
		}
		cr_assert_eq(waitpid(pid, &status, 0), pid);
		cr_assert_eq(status, 0, "fork %d: status %#x", forks, (unsigned int)status);
	} while (++forks < 50 && __atomic_load_n(&go_on, __ATOMIC_ACQUIRE));
	pthread_join(thread, NULL);
	for (unsigned int i = 0; i < ARRAY_SIZE(locks); i++)
		pool_lock_exit(&locks[i]);
}

Test(pool_lock, ended_twice_stops, .signal = SIGABRT)
{
	printk_sink = sink_drop;
	pool_lock_init(&locks[0]);
	pool_lock_init(&locks[1]);
	pool_lock_exit(&locks[0]);
	pool_lock_exit(&locks[0]);
}
