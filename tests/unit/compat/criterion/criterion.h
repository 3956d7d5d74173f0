/* SPDX-License-Identifier: MIT */
/*
 * criterion.h - a stand-in for the part of Criterion that the unit tests use,
 * for what it is not to be had for: another machine (the aarch64 build, which runs
 * under qemu-user), another C library (musl). The same test sources compile against either.
 *
 * As with Criterion: a test registers itself, runs in a forked child, passes
 * if the child exits with .exit_code (0) or dies of .signal (none) as its
 * options say; cr_assert ends the test, cr_expect only marks it failed. Options
 * of a TestSuite hold for its tests, a test's own come after them. The closing
 * line has Criterion's form, so that whoever counts needs to know only one.
 * A program compiled with it has its main() here: one file per program.
 */
#ifndef COMPAT_CRITERION_H
#define COMPAT_CRITERION_H

/* A test's own options come after its suite's and may repeat them. */
#pragma GCC diagnostic ignored "-Woverride-init"

#include <math.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

struct compat_options {
	void (*init)(void);
	void (*fini)(void);
	int signal;
	int exit_code;
	bool disabled;
	double timeout;
	const char *description;
};

struct compat_test {
	const char *suite, *name;
	void (*run)(void);
	struct compat_options options;
	struct compat_test *next;
};

struct compat_suite {
	const char *name;
	struct compat_options options;
	struct compat_suite *next;
};

static struct compat_test *compat_tests, **compat_last = &compat_tests;
static struct compat_suite *compat_suites;
static bool compat_failed;

#define Test(s, n, ...)							\
	static void s##_##n##_run(void);				\
	static __attribute__((constructor)) void s##_##n##_register(void) \
	{								\
		static struct compat_test test = {			\
			#s, #n, s##_##n##_run, { .signal = 0, ##__VA_ARGS__ }, NULL \
		};							\
		*compat_last = &test;					\
		compat_last = &test.next;				\
	}								\
	static void s##_##n##_run(void)

#define TestSuite(s, ...)						\
	static __attribute__((constructor)) void s##_suite_register(void) \
	{								\
		static struct compat_suite suite = {			\
			#s, { .signal = 0, ##__VA_ARGS__ }, NULL	\
		};							\
		suite.next = compat_suites;				\
		compat_suites = &suite;					\
	}								\
	struct compat_options s##_suite_exists

/* ---- assertions ------------------------------------------------------------- */

static __attribute__((unused, format(printf, 4, 5)))
void compat_fail(const char *file, int line, const char *what, const char *fmt, ...)
{
	va_list ap;

	compat_failed = true;
	fprintf(stderr, "[----] %s:%d: Assertion Failed\n[----]   %s:", file, line, what);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
}

/* The message is optional: " " stands before it so that there is always a format. */
#define COMPAT_CHECK(cond, text, fatal, ...)				\
	do {								\
		if (!(cond)) {						\
			compat_fail(__FILE__, __LINE__, text, " " __VA_ARGS__); \
			if (fatal)					\
				_exit(1);				\
		}							\
	} while (0)

#define cr_assert(c, ...)		COMPAT_CHECK(c, #c, true, __VA_ARGS__)
#define cr_expect(c, ...)		COMPAT_CHECK(c, #c, false, __VA_ARGS__)

#define COMPAT_OP(a, op, b, fatal, ...) COMPAT_CHECK((a) op (b), #a " " #op " " #b, fatal, __VA_ARGS__)
#define cr_assert_eq(a, b, ...)		COMPAT_OP(a, ==, b, true, __VA_ARGS__)
#define cr_assert_neq(a, b, ...)	COMPAT_OP(a, !=, b, true, __VA_ARGS__)
#define cr_assert_lt(a, b, ...)		COMPAT_OP(a, <, b, true, __VA_ARGS__)
#define cr_assert_leq(a, b, ...)	COMPAT_OP(a, <=, b, true, __VA_ARGS__)
#define cr_assert_gt(a, b, ...)		COMPAT_OP(a, >, b, true, __VA_ARGS__)
#define cr_assert_geq(a, b, ...)	COMPAT_OP(a, >=, b, true, __VA_ARGS__)
#define cr_assert_not(c, ...)		COMPAT_CHECK(!(c), "!" #c, true, __VA_ARGS__)
#define cr_assert_null(p, ...)		COMPAT_CHECK((p) == NULL, #p " is NULL", true, __VA_ARGS__)
#define cr_assert_not_null(p, ...)	COMPAT_CHECK((p) != NULL, #p " is not NULL", true, __VA_ARGS__)
#define cr_assert_str_eq(a, b, ...)	COMPAT_CHECK(!strcmp(a, b), #a " is " #b, true, __VA_ARGS__)
#define cr_assert_str_neq(a, b, ...)	COMPAT_CHECK(strcmp(a, b), #a " is not " #b, true, __VA_ARGS__)
#define cr_assert_arr_eq(a, b, n, ...)	COMPAT_CHECK(!memcmp(a, b, n), #a " equals " #b, true, __VA_ARGS__)
#define cr_assert_arr_neq(a, b, n, ...)	COMPAT_CHECK(memcmp(a, b, n), #a " differs from " #b, true, __VA_ARGS__)
#define cr_assert_fail(...)		COMPAT_CHECK(false, "fail", true, __VA_ARGS__)
#define cr_fatal(...)			cr_assert_fail(__VA_ARGS__)

