/* SPDX-License-Identifier: MIT */
/**
 * DOC: vmalloc.h - whole pages by size, and allocation that does not care.
 *
 * vmalloc() gives a run of pages of its own: aligned to a page, its length
 * rounded up to pages. In a process all memory is virtually mapped, so such a
 * run is cut from the same heap as everything else; kmalloc() of more than
 * KMALLOC_MAX_CACHE_SIZE bytes gets one, too, and kvmalloc() never has a reason
 * to fall back from the one to the other.
 *
 * Context: as of kmalloc() (slab.h); not from a signal handler. vmalloc
 * functions take a lock. None changes errno.
 */
#ifndef KMEM_VMALLOC_H
#define KMEM_VMALLOC_H

#include <kmem/cleanup.h>
#include <kmem/gfp.h>
#include <kmem/pfn.h>
#include <kmem/slab.h>
#include <kmem/types.h>

struct page;

KMEM_BEGIN_DECLS

/* ---- vmalloc -------------------------------------------------------------------- */

/**
 * vfree - free what a vmalloc function gave, or end a view; NULL is allowed
 *
 * Of anything else it warns once and leaves it alone.
 */
void vfree(const void *addr);
/**
 * vmalloc - @size bytes on pages of their own
 * Return: the memory; NULL when there is none, and, with a warning, for size 0.
 */
void *vmalloc(size_t size) __attribute__((malloc, alloc_size(1)));
/** vzalloc - the same, zeroed. */
void *vzalloc(size_t size) __attribute__((malloc, alloc_size(1)));
/** __vmalloc - vmalloc() with flags of the caller's. */
void *__vmalloc(size_t size, gfp_t gfp) __attribute__((malloc, alloc_size(1)));
/** vmalloc_node, vzalloc_node - with a node preferred; NUMA_NO_NODE: any. */
void *vmalloc_node(size_t size, int node) __attribute__((malloc, alloc_size(1)));
void *vzalloc_node(size_t size, int node) __attribute__((malloc, alloc_size(1)));
/**
 * __vmalloc_node - vmalloc() with everything
 * @align: where it begins: at a multiple of this, a power of two; at one of PAGE_SIZE at least
 * @gfp: how; with __GFP_THISNODE that node or nothing
 * @node: the one preferred; NUMA_NO_NODE: any
 * @caller: ignored
 *
 * Return: the memory; NULL when there is none, for a bad alignment or, with a warning,
 * for size 0.
 */
void *__vmalloc_node(size_t size, unsigned long align, gfp_t gfp, int node, const void *caller)
	__attribute__((malloc, alloc_size(1)));
/** vmalloc_user - vzalloc(): nothing of it can be mapped elsewhere, but it is zero. */
__attribute__((malloc, alloc_size(1)))
static inline void *vmalloc_user(size_t size)
{
	return vzalloc(size);
}
/** vmalloc_32, vmalloc_32_user - below 4 GiB, where there is room (__GFP_DMA32); _user: zeroed. */
__attribute__((malloc, alloc_size(1)))
static inline void *vmalloc_32(size_t size)
{
	return __vmalloc(size, GFP_KERNEL | __GFP_DMA32);
}

__attribute__((malloc, alloc_size(1)))
static inline void *vmalloc_32_user(size_t size)
{
	return __vmalloc(size, GFP_KERNEL | __GFP_DMA32 | __GFP_ZERO);
}
/** vmalloc_huge - __vmalloc() which, from 2 MiB on, begins where a huge page can. */
void *vmalloc_huge(size_t size, gfp_t gfp) __attribute__((malloc, alloc_size(1)));

/** vmalloc_array, vcalloc - @n elements; NULL where @n * @size overflows. */
static inline void *vmalloc_array(size_t n, size_t size)
{
	size_t bytes;

	return __builtin_mul_overflow(n, size, &bytes) ? NULL : vmalloc(bytes);
}

static inline void *vcalloc(size_t n, size_t size)
{
	size_t bytes;

	return __builtin_mul_overflow(n, size, &bytes) ? NULL : vzalloc(bytes);
}

/** __vmalloc_array, __vcalloc - the same with flags of the caller's. */
static inline void *__vmalloc_array(size_t n, size_t size, gfp_t gfp)
{
	size_t bytes;

	return __builtin_mul_overflow(n, size, &bytes) ? NULL : __vmalloc(bytes, gfp);
}

static inline void *__vcalloc(size_t n, size_t size, gfp_t gfp)
{
	return __vmalloc_array(n, size, gfp | __GFP_ZERO);
}

/**
 * vrealloc - resize, where it stands if possible
 * @p: of a vmalloc function; NULL allocates. Of anything else: a warning, NULL
 * @size: 0 frees and gives NULL
 * @gfp: with __GFP_ZERO what is added is zero
 *
 * Return: the memory, NULL when there is none (then @p is as it was).
 */
void *vrealloc(const void *p, size_t size, gfp_t gfp) __attribute__((alloc_size(2)));

/* How a view may be used: of a pgprot_t of the kernel's that is all there is. */
typedef unsigned int pgprot_t;
#define PAGE_KERNEL		((pgprot_t)3)
#define PAGE_KERNEL_RO		((pgprot_t)1)

#define VM_MAP			0x04UL	/* as the kernel's callers say it */
#define VM_MAP_PUT_PAGES	0x200UL	/* vfree() puts the pages and kfree()s the array */

