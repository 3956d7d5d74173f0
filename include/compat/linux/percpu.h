/* SPDX-License-Identifier: MIT */
/* <linux/percpu.h> for kernel code: per-CPU memory and the this_cpu operations. */
#ifndef COMPAT_LINUX_PERCPU_H
#define COMPAT_LINUX_PERCPU_H

#include <kmem/percpu.h>

#endif /* COMPAT_LINUX_PERCPU_H */
