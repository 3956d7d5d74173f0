/* SPDX-License-Identifier: MIT */
/**
 * DOC: pfn.h - numbers of pages.
 *
 * A page's number is its address divided by PAGE_SIZE. A process knows no other that is
 * different for each page and the same for as long as the page is there; what the
 * memory's place in the machine is, it cannot tell. The numbers of pages that lie side by
 * side follow each other. Of a page that is seen a second time by vmap() the number is
 * that of its own address.
 *
 * Contracts: the kernel's include/linux/pfn.h, mm.h.
 * Context of all: any, signal handlers included.
 */
#ifndef KMEM_PFN_H
#define KMEM_PFN_H

#include <kmem/folio.h>
#include <kmem/page_alloc.h>
#include <kmem/types.h>

/** PFN_UP, PFN_DOWN - the first page that begins at or behind byte @x; the one it lies in. */
#define PFN_UP(x)	(((x) + PAGE_SIZE - 1) >> PAGE_SHIFT)
#define PFN_DOWN(x)	((x) >> PAGE_SHIFT)
/** PFN_ALIGN - a byte's number, rounded up to where a page begins. */
#define PFN_ALIGN(x)	(((unsigned long)(x) + PAGE_SIZE - 1) & PAGE_MASK)
/** PFN_PHYS, PHYS_PFN - a page's number as a number of its first byte, and back. */
#define PFN_PHYS(x)	((unsigned long)(x) << PAGE_SHIFT)
#define PHYS_PFN(x)	((unsigned long)((x) >> PAGE_SHIFT))

KMEM_BEGIN_DECLS

/** virt_to_pfn - the number of the page that @addr lies in, whatever is there. */
static inline unsigned long virt_to_pfn(const volatile void *addr)
{
	return (unsigned long)addr >> PAGE_SHIFT;
}

/** pfn_to_virt - the address of the first byte of page @pfn. */
static inline void *pfn_to_virt(unsigned long pfn)
{
	return (void *)(pfn << PAGE_SHIFT);
}

/** page_to_pfn - the number of a page. */
static inline unsigned long page_to_pfn(const struct page *page)
{
	return virt_to_pfn(page_address(page));
}

/** pfn_to_page - the page of that number; NULL outside the heap. */
static inline struct page *pfn_to_page(unsigned long pfn)
{
	return virt_to_page(pfn_to_virt(pfn));
}

/** pfn_valid - whether the heap has a page of that number, in use or not. */
static inline bool pfn_valid(unsigned long pfn)
{
	return pfn_to_page(pfn) != NULL;
}

/** folio_pfn - the number of a folio's first page. */
static inline unsigned long folio_pfn(const struct folio *folio)
{
	return page_to_pfn((const struct page *)folio);
}

/** pfn_folio - the folio that page @pfn, one of the heap, belongs to. */
static inline struct folio *pfn_folio(unsigned long pfn)
{
	return page_folio(pfn_to_page(pfn));
}

KMEM_END_DECLS

#endif /* KMEM_PFN_H */
