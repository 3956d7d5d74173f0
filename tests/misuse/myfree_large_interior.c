// SPDX-License-Identifier: MIT
/*
 * MyFree() of a page inside a large object.
 *
 * expect: Invalid (object )?pointer 0x[0-9a-f]+
 * at once: yes
 */
#include "misuse.h"

int main(void)
{
	char *p = kmalloc(1 << 20, GFP_KERNEL);

	MyFree(hide(p + 4096));
	return settle(NULL);
}
