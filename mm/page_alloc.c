// SPDX-License-Identifier: MIT
/*
 * page_alloc.c - blocks of pages: the per-CPU page lists, and the kernel's interface.
 *
 *	per-CPU list		orders 0..3; a magazine cache per order and migrate type
 *	zones			page_get.c
 *
 * Requests that say where memory is to lie, and pages that lie elsewhere than the
 * CPU that frees them (another node, below 4 GiB), pass the lists by.
 *
 * Per-CPU lists. A round is the struct page of a block's head, of type PT_PCP.
 * A block goes back to the list of the type that it was asked for with: what a
 * program frees is what it asks for next, whoever's pageblock it lies in. The
 * lists are filled and emptied in batches, under one lock of the zone each.
 *
 * States of a block in use: PT_PCP between the zone and its user (the list's,
 * then the taker's), PT_ALLOC or PT_COMP in the hands of a user of alloc_pages().
 * The pages of a plain block (PT_ALLOC) but the first are PT_NONE until
 * split_page() makes each a block of its own.
 *
 * References. refcount is 1 after allocation. Whoever holds one may take
 * another (get_page) and pass it on; the decrement to 0 frees, with acquire and
 * release so that all uses by all holders come before. A holder that reads 1
 * is the only one, nobody else can make it 2.
 *
 * Locks: none is held on entry; the zone lock, alone, where stated.
 */
#include "buddy.h"
#include "host/host.h"
#include "magazine.h"
#include "numa.h"
#include "page_limit.h"
#include "page_nolock.h"
#include "percpu.h"

#include "base/printk.h"

struct pcp_list pcp_lists[NR_PCP_ORDERS][MIGRATE_TYPES];
/* Orders that the lists serve: 0 until page_alloc_init(). */
static unsigned int nr_pcp_orders;

/* ---- reports ------------------------------------------------------------------------ */

const char *page_type_name(unsigned int type)
{
	static const char *const names[NR_PAGE_TYPES] = {
		[PT_NONE] = "none",	[PT_BUDDY] = "buddy",	[PT_PCP] = "pcp",
		[PT_ALLOC] = "alloc",	[PT_COMP] = "compound",	[PT_LARGE] = "large",
		[PT_SLAB] = "slab",	[PT_TAIL] = "tail",	[PT_ISOLATED] = "isolated",
		[PT_PARKED] = "parked",	[PT_RCU] = "slab in rcu",
		[PT_STOCK] = "stock",
	};

	return type < NR_PAGE_TYPES ? names[type] : "damaged";
}

void bad_page(const struct page *page, const char *reason)
{
	const struct zone *z = page->zone < nr_zones ? page_zone(page) : zones[0];
	const char *addr = zone_page_address(z, page);

	pr_raw("BUG: Bad page state in process %d  pfn:%05lx\n", host_getpid(),
	       (unsigned long)addr >> PAGE_SHIFT);
	pr_raw("page:%p refcount:%d type:%s order:%u zone:%u addr:%p\n", (const void *)page,
	       (int)page->refcount, page_type_name(page->type), page->order, page->zone,
	       (const void *)addr);
	pr_raw("page dumped because: %s\n", reason);
	host_abort();
}

/* ---- runs, taken and given back -------------------------------------------------------- */

/*
 * A run as long as this, 32 MiB, is zeroed by the system, page by page as it is touched: of
 * a table or a matrix of that size it may be a small part. Shorter ones cost less to write
 * than to fault in again. It is where the C library's malloc stops to keep what it maps.
 */
#define ANEW_PAGES	(1UL << (25 - PAGE_SHIFT))
/* Shorter dirty stretches of it are not worth a call each. */
#define ANEW_STRETCH	16UL

static bool take_anew(char *addr, unsigned long n)
{
	size_t size = n << PAGE_SHIFT;

	return n >= ANEW_STRETCH &&
	       IS_ALIGNED((unsigned long)addr | size, PAGE_SIZE << host_page_order) &&
	       host_purge(addr, size, false) == 0;
}

