// SPDX-License-Identifier: MIT
/*
 * What the flags of an allocation mean, by every way to allocate: a test for each line of
 * the table in Documentation/mm/page_alloc.rst that can be seen from outside. How they
 * are kept is tested with page_limit.c and vmscan.c.
 */
#include "slab_test.h"

#include <errno.h>
#include <kmem/dmapool.h>
#include <kmem/folio.h>
#include <kmem/limit.h>
#include <kmem/memalloc.h>
#include <kmem/mempool.h>
#include <kmem/page_frag.h>
#include <kmem/percpu.h>
#include <kmem/shrinker.h>
#include <kmem/string.h>
#include <kmem/vmalloc.h>

#include "capture.h"
#include "mm/page_limit.h"

TestSuite(gfp, .timeout = 100);

#define MIB	(1UL << 20)

/* ---- every way to allocate ------------------------------------------------------------ */

static struct kmem_cache *plain, *made;
static struct kmem_cache *near_limit;
static struct slab_sheaf *sheaf;
static mempool_t *pool;
static struct dma_pool *dma;
static struct page_frag_cache frags;
static kmem_buckets *buckets;
static void *resized[4];

static void ctor(void *p)
{
	memset(p, 0x11, 160);
}

static void prepare(void)
{
	plain = kmem_cache_create("gfp-plain", 96, NULL, SLAB_NO_MERGE);
	made = kmem_cache_create("gfp-made", 160, 0, 0, ctor);
	sheaf = kmem_cache_prefill_sheaf(plain, GFP_KERNEL, 2);
	pool = mempool_create_kmalloc_pool(4, 3000);
	dma = dma_pool_create("gfp", NULL, 48, 16, 4096);
	buckets = kmem_buckets_create("gfp", 0, 0, 0, NULL);
	for (unsigned int i = 0; i < ARRAY_SIZE(resized); i++)
		resized[i] = i < 2 ? kmalloc(40 + 4000 * i, GFP_KERNEL) : vmalloc(70000);
	cr_assert(plain && made && sheaf && pool && dma && buckets && resized[3]);
}

static void *resize(unsigned int i, size_t size, gfp_t gfp)
{
	void *p;

	switch (i) {
	case 0:
		p = krealloc(resized[i], size, gfp);
		break;
	case 1:
		p = krealloc_node_align(resized[i], size, 256, gfp, 0);
		break;
	case 2:
		p = vrealloc(resized[i], size, gfp);
		break;
	default:
		p = kvrealloc(resized[i], size, gfp);
	}
	if (p)
		resized[i] = p;
	return p;
}

static bool small_ways(unsigned int i, gfp_t gfp)
{
	void *array[5];
	dma_addr_t handle;

	switch (i % 12) {
	case 0:
		return kmem_cache_alloc(plain, gfp);
	case 1:
		return kmem_cache_zalloc(plain, gfp);
	case 2:
		return kmem_cache_alloc_node(made, gfp, 0);
	case 3:
		return kmem_cache_alloc_bulk(i & 16 ? plain : made, gfp, ARRAY_SIZE(array), array);
	case 4:
		return kmem_cache_refill_sheaf(plain, gfp, &sheaf, 1 + i % 9) == 0 &&
		       kmem_cache_alloc_from_sheaf(plain, gfp, sheaf);
	case 5:
		return kmem_cache_prefill_sheaf(made, gfp, 3);
	case 6:
		return mempool_alloc(pool, gfp);
	case 7:
		return dma_pool_alloc(dma, gfp, &handle);
	case 8:
		return page_frag_alloc(&frags, 1 + i % 5000, gfp);
	case 9:
		return kmem_buckets_alloc(buckets, 8 + i % 2000, gfp);
	case 10:
		return kstrdup("a string", gfp) && kmemdup(array, sizeof(array), gfp);
	default:
		return kcalloc_node(1 + i % 3, 1 + i % 900, gfp, NUMA_NO_NODE) &&
		       kmalloc_array(3, 1 + i % 77, gfp);
	}
}

