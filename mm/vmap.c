// SPDX-License-Identifier: MIT
/*
 * vmap.c - pages from anywhere, seen side by side: vmap() of <kmem/vmalloc.h>.
 *
 * A process cannot map private memory twice. So the pages move: their content is
 * copied to a nameless file, which is mapped in order, as the new view, and piece by
 * piece over the addresses of the pages. From then on both are the same memory.
 * vunmap() goes back: private pages over the old addresses, with what was last written.
 *
 *	vmap	copy, stamp (each page once?), map over	      any failure: what was
 *							      mapped over goes back
 *	vunmap	private pages over, copy, unmap the view
 *
 * Who writes to the pages while either runs may lose what he writes.
 *
 * Pages that lie side by side anyway, and are to be writable, need none of this: they
 * are seen where they are. Where the system's pages are larger than ours that is all
 * that there is.
 *
 * Lock: vmap_lock, around the list of views; none is held while pages move.
 */
#include <kmem/vmalloc.h>

#include <string.h>

#include "base/bug.h"
#include "base/list.h"
#include "host/host.h"
#include "lock.h"
#include "mmzone.h"
#include "numa.h"
#include "slab.h"
#include "vmap.h"

struct vmap_area {
	struct list_head list;		/* vmap_areas; vmap_lock */
	char *view;			/* all below: constant */
	unsigned int count;
	bool moved;			/* the view is a mapping of its own */
	struct page **owned;		/* VM_MAP_PUT_PAGES: the caller's array; else NULL */
	struct page *pages[];
};

static LIST_HEAD(vmap_areas);
static struct kmem_lock vmap_lock = LOCK_INIT(RANK_VMAP);

static char *address(const struct vmap_area *a, unsigned int i)
{
	return page_address(a->pages[i]);
}

static char *slot(const struct vmap_area *a, unsigned int i)
{
	return a->view + ((size_t)i << PAGE_SHIFT);
}

/* How many pages from @i on lie side by side. */
static unsigned int run_length(const struct vmap_area *a, unsigned int i)
{
	unsigned int n = 1;

	while (i + n < a->count && address(a, i + n) == address(a, i) + ((size_t)n << PAGE_SHIFT))
		n++;
	return n;
}

/* ---- moving ------------------------------------------------------------------------------- */

/* Pages [0, @end) are private memory again. What the system refuses stays shared. */
static void move_back(const struct vmap_area *a, unsigned int end)
{
	unsigned int n;

	for (unsigned int i = 0; i < end; i += n) {
		n = min(run_length(a, i), end - i);
		if (!host_unshare(address(a, i), (size_t)n << PAGE_SHIFT))
			continue;
		numa_bind(address(a, i), (size_t)n << PAGE_SHIFT, page_to_nid(a->pages[i]));
		memcpy(address(a, i), slot(a, i), (size_t)n << PAGE_SHIFT);
	}
}

/* Copies the pages to the view. False, and they are as they were: one is there twice. */
static bool copy_out(const struct vmap_area *a)
{
	bool once = true;

	for (unsigned int i = 0; i < a->count; i++)
		memcpy(slot(a, i), address(a, i), PAGE_SIZE);
	for (unsigned int i = 0; i < a->count; i++)
		*(unsigned int *)address(a, i) = i;
	for (unsigned int i = 0; i < a->count; i++)
		once &= *(unsigned int *)address(a, i) == i;
	for (unsigned int i = 0; !once && i < a->count; i++)
		memcpy(address(a, i), slot(a, i), sizeof(unsigned int));
	return !WARN_ONCE(!once, "vmap: a page is there twice");
}

/* False: nothing has changed. */
static bool map_over(const struct vmap_area *a, int fd)
{
	unsigned int n;

	for (unsigned int i = 0; i < a->count; i += n) {
		n = run_length(a, i);
		if (host_share_map(fd, (size_t)i << PAGE_SHIFT, (size_t)n << PAGE_SHIFT,
				   address(a, i), true))
			continue;
		move_back(a, i);
		for (unsigned int k = i; k < a->count; k++)
			memcpy(address(a, k), slot(a, k), sizeof(unsigned int));
		return false;
	}
	return true;
}

static bool move_pages(struct vmap_area *a, bool writable)
{
	size_t size = (size_t)a->count << PAGE_SHIFT;
	int fd = host_page_size() == PAGE_SIZE ? host_share_open(size) : -1;
	bool done = false;

	if (fd < 0)
		return false;
	a->view = host_share_map(fd, 0, size, NULL, true);
	if (a->view) {
		done = copy_out(a) && map_over(a, fd);
		/* The last step, and one that may be refused: then it is writable. */
		if (done && !writable)
			host_share_map(fd, 0, size, a->view, false);
		if (!done)
			host_release(a->view, size);
	}
	host_share_close(fd);
	a->moved = done;
	return done;
}

/* ---- views ----------------------------------------------------------------------------------- */

void *vmap(struct page **pages, unsigned int count, unsigned long flags, pgprot_t prot)
{
	struct vmap_area *a;

	if (WARN_ONCE(!pages || !count, "vmap of no pages"))
		return NULL;
	a = kmalloc(sizeof(*a) + count * sizeof(a->pages[0]), GFP_KERNEL);
	if (!a)
		return NULL;
	memcpy(a->pages, pages, count * sizeof(a->pages[0]));
	a->count = count;
	a->owned = flags & VM_MAP_PUT_PAGES ? pages : NULL;
	a->moved = false;
	a->view = address(a, 0);
	if ((run_length(a, 0) < count || prot != PAGE_KERNEL) &&
	    !move_pages(a, prot == PAGE_KERNEL)) {
		kfree(a);
		return NULL;
	}
	lock(&vmap_lock);
	list_add_tail(&a->list, &vmap_areas);
	unlock(&vmap_lock);
	return a->view;
}

/* The view that @addr lies in; the last one that was made. vmap_lock held. */
static struct vmap_area *find_area(const void *addr, bool first_byte)
{
	struct vmap_area *a, *found = NULL;

	list_for_each_entry(a, &vmap_areas, list) {
		size_t offset = (size_t)((const char *)addr - a->view);

		if (offset < (first_byte ? 1 : (size_t)a->count << PAGE_SHIFT))
			found = a;
	}
	return found;
}

struct page *vmap_page(const void *addr)
{
	struct page *page = NULL;
	struct vmap_area *a;

	lock(&vmap_lock);
	a = find_area(addr, false);
	if (a)
		page = a->pages[(size_t)((const char *)addr - a->view) >> PAGE_SHIFT];
	unlock(&vmap_lock);
	return page;
}

bool vmap_end(const void *addr, bool put)
{
	struct vmap_area *a;

	lock(&vmap_lock);
	a = find_area(addr, true);
	if (a)
		list_del(&a->list);
	unlock(&vmap_lock);
	if (!a)
		return false;
	if (a->moved) {
		move_back(a, a->count);
		host_release(a->view, (size_t)a->count << PAGE_SHIFT);
	}
	for (unsigned int i = 0; put && a->owned && i < a->count; i++)
		put_page(a->pages[i]);
	if (put)
		kfree(a->owned);
	kfree(a);
	return true;
}

void vunmap(const void *addr)
{
	if (addr)
		WARN_ONCE(!vmap_end(addr, false), "Trying to vunmap() nonexistent vm area (%p)",
			  addr);
}

/* ---- fork ------------------------------------------------------------------------------------- */

void vmap_fork_lock(void)
{
	lock_fork(&vmap_lock);
}

void vmap_fork_unlock(void)
{
	unlock(&vmap_lock);
}
