/* SPDX-License-Identifier: MIT */
/* <linux/gfp.h> for kernel code: allocation flags and pages. */
#ifndef COMPAT_LINUX_GFP_H
#define COMPAT_LINUX_GFP_H

#include <kmem/gfp.h>
#include <kmem/page_alloc.h>
#include <kmem/folio.h>

/*
 * Kernels before 6.8 say MAX_ORDER: the largest order (6.4 to 6.7), or one more (before). It is
 * the largest here: who means the one more does without the 4 MiB blocks.
 */
#define MAX_ORDER		MAX_PAGE_ORDER
#define MAX_ORDER_NR_PAGES	(1UL << MAX_PAGE_ORDER)

#endif /* COMPAT_LINUX_GFP_H */
