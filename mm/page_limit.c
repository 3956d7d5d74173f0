// SPDX-License-Identifier: MIT
/*
 * page_limit.c - limits, watermarks and reserves: may these pages be used?
 *
 * A kernel has the pages of its machine, and its watermarks say how many of them
 * are free. A process has a limit, or none, and what counts is the room below it:
 *
 *	0          soft_at                                  hard
 *	|  used ...   |        |  HIGH   |   LOW   |   MIN    |
 *	               pressure from here on        ordinary requests end here
 *	                                            once there is a reserve
 *
 * The watermarks follow the kernel's formulas, with the hard limit as the
 * memory: MIN is 4 sqrt(limit) in KiB, between 128 KiB and 256 MiB, at most an
 * eighth of the limit; LOW and HIGH stand above it by max(MIN / 4, limit / 1000)
 * each. 64 MiB: 1024, 1280 and 1536 KiB.
 *
 * Pressure: the background reclaimer is woken, and now and then a request runs
 * the shrinkers once, a little harder each time it has not helped (throttle).
 * At the hard limit a request reclaims in earnest, and then fails.
 *
 * Two reserves, both none until the first request with __GFP_HIGH or
 * __GFP_MEMALLOC (or min_free=), since a program that never asks so should not
 * pay for one:
 *
 *	room		MIN pages below the hard limit
 *	frontier	committed pages beyond those in use, so that a request that
 *			may not call the kernel finds some: address space, no memory
 *
 * What a request leaves of a reserve, as in the kernel: all of it; a half with
 * __GFP_HIGH; three eighths with __GFP_HIGH and without __GFP_DIRECT_RECLAIM
 * (GFP_ATOMIC); nothing with __GFP_MEMALLOC or in a noreclaim scope, unless
 * __GFP_NOMEMALLOC. The frontier moves by largest blocks, so there it is rounded
 * down to such.
 *
 * Exactness. A request announces its pages in `pending' before it looks how many
 * are used, and takes the announcement back after they count as used. Whoever
 * looks sees each page of a concurrent request as pending, as used, or, for a
 * moment, as both; never as neither, because he reads `pending' first: if the
 * withdrawal is in what he reads, so is, by its release, the taking. So the hard
 * limit is never passed, and a request may be refused that another, which fails
 * in turn, stood in the way of: it tries again.
 *
 * Free pages that are resident: a request that may make system calls purges as
 * many as used and resident pages together would pass the limit by.
 *
 * Locks: limits_lock for changes of the limits; the zone locks, one by one.
 */
#include "page_limit.h"

#include "buddy.h"
#include "cmdline.h"
#include "host/host.h"
#include "task.h"

/* The frontier's reserve: four blocks, so that each kind of request gets its own share. */
#define FRONTIER_RESERVE	(4 * MAX_ORDER_PAGES)
/* Rounds of a request that is to try hard, as the kernel's MAX_RECLAIM_RETRIES. */
#define MAX_RECLAIM_RETRIES	16U
/* Pages up to which a request is worth retrying for as long as reclaim gets on: order 3. */
#define COSTLY_PAGES		8UL
/* How long a request waits for others to free something, by rounds in vain. */
#define WAIT_MIN_MS		1U
#define WAIT_MAX_MS		20U
/* Reclaim under pressure: how often at most, and how rarely when it does not help. */
#define THROTTLE_MIN_MS		10U
#define THROTTLE_MAX_MS		1000U
/* More than this part of the limit above it does not wait for the next time. */
#define URGENT_PART		64
/* The harshest shrinker priority that it begins with: a 32nd at 2 seeks. */
#define THROTTLE_PRIORITY	6

struct page_limits page_limits = {
	.hard = ~0UL, .soft = ~0UL, .soft_at = ~0UL,
};
unsigned int page_watch;

unsigned long (*direct_reclaim_hook)(gfp_t gfp, unsigned long nr_pages, int from, int to);

static struct kmem_lock limits_lock = LOCK_INIT(RANK_LIMITS);

/* limits_lock. */
static unsigned long asked_soft = ~0UL;		/* the soft limit as it was set */
static unsigned long cgroup_soft = ~0UL;	/* the cgroup's */
static bool learnt;				/* it has been looked at; read by anyone */

/* Who reclaims under pressure next, when and how hard. Guesses: each word by itself. */
static struct {
	u32 next_ms;		/* (u32)host_now_ms(); claimed by compare-and-swap */
	u32 interval_ms;
	int priority;		/* the harshest of the next round */
} throttle = { .interval_ms = THROTTLE_MIN_MS, .priority = THROTTLE_PRIORITY };

