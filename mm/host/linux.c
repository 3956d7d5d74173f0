// SPDX-License-Identifier: MIT
/*
 * linux.c - the operating system: address space, time, waiting, threads,
 * output. What the machine is, is in facts.c.
 *
 * Every call is a raw instruction (syscall.h). Two go through libc, since the
 * vDSO's address is libc's to know: the clock and the CPU number. These keep
 * errno by saving it. The library's thread is made in thread.c.
 *
 * What each call does when the system refuses it:
 *
 *	reserve, map		NULL
 *	commit			-ENOMEM (or the system's number)
 *	purge			madvise refused by a sandbox: fresh pages mapped over
 *				the range; else the number, content as it was
 *	move			the number, and nothing happened
 *	futex			gives up the CPU and lets the caller try again
 *	membarrier		the number
 *	names, huge pages, core dumps, populating: advice, ignored
 */
#include <errno.h>
#include <linux/futex.h>
#include <linux/mempolicy.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <time.h>

#include "../base/hooks.h"
#include "host.h"
#include "syscall.h"

/* Younger than the oldest kernel headers that we build with. */
#ifndef MADV_FREE
#define MADV_FREE		8
#endif
#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE	23
#endif
#ifndef MAP_FIXED_NOREPLACE
#define MAP_FIXED_NOREPLACE	0x100000
#endif
#ifndef PR_SET_VMA
#define PR_SET_VMA		0x53564d41
#define PR_SET_VMA_ANON_NAME	0
#endif

/* Of linux/membarrier.h. */
#define MEMBARRIER_PRIVATE			8
#define MEMBARRIER_REGISTER_PRIVATE		16
#define MEMBARRIER_PRIVATE_RSEQ			128
#define MEMBARRIER_REGISTER_PRIVATE_RSEQ	256

/* In front of each section's abort handler (arch/). */
#if defined(__x86_64__)
#define RSEQ_SIGNATURE	0x53053053
#else
#define RSEQ_SIGNATURE	0xd428bc00
#endif

#define PAGE_MIN	4096UL
#define HUGE_PAGE	(2UL << 20)

bool (*host_fault)(enum host_call call);

static inline bool fault(enum host_call call)
{
	bool (*hook)(enum host_call call) = READ_ONCE(host_fault);

	return unlikely(hook != NULL) && hook(call);
}

/* ---- address space --------------------------------------------------- */

static void *do_mmap(void *addr, size_t size, int prot, int flags)
{
	long ret = raw_syscall(SYS_mmap, addr, size, prot, MAP_PRIVATE | MAP_ANONYMOUS | flags,
			       -1, 0);

	return raw_failed(ret) ? NULL : (void *)ret;
}

/* The aligned part of a larger reservation; the rest goes back. */
void *host_reserve(size_t size, size_t align)
{
	size_t slack = align - PAGE_MIN, head;
	char *raw, *aligned;

	if (fault(HOST_RESERVE) || size + slack < size)
		return NULL;
	raw = do_mmap(NULL, size + slack, PROT_NONE, MAP_NORESERVE);
	if (!raw)
		return NULL;

	aligned = (char *)ALIGN((uintptr_t)raw, align);
	head = (size_t)(aligned - raw);
	if (head)
		raw_syscall(SYS_munmap, raw, head);
	if (slack > head)
		raw_syscall(SYS_munmap, aligned + size, slack - head);
	return aligned;
}

/*
 * From the top down, in steps: programs lie at the bottom. A kernel that does not
 * know MAP_FIXED_NOREPLACE takes the address for a hint; what it gives elsewhere
 * goes back.
 */
void *host_reserve_low(size_t size)
{
	const size_t step = 4UL << 20, end = 1UL << 32;

	if (fault(HOST_RESERVE) || size > end / 2)
		return NULL;
	for (size_t addr = ALIGN_DOWN(end - size, step); addr >= step; addr -= step) {
		char *p = do_mmap((void *)addr, size, PROT_NONE, MAP_NORESERVE | MAP_FIXED_NOREPLACE);

		if (p == (char *)addr)
			return p;
		if (p)
			raw_syscall(SYS_munmap, p, size);
	}
	return NULL;
}

