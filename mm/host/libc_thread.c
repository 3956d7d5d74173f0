// SPDX-License-Identifier: MIT
/*
 * libc_thread.c - a thread of libc's, for work that calls code which needs one.
 *
 * liburcu's functions lock mutexes and have thread-local variables: they cannot run on
 * the library's own thread (thread.c). The price is that libc must be callable where
 * the thread is started: only from calls that the program makes for their own sake,
 * never from within malloc() or free(), which libc itself calls with locks held.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>

#include "host.h"
#include "syscall.h"

/* Constant strings and functions: one caller, one thread at a time (slab_rcu.c). */
static struct {
	void (*fn)(void);
	const char *name;
} work;

static void *thread_main(void *unused)
{
	raw_syscall(SYS_prctl, PR_SET_NAME, work.name);
	work.fn();
	return unused;
}

int host_libc_thread_start(void (*fn)(void), const char *name)
{
	int saved = errno, err;
	sigset_t all, old;
	pthread_t thread;

	if (host_fault && host_fault(HOST_THREAD))
		return -EAGAIN;
	work.fn = fn;
	work.name = name;
	memset(&all, 0xff, sizeof(all));
	pthread_sigmask(SIG_SETMASK, &all, &old);
	err = pthread_create(&thread, NULL, thread_main, NULL);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (!err)
		pthread_detach(thread);
	errno = saved;
	return err ? -EAGAIN : 0;
}
