/* SPDX-License-Identifier: MIT */
/*
 * printk.h - text to stderr without allocating, without stdio, without locks.
 *
 * Conversions: %s %c %d %i %u %x %X %p %% with the flags '-', '0' and '#', a
 * width and a precision (numbers or '*'), and the length modifiers l, ll, z, h,
 * hh; they print what snprintf prints. Anything else is printed as it stands,
 * and takes no argument. One call makes one write(2) of whole lines: a text
 * without a newline at its end gets one, and one of more than PRINTK_MAX bytes
 * is cut and ends in "...\n".
 * Async-signal-safe. errno is preserved.
 */
#ifndef MM_BASE_PRINTK_H
#define MM_BASE_PRINTK_H

#include <stdarg.h>

#include "compiler.h"

#define PRINTK_MAX	1024

/* To stderr, prefixed with "kmem: " unless the format begins with '\001'. */
void printk(const char *fmt, ...) __printf(1, 2) __cold;
void vprintk(const char *fmt, va_list ap) __cold;

/* As snprintf: always terminates (size > 0), returns the length wanted. */
int kmem_snprintf(char *buf, size_t size, const char *fmt, ...) __printf(3, 4);
int kmem_vsnprintf(char *buf, size_t size, const char *fmt, va_list ap);

/* A report's line as it is, no prefix. */
#define pr_raw(fmt, ...)	printk("\001" fmt, ##__VA_ARGS__)

/*
 * Where the text goes: a test replaces it to count and compare reports.
 * NULL: write(2) to descriptor 2.
 */
extern void (*printk_sink)(const char *text, size_t len);

#endif /* MM_BASE_PRINTK_H */
