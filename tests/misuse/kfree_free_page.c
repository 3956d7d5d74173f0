// SPDX-License-Identifier: MIT
/*
 * kfree() of a pointer into pages that are free.
 *
 * expect: Invalid (object )?pointer 0x[0-9a-f]+
 * at once: yes
 */
#include "misuse.h"

int main(void)
{
	char *p = alloc_pages_exact(1 << 20, GFP_KERNEL);

	free_pages_exact(p, 1 << 20);
	kfree(hide(p + 12288));
	return settle(NULL);
}
