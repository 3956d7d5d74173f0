/* SPDX-License-Identifier: MIT */
/* <linux/numa.h> for kernel code: numbers of nodes. */
#ifndef COMPAT_LINUX_NUMA_H
#define COMPAT_LINUX_NUMA_H

#include <kmem/numa.h>

#endif /* COMPAT_LINUX_NUMA_H */
