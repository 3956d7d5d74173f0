// SPDX-License-Identifier: MIT
/*
 * sheaf.c - a caller's own stock of objects (<kmem/sheaf.h>).
 *
 * A sheaf is an array from kmalloc() that is filled by a bulk allocation, all or
 * nothing, before the caller enters the part that must not fail. It has one owner,
 * and no lock. What "at least @size" leaves room for is not filled: objects in a
 * sheaf are nobody else's.
 */
#include "slab.h"

#include <errno.h>
#include <kmem/sheaf.h>
#include <string.h>

#include "base/bug.h"
#include "task.h"

/* More is a mistake: 8 MiB of pointers. */
#define SHEAF_MAX	(1U << 20)

static struct slab_sheaf *new_sheaf(struct kmem_cache *s, gfp_t gfp, unsigned int capacity)
{
	struct slab_sheaf *sheaf = kmalloc(sizeof(*sheaf) + capacity * sizeof(void *),
					   gfp & ~__GFP_ZERO);

	if (sheaf) {
		sheaf->cache = s;
		sheaf->size = 0;
		sheaf->capacity = capacity;
		sheaf->object_size = s->object_size;
	}
	return sheaf;
}

/* The array of a sheaf, on a way that may be one without system calls. */
static void free_array(struct slab_sheaf *sheaf, gfp_t gfp)
{
	unsigned int saved = task_save_nowait(gfp);

	kfree(sheaf);
	task_restore_nowait(gfp, saved);
}

/* Up to @size objects; false: no memory, and nothing has changed. */
static bool fill(struct kmem_cache *s, gfp_t gfp, struct slab_sheaf *sheaf, unsigned int size)
{
	unsigned int more = size > sheaf->size ? size - sheaf->size : 0;

	VM_BUG_ON(size > sheaf->capacity);
	if (more && !kmem_cache_alloc_bulk(s, gfp & ~__GFP_ZERO, more,
					   sheaf->objects + sheaf->size))
		return false;
	sheaf->size += more;
	return true;
}

struct slab_sheaf *kmem_cache_prefill_sheaf(struct kmem_cache *s, gfp_t gfp, unsigned int size)
{
	struct slab_sheaf *sheaf;

	if (size == 0 || size > SHEAF_MAX)
		return NULL;
	sheaf = new_sheaf(s, gfp, size);
	if (sheaf && !fill(s, gfp, sheaf, size)) {
		free_array(sheaf, gfp);
		return NULL;
	}
	return sheaf;
}

int kmem_cache_refill_sheaf(struct kmem_cache *s, gfp_t gfp, struct slab_sheaf **sheafp,
			    unsigned int size)
{
	struct slab_sheaf *sheaf = *sheafp, *larger;

	if (!sheaf || sheaf->cache != s)
		return -EINVAL;
	if (size > SHEAF_MAX)
		return -ENOMEM;
	if (size <= sheaf->capacity)
		return fill(s, gfp, sheaf, size) ? 0 : -ENOMEM;
	larger = new_sheaf(s, gfp, size);
	if (!larger)
		return -ENOMEM;
	/* First what is new, behind the place of the old: on failure nothing has moved. */
	if (!kmem_cache_alloc_bulk(s, gfp & ~__GFP_ZERO, size - sheaf->size,
				   larger->objects + sheaf->size)) {
		free_array(larger, gfp);
		return -ENOMEM;
	}
	memcpy(larger->objects, sheaf->objects, sheaf->size * sizeof(void *));
	larger->size = size;
	free_array(sheaf, gfp);
	*sheafp = larger;
	return 0;
}

void kmem_cache_return_sheaf(struct kmem_cache *s, gfp_t gfp, struct slab_sheaf *sheaf)
{
	unsigned int saved;

	if (!sheaf)
		return;
	if (sheaf->cache != s)
		BUG("kmem_cache_return_sheaf(%s): the sheaf is one of cache %s", s->name,
		    sheaf->cache->name);
	saved = task_save_nowait(gfp);
	if (sheaf->size)
		kmem_cache_free_bulk(s, sheaf->size, sheaf->objects);
	kfree(sheaf);
	task_restore_nowait(gfp, saved);
}