/**
 * vmap - see pages side by side
 * @pages: the pages, in order, each at most once, of this library and in use
 * @count: how many
 * @flags: VM_MAP, VM_MAP_PUT_PAGES
 * @prot: PAGE_KERNEL, or PAGE_KERNEL_RO: no writing through the view
 *
 * A page is then seen at its own address and in the view. Nobody may write to the
 * pages while this call, or the one that ends the view, runs, nor free them before that. Memory
 * in a view is shared with the children of fork(), until it ends.
 * Context: makes system calls, two for each run of pages that lie side by side.
 * Return: the view; NULL when the system refuses (also where its pages are larger
 * than PAGE_SIZE), or with a warning if a page is there twice.
 */
void *vmap(struct page **pages, unsigned int count, unsigned long flags, pgprot_t prot);
/** vunmap - end a view; its pages stay. NULL is allowed; of anything else it warns once. */
void vunmap(const void *addr);

/**
 * vm_map_ram - vmap() of pages to read and write
 * @node: ignored
 * It is no faster than vmap() here. Return: the view, or NULL, as vmap().
 */
static inline void *vm_map_ram(struct page **pages, unsigned int count, int node)
{
	(void)node;
	return vmap(pages, count, VM_MAP, PAGE_KERNEL);
}
/** vm_unmap_ram - end what vm_map_ram() gave; @count as it was there. */
static inline void vm_unmap_ram(const void *mem, unsigned int count)
{
	(void)count;
	vunmap(mem);
}
/** vm_unmap_aliases - no view is kept for longer than it is asked for: nothing. */
static inline void vm_unmap_aliases(void)
{
}

/** is_vmalloc_addr - whether @addr lies in what a vmalloc function or vmap() gave, still. */
bool is_vmalloc_addr(const void *addr);
/**
 * vmalloc_to_page - the page behind an address; NULL outside the heap
 *
 * The page has no reference count of its own: get_page() is not for it.
 */
struct page *vmalloc_to_page(const void *addr);
/** vmalloc_to_pfn - its number (pfn.h); @addr lies in the heap or in a view. */
static inline unsigned long vmalloc_to_pfn(const void *addr)
{
	return page_to_pfn(vmalloc_to_page(addr));
}

/* ---- kvmalloc --------------------------------------------------------------------- */

/** kvmalloc - kmalloc() of any size. kvfree() frees it. */
__attribute__((malloc, alloc_size(1)))
static inline void *kvmalloc(size_t size, gfp_t flags)
{
	return kmalloc(size, flags);
}

__attribute__((malloc, alloc_size(1)))
static inline void *kvzalloc(size_t size, gfp_t flags)
{
	return kzalloc(size, flags);
}

__attribute__((malloc, alloc_size(1)))
static inline void *kvmalloc_node(size_t size, gfp_t flags, int node)
{
	return kmalloc_node(size, flags, node);
}

__attribute__((malloc, alloc_size(1)))
static inline void *kvzalloc_node(size_t size, gfp_t flags, int node)
{
	return kzalloc_node(size, flags, node);
}

/** kvmalloc_array, kvcalloc - @n elements; NULL where @n * @size overflows. */
__attribute__((malloc, alloc_size(1, 2)))
static inline void *kvmalloc_array(size_t n, size_t size, gfp_t flags)
{
	return kmalloc_array(n, size, flags);
}

__attribute__((malloc, alloc_size(1, 2)))
static inline void *kvcalloc(size_t n, size_t size, gfp_t flags)
{
	return kcalloc(n, size, flags);
}

/** kvrealloc - krealloc() or vrealloc(), whichever @p came from; size 0 as krealloc(). */
void *kvrealloc(const void *p, size_t size, gfp_t flags) __attribute__((alloc_size(2)));

/** kvfree - free memory of kmalloc(), kvmalloc(), vmalloc() or any cache. */
static inline void kvfree(const void *addr)
{
	kfree(addr);
}

/** kvfree_sensitive - the same, overwriting the first @len bytes with zeros first. */
void kvfree_sensitive(const void *addr, size_t len);

DEFINE_FREE(kvfree, void *, if (!__KMEM_NO_OBJECT(_T)) kvfree(_T))
DEFINE_FREE(vfree, void *, if (!__KMEM_NO_OBJECT(_T)) vfree(_T))

KMEM_END_DECLS

/* ---- the names behind the kernel's allocation tags --------------------------------- */

#define vmalloc_noprof		vmalloc
#define vzalloc_noprof		vzalloc
#define __vmalloc_noprof	__vmalloc
#define vmalloc_node_noprof	vmalloc_node
#define vzalloc_node_noprof	vzalloc_node
#define vmalloc_huge_noprof	vmalloc_huge
#define __vmalloc_node_noprof	__vmalloc_node
#define vmalloc_user_noprof	vmalloc_user
#define vmalloc_32_noprof	vmalloc_32
#define vmalloc_32_user_noprof	vmalloc_32_user
#define __vmalloc_array_noprof	__vmalloc_array
#define __vcalloc_noprof	__vcalloc
#define vmalloc_array_noprof	vmalloc_array
#define vcalloc_noprof		vcalloc
#define vrealloc_noprof		vrealloc
#define kvmalloc_noprof		kvmalloc
#define kvzalloc_noprof		kvzalloc
#define kvmalloc_node_noprof	kvmalloc_node
#define kvzalloc_node_noprof	kvzalloc_node
#define kvmalloc_array_noprof	kvmalloc_array
#define kvcalloc_noprof		kvcalloc
#define kvrealloc_noprof	kvrealloc

#endif /* KMEM_VMALLOC_H */
