/* SPDX-License-Identifier: MIT */
/* <linux/topology.h> for kernel code: the node that a thread runs on. */
#ifndef COMPAT_LINUX_TOPOLOGY_H
#define COMPAT_LINUX_TOPOLOGY_H

#include <kmem/numa.h>

#endif /* COMPAT_LINUX_TOPOLOGY_H */
