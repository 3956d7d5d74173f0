/* SPDX-License-Identifier: MIT */
/*
 * pages_test.h - what the tests of the page layer share: a page layer of their
 * own, host calls that are counted, refused and looked at, random numbers, and
 * a model of who owns which page.
 */
#ifndef TESTS_PAGES_TEST_H
#define TESTS_PAGES_TEST_H

#include <criterion/criterion.h>
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "capture.h"
#include "mm/buddy.h"
#include "mm/cmdline.h"
#include "mm/host/host.h"
#include "mm/percpu.h"

#define MIB	(1UL << 20)

/* ---- a page layer of the test's own ---------------------------------------------- */

/* As after start-up, zones[0] of @bytes (0: chosen). Each test runs in a process of its own. */
static inline bool try_fresh_zones(unsigned long bytes)
{
	if (nr_zones) {
		stock_drain();
		/* All but its last map, which is short. */
		host_release(zones[0]->base,
			     (size_t)((char *)zones[0]->free_max - zones[0]->base));
		memset(zones[0], 0, sizeof(struct zone));
		kmem_hot.heap_pages = 0;
		nr_zones = 0;
	}
	reclaim_kick_hook = NULL;
	kmem_params.heap_reserve = bytes;
	return zones_init();
}

static inline struct zone *fresh_zones(unsigned long bytes)
{
	if (percpu.mode == PERCPU_EARLY) {
		cmdline_init();
		cr_assert(percpu_init());
	}
	cr_assert(try_fresh_zones(bytes));
	page_alloc_init();
	return zones[0];
}

/* Everything free is on the free lists; nothing is in use. */
static inline void assert_all_free(void)
{
	page_alloc_drain();
	for (unsigned int i = 0; i < nr_zones; i++) {
		struct zone *z = zones[i];

		lock(&z->lock);
		unpark_all(z);
		unlock(&z->lock);
		cr_assert_eq(z->nr_free, z->nr_present, "zone %u: %lu of %lu pages are free",
			     i, z->nr_free, z->nr_present);
		cr_assert_eq(z->free_area[MAX_PAGE_ORDER].nr_free,
			     z->nr_present >> MAX_PAGE_ORDER, "zone %u has not merged", i);
	}
	cr_assert_eq(zones_validate(), 0);
}

/* ---- host calls -------------------------------------------------------------------- */

static unsigned long calls_made[HOST_NR_CALLS];
static long refuse_after = -1;		/* calls that still succeed; -1: all do */
static long refuse_count;		/* calls that are refused then; -1: all */
static enum host_call refuse_kind = HOST_NR_CALLS;	/* HOST_NR_CALLS: of any kind */

/* Counts, refuses what is to be refused, and looks that no lock is held meanwhile. */
static bool host_hook(enum host_call call)
{
	stat_inc(calls_made[call]);
	for (unsigned int i = 0; i < READ_ONCE(nr_zones); i++)
		cr_assert_eq(READ_ONCE(zones[i]->lock.word), 0,
			     "host call %d with the lock of zone %u held", call, i);
	if (refuse_after < 0 || call == HOST_MEMBARRIER ||
	    (refuse_kind != HOST_NR_CALLS && call != refuse_kind))
		return false;
	if (refuse_after > 0) {
		refuse_after--;
		return false;
	}
	if (refuse_count == 0)
		return false;
	if (refuse_count > 0)
		refuse_count--;
	return true;
}

/* The next @after calls of @kind succeed, then @count are refused (-1: all). */
static inline void host_refuse(enum host_call kind, long after, long count)
{
	refuse_kind = kind;
	refuse_after = after;
	refuse_count = count;
	host_fault = host_hook;
}

static inline void host_watch(void)
{
	memset(calls_made, 0, sizeof(calls_made));
	refuse_after = -1;
	host_fault = host_hook;
}

static inline unsigned long host_calls(void)
{
	unsigned long n = 0;

	for (unsigned int i = 0; i < HOST_NR_CALLS; i++)
		n += i == HOST_MEMBARRIER ? 0 : calls_made[i];
	return n;
}

/* ---- random numbers, content ------------------------------------------------------------ */

static inline u64 rnd(u64 *state)
{
	u64 x = *state;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	return *state = x;
}

/* Writes two words a page that say whose it is and where it stands. */
static inline void mark_pages(void *addr, unsigned long n, unsigned long owner)
{
	for (unsigned long i = 0; i < n; i++) {
		unsigned long *p = (unsigned long *)((char *)addr + (i << PAGE_SHIFT));

		p[0] = owner ^ (unsigned long)p;
		p[PAGE_SIZE / sizeof(*p) - 1] = owner + i;
	}
}

static inline bool pages_marked(const void *addr, unsigned long n, unsigned long owner)
{
	for (unsigned long i = 0; i < n; i++) {
		const unsigned long *p =
			(const unsigned long *)((const char *)addr + (i << PAGE_SHIFT));

		if (p[0] != (owner ^ (unsigned long)p) ||
		    p[PAGE_SIZE / sizeof(*p) - 1] != owner + i)
			return false;
	}
	return true;
}

static inline bool pages_zero(const void *addr, unsigned long n)
{
	const unsigned long *p = addr;

	for (unsigned long i = 0; i < n * PAGE_SIZE / sizeof(*p); i++)
		if (p[i])
			return false;
	return true;
}

/* Resident pages (of ours) among @n from @addr on. */
static inline unsigned long resident(const void *addr, unsigned long n)
{
	unsigned long host = host_page_size(), bytes = n << PAGE_SHIFT, count = 0;
	unsigned char *vec = calloc(bytes / host + 1, 1);

	cr_assert_eq(mincore((void *)addr, bytes, vec), 0);
	for (unsigned long i = 0; i < bytes / host; i++)
		count += vec[i] & 1;
	free(vec);
	return count * (host >> PAGE_SHIFT);
}

/* ---- who owns which page --------------------------------------------------------------------- */

#define MODEL_PAGES	(1UL << 18)	/* 1 GiB a zone */

static unsigned char owned[4][MODEL_PAGES];

/* Enters that pages change hands; false: they were not as they should be. */
static inline bool model_move(const struct page *page, unsigned long n, bool take)
{
	unsigned long start = page_zpn(page_zone(page), page);

	if (page->zone >= 4 || start + n > MODEL_PAGES ||
	    start + n > page_zone(page)->nr_present)
		return false;
	for (unsigned long p = start; p < start + n; p++) {
		if (owned[page->zone][p] == take)
			return false;
		owned[page->zone][p] = take;
	}
	return true;
}

#endif /* TESTS_PAGES_TEST_H */
