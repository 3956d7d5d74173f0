/* SPDX-License-Identifier: MIT */
/* kmalloc_nolock.h - objects that were freed where no lock could be taken. */
#ifndef MM_KMALLOC_NOLOCK_H
#define MM_KMALLOC_NOLOCK_H

/* Frees them. Context: no lock held; may make system calls. */
void kmalloc_nolock_drain(void);

#endif /* MM_KMALLOC_NOLOCK_H */
