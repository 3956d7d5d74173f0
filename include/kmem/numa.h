/* SPDX-License-Identifier: MIT */
/**
 * DOC: numa.h - the nodes of memory that the library tells apart.
 *
 * Contracts: the kernel's include/linux/topology.h and nodemask.h. Nodes are those
 * whose memory the process may have; there is one, whatever the machine, where
 * Documentation/mm/numa.rst says so. Their number is constant once the library
 * is ready.
 *
 * Context of all: any thread, with any locks held; they make the library ready if
 * it is not yet, and no system call after that.
 */
#ifndef KMEM_NUMA_H
#define KMEM_NUMA_H

#include <kmem/gfp.h>

/* Node numbers are below this. */
#define MAX_NUMNODES	64

KMEM_BEGIN_DECLS

/** numa_node_id - the node that the calling thread runs on, or may no longer by now. */
int numa_node_id(void);
#define numa_mem_id()		numa_node_id()

/** num_online_nodes - how many nodes there are, at least 1. */
unsigned int num_online_nodes(void);
/** node_online - whether there is a node of this number. */
bool node_online(int nid);

/** next_online_node - the first node after @nid (-1: of all); MAX_NUMNODES: none. */
static inline int next_online_node(int nid)
{
	do {
		nid++;
	} while (nid < MAX_NUMNODES && !node_online(nid));
	return nid;
}
#define first_online_node	next_online_node(-1)

/** for_each_online_node - a loop over the nodes, in ascending order. */
#define for_each_online_node(nid) \
	for ((nid) = first_online_node; (nid) < MAX_NUMNODES; (nid) = next_online_node(nid))

KMEM_END_DECLS

#endif /* KMEM_NUMA_H */
