// SPDX-License-Identifier: MIT
/*
 * kfree() of an object whose cache has been destroyed.
 *
 * expect: Invalid (object )?pointer 0x[0-9a-f]+
 * at once: yes
 */
#include "misuse.h"

int main(void)
{
	struct kmem_cache *s = kmem_cache_create("widget", 9000, 0, SLAB_NO_MERGE, NULL);
	void *p = kmem_cache_alloc(s, GFP_KERNEL);

	kmem_cache_free(s, p);
	kmem_cache_destroy(s);
	kfree(hide(p));
	return settle(NULL);
}
