/* SPDX-License-Identifier: MIT */
/* <linux/nodemask.h> for kernel code: loops over nodes. */
#ifndef COMPAT_LINUX_NODEMASK_H
#define COMPAT_LINUX_NODEMASK_H

#include <kmem/numa.h>

#endif /* COMPAT_LINUX_NODEMASK_H */
