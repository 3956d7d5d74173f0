// SPDX-License-Identifier: MIT
/*
 * printk.c - formatting without stdio, and the one line to stderr.
 *
 * The allocator speaks when something is wrong: inside malloc, in a signal
 * handler, before libc's constructors, with the heap damaged. So nothing here
 * allocates, locks, uses the locale or keeps state: the text is formatted into
 * the caller's stack and leaves in one write, whole lines only, so that lines
 * of several threads do not mix.
 *
 * A conversion is read into a struct spec, then printed by its kind. Output
 * goes through put(), which counts everything and stores what fits; that makes
 * snprintf's "length wanted" fall out by itself.
 */
#include <string.h>

#include "hooks.h"
#include "printk.h"

void (*printk_sink)(const char *text, size_t len);

#define PRINTK_PREFIX	"kmem: "
#define CUT_MARK	"...\n"

struct out {
	char *buf;
	size_t size;		/* of buf, the final NUL included */
	size_t len;		/* wanted so far; may exceed size */
};

/* One conversion: %[flags][width][.precision][length]conv */
struct spec {
	bool left, zero, alt;	/* '-', '0', '#' */
	int width;
	int precision;		/* -1: none given */
	enum { LEN_HH, LEN_H, LEN_INT, LEN_L, LEN_LL } length;
	char conv;
};

/* A va_list that can be handed on by address on every ABI. */
struct args {
	va_list ap;
};

static void put(struct out *o, char c)
{
	if (o->len + 1 < o->size)
		o->buf[o->len] = c;
	o->len++;
}

static void put_many(struct out *o, char c, long n)
{
	while (n-- > 0)
		put(o, c);
}

static void put_text(struct out *o, const char *s, size_t n)
{
	while (n--)
		put(o, *s++);
}

/* A width or a precision; beyond what any line holds it does not count. */
static int read_number(const char **fmt, struct args *args)
{
	const int most = 8 * PRINTK_MAX;
	int n = 0;

	if (**fmt == '*') {
		(*fmt)++;
		n = va_arg(args->ap, int);
		return clamp(n, -most, most);
	}
	for (; **fmt >= '0' && **fmt <= '9'; (*fmt)++)
		n = min(n * 10 + (**fmt - '0'), most);
	return n;
}

/* Reads what follows a '%'; leaves @fmt behind the conversion's letter. */
static void read_spec(struct spec *s, const char **fmt, struct args *args)
{
	*s = (struct spec){ .precision = -1, .length = LEN_INT };

	for (;; (*fmt)++) {
		if (**fmt == '-')
			s->left = true;
		else if (**fmt == '0')
			s->zero = true;
		else if (**fmt == '#')
			s->alt = true;
		else
			break;
	}
	s->width = read_number(fmt, args);
	if (s->width < 0) {
		s->left = true;
		s->width = -s->width;
	}
	if (**fmt == '.') {
		(*fmt)++;
		s->precision = read_number(fmt, args);
	}
	for (;; (*fmt)++) {
		if (**fmt == 'l')
			s->length = s->length == LEN_L ? LEN_LL : LEN_L;
		else if (**fmt == 'h')
			s->length = s->length == LEN_H ? LEN_HH : LEN_H;
		else if (**fmt == 'z')
			s->length = LEN_L;
		else
			break;
	}
	s->conv = **fmt;
	if (s->conv)
		(*fmt)++;
}

static long long arg_signed(const struct spec *s, struct args *args)
{
	switch (s->length) {
	case LEN_HH:
		return (signed char)va_arg(args->ap, int);
	case LEN_H:
		return (short)va_arg(args->ap, int);
	case LEN_L:
		return va_arg(args->ap, long);
	case LEN_LL:
		return va_arg(args->ap, long long);
	default:
		return va_arg(args->ap, int);
	}
}

static unsigned long long arg_unsigned(const struct spec *s, struct args *args)
{
	switch (s->length) {
	case LEN_HH:
		return (unsigned char)va_arg(args->ap, unsigned int);
	case LEN_H:
		return (unsigned short)va_arg(args->ap, unsigned int);
	case LEN_L:
		return va_arg(args->ap, unsigned long);
	case LEN_LL:
		return va_arg(args->ap, unsigned long long);
	default:
		return va_arg(args->ap, unsigned int);
	}
}

static void put_string(struct out *o, const struct spec *s, const char *text)
{
	size_t n = 0;

	if (!text)
		text = "(null)";
	while ((s->precision < 0 || n < (size_t)s->precision) && text[n])
		n++;
	if (!s->left)
		put_many(o, ' ', s->width - (long)n);
	put_text(o, text, n);
	if (s->left)
		put_many(o, ' ', s->width - (long)n);
}

