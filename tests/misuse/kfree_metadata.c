// SPDX-License-Identifier: MIT
/*
 * kfree() of the allocator's own structure.
 *
 * expect: 0x[0-9a-f]+ passed to free
 * at once: yes
 */
#include "misuse.h"

int main(void)
{
	kfree(hide(kmem_cache_create("widget", 200, 0, SLAB_NO_MERGE, NULL)));
	return settle(NULL);
}
