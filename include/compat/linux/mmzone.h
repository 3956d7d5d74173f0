/* SPDX-License-Identifier: MIT */
/* <linux/mmzone.h> for kernel code: nodes and the pages of each. */
#ifndef COMPAT_LINUX_MMZONE_H
#define COMPAT_LINUX_MMZONE_H

#include <linux/gfp.h>
#include <kmem/numa.h>

#endif /* COMPAT_LINUX_MMZONE_H */