static bool large_ways(unsigned int i, gfp_t gfp)
{
	struct page *array[5] = { NULL };

	switch (i % 9) {
	case 0:
		return alloc_pages(gfp | (i & 16 ? __GFP_COMP : 0), i % 11);
	case 1:
		return alloc_pages_bulk(gfp, 5, array) == 5;
	case 2:
		return alloc_pages_exact(1 + i * 4099 % 300000, gfp);
	case 3:
		return alloc_contig_pages(1 + i % 700, gfp);
	case 4:
		return folio_alloc(gfp, i % 6);
	case 5:
		return kvmalloc(1 + i * 10007 % (2 * MIB), gfp);
	case 6:
		return __vmalloc(1 + i * 7001 % MIB, gfp);
	case 7:
		return resize(i / 9 % 4, 1 + i * 3001 % 200000, gfp);
	default:
		return get_zeroed_page(gfp) && __alloc_percpu_gfp(1 + i % 300, 8, gfp);
	}
}

/* ---- NOWAIT, ATOMIC ----------------------------------------------------------------------- */

static gfp_t wanted;

/* All ways, beyond the end of what is at hand. */
static void call_everything(void)
{
	unsigned long got = 0, refused = 0;

	if (!no_more_system_calls())
		_exit(77);
	for (unsigned int i = 0; i < 20000; i++) {
		if (small_ways(i, wanted))
			got++;
		if (i % 4 == 0 && !large_ways(i / 4, wanted))
			refused++;
	}
	_exit(got && refused ? 0 : 1);
}

static void makes_no_system_call(gfp_t gfp)
{
	int status;

	prepare();
	wanted = gfp;
	status = capture_child(call_everything);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
		cr_skip_test("no seccomp");
	cr_expect_eq(status, 0, "status %#x: %s", status,
		     WIFSIGNALED(status) ? "it made a system call" : captured);
}

Test(gfp, nowait_never_calls_the_kernel_by_any_way)
{
	makes_no_system_call(GFP_NOWAIT);
}

Test(gfp, atomic_never_calls_the_kernel_by_any_way)
{
	makes_no_system_call(GFP_ATOMIC | __GFP_NOWARN);
}

Test(gfp, nowait_never_calls_the_kernel_at_a_limit)
{
	cr_assert_eq(kmem_set_limit(8 * MIB, 6 * MIB), 0);
	makes_no_system_call(GFP_NOWAIT);
}

/* That the filter would notice. */
Test(gfp, kernel_does_call_it)
{
	int status;

	prepare();
	wanted = GFP_KERNEL | __GFP_NOWARN;
	status = capture_child(call_everything);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
		cr_skip_test("no seccomp");
	cr_expect(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS, "status %#x", status);
}

static unsigned int take_pages(gfp_t gfp)
{
	unsigned int n = 0;

	while (alloc_pages(gfp, 0))
		n++;
	return n;
}

Test(gfp, atomic_may_use_reserves)
{
	__free_page(alloc_pages(GFP_ATOMIC, 0));
	cr_assert_eq(kmem_set_limit(16 * MIB, KMEM_LIMIT_NONE), 0);
	take_pages(GFP_KERNEL | __GFP_NOWARN);
	cr_expect_eq(take_pages(GFP_NOWAIT), 0);
	cr_expect_gt(take_pages(GFP_ATOMIC | __GFP_NOWARN), 0);
	cr_expect_eq(take_pages(GFP_ATOMIC | __GFP_NOMEMALLOC | __GFP_NOWARN), 0);
	cr_expect_gt(take_pages(GFP_ATOMIC | __GFP_MEMALLOC | __GFP_NOWARN), 0);
	cr_expect_eq(pages_used(), 16 * MIB >> PAGE_SHIFT, "to the last page");
}

/* ---- ZERO ---------------------------------------------------------------------------------- */

static bool zeros(const void *p, size_t size)
{
	return p && all_bytes(p, size, 0);
}

