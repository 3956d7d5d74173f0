// SPDX-License-Identifier: MIT
/*
 * MyRealloc() of an object that is free.
 *
 * expect: BUG kmalloc-[0-9]+ \(.*\): Object already free 0x[0-9a-f]+
 */
#include "misuse.h"

int main(void)
{
	void *p = MyMalloc(100);

	MyFree(p);
	if (!MyRealloc(hide(p), 5000))
		return 1;
	return settle(NULL);
}
