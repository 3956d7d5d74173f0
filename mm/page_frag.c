// SPDX-License-Identifier: MIT
/*
 * page_frag.c - pieces of a compound block, freed by reference count.
 *
 * Counting. A fresh block gets as many references as there could be pieces at
 * most, all of them the cache's (bias). Handing out a piece passes one on and
 * costs no atomic operation; page_frag_free() is put_page(). When the block is
 * used up the cache has bias references left: if these are all there are, every
 * piece is back and the block starts again from its beginning; if not, the
 * cache drops its share, and the last piece to be freed frees the block.
 *
 *	refcount = bias + pieces in use
 *
 * A piece may be freed by another thread while the cache looks at the count: it
 * can only fall, so "bias" read there (acquire: all uses of all pieces come
 * before) means that nobody else is left.
 */
#include <kmem/page_frag.h>

#include <string.h>

#include "base/bitops.h"
#include "base/bug.h"
#include "mmzone.h"

/* A piece takes a byte at least; one reference stays with the cache. */
#define FULL_BIAS	(PAGE_FRAG_CACHE_MAX_SIZE + 1)

BUILD_BUG_ON(PAGE_FRAG_CACHE_MAX_SIZE != PAGE_SIZE << PAGE_FRAG_CACHE_MAX_ORDER);

static void start_block(struct page_frag_cache *nc, struct page *page)
{
	__atomic_store_n(&page->refcount, FULL_BIAS, __ATOMIC_RELAXED);
	nc->bias = FULL_BIAS;
	nc->offset = 0;
}

static void drop_bias(struct page_frag_cache *nc)
{
	struct page *page = virt_to_page(nc->va);

	/* All but one here, so that the last one is put_page()'s to judge. */
	if (nc->bias > 1)
		__atomic_sub_fetch(&page->refcount, nc->bias - 1, __ATOMIC_RELEASE);
	put_page(page);
	nc->va = NULL;
}

/*
 * A block from its beginning: the present one if all of it is back, or a new one.
 * A single page, taken when memory was short, is not kept for another round.
 */
static bool refill(struct page_frag_cache *nc, gfp_t gfp)
{
	gfp_t try = (gfp & ~(__GFP_ZERO | __GFP_NOFAIL)) | __GFP_COMP | __GFP_NOWARN | __GFP_NORETRY;
	struct page *page;

	if (nc->va) {
		page = virt_to_page(nc->va);
		if (nc->size == PAGE_FRAG_CACHE_MAX_SIZE &&
		    smp_load_acquire(&page->refcount) == nc->bias) {
			start_block(nc, page);
			return true;
		}
		drop_bias(nc);
	}
	page = alloc_pages(try, PAGE_FRAG_CACHE_MAX_ORDER);
	nc->size = PAGE_FRAG_CACHE_MAX_SIZE;
	if (!page) {
		page = alloc_pages(gfp & ~__GFP_ZERO, 0);
		nc->size = PAGE_SIZE;
	}
	if (!page)
		return false;
	nc->va = page_address(page);
	start_block(nc, page);
	return true;
}

void page_frag_cache_init(struct page_frag_cache *nc)
{
	memset(nc, 0, sizeof(*nc));
}

void page_frag_cache_drain(struct page_frag_cache *nc)
{
	if (nc->va)
		drop_bias(nc);
	page_frag_cache_init(nc);
}

void *__page_frag_alloc_align(struct page_frag_cache *nc, unsigned int fragsz, gfp_t gfp,
			      unsigned int align_mask)
{
	unsigned int start = (nc->offset + ~align_mask) & align_mask;
	char *piece;

	if (unlikely(fragsz > PAGE_FRAG_CACHE_MAX_SIZE))
		return NULL;
	if (fragsz == 0)
		fragsz = 1;		/* pieces are distinct */
	if (unlikely(!nc->va || start > nc->size || fragsz > nc->size - start)) {
		/* Blocks are aligned to their size, not beyond. */
		if (!refill(nc, gfp) || fragsz > nc->size || ~align_mask >= nc->size)
			return NULL;
		start = 0;
	}
	nc->offset = start + fragsz;
	nc->bias--;
	piece = (char *)nc->va + start;
	return gfp & __GFP_ZERO ? memset(piece, 0, fragsz) : piece;
}

void *page_frag_alloc_align(struct page_frag_cache *nc, unsigned int fragsz, gfp_t gfp,
			    unsigned int align)
{
	if (WARN_ONCE(!is_power_of_2(align), "page_frag_alloc_align: bad alignment %u", align))
		return NULL;
	return __page_frag_alloc_align(nc, fragsz, gfp, -align);
}

void page_frag_free(void *addr)
{
	struct page *page;

	if (!addr)
		return;
	page = virt_to_head_page(addr);
	if (unlikely(!page))
		BUG("page_frag_free: %p lies in no block", addr);
	put_page(page);
}