Test(gfp, zero_zeroes_by_every_way)
{
	gfp_t gfp = GFP_KERNEL | __GFP_ZERO;

	prepare();
	for (size_t size = 8; size < 300000; size += size / 3 + 8) {
		void *p = kmalloc(size, GFP_KERNEL), *q = vmalloc(size);
		unsigned int order = (unsigned int)get_order(size);
		struct page *page = alloc_pages(GFP_KERNEL, order);

		memset(p, 0xff, size);
		memset(q, 0xff, size);
		memset(page_address(page), 0xff, PAGE_SIZE << order);
		kfree(p);
		vfree(q);
		__free_pages(page, order);
		p = kmalloc(size, gfp);
		q = __vmalloc(size, gfp);
		page = alloc_pages(gfp, order);
		cr_expect(zeros(p, ksize(p)), "kmalloc(%zu)", size);
		cr_expect(zeros(q, size), "vmalloc(%zu)", size);
		cr_expect(zeros(page_address(page), PAGE_SIZE << order), "order %u", order);
		kfree(p);
		vfree(q);
		__free_pages(page, order);
		p = alloc_pages_exact(size, gfp);
		cr_expect(zeros(p, size));
		free_pages_exact(p, size);
	}
	for (unsigned int i = 0; i < 300; i++) {
		void *p[3];

		cr_assert(kmem_cache_alloc_bulk(plain, gfp, 3, p) == 3);
		cr_assert(zeros(p[0], 96) && zeros(p[1], 96) && zeros(p[2], 96));
		memset(p[0], 1, 96);
		memset(p[1], 1, 96);
		memset(p[2], 1, 96);
		kmem_cache_free_bulk(plain, 3, p);
	}
	cr_expect(zeros(kmem_cache_alloc_from_sheaf(plain, gfp, sheaf), 96));
}

/* ---- NOFAIL, NORETRY, NOWARN ------------------------------------------------------------- */

static void *give_way(void *p)
{
	usleep(100000);
	kfree(p);
	return NULL;
}

/* It waits until another thread frees, by each way that can. */
static void waits(void *(*alloc)(void), void (*free_it)(const void *))
{
	void *hog = kmalloc(14 * MIB, GFP_KERNEL), *p;
	pthread_t thread;

	cr_assert_not_null(hog);
	cr_assert_eq(pthread_create(&thread, NULL, give_way, hog), 0);
	p = alloc();
	cr_expect_not_null(p);
	pthread_join(thread, NULL);
	free_it(p);
}

static void *nofail_large(void)
{
	return kmalloc(8 * MIB, GFP_KERNEL | __GFP_NOFAIL);
}

static void *nofail_object(void)
{
	return kmem_cache_alloc(near_limit, GFP_KERNEL | __GFP_NOFAIL);
}

static void *nofail_area(void)
{
	return __vmalloc(8 * MIB, GFP_KERNEL | __GFP_NOFAIL);
}

Test(gfp, nofail_waits)
{
	near_limit = kmem_cache_create("gfp-large", 4 * MIB, NULL, 0);
	cr_assert_eq(kmem_set_limit(16 * MIB, KMEM_LIMIT_NONE), 0);
	waits(nofail_large, kfree);
	waits(nofail_object, kfree);
	waits(nofail_area, vfree);
}

Test(gfp, nowarn_is_silent_and_all_else_is_not)
{
	cr_assert_eq(kmem_set_limit(8 * MIB, KMEM_LIMIT_NONE), 0);
	sink_catch();
	cr_expect_null(kmalloc(16 * MIB, GFP_KERNEL | __GFP_NOWARN));
	cr_expect_null(kmalloc(16 * MIB, GFP_NOWAIT));
	cr_expect_null(alloc_pages(GFP_KERNEL | __GFP_NOWARN, MAX_PAGE_ORDER + 1));
	cr_expect_eq(strlen(sink_text), 0, "%s", sink_text);
	cr_expect_null(kmalloc(16 * MIB, GFP_KERNEL));
	cr_expect(sink_has("page allocation failure: order:12, mode:0xcc0(GFP_KERNEL)"), "%s",
		  sink_text);
	cr_expect(sink_has("Mem-Info:") && sink_has("limit:8192kB") && sink_has("Slab info:"));
	/* The next ones are counted, and told about later. */
	sink_catch();
	for (unsigned int i = 0; i < 1000; i++)
		kmalloc(16 * MIB, GFP_KERNEL);
	cr_expect_leq(sink_count("page allocation failure"), 2, "%s", sink_text);
}

/* ---- direct reclaim ------------------------------------------------------------------------ */

static struct {
	void *kept[64];		/* large objects that the shrinker lets go */
	unsigned int nr;
	unsigned long cached_at_scan;
	gfp_t gfp;
} store;

