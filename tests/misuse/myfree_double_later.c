// SPDX-License-Identifier: MIT
/*
 * MyFree() twice of one object, with other frees between.
 *
 * expect: BUG kmalloc-[0-9]+ \(.*\): Object already free 0x[0-9a-f]+
 * expect: ^Object 0x[0-9a-f]+ @offset=
 */
#include "misuse.h"

int main(void)
{
	static void *p[5000];

	for (int i = 0; i < 5000; i++)
		p[i] = MyMalloc(200);
	/* Every slab keeps objects: its pages stay a slab. */
	for (int i = 1; i < 5000; i += 2)
		MyFree(p[i]);
	MyFree(hide(p[1235]));
	return settle(NULL);
}
