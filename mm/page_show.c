// SPDX-License-Identifier: MIT
/*
 * page_show.c - the report of a request that failed, in the kernel's form.
 *
 *	cc1: page allocation failure: order:4, mode:0xcc0(GFP_KERNEL), nodemask=(null)
 *	CPU: 3 PID: 4711 Comm: cc1
 *	Mem-Info:
 *	used:64512kB limit:65536kB soft:none pending:64kB
 *	Node 0 zone 0 free:96kB resident:96kB parked:0kB min:1024kB low:1280kB ...
 *	Node 0 zone 0: 4*4kB (UM) 2*8kB (U) 0*16kB ... 0*4096kB = 96kB
 *	Slab info:
 *	Name                             Used        Total
 *	kmalloc-64                    51200KB      51264KB
 *
 * Bounded: the first line at most once a second, the rest at most every ten, with
 * the number of failures that went unreported; a program that fails a million
 * times says so in a few lines. With __GFP_NOWARN nothing is said.
 *
 * Everything is copied under the zone's lock and printed without.
 */
#include "page_limit.h"

#include <string.h>

#include "base/printk.h"
#include "buddy.h"
#include "host/host.h"

#define LINE_MS		1000U
#define REPORT_MS	10000U

void (*show_caches_hook)(gfp_t gfp);

/* ---- flags by name -------------------------------------------------------------------- */

static const struct gfp_name {
	gfp_t mask;
	const char *name;
} names[] = {
	/* Those of several bits come before their parts. */
	{ GFP_HIGHUSER_MOVABLE, "GFP_HIGHUSER_MOVABLE" },
	{ GFP_HIGHUSER, "GFP_HIGHUSER" },
	{ GFP_KERNEL_ACCOUNT, "GFP_KERNEL_ACCOUNT" },
	{ GFP_USER, "GFP_USER" },
	{ GFP_KERNEL, "GFP_KERNEL" },
	{ GFP_NOFS, "GFP_NOFS" },
	{ GFP_NOIO, "GFP_NOIO" },
	{ GFP_ATOMIC, "GFP_ATOMIC" },
	{ GFP_NOWAIT, "GFP_NOWAIT" },
	{ __GFP_DMA, "GFP_DMA" },
	{ __GFP_DMA32, "GFP_DMA32" },
	{ __GFP_HIGHMEM, "__GFP_HIGHMEM" },
	{ __GFP_MOVABLE, "__GFP_MOVABLE" },
	{ __GFP_RECLAIMABLE, "__GFP_RECLAIMABLE" },
	{ __GFP_HIGH, "__GFP_HIGH" },
	{ __GFP_IO, "__GFP_IO" },
	{ __GFP_FS, "__GFP_FS" },
	{ __GFP_ZERO, "__GFP_ZERO" },
	{ __GFP_DIRECT_RECLAIM, "__GFP_DIRECT_RECLAIM" },
	{ __GFP_KSWAPD_RECLAIM, "__GFP_KSWAPD_RECLAIM" },
	{ __GFP_WRITE, "__GFP_WRITE" },
	{ __GFP_NOWARN, "__GFP_NOWARN" },
	{ __GFP_RETRY_MAYFAIL, "__GFP_RETRY_MAYFAIL" },
	{ __GFP_NOFAIL, "__GFP_NOFAIL" },
	{ __GFP_NORETRY, "__GFP_NORETRY" },
	{ __GFP_MEMALLOC, "__GFP_MEMALLOC" },
	{ __GFP_NOMEMALLOC, "__GFP_NOMEMALLOC" },
	{ __GFP_COMP, "__GFP_COMP" },
	{ __GFP_HARDWALL, "__GFP_HARDWALL" },
	{ __GFP_THISNODE, "__GFP_THISNODE" },
	{ __GFP_ACCOUNT, "__GFP_ACCOUNT" },
	{ __GFP_ZEROTAGS, "__GFP_ZEROTAGS" },
	{ __GFP_SKIP_ZERO, "__GFP_SKIP_ZERO" },
};

char *gfp_names(gfp_t gfp, char *buf, size_t size)
{
	size_t len = 0;

	buf[0] = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(names) && len < size; i++) {
		if ((gfp & names[i].mask) != names[i].mask)
			continue;
		gfp &= ~names[i].mask;
		len += (size_t)kmem_snprintf(buf + len, size - len, "%s%s", len ? "|" : "",
					     names[i].name);
	}
	if ((gfp || !len) && len < size)
		kmem_snprintf(buf + len, size - len, "%s%#x", len ? "|" : "", gfp);
	return buf;
}

/* ---- memory ------------------------------------------------------------------------------ */

static unsigned long kib(unsigned long pages)
{
	return pages << (PAGE_SHIFT - 10);
}

