// SPDX-License-Identifier: MIT
/*
 * kfree() of an address that no process can have.
 *
 * expect: 0x[0-9a-f]+ passed to free
 * at once: yes
 */
#include "misuse.h"

int main(void)
{
	MyFree(MyMalloc(1));
	kfree(hide((void *)0xdead000000000100));
	return settle(NULL);
}