int host_prefer_node(void *addr, size_t size, int nid)
{
	u64 mask = nid >= 0 && nid < 64 ? 1ULL << nid : 0;

	return (int)raw_syscall(SYS_mbind, addr, size, MPOL_PREFERRED, &mask, 65, 0);
}

u64 host_memory_nodes(void)
{
	u64 mask[16] = { 0 };	/* as many nodes as any kernel is built for: it wants room for all */
	int mode = 0;

	if (raw_syscall(SYS_get_mempolicy, &mode, mask, 8 * sizeof(mask), NULL,
			MPOL_F_MEMS_ALLOWED))
		return 1;
	return mask[0] ? mask[0] : 1;
}

bool host_memory_policy_is_default(void)
{
	int mode = MPOL_DEFAULT;

	return !raw_syscall(SYS_get_mempolicy, &mode, NULL, 0, NULL, 0) && mode == MPOL_DEFAULT;
}

void *host_map(size_t size)
{
	return fault(HOST_MAP) ? NULL : do_mmap(NULL, size, PROT_READ | PROT_WRITE, 0);
}

void *host_map_sparse(size_t size)
{
	void *p;

	if (fault(HOST_MAP))
		return NULL;
	p = do_mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_NORESERVE);
	if (p && size >= HUGE_PAGE)
		host_advise_huge(p, size, false);
	return p;
}

int host_commit(void *addr, size_t size)
{
	if (fault(HOST_COMMIT))
		return -ENOMEM;
	return (int)raw_syscall(SYS_mprotect, addr, size, PROT_READ | PROT_WRITE);
}

int host_zeros(void *addr, size_t size)
{
	return (int)raw_syscall(SYS_mprotect, addr, size, PROT_READ);
}

/* Whether a sandbox, rather than the state of the range, said no. */
static bool refused(long ret)
{
	return ret == -EPERM || ret == -ENOSYS || ret == -EACCES;
}

int host_purge(void *addr, size_t size, bool lazy)
{
	long ret = -EINVAL;

	if (fault(HOST_PURGE))
		return -EINVAL;
	if (lazy)
		ret = raw_syscall(SYS_madvise, addr, size, MADV_FREE);
	if (ret == -EINVAL)	/* not lazy, or a kernel that does not know lazy */
		ret = raw_syscall(SYS_madvise, addr, size, MADV_DONTNEED);
	/*
	 * -EINVAL here means that the pages are locked (mlockall): the program
	 * wants them to stay, and fresh ones would be populated at once.
	 */
	if (refused(ret) && do_mmap(addr, size, PROT_READ | PROT_WRITE, MAP_FIXED | MAP_NORESERVE))
		ret = 0;
	return (int)ret;
}

int host_advise_huge(void *addr, size_t size, bool on)
{
	return (int)raw_syscall(SYS_madvise, addr, size, on ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
}

int host_populate(void *addr, size_t size)
{
	return (int)raw_syscall(SYS_madvise, addr, size, MADV_POPULATE_WRITE);
}

int host_release(void *addr, size_t size)
{
	return (int)raw_syscall(SYS_munmap, addr, size);
}

static bool names_nothing;	/* or this kernel knows no names: not asked again */

void host_name(void *addr, size_t size, const char *name)
{
	if (!READ_ONCE(names_nothing) &&
	    raw_syscall(SYS_prctl, PR_SET_VMA, PR_SET_VMA_ANON_NAME, addr, size, name) == -EINVAL)
		WRITE_ONCE(names_nothing, true);
}

void host_name_nothing(void)
{
	WRITE_ONCE(names_nothing, true);
}

void host_dump(void *addr, size_t size, bool on)
{
	raw_syscall(SYS_madvise, addr, size, on ? MADV_DODUMP : MADV_DONTDUMP);
}

int host_allow_inspection(bool any)
{
	return (int)raw_syscall(SYS_prctl, PR_SET_PTRACER, any ? PR_SET_PTRACER_ANY : 0UL, 0, 0, 0);
}

/* ---- time and waiting -------------------------------------------------- */

u64 host_now_ms(void)
{
	struct timespec ts = { 0, 0 };
	int saved = errno;

	if (clock_gettime(CLOCK_MONOTONIC_COARSE, &ts))
		clock_gettime(CLOCK_MONOTONIC, &ts);
	errno = saved;
	return (u64)ts.tv_sec * 1000 + (u64)ts.tv_nsec / 1000000;
}

int host_gettid(void)
{
	return (int)raw_syscall(SYS_gettid, 0);
}

bool host_thread_exists(int tid)
{
	return raw_syscall(SYS_tgkill, host_getpid(), tid, 0) != -ESRCH;
}

int host_getpid(void)
{
	return (int)raw_syscall(SYS_getpid, 0);
}

void host_comm(char name[16])
{
	memcpy(name, "?", 2);
	raw_syscall(SYS_prctl, PR_GET_NAME, name);
}

int host_getcpu(void)
{
	int saved = errno;
	int cpu = sched_getcpu();

	errno = saved;
	return cpu;
}

int host_getnode(void)
{
	unsigned int cpu, node;
#ifdef __GLIBC__	/* by the vDSO */
	int saved = errno, err = getcpu(&cpu, &node);

	errno = saved;
#else
	long err = raw_syscall(SYS_getcpu, &cpu, &node, NULL);
#endif
	return err ? -1 : (int)node;
}

void host_yield(void)
{
	raw_syscall(SYS_sched_yield, 0);
}

void host_futex_wait(u32 *word, u32 value)
{
	if (refused(raw_syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, value, NULL)))
		host_yield();
}

