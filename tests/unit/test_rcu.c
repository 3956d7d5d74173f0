// SPDX-License-Identifier: MIT
/* Tests of mm/rcu.c: flavours, and what is done with them. */
#include "slab_test.h"

#include <errno.h>

#include "rcu_test.h"

TestSuite(rcu, .timeout = 60);

Test(rcu, without_a_flavour_nobody_reads)
{
	rcu_synchronize();
	cr_expect(!rcu_reading());
	cr_expect(rcu_wait_enter() == 0);
}

Test(rcu, a_table_is_needed)
{
	static const struct rcu_flavor_struct empty;

	cr_expect(kmem_rcu_use_flavor(NULL) == -EINVAL);
	cr_expect(kmem_rcu_use_flavor(&empty) == -EINVAL);
}

Test(rcu, each_flavour_is_waited_for_once)
{
	static struct rcu_flavor_struct other;

	other = fake_flavor;
	for (int i = 0; i < 3; i++)
		cr_expect(kmem_rcu_use_flavor(&fake_flavor) == 0);
	rcu_synchronize();
	cr_expect(fake_seen() == 1, "%lu", fake_seen());
	cr_expect(kmem_rcu_use_flavor(&other) == 0);
	rcu_synchronize();
	cr_expect(fake_seen() == 3, "%lu", fake_seen());
}

Test(rcu, more_than_eight_are_refused)
{
	static struct rcu_flavor_struct many[9];

	for (int i = 0; i < 9; i++) {
		many[i] = fake_flavor;
		cr_expect(kmem_rcu_use_flavor(&many[i]) == (i < 8 ? 0 : -ENOSPC), "%d", i);
	}
	cr_expect(kmem_rcu_use_flavor(&many[3]) == 0, "it is there");
	rcu_synchronize();
	cr_expect(fake_seen() == 8);
}

Test(rcu, a_waiting_reader_is_offline)
{
	unsigned int entered;

	kmem_rcu_use_flavor(&fake_flavor);
	entered = rcu_wait_enter();
	cr_expect(entered == 0 && !fake_offline, "it is no reader");
	rcu_wait_leave(entered);
	fake_in_section = 1;
	cr_expect(rcu_reading());
	entered = rcu_wait_enter();
	cr_expect(fake_offline == 1 && !rcu_reading());
	rcu_wait_leave(entered);
	cr_expect(fake_offline == 0 && rcu_reading());
}

Test(rcu, a_table_may_lack_what_is_not_needed)
{
	static const struct rcu_flavor_struct least = {
		.update_synchronize_rcu = fake_synchronize,
	};

	cr_expect(kmem_rcu_use_flavor(&least) == 0);
	cr_expect(!rcu_reading());
	rcu_wait_leave(rcu_wait_enter());
	rcu_synchronize();
	cr_expect(fake_seen() == 1);
}