#define cr_expect_eq(a, b, ...)		COMPAT_OP(a, ==, b, false, __VA_ARGS__)
#define cr_expect_neq(a, b, ...)	COMPAT_OP(a, !=, b, false, __VA_ARGS__)
#define cr_expect_lt(a, b, ...)		COMPAT_OP(a, <, b, false, __VA_ARGS__)
#define cr_expect_leq(a, b, ...)	COMPAT_OP(a, <=, b, false, __VA_ARGS__)
#define cr_expect_gt(a, b, ...)		COMPAT_OP(a, >, b, false, __VA_ARGS__)
#define cr_expect_geq(a, b, ...)	COMPAT_OP(a, >=, b, false, __VA_ARGS__)
#define cr_expect_not(c, ...)		COMPAT_CHECK(!(c), "!" #c, false, __VA_ARGS__)
#define cr_expect_null(p, ...)		COMPAT_CHECK((p) == NULL, #p " is NULL", false, __VA_ARGS__)
#define cr_expect_not_null(p, ...)	COMPAT_CHECK((p) != NULL, #p " is not NULL", false, __VA_ARGS__)
#define cr_expect_str_eq(a, b, ...)	COMPAT_CHECK(!strcmp(a, b), #a " is " #b, false, __VA_ARGS__)
#define cr_expect_str_neq(a, b, ...)	COMPAT_CHECK(strcmp(a, b), #a " is not " #b, false, __VA_ARGS__)
#define cr_expect_arr_eq(a, b, n, ...)	COMPAT_CHECK(!memcmp(a, b, n), #a " equals " #b, false, __VA_ARGS__)
#define cr_expect_arr_neq(a, b, n, ...)	COMPAT_CHECK(memcmp(a, b, n), #a " differs from " #b, false, __VA_ARGS__)
#define cr_expect_fail(...)		COMPAT_CHECK(false, "fail", false, __VA_ARGS__)
#define cr_fail(...)			cr_expect_fail(__VA_ARGS__)

#define COMPAT_SKIPPED	77
#define cr_skip(...)		_exit(COMPAT_SKIPPED)
#define cr_skip_test(...)	_exit(COMPAT_SKIPPED)

#define cr_log_info(fmt, ...)	fprintf(stderr, "[----] " fmt "\n", ##__VA_ARGS__)
#define cr_log_warn(fmt, ...)	cr_log_info(fmt, ##__VA_ARGS__)
#define cr_log_error(fmt, ...)	cr_log_info(fmt, ##__VA_ARGS__)

/* ---- the runner --------------------------------------------------------------- */

static struct compat_options compat_options_of(const struct compat_test *t)
{
	struct compat_options o = t->options;
	const struct compat_suite *s;

	for (s = compat_suites; s; s = s->next) {
		if (strcmp(s->name, t->suite))
			continue;
		o.init = o.init ? o.init : s->options.init;
		o.fini = o.fini ? o.fini : s->options.fini;
		o.signal = o.signal ? o.signal : s->options.signal;
		o.exit_code = o.exit_code ? o.exit_code : s->options.exit_code;
		o.timeout = o.timeout > 0 ? o.timeout : s->options.timeout;
		o.disabled |= s->options.disabled;
	}
	return o;
}

static bool compat_named(const struct compat_test *t, const char *list)
{
	char name[256];
	size_t len = (size_t)snprintf(name, sizeof(name), "%s::%s", t->suite, t->name);
	const char *at = list;

	while (at && (at = strstr(at, name))) {
		if ((at == list || at[-1] == ' ') && (!at[len] || at[len] == ' '))
			return true;
		at += len;
	}
	return false;
}

static void compat_child(const struct compat_test *t, const struct compat_options *o)
{
	/* Slower under emulation: ten times what the test allows itself. */
	if (o->timeout > 0)
		alarm((unsigned int)ceil(o->timeout * 10));
	if (o->init)
		o->init();
	t->run();
	if (o->fini)
		o->fini();
	fflush(NULL);
	_exit(compat_failed ? 1 : 0);
}

/* 1: passed, 0: skipped, -1: failed. */
static int compat_judge(const struct compat_test *t, const struct compat_options *o, int status)
{
	bool ok;

	if (WIFEXITED(status) && WEXITSTATUS(status) == COMPAT_SKIPPED)
		return 0;
	if (o->signal)
		ok = WIFSIGNALED(status) && WTERMSIG(status) == o->signal;
	else
		ok = WIFEXITED(status) && WEXITSTATUS(status) == o->exit_code;
	if (!ok)
		fprintf(stderr, "[FAIL] %s::%s: %s %d\n", t->suite, t->name,
			WIFSIGNALED(status) ? "died of signal" : "exit status",
			WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
	return ok ? 1 : -1;
}

int main(void)
{
	int tested = 0, passing = 0, skipped = 0;
	struct compat_test *t;

	for (t = compat_tests; t; t = t->next) {
		struct compat_options o = compat_options_of(t);
		int status, verdict;
		pid_t pid;

		if (o.disabled)
			continue;
		if (compat_named(t, getenv("COMPAT_SKIP"))) {
			skipped++;
			continue;
		}
		fflush(NULL);
		pid = fork();
		if (pid == 0)
			compat_child(t, &o);
		if (pid < 0 || waitpid(pid, &status, 0) != pid) {
			perror("fork");
			return 1;
		}
		verdict = compat_judge(t, &o, status);
		tested += verdict != 0;
		passing += verdict > 0;
		skipped += verdict == 0;
	}
	fprintf(stderr, "[====] Synthesis: Tested: %d | Passing: %d | Failing: %d | Crashing: 0\n",
		tested, passing, tested - passing);
	if (skipped)
		fprintf(stderr, "%d passed, %d failed, %d skipped\n", passing, tested - passing, skipped);
	return tested == passing ? 0 : 1;
}

#endif /* COMPAT_CRITERION_H */
