// SPDX-License-Identifier: MIT
/*
 * thread.c - the library's own thread, which libc does not know of.
 *
 * It has to be startable from within any free(). libc calls free() with locks
 * of its own held (of its stack cache, of the dynamic loader), and creating a
 * thread through libc takes the same locks: that would deadlock. It would also
 * switch libc and the C++ runtime to their locked paths for good, and keep a
 * process alive whose last thread has called pthread_exit(). So the thread is
 * made by clone() alone:
 *
 *	| guard | stack, 64 KiB | guard | TLS | thread pointer | TLS |
 *
 * Its thread-local storage is a range of zeros around a thread pointer, enough
 * for our own initial-exec variables and for a struct rseq at the offset at
 * which every thread has one, which it registers; libc's variables are not
 * there, and it calls nothing of libc that would look. All signals are blocked.
 * It gives up its capabilities, because it would not notice when the program
 * drops its own; it needs none.
 *
 * There is at most one such thread in a process at a time; its memory is kept
 * for the next one, mostly untouched.
 *
 * Sanitizers must know every thread: built with one, it is a pthread.
 */
#include <errno.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>

#include "host.h"
#include "syscall.h"

#if defined(KMEM_TSAN) || defined(KMEM_ASAN)

#include <pthread.h>

struct start {
	void (*fn)(void *);
	void *arg;
};

static void *pthread_main(void *p)
{
	struct start start = *(struct start *)p;

	host_release(p, sizeof(start));
	start.fn(start.arg);
	return NULL;
}

int host_thread_start(void (*fn)(void *), void *arg, const char *name)
{
	struct start *start;
	sigset_t all, old;
	pthread_t thread;
	int saved = errno, err;

	(void)name;
	if (host_fault && host_fault(HOST_THREAD))
		return -EAGAIN;
	start = host_map(4096);
	if (!start)
		return -EAGAIN;
	*start = (struct start){ fn, arg };
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	err = pthread_create(&thread, NULL, pthread_main, start);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (err)
		host_release(start, sizeof(*start));
	else
		pthread_detach(thread);
	errno = saved;
	return err ? -EAGAIN : 0;
}

#else

#define STACK_SIZE	(64UL << 10)
#define TLS_REACH	(1UL << 20)	/* each way; address space, not memory */
#define GUARD		(64UL << 10)	/* a page of the largest size there is */

extern const ptrdiff_t __rseq_offset __attribute__((weak));
extern const unsigned int __rseq_size __attribute__((weak));

enum { STARTING, RUNS, REFUSED };

/* Written by the starter before the clone, but for state and tid. */
static struct {
	void (*fn)(void *);
	void *arg;
	const char *name;
	char *memory;
	char *tp;
	u32 state;	/* futex: from STARTING by the thread */
	u32 tid;	/* of the thread; cleared by the kernel when it has gone */
} own;

/* Where our variables lie: close to this one. */
static __thread char tls_probe __attribute__((tls_model("initial-exec")));

static bool within_reach(long offset)
{
	return offset > -(long)(TLS_REACH - 4096) && offset < (long)(TLS_REACH - 4096);
}

static bool make_memory(void)
{
	long probe = &tls_probe - thread_pointer();
	size_t size = GUARD + STACK_SIZE + GUARD + 2 * TLS_REACH;
	char *p, *tls;

	if (own.memory)
		return true;
	if (!within_reach(probe) ||
	    (&__rseq_size && __rseq_size && !within_reach(__rseq_offset)))
		return false;
	p = host_reserve(size, 64UL << 10);
	if (!p)
		return false;
	tls = p + GUARD + STACK_SIZE + GUARD;
	if (host_commit(p + GUARD, STACK_SIZE) || host_commit(tls, 2 * TLS_REACH)) {
		host_release(p, size);
		return false;
	}
	own.tp = tls + TLS_REACH;
	own.memory = p;
	return true;
}

/* As in every thread: the thread pointer's block names itself where the ABI says so. */
static void make_tls(void)
{
#if defined(__x86_64__)
	((void **)own.tp)[0] = own.tp;
	((void **)own.tp)[2] = own.tp;
#endif
	if (&__rseq_size && __rseq_size) {
		memset(own.tp + __rseq_offset, 0, RSEQ_LEN);
		((int *)(own.tp + __rseq_offset))[1] = -1;	/* cpu_id: not registered */
	}
}

