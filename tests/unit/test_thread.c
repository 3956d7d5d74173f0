// SPDX-License-Identifier: MIT
/*
 * Tests of mm/host/thread.c: the library's own thread has its name, its signals
 * blocked, its own thread-local storage and a whole stack; there is one at a
 * time; and the program does not notice.
 *
 * The bodies call nothing of libc that is not a system call: the thread is none
 * of libc's.
 */
#include <errno.h>
#include <linux/capability.h>
#include <pthread.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include "capture.h"
#include "mm/host/host.h"
#include "mm/host/syscall.h"

static void init(void)
{
	errno = 77;
}

static void fini(void)
{
	cr_expect_eq(errno, 77, "errno has changed");
}

TestSuite(thread, .init = init, .fini = fini, .timeout = 30);

/* What the thread saw; read once done is set. */
static struct {
	void *arg;
	char name[16];
	u64 mask;
	int tid;
	u64 time;
	char *tls;
	u64 capabilities;
} seen;

static u32 done, go_on;
static __thread char in_tls;

static void look(void *arg)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct caps[2] = { { 0 } };

	seen.arg = arg;
	seen.tid = host_gettid();
	seen.tls = &in_tls;
	raw_syscall(SYS_prctl, PR_GET_NAME, seen.name);
	raw_syscall(SYS_rt_sigprocmask, SIG_BLOCK, NULL, &seen.mask, sizeof(seen.mask));
	raw_syscall(SYS_capget, &head, caps);
	seen.capabilities = caps[0].effective | caps[0].permitted |
			    (u64)(caps[1].effective | caps[1].permitted) << 32;
	__atomic_store_n(&done, 1, __ATOMIC_RELEASE);
	host_futex_wake(&done, 1);
}

static void wait_for(u32 *word)
{
	for (int i = 0; i < 100 && !__atomic_load_n(word, __ATOMIC_ACQUIRE); i++)
		host_futex_wait_ms(word, 0, 100);
	cr_assert_eq(__atomic_load_n(word, __ATOMIC_ACQUIRE), 1, "it never came");
}

static void stay(void *arg)
{
	look(arg);
	while (!__atomic_load_n(&go_on, __ATOMIC_ACQUIRE))
		host_futex_wait_ms(&go_on, 0, 1000);
}

/* Starts, once the one before has gone; it is still going when it says done. */
static int start_when_free(void (*fn)(void *), void *arg)
{
	int ret = -EAGAIN;

	for (int i = 0; i < 1000 && ret == -EAGAIN; i++) {
		ret = host_thread_start(fn, arg, "kmem-again");
		if (ret)
			host_futex_wait_ms(&go_on, go_on, 1);
	}
	return ret;
}

Test(thread, name_signals_and_argument)
{
	u64 before, after;
	int cookie;

	in_tls = 5;
	raw_syscall(SYS_rt_sigprocmask, SIG_BLOCK, NULL, &before, sizeof(before));
	cr_assert_eq(host_thread_start(look, &cookie, "kmem-reclaim"), 0);
	wait_for(&done);
	raw_syscall(SYS_rt_sigprocmask, SIG_BLOCK, NULL, &after, sizeof(after));

	cr_assert_eq(seen.arg, &cookie);
	cr_assert_neq(seen.tid, host_gettid());
	cr_assert_neq(seen.tls, &in_tls);
	cr_assert_eq(before, after);
#if !defined(KMEM_TSAN) && !defined(KMEM_ASAN)
	cr_assert_str_eq(seen.name, "kmem-reclaim");
	cr_assert_eq(seen.capabilities, 0);
#endif
	/* All but the two that nobody can block. */
	for (int sig = 1; sig < 32; sig++)
		if (sig != SIGKILL && sig != SIGSTOP)
			cr_expect(seen.mask >> (sig - 1) & 1, "signal %d", sig);
	cr_expect(seen.mask >> (SIGRTMIN - 1) & 1);
}

