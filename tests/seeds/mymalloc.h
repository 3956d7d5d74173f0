/* SPDX-License-Identifier: MIT */
/* mymalloc.h - for the programs that check MyMalloc's requirements one by one. */
#ifndef TESTS_SEEDS_MYMALLOC_H
#define TESTS_SEEDS_MYMALLOC_H

#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <kmem/malloc.h>
#include <kmem/slab.h>

#include "mm/mmzone.h"
#include "mm/percpu.h"
#include "mm/slab.h"

#define CHECK(cond, what)						\
	do {								\
		printf("%s: %s\n", (cond) ? "ok" : "not ok", (what));	\
	} while (0)

/* Pages of the heap that are in use or held for use; the rest the system can have. */
static inline unsigned long pages_in_use(void)
{
	unsigned long n = 0;

	for (unsigned int i = 0; i < nr_zones; i++)
		n += zones[i]->nr_present - zones[i]->nr_free - zones[i]->nr_parked;
	return n;
}

#endif /* TESTS_SEEDS_MYMALLOC_H */
