// SPDX-License-Identifier: MIT
/*
 * kmem_cache_free() of a variable on the stack.
 *
 * expect: BUG widget \(.*\): .*0x[0-9a-f]+ passed to free
 */
#include "misuse.h"

int main(void)
{
	struct kmem_cache *s = kmem_cache_create("widget", 200, 0, SLAB_NO_MERGE, NULL);
	long here[4] = { 0 };

	kmem_cache_free(s, kmem_cache_alloc(s, GFP_KERNEL));
	kmem_cache_free(s, hide(here));
	return settle(s);
}