static void zero_pages(char *addr, unsigned long n, bool anew)
{
	if (!anew || !take_anew(addr, n))
		__builtin_memset(addr, 0, n << PAGE_SHIFT);
}

void clear_pages(char *addr, unsigned long n, bool may_wait)
{
	zero_pages(addr, n, n >= ANEW_PAGES && may_wait);
}

/* Zeroes those of @n pages from @addr on whose bit, from bit @first of @map on, is set. */
static void zero_dirty(char *addr, const unsigned long *map, unsigned long first,
		       unsigned long n, bool anew)
{
	unsigned long end = first + n, p = first;

	while ((p = bitmap_find(map, true, p, end)) < end) {
		unsigned long stop = bitmap_find(map, false, p, end);

		zero_pages(addr + ((p - first) << PAGE_SHIFT), stop - p, anew);
		p = stop;
	}
}

/*
 * The bits share words with other blocks' pages, so they are read under the
 * lock, and copied: 1024 at a time, which is one turn for all but long runs.
 */
static void run_zero(struct zone *z, unsigned long start, unsigned long n, bool anew)
{
	unsigned long map[MAX_ORDER_PAGES / BITS_PER_LONG + 1];

	for (;;) {
		unsigned long chunk = min(n, MAX_ORDER_PAGES);
		unsigned long word = start / BITS_PER_LONG;
		unsigned long words = (start + chunk - 1) / BITS_PER_LONG - word + 1;

		for (unsigned long w = 0; w < words; w++)
			map[w] = clean_is_zero() ? z->dirty[word + w] : ~0UL;
		bitmap_set_range(z->dirty, start, start + chunk);
		unlock(&z->lock);
		zero_dirty(z->base + (start << PAGE_SHIFT), map, start % BITS_PER_LONG, chunk,
			   anew);
		start += chunk;
		n -= chunk;
		if (!n)
			return;
		lock(&z->lock);
	}
}

void run_finish(struct zone *z, unsigned long start, unsigned long n, gfp_t gfp)
{
	if (gfp & __GFP_ZERO) {
		run_zero(z, start, n, n >= ANEW_PAGES && gfpflags_allow_blocking(gfp));
	} else {
		bitmap_set_range(z->dirty, start, start + n);
		unlock(&z->lock);
	}
	zone_check_growth(z, gfp);
}

void run_put(struct zone *z, unsigned long start, unsigned long end, unsigned long step)
{
	u32 now = (u32)host_now_ms();
	bool kick;

	lock(&z->lock);
	for (unsigned long p = start; p < end; p += step)
		page_set_type(z->memmap + p, PT_NONE);
	buddy_free(z, start, end, now);
	kick = zone_dirty_pages(z) > READ_ONCE(reclaim_threshold);
	unlock(&z->lock);
	if (unlikely(kick))
		reclaim_kick();
}

/* ---- per-CPU page lists ------------------------------------------------------------------ */

void page_set_pcp(struct zone *z, struct page *page, unsigned int order, enum migratetype mt)
{
	unsigned long start = page_zpn(z, page), end = start + (1UL << order);

	page->order = (u8)order;
	page->migratetype = (u8)mt;
	page->known_zero = clean_is_zero() && bitmap_find(z->dirty, true, start, end) == end;
	page_set_type(page, PT_PCP);
}

static unsigned int pcp_refill(struct magazine_cache *mc, void **rounds, unsigned int n,
			       gfp_t gfp)
{
	struct pcp_list *list = container_of(mc, struct pcp_list, mag);
	unsigned long size = 1UL << list->order;
	struct run_request r = { size, size, list->mt, gfp };
	bool charge = READ_ONCE(page_watch) & WATCH_HARD;
	unsigned long more = 0;
	struct page *page;
	unsigned int got = 0;
	struct zone *z;

	if (unlikely(charge)) {
		more = page_charge_more((n - 1) * size, gfp);
		n = 1 + (unsigned int)(more / size);
	}
	page = run_get(&r, &z);
	if (!page) {
		if (charge)
			page_uncharge(more);
		return 0;
	}
	do {
		unsigned long start = page_zpn(z, page);

		page_set_pcp(z, page, list->order, list->mt);
		bitmap_set_range(z->dirty, start, start + size);
		rounds[got++] = page;
	} while (got < n && (page = buddy_take(z, size, size, list->mt)));
	unlock(&z->lock);
	if (unlikely(charge))
		page_uncharge(more);
	zone_check_growth(z, gfp);

	/* The first that was taken, the best, is the first to be handed out. */
	for (unsigned int i = 0, j = got - 1; i < j; i++, j--) {
		void *tmp = rounds[i];

		rounds[i] = rounds[j];
		rounds[j] = tmp;
	}
	return got;
}

