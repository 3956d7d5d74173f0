/* SPDX-License-Identifier: MIT */
/* <linux/sched/mm.h> for kernel code: scopes of allocation flags. */
#ifndef COMPAT_LINUX_SCHED_MM_H
#define COMPAT_LINUX_SCHED_MM_H

#include <kmem/memalloc.h>

#endif /* COMPAT_LINUX_SCHED_MM_H */
