/* SPDX-License-Identifier: MIT */
/*
 * page_limit.h - how much memory may be in use, what is kept in reserve, and
 * what a request does that finds too little: for the files of the page layer and
 * the reclaimer.
 *
 * "Used" pages: present pages that are neither on the free lists nor on their way
 * to the system. Those in per-CPU lists, parked runs and empty slabs are used, too:
 * reclaim frees them.
 */
#ifndef MM_PAGE_LIMIT_H
#define MM_PAGE_LIMIT_H

#include "mmzone.h"

enum page_wmark { WMARK_MIN, WMARK_LOW, WMARK_HIGH, NR_WMARKS };

struct page_limits {
	/* Written under limits_lock, read by anyone. */
	unsigned long hard;		/* pages that may be in use; ULONG_MAX: any number */
	unsigned long soft;		/* as asked for, or the cgroup's; ULONG_MAX: none */
	unsigned long soft_at;		/* above it there is pressure: soft, or hard less WMARK_LOW */
	unsigned long wmark[NR_WMARKS];	/* pages below hard; 0 without a hard limit */
	/* 0 until somebody asks for reserves; then never again. */
	unsigned long reserve;		/* of wmark[MIN]: what ordinary requests leave */
	unsigned long frontier_reserve;	/* committed pages that ordinary requests leave */

	/* Atomic. */
	unsigned long pending;		/* pages granted by page_charge() and not taken yet */
};

extern struct page_limits page_limits __kmem_internal;
/* What requests have to mind: WATCH_* bits. */
#define WATCH_HARD	1U	/* a hard limit: they ask page_charge() */
#define WATCH_SOFT	2U	/* a soft one: they tell page_check_soft() */
#define WATCH_RESERVE	4U	/* a reserve: they leave frontier_keep() */
#define WATCH_NODES	8U	/* several nodes: they go to the wanted one first */
extern unsigned int page_watch __kmem_internal;

/* Takes limit=, soft_limit= and min_free= over. Start-up. */
void page_limits_init(void);
/*
 * Looks at the cgroup's limit, once: when the heap grows for the second time, so that
 * a small program need not read files. No lock held; system calls.
 */
void page_limits_learn(void);
/* Sets the limits, in pages; ULONG_MAX: none. */
void page_limits_set(unsigned long hard, unsigned long soft);

/* Used pages. Exact between zones at rest; takes each zone's lock. */
unsigned long pages_used(void);
/* The same without locks: may be some pages off for a moment. */
unsigned long pages_used_estimate(void);
/* Whether more is used than the soft limit says. */
bool pages_over_soft(void);

/*
 * May @n more pages be used? Reclaims as @gfp allows. True: the caller takes
 * them (under zone locks, so that pages_used() sees them at once) and then calls
 * page_uncharge() with the same @n, whether it got them or not.
 * Context: no lock held; runs shrinkers.
 */
bool page_charge(unsigned long n, gfp_t gfp);
void page_uncharge(unsigned long n);
/* Up to @n pages more, without reclaiming; returns how many are granted. */
unsigned long page_charge_more(unsigned long n, gfp_t gfp);

/* @n pages are about to be used, without a hard limit: is there pressure? May reclaim. */
void page_check_soft(unsigned long n, gfp_t gfp);

/* Committed pages that a request leaves beyond the frontier: whole largest blocks. */
unsigned long frontier_keep(gfp_t gfp);
/* From here on there is a reserve: somebody has asked with __GFP_HIGH or __GFP_MEMALLOC. */
void page_reserve_arm(void);

/* Whether a request may reclaim: it may wait, and is not made by a reclaimer. */
bool may_reclaim(gfp_t gfp);
/*
 * A request of @n pages failed for want of @missing. True: reclaim was tried, and
 * the request should be, once more. @rounds counts; 0 at first.
 */
bool reclaim_and_retry(gfp_t gfp, unsigned long n, unsigned long missing,
		       unsigned int *rounds);

/* Fork: changes of the limits; and in the child, announcements of threads that are not there. */
void page_limits_fork_lock(void);
void page_limits_fork_unlock(void);
void page_limits_fork_child(void);

/* ---- hooks of the reclaimer (vmscan.c), NULL until it is there ------------------- */

/*
 * Runs shrinkers and empties caches, from shrinker priority @from (12: gently)
 * to @to (0: all), until @nr_pages are freed. Returns the pages freed.
 */
extern unsigned long (*direct_reclaim_hook)(gfp_t gfp, unsigned long nr_pages,
					    int from, int to) __kmem_internal;
/* Prints who holds most, for the report of a request's failure. */
extern void (*show_caches_hook)(gfp_t gfp) __kmem_internal;

#define RECLAIM_PRIORITY	12

/* ---- page_show.c ----------------------------------------------------------------- */

/* Reports that a request failed, unless @gfp says not to; bounded in number. */
void warn_alloc(gfp_t gfp, unsigned long nr_pages) __cold;
/* The flags by name, as "GFP_KERNEL|__GFP_ZERO". */
char *gfp_names(gfp_t gfp, char *buf, size_t size);

#endif /* MM_PAGE_LIMIT_H */