static void pcp_flush(struct magazine_cache *mc, void **rounds, unsigned int n)
{
	unsigned long size = 1UL << container_of(mc, struct pcp_list, mag)->order;
	u32 now = (u32)host_now_ms();
	bool kick = false;

	for (unsigned int i = 0; i < n; ) {
		struct zone *z = page_zone(rounds[i]);

		lock(&z->lock);
		for (; i < n && page_zone(rounds[i]) == z; i++) {
			struct page *page = rounds[i];
			unsigned long start = page_zpn(z, page);

			page_set_type(page, PT_NONE);
			buddy_free(z, start, start + size, now);
		}
		kick |= zone_dirty_pages(z) > READ_ONCE(reclaim_threshold);
		unlock(&z->lock);
	}
	if (unlikely(kick))
		reclaim_kick();
}

static const struct magazine_backend pcp_backend = {
	.refill	= pcp_refill,
	.flush	= pcp_flush,
};

void page_alloc_init(void)
{
	if (nr_pcp_orders)
		return;
	for (unsigned int o = 0; o < NR_PCP_ORDERS; o++) {
		for (unsigned int mt = 0; mt < MIGRATE_TYPES; mt++) {
			struct pcp_list *list = &pcp_lists[o][mt];

			list->order = (u8)o;
			list->mt = (u8)mt;
			magazine_cache_init(&list->mag, percpu_slot_alloc(),
					    PAGE_SIZE << o, &pcp_backend);
		}
	}
	nr_pcp_orders = NR_PCP_ORDERS;
}

void page_alloc_drain(void)
{
	page_nolock_drain();
	stock_drain();
	for (unsigned int o = 0; o < nr_pcp_orders; o++)
		for (unsigned int mt = 0; mt < MIGRATE_TYPES; mt++)
			magazine_cache_drain(&pcp_lists[o][mt].mag, true);
}

void page_alloc_fork_lock(void)
{
	for (unsigned int o = 0; o < nr_pcp_orders; o++)
		for (unsigned int mt = 0; mt < MIGRATE_TYPES; mt++)
			lock_fork(&pcp_lists[o][mt].mag.lock);
}

void page_alloc_fork_unlock(void)
{
	for (unsigned int o = 0; o < nr_pcp_orders; o++)
		for (unsigned int mt = 0; mt < MIGRATE_TYPES; mt++)
			unlock(&pcp_lists[o][mt].mag.lock);
}

/* ---- blocks ---------------------------------------------------------------------------------- */

/* A block of type PT_PCP that is the caller's; zeroed with __GFP_ZERO. */
static struct page *alloc_block(unsigned int order, enum migratetype mt, gfp_t gfp)
{
	unsigned long size = 1UL << order;
	struct run_request r = { size, size, mt, gfp };
	struct page *page;
	struct zone *z;

	if (order < nr_pcp_orders && likely(!(gfp & GFP_PLACE) && !numa_node_is_named())) {
		page = magazine_alloc(&pcp_lists[order][mt].mag, gfp);
		if (page && (gfp & __GFP_ZERO) && !page->known_zero)
			__builtin_memset(page_address(page), 0, PAGE_SIZE << order);
		return page;
	}
	page = run_get(&r, &z);
	if (!page)
		return NULL;
	page_set_pcp(z, page, order, mt);
	run_finish(z, page_zpn(z, page), size, gfp);
	return page;
}

