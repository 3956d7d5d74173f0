// SPDX-License-Identifier: MIT
/*
 * kfree() of a page inside a large object.
 *
 * expect: Invalid (object )?pointer 0x[0-9a-f]+
 * at once: yes
 */
#include "misuse.h"

int main(void)
{
	char *p = kmalloc(1 << 20, GFP_KERNEL);

	kfree(hide(p + 4096));
	return settle(NULL);
}
