/* SPDX-License-Identifier: MIT */
/* <linux/gfp.h> for kernel code: allocation flags and pages. */
#ifndef COMPAT_LINUX_GFP_H
#define COMPAT_LINUX_GFP_H

#include <kmem/gfp.h>
#include <kmem/page_alloc.h>
#include <kmem/folio.h>

#endif /* COMPAT_LINUX_GFP_H */
