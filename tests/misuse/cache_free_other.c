// SPDX-License-Identifier: MIT
/*
 * kmem_cache_free() of another cache's object.
 *
 * expect: BUG widget \(.*\): kmem_cache_free\(widget, 0x[0-9a-f]+\): object belongs to different cache gadget
 */
#include "misuse.h"

int main(void)
{
	struct kmem_cache *s = kmem_cache_create("widget", 200, 0, SLAB_NO_MERGE, NULL);
	struct kmem_cache *t = kmem_cache_create("gadget", 200, 0, SLAB_NO_MERGE, NULL);

	kmem_cache_free(s, kmem_cache_alloc(s, GFP_KERNEL));
	kmem_cache_free(s, hide(kmem_cache_alloc(t, GFP_KERNEL)));
	return settle(s);
}
