/* SPDX-License-Identifier: MIT */
/* <linux/slab.h> for kernel code: caches, kmalloc, and what the kernel declares there besides. */
#ifndef COMPAT_LINUX_SLAB_H
#define COMPAT_LINUX_SLAB_H

#include <linux/overflow.h>
#include <linux/percpu.h>
#include <kmem/rcu.h>
#include <kmem/slab.h>
#include <kmem/string.h>
#include <kmem/vmalloc.h>

#endif /* COMPAT_LINUX_SLAB_H */
