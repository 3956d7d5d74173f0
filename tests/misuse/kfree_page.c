// SPDX-License-Identifier: MIT
/*
 * kfree() of a page that __get_free_page() gave.
 *
 * expect: Invalid (object )?pointer 0x[0-9a-f]+
 * at once: yes
 */
#include "misuse.h"

int main(void)
{
	kfree(hide((void *)__get_free_page(GFP_KERNEL)));
	return settle(NULL);
}
