// SPDX-License-Identifier: MIT
/*
 * kfree() of an address behind the part of the heap that is in use.
 *
 * expect: 0x[0-9a-f]+ passed to free
 * at once: yes
 */
#include "misuse.h"

int main(void)
{
	MyFree(MyMalloc(1));
	kfree(hide(zones[0]->base + (zones[0]->nr_present << PAGE_SHIFT) + 4096));
	return settle(NULL);
}
