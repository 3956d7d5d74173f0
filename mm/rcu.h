/* SPDX-License-Identifier: MIT */
/* rcu.h - grace periods, by whichever flavours of liburcu the program uses: rcu.c. */
#ifndef MM_RCU_H
#define MM_RCU_H

#define __KMEM_RCU_NO_CONSTRUCTOR	/* rcu.c sees the same tables itself */
#include <kmem/rcu.h>

#include "base/compiler.h"

/* As in liburcu: the order of these is its binary interface. */
struct rcu_flavor_struct {
	void (*read_lock)(void);
	void (*read_unlock)(void);
	int (*read_ongoing)(void);
	void (*read_quiescent_state)(void);
	void (*update_call_rcu)(void *head, void (*func)(void *head));
	void (*update_synchronize_rcu)(void);
	void (*update_defer_rcu)(void (*fct)(void *p), void *p);
	void (*thread_offline)(void);
	void (*thread_online)(void);
};

/*
 * Returns when every reader of every flavour that was in a read-side section at the
 * call has left it; at once where no flavour is known. Context: may sleep; not in a
 * read-side section of the caller's; no lock held.
 */
void rcu_synchronize(void);

/* Whether the caller is in a read-side section (or, of qsbr, a thread that is online). */
bool rcu_reading(void);

/*
 * Around waiting for somebody who waits for a grace period: of qsbr a thread that is
 * registered would hold that up, so it goes offline. Enter gives what leave takes.
 */
unsigned int rcu_wait_enter(void);
void rcu_wait_leave(unsigned int entered);

#endif /* MM_RCU_H */
