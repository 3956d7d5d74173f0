/* SPDX-License-Identifier: MIT */
/*
 * control.h - requests from outside: a few words that a tool with the right to
 * write into this process (process_vm_writev(), the same right that a debugger
 * needs) puts into kmem_control, and that the reclaimer looks at.
 *
 * Nothing is looked at unless the program or its user allows it
 * (KMEM_CMDLINE=control=on, kmem_control_allow()). Then the reclaimer's thread
 * stays, and looks five times a second; where there can be no thread, whoever
 * wakes the reclaimer looks. No signal, no file descriptor, no cost anywhere else.
 *
 * A request: the tool reads answer.nonce, writes the whole of request in one call with a
 * nonce that nobody else chooses, and waits until answer.nonce is that. check is
 * nonce ^ op ^ arg ^ KMEM_CONTROL_MAGIC: a request that is half written, or that two
 * tools wrote across each other, does not fit and is not looked at; the tool
 * whose nonce was overwritten writes again.
 *
 * What a request can do is bounded by what is written here: addresses in it are
 * compared with those of caches, never followed.
 */
#ifndef MM_CONTROL_H
#define MM_CONTROL_H

#include "base/compiler.h"

#define KMEM_CONTROL_MAGIC	0x6b6d656d

enum kmem_control_op {
	KMEM_CONTROL_NONE,
	KMEM_CONTROL_SHRINK,	/* @arg: address of a kmem_cache; 0: all, and free pages go back */
	KMEM_CONTROL_DEBUG,	/* @arg: for all caches, SLAB_CONSISTENCY_CHECKS or 0; others: refused */
};

struct kmem_control_request {
	u64 nonce;		/* not 0, not that of the last answer */
	u64 op;
	u64 arg;
	u64 check;
};

struct kmem_control_answer {
	u64 nonce;		/* of the request that this answers; written last */
	long error;		/* 0 or a negative error number */
	u64 value;		/* KMEM_CONTROL_SHRINK: pages that went back to the system */
};

struct kmem_control {
	u32 allowed;
	u32 looks;		/* how often it was looked at: whether anybody does */
	struct kmem_control_request request;	/* written from outside */
	struct kmem_control_answer answer;
};

extern struct kmem_control kmem_control __kmem_internal;

static inline bool control_allowed(void)
{
	return READ_ONCE(kmem_control.allowed) != 0;
}

/*
 * Looks for a request, and does what it asks for. Context: no lock held; makes
 * system calls. Anybody may call it at any time.
 */
void control_look(void);
/* As KMEM_CMDLINE says; the reclaimer is started if requests are allowed. */
void control_init(void);
void control_fork_child(void);

#endif /* MM_CONTROL_H */
