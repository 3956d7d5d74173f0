// SPDX-License-Identifier: MIT
/*
 * kfree() of an odd address in the smallest class.
 *
 * expect: BUG kmalloc-16 \(.*\): Invalid object pointer
 */
#include "misuse.h"

int main(void)
{
	char *p = kmalloc(16, GFP_KERNEL);

	kfree(hide(p + 3));
	return settle(NULL);
}