/* The reverse: the head is the caller's, the tails are PT_NONE. */
void page_free_block(struct page *page, unsigned int order)
{
	struct zone *z = page_zone(page);
	unsigned long start = page_zpn(z, page);

	if (order < nr_pcp_orders && likely(numa_zone_is_near(z))) {
		page->order = (u8)order;
		page->known_zero = 0;
		page_set_type(page, PT_PCP);
		magazine_free(&pcp_lists[order][page->migratetype].mag, page);
	} else {
		run_put(z, start, start + (1UL << order), 1UL << order);
	}
}

static void reset_tails(struct page *page, unsigned int order)
{
	for (unsigned long i = 1; i < 1UL << order; i++)
		page_set_type(page + i, PT_NONE);
}

struct page *alloc_slab_pages(unsigned int order, enum migratetype mt, gfp_t gfp)
{
	return alloc_block(order, mt, gfp & ~__GFP_ZERO);
}

void free_slab_pages(struct page *page, unsigned int order)
{
	reset_tails(page, order);
	page_free_block(page, order);
}

/* ---- the kernel's interface: blocks -------------------------------------------------------- */

void page_set_compound(struct page *page, unsigned int order)
{
	if (!order) {
		page_set_type(page, PT_ALLOC);
		return;
	}
	for (u32 i = 1; i < 1U << order; i++) {
		page[i].head_distance = i;
		page_set_type(page + i, PT_TAIL);
	}
	page_set_type(page, PT_COMP);
}

__kmem_export struct page *alloc_pages(gfp_t gfp, unsigned int order)
{
	struct page *page;

	if (unlikely(order > MAX_PAGE_ORDER)) {
		WARN_ONCE(!(gfp & __GFP_NOWARN), "alloc_pages: order %u is above %u", order,
			  MAX_PAGE_ORDER);
		return NULL;
	}
	page = alloc_block(order, gfp_migratetype(gfp), init_flags(gfp));
	if (unlikely(!page))
		return NULL;
	page->refcount = 1;
	if (gfp & __GFP_COMP)
		page_set_compound(page, order);
	else
		page_set_type(page, PT_ALLOC);
	return page;
}

__kmem_export unsigned long __get_free_pages(gfp_t gfp, unsigned int order)
{
	struct page *page = alloc_pages(gfp & ~__GFP_HIGHMEM, order);

	return page ? (unsigned long)page_address(page) : 0;
}

__kmem_export unsigned long get_zeroed_page(gfp_t gfp)
{
	return __get_free_pages(gfp | __GFP_ZERO, 0);
}

/* The head of a block in a user's hands with at least a reference, or a report. */
static void check_live(const struct page *page, const char *reason)
{
	if (unlikely(page->type != PT_ALLOC && page->type != PT_COMP))
		bad_page(page, reason);
	if (unlikely((int)READ_ONCE(page->refcount) <= 0))
		bad_page(page, "no reference left to drop");
}

static bool put_page_testzero(struct page *page)
{
	/* At 1 ours is the only one: nobody is left who could race with us. */
	if (smp_load_acquire(&page->refcount) == 1) {
		page->refcount = 0;
		return true;
	}
	return __atomic_sub_fetch(&page->refcount, 1, __ATOMIC_ACQ_REL) == 0;
}

static void free_last(struct page *page, page_free_fn *free_fn)
{
	unsigned int order = page->order;

	init_freed(page_zone(page), page, 1UL << order);
	if (page->type == PT_COMP)
		reset_tails(page, order);
	free_fn(page, order);
}

/*
 * All but the first page of a plain block whose first has further references.
 * The order is set to 0 while our reference still stands, so that whoever drops
 * the last one (put_page_testzero's release and acquire) frees just one page.
 */
