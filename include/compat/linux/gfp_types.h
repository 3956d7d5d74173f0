/* SPDX-License-Identifier: MIT */
/* <linux/gfp_types.h> for kernel code: allocation flags alone. */
#ifndef COMPAT_LINUX_GFP_TYPES_H
#define COMPAT_LINUX_GFP_TYPES_H

#include <kmem/gfp.h>

#endif /* COMPAT_LINUX_GFP_TYPES_H */
