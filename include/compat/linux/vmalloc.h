/* SPDX-License-Identifier: MIT */
/* <linux/vmalloc.h> for kernel code: the vmalloc family. */
#ifndef COMPAT_LINUX_VMALLOC_H
#define COMPAT_LINUX_VMALLOC_H

#include <kmem/vmalloc.h>

#endif /* COMPAT_LINUX_VMALLOC_H */
