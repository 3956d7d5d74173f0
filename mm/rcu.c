// SPDX-License-Identifier: MIT
/*
 * rcu.c - which flavours of liburcu there are in the process, and waiting for all of
 * their readers.
 *
 * The library links none of them and starts nothing of theirs: it calls a flavour
 * through the table of functions that each has (struct rcu_flavor_struct, part of
 * liburcu's binary interface since 0.11, soname 8 from 0.13), and finds the tables in
 * two ways:
 *
 *	by reference	to the names of the five tables, all weak: the loader, or the
 *			linker of a static program, fills in those that the program
 *			has, whichever of them was loaded first
 *	by call		of kmem_rcu_use_flavor(), which <kmem/rcu.h> makes in a
 *			constructor: for a flavour that came by dlopen(), or that is
 *			linked statically into an object of its own
 *
 * With several flavours a grace period is one of each: objects carry no mark of who
 * may be reading them. With none there is nobody who could be in a read-side section.
 *
 * No thread needs to be registered for what is called here. Deliberately never used:
 * call_rcu, which in liburcu is a read-side section itself and so wants registered
 * callers, and starts a thread for each flavour.
 *
 * Concurrency: slots of added[] go from NULL to a table once, by compare-and-swap
 * (release; pairs with the acquire of nth_flavor()). A flavour that is added while a
 * grace period is under way is not waited for in it: its first readers begin after
 * kmem_rcu_use_flavor() has returned, and the objects that the round will free were
 * unreachable before that.
 *
 * ThreadSanitizer does not see into liburcu, so it is told: what a reader did before
 * it left its section is before what follows the grace period. (The reader's half is
 * its program's: __tsan_release() of the flavour's table.)
 */
#include "rcu.h"

#include <errno.h>

static const struct rcu_flavor_struct *const linked[] = {
	&urcu_memb_flavor, &urcu_mb_flavor, &urcu_qsbr_flavor, &urcu_bp_flavor,
	&urcu_signal_flavor,
};

#define NR_LINKED	ARRAY_SIZE(linked)
#define MAX_ADDED	8U
#define NR_FLAVORS	(NR_LINKED + MAX_ADDED)

BUILD_BUG_ON(NR_FLAVORS > 32);	/* bits of what rcu_wait_enter() gives */

static const struct rcu_flavor_struct *added[MAX_ADDED];

/* NULL: there is none of this number. */
static const struct rcu_flavor_struct *nth_flavor(unsigned int i)
{
	return i < NR_LINKED ? linked[i] : smp_load_acquire(&added[i - NR_LINKED]);
}

int kmem_rcu_use_flavor(const struct rcu_flavor_struct *flavor)
{
	if (!flavor || !flavor->update_synchronize_rcu)
		return -EINVAL;
	for (unsigned int i = 0; i < NR_LINKED; i++) {
		if (linked[i] == flavor)
			return 0;
	}
	for (unsigned int i = 0; i < MAX_ADDED; i++) {
		const struct rcu_flavor_struct *there = NULL;

		if (__atomic_compare_exchange_n(&added[i], &there, flavor, false,
						__ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE) ||
		    there == flavor)
			return 0;
	}
	return -ENOSPC;
}

#ifdef KMEM_TSAN
void __tsan_acquire(void *addr);
#define tsan_grace_period(f)	__tsan_acquire((void *)(f))
#else
#define tsan_grace_period(f)	((void)(f))
#endif

void rcu_synchronize(void)
{
	for (unsigned int i = 0; i < NR_FLAVORS; i++) {
		const struct rcu_flavor_struct *f = nth_flavor(i);

		if (!f)
			continue;
		f->update_synchronize_rcu();
		tsan_grace_period(f);
	}
}

bool rcu_reading(void)
{
	for (unsigned int i = 0; i < NR_FLAVORS; i++) {
		const struct rcu_flavor_struct *f = nth_flavor(i);

		if (f && f->read_ongoing && f->read_ongoing())
			return true;
	}
	return false;
}

unsigned int rcu_wait_enter(void)
{
	unsigned int entered = 0;

	for (unsigned int i = 0; i < NR_FLAVORS; i++) {
		const struct rcu_flavor_struct *f = nth_flavor(i);

		if (f && f->read_ongoing && f->thread_offline && f->read_ongoing()) {
			f->thread_offline();
			entered |= 1U << i;
		}
	}
	return entered;
}

void rcu_wait_leave(unsigned int entered)
{
	for (unsigned int i = 0; i < NR_FLAVORS; i++) {
		if (entered & 1U << i)
			nth_flavor(i)->thread_online();
	}
}
