// SPDX-License-Identifier: MIT
/*
 * kfree() of a variable on the stack.
 *
 * expect: 0x[0-9a-f]+ passed to free
 * at once: yes
 */
#include "misuse.h"

int main(void)
{
	long here[4] = { 0 };

	MyFree(MyMalloc(1));
	kfree(hide(here));
	return settle(NULL);
}
