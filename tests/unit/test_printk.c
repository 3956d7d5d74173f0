// SPDX-License-Identifier: MIT
/* Tests of mm/base/printk.c: every conversion against snprintf, then the lines. */
#include <errno.h>
#include <limits.h>
#include <stdint.h>

#include "capture.h"

#pragma GCC diagnostic ignored "-Wformat"
#ifndef __clang__
#pragma GCC diagnostic ignored "-Wformat-truncation"
#endif
#pragma GCC diagnostic ignored "-Wformat-zero-length"

/* The same text and the same length as libc's, in a large and in a small buffer. */
#define SAME(...)							\
	do {								\
		for (size_t size = 0; size < 70; size += 23) {		\
			char ours[80] = "ours", libcs[80] = "ours";	\
			int a = kmem_snprintf(ours, size, __VA_ARGS__);	\
			int b = snprintf(libcs, size, __VA_ARGS__);	\
			cr_expect_str_eq(ours, libcs, "\"%s\" for \"%s\"", ours, libcs); \
			cr_expect_eq(a, b, "%d for %d: %s", a, b, libcs);	\
		}							\
	} while (0)

Test(printk, decimal)
{
	static const int values[] = { 0, 1, -1, 9, 10, -10, 12345, INT_MAX, INT_MIN };

	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		int v = values[i];

		SAME("%d", v);
		SAME("%i|", v);
		SAME("%8d|", v);
		SAME("%-8d|", v);
		SAME("%08d|", v);
		SAME("%-08d|", v);
		SAME("%.4d|", v);
		SAME("%9.4d|", v);
		SAME("%09.4d|", v);
		SAME("%u", (unsigned int)v);
		SAME("%*d|", 7, v);
		SAME("%*d|", -7, v);
	}
	SAME("%.0d|", 0);
}

Test(printk, lengths)
{
	SAME("%ld %ld", LONG_MAX, LONG_MIN);
	SAME("%lld %lld", LLONG_MAX, LLONG_MIN);
	SAME("%lu %llu", ULONG_MAX, ULLONG_MAX);
	SAME("%zu %zd %zx", SIZE_MAX, (ssize_t)-5, SIZE_MAX);
	SAME("%hd %hu %hhd %hhu", 70000, 70000, 300, 300);
	SAME("%hx %hhx", 0x12345, 0x12345);
	SAME("%lx %llX", ULONG_MAX, ULLONG_MAX);
}

Test(printk, hexadecimal)
{
	static const unsigned int values[] = { 0, 1, 0xf, 0x10, 0xdeadbeef, UINT_MAX };

	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		unsigned int v = values[i];

		SAME("%x %X", v, v);
		SAME("%#x|%#X", v, v);
		SAME("%12x|%-12x|%012x|", v, v, v);
		SAME("%#12x|%#-12x|%#012x|", v, v, v);
		SAME("%.6x|%#.6x|", v, v);
	}
}

Test(printk, strings_and_characters)
{
	const char not_terminated[3] = { 'a', 'b', 'c' };
	char *volatile null = NULL;	/* hidden from the compiler's warnings */

	SAME("%s", "");
	SAME("%s and %s", "one", "two");
	SAME("%10s|%-10s|%2s|", "text", "text", "text");
	SAME("%.2s|%10.2s|%-10.2s|%.0s|", "text", "text", "text", "text");
	SAME("%.3s|", not_terminated);
	SAME("%.*s|", 2, "text");
	SAME("%s", null);
	SAME("%c%c%c|%3c|%-3c|", 'a', '%', 'z', 'r', 'l');
	SAME("100%%");
	SAME("");
}

Test(printk, pointers)
{
	SAME("%p", (void *)0x7f1234567890);
	SAME("%20p|%-20p|", (void *)0xabc, (void *)0xabc);
#ifdef __GLIBC__	/* whose way it is; musl writes 0 */
	SAME("%p|%8p|", NULL, NULL);
#endif
}

Test(printk, unknown_conversions_stand_as_they_are)
{
	char text[64];

	kmem_snprintf(text, sizeof(text), "%q %5.2y %d%", 7);
	cr_assert_str_eq(text, "%q %5.2y 7%");
}

Test(printk, huge_width_is_bounded)
{
	char text[64];
	const char *volatile format = "%99999999999d";
	int n = kmem_snprintf(text, sizeof(text), format, 1);

	cr_assert_geq(n, 64);
	cr_assert_eq(strlen(text), 63);
}

Test(printk, one_call_one_line_with_prefix)
{
	capture_start();
	printk("hello %d\n", 1);
	printk("no newline");
	pr_raw("raw %s\n", "line");
	printk("%s", "");
	cr_assert_str_eq(captured, "kmem: hello 1\nkmem: no newline\nraw line\nkmem: \n");
	cr_assert_eq(captured_calls, 4);
}

static void print_length(int n)
{
	capture_start();
	pr_raw("%*s", n, "");
}

Test(printk, long_lines_are_cut)
{
	print_length(PRINTK_MAX - 1);
	cr_expect_eq(captured_len, PRINTK_MAX);
	cr_expect_str_eq(captured + PRINTK_MAX - 4, "   \n");

	print_length(PRINTK_MAX);
	cr_expect_eq(captured_len, PRINTK_MAX);
	cr_expect_str_eq(captured + PRINTK_MAX - 5, " ...\n");

	print_length(5 * PRINTK_MAX);
	cr_expect_eq(captured_len, PRINTK_MAX);
	cr_expect_str_eq(captured + PRINTK_MAX - 5, " ...\n");
	cr_expect_eq(captured_calls, 1);
}

Test(printk, a_line_of_just_the_limit_is_whole)
{
	capture_start();
	pr_raw("%*s\n", PRINTK_MAX - 1, "x");
	cr_assert_eq(captured_len, PRINTK_MAX);
	cr_assert_str_eq(captured + PRINTK_MAX - 3, " x\n");
}

static void say_something(void)
{
	errno = 77;
	printk("to stderr %x\n", 0xabc);
	if (errno != 77)
		_exit(1);
	close(2);
	printk("nobody reads this\n");
	_exit(errno == 77 ? 0 : 2);
}

Test(printk, goes_to_stderr_and_keeps_errno)
{
	int status = capture_child(say_something);

	cr_assert_str_eq(captured, "kmem: to stderr abc\n");
	cr_assert_eq(status, 0);
}
