/* SPDX-License-Identifier: MIT */
/* page_nolock.h - blocks that were freed where no lock could be taken. */
#ifndef MM_PAGE_NOLOCK_H
#define MM_PAGE_NOLOCK_H

/* Frees them. Context: no lock held; may make system calls. */
void page_nolock_drain(void);

#endif /* MM_PAGE_NOLOCK_H */