static void free_all_but_first(struct page *page, unsigned int order, page_free_fn *free_fn)
{
	for (unsigned int o = 0; o < order; o++) {
		struct page *part = page + (1UL << o);

		part->order = (u8)o;
		part->migratetype = page->migratetype;
		page_set_type(part, PT_PCP);
	}
	page->order = 0;
	for (unsigned int o = 0; o < order; o++) {
		init_freed(page_zone(page), page + (1UL << o), 1UL << o);
		free_fn(page + (1UL << o), o);
	}
}

void page_drop(struct page *page, unsigned int order, page_free_fn *free_fn)
{
	check_live(page, "__free_pages() of a page that is not the first of a block");
	if (unlikely(page->order != order))
		bad_page(page, "__free_pages() with another order than it was allocated with");
	if (order && page->type == PT_ALLOC && READ_ONCE(page->refcount) != 1)
		free_all_but_first(page, order, free_fn);
	if (put_page_testzero(page))
		free_last(page, free_fn);
}

__kmem_export void __free_pages(struct page *page, unsigned int order)
{
	if (page)
		page_drop(page, order, page_free_block);
}

__kmem_export void free_pages(unsigned long addr, unsigned int order)
{
	struct page *page;

	if (!addr)
		return;
	page = addr & ~PAGE_MASK ? NULL : virt_to_page((void *)addr);
	if (!page)
		BUG("free_pages: %p is no page of the heap", (void *)addr);
	__free_pages(page, order);
}

__kmem_export void split_page(struct page *page, unsigned int order)
{
	check_live(page, "split_page() of a page that is not the first of a block");
	if (unlikely(page->type != PT_ALLOC || page->order != order))
		bad_page(page, "split_page() of a compound block or with another order");
	for (unsigned long i = 1; i < 1UL << order; i++) {
		page[i].order = 0;
		page[i].migratetype = page->migratetype;
		page[i].refcount = 1;
		page_set_type(page + i, PT_ALLOC);
	}
	page->order = 0;
}

__kmem_export unsigned long alloc_pages_bulk(gfp_t gfp, int nr_pages, struct page **page_array)
{
	unsigned long n = 0;

	for (; (long)n < nr_pages; n++) {
		if (page_array[n])
			continue;
		page_array[n] = alloc_pages(gfp & ~__GFP_COMP, 0);
		if (!page_array[n])
			break;
	}
	return n;
}

__kmem_export void free_pages_bulk(struct page **page_array, unsigned long nr_pages)
{
	for (unsigned long i = 0; i < nr_pages; i++)
		__free_pages(page_array[i], 0);
}

/* ---- the kernel's interface: pages ---------------------------------------------------------- */

__kmem_export void *page_address(const struct page *page)
{
	return zone_page_address(page_zone(page), page);
}

__kmem_export struct page *virt_to_page(const void *addr)
{
	struct zone *z = zone_of(addr);

	return z ? z->memmap + zone_zpn(z, addr) : NULL;
}

__kmem_export struct page *virt_to_head_page(const void *addr)
{
	struct page *page = virt_to_page(addr);

	if (!page)
		return NULL;
	switch (READ_ONCE(page->type)) {
	case PT_ALLOC:
	case PT_COMP:
	case PT_LARGE:
	case PT_SLAB:
		return page;
	case PT_TAIL:
		return page_head(page);
	default:
		return NULL;
	}
}

__kmem_export void get_page(struct page *page)
{
	page = page_head(page);
	check_live(page, "get_page() of a page that is in no block");
	__atomic_fetch_add(&page->refcount, 1, __ATOMIC_RELAXED);
}

__kmem_export void put_page(struct page *page)
{
	page = page_head(page);
	check_live(page, "put_page() of a page that is in no block");
	if (put_page_testzero(page))
		free_last(page, page_free_block);
}

__kmem_export struct page *compound_head(const struct page *page)
{
	return page_head((struct page *)page);
}

__kmem_export unsigned int compound_order(const struct page *page)
{
	return page->type == PT_COMP ? page->order : 0;
}

__kmem_export unsigned long page_size(const struct page *page)
{
	return PAGE_SIZE << compound_order(page);
}

__kmem_export int page_to_nid(const struct page *page)
{
	return page_zone(page)->node;
}
