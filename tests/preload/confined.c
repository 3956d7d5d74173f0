// SPDX-License-Identifier: MIT
/*
 * confined.c - malloc under a filter that kills a process for any call that it does not
 * know: those of Documentation/admin-guide/kmem-cmdline.rst (sandbox), and what this program
 * itself makes.
 *
 *	confined [warm]		warm: the heap has grown before the filter is there
 *
 * Exit status 77 where filters are not to be had.
 */
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define ALLOW(nr)							\
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_##nr, 0, 1),		\
	BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)

static struct sock_filter filter[] = {
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
	/* malloc */
	ALLOW(mmap), ALLOW(munmap), ALLOW(mprotect), ALLOW(madvise), ALLOW(futex),
	ALLOW(clock_gettime), ALLOW(sched_yield), ALLOW(membarrier), ALLOW(getpid), ALLOW(gettid),
	ALLOW(tgkill), ALLOW(write),
	/* this program, and a thread that ends */
	ALLOW(exit), ALLOW(exit_group), ALLOW(rt_sigprocmask), ALLOW(nanosleep),
	ALLOW(clock_nanosleep), ALLOW(restart_syscall),
	BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
};

static int ready, go;

static void turn(size_t step, int rounds)
{
	for (int r = 0; r < rounds; r++) {
		void *q[64];

		for (unsigned int i = 0; i < 64; i++) {
			q[i] = i & 1 ? malloc(i * step + 10) : calloc(i + 1, step);
			if (!q[i])
				_exit(1);
			memset(q[i], 1, 10);
		}
		for (unsigned int i = 0; i < 64; i++) {
			q[i] = realloc(q[i], 2 * i * step + 1);
			if (!q[i])
				_exit(1);
		}
		for (unsigned int i = 0; i < 64; i++)
			free(q[i]);
	}
}

/* Small, a few pages, MBs, beyond a GB; then a pause, after which pages are due. */
static void work(void)
{
	const struct timespec pause = { .tv_nsec = 150000000 };
	void *p;

	turn(20, 200);
	turn(3000, 100);
	turn(50000, 20);
	p = malloc(3UL << 30);
	if (p)
		memset(p, 1, 10000);
	free(p);
	free(calloc(40, 1 << 20));
	for (int i = 0; i < 3; i++) {
		nanosleep(&pause, NULL);
		turn(3000, 10);
	}
}

static void *thread(void *arg)
{
	__atomic_add_fetch(&ready, 1, __ATOMIC_RELEASE);
	while (!__atomic_load_n(&go, __ATOMIC_ACQUIRE))
		sched_yield();
	work();
	return arg;
}

int main(int argc, char **argv)
{
	struct sock_fprog prog = { sizeof(filter) / sizeof(filter[0]), filter };
	pthread_t t[3];

	(void)argv;
	if (argc > 1)
		turn(50000, 20);
	for (int i = 0; i < 3; i++)
		if (pthread_create(&t[i], NULL, thread, NULL))
			return 2;
	while (__atomic_load_n(&ready, __ATOMIC_ACQUIRE) < 3)
		sched_yield();
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	    syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &prog))
		return 77;
	__atomic_store_n(&go, 1, __ATOMIC_RELEASE);
	work();
	for (int i = 0; i < 3; i++)
		pthread_join(t[i], NULL);
	return write(1, "confined: well\n", 15) != 15;
}
