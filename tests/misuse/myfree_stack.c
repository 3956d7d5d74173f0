// SPDX-License-Identifier: MIT
/*
 * MyFree() of a variable on the stack.
 *
 * expect: 0x[0-9a-f]+ passed to free
 * at once: yes
 */
#include "misuse.h"

int main(void)
{
	long here[4] = { 0 };

	MyFree(MyMalloc(1));
	MyFree(hide(here));
	return settle(NULL);
}
