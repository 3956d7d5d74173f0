/* SPDX-License-Identifier: MIT */
/*
 * hooks.h - the way out of the base floor.
 *
 * Reporting ends in a system call, and base stands below the floor that makes
 * them. So base names what it needs here, and the host object defines it
 * (mm/host/linux.c): the only symbol of a higher floor that base refers to. It
 * is constant data, complete before the first instruction of the program runs,
 * because the allocator may have to report before any constructor.
 */
#ifndef MM_BASE_HOOKS_H
#define MM_BASE_HOOKS_H

#include "compiler.h"

struct base_hooks {
	void (*write)(const char *text, size_t len);	/* to stderr; errno untouched */
	void (*abort)(void);				/* by SIGABRT; does not return */
	int (*getpid)(void);
	int (*gettid)(void);
};

extern const struct base_hooks base_hooks;

#endif /* MM_BASE_HOOKS_H */
