// SPDX-License-Identifier: MIT
/* Tests of mm/base/bug.c: the form of the reports, and how they end. */
#include "capture.h"
#include "mm/base/bug.h"

static const int bug_here_line = __LINE__ + 3;
static void bug_here(void)
{
	BUG("bad thing %d", 42);
}

Test(bug, reports_and_aborts)
{
	char expected[256];
	int pid, tid, status = capture_child(bug_here);
	const char *third;
	void *caller;

	cr_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
	snprintf(expected, sizeof(expected),
		 "------------[ cut here ]------------\nkmem: BUG: bad thing 42 at %s:%d\n",
		 __FILE__, bug_here_line);
	cr_assert_eq(strncmp(captured, expected, strlen(expected)), 0, "%s", captured);
	third = captured + strlen(expected);
	cr_assert_eq(sscanf(third, "kmem: pid %d tid %d caller %p\n", &pid, &tid, &caller), 3,
		     "%s", third);
	cr_assert_eq(pid, tid);
	cr_assert_neq(pid, getpid());
	cr_assert_not_null(caller);
	/* Of ours that is all; an emulator has its own last words. */
	cr_assert_null(strstr(third + 1, "kmem:"), "there is more: %s", third);
}

static void bug_on_true(void)
{
	int two = 2;

	BUG_ON(two != 2);
	BUG_ON(two == 2);
}

Test(bug, bug_on_names_its_condition)
{
	assert_aborts(bug_on_true, "kmem: BUG: two == 2 at ");
}

static const int long_bug_line = __LINE__ + 3;
static void long_bug(void)
{
	BUG("%2000s", "x");
}

Test(bug, a_long_text_leaves_room_for_the_place)
{
	char place[128];

	snprintf(place, sizeof(place), " at %s:%d\n", __FILE__, long_bug_line);
	assert_aborts(long_bug, place);
}

static void vm_bug_on_true(void)
{
	VM_BUG_ON(getpid() > 0);
	_exit(3);
}

Test(bug, vm_bug_on_is_for_debug_builds)
{
#ifdef KMEM_DEBUG
	assert_aborts(vm_bug_on_true, "kmem: BUG: getpid() > 0 at ");
#else
	int status = capture_child(vm_bug_on_true);

	cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 3);
	cr_assert_str_eq(captured, "");
#endif
}

Test(bug, warnings_go_on_and_come_once_per_site)
{
	int hits = 0;

	capture_start();
	for (int i = 0; i < 5; i++)
		hits += WARN_ONCE(i >= 2, "number %d", i);
	cr_assert_eq(hits, 3);
	cr_assert_eq(captured_calls, 3);
	cr_assert_not_null(strstr(captured, "kmem: WARNING: number 2 at "), "%s", captured);
	cr_assert_null(strstr(captured, "number 3"));

	WARN_ONCE(true, "another site");
	cr_assert_eq(captured_calls, 6);
}

static void returning_handler(int sig)
{
	(void)sig;
	if (write(2, "handler\n", 8) != 8)
		_exit(4);
}

static void bug_with_handler(void)
{
	sigset_t set;

	signal(SIGABRT, returning_handler);
	sigemptyset(&set);
	sigaddset(&set, SIGABRT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	BUG("blocked and handled");
}

Test(bug, a_handler_runs_but_does_not_save_the_program)
{
	assert_aborts(bug_with_handler, "\nhandler\n");
}

static void bug_ignored(void)
{
	signal(SIGABRT, SIG_IGN);
	BUG("ignored");
}

Test(bug, ignoring_the_signal_does_not_either)
{
	assert_aborts(bug_ignored, "BUG: ignored");
}
