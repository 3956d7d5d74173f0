// SPDX-License-Identifier: MIT
/*
 * kfree() twice of one object.
 *
 * expect: BUG kmalloc-64 \(.*\): Object already free 0x[0-9a-f]+
 */
#include "misuse.h"

int main(void)
{
	void *p = kmalloc(64, GFP_KERNEL);

	kfree(p);
	kfree(hide(p));
	return settle(NULL);
}
