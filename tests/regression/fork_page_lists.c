// SPDX-License-Identifier: MIT
/*
 * A child hung in its first malloc that needed a slab.
 *
 * The fork handler took the depot lock of every slab cache, but the page layer has
 * magazines of its own, the per-CPU page lists, with depots of their own, which are
 * on no list of caches. When another thread was in such a depot at the moment of
 * the fork, the child inherited the lock taken, with nobody to give it back. Seen
 * about once in a hundred forks under a mixed load (tests/stress/fork_load.c); here
 * the other threads do nothing but go to that depot and come back.
 */
#include <pthread.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <kmem/page_alloc.h>

#define THREADS	3
#define PAGES	200
#define FORKS	150

static int stop;

static void pages_in_and_out(void)
{
	unsigned long page[PAGES];

	for (unsigned int order = 0; order <= 3; order++) {
		for (int i = 0; i < PAGES; i++)
			page[i] = __get_free_pages(GFP_KERNEL, order);
		for (int i = 0; i < PAGES; i++)
			free_pages(page[i], order);
	}
}

static void *work(void *arg)
{
	while (!__atomic_load_n(&stop, __ATOMIC_RELAXED))
		pages_in_and_out();
	return arg;
}

int main(void)
{
	int failures = 0, status = 0;
	pthread_t t[THREADS];

	for (int i = 0; i < THREADS; i++)
		if (pthread_create(&t[i], NULL, work, NULL))
			return 2;
	for (int i = 0; i < FORKS && !failures; i++) {
		pid_t pid = fork();

		if (pid == 0) {
			alarm(10);
			pages_in_and_out();
			_exit(0);
		}
		if (pid < 0 || waitpid(pid, &status, 0) != pid || status)
			failures++;
	}
	__atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
	for (int i = 0; i < THREADS; i++)
		pthread_join(t[i], NULL);
	printf("fork_page_lists: %d failures (status 0x%x)\n", failures, status);
	return failures != 0;
}
