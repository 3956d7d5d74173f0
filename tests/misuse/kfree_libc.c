// SPDX-License-Identifier: MIT
/*
 * kfree() of what the C library's malloc gave.
 *
 * expect: 0x[0-9a-f]+ passed to free
 * at once: yes
 */
#include "misuse.h"

int main(void)
{
	void *p = malloc(100);

	MyFree(MyMalloc(1));
	kfree(hide(p));
	return settle(NULL);
}
