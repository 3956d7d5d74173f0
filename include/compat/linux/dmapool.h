/* SPDX-License-Identifier: MIT */
/* <linux/dmapool.h> for kernel code: pools of blocks for devices. */
#ifndef COMPAT_LINUX_DMAPOOL_H
#define COMPAT_LINUX_DMAPOOL_H

#include <kmem/dmapool.h>

#endif /* COMPAT_LINUX_DMAPOOL_H */
