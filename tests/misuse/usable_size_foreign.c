// SPDX-License-Identifier: MIT
/*
 * MyUsableSize() of a variable on the stack.
 *
 * expect: 0x[0-9a-f]+
 * at once: yes
 */
#include "misuse.h"

int main(void)
{
	long here[4] = { 0 };

	MyFree(MyMalloc(1));
	if (MyUsableSize(hide(here)) == 12345)
		return 1;
	return settle(NULL);
}
