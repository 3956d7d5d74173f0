// SPDX-License-Identifier: MIT
/*
 * Tests of mm/host/linux.c: what host.h promises of each call, the answer when
 * the call is refused, and that errno never changes.
 */
#include <errno.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>

#include "capture.h"
#include "mm/base/hooks.h"
#include "mm/host/host.h"

#define PAGE	host_page_size()
#define MIB	(1UL << 20)

/* Address space beyond any machine's memory; emulators keep books on every page of it. */
#if defined(__x86_64__)
#define VAST	(1UL << 42)
#else
#define VAST	(1UL << 32)
#endif

static void init(void)
{
	errno = 77;
}

static void fini(void)
{
	cr_expect_eq(errno, 77, "errno has changed");
}

TestSuite(host, .init = init, .fini = fini, .timeout = 30);

static bool mapped(void *p)
{
	int saved = errno;
	bool yes = msync(p, PAGE, MS_ASYNC) == 0;

	errno = saved;
	return yes;
}

static bool all_are(const char *p, char c, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (p[i] != c)
			return false;
	return true;
}

/* ---- address space --------------------------------------------------------- */

Test(host, reserve_aligns_and_commit_opens)
{
	for (size_t align = PAGE; align <= 64 * MIB; align *= 4) {
		char *p = host_reserve(4 * MIB, align);

		cr_assert_not_null(p);
		cr_assert(IS_ALIGNED((uintptr_t)p, align), "%p to %zu", (void *)p, align);
		cr_assert_eq(host_commit(p + MIB, MIB), 0);
		cr_assert(all_are(p + MIB, 0, MIB));
		p[MIB] = p[2 * MIB - 1] = 1;
		cr_assert_eq(host_release(p, 4 * MIB), 0);
		cr_assert_not(mapped(p));
	}
}

/* Over-reserving must give back just what is not asked for. */
Test(host, reserve_trims)
{
	char *p[8];

	for (int i = 0; i < 8; i++) {
		p[i] = host_reserve(3 * PAGE, 2 * MIB);
		cr_assert(IS_ALIGNED((uintptr_t)p[i], 2 * MIB));
		cr_assert(mapped(p[i]) && mapped(p[i] + 2 * PAGE));
	}
	for (int i = 0; i < 8; i++)
		cr_assert_eq(host_release(p[i], 3 * PAGE), 0);
	for (int i = 0; i < 8; i++)
		cr_assert_not(mapped(p[i] - PAGE) && mapped(p[i] + 3 * PAGE) && mapped(p[i]));
}

static void touch_reserved(void)
{
	char *p = host_reserve(MIB, PAGE);

	*(volatile char *)p = 1;
}

Test(host, reserved_memory_has_no_access_rights)
{
	int status = capture_child(touch_reserved);

	cr_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
}

Test(host, reserve_costs_nothing)
{
	char *p = host_reserve(VAST, 2 * MIB);

	cr_assert_not_null(p);
	cr_assert_eq(host_release(p, VAST), 0);
	cr_assert_null(host_reserve(1UL << 60, PAGE));
	cr_assert_null(host_reserve(SIZE_MAX & ~(PAGE - 1), 2 * MIB));
}

Test(host, map_is_zero_and_writable)
{
	char *p = host_map(4 * PAGE), *q = host_map_sparse(VAST / 4);

	cr_assert(p && q);
	cr_assert(all_are(p, 0, 4 * PAGE));
	memset(p, 1, 4 * PAGE);
	q[VAST / 8] = 1;
	cr_assert_eq(q[VAST / 8 + 1], 0);
	cr_assert_eq(host_release(p, 4 * PAGE), 0);
	cr_assert_eq(host_release(q, VAST / 4), 0);
	cr_assert_null(host_map(1UL << 60));
}

Test(host, purged_pages_read_as_zero)
{
	char *p = host_map(8 * PAGE);

	memset(p, 'x', 8 * PAGE);
	cr_assert_eq(host_purge(p + PAGE, 2 * PAGE, false), 0);
	cr_assert(all_are(p, 'x', PAGE));
	cr_assert(all_are(p + PAGE, 0, 2 * PAGE));
	cr_assert(all_are(p + 3 * PAGE, 'x', 5 * PAGE));

	/* Lazily: every page is either as it was or zero, and writes are kept. */
	cr_assert_eq(host_purge(p + 4 * PAGE, 2 * PAGE, true), 0);
	cr_assert(p[4 * PAGE] == 'x' || p[4 * PAGE] == 0);
	p[4 * PAGE] = 'y';
	cr_assert_eq(p[4 * PAGE], 'y');
	cr_assert(all_are(p + 6 * PAGE, 'x', 2 * PAGE));
}

Test(host, a_failed_purge_leaves_the_content)
{
	char *p = host_map(PAGE);

	*p = 'x';
	/* Not page aligned: refused by the system. */
	cr_assert_eq(host_purge(p + 1, PAGE, false), -EINVAL);
	cr_assert_eq(*p, 'x');
}

Test(host, advice_never_harms)
{
	char *p = host_map(4 * MIB);

	p[5] = 'x';
	host_advise_huge(p, 4 * MIB, true);
	host_advise_huge(p, 4 * MIB, false);
	host_populate(p, MIB);
	host_dump(p, MIB, false);
	host_dump(p, MIB, true);
	host_name(p, 4 * MIB, "kmem-test");
	cr_assert_eq(p[5], 'x');
	cr_assert(all_are(p + PAGE, 0, MIB));
}

