/* SPDX-License-Identifier: MIT */
/* <linux/highmem.h> for kernel code: the content of pages. */
#ifndef COMPAT_LINUX_HIGHMEM_H
#define COMPAT_LINUX_HIGHMEM_H

#include <linux/mm.h>
#include <kmem/highmem.h>

#endif /* COMPAT_LINUX_HIGHMEM_H */
