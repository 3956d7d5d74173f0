/* SPDX-License-Identifier: MIT */
/**
 * DOC: page_alloc.h - power-of-two blocks of pages, and exact runs of them.
 *
 * A page is 4096 bytes whatever the machine's page size (PAGE_SIZE); on a
 * machine with larger ones memory goes back to the system in its units.
 * Contracts: the kernel's Documentation/core-api/mm-api; what differs in a
 * process is in Documentation/mm/page_alloc.rst.
 *
 * Context of all functions unless said otherwise: any thread; may take a lock
 * and, where the flags allow it, make system calls; not from a signal handler.
 */
#ifndef KMEM_PAGE_ALLOC_H
#define KMEM_PAGE_ALLOC_H

#include <kmem/cleanup.h>
#include <kmem/gfp.h>
#include <kmem/types.h>

#ifndef PAGE_SHIFT
#define PAGE_SHIFT	12
#endif
#ifndef PAGE_SIZE
#define PAGE_SIZE	(1UL << PAGE_SHIFT)
#endif
#ifndef PAGE_MASK
#define PAGE_MASK	(~(PAGE_SIZE - 1))
#endif
#define PAGE_ALIGN(x)	(((x) + PAGE_SIZE - 1) & PAGE_MASK)
#define PAGE_ALIGN_DOWN(x)	((x) & PAGE_MASK)
#define PAGE_ALIGNED(x)	(((unsigned long)(x) & (PAGE_SIZE - 1)) == 0)
/** offset_in_page - which byte of its page an address, or a number of a byte, is. */
#define offset_in_page(p)	((unsigned long)(p) & (PAGE_SIZE - 1))

/* The largest order that alloc_pages() serves: 4 MiB. */
#define MAX_PAGE_ORDER	10
#define NR_PAGE_ORDERS	(MAX_PAGE_ORDER + 1)

struct page;

KMEM_BEGIN_DECLS

/**
 * alloc_pages - allocate 2^@order contiguous pages
 * @gfp: how; __GFP_ZERO zeroes them, __GFP_COMP makes them a compound page
 * @order: 0 to MAX_PAGE_ORDER; a larger one warns once (unless __GFP_NOWARN)
 *
 * The block is aligned to its own size.
 * Return: the first page, NULL when there is no memory.
 */
struct page *alloc_pages(gfp_t gfp, unsigned int order);
#define alloc_page(gfp)	alloc_pages((gfp), 0)

/**
 * alloc_pages_node - alloc_pages() on a node
 * @nid: the node preferred, and with __GFP_THISNODE the only one; NUMA_NO_NODE: any
 */
struct page *alloc_pages_node(int nid, gfp_t gfp, unsigned int order);

/**
 * __get_free_pages - alloc_pages() that answers with the address
 * Return: the address of the first byte, 0 when there is no memory.
 */
unsigned long __get_free_pages(gfp_t gfp, unsigned int order);
#define __get_free_page(gfp)	__get_free_pages((gfp), 0)

/** get_zeroed_page - one page full of zeros. Return: its address or 0. */
unsigned long get_zeroed_page(gfp_t gfp);

/**
 * __free_pages - drop a reference to a block of pages, freeing it at the last
 * @page: its first page; NULL is allowed
 * @order: the order that it was allocated with
 *
 * Of a block that is not compound and has further references, all pages but
 * the first are freed at once; the last put_page() frees the first.
 */
void __free_pages(struct page *page, unsigned int order);
#define __free_page(page)	__free_pages((page), 0)

/**
 * alloc_pages_nolock - a zeroed compound block, from any context
 * @gfp: 0 or __GFP_ACCOUNT; anything else is refused with a warning
 * @nid: the node it is taken from; NUMA_NO_NODE: the caller's
 * @order: 0 to MAX_PAGE_ORDER
 *
 * Nothing is waited for and no memory asked for from the system: where a lock is held,
 * by whomever, it looks no further. So it may be called from a signal handler whatever
 * that interrupted, and often fails.
 * Return: the page, or NULL. Any function frees it.
 */
