// SPDX-License-Identifier: MIT
/*
 * The story. fork() took the depot locks of all caches, but not those of the
 * per-CPU page lists, which are magazine caches, too. A child that was made
 * while another thread was in such a depot found its lock taken for ever: its
 * first slab hung it. It showed once in ten runs of the fork stress test, in
 * fallback mode, where a fork takes longer.
 *
 * Here two threads do nothing but go through the page lists' depots while the
 * main thread forks; each child takes pages of every order that has a list, and
 * is killed by an alarm if it hangs.
 */
#include <pthread.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <kmem/page_alloc.h>

#define FORKS	150
#define BLOCKS	64

static int over;

static int take_and_free(void)
{
	struct page *pages[BLOCKS];

	for (unsigned int order = 0; order < 4; order++) {
		for (int i = 0; i < BLOCKS; i++) {
			pages[i] = alloc_pages(GFP_KERNEL, order);
			if (!pages[i])
				return 1;
		}
		for (int i = 0; i < BLOCKS; i++)
			__free_pages(pages[i], order);
	}
	return 0;
}

static void *churn(void *unused)
{
	while (!__atomic_load_n(&over, __ATOMIC_RELAXED))
		take_and_free();
	return unused;
}

int main(void)
{
	pthread_t threads[2];
	int failed = 0;

	for (int i = 0; i < 2; i++)
		if (pthread_create(&threads[i], NULL, churn, NULL))
			return 2;
	for (int i = 0; i < FORKS && !failed; i++) {
		int status = -1;
		pid_t pid = fork();

		if (pid == 0) {
			alarm(10);
			_exit(take_and_free());
		}
		failed = pid < 0 || waitpid(pid, &status, 0) != pid || status != 0;
		if (failed)
			printf("fork %d: status 0x%x\n", i, (unsigned int)status);
	}
	__atomic_store_n(&over, 1, __ATOMIC_RELAXED);
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	return failed;
}
