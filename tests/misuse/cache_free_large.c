// SPDX-License-Identifier: MIT
/*
 * kmem_cache_free() of a large object.
 *
 * expect: BUG widget \(.*\): Invalid object pointer 0x[0-9a-f]+
 */
#include "misuse.h"

int main(void)
{
	struct kmem_cache *s = kmem_cache_create("widget", 200, 0, SLAB_NO_MERGE, NULL);

	kmem_cache_free(s, kmem_cache_alloc(s, GFP_KERNEL));
	kmem_cache_free(s, hide(kmalloc(1 << 20, GFP_KERNEL)));
	return settle(s);
}
