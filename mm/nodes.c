// SPDX-License-Identifier: MIT
/*
 * nodes.c - the calls that name a NUMA node.
 *
 * A node is a preference: memory of another one serves where it has none. Only
 * with __GFP_THISNODE is it a condition; then a node that no zone belongs to
 * gives nothing. All zones there are belong to one node at present, so whatever
 * is not refused here is served by the call without a node.
 */
#include <kmem/slab.h>

#include "mmzone.h"
#include "slab.h"
#include "start.h"

/* True: the caller insists on a node that has no memory. */
static bool node_refused(int nid, gfp_t gfp)
{
	if (likely(!(gfp & __GFP_THISNODE)) || nid == NUMA_NO_NODE || !mm_init())
		return false;
	for (unsigned int i = 0; i < smp_load_acquire(&nr_zones); i++) {
		if (zones[i]->node == nid)
			return false;
	}
	return true;
}

struct page *alloc_pages_node(int nid, gfp_t gfp, unsigned int order)
{
	return node_refused(nid, gfp) ? NULL : alloc_pages(gfp, order);
}

void *alloc_pages_exact_nid(int nid, size_t size, gfp_t gfp)
{
	return node_refused(nid, gfp) ? NULL : alloc_pages_exact(size, gfp);
}

void *kmem_cache_alloc_node(struct kmem_cache *s, gfp_t gfp, int node)
{
	return node_refused(node, gfp) ? NULL : kmem_cache_alloc(s, gfp);
}

void *kmalloc_node(size_t size, gfp_t gfp, int node)
{
	return node_refused(node, gfp) ? NULL : kmalloc(size, gfp);
}