static unsigned long store_count(struct shrinker *s, struct shrink_control *sc)
{
	(void)s;
	store.gfp = sc->gfp_mask;
	return store.nr;
}

static unsigned long store_scan(struct shrinker *s, struct shrink_control *sc)
{
	unsigned long n = 0;

	(void)s;
	if (!store.cached_at_scan)
		store.cached_at_scan = plain->node.nr_inuse;
	for (; store.nr && n < sc->nr_to_scan; n++)
		kfree(store.kept[--store.nr]);
	return n;
}

static struct shrinker *store_open(void)
{
	struct shrinker *s = shrinker_alloc(0, "gfp");

	cr_assert(s && plain);
	s->count_objects = store_count;
	s->scan_objects = store_scan;
	s->batch = 1;
	s->seeks = 0;	/* half of them at the gentlest priority */
	shrinker_register(s);
	return s;
}

/* Shrinkers first, while what lies in magazines still does; then that; then it is enough. */
Test(gfp, direct_reclaim_runs_shrinkers_then_drains_caches)
{
	struct shrinker *s;
	void *p[100];

	if (percpu.mode == PERCPU_RSEQ && !percpu.can_drain)
		return;
	prepare();
	s = store_open();
	cr_assert_eq(kmem_cache_alloc_bulk(plain, GFP_KERNEL, 100, p), 100);
	kmem_cache_free_bulk(plain, 100, p);
	cr_assert_gt(plain->node.nr_inuse, 2, "in magazines");
	cr_assert_eq(kmem_set_limit(16 * MIB, KMEM_LIMIT_NONE), 0);
	while (store.nr < 64 && pages_used() < (12 * MIB >> PAGE_SHIFT))
		store.kept[store.nr++] = kmalloc(256 << 10, GFP_KERNEL);
	p[0] = kmalloc(12 * MIB, GFP_KERNEL);
	cr_expect_not_null(p[0]);
	cr_expect_gt(store.cached_at_scan, 2, "magazines were emptied before the shrinkers ran");
	cr_expect_leq(plain->node.nr_inuse, 2, "and not after: %lu", plain->node.nr_inuse);
	cr_expect_eq(store.gfp, GFP_KERNEL);
	kfree(p[0]);
	kmem_set_limit(KMEM_LIMIT_NONE, KMEM_LIMIT_NONE);
	shrinker_free(s);
}

Test(gfp, io_and_fs_are_handed_to_shrinkers)
{
	static const gfp_t flags[] = { GFP_KERNEL, GFP_NOFS, GFP_NOIO, GFP_USER };
	struct shrinker *s;

	prepare();
	s = store_open();
	cr_assert_eq(kmem_set_limit(16 * MIB, KMEM_LIMIT_NONE), 0);
	for (unsigned int i = 0; i < ARRAY_SIZE(flags); i++) {
		void *p;

		store.gfp = 0;
		while (store.nr < 16)
			store.kept[store.nr++] = kmalloc(256 << 10, GFP_KERNEL);
		p = kmalloc(14 * MIB, flags[i]);
		cr_expect_not_null(p);
		cr_expect_eq(store.gfp & (__GFP_IO | __GFP_FS), flags[i] & (__GFP_IO | __GFP_FS),
			     "%#x", store.gfp);
		kfree(p);
	}
	kmem_set_limit(KMEM_LIMIT_NONE, KMEM_LIMIT_NONE);
	shrinker_free(s);
}

/* ---- where ---------------------------------------------------------------------------------- */

Test(gfp, comp_makes_a_compound_page)
{
	struct page *page = alloc_pages(GFP_KERNEL | __GFP_COMP, 4);
	struct page *flat = alloc_pages(GFP_KERNEL, 4);

	cr_expect(compound_order(page) == 4 && compound_head(page + 11) == page);
	cr_expect(page_size(page) == PAGE_SIZE << 4 && compound_order(flat) == 0);
	__free_pages(page, 4);
	__free_pages(flat, 4);
}

Test(gfp, dma32_is_below_four_gib)
{
	struct page *page = alloc_pages(GFP_KERNEL | __GFP_DMA32, 2);

	cr_assert_not_null(page);
	if ((unsigned long)page_address(page) >> 32)
		cr_skip_test("no room there");
	__free_pages(page, 2);
}

