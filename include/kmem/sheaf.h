/* SPDX-License-Identifier: MIT */
/**
 * DOC: sheaf.h - a caller's own stock of objects, for allocations that must not fail.
 *
 * Contracts: the kernel's sheaves (mm/slub.c, 7.x). <kmem/slab.h> includes this.
 *
 *	sheaf = kmem_cache_prefill_sheaf(s, GFP_KERNEL, 10);	may wait, may fail
 *	lock(tree);
 *	node = kmem_cache_alloc_from_sheaf(s, GFP_NOWAIT, sheaf);	up to 10 times
 *	unlock(tree);
 *	kmem_cache_return_sheaf(s, GFP_KERNEL, sheaf);		the rest goes back
 *
 * A sheaf belongs to one thread at a time, and to the cache that it was filled
 * from. Objects in a sheaf count as in use. Objects that were taken out are like
 * any others.
 */
#ifndef KMEM_SHEAF_H
#define KMEM_SHEAF_H

#include <kmem/gfp.h>
#include <kmem/types.h>

struct kmem_cache;

/* An array without a length is no C++, which clang says in spite of __extension__. */
#if defined(__clang__) && defined(__cplusplus)
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wc99-extensions"
#endif
/**
 * struct slab_sheaf - for the inline functions below only
 * @cache: whose objects these are
 * @size: how many there are
 * @capacity: how many there may be
 * @object_size: bytes to zero for __GFP_ZERO
 * @objects: those below @size
 */
struct slab_sheaf {
	struct kmem_cache *cache;
	unsigned int size;
	unsigned int capacity;
	unsigned int object_size;
	__extension__ void *objects[];
};
#if defined(__clang__) && defined(__cplusplus)
#pragma clang diagnostic pop
#endif

KMEM_BEGIN_DECLS

/**
 * kmem_cache_prefill_sheaf - a sheaf with at least @size objects of @s
 * Return: the sheaf; NULL when there is no memory, or @size is 0.
 * Context: as of kmem_cache_alloc() with @gfp.
 */
struct slab_sheaf *kmem_cache_prefill_sheaf(struct kmem_cache *s, gfp_t gfp, unsigned int size);
/**
 * kmem_cache_refill_sheaf - fill a sheaf up to at least @size objects again
 * @sheafp: the sheaf; another one takes its place where it is too small
 *
 * Return: 0; -ENOMEM when there is no memory: then the sheaf is as it was, and
 * still to be returned; -EINVAL: not a sheaf of @s.
 */
int kmem_cache_refill_sheaf(struct kmem_cache *s, gfp_t gfp, struct slab_sheaf **sheafp,
			    unsigned int size);
/** kmem_cache_return_sheaf - end a sheaf and give back what is in it; NULL is allowed. */
void kmem_cache_return_sheaf(struct kmem_cache *s, gfp_t gfp, struct slab_sheaf *sheaf);

/** kmem_cache_sheaf_size - how many objects are in it. */
static inline unsigned int kmem_cache_sheaf_size(struct slab_sheaf *sheaf)
{
	return sheaf->size;
}

/**
 * kmem_cache_alloc_from_sheaf - take an object from a sheaf
 * @gfp: only __GFP_ZERO matters; that is not for caches with a constructor
 *
 * Return: the object; NULL if the sheaf is empty: it never goes to the cache.
 * Context: any, signal handlers included if the sheaf is theirs.
 */
static inline void *kmem_cache_alloc_from_sheaf(struct kmem_cache *s, gfp_t gfp,
						struct slab_sheaf *sheaf)
{
	void *object;

	(void)s;
	if (__builtin_expect(sheaf->size == 0, 0))
		return NULL;
	object = sheaf->objects[--sheaf->size];
	if (__builtin_expect(gfp & __GFP_ZERO, 0))
		__builtin_memset(object, 0, sheaf->object_size);
	return object;
}

KMEM_END_DECLS

#define kmem_cache_alloc_from_sheaf_noprof	kmem_cache_alloc_from_sheaf

#endif /* KMEM_SHEAF_H */
