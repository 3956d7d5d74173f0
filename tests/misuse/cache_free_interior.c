// SPDX-License-Identifier: MIT
/*
 * kmem_cache_free() of a pointer into an object.
 *
 * expect: BUG widget \(.*\): Invalid object pointer
 */
#include "misuse.h"

int main(void)
{
	struct kmem_cache *s = kmem_cache_create("widget", 200, 0, SLAB_NO_MERGE, NULL);
	char *p = kmem_cache_alloc(s, GFP_KERNEL);

	kmem_cache_free(s, hide(p + 8));
	return settle(s);
}