/* ---- time and waiting -------------------------------------------------------- */

static void sleep_ms(long ms)
{
	struct timespec ts = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 };

	while (nanosleep(&ts, &ts) && errno == EINTR)
		;
	errno = 77;
}

Test(host, the_clock_goes)
{
	u64 before = host_now_ms(), after;

	sleep_ms(60);
	after = host_now_ms();
	cr_assert_geq(after, before + 40);
	cr_assert_leq(after, before + 25000);
}

Test(host, identities)
{
	cr_assert_eq(host_getpid(), getpid());
	cr_assert_eq(host_gettid(), (int)syscall(SYS_gettid));
	cr_assert_lt(host_getcpu(), 8192);
	cr_assert_eq(base_hooks.getpid(), getpid());
	host_yield();
}

static u32 futex_word;

static void *wait_for_change(void *arg)
{
	while (READ_ONCE(futex_word) == 0)
		host_futex_wait(&futex_word, 0);
	return arg;
}

Test(host, futexes)
{
	pthread_t threads[3];
	u64 before;

	for (int i = 0; i < 3; i++)
		pthread_create(&threads[i], NULL, wait_for_change, NULL);
	sleep_ms(50);
	WRITE_ONCE(futex_word, 1);
	host_futex_wake(&futex_word, 3);
	for (int i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);

	/* The value has changed already: no waiting. */
	host_futex_wait(&futex_word, 0);
	cr_assert_eq(host_futex_wait_ms(&futex_word, 0, 20000), 0);

	before = host_now_ms();
	cr_assert_eq(host_futex_wait_ms(&futex_word, 1, 80), -ETIMEDOUT);
	cr_assert_geq(host_now_ms(), before + 60);
}

/* Where the kernel offers them, they work once registered. */
static void check_membarrier(int registered, int (*barrier)(void))
{
	if (registered == 0)
		cr_assert_eq(barrier(), 0);
	else
		cr_assert_lt(registered, 0);
}

Test(host, membarriers)
{
	check_membarrier(host_membarrier_register(), host_membarrier);
	check_membarrier(host_membarrier_rseq_register(), host_membarrier_rseq);
}

static void *no_more(void *arg)
{
	*(int *)arg = host_gettid();
	return NULL;
}

Test(host, thread_exists)
{
	pthread_t t;
	int tid;

	cr_assert(host_thread_exists(host_gettid()));
	cr_assert_eq(pthread_create(&t, NULL, no_more, &tid), 0);
	pthread_join(t, NULL);
	for (int i = 0; i < 1000 && host_thread_exists(tid); i++)
		sleep_ms(1);
	cr_assert(!host_thread_exists(tid));
}

/* ---- output --------------------------------------------------------------------------- */

static void write_all(void)
{
	static char text[300000];

	memset(text, 'a', sizeof(text));
	host_write_stderr(text, sizeof(text));
}

/* More than a pipe holds: what is written in part is continued. */
Test(host, stderr_gets_everything)
{
	int fds[2];
	size_t total = 0;
	char buf[4096];
	ssize_t n;

	cr_assert_eq(pipe(fds), 0);
	if (fork() == 0) {
		dup2(fds[1], 2);
		write_all();
		_exit(0);
	}
	close(fds[1]);
	while ((n = read(fds[0], buf, sizeof(buf))) > 0)
		total += (size_t)n;
	cr_assert_eq(total, 300000);
}

Test(host, abort_is_sigabrt)
{
	assert_aborts(host_abort, "");
}

/* ---- fault injection ---------------------------------------------------------------------- */

static enum host_call failing;
static unsigned int asked;

static bool fail_one(enum host_call call)
{
	asked++;
	return call == failing;
}

static void no_body(void *arg)
{
	(void)arg;
}

static int outcome(enum host_call call)
{
	static char *p;

	if (!p)
		p = mmap(NULL, 64 * PAGE, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	*p = 'x';
	switch (call) {
	case HOST_RESERVE:
		return host_reserve(MIB, PAGE) ? 0 : -1;
	case HOST_MAP:
		return host_map(PAGE) && host_map_sparse(PAGE) ? 0 : -1;
	case HOST_COMMIT:
		return host_commit(p, PAGE);
	case HOST_PURGE:
		return host_purge(p, PAGE, false);
	case HOST_THREAD:
		return host_thread_start(no_body, NULL, "kmem");
	case HOST_MEMBARRIER:
		return host_membarrier_rseq() == -EPERM ? host_membarrier_rseq_register() : 0;
	default:
		return 0;
	}
}

Test(host, every_call_can_be_failed)
{
	static const int expected[HOST_NR_CALLS] = {
		[HOST_RESERVE] = -1, [HOST_MAP] = -1, [HOST_COMMIT] = -ENOMEM,
		[HOST_PURGE] = -EINVAL, [HOST_THREAD] = -EAGAIN, [HOST_MEMBARRIER] = -EPERM,
	};

	for (int call = 0; call < HOST_NR_CALLS; call++) {
		host_fault = fail_one;
		failing = (enum host_call)call;
		asked = 0;
		cr_expect_eq(outcome(failing), expected[call], "call %d", call);
		cr_expect_gt(asked, 0, "call %d does not ask", call);

		/* Another call's failure is none of this one's. */
		failing = HOST_NR_CALLS;
		if (call != HOST_MEMBARRIER)
			cr_expect_eq(outcome((enum host_call)call), 0, "call %d", call);
		host_fault = NULL;
	}
}
