/* SPDX-License-Identifier: MIT */
/**
 * DOC: folio.h - a block of pages as one thing: a compound block (or a single
 * page) that is always spoken of by its first page.
 *
 * A folio is its first page under another type, so that a tail page cannot be
 * passed by mistake. Context: as in page_alloc.h.
 */
#ifndef KMEM_FOLIO_H
#define KMEM_FOLIO_H

#include <kmem/page_alloc.h>

struct folio;

KMEM_BEGIN_DECLS

/** page_folio - the folio that a page belongs to. */
static inline struct folio *page_folio(struct page *page)
{
	return (struct folio *)compound_head(page);
}

/** virt_to_folio - the folio that an address lies in; NULL if in no block in use. */
static inline struct folio *virt_to_folio(const void *addr)
{
	return (struct folio *)virt_to_head_page(addr);
}

/** folio_alloc - 2^@order pages as one folio. Return: it, or NULL. */
static inline struct folio *folio_alloc(gfp_t gfp, unsigned int order)
{
	return (struct folio *)alloc_pages(gfp | __GFP_COMP, order);
}

/** __folio_alloc_node - folio_alloc() on a node, as alloc_pages_node(). */
static inline struct folio *__folio_alloc_node(gfp_t gfp, unsigned int order, int nid)
{
	return (struct folio *)alloc_pages_node(nid, gfp | __GFP_COMP, order);
}

/** folio_get, folio_put - take and drop a reference; the last frees the folio. */
static inline void folio_get(struct folio *folio)
{
	get_page((struct page *)folio);
}

static inline void folio_put(struct folio *folio)
{
	put_page((struct page *)folio);
}

/** folio_try_get - take a reference if there is one. Return: whether it did. */
static inline bool folio_try_get(struct folio *folio)
{
	return get_page_unless_zero((struct page *)folio);
}

/** folio_put_refs - drop @refs references, one at least; the last frees the folio. */
static inline void folio_put_refs(struct folio *folio, int refs)
{
	page_ref_sub((struct page *)folio, refs - 1);
	put_page((struct page *)folio);
}

static inline int folio_ref_count(const struct folio *folio)
{
	return page_ref_count((const struct page *)folio);
}

static inline void *folio_address(const struct folio *folio)
{
	return page_address((const struct page *)folio);
}

static inline unsigned int folio_order(const struct folio *folio)
{
	return compound_order((const struct page *)folio);
}

static inline unsigned long folio_nr_pages(const struct folio *folio)
{
	return 1UL << folio_order(folio);
}

/** folio_test_large - whether a folio has more than one page. */
static inline bool folio_test_large(const struct folio *folio)
{
	return folio_order(folio) != 0;
}

/** folio_shift - the power of two that folio_size() is. */
static inline unsigned int folio_shift(const struct folio *folio)
{
	return page_shift((const struct page *)folio);
}

static inline size_t folio_size(const struct folio *folio)
{
	return page_size((const struct page *)folio);
}

static inline int folio_nid(const struct folio *folio)
{
	return page_to_nid((const struct page *)folio);
}

/** folio_page - the @n-th page of a folio. */
static inline struct page *folio_page(struct folio *folio, size_t n)
{
	return virt_to_page((char *)folio_address(folio) + n * PAGE_SIZE);
}

/** folio_page_idx - which page of its folio @page is, from 0. */
static inline unsigned long folio_page_idx(const struct folio *folio, const struct page *page)
{
	return (unsigned long)((char *)page_address(page) - (char *)folio_address(folio)) >>
	       PAGE_SHIFT;
}

KMEM_END_DECLS

#define folio_alloc_noprof	folio_alloc

#endif /* KMEM_FOLIO_H */
