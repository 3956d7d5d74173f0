// SPDX-License-Identifier: MIT
/*
 * numa.c - nodes of memory.
 *
 * Where the system has several nodes with memory, zones[0] to zones[nr_nodes - 1]
 * belong to one each (mmzone.c), and the kernel is told so by a memory policy on
 * their address ranges: page faults there take memory of that node first, and of
 * another where it has none. A request looks at the zones of the node that it
 * prefers first, which is the one that its thread runs on unless the call names
 * one (alloc_pages_node() and the like).
 *
 * There is one node if the machine has one; if the program, or numactl, has set
 * a policy of its own, which then decides where pages come from, zone by zone or
 * not; with numa=off; and where address space is too short to divide.
 *
 * numa=fake=N divides the heap as if there were N nodes and gives each CPU a node
 * in turn; no policy is set. It is for testing programs and this library.
 *
 * A named node is a word of the thread's, not an argument: it reaches the page
 * layer through slabs and large objects without a parameter on each path.
 *
 * No locks: all is constant after start-up but the thread's own word.
 */
#include "numa.h"

#include "cmdline.h"
#include "host/host.h"

int nr_nodes = 1;

static int node_number[MAX_NODES];	/* nr_nodes of them, ascending */

__thread int numa_preferred __attribute__((tls_model("initial-exec")));

int numa_node(int i)
{
	return node_number[i];
}

bool numa_has_node(int nid)
{
	for (int i = 0; i < nr_nodes; i++)
		if (node_number[i] == nid)
			return true;
	return false;
}

int numa_index(int nid)
{
	for (int i = 0; i < nr_nodes; i++)
		if (node_number[i] == nid)
			return i;
	return 0;
}

static void fake_nodes(unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		node_number[i] = (int)i;
	nr_nodes = (int)n;
}

void numa_one_node(void)
{
	nr_nodes = 1;
}

void numa_init(void)
{
	u64 mask;

	fake_nodes(1);
	if (!kmem_params.numa)
		return;
	if (kmem_params.numa_fake) {
		fake_nodes(min(kmem_params.numa_fake, (unsigned int)MAX_NODES));
		return;
	}
	mask = host_memory_nodes();
	if (hweight_long(mask) < 2 || !host_memory_policy_is_default())
		return;
	for (nr_nodes = 0; mask && nr_nodes < MAX_NODES; mask &= mask - 1)
		node_number[nr_nodes++] = (int)__ffs(mask);
}

int numa_local_node(void)
{
	int nid;

	if (likely(nr_nodes == 1))
		return node_number[0];
	if (kmem_params.numa_fake)
		return max(host_getcpu(), 0) % nr_nodes;
	nid = host_getnode();
	return numa_has_node(nid) ? nid : node_number[0];
}

int numa_wanted_node(void)
{
	if (likely(nr_nodes == 1))
		return node_number[0];
	if (numa_preferred && numa_has_node(numa_preferred - 1))
		return numa_preferred - 1;
	return numa_local_node();
}

int numa_prefer_save(int nid)
{
	int saved = numa_preferred;

	numa_preferred = nid + 1;	/* NUMA_NO_NODE is -1 */
	return saved;
}

void numa_prefer_restore(int saved)
{
	numa_preferred = saved;
}

void numa_bind(void *addr, size_t size, int nid)
{
	if (nr_nodes > 1 && !kmem_params.numa_fake)
		host_prefer_node(addr, size, nid);
}