/* "65536kB", or "none" for no limit. */
static const char *kib_or_none(unsigned long pages, char *buf, size_t size)
{
	if (pages == ~0UL)
		return "none";
	kmem_snprintf(buf, size, "%lukB", kib(pages));
	return buf;
}

struct zone_copy {
	unsigned long present, reserved, committed, free, dirty, parked;
	unsigned long nr_free[NR_PAGE_ORDERS];
	u32 mask[MIGRATE_TYPES];
};

static void copy_zone(struct zone *z, struct zone_copy *c)
{
	lock(&z->lock);
	c->present = z->nr_present;
	c->committed = z->nr_committed;
	c->reserved = z->nr_pages;
	c->free = z->nr_free;
	c->dirty = z->nr_dirty_free;
	c->parked = z->nr_parked;
	for (unsigned int o = 0; o < NR_PAGE_ORDERS; o++)
		c->nr_free[o] = z->free_area[o].nr_free;
	memcpy(c->mask, z->free_mask, sizeof(c->mask));
	unlock(&z->lock);
}

static void show_free_area(const struct zone *z, const struct zone_copy *c)
{
	static const char letter[MIGRATE_TYPES] = {
		[MIGRATE_UNMOVABLE] = 'U', [MIGRATE_MOVABLE] = 'M', [MIGRATE_RECLAIMABLE] = 'E',
	};
	char line[512];
	int len = 0;

	for (unsigned int o = 0; o < NR_PAGE_ORDERS; o++) {
		char types[MIGRATE_TYPES + 4] = " (", *t = types + 2;

		for (unsigned int mt = 0; mt < MIGRATE_TYPES; mt++)
			if (c->mask[mt] & (1U << o))
				*t++ = letter[mt];
		*t++ = ')';
		*t = '\0';
		len += kmem_snprintf(line + len, sizeof(line) - (size_t)len, "%lu*%lukB%s ",
				     c->nr_free[o], kib(1UL << o), c->nr_free[o] ? types : "");
	}
	pr_raw("Node %d zone %u: %s= %lukB\n", z->node, z->index, line, kib(c->free));
}

static void show_mem(gfp_t gfp)
{
	char hard[32], soft[32];
	unsigned int n = smp_load_acquire(&nr_zones);

	pr_raw("Mem-Info:\n");
	pr_raw("used:%lukB limit:%s soft:%s pending:%lukB\n", kib(pages_used()),
	       kib_or_none(READ_ONCE(page_limits.hard), hard, sizeof(hard)),
	       kib_or_none(READ_ONCE(page_limits.soft), soft, sizeof(soft)),
	       kib(READ_ONCE(page_limits.pending)));
	for (unsigned int i = 0; i < n; i++) {
		struct zone *z = zones[i];
		struct zone_copy c;

		copy_zone(z, &c);
		pr_raw("Node %d zone %u free:%lukB resident:%lukB parked:%lukB min:%lukB low:%lukB high:%lukB present:%lukB committed:%lukB reserved:%lukB\n",
		       z->node, z->index, kib(c.free), kib(c.dirty), kib(c.parked),
		       kib(page_limits.wmark[WMARK_MIN]), kib(page_limits.wmark[WMARK_LOW]),
		       kib(page_limits.wmark[WMARK_HIGH]), kib(c.present), kib(c.committed),
		       kib(c.reserved));
		show_free_area(z, &c);
	}
	if (READ_ONCE(show_caches_hook))
		show_caches_hook(gfp);
}

/* ---- the report ---------------------------------------------------------------------------- */

/* True for one caller each @ms milliseconds. */
static bool its_time(u32 *last, u32 ms)
{
	u32 now = (u32)host_now_ms() | 1, seen = READ_ONCE(*last);

	return (!seen || now - seen >= ms) &&
	       __atomic_compare_exchange_n(last, &seen, now, false, __ATOMIC_RELAXED,
					   __ATOMIC_RELAXED);
}

void warn_alloc(gfp_t gfp, unsigned long nr_pages)
{
	static u32 last_line, last_report;
	static unsigned long missed;
	unsigned long unsaid;
	char flags[256], comm[16];

	if (gfp & __GFP_NOWARN)
		return;
	if (!its_time(&last_line, LINE_MS)) {
		stat_inc(missed);
		return;
	}
	unsaid = __atomic_exchange_n(&missed, 0, __ATOMIC_RELAXED);
	host_comm(comm);
	if (unsaid)
		pr_raw("%s: %lu page allocation failures were not reported\n", comm, unsaid);
	pr_raw("%s: page allocation failure: order:%u, mode:%#x(%s), nodemask=(null)\n", comm,
	       ilog2_up(nr_pages), gfp, gfp_names(gfp, flags, sizeof(flags)));
	if (!its_time(&last_report, REPORT_MS))
		return;
	pr_raw("CPU: %d PID: %d Comm: %s\n", host_getcpu(), host_getpid(), comm);
	show_mem(gfp);
}