/* @lead is the sign or "0x"; it stands before zeros and behind spaces. */
static void put_number(struct out *o, const struct spec *s, const char *lead,
		       unsigned long long value, unsigned int base)
{
	const char *digit = s->conv == 'X' ? "0123456789ABCDEF" : "0123456789abcdef";
	char text[24];
	int n = 0, zeros, pad;

	for (; value; value /= base)
		text[n++] = digit[value % base];
	zeros = (s->precision < 0 ? 1 : s->precision) - n;
	zeros = max(zeros, 0);
	pad = s->width - (int)strlen(lead) - zeros - n;
	if (s->zero && !s->left && s->precision < 0 && pad > 0) {
		zeros += pad;
		pad = 0;
	}

	if (!s->left)
		put_many(o, ' ', pad);
	put_text(o, lead, strlen(lead));
	put_many(o, '0', zeros);
	while (n)
		put(o, text[--n]);
	if (s->left)
		put_many(o, ' ', pad);
}

static void put_signed(struct out *o, const struct spec *s, long long v)
{
	if (v < 0)
		put_number(o, s, "-", -(unsigned long long)v, 10);
	else
		put_number(o, s, "", (unsigned long long)v, 10);
}

static void put_hex(struct out *o, const struct spec *s, unsigned long long v)
{
	const char *lead = s->conv == 'X' ? "0X" : "0x";

	put_number(o, s, s->alt && v ? lead : "", v, 16);
}

static void put_pointer(struct out *o, struct spec *s, const void *p)
{
	s->alt = true;
	if (p)
		put_hex(o, s, (uintptr_t)p);
	else
		put_string(o, s, "(nil)");
}

/* Prints one conversion; false: it is none that we know, and took no argument. */
static bool put_conversion(struct out *o, struct spec *s, struct args *args)
{
	char c;

	switch (s->conv) {
	case 'd':
	case 'i':
		put_signed(o, s, arg_signed(s, args));
		return true;
	case 'u':
		put_number(o, s, "", arg_unsigned(s, args), 10);
		return true;
	case 'x':
	case 'X':
		put_hex(o, s, arg_unsigned(s, args));
		return true;
	case 'p':
		put_pointer(o, s, va_arg(args->ap, void *));
		return true;
	case 's':
		put_string(o, s, va_arg(args->ap, const char *));
		return true;
	case 'c':
		c = (char)va_arg(args->ap, int);
		put_many(o, ' ', s->left ? 0 : s->width - 1);
		put(o, c);
		put_many(o, ' ', s->left ? s->width - 1 : 0);
		return true;
	case '%':
		put(o, '%');
		return true;
	default:
		return false;
	}
}

int kmem_vsnprintf(char *buf, size_t size, const char *fmt, va_list ap)
{
	struct out o = { .buf = buf, .size = size };
	struct args args;
	struct spec spec;

	va_copy(args.ap, ap);
	while (*fmt) {
		const char *start = fmt;

		if (*fmt++ != '%') {
			put(&o, *start);
			continue;
		}
		read_spec(&spec, &fmt, &args);
		if (!put_conversion(&o, &spec, &args))
			put_text(&o, start, (size_t)(fmt - start));
	}
	va_end(args.ap);
	if (size)
		buf[o.len < size ? o.len : size - 1] = '\0';
	return (int)o.len;
}

int kmem_snprintf(char *buf, size_t size, const char *fmt, ...)
{
	va_list ap;
	int len;

	va_start(ap, fmt);
	len = kmem_vsnprintf(buf, size, fmt, ap);
	va_end(ap);
	return len;
}

void vprintk(const char *fmt, va_list ap)
{
	void (*sink)(const char *text, size_t len) = READ_ONCE(printk_sink);
	char line[PRINTK_MAX + 1];
	size_t len = 0;

	if (*fmt == '\001') {
		fmt++;
	} else {
		len = sizeof(PRINTK_PREFIX) - 1;
		memcpy(line, PRINTK_PREFIX, len);
	}
	len += (size_t)kmem_vsnprintf(line + len, sizeof(line) - len, fmt, ap);
	if (len < PRINTK_MAX && (!len || line[len - 1] != '\n'))
		line[len++] = '\n';
	if (len > PRINTK_MAX || line[len - 1] != '\n') {
		len = PRINTK_MAX;
		memcpy(line + len - strlen(CUT_MARK), CUT_MARK, strlen(CUT_MARK));
	}

	if (sink)
		sink(line, len);
	else
		base_hooks.write(line, len);
}

void printk(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vprintk(fmt, ap);
	va_end(ap);
}
