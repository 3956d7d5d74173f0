/* SPDX-License-Identifier: MIT */
/**
 * DOC: gfp.h - how an allocation may be made.
 *
 * The names and the meaning are the kernel's (Documentation/core-api/
 * memory-allocation in Linux); what each flag does in a process is in the
 * table of Documentation/mm/page_alloc.rst. The values are ours.
 */
#ifndef KMEM_GFP_H
#define KMEM_GFP_H

#include <kmem/types.h>

/* Ignored here: there is no high memory, no cpuset, no memory tag. */
#define __GFP_HIGHMEM		((gfp_t)0x00000002u)
#define __GFP_HARDWALL		((gfp_t)0x00100000u)
#define __GFP_WRITE		((gfp_t)0x00001000u)
#define __GFP_ZEROTAGS		((gfp_t)0x00800000u)

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

/* As a node: whichever is at hand. */
#define NUMA_NO_NODE		(-1)

static inline bool gfpflags_allow_blocking(const gfp_t gfp_flags)
{
	return (gfp_flags & __GFP_DIRECT_RECLAIM) != 0;
}

#endif /* KMEM_GFP_H */
