/* SPDX-License-Identifier: MIT */
/* vmap.h - views of pages, for vmalloc.c and the fork handlers. */
#ifndef MM_VMAP_H
#define MM_VMAP_H

#include <kmem/types.h>

struct page;

/* The page that is seen at @addr; NULL: there is no view there. */
struct page *vmap_page(const void *addr);
/* Ends the view that begins at @addr; with @put its pages too if they are its own. False: none. */
bool vmap_end(const void *addr, bool put);

void vmap_fork_lock(void);
void vmap_fork_unlock(void);

#endif /* MM_VMAP_H */
