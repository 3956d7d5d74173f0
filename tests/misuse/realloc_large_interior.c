// SPDX-License-Identifier: MIT
/*
 * MyRealloc() of a pointer into a large object.
 *
 * expect: Invalid (object )?pointer 0x[0-9a-f]+
 * at once: yes
 */
#include "misuse.h"

int main(void)
{
	char *p = MyMalloc(1 << 20);

	if (!MyRealloc(hide(p + 8192), 5000))
		return 1;
	return settle(NULL);
}
