/* SPDX-License-Identifier: MIT */
/*
 * rcu_test.h - a flavour of RCU whose readers are a test's: a grace period lasts for as
 * long as the test says that somebody is reading.
 */
#ifndef TESTS_RCU_TEST_H
#define TESTS_RCU_TEST_H

#include <sched.h>
#include <unistd.h>

#include "mm/rcu.h"
#include "mm/slab_rcu.h"

static int fake_readers;		/* atomic */
static unsigned long fake_periods;	/* grace periods begun */
static __thread int fake_in_section, fake_offline;

static inline void fake_synchronize(void)
{
	__atomic_fetch_add(&fake_periods, 1, __ATOMIC_SEQ_CST);
	while (__atomic_load_n(&fake_readers, __ATOMIC_SEQ_CST))
		usleep(200);
}

static inline int fake_read_ongoing(void)
{
	return fake_in_section && !fake_offline;
}

static inline void fake_thread_offline(void)
{
	fake_offline++;
}

static inline void fake_thread_online(void)
{
	fake_offline--;
}

static const struct rcu_flavor_struct fake_flavor = {
	.read_ongoing = fake_read_ongoing,
	.update_synchronize_rcu = fake_synchronize,
	.thread_offline = fake_thread_offline,
	.thread_online = fake_thread_online,
};

static inline void fake_read(bool on)
{
	__atomic_fetch_add(&fake_readers, on ? 1 : -1, __ATOMIC_SEQ_CST);
}

static inline unsigned long fake_seen(void)
{
	return __atomic_load_n(&fake_periods, __ATOMIC_SEQ_CST);
}

/* Until @cond, for ten seconds at most. */
#define EVENTUALLY(cond)						\
	for (int _i = 0; !(cond) && _i < 10000; _i++)			\
		usleep(1000)

#endif /* TESTS_RCU_TEST_H */
