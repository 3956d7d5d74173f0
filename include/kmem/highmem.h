/* SPDX-License-Identifier: MIT */
/**
 * DOC: highmem.h - the content of pages.
 *
 * The kernel maps a page before it looks into it, because not all memory of a 32-bit
 * machine has an address. Here every page has one for as long as it is in use: mapping
 * answers with it and unmapping does nothing, in any order, any number of times.
 *
 * Offsets and lengths are bytes. What is copied or cleared lies within the page, or
 * within the block of pages that it is the first of; nothing checks that.
 *
 * Contracts: the kernel's include/linux/highmem.h.
 * Context of all: any, signal handlers included.
 */
#ifndef KMEM_HIGHMEM_H
#define KMEM_HIGHMEM_H

#include <kmem/folio.h>
#include <kmem/page_alloc.h>

KMEM_BEGIN_DECLS

/** PageHighMem - whether a page may have no address: never. */
static inline bool PageHighMem(const struct page *page)
{
	(void)page;
	return false;
}

/* ---- mapping ------------------------------------------------------------------ */

/** kmap - a page's address. */
static inline void *kmap(struct page *page)
{
	return page_address(page);
}

/** kunmap - the end of kmap(); takes the page. */
static inline void kunmap(const struct page *page)
{
	(void)page;
}

/** kmap_local_page, kmap_atomic - a page's address; the thread is held up in nothing. */
static inline void *kmap_local_page(struct page *page)
{
	return page_address(page);
}

static inline void *kmap_atomic(struct page *page)
{
	return page_address(page);
}

/** kmap_local_folio - the address of the byte at @offset of a folio. */
static inline void *kmap_local_folio(struct folio *folio, size_t offset)
{
	return (char *)folio_address(folio) + offset;
}

/** kunmap_local, kunmap_atomic - the end of these; take the address. */
static inline void kunmap_local(const void *addr)
{
	(void)addr;
}

static inline void kunmap_atomic(const void *addr)
{
	(void)addr;
}

/** kmap_to_page - the page behind what a mapping function gave. */
static inline struct page *kmap_to_page(const void *addr)
{
	return virt_to_page(addr);
}

/* ---- whole pages --------------------------------------------------------------- */

/** clear_page - make the page at an address zero. */
static inline void clear_page(void *addr)
{
	__builtin_memset(addr, 0, PAGE_SIZE);
}

/** copy_page - copy the page at @from to @to. */
static inline void copy_page(void *to, const void *from)
{
	__builtin_memcpy(to, from, PAGE_SIZE);
}

/** clear_highpage, copy_highpage - the same by struct page. */
static inline void clear_highpage(struct page *page)
{
	clear_page(page_address(page));
}

static inline void copy_highpage(struct page *to, struct page *from)
{
	copy_page(page_address(to), page_address(from));
}

/* ---- parts of pages -------------------------------------------------------------- */

/** memcpy_from_page - copy @len bytes at @offset of a page to memory. */
static inline void memcpy_from_page(char *to, struct page *page, size_t offset, size_t len)
{
	__builtin_memcpy(to, (const char *)page_address(page) + offset, len);
}

/** memcpy_to_page - copy @len bytes of memory to @offset of a page. */
static inline void memcpy_to_page(struct page *page, size_t offset, const char *from, size_t len)
{
	__builtin_memcpy((char *)page_address(page) + offset, from, len);
}

/** memcpy_page - copy @len bytes from one page to another. */
static inline void memcpy_page(struct page *to, size_t to_offset, struct page *from,
			       size_t from_offset, size_t len)
{
	__builtin_memcpy((char *)page_address(to) + to_offset,
	       (const char *)page_address(from) + from_offset, len);
}

/** memset_page - set @len bytes at @offset of a page to @value. */
static inline void memset_page(struct page *page, size_t offset, int value, size_t len)
{
	__builtin_memset((char *)page_address(page) + offset, value, len);
}

/** memzero_page - clear them. */
static inline void memzero_page(struct page *page, size_t offset, size_t len)
{
	memset_page(page, offset, 0, len);
}

/** memcpy_from_folio, memcpy_to_folio - as of a page, over all of the folio. */
static inline void memcpy_from_folio(char *to, struct folio *folio, size_t offset, size_t len)
{
	__builtin_memcpy(to, (const char *)folio_address(folio) + offset, len);
}

static inline void memcpy_to_folio(struct folio *folio, size_t offset, const char *from,
				   size_t len)
{
	__builtin_memcpy((char *)folio_address(folio) + offset, from, len);
}

/**
 * zero_user_segments - clear bytes [@start1, @end1) and [@start2, @end2) of a page
 * An end that is not above its start: nothing.
 */
static inline void zero_user_segments(struct page *page, unsigned int start1, unsigned int end1,
				      unsigned int start2, unsigned int end2)
{
	if (end1 > start1)
		memzero_page(page, start1, end1 - start1);
	if (end2 > start2)
		memzero_page(page, start2, end2 - start2);
}

/** zero_user_segment - clear bytes [@start, @end) of a page. */
static inline void zero_user_segment(struct page *page, unsigned int start, unsigned int end)
{
	zero_user_segments(page, start, end, 0, 0);
}

/** zero_user - clear @size bytes from @start on. */
static inline void zero_user(struct page *page, unsigned int start, unsigned int size)
{
	memzero_page(page, start, size);
}

/** folio_zero_segment - clear bytes [@start, @end) of a folio. */
static inline void folio_zero_segment(struct folio *folio, size_t start, size_t end)
{
	if (end > start)
		__builtin_memset((char *)folio_address(folio) + start, 0, end - start);
}

/** folio_zero_range - clear @len bytes from @start on. */
static inline void folio_zero_range(struct folio *folio, size_t start, size_t len)
{
	__builtin_memset((char *)folio_address(folio) + start, 0, len);
}

KMEM_END_DECLS

#endif /* KMEM_HIGHMEM_H */
