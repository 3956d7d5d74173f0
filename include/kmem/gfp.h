/* SPDX-License-Identifier: MIT */
/**
 * DOC: gfp.h - how an allocation may be made.
 *
 * The names and the meaning are the kernel's (Documentation/core-api/
 * memory-allocation in Linux); what each flag does in a process is in the
 * table of Documentation/mm/page_alloc.rst. The values are ours.
 *
 * Bits from __GFP_BITS_SHIFT on mean nothing, and no function looks at them, but for the
 * two that say that they take few flags and refuse all others (alloc_pages_nolock(),
 * kmalloc_nolock()). Structures that keep marks of their own above a mask, as radix
 * trees do, may so pass the whole word on.
 */
#ifndef KMEM_GFP_H
#define KMEM_GFP_H

#include <kmem/types.h>

/* Ignored here: there is no high memory, no cpuset, no memory tag. */
#define __GFP_HIGHMEM		((gfp_t)0x00000002u)
#define __GFP_HARDWALL		((gfp_t)0x00100000u)
#define __GFP_WRITE		((gfp_t)0x00001000u)
#define __GFP_ZEROTAGS		((gfp_t)0x00800000u)

/* No bit at all: there is no lockdep and no KASAN to be told anything. */
#define __GFP_NOLOCKDEP		((gfp_t)0)
#define __GFP_SKIP_KASAN	((gfp_t)0)

/* Where the memory comes from. */
#define __GFP_DMA		((gfp_t)0x00000001u)
#define __GFP_DMA32		((gfp_t)0x00000004u)
#define __GFP_MOVABLE		((gfp_t)0x00000008u)
#define __GFP_RECLAIMABLE	((gfp_t)0x00000010u)
#define __GFP_THISNODE		((gfp_t)0x00200000u)
#define __GFP_ACCOUNT		((gfp_t)0x00400000u)

/* How hard to try. */
#define __GFP_HIGH		((gfp_t)0x00000020u)
#define __GFP_IO		((gfp_t)0x00000040u)
#define __GFP_FS		((gfp_t)0x00000080u)
#define __GFP_DIRECT_RECLAIM	((gfp_t)0x00000400u)
#define __GFP_KSWAPD_RECLAIM	((gfp_t)0x00000800u)
#define __GFP_RECLAIM		(__GFP_DIRECT_RECLAIM | __GFP_KSWAPD_RECLAIM)
#define __GFP_NOWARN		((gfp_t)0x00002000u)
#define __GFP_RETRY_MAYFAIL	((gfp_t)0x00004000u)
#define __GFP_NOFAIL		((gfp_t)0x00008000u)
#define __GFP_NORETRY		((gfp_t)0x00010000u)
#define __GFP_MEMALLOC		((gfp_t)0x00020000u)
#define __GFP_NOMEMALLOC	((gfp_t)0x00080000u)

/* What comes back. */
#define __GFP_ZERO		((gfp_t)0x00000100u)
#define __GFP_COMP		((gfp_t)0x00040000u)
#define __GFP_SKIP_ZERO		((gfp_t)0x01000000u)

/* All flags are below 1 << __GFP_BITS_SHIFT; seven bits above are the caller's. */
#define __GFP_BITS_SHIFT	25
#define __GFP_BITS_MASK		((gfp_t)((1u << __GFP_BITS_SHIFT) - 1))

/* The flags that choose a zone: the lowest bits, and all of these. */
#define GFP_ZONEMASK		(__GFP_DMA | __GFP_HIGHMEM | __GFP_DMA32 | __GFP_MOVABLE)

#define GFP_ATOMIC		(__GFP_HIGH | __GFP_KSWAPD_RECLAIM)
#define GFP_KERNEL		(__GFP_RECLAIM | __GFP_IO | __GFP_FS)
#define GFP_KERNEL_ACCOUNT	(GFP_KERNEL | __GFP_ACCOUNT)
#define GFP_NOWAIT		(__GFP_KSWAPD_RECLAIM | __GFP_NOWARN)
#define GFP_NOIO		(__GFP_RECLAIM)
#define GFP_NOFS		(__GFP_RECLAIM | __GFP_IO)
#define GFP_USER		(__GFP_RECLAIM | __GFP_IO | __GFP_FS | __GFP_HARDWALL)
#define GFP_DMA			__GFP_DMA
#define GFP_DMA32		__GFP_DMA32
#define GFP_HIGHUSER		(GFP_USER | __GFP_HIGHMEM)
#define GFP_HIGHUSER_MOVABLE	(GFP_HIGHUSER | __GFP_MOVABLE)

/* For huge pages; no more than the flags that they are made of. */
#define GFP_TRANSHUGE_LIGHT						\
	((GFP_HIGHUSER_MOVABLE | __GFP_COMP | __GFP_NOMEMALLOC | __GFP_NOWARN) & ~__GFP_RECLAIM)
#define GFP_TRANSHUGE		(GFP_TRANSHUGE_LIGHT | __GFP_DIRECT_RECLAIM)

/* As a node: whichever is at hand. */
#define NUMA_NO_NODE		(-1)

/** gfpflags_allow_blocking - whether an allocation with these flags may wait. Context: any. */
static inline bool gfpflags_allow_blocking(const gfp_t gfp_flags)
{
	return (gfp_flags & __GFP_DIRECT_RECLAIM) != 0;
}

#endif /* KMEM_GFP_H */
