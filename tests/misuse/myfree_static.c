// SPDX-License-Identifier: MIT
/*
 * MyFree() of a static variable.
 *
 * expect: 0x[0-9a-f]+ passed to free
 * at once: yes
 */
#include "misuse.h"

static long here[4];

int main(void)
{
	MyFree(hide(here));
	return settle(NULL);
}
