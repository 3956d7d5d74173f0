// SPDX-License-Identifier: MIT
/* util.c - memory that does not fail, and whole files. */
#include "util.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FILE_MAX	(256UL << 20)

static void out_of_memory(void)
{
	static const char text[] = "slabinfo: out of memory\n";

	if (write(STDERR_FILENO, text, sizeof(text) - 1) < 0)
		_exit(1);
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
