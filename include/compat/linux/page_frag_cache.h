/* SPDX-License-Identifier: MIT */
/* <linux/page_frag_cache.h> for kernel code: pieces of pages. */
#ifndef COMPAT_LINUX_PAGE_FRAG_CACHE_H
#define COMPAT_LINUX_PAGE_FRAG_CACHE_H

#include <kmem/page_frag.h>

#endif /* COMPAT_LINUX_PAGE_FRAG_CACHE_H */