/* Of page_limits.pending, what the calling thread has announced. For fork. */
static __thread unsigned long own_pending __attribute__((tls_model("initial-exec")));

/* ---- counting ------------------------------------------------------------------------ */

static unsigned long zone_used(const struct zone *z)
{
	return READ_ONCE(z->nr_present) - READ_ONCE(z->nr_free) - READ_ONCE(z->nr_isolated);
}

unsigned long pages_used(void)
{
	unsigned int n = smp_load_acquire(&nr_zones);
	unsigned long used = 0;

	for (unsigned int i = 0; i < n; i++) {
		lock(&zones[i]->lock);
		used += zone_used(zones[i]);
		unlock(&zones[i]->lock);
	}
	return used;
}

unsigned long pages_used_estimate(void)
{
	unsigned int n = smp_load_acquire(&nr_zones);
	long used = 0;

	/* The counts are read one after the other: a sum may even be negative. */
	for (unsigned int i = 0; i < n; i++)
		used += (long)zone_used(zones[i]);
	return (unsigned long)max(used, 0L);
}

bool pages_over_soft(void)
{
	unsigned long soft_at = READ_ONCE(page_limits.soft_at);

	return soft_at != ~0UL && pages_used_estimate() > soft_at;
}

/* ---- the limits ----------------------------------------------------------------------- */

static unsigned long int_sqrt(unsigned long n)
{
	unsigned long root = 0;

	for (unsigned long bit = 1UL << 31; bit; bit >>= 1)
		if ((root + bit) * (root + bit) <= n)
			root += bit;
	return root;
}

static unsigned long kib_to_pages(unsigned long kib)
{
	return kib >> (PAGE_SHIFT - 10);
}

static void set_watermarks(unsigned long hard)
{
	unsigned long *w = page_limits.wmark, gap;

	if (hard == ~0UL) {
		w[WMARK_MIN] = w[WMARK_LOW] = w[WMARK_HIGH] = 0;
		return;
	}
	if (kmem_params.min_free)
		w[WMARK_MIN] = kmem_params.min_free >> PAGE_SHIFT;
	else
		w[WMARK_MIN] = kib_to_pages(clamp(int_sqrt(hard << (PAGE_SHIFT - 10 + 4)),
						  128UL, 256UL << 10));
	w[WMARK_MIN] = min(w[WMARK_MIN], hard / 8);
	gap = max(w[WMARK_MIN] / 4, hard / 1000);
	w[WMARK_LOW] = w[WMARK_MIN] + gap;
	w[WMARK_HIGH] = w[WMARK_LOW] + gap;
}

/* limits_lock held. */
static void set_watch(void)
{
	WRITE_ONCE(page_watch, (page_limits.hard != ~0UL ? WATCH_HARD : 0) |
			       (page_limits.soft_at != ~0UL ? WATCH_SOFT : 0) |
			       (page_limits.frontier_reserve ? WATCH_RESERVE : 0) |
			       (nr_nodes > 1 ? WATCH_NODES : 0));
}

/* limits_lock held. @soft as asked for; the cgroup's counts besides, where it is known. */
static void set_limits(unsigned long hard, unsigned long soft)
{
	unsigned long soft_at;

	asked_soft = soft;
	soft = min(soft, cgroup_soft);
	set_watermarks(hard);
	soft_at = hard == ~0UL ? soft : min(soft, hard - page_limits.wmark[WMARK_LOW]);
	WRITE_ONCE(page_limits.hard, hard);
	WRITE_ONCE(page_limits.soft, soft);
	WRITE_ONCE(page_limits.soft_at, soft_at);
	if (page_limits.frontier_reserve)
		WRITE_ONCE(page_limits.reserve, page_limits.wmark[WMARK_MIN]);
	set_watch();
}

void page_limits_set(unsigned long hard, unsigned long soft)
{
	page_limits_learn();
	lock(&limits_lock);
	set_limits(hard, soft);
	unlock(&limits_lock);
}

void page_limits_learn(void)
{
	size_t limit;

	if (likely(READ_ONCE(learnt)))
		return;
	limit = kmem_params.sandbox ? SIZE_MAX : host_cgroup_limit();
	lock(&limits_lock);
	/*
	 * The kernel kills at the cgroup's limit: be below it, but fail nothing. A 16th,
	 * 6.2 %, is for what is not counted as used, the page map and tables (2 %), for a
	 * cache that grows as fast as it can (URGENT_PART, 1.6 %), and for the program.
	 */
	if (limit != SIZE_MAX)
		cgroup_soft = limit / PAGE_SIZE - limit / PAGE_SIZE / 16;
	set_limits(page_limits.hard, asked_soft);
	WRITE_ONCE(learnt, true);
	unlock(&limits_lock);
}

