// SPDX-License-Identifier: MIT
/*
 * MyFree() twice of a large object.
 *
 * expect: (Invalid (object )?pointer|Object already free) 0x[0-9a-f]+
 * at once: yes
 */
#include "misuse.h"

int main(void)
{
	char *p = kmalloc(1 << 20, GFP_KERNEL);

	MyFree(p);
	MyFree(hide(p));
	return settle(NULL);
}
