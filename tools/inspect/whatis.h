/* SPDX-License-Identifier: MIT */
/* whatis.h - what an address is, as a sentence and as facts. */
#ifndef TOOLS_INSPECT_WHATIS_H
#define TOOLS_INSPECT_WHATIS_H

#include "pages.h"

#define MAX_FACTS	16

struct fact {
	const char *key;
	char *value;
	bool number;		/* in JSON */
};

struct whatis {
	bool in_heap;
	char *what;		/* "object of kmalloc-64, allocated, + 16" */
	/* An object: where it starts and ends, and whether it is allocated. */
	uint64_t start, end;
	bool live;
	struct fact fact[MAX_FACTS];
	size_t nr_facts;
};

/* Context: a heap as read; looks at the target again for struct pages. */
void whatis(struct heap *h, uint64_t addr, struct whatis *w);
void whatis_free(struct whatis *w);

#endif /* TOOLS_INSPECT_WHATIS_H */
