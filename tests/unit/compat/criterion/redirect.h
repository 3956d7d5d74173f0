/* SPDX-License-Identifier: MIT */
/*
 * redirect.h - Criterion's capture of a test's stderr and stdout, for the
 * stand-in beside it: the descriptor becomes a temporary file.
 */
#ifndef COMPAT_REDIRECT_H
#define COMPAT_REDIRECT_H

#include "criterion.h"

static FILE *compat_captured[3];

static __attribute__((unused)) void compat_redirect(int fd)
{
	compat_captured[fd] = tmpfile();
	if (compat_captured[fd])
		dup2(fileno(compat_captured[fd]), fd);
}

static __attribute__((unused)) FILE *compat_captured_file(int fd)
{
	fflush(NULL);
	rewind(compat_captured[fd]);
	return compat_captured[fd];
}

static __attribute__((unused)) bool compat_captured_is(int fd, const char *expected)
{
	static char text[65536];
	size_t n = fread(text, 1, sizeof(text) - 1, compat_captured_file(fd));

	text[n] = '\0';
	return !strcmp(text, expected);
}

#define cr_redirect_stdout()	compat_redirect(1)
#define cr_redirect_stderr()	compat_redirect(2)
#define cr_get_redirected_stdout() compat_captured_file(1)
#define cr_get_redirected_stderr() compat_captured_file(2)
#define cr_assert_stdout_eq_str(s, ...)	COMPAT_CHECK(compat_captured_is(1, s), "stdout is " #s, true, __VA_ARGS__)
#define cr_assert_stderr_eq_str(s, ...)	COMPAT_CHECK(compat_captured_is(2, s), "stderr is " #s, true, __VA_ARGS__)
#define cr_expect_stdout_eq_str(s, ...)	COMPAT_CHECK(compat_captured_is(1, s), "stdout is " #s, false, __VA_ARGS__)
#define cr_expect_stderr_eq_str(s, ...)	COMPAT_CHECK(compat_captured_is(2, s), "stderr is " #s, false, __VA_ARGS__)

#endif /* COMPAT_REDIRECT_H */
