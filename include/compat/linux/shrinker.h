/* SPDX-License-Identifier: MIT */
/* <linux/shrinker.h> for kernel code: caches that give back under pressure. */
#ifndef COMPAT_LINUX_SHRINKER_H
#define COMPAT_LINUX_SHRINKER_H

#include <kmem/shrinker.h>

#endif /* COMPAT_LINUX_SHRINKER_H */
