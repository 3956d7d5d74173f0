// SPDX-License-Identifier: MIT
/*
 * bug.c - the two reports: a BUG that stops the program, a WARNING that does
 * not. Both look the same, so that whoever has read a kernel log knows where
 * to look, and so that a script finds them:
 *
 *	------------[ cut here ]------------
 *	kmem: BUG: bad thing at mm/slub.c:120
 *	kmem: pid 4711 tid 4712 caller 0x7f12a0c01234
 *
 * "caller" is the code address that reports; an address of its own matters
 * where the library was built without debug information.
 */
#include <stdarg.h>

#include "bug.h"
#include "hooks.h"
#include "printk.h"

/* The text's share of a line: the rest must hold the place. */
#define REPORT_TEXT_MAX	(PRINTK_MAX - 256)

static void report(const char *kind, const char *file, int line, const void *caller,
		   const char *fmt, va_list ap)
{
	char text[REPORT_TEXT_MAX];

	kmem_vsnprintf(text, sizeof(text), fmt, ap);
	pr_raw("------------[ cut here ]------------\n");
	printk("%s: %s at %s:%d\n", kind, text, file, line);
	printk("pid %d tid %d caller %p\n", base_hooks.getpid(), base_hooks.gettid(), caller);
}

void __bug(const char *file, int line, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	report("BUG", file, line, __builtin_return_address(0), fmt, ap);
	va_end(ap);
	base_hooks.abort();
	__builtin_trap();
}

void __warn(const char *file, int line, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	report("WARNING", file, line, __builtin_return_address(0), fmt, ap);
	va_end(ap);
}
