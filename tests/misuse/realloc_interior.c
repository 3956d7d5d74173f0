// SPDX-License-Identifier: MIT
/*
 * MyRealloc() of a pointer into an object.
 *
 * expect: BUG kmalloc-[0-9]+ \(.*\): Invalid object pointer 0x[0-9a-f]+
 */
#include "misuse.h"

int main(void)
{
	char *p = MyMalloc(100);

	if (!MyRealloc(hide(p + 32), 5000))
		return 1;
	return settle(NULL);
}
