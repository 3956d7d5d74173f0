// SPDX-License-Identifier: MIT
/* findings.c - a list of what is not as it should be. */
#include "heap.h"

#include <stdarg.h>
#include <stdlib.h>

void finding_add(struct findings *f, const char *kind, uint64_t addr, const char *fmt, ...)
{
	va_list ap;
	char *text;

	f->total++;
	if (f->nr == MAX_FINDINGS)
		return;
	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) < 0)
		text = xstrdup("?");
	va_end(ap);
	f->list = grow(f->list, f->nr, sizeof(*f->list));
	f->list[f->nr++] = (struct finding){ kind, addr, text };
}

void findings_cut(struct findings *f, size_t nr)
{
	while (f->nr > nr)
		free(f->list[--f->nr].text);
	f->total = f->nr;
}

void findings_free(struct findings *f)
{
	findings_cut(f, 0);
	free(f->list);
	*f = (struct findings){ 0 };
}
