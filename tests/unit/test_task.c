// SPDX-License-Identifier: MIT
/*
 * The scopes of memalloc.h, and the thread's flags behind them: task.c.
 */
#include "slab_test.h"

#include <kmem/memalloc.h>

#include "mm/task.h"

TestSuite(task, .timeout = 60);

Test(task, scopes_take_flags_away)
{
	unsigned int io, fs;

	cr_assert_eq(current_gfp_context(GFP_KERNEL), GFP_KERNEL);
	fs = memalloc_nofs_save();
	cr_assert_eq(current_gfp_context(GFP_KERNEL), GFP_NOFS);
	io = memalloc_noio_save();
	cr_assert_eq(current_gfp_context(GFP_KERNEL), GFP_NOIO);
	cr_assert_eq(current_gfp_context(GFP_NOWAIT), GFP_NOWAIT);
	memalloc_noio_restore(io);
	cr_assert_eq(current_gfp_context(GFP_KERNEL), GFP_NOFS);
	memalloc_nofs_restore(fs);
	cr_assert_eq(current_gfp_context(GFP_KERNEL), GFP_KERNEL);
}

Test(task, scopes_nest)
{
	unsigned int a = memalloc_noreclaim_save(), b = memalloc_noreclaim_save();

	memalloc_noreclaim_restore(b);
	cr_assert(task_flags & TASK_MEMALLOC, "the outer scope goes on");
	memalloc_noreclaim_restore(a);
	cr_assert_eq(task_flags, 0);

	a = memalloc_nofs_save();
	b = memalloc_nofs_save();
	memalloc_nofs_restore(b);
	cr_assert_eq(current_gfp_context(GFP_KERNEL), GFP_NOFS);
	memalloc_nofs_restore(a);
	cr_assert_eq(task_flags, 0);
}

static void *look(void *unused)
{
	(void)unused;
	return (void *)(unsigned long)current_gfp_context(GFP_KERNEL);
}

Test(task, a_scope_is_the_thread_s)
{
	unsigned int scope = memalloc_noio_save();
	pthread_t thread;
	void *seen;

	cr_assert_eq(pthread_create(&thread, NULL, look, NULL), 0);
	cr_assert_eq(pthread_join(thread, &seen), 0);
	cr_assert_eq((gfp_t)(unsigned long)seen, GFP_KERNEL);
	memalloc_noio_restore(scope);
}
