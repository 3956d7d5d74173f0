/* SPDX-License-Identifier: MIT */
/* <linux/cleanup.h> for kernel code: DEFINE_FREE and __free. */
#ifndef COMPAT_LINUX_CLEANUP_H
#define COMPAT_LINUX_CLEANUP_H

#include <kmem/cleanup.h>

#endif /* COMPAT_LINUX_CLEANUP_H */
