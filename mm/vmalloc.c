// SPDX-License-Identifier: MIT
/*
 * vmalloc.c - runs of whole pages under vmalloc's names.
 *
 * A vmalloc area is a large object of the page layer (mmzone.h: PT_LARGE) with a
 * mark in a field that large objects do not use otherwise, the order of the
 * first page. The mark is what is_vmalloc_addr() and vfree() ask for; kfree()
 * does not mind it. It dies with the object: whoever takes the pages next
 * writes the order anew.
 *
 * The area that an address lies in is found by going back over the page map from
 * the address's page. All pages of a large object but its first are PT_NONE, and
 * all of them are the owner's, so for an address that is in use nothing on the
 * way can change; for any other the answer is no, or has no meaning.
 *
 * Locks: none here; the page layer takes the zone lock.
 */
#include <kmem/vmalloc.h>

#include <string.h>

#include "base/bug.h"
#include "mmzone.h"
#include "numa.h"
#include "slab.h"
#include "start.h"
#include "task.h"
#include "vmap.h"

/* struct page::order of an area's first page. */
#define AREA_MARK	1

/* Longer areas are refused: no address space holds them. */
#define AREA_MAX	(1UL << 46)

/* Where a huge page can begin. */
#define HUGE_PAGES	PAGEBLOCK_PAGES

static bool is_area(const struct page *page)
{
	return READ_ONCE(page->type) == PT_LARGE && READ_ONCE(page->order) == AREA_MARK;
}

/* The first page of the area that begins at @addr, or NULL. */
static struct page *area_at(const void *addr)
{
	struct page *page = IS_ALIGNED((unsigned long)addr, PAGE_SIZE) ? virt_to_page(addr) : NULL;

	return page && is_area(page) ? page : NULL;
}

static void *area_alloc(size_t size, unsigned long align_pages, gfp_t gfp)
{
	struct page *head;

	if (WARN_ONCE(size == 0, "vmalloc of 0 bytes"))
		return NULL;
	if (size > AREA_MAX || !mm_init())
		return NULL;
	head = alloc_large(PAGE_ALIGN(size) >> PAGE_SHIFT, align_pages, gfp);
	if (!head)
		return NULL;
	head->requested = size;
	WRITE_ONCE(head->order, AREA_MARK);
	return page_address(head);
}

/* ---- allocation -------------------------------------------------------------------- */

void *__vmalloc(size_t size, gfp_t gfp)
{
	return area_alloc(size, 1, gfp);
}

void *__vmalloc_node(size_t size, unsigned long align, gfp_t gfp, int node, const void *caller)
{
	void *p;
	int saved;

	(void)caller;
	if (!is_power_of_2(align))
		return NULL;
	if (unlikely(gfp & __GFP_THISNODE) && node != NUMA_NO_NODE && mm_init() &&
	    !numa_has_node(node))
		return NULL;
	saved = numa_prefer_save(node);
	p = area_alloc(size, max(align >> PAGE_SHIFT, 1UL), gfp);
	numa_prefer_restore(saved);
	return p;
}

void *vmalloc(size_t size)
{
	return area_alloc(size, 1, GFP_KERNEL);
}

void *vzalloc(size_t size)
{
	return area_alloc(size, 1, GFP_KERNEL | __GFP_ZERO);
}

void *vmalloc_huge(size_t size, gfp_t gfp)
{
	return area_alloc(size, size >= HUGE_PAGES << PAGE_SHIFT ? HUGE_PAGES : 1, gfp);
}

/* ---- freeing and resizing ------------------------------------------------------------ */

void vfree(const void *addr)
{
	struct page *head;

	if (!addr)
		return;
	head = area_at(addr);
	if (head)
		free_large(head);
	else
		WARN_ONCE(!vmap_end(addr, true), "Trying to vfree() nonexistent vm area (%p)",
			  addr);
}

/* Elsewhere, with what the area held; NULL: no memory, nothing changed. */
static void *area_move(struct page *head, const void *p, size_t size, gfp_t gfp)
{
	void *q = __vmalloc(size, gfp);
	unsigned int saved;

	if (q) {
		memcpy(q, p, min((size_t)head->requested, size));
		saved = task_save_nowait(gfp);
		free_large(head);
		task_restore_nowait(gfp, saved);
	}
	return q;
}

void *vrealloc(const void *p, size_t size, gfp_t gfp)
{
	struct page *head;
	size_t old, end;

	if (size == 0) {
		vfree(p);
		return NULL;
	}
	if (!p)
		return __vmalloc(size, gfp);
	head = area_at(p);
	if (WARN_ONCE(!head, "Trying to vrealloc() nonexistent vm area (%p)", p) ||
	    size > AREA_MAX)
		return NULL;
	old = head->requested;
	end = head->nr_pages << PAGE_SHIFT;
	if (PAGE_ALIGN(size) != end && !resize_large(head, PAGE_ALIGN(size) >> PAGE_SHIFT, gfp))
		return area_move(head, p, size, gfp);
	head->requested = size;
	/* New pages are zero already; the rest of the last old one may hold anything. */
	if ((gfp & __GFP_ZERO) && size > old)
		memset((char *)p + old, 0, min(end, size) - old);
	return (void *)p;
}

void *kvrealloc(const void *p, size_t size, gfp_t gfp)
{
	/* Zero is kvrealloc()'s own case: vrealloc() would answer with NULL. */
	if (size && p && area_at(p))
		return vrealloc(p, size, gfp);
	return krealloc(p, size, gfp);
}

/* ---- questions ------------------------------------------------------------------------- */

bool is_vmalloc_addr(const void *addr)
{
	struct zone *z = zone_of(addr);
	unsigned long zpn, head;

	if (!z)
		return vmap_page(addr) != NULL;
	head = zpn = zone_zpn(z, addr);
	while (READ_ONCE(z->memmap[head].type) == PT_NONE) {
		if (head-- == 0)
			return vmap_page(addr) != NULL;
	}
	return (is_area(&z->memmap[head]) && zpn - head < READ_ONCE(z->memmap[head].nr_pages)) ||
	       vmap_page(addr);
}

struct page *vmalloc_to_page(const void *addr)
{
	struct page *page = virt_to_page(addr);

	return page ? page : vmap_page(addr);
}
