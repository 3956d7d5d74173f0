// SPDX-License-Identifier: MIT
/*
 * kmem_cache_free() twice of one object.
 *
 * expect: BUG widget \(.*\): Object already free 0x[0-9a-f]+
 */
#include "misuse.h"

int main(void)
{
	struct kmem_cache *s = kmem_cache_create("widget", 200, 0, SLAB_NO_MERGE, NULL);
	void *p = kmem_cache_alloc(s, GFP_KERNEL);

	kmem_cache_free(s, p);
	kmem_cache_free(s, hide(p));
	return settle(s);
}
