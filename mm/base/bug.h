/* SPDX-License-Identifier: MIT */
/*
 * bug.h - stopping and warning. None of it allocates, none of it takes a lock;
 * the text goes to printk(), which writes to stderr with one write per line.
 *
 * Three tiers:
 *   BUG_ON(cond)		always on: a check so cheap, and damage so bad, that
 *			release builds keep it. Reports and aborts.
 *   VM_BUG_ON(cond)	debug builds (KMEM_DEBUG): invariants of the allocator.
 *   *_validate()	whole-structure checks, called by tests and tools.
 */
#ifndef MM_BASE_BUG_H
#define MM_BASE_BUG_H

#include "compiler.h"

/*
 * Reports "BUG: <text> at file:line" with the caller's address and aborts
 * (SIGABRT, as malloc's own checks do).
 */
void __bug(const char *file, int line, const char *fmt, ...)
	__printf(3, 4) __noreturn __cold;
/* "WARNING: <text> at file:line", once per call site through WARN_ONCE. */
void __warn(const char *file, int line, const char *fmt, ...) __printf(3, 4) __cold;

#define BUG(fmt, ...)	__bug(__FILE__, __LINE__, fmt, ##__VA_ARGS__)
#define BUG_ON(cond)							\
	do {								\
		if (unlikely(cond))					\
			BUG("%s", #cond);				\
	} while (0)

#define WARN_ONCE(cond, fmt, ...) ({					\
	bool __c = unlikely(cond);					\
	static bool __warned;						\
	if (__c && !READ_ONCE(__warned)) {				\
		WRITE_ONCE(__warned, true);				\
		__warn(__FILE__, __LINE__, fmt, ##__VA_ARGS__);		\
	}								\
	__c; })

#ifdef KMEM_DEBUG
#define VM_BUG_ON(cond)	BUG_ON(cond)
#else
#define VM_BUG_ON(cond)	((void)sizeof(!(cond)))
#endif

#endif /* MM_BASE_BUG_H */
