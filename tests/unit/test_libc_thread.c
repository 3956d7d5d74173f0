// SPDX-License-Identifier: MIT
/* Tests of mm/host/libc_thread.c: a thread of libc's that does the library's work. */
#include "slab_test.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

TestSuite(libc_thread, .timeout = 60);

static int done;
static pthread_t self;
static sigset_t blocked;
static char name[16];

static void work(void)
{
	self = pthread_self();
	pthread_sigmask(SIG_SETMASK, NULL, &blocked);
	host_comm(name);
	__atomic_store_n(&done, 1, __ATOMIC_RELEASE);
}

static void wait_done(void)
{
	for (int i = 0; i < 10000 && !__atomic_load_n(&done, __ATOMIC_ACQUIRE); i++)
		usleep(1000);
	cr_assert(done);
}

Test(libc_thread, runs_the_function)
{
	errno = 77;
	cr_assert(host_libc_thread_start(work, "kmem-test") == 0);
	wait_done();
	cr_expect(errno == 77);
	cr_expect(!pthread_equal(self, pthread_self()));
	cr_expect(!strcmp(name, "kmem-test"), "%s", name);
	cr_expect(sigismember(&blocked, SIGTERM) == 1 && sigismember(&blocked, SIGUSR1) == 1);
}

Test(libc_thread, signals_of_the_caller_stay_as_they_are)
{
	sigset_t before, after;

	pthread_sigmask(SIG_SETMASK, NULL, &before);
	cr_assert(host_libc_thread_start(work, "kmem-test") == 0);
	pthread_sigmask(SIG_SETMASK, NULL, &after);
	cr_expect(sigismember(&before, SIGUSR2) == sigismember(&after, SIGUSR2));
	wait_done();
}

static bool refuse(enum host_call call)
{
	return call == HOST_THREAD;
}

Test(libc_thread, none_to_be_had)
{
	host_fault = refuse;
	cr_expect(host_libc_thread_start(work, "kmem-test") == -EAGAIN);
	host_fault = NULL;
	cr_expect(!done);
}
