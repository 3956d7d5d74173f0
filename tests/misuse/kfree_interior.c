// SPDX-License-Identifier: MIT
/*
 * kfree() of a pointer into an object.
 *
 * expect: BUG kmalloc-64 \(.*\): Invalid object pointer
 * expect: ^Object 0x[0-9a-f]+ @offset=
 */
#include "misuse.h"

int main(void)
{
	char *p = kmalloc(64, GFP_KERNEL);

	kfree(hide(p + 16));
	return settle(NULL);
}
