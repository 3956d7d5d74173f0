// SPDX-License-Identifier: MIT
/* util.c - messages, memory that does not fail, text of others, whole files. */
#include "util.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FILE_MAX	(256UL << 20)

/* ---- messages -------------------------------------------------------------------- */

static void say(const char *what, const char *fmt, va_list ap)
{
	fflush(stdout);		/* so that both are in order where they go to one place */
	fprintf(stderr, "%s: %s", program_invocation_short_name, what);
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
}

void fail(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say("", fmt, ap);
	va_end(ap);
}

void note(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say("note: ", fmt, ap);
	va_end(ap);
}

/* ---- memory ---------------------------------------------------------------------- */

static void out_of_memory(void)
{
	fail("out of memory");
	_exit(1);
}

void *xcalloc(size_t n, size_t size)
{
	void *p = calloc(n ? n : 1, size);

	if (!p)
		out_of_memory();
	return p;
}

void *xrealloc(void *p, size_t n, size_t size)
{
	p = reallocarray(p, n ? n : 1, size);
	if (!p)
		out_of_memory();
	return p;
}

char *xstrdup(const char *s)
{
	char *p = strdup(s);

	if (!p)
		out_of_memory();
	return p;
}

char *xasprintf(const char *fmt, ...)
{
	va_list ap;
	char *p;

	va_start(ap, fmt);
	if (vasprintf(&p, fmt, ap) < 0)
		out_of_memory();
	va_end(ap);
	return p;
}

void *grow(void *array, size_t nr, size_t size)
{
	if (nr & (nr - 1))
		return array;
	return xrealloc(array, nr ? 2 * nr : 1, size);
}

/* ---- text ------------------------------------------------------------------------ */

size_t utf8_length(const char *text)
{
	const unsigned char *s = (const unsigned char *)text;
	size_t n = s[0] < 0x80 ? 1 : s[0] >= 0xc2 && s[0] < 0xe0 ? 2 :
		   s[0] >= 0xe0 && s[0] < 0xf0 ? 3 : s[0] >= 0xf0 && s[0] < 0xf5 ? 4 : 0;

	for (size_t i = 1; i < n; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	/* Too long for what it says, a surrogate, beyond Unicode. */
	if (n == 3 && ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f)))
		return 0;
	if (n == 4 && ((s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f)))
		return 0;
	return n;
}

void clean_text(char *text, char with, bool blanks)
{
	while (*text) {
		unsigned char c = (unsigned char)text[0], next = (unsigned char)text[1];
		size_t n = utf8_length(text);

		if (n == 0 || c < ' ' || c == 127 || (c == ' ' && !blanks)) {
			*text++ = with;
		} else if (c == 0xc2 && next < 0xa0) {
			*text++ = with;
			*text++ = with;
		} else {
			text += n;
		}
	}
}

/* ---- files ----------------------------------------------------------------------- */

char *read_whole(const char *path, size_t *len)
{
	size_t used = 0, room = 16384;
	char *text;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return NULL;
	text = xcalloc(1, room);
	for (;;) {
		ssize_t n = read(fd, text + used, room - used - 1);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 || (n > 0 && used + (size_t)n >= FILE_MAX)) {
			int err = n < 0 ? errno : EFBIG;

			free(text);
			close(fd);
			errno = err;
			return NULL;
		}
		if (n == 0)
			break;
		used += (size_t)n;
		if (room - used < 4096)
			text = xrealloc(text, room *= 2, 1);
	}
	close(fd);
	text[used] = '\0';
	if (len)
		*len = used;
	return text;
}
