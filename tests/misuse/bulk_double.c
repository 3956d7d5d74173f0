// SPDX-License-Identifier: MIT
/*
 * The same object twice in one kmem_cache_free_bulk().
 *
 * expect: BUG widget \(.*\): Object already free 0x[0-9a-f]+
 */
#include "misuse.h"

int main(void)
{
	struct kmem_cache *s = kmem_cache_create("widget", 40, 0, SLAB_NO_MERGE, NULL);
	void *p[10];

	kmem_cache_alloc_bulk(s, GFP_KERNEL, 10, p);
	p[3] = p[7];
	kmem_cache_free_bulk(s, 10, p);
	return settle(s);
}