Test(gfp, thisnode_is_that_node_or_nothing)
{
	struct page *page = alloc_pages_node(0, GFP_KERNEL | __GFP_THISNODE, 1);

	cr_assert_not_null(page);
	cr_expect_eq(page_to_nid(page), 0);
	__free_pages(page, 1);
	cr_expect_null(alloc_pages_node(63, GFP_KERNEL | __GFP_THISNODE | __GFP_NOWARN, 1));
	cr_expect_null(kmalloc_node(100, GFP_KERNEL | __GFP_THISNODE | __GFP_NOWARN, 63));
	page = alloc_pages_node(63, GFP_KERNEL, 1);
	cr_expect_not_null(page, "a wish");
	__free_pages(page, 1);
}

/* ---- bits ------------------------------------------------------------------------------------ */

#define ALL_FLAGS							\
	(__GFP_DMA | __GFP_HIGHMEM | __GFP_DMA32 | __GFP_MOVABLE | __GFP_RECLAIMABLE |	\
	 __GFP_HIGH | __GFP_IO | __GFP_FS | __GFP_ZERO | __GFP_DIRECT_RECLAIM |		\
	 __GFP_KSWAPD_RECLAIM | __GFP_WRITE | __GFP_NOWARN | __GFP_RETRY_MAYFAIL |	\
	 __GFP_NOFAIL | __GFP_NORETRY | __GFP_MEMALLOC | __GFP_COMP | __GFP_NOMEMALLOC |	\
	 __GFP_HARDWALL | __GFP_THISNODE | __GFP_ACCOUNT | __GFP_ZEROTAGS |		\
	 __GFP_SKIP_ZERO | __GFP_NOLOCKDEP | __GFP_SKIP_KASAN)

/* What radix trees count on: marks above all flags, numbers of their own below the zones' end. */
Test(gfp, bits_above_the_flags_are_the_callers)
{
	BUILD_BUG_ON((ALL_FLAGS & ~__GFP_BITS_MASK) != 0);
	BUILD_BUG_ON((__GFP_BITS_MASK & ~ALL_FLAGS) >> (__GFP_BITS_SHIFT - 1) != 0);
	BUILD_BUG_ON(__GFP_BITS_SHIFT + 4 > 32);
	BUILD_BUG_ON(GFP_ZONEMASK != 0xf);
	BUILD_BUG_ON((GFP_KERNEL & GFP_ZONEMASK) != 0 || (GFP_ATOMIC & GFP_ZONEMASK) != 0);
	BUILD_BUG_ON((GFP_TRANSHUGE_LIGHT & __GFP_RECLAIM) != 0);
	BUILD_BUG_ON((GFP_TRANSHUGE & __GFP_RECLAIM) != __GFP_DIRECT_RECLAIM);
	might_alloc(GFP_KERNEL);
	cr_expect(gfpflags_allow_blocking(GFP_TRANSHUGE));
	cr_expect(!gfpflags_allow_blocking(GFP_TRANSHUGE_LIGHT | ~__GFP_BITS_MASK));
}

Test(gfp, bits_above_the_flags_are_passed_over_by_every_way)
{
	gfp_t stray = GFP_KERNEL | ~__GFP_BITS_MASK;
	unsigned char *zeros;

	prepare();
	for (unsigned int i = 0; i < 12 * 9 * 4; i++) {
		cr_expect(small_ways(i, stray), "small way %u", i % 12);
		cr_expect(large_ways(i, stray), "large way %u", i % 9);
	}
	zeros = kmalloc(700, stray | __GFP_ZERO);
	cr_expect(zeros && all_bytes(zeros, 700, 0));
	kfree(zeros);
}

Test(gfp, bits_above_the_flags_are_refused_where_few_are_taken)
{
	sink_catch();
	cr_expect_null(kmalloc_nolock(64, 1u << __GFP_BITS_SHIFT, NUMA_NO_NODE));
	cr_expect_null(alloc_pages_nolock(1u << __GFP_BITS_SHIFT, NUMA_NO_NODE, 0));
	cr_expect_eq(sink_count("mean nothing here"), 2, "%s", sink_text);
}
