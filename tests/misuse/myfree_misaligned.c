// SPDX-License-Identifier: MIT
/*
 * MyFree() of an odd address.
 *
 * expect: BUG kmalloc-[0-9]+ \(.*\): Invalid object pointer
 */
#include "misuse.h"

int main(void)
{
	char *p = MyMalloc(100);

	MyFree(hide(p + 1));
	return settle(NULL);
}
