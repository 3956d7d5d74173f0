/* SPDX-License-Identifier: MIT */
/*
 * syscall.h - system calls as single instructions, for mm/host alone.
 *
 * libc's wrappers set errno and are cancellation points, and some sanitizers
 * intercept them; the allocator must do none of that. The answer is the
 * kernel's: a negative error number, or the result.
 */
#ifndef MM_HOST_SYSCALL_H
#define MM_HOST_SYSCALL_H

#include <sys/syscall.h>

#include "../base/compiler.h"

#if defined(__x86_64__)

static inline long raw_syscall6(long nr, long a, long b, long c, long d, long e, long f)
{
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	register long r9 __asm__("r9") = f;
	long ret;

	__asm__ volatile("syscall"
			 : "=a"(ret)
			 : "0"(nr), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return ret;
}

#elif defined(__aarch64__)

static inline long raw_syscall6(long nr, long a, long b, long c, long d, long e, long f)
{
	register long x8 __asm__("x8") = nr;
	register long x0 __asm__("x0") = a;
	register long x1 __asm__("x1") = b;
	register long x2 __asm__("x2") = c;
	register long x3 __asm__("x3") = d;
	register long x4 __asm__("x4") = e;
	register long x5 __asm__("x5") = f;

	__asm__ volatile("svc 0"
			 : "+r"(x0)
			 : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5)
			 : "memory");
	return x0;
}

#else
#error "libkmem: no system call instruction known for this architecture"
#endif

/* Missing arguments are zero; the kernel does not look at them. */
#define RAW_PICK(nr, a, b, c, d, e, f, ...) \
	raw_syscall6((nr), (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), (long)(f))
#define raw_syscall(...)	RAW_PICK(__VA_ARGS__, 0, 0, 0, 0, 0, 0, 0)

/* Results in the top page of the number range are errors. */
static inline bool raw_failed(long ret)
{
	return (unsigned long)ret > -4096UL;
}

#endif /* MM_HOST_SYSCALL_H */
