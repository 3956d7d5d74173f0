/* SPDX-License-Identifier: MIT */
/* <linux/genalloc.h> for kernel code: ranges of addresses, handed out in parts. */
#ifndef COMPAT_LINUX_GENALLOC_H
#define COMPAT_LINUX_GENALLOC_H

#include <kmem/genalloc.h>

#endif /* COMPAT_LINUX_GENALLOC_H */