static bool register_rseq(void)
{
	return !&__rseq_size || !__rseq_size || host_rseq_register(own.tp + __rseq_offset) == 0;
}

static void drop_capabilities(void)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3];

	memset(none, 0, sizeof(none));
	raw_syscall(SYS_capset, &head, none);
}

static void __used thread_main(void)
{
	bool fine = register_rseq();

	raw_syscall(SYS_prctl, PR_SET_NAME, own.name);
	drop_capabilities();
	smp_store_release(&own.state, fine ? RUNS : REFUSED);
	host_futex_wake(&own.state, 1);
	if (fine)
		own.fn(own.arg);
}

/* clone() with the child on its own stack, in thread_main(). */
static long clone_thread(unsigned long flags, char *stack)
{
#if defined(__x86_64__)
	register u32 *ctid __asm__("r10") = &own.tid;
	register char *tls __asm__("r8") = own.tp;
	long ret;

	__asm__ volatile(
		"syscall\n\t"
		"testq %%rax, %%rax\n\t"
		"jnz 1f\n\t"
		"xorl %%ebp, %%ebp\n\t"
		"call *%%rbx\n\t"
		"xorl %%edi, %%edi\n\t"
		"movl $60, %%eax\n\t"		/* exit, of this thread alone */
		"syscall\n"
		"1:\n\t"
		: "=a" (ret)
		: "0" (SYS_clone), "D" (flags), "S" (stack), "d" (&own.tid), "r" (ctid),
		  "r" (tls), "b" (thread_main)
		: "rcx", "r11", "memory");
	return ret;
#elif defined(__aarch64__)
	register long x8 __asm__("x8") = SYS_clone;
	register long x0 __asm__("x0") = (long)flags;
	register char *x1 __asm__("x1") = stack;
	register u32 *x2 __asm__("x2") = &own.tid;
	register char *x3 __asm__("x3") = own.tp;
	register u32 *x4 __asm__("x4") = &own.tid;
	register void (*x9)(void) __asm__("x9") = thread_main;

	__asm__ volatile(
		"svc 0\n\t"
		"cbnz x0, 1f\n\t"
		"mov x29, #0\n\t"
		"mov x30, #0\n\t"
		"blr x9\n\t"
		"mov x0, #0\n\t"
		"mov x8, #93\n\t"		/* exit, of this thread alone */
		"svc 0\n"
		"1:\n\t"
		: "+r" (x0)
		: "r" (x1), "r" (x2), "r" (x3), "r" (x4), "r" (x8), "r" (x9)
		: "x30", "memory");
	return x0;
#endif
}

int host_thread_start(void (*fn)(void *), void *arg, const char *name)
{
	const unsigned long flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND |
		CLONE_THREAD | CLONE_SYSVSEM | CLONE_SETTLS | CLONE_PARENT_SETTID |
		CLONE_CHILD_CLEARTID;
	unsigned long all = ~0UL, old;
	long ret;

	if (host_fault && host_fault(HOST_THREAD))
		return -EAGAIN;
	if (smp_load_acquire(&own.tid) || !make_memory())
		return -EAGAIN;
	own.fn = fn;
	own.arg = arg;
	own.name = name;
	own.state = STARTING;
	make_tls();

	raw_syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, &old, sizeof(all));
	ret = clone_thread(flags, own.memory + GUARD + STACK_SIZE);
	raw_syscall(SYS_rt_sigprocmask, SIG_SETMASK, &old, NULL, sizeof(all));
	if (raw_failed(ret))
		return -EAGAIN;
	while (smp_load_acquire(&own.state) == STARTING)
		host_futex_wait(&own.state, STARTING);
	return own.state == RUNS ? 0 : -EAGAIN;
}

#endif

/* From the clone on until the kernel has seen it end; libc knows a sanitizer's. */
bool host_thread_runs(void)
{
#if defined(KMEM_TSAN) || defined(KMEM_ASAN)
	return false;
#else
	return smp_load_acquire(&own.tid) != 0;
#endif
}

void host_thread_fork_child(void)
{
#if !defined(KMEM_TSAN) && !defined(KMEM_ASAN)
	own.tid = 0;
#endif
}
