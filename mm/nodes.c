// SPDX-License-Identifier: MIT
/*
 * nodes.c - the calls that name a NUMA node.
 *
 * A node is a preference: memory of another one serves where it has none. Only
 * with __GFP_THISNODE is it a condition; then a node that there is not gives
 * nothing. NUMA_NO_NODE, and a node that there is not, without that condition, are
 * the calling thread's own.
 *
 * Pages and large objects: the thread says which node it wants (numa.h), and the
 * call without a node does the rest. Objects of caches: per-CPU magazines hold
 * objects of the node that their CPU is on, mostly, so for that node they serve as
 * always; for another, or with __GFP_THISNODE, an object is taken from a slab of
 * that node (slab_alloc_node()).
 */
#include <kmem/numa.h>
#include <kmem/slab.h>
#include <kmem/vmalloc.h>

#include <string.h>

#include "numa.h"
#include "slab.h"
#include "start.h"

/* True: the caller insists on a node that there is not. */
static bool node_refused(int nid, gfp_t gfp)
{
	return unlikely(gfp & __GFP_THISNODE) && nid != NUMA_NO_NODE && mm_init() &&
	       !numa_has_node(nid);
}

struct page *alloc_pages_node(int nid, gfp_t gfp, unsigned int order)
{
	struct page *page;
	int saved;

	if (node_refused(nid, gfp))
		return NULL;
	saved = numa_prefer_save(nid);
	page = alloc_pages(gfp, order);
	numa_prefer_restore(saved);
	return page;
}

void *alloc_pages_exact_nid(int nid, size_t size, gfp_t gfp)
{
	void *p;
	int saved;

	if (node_refused(nid, gfp))
		return NULL;
	saved = numa_prefer_save(nid);
	p = alloc_pages_exact(size, gfp);
	numa_prefer_restore(saved);
	return p;
}

/* Whether magazines may serve a request for a node. */
static bool magazines_serve(int nid, gfp_t gfp)
{
	return likely(nr_nodes == 1) ||
	       (!(gfp & __GFP_THISNODE) &&
		(nid == NUMA_NO_NODE || !numa_has_node(nid) || nid == numa_local_node()));
}

void *kmem_cache_alloc_node(struct kmem_cache *s, gfp_t gfp, int node)
{
	void *object;

	if (node_refused(node, gfp))
		return NULL;
	if (magazines_serve(node, gfp))
		return kmem_cache_alloc(s, gfp);
	object = slab_alloc_node(s, gfp, node == NUMA_NO_NODE ? numa_local_node() : node);
	if (object && (gfp & __GFP_ZERO))
		memset(object, 0, s->object_size);
	return object;
}

void *kmalloc_node(size_t size, gfp_t gfp, int node)
{
	void *p;
	int saved;

	if (node_refused(node, gfp))
		return NULL;
	if (size == 0 || !mm_init() || magazines_serve(node, gfp))
		return kmalloc(size, gfp);
	if (size <= KMALLOC_MAX_CACHE_SIZE)
		return kmem_cache_alloc_node(kmalloc_caches[kmalloc_index(size)], gfp, node);
	saved = numa_prefer_save(node);
	p = kmalloc(size, gfp);
	numa_prefer_restore(saved);
	return p;
}

void *vmalloc_node(size_t size, int node)
{
	int saved = numa_prefer_save(node);
	void *p = vmalloc(size);

	numa_prefer_restore(saved);
	return p;
}

void *vzalloc_node(size_t size, int node)
{
	int saved = numa_prefer_save(node);
	void *p = vzalloc(size);

	numa_prefer_restore(saved);
	return p;
}

/* ---- which there are ------------------------------------------------------------- */

int numa_node_id(void)
{
	return mm_init() ? numa_local_node() : 0;
}

unsigned int num_online_nodes(void)
{
	return mm_init() ? (unsigned int)nr_nodes : 1;
}

bool node_online(int nid)
{
	return mm_init() ? numa_has_node(nid) : nid == 0;
}
