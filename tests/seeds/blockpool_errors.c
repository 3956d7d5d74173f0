// SPDX-License-Identifier: MIT
/*
 * blockpool_errors.c - the two weaknesses that the document on the pool of one block
 * size names at its end: nobody can tell what went wrong, and nothing is ever freed.
 */
#include <stdio.h>

#include <kmem/blockpool.h>

int main(void)
{
	struct blockpool bp;
	int local, taken = 0;
	void *last = NULL, *p;

	if (blockpool_init(&bp, 1024) != 0)
		return 1;
	while ((p = blockpool_alloc(&bp, 1024))) {
		last = p;
		taken++;
	}
	printf("%d blocks, then: %s\n", taken, blockpool_strerror(bp.error));
	blockpool_alloc(&bp, 1025);
	printf("1025 bytes: %s\n", blockpool_strerror(bp.error));
	printf("foreign: %s\n", blockpool_strerror(blockpool_free(&bp, &local)));
	printf("interior: %s\n", blockpool_strerror(blockpool_free(&bp, (char *)last + 8)));
	printf("first free: %s\n", blockpool_strerror(blockpool_free(&bp, last)));
	printf("second free: %s\n", blockpool_strerror(blockpool_free(&bp, last)));
	printf("destroy: %s\n", blockpool_strerror(blockpool_destroy(&bp)));
	blockpool_alloc(&bp, 1);
	printf("after that: %s\n", blockpool_strerror(bp.error));
	return 0;
}
