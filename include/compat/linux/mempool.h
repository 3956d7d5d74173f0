/* SPDX-License-Identifier: MIT */
/* <linux/mempool.h> for kernel code: allocators with a reserve. */
#ifndef COMPAT_LINUX_MEMPOOL_H
#define COMPAT_LINUX_MEMPOOL_H

#include <kmem/mempool.h>

#endif /* COMPAT_LINUX_MEMPOOL_H */
