// SPDX-License-Identifier: MIT
/*
 * buckets.c - kmem_buckets: kmalloc's size classes over again, as caches that
 * nobody else allocates from.
 *
 * A set has a cache for each class of kmalloc.c, so sizes round up and align as
 * kmalloc's do. Objects are found by their slab, as any cache's: kfree() takes
 * the path of caches without a fixed slot. A set stays for good, as in the
 * kernel: nobody counts who holds it.
 */
#include "slab.h"

#include "base/printk.h"

struct kmem_buckets {
	struct kmem_cache *cache[KMALLOC_CLASSES];	/* constant once created */
};

static struct kmem_cache *create_bucket(const char *name, size_t size, slab_flags_t flags,
					unsigned int useroffset, unsigned int usersize,
					void (*ctor)(void *))
{
	struct kmem_cache_args args = { .align = ARCH_KMALLOC_MINALIGN, .ctor = ctor };
	char full[128];

	/* As much of the region as lies in an object of this class. */
	if (usersize && useroffset < size) {
		args.useroffset = useroffset;
		args.usersize = min(usersize, (unsigned int)size - useroffset);
	}
	kmem_snprintf(full, sizeof(full), "%s-%u", name, (unsigned int)size);
	return __kmem_cache_create_args(full, (unsigned int)size, &args, flags | SLAB_NO_MERGE);
}

kmem_buckets *kmem_buckets_create(const char *name, slab_flags_t flags,
				  unsigned int useroffset, unsigned int usersize,
				  void (*ctor)(void *))
{
	kmem_buckets *b;

	if (!name || !*name)
		return NULL;
	b = kzalloc(sizeof(*b), GFP_KERNEL);
	if (!b)
		return NULL;
	for (unsigned int i = 0; i < KMALLOC_CLASSES; i++) {
		b->cache[i] = create_bucket(name, kmalloc_class_size(i), flags,
					    useroffset, usersize, ctor);
		if (b->cache[i])
			continue;
		while (i-- > 0)
			kmem_cache_destroy(b->cache[i]);
		kfree(b);
		return NULL;
	}
	return b;
}

void *kmem_buckets_alloc(kmem_buckets *b, size_t size, gfp_t gfp)
{
	if (!b || size == 0 || size > KMALLOC_MAX_CACHE_SIZE)
		return kmalloc(size, gfp);
	return kmem_cache_alloc(b->cache[kmalloc_index(size)], gfp);
}
