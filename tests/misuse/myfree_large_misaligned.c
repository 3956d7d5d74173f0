// SPDX-License-Identifier: MIT
/*
 * MyFree() of the first page of a large object, but not its start.
 *
 * expect: Invalid (object )?pointer 0x[0-9a-f]+
 * at once: yes
 */
#include "misuse.h"

int main(void)
{
	char *p = kmalloc(1 << 20, GFP_KERNEL);

	MyFree(hide(p + 64));
	return settle(NULL);
}