struct page *alloc_pages_nolock(gfp_t gfp, int nid, unsigned int order);
/**
 * free_pages_nolock - __free_pages() from any context, of any block
 * What cannot go home at once does so when other requests, or the reclaimer, need pages.
 */
void free_pages_nolock(struct page *page, unsigned int order);

/** free_pages - __free_pages() by address; 0 is allowed. */
void free_pages(unsigned long addr, unsigned int order);
#define free_page(addr)		free_pages((addr), 0)

/**
 * alloc_pages_exact - as many pages as @size needs and no more
 * @size: bytes, of any magnitude (beyond the largest order, too)
 * @gfp: how; __GFP_COMP is not allowed and ignored with a warning
 *
 * Return: the address, NULL when there is no memory or @size is 0.
 */
void *alloc_pages_exact(size_t size, gfp_t gfp);
/** alloc_pages_exact_nid - the same on a node, as alloc_pages_node(). */
void *alloc_pages_exact_nid(int nid, size_t size, gfp_t gfp);
/** free_pages_exact - free what alloc_pages_exact(@size) gave; NULL is allowed. */
void free_pages_exact(void *virt, size_t size);

/**
 * alloc_contig_pages - @nr_pages contiguous pages, of any number
 * Return: the first page or NULL. Freed page by page or by free_contig_range().
 */
struct page *alloc_contig_pages(unsigned long nr_pages, gfp_t gfp);
/** free_contig_range - free @nr_pages order-0 pages from @page on. */
void free_contig_range(struct page *page, unsigned long nr_pages);

/**
 * alloc_pages_bulk - fill the empty slots of an array with single pages
 * @gfp: how
 * @nr_pages: slots in @page_array
 * @page_array: slots that are not NULL are left alone
 *
 * Return: how many slots, from the first, are filled; stops at the first that
 * could not be.
 */
unsigned long alloc_pages_bulk(gfp_t gfp, int nr_pages, struct page **page_array);
/* As kernels before 6.14 call it. */
#define alloc_pages_bulk_array	alloc_pages_bulk
/** free_pages_bulk - free order-0 pages; NULL slots are passed over. */
void free_pages_bulk(struct page **page_array, unsigned long nr_pages);

/**
 * split_page - turn a block of 2^@order pages into that many single ones
 * The block is not compound. Each page is freed by itself afterwards.
 */
void split_page(struct page *page, unsigned int order);

/** page_address - the address of a page's first byte. */
void *page_address(const struct page *page);
#define page_to_virt(page)	page_address(page)
/** virt_to_page - the page that an address of the heap falls in; NULL outside it. */
struct page *virt_to_page(const void *addr);
/** virt_to_head_page - the first page of the block that @addr falls in, or NULL. */
struct page *virt_to_head_page(const void *addr);

/** get_page - take a reference to the block that @page belongs to. */
void get_page(struct page *page);
/** put_page - drop one; the last frees the block. */
void put_page(struct page *page);

/**
 * page_ref_count - references to the block; 1 after allocation
 *
 * The functions below change the count and nothing else: who makes it 0 has the
 * block for himself, and sets it to 1 (set_page_count()) to free it. Those that return
 * a value are full memory barriers. Context: any.
 */
int page_ref_count(const struct page *page);
#define page_count(page)	page_ref_count(page)
/** set_page_count - set the count; only while nobody else can look. */
void set_page_count(struct page *page, int v);
void page_ref_add(struct page *page, int nr);
/** page_ref_add_return - add and give the new count. */
int page_ref_add_return(struct page *page, int nr);
/** page_ref_add_unless_zero - add @nr unless the count is 0. Return: whether it did. */
bool page_ref_add_unless_zero(struct page *page, int nr);
/** page_ref_freeze - make @count 0. Return: false if the count was another. */
bool page_ref_freeze(struct page *page, int count);
/** page_ref_unfreeze - the reverse; all stores before it are seen by who then sees @count. */
void page_ref_unfreeze(struct page *page, int count);

