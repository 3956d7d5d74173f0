// SPDX-License-Identifier: MIT
/*
 * fork_alone.c - forks of a program of one thread. Without the reclaimer no lock is taken for
 * them; while it is there, which libc does not know, all are. Here it is not, for a few forks,
 * and then mostly at work. Each child finds nothing locked and all of it whole.
 */
#include "stress.h"

#include "mm/cmdline.h"
#include "mm/host/host.h"

#define OBJECTS	2000
#define ALONE	5	/* forks */

static void *own[OBJECTS];

static void fill(uint64_t *seed)
{
	for (unsigned int i = 0; i < OBJECTS; i++) {
		size_t size = stress_size(stress_rnd(seed));

		own[i] = stress_stamp(MyMalloc(size), size);
	}
}

static void empty(void)
{
	for (unsigned int i = 0; i < OBJECTS; i++) {
		stress_unstamp(own[i]);
		MyFree(own[i]);
	}
}

static int child(uint64_t seed)
{
	alarm(20);
	stress_errors = 0;
	if (host_thread_runs())
		stress_fail("the parent's thread is the child's");
	stress_validate();
	empty();
	fill(&seed);
	empty();
	stress_validate();
	return stress_errors != 0;
}

int main(int argc, char **argv)
{
	unsigned long forks = 0, beside = 0;
	uint64_t seed = 12345;

#if defined(KMEM_TSAN) || defined(KMEM_ASAN)
	puts("with a sanitizer the reclaimer is a thread that libc knows");
	return 77;
#endif
	stress_start(argc, argv);
	kmem_params.decay_ms = 1;
	for (; stress_time_left() && stress_errors < 5; forks++) {
		unsigned long busy = forks < ALONE ? 0 : stress_rnd(&seed) % 64;
		int status = -1;
		pid_t pid;

		kmem_params.reclaim = forks >= ALONE;
		fill(&seed);
		for (unsigned long i = 0; i < busy; i++) {
			MyFree(MyMalloc(100000));
			MyFree(MyMalloc(5000000));
		}
		beside += host_thread_runs();
		pid = fork();
		if (pid == 0)
			_exit(child(seed));
		if (pid < 0 || waitpid(pid, &status, 0) != pid || status)
			stress_fail("fork %lu: pid %d, status 0x%x", forks, (int)pid, status);
		empty();
	}
	if (!beside || beside > forks - ALONE)
		stress_fail("%lu of %lu forks beside the reclaimer", beside, forks);
	return stress_result("fork_alone", forks);
}