int host_futex_wait_ms(u32 *word, u32 value, unsigned int ms)
{
	struct timespec ts = { .tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000 };
	long ret = raw_syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, value, &ts);

	/* Without futexes nobody can be woken early; the time passes all the same. */
	if (refused(ret)) {
		if (READ_ONCE(*word) == value)
			raw_syscall(SYS_nanosleep, &ts, NULL);
		ret = -ETIMEDOUT;
	}
	return ret == -ETIMEDOUT ? -ETIMEDOUT : 0;
}

void host_futex_wake(u32 *word, int nr)
{
	raw_syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, nr);
}

/* ---- barriers ------------------------------------------------------------ */

int host_rseq_register(void *rseq)
{
#ifdef SYS_rseq
	return (int)raw_syscall(SYS_rseq, rseq, RSEQ_LEN, 0, RSEQ_SIGNATURE);
#else
	return -ENOSYS;
#endif
}

static int membarrier(int command)
{
	if (fault(HOST_MEMBARRIER))
		return -EPERM;
	return (int)raw_syscall(SYS_membarrier, command, 0, 0);
}

int host_membarrier_register(void)
{
	return membarrier(MEMBARRIER_REGISTER_PRIVATE);
}

int host_membarrier(void)
{
	return membarrier(MEMBARRIER_PRIVATE);
}

int host_membarrier_rseq_register(void)
{
	return membarrier(MEMBARRIER_REGISTER_PRIVATE_RSEQ);
}

int host_membarrier_rseq(void)
{
	return membarrier(MEMBARRIER_PRIVATE_RSEQ);
}

/* ---- output ---------------------------------------------------------------- */

void host_write_stderr(const char *text, size_t len)
{
	while (len) {
		long n = raw_syscall(SYS_write, 2, text, len);

		if (n == -EINTR)
			continue;
		if (n <= 0)	/* closed, full, not ours: nobody to tell */
			return;
		text += n;
		len -= (size_t)n;
	}
}

/* The kernel's struct sigaction: both architectures, all zero is SIG_DFL. */
struct kernel_sigaction {
	void (*handler)(int);
	unsigned long flags;
	void (*restorer)(void);
	u64 mask;
};

static void raise_abort(void)
{
	u64 set = 1ULL << (SIGABRT - 1);

	raw_syscall(SYS_rt_sigprocmask, SIG_UNBLOCK, &set, NULL, sizeof(set));
	raw_syscall(SYS_tgkill, host_getpid(), host_gettid(), SIGABRT);
}

/*
 * As abort(), without its lock and without libc: the program's handler for
 * SIGABRT gets its chance; when it returns, the default action follows.
 */
void host_abort(void)
{
	struct kernel_sigaction dfl = { .handler = SIG_DFL };

	raise_abort();
	raw_syscall(SYS_rt_sigaction, SIGABRT, &dfl, NULL, sizeof(dfl.mask));
	raise_abort();
	__builtin_trap();
}

const struct base_hooks base_hooks = {
	.write = host_write_stderr,
	.abort = host_abort,
	.getpid = host_getpid,
	.gettid = host_gettid,
};