Test(thread, one_at_a_time_and_again)
{
	cr_assert_eq(host_thread_start(stay, NULL, "kmem-stay"), 0);
	wait_for(&done);
	cr_assert_eq(host_thread_start(look, NULL, "kmem-second"), -EAGAIN);
	WRITE_ONCE(go_on, 1);
	host_futex_wake(&go_on, 1);
	for (int i = 0; i < 20; i++) {
		WRITE_ONCE(done, 0);
		cr_assert_eq(start_when_free(look, &seen), 0);
		wait_for(&done);
	}
}

static void use_stack(void *arg)
{
	volatile char buffer[48 << 10];

	for (size_t i = 0; i < sizeof(buffer); i += 512)
		buffer[i] = (char)i;
	(void)arg;
	look((void *)(uintptr_t)buffer[512]);
}

Test(thread, the_stack_is_usable)
{
	cr_assert_eq(host_thread_start(use_stack, NULL, "kmem"), 0);
	wait_for(&done);
}

static void call_the_host(void *arg)
{
	host_yield();
	seen.time = host_now_ms();
	look(arg);
}

/* What the reclaimer does there: giving up the CPU, the clock. */
Test(thread, host_calls_work_in_it)
{
	cr_assert_eq(host_thread_start(call_the_host, NULL, "kmem"), 0);
	wait_for(&done);
	cr_assert_gt(seen.time, 0);
}

/* setuid() in libc asks its own threads and waits for each; ours is none. */
Test(thread, setuid_does_not_hang)
{
	cr_assert_eq(host_thread_start(stay, NULL, "kmem-stay"), 0);
	wait_for(&done);
	cr_assert_eq(setuid(getuid()), 0);
}

static void child_starts_its_own(void)
{
	host_thread_fork_child();
	done = 0;
	_exit(host_thread_start(look, NULL, "kmem-child") == 0 && host_getpid() != 1 ? 5 : 6);
}

Test(thread, a_forked_child_may_have_one)
{
	int status;

	/* qemu-user loses count of its CPUs when a process of threads forks. */
	if (emulated())
		return;
	cr_assert_eq(host_thread_start(stay, NULL, "kmem-stay"), 0);
	wait_for(&done);
	status = capture_child(child_starts_its_own);
	cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 5, "status %#x", status);
}

static void *end_main(void *arg)
{
	struct timespec ts = { .tv_nsec = 50000000 };

	nanosleep(&ts, NULL);
	return arg;
}

static void main_ends_before_ours(void)
{
	pthread_t thread;

	if (host_thread_start(stay, NULL, "kmem-stay") ||
	    pthread_create(&thread, NULL, end_main, NULL))
		_exit(1);
	pthread_exit(NULL);
}

/* The last of libc's threads ends the process, whatever ours is doing. */
Test(thread, does_not_keep_the_process_alive)
{
#if !defined(KMEM_TSAN) && !defined(KMEM_ASAN)
	int status = capture_child(main_ends_before_ours);

	cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0, "status %#x", status);
#endif
}

static bool no_thread(enum host_call call)
{
	return call == HOST_THREAD;
}

Test(thread, refusals)
{
	struct rlimit lim;

	host_fault = no_thread;
	cr_assert_eq(host_thread_start(look, NULL, "kmem"), -EAGAIN);
	host_fault = NULL;

	/* No address space for its stack. */
	getrlimit(RLIMIT_AS, &lim);
	lim.rlim_cur = 4096;
	if (setrlimit(RLIMIT_AS, &lim) == 0 && !host_map(1 << 20))
		cr_assert_eq(host_thread_start(look, NULL, "kmem"), -EAGAIN);
	lim.rlim_cur = lim.rlim_max;
	setrlimit(RLIMIT_AS, &lim);
	cr_assert_eq(host_thread_start(look, NULL, "kmem"), 0);
	wait_for(&done);
}