static inline void init_page_count(struct page *page)
{
	set_page_count(page, 1);
}

static inline void page_ref_sub(struct page *page, int nr)
{
	page_ref_add(page, -nr);
}

static inline void page_ref_inc(struct page *page)
{
	page_ref_add(page, 1);
}

static inline void page_ref_dec(struct page *page)
{
	page_ref_add(page, -1);
}

static inline int page_ref_sub_return(struct page *page, int nr)
{
	return page_ref_add_return(page, -nr);
}

static inline int page_ref_inc_return(struct page *page)
{
	return page_ref_add_return(page, 1);
}

static inline int page_ref_dec_return(struct page *page)
{
	return page_ref_add_return(page, -1);
}

static inline bool page_ref_sub_and_test(struct page *page, int nr)
{
	return page_ref_add_return(page, -nr) == 0;
}

static inline bool page_ref_dec_and_test(struct page *page)
{
	return page_ref_add_return(page, -1) == 0;
}

/** get_page_unless_zero - take a reference if there is one. Return: whether it did. */
static inline bool get_page_unless_zero(struct page *page)
{
	return page_ref_add_unless_zero(page, 1);
}

/** compound_head - the first page of a compound block (or the page itself). */
struct page *compound_head(const struct page *page);
/** compound_order - the order of a compound block, 0 for a single page. */
unsigned int compound_order(const struct page *page);
/** page_size - bytes of the (compound) block. */
unsigned long page_size(const struct page *page);
/** page_shift - the power of two that page_size() is. */
static inline unsigned int page_shift(const struct page *page)
{
	return PAGE_SHIFT + compound_order(page);
}

/** compound_nr - pages of the (compound) block that begins at @page. */
static inline unsigned long compound_nr(const struct page *page)
{
	return 1UL << compound_order(page);
}

/** PageTail - whether @page is a further page of a compound block, or of a slab. */
static inline bool PageTail(const struct page *page)
{
	return compound_head(page) != page;
}

/** PageHead - whether @page is the first of a compound block (of order 1 and up; no slab). */
static inline bool PageHead(const struct page *page)
{
	return compound_order(page) != 0;
}

/** PageCompound - whether it is either of them. */
static inline bool PageCompound(const struct page *page)
{
	return PageHead(page) || PageTail(page);
}

/**
 * nth_page - the page @n pages behind @page in memory; NULL outside the heap
 * What struct page is, programs do not know: there is no page + 1.
 */
static inline struct page *nth_page(const struct page *page, unsigned long n)
{
	return virt_to_page((const char *)page_address(page) + (n << PAGE_SHIFT));
}

/** page_to_nid - the NUMA node that a page belongs to. */
int page_to_nid(const struct page *page);

/** get_order - the smallest order whose block holds @size bytes (size > 0). */
static inline unsigned int get_order(unsigned long size)
{
	if (size <= PAGE_SIZE)
		return 0;
	return 64 - PAGE_SHIFT - (unsigned int)__builtin_clzl(size - 1);
}

DEFINE_FREE(free_page, void *, free_page((unsigned long)_T))

KMEM_END_DECLS

/* ---- the names behind the kernel's allocation tags --------------------------------- */

#define alloc_pages_noprof		alloc_pages
#define alloc_page_noprof		alloc_page
#define alloc_pages_node_noprof		alloc_pages_node
#define get_free_pages_noprof		__get_free_pages
#define get_zeroed_page_noprof		get_zeroed_page
#define alloc_pages_nolock_noprof	alloc_pages_nolock
#define alloc_pages_exact_noprof	alloc_pages_exact
#define alloc_pages_exact_nid_noprof	alloc_pages_exact_nid
#define alloc_contig_pages_noprof	alloc_contig_pages
#define alloc_pages_bulk_noprof		alloc_pages_bulk

#endif /* KMEM_PAGE_ALLOC_H */
