// SPDX-License-Identifier: MIT
/*
 * kfree() of a pointer into the object of a cache.
 *
 * expect: BUG widget \(.*\): Invalid object pointer
 */
#include "misuse.h"

int main(void)
{
	struct kmem_cache *s = kmem_cache_create("widget", 200, 0, SLAB_NO_MERGE, NULL);
	char *p = kmem_cache_alloc(s, GFP_KERNEL);

	kfree(hide(p + 104));
	return settle(s);
}
