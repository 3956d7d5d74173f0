// SPDX-License-Identifier: MIT
/*
 * slab_query.c - questions about objects and caches that programs ask while
 * they look for a fault of their own: what is behind this address, is the
 * metadata still whole.
 *
 * What an address says is read without a lock: for memory in use it cannot
 * change, for other memory the answer is a guess. Any address may be given.
 */
#include "slab.h"

#include "base/printk.h"

/* The slab that @object lies in an object of (@start), or NULL. */
static struct page *slab_of(const void *object, unsigned long *start)
{
	struct page *slab = virt_to_head_page(object);
	struct kmem_cache *s;
	unsigned int index;

	if (!slab || slab->type != PT_SLAB)
		return NULL;
	s = slab->slab_cache;
	index = slab_index(s, (unsigned long)((const char *)object - slab_address(slab)));
	if (index >= s->objects)
		return NULL;		/* the rest behind the last object */
	*start = (unsigned long)slab_address(slab) + (unsigned long)index * s->size;
	return slab;
}

bool kmem_valid_obj(const void *object)
{
	unsigned long start;

	return slab_of(object, &start) != NULL;
}

bool kmem_dump_obj(const void *object)
{
	unsigned long start;
	struct page *slab = slab_of(object, &start);

	if (!slab)
		return false;
	printk("slab %s start %p pointer offset %lu size %u\n", slab->slab_cache->name,
	       (void *)start, (unsigned long)object - start, slab->slab_cache->object_size);
	return true;
}

long validate_slab_caches(void)
{
	struct kmem_cache *s;
	long errors = 0;

	lock(&slab_mutex);
	list_for_each_entry(s, &slab_caches, list)
		errors += validate_slab_cache(s);
	unlock(&slab_mutex);
	return errors;
}
