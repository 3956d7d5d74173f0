/* SPDX-License-Identifier: MIT */
/* <linux/overflow.h> for kernel code: sums and products that do not wrap around. */
#ifndef COMPAT_LINUX_OVERFLOW_H
#define COMPAT_LINUX_OVERFLOW_H

#include <kmem/overflow.h>

#endif /* COMPAT_LINUX_OVERFLOW_H */
