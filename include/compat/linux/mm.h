/* SPDX-License-Identifier: MIT */
/* <linux/mm.h> for kernel code: pages, and what comes with them. */
#ifndef COMPAT_LINUX_MM_H
#define COMPAT_LINUX_MM_H

#include <linux/gfp.h>
#include <linux/pfn.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>
#include <linux/percpu.h>

#endif /* COMPAT_LINUX_MM_H */
