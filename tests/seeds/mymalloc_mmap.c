// SPDX-License-Identifier: MIT
/*
 * mymalloc_mmap.c - "the whole heap comes from mmap; MyMalloc and MyFree manage it":
 * the break does not move, every address lies in a mapping of ours, and what is
 * freed is used again without another mapping.
 */
#include "mymalloc.h"

static void *object[20000];

static size_t size_of(unsigned int i)
{
	return 1 + i * 2654435761u % (i % 50 ? 2000 : 300000);
}

static unsigned int allocate(void)
{
	unsigned int outside = 0;

	for (unsigned int i = 0; i < 20000; i++) {
		object[i] = MyMalloc(size_of(i));
		if (!object[i])
			return 20000;
		memset(object[i], 1, size_of(i));
		outside += !zone_of(object[i]) || !zone_of((char *)object[i] + size_of(i) - 1);
	}
	return outside;
}

static void free_all(void)
{
	for (unsigned int i = 0; i < 20000; i++)
		MyFree(object[i]);
}

int main(void)
{
	char *stdio_has_its_buffer = malloc(10);
	unsigned long committed;
	void *brk;

	printf("heap\n");
	brk = sbrk(0);
	CHECK(allocate() == 0, "every object lies in a zone");
	free_all();
	/* What stays in magazines lies in the way of some long runs, once. */
	allocate();
	free_all();
	committed = zones[0]->nr_committed;
	for (int i = 0; i < 8; i++) {
		allocate();
		free_all();
	}
	CHECK(sbrk(0) == brk, "the break is where it was");
	/* It grows by eighths; one step more is luck of where things lie. */
	CHECK(nr_zones == 1 && zones[0]->nr_committed <= committed + committed / 4,
	      "freed memory is used again, not mapped anew");
	free(stdio_has_its_buffer);
	return 0;
}
