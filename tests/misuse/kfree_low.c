// SPDX-License-Identifier: MIT
/*
 * kfree() of a small number that is not ZERO_SIZE_PTR.
 *
 * expect: 0x[0-9a-f]+ passed to free
 * at once: yes
 */
#include "misuse.h"

int main(void)
{
	MyFree(MyMalloc(1));
	kfree(hide((void *)0x1000));
	return settle(NULL);
}
