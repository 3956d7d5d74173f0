/* SPDX-License-Identifier: MIT */
/*
 * numa.h - nodes of memory: which there are, and on which of them a request is served.
 */
#ifndef MM_NUMA_H
#define MM_NUMA_H

#include "mmzone.h"

/* Flags that say where memory is to lie: such requests pass the per-CPU lists by. */
#define GFP_PLACE	(__GFP_DMA | __GFP_DMA32 | __GFP_THISNODE)
#define GFP_LOW		(__GFP_DMA | __GFP_DMA32)

/* Finds the nodes, before any zone is made. */
void numa_init(void);
/* As many nodes as there is room for; the zones' maker says so where one reservation is too small. */
void numa_one_node(void);

/* The i-th node's number, and whether there is such a node. */
int numa_node(int i);
bool numa_has_node(int nid);

/* The index of a node; 0 for one that there is not. */
int numa_index(int nid);

/* The node that the calling thread runs on at present; 0 where there is one. */
int numa_local_node(void);

/*
 * The node that the calling thread's requests prefer: the one that its call names,
 * else the local one.
 */
int numa_wanted_node(void);

/* The node that the thread's present call names, + 1; 0: none. */
extern __thread int numa_preferred
	__attribute__((tls_model("initial-exec"), visibility("hidden")));

/*
 * Makes the thread's requests prefer a node (NUMA_NO_NODE: the local one). Returns
 * what numa_prefer_restore() takes.
 */
int numa_prefer_save(int nid);
void numa_prefer_restore(int saved);

/* Tells the system where the pages of a range are to lie; advice. */
void numa_bind(void *addr, size_t size, int nid);

static inline int numa_local_index(void)
{
	return likely(nr_nodes == 1) ? 0 : numa_index(numa_local_node());
}

/* Whether the call names a node, and that matters. */
static inline bool numa_node_is_named(void)
{
	return unlikely(nr_nodes > 1) && numa_preferred;
}

/*
 * Whether a per-CPU list may have a page of this zone: not if it lies on another
 * node than the caller, nor if it lies low.
 */
static inline bool numa_zone_is_near(const struct zone *z)
{
	return !z->low && (likely(nr_nodes == 1) || z->node == numa_local_node());
}

#endif /* MM_NUMA_H */
