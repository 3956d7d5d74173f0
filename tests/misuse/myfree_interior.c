// SPDX-License-Identifier: MIT
/*
 * MyFree() of a pointer into an object.
 *
 * expect: BUG kmalloc-1024 \(.*\): Invalid object pointer
 * expect: ^Slab 0x[0-9a-f]+ objects=[0-9]+ used=[0-9]+
 * expect: ^Call from
 */
#include "misuse.h"

int main(void)
{
	char *p = MyMalloc(1000);

	MyFree(hide(p + 512));
	return settle(NULL);
}
