/* SPDX-License-Identifier: MIT */
/*
 * misuse.h - for the programs of this directory, each of which does one thing
 * that nobody may do to an allocator. Their comments say what must come of it:
 *
 *	expect: REGEX		a line of stderr, in every configuration
 *	at once: yes		in the default configuration, too, the report comes
 *				from the very call; else at the latest when the
 *				magazines are emptied, which settle() does. With
 *				slab_debug=F it always comes from the call.
 *
 * tests/misuse/run builds and judges them: SIGABRT and the text, nothing else.
 */
#ifndef TESTS_MISUSE_H
#define TESTS_MISUSE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <kmem/malloc.h>
#include <kmem/page_alloc.h>
#include <kmem/slab.h>

#include "mm/slab.h"

/* Keeps the compiler from seeing what is done to the pointer. */
static inline void *hide(const void *p)
{
	__asm__ volatile("" : "+r"(p));
	return (void *)p;
}

/*
 * The misuse is over: whoever gets here was not stopped at once. Everything in
 * the magazines goes to the slabs, where each object is looked at.
 */
static inline int settle(struct kmem_cache *s)
{
	if (write(1, "later\n", 6) != 6)
		return 1;
	if (s)
		kmem_cache_shrink(s);
	for (unsigned int i = 0; i < KMALLOC_CLASSES; i++)
		if (kmalloc_caches[i])
			kmem_cache_shrink(kmalloc_caches[i]);
	return 0;
}

#endif /* TESTS_MISUSE_H */
