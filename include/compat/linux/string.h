/* SPDX-License-Identifier: MIT */
/* <linux/string.h> for kernel code: libc's strings and copies from kmalloc(). */
#ifndef COMPAT_LINUX_STRING_H
#define COMPAT_LINUX_STRING_H

#include <string.h>
#include <kmem/string.h>

#endif /* COMPAT_LINUX_STRING_H */
