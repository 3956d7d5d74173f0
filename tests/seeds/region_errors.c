// SPDX-License-Identifier: MIT
/*
 * region_errors.c - what else the region manager's document names: its messages,
 * its refusal to be destroyed while blocks are in use, and a dump.
 */
#define KMEM_REGION_TRACE
#include <kmem/region.h>

int main(void)
{
	void *a, *b;

	mmAlloc(8);
	mmInit(-8);
	mmInit(64);
	mmInit(64);
	a = mmAlloc(8);
	mmAlloc(16);
	b = mmAlloc(24);
	mmAlloc(0);
	mmAlloc(100);
	printf("%d\n", mmFree(a));
	printf("%d\n", mmFree(a));
	mmAlloc(24);
	mmDump();
	printf("%d\n", mmDestroy());
	mmFree((char *)b - 16);
	mmFree(b);
	printf("%d\n", mmDestroy());
	return 0;
}
