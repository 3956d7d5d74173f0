// SPDX-License-Identifier: MIT
/* source.c - what all sources of memory have in common. */
#include "source.h"

#include <string.h>

#define STRING_PAGE	4096U

void source_read_string(struct source *src, uint64_t addr, char *buf, size_t size)
{
	size_t used = 0;

	/* Page by page: the one after the string's end may not be there. */
	while (used + 1 < size) {
		size_t n = STRING_PAGE - (addr + used) % STRING_PAGE;

		if (n > size - 1 - used)
			n = size - 1 - used;
		if (addr == 0 || !source_read(src, addr + used, buf + used, n))
			break;
		if (memchr(buf + used, '\0', n))
			return;
		used += n;
	}
	buf[used] = '\0';
}

static void add_bytes(void *arg, uint64_t start, uint64_t end)
{
	*(uint64_t *)arg += end - start;
}

uint64_t source_resident_bytes(struct source *src, uint64_t start, uint64_t end)
{
	uint64_t bytes = 0;

	if (end > start)
		src->ops->resident(src, start, end, add_bytes, &bytes);
	return bytes;
}
