/* SPDX-License-Identifier: MIT */
/**
 * DOC: page_frag.h - small pieces of a block of pages, given out one after the
 * other and freed by reference count.
 *
 * For buffers of any size that live shortly and die together: taking one is an
 * addition, freeing one drops a reference to the block; the block goes back, or
 * is used again by its cache, when no piece of it is left.
 *
 * Context: calls on one cache must not overlap (the caller's lock, or one
 * cache a thread). Pieces may be freed by any thread.
 */
#ifndef KMEM_PAGE_FRAG_H
#define KMEM_PAGE_FRAG_H

#include <kmem/gfp.h>
#include <kmem/types.h>

/* The block of a cache, and so its largest piece; when memory is short, a page. */
#define PAGE_FRAG_CACHE_MAX_ORDER	3
#define PAGE_FRAG_CACHE_MAX_SIZE	32768U

/**
 * struct page_frag_cache - the block that pieces come from at present
 * @va: its first byte; NULL: none
 * @size: its bytes
 * @offset: where the next piece may begin
 * @bias: references to the block that the cache holds; each piece takes one over
 */
struct page_frag_cache {
	void *va;
	unsigned int size;
	unsigned int offset;
	unsigned int bias;
};

KMEM_BEGIN_DECLS

/** page_frag_cache_init - an empty cache; memory that is all zero is one, too. */
void page_frag_cache_init(struct page_frag_cache *nc);
/** page_frag_cache_drain - give up the block; pieces in use stay valid. */
void page_frag_cache_drain(struct page_frag_cache *nc);

/**
 * __page_frag_alloc_align - a piece of @fragsz bytes
 * @align_mask: ~0u, or -alignment with a power of two up to a page
 *
 * Return: it; NULL when there is no memory, and for more than
 * PAGE_FRAG_CACHE_MAX_SIZE bytes.
 */
void *__page_frag_alloc_align(struct page_frag_cache *nc, unsigned int fragsz, gfp_t gfp,
			      unsigned int align_mask);
/** page_frag_alloc_align - the same with @align itself; NULL if that is no power of two. */
void *page_frag_alloc_align(struct page_frag_cache *nc, unsigned int fragsz, gfp_t gfp,
			    unsigned int align);

static inline void *page_frag_alloc(struct page_frag_cache *nc, unsigned int fragsz, gfp_t gfp)
{
	return __page_frag_alloc_align(nc, fragsz, gfp, ~0u);
}

/** page_frag_free - free a piece, by any address in it; NULL is allowed. */
void page_frag_free(void *addr);

KMEM_END_DECLS

#endif /* KMEM_PAGE_FRAG_H */
