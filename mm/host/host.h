/* SPDX-License-Identifier: MIT */
/*
 * host.h - the only way to the operating system. No other file of the library
 * makes a system call or asks libc for something that might make one.
 *
 * Common to all calls: they are raw (no libc wrapper: errno is not touched, no
 * cancellation point), take no lock, never allocate, and give 0 or a negative
 * error number unless said otherwise. Sandboxes may refuse any of them with
 * EPERM or ENOSYS; only mmap and munmap are relied upon. None of them is
 * called while a lock of the library is held, the futex calls of the locks
 * themselves apart.
 */
#ifndef MM_HOST_HOST_H
#define MM_HOST_HOST_H

#include "../base/compiler.h"

/* ---- address space ---------------------------------------------------- */

/*
 * Reserves @size bytes (a multiple of the page size) of address space without
 * access rights, aligned to @align (power of two, at least a page): costs
 * neither memory nor commit charge. NULL when refused.
 */
void *host_reserve(size_t size, size_t align);

/* Fresh zeroed read/write pages, page aligned. NULL when refused. */
void *host_map(size_t size);
/* The same with MAP_NORESERVE, and without huge pages: for sparse arrays, mostly never touched. */
void *host_map_sparse(size_t size);

/* Makes reserved pages readable and writable; their content is zero. */
int host_commit(void *addr, size_t size);
/* Makes pages that nobody has written to readable alone: zeros, which count for nothing. */
int host_zeros(void *addr, size_t size);

/*
 * Gives the pages' memory back; they read as zero afterwards. With @lazy the
 * kernel may take its time (MADV_FREE) and the content is undefined until
 * then. Falls back to mapping fresh pages over the range where madvise is
 * refused; a failure leaves the content as it was and is only a missed saving.
 */
int host_purge(void *addr, size_t size, bool lazy);

/* Asks for huge pages (true) or for none (false); advice only. */
int host_advise_huge(void *addr, size_t size, bool on);

/* Faults the pages in, in one call, where the kernel can; advice only. */
int host_populate(void *addr, size_t size);

/*
 * Memory that is seen at several addresses (share.c): a descriptor or a negative
 * number; a mapping of a part of it, over @addr if that is not NULL; private zero pages in
 * place of one. It is shared with children of fork().
 */
int host_share_open(size_t size);
void *host_share_map(int fd, size_t offset, size_t size, void *addr, bool writable);
bool host_unshare(void *addr, size_t size);
void host_share_close(int fd);

/* Unmaps. */
int host_release(void *addr, size_t size);

/*
 * The same below 4 GiB, aligned to 4 MiB, wherever there is room. NULL: there is none,
 * or the kernel does not know how to ask without risk to other mappings.
 */
void *host_reserve_low(size_t size);

/* Page faults in a range take memory of node @nid first (MPOL_PREFERRED); advice. */
int host_prefer_node(void *addr, size_t size, int nid);
/* Nodes 0..63 that the process may have memory of, as bits; bit 0 alone if nobody says. */
u64 host_memory_nodes(void);
/* Whether the process has no memory policy of its own. */
bool host_memory_policy_is_default(void);

/* Names a mapping for /proc/PID/maps ("[anon:kmem-heap]"); advice only. */
void host_name(void *addr, size_t size, const char *name);
void host_name_nothing(void);	/* from now on */

/* Whether core files have a mapping in them (true, as from the start) or not; advice only. */
void host_dump(void *addr, size_t size, bool on);

/* ---- facts, read once and kept by the caller ---------------------------- */

size_t host_page_size(void);		/* from the auxiliary vector */
size_t host_memory_total(void);		/* the machine's, in bytes */
/* The cgroup's limit, read once; SIZE_MAX if it is no less than the machine's memory. */
size_t host_cgroup_limit(void);
/*
 * The most that the kernel would commit at once: memory and swap; SIZE_MAX with
 * vm.overcommit_memory=1. Asked anew each time: swap may come and go.
 */
size_t host_commit_limit(void);
size_t host_address_limit(void);	/* RLIMIT_AS; SIZE_MAX if none */
/*
 * Possible CPUs (not online ones, not those of the affinity mask): 1 + the
 * highest number in /sys/devices/system/cpu/possible; without /sys, as many as the
 * masks of sched_getaffinity have room for; 0 if neither answers.
 */
