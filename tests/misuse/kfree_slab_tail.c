// SPDX-License-Identifier: MIT
/*
 * kfree() of the unused end of a slab, behind its last object.
 *
 * expect: BUG kmalloc-[0-9]+ \(.*\): Invalid object pointer
 */
#include "misuse.h"

int main(void)
{
	char *p = kmalloc(5000, GFP_KERNEL);
	struct kmem_cache *s = virt_to_cache(p);
	struct page *slab = virt_to_head_page(p);

	kfree(hide(slab_address(slab) + (size_t)s->objects * s->size));
	return settle(NULL);
}