void page_limits_init(void)
{
	unsigned long hard = kmem_params.limit, soft = kmem_params.soft_limit;

	lock(&limits_lock);
	set_limits(hard ? max(hard >> PAGE_SHIFT, 1UL) : ~0UL,
		   soft ? max(soft >> PAGE_SHIFT, 1UL) : ~0UL);
	unlock(&limits_lock);
	if (kmem_params.min_free)
		page_reserve_arm();
}

void page_reserve_arm(void)
{
	unsigned long pages = FRONTIER_RESERVE;

	if (READ_ONCE(page_limits.frontier_reserve))
		return;
	if (kmem_params.min_free)
		pages = ALIGN(kmem_params.min_free >> PAGE_SHIFT, MAX_ORDER_PAGES);
	lock(&limits_lock);
	WRITE_ONCE(page_limits.reserve, page_limits.wmark[WMARK_MIN]);
	WRITE_ONCE(page_limits.frontier_reserve, max(pages, MAX_ORDER_PAGES));
	set_watch();
	unlock(&limits_lock);
}

/* ---- reserves -------------------------------------------------------------------------- */

/* What of a reserve of @pages a request has to leave. */
static unsigned long reserve_left(gfp_t gfp, unsigned long pages)
{
	bool all = (gfp & __GFP_MEMALLOC) || (task_flags & TASK_MEMALLOC);

	if (all && !(gfp & __GFP_NOMEMALLOC))
		return 0;
	if (gfp & __GFP_HIGH) {
		pages -= pages / 2;
		if (!gfpflags_allow_blocking(gfp))
			pages -= pages / 4;
	}
	return pages;
}

unsigned long frontier_keep(gfp_t gfp)
{
	return ALIGN_DOWN(reserve_left(gfp, READ_ONCE(page_limits.frontier_reserve)),
			  MAX_ORDER_PAGES);
}

/* ---- reclaim ------------------------------------------------------------------------------ */

bool may_reclaim(gfp_t gfp)
{
	return gfpflags_allow_blocking(gfp) && !(task_flags & TASK_MEMALLOC);
}

static unsigned long direct_reclaim(gfp_t gfp, unsigned long n, int from, int to)
{
	unsigned long (*hook)(gfp_t gfp, unsigned long n, int from, int to) =
		READ_ONCE(direct_reclaim_hook);
	unsigned long before;

	if (hook)
		return hook(gfp, n, from, to);
	/* No floor above us yet: the page lists are all there is. */
	before = pages_used();
	page_alloc_drain();
	return before - min(pages_used(), before);
}

/* Gives others time to free something. */
static void wait_a_little(unsigned int rounds)
{
	static u32 never;

	host_futex_wait_ms(&never, 0, clamp(rounds, WAIT_MIN_MS, WAIT_MAX_MS));
}

bool reclaim_and_retry(gfp_t gfp, unsigned long n, unsigned long missing,
		       unsigned int *rounds)
{
	unsigned long freed = 0;

	if (!gfpflags_allow_blocking(gfp))
		return false;
	*rounds += 1;
	if (may_reclaim(gfp)) {
		freed = direct_reclaim(gfp, missing, RECLAIM_PRIORITY, 0);
		if (*rounds == 1)
			return true;
	}
	if (gfp & __GFP_NOFAIL) {
		if (!freed)
			wait_a_little(*rounds);
		return true;
	}
	if (!may_reclaim(gfp) || (gfp & __GFP_NORETRY) || *rounds > MAX_RECLAIM_RETRIES)
		return false;
	if (gfp & __GFP_RETRY_MAYFAIL) {
		if (!freed)
			wait_a_little(*rounds);
		return true;
	}
	return freed && n <= COSTLY_PAGES;
}

/*
 * A round for a quarter of what is too much, by one thread at a time: gently, less
 * so when it did not get there, and seldom where nothing helps. As long as it does help,
 * more than a 64th above the limit is reclaimed at once, all of it, by whoever comes: a
 * cgroup's limit, where the kernel kills, is not far.
 */