unsigned int host_possible_cpus(void);
unsigned int host_rseq_feature_size(void);	/* AT_RSEQ_FEATURE_SIZE, 0 if none */
bool host_secure(void);				/* AT_SECURE */
/* The environment's @name, NULL if unset or in a set-user-id program. */
const char *host_getenv(const char *name);

/* ---- time and threads ------------------------------------------------ */

u64 host_now_ms(void);			/* CLOCK_MONOTONIC_COARSE, by the vDSO */
int host_gettid(void);
int host_getpid(void);
bool host_thread_exists(int tid);	/* of this process */
int host_getcpu(void);			/* negative: unknown */
int host_getnode(void);			/* NUMA node; negative: unknown */
void host_comm(char name[16]);		/* the thread's name; "?" where it is not told */

/* Whether the program has one thread now. False where the C library does not tell. */
extern char __libc_single_threaded __attribute__((weak));

static inline bool host_single_threaded(void)
{
	return &__libc_single_threaded && __libc_single_threaded;
}

/* Waits while *@word == @value; spurious returns are allowed. */
void host_futex_wait(u32 *word, u32 value);
/* The same with a bound in milliseconds; -ETIMEDOUT when it passed. */
int host_futex_wait_ms(u32 *word, u32 value, unsigned int ms);
void host_futex_wake(u32 *word, int nr);
void host_yield(void);

/*
 * Registers the calling thread's struct rseq, of the original length at a multiple of it,
 * until the thread ends. -EBUSY: it is registered; -EINVAL: another one is.
 */
#define RSEQ_LEN	32
int host_rseq_register(void *rseq);

/*
 * Registers for, and makes, a full memory barrier in every thread of this process that is
 * running (MEMBARRIER_CMD_PRIVATE_EXPEDITED).
 */
int host_membarrier_register(void);
int host_membarrier(void);

/*
 * Registers for, and makes, the barrier that aborts every restartable
 * sequence of this process that is under way on another CPU
 * (MEMBARRIER_CMD_PRIVATE_EXPEDITED_RSEQ).
 */
int host_membarrier_rseq_register(void);
int host_membarrier_rseq(void);

/*
 * Starts the library's own thread: all signals blocked, a 64 KiB stack, the
 * name @name (at most 15 characters, constant). It is not a thread of libc's
 * (thread.c says why): it runs code of the library alone. May be called from
 * within any free(). -EAGAIN when there can be none, or when there is one.
 */
int host_thread_start(void (*fn)(void *), void *arg, const char *name);
/* The thread is not there in a forked child. */
void host_thread_fork_child(void);
bool host_thread_runs(void);	/* that thread */

/*
 * Starts a detached thread of libc's, with all signals blocked: for code that calls
 * others' (libc_thread.c). Not from within malloc() or free(). -EAGAIN when there can
 * be none. The caller sees to it that one start is over before the next.
 */
int host_libc_thread_start(void (*fn)(void), const char *name);

/*
 * Lets any process of the same user look at this one, or (false) the system's
 * usual ones, where a security module restricts that (Yama, PR_SET_PTRACER).
 * -EINVAL where there is no such module, and no need.
 */
int host_allow_inspection(bool any);

/* ---- output ------------------------------------------------------------ */

void host_write_stderr(const char *text, size_t len);
void host_abort(void) __noreturn;

/* ---- fault injection ----------------------------------------------------- */

/* What the hook below can fail, and with which answer. */
enum host_call {
	HOST_RESERVE,		/* NULL */
	HOST_MAP,		/* NULL; host_map() and host_map_sparse() */
	HOST_COMMIT,		/* -ENOMEM */
	HOST_PURGE,		/* -EINVAL, as for locked pages */
	HOST_THREAD,		/* -EAGAIN */
	HOST_MEMBARRIER,	/* -EPERM; registering and the barrier */
	HOST_NR_CALLS
};

/*
 * A test's hook, asked before each call of those kinds: true makes the call
 * fail with its documented error without being made. NULL in production.
 */
extern bool (*host_fault)(enum host_call call);

#endif /* MM_HOST_HOST_H */
