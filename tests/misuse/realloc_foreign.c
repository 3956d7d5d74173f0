// SPDX-License-Identifier: MIT
/*
 * MyRealloc() of a pointer of the C library's.
 *
 * expect: 0x[0-9a-f]+
 * at once: yes
 */
#include "misuse.h"

int main(void)
{
	if (!MyRealloc(hide(strdup("from elsewhere")), 5000))
		return 1;
	return settle(NULL);
}
