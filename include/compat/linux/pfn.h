/* SPDX-License-Identifier: MIT */
/* <linux/pfn.h> for kernel code: numbers of pages. */
#ifndef COMPAT_LINUX_PFN_H
#define COMPAT_LINUX_PFN_H

#include <kmem/pfn.h>

#endif /* COMPAT_LINUX_PFN_H */