static void reclaim_throttled(gfp_t gfp, unsigned long used)
{
	u32 now = (u32)host_now_ms(), due = READ_ONCE(throttle.next_ms);
	u32 interval = READ_ONCE(throttle.interval_ms);
	int floor = READ_ONCE(throttle.priority);
	unsigned long soft_at = READ_ONCE(page_limits.soft_at), over = used - min(used, soft_at);
	bool urgent = over > soft_at / URGENT_PART && interval == THROTTLE_MIN_MS;
	unsigned long aim = urgent ? over : over / 4, freed;

	if (!urgent && ((int)(now - due) < 0 ||
			!__atomic_compare_exchange_n(&throttle.next_ms, &due, now + interval,
						     false, __ATOMIC_RELAXED, __ATOMIC_RELAXED)))
		return;
	freed = direct_reclaim(gfp, aim, RECLAIM_PRIORITY, floor);
	if (freed >= aim && freed) {
		WRITE_ONCE(throttle.interval_ms, THROTTLE_MIN_MS);
		WRITE_ONCE(throttle.priority, THROTTLE_PRIORITY);
	} else if (floor > 0) {
		WRITE_ONCE(throttle.priority, max(floor - 2, 0));
	} else if (freed < over / 16) {
		WRITE_ONCE(throttle.interval_ms, min(2 * interval, THROTTLE_MAX_MS));
	}
}

/* More is used than the soft limit or the low watermark allows. */
static noinline void under_pressure(gfp_t gfp, unsigned long used)
{
	if ((gfp & __GFP_KSWAPD_RECLAIM) && gfpflags_allow_blocking(gfp))
		reclaim_kick();
	if (may_reclaim(gfp))
		reclaim_throttled(gfp, used);
}

/* ---- the question --------------------------------------------------------------------------- */

/*
 * Announces @n pages if there is room for them: 0, and what will be used then.
 * Else by how many pages there is not.
 */
static unsigned long try_charge(unsigned long n, gfp_t gfp, unsigned long *used)
{
	unsigned long pending = __atomic_add_fetch(&page_limits.pending, n, __ATOMIC_ACQ_REL);
	unsigned long hard = READ_ONCE(page_limits.hard);
	unsigned long left = reserve_left(gfp, READ_ONCE(page_limits.reserve));

	own_pending += n;
	*used = pages_used() + pending;
	if (*used <= hard && hard - *used >= left)
		return 0;
	page_uncharge(n);
	return *used + left - hard;
}

/* Gives back free memory that would take the process over the limit. */
static void purge_excess(unsigned long used)
{
	unsigned long hard = READ_ONCE(page_limits.hard);
	unsigned long resident = used + zones_dirty_free();

	if (resident > hard)
		zones_purge(0, resident - hard);
}

bool page_charge(unsigned long n, gfp_t gfp)
{
	unsigned long used, missing;
	unsigned int rounds = 0;
	bool stock = true;

	while ((missing = try_charge(n, gfp, &used)) != 0) {
		if (n > READ_ONCE(page_limits.hard) && !(gfp & __GFP_NOFAIL))
			return false;
		/* What this CPU keeps for the next is free memory, once. */
		if (stock && stock_held()) {
			stock_return();
			stock = false;
			continue;
		}
		if (!reclaim_and_retry(gfp, n, missing, &rounds))
			return false;
		if (gfp & __GFP_NOFAIL)
			gfp |= __GFP_HIGH;
	}
	if (unlikely(used > READ_ONCE(page_limits.soft_at)))
		under_pressure(gfp, used);
	if (gfpflags_allow_blocking(gfp))
		purge_excess(used);
	return true;
}

void page_check_soft(unsigned long n, gfp_t gfp)
{
	unsigned long used = pages_used_estimate() + n;

	if (unlikely(used > READ_ONCE(page_limits.soft_at)))
		under_pressure(gfp, used);
}

void page_uncharge(unsigned long n)
{
	own_pending -= n;
	__atomic_sub_fetch(&page_limits.pending, n, __ATOMIC_ACQ_REL);
}

unsigned long page_charge_more(unsigned long n, gfp_t gfp)
{
	unsigned long used;

	/* Nobody is to be sent into reclaim for pages that were not asked for. */
	for (; n; n /= 2) {
		if (try_charge(n, gfp, &used))
			continue;
		if (used <= READ_ONCE(page_limits.soft_at))
			return n;
		page_uncharge(n);
	}
	return 0;
}

/* ---- fork -------------------------------------------------------------------------------------- */

void page_limits_fork_lock(void)
{
	lock_fork(&limits_lock);
}

void page_limits_fork_unlock(void)
{
	unlock(&limits_lock);
}

/* A shrinker may fork, on the way of a request of its thread. */
void page_limits_fork_child(void)
{
	page_limits.pending = own_pending;
}
