// SPDX-License-Identifier: MIT
/*
 * A C++ program includes every public header and uses what is a macro, a builtin or
 * overloaded in them.
 */
#include <kmem/blockpool.h>
#include <kmem/cleanup.h>
#include <kmem/dmapool.h>
#include <kmem/folio.h>
#include <kmem/genalloc.h>
#include <kmem/gfp.h>
#include <kmem/highmem.h>
#include <kmem/kmalloc_obj.h>
#include <kmem/limit.h>
#include <kmem/malloc.h>
#include <kmem/memalloc.h>
#include <kmem/mempool.h>
#include <kmem/numa.h>
#include <kmem/overflow.h>
#include <kmem/page_alloc.h>
#include <kmem/page_frag.h>
#include <kmem/percpu.h>
#include <kmem/pfn.h>
#include <kmem/pool.h>
#include <kmem/rcu.h>
#include <kmem/region.h>
#include <kmem/sheaf.h>
#include <kmem/shrinker.h>
#include <kmem/slab.h>
#include <kmem/slabinfo.h>
#include <kmem/string.h>
#include <kmem/types.h>
#include <kmem/umem.h>
#include <kmem/vmalloc.h>

struct point {
	long x, y;
};

struct list {
	unsigned int n;
	point points[1];
};

static int failures;

static void check(bool good)
{
	failures += !good;
}

static point *make_point(long x)
{
	point *p __free(kfree) = kzalloc_obj(point);

	if (p)
		p->x = x;
	return_ptr(p);
}

static void construct(void *p)
{
	static_cast<point *>(p)->x = 5;
}

static void caches()
{
	kmem_cache_args args = {};
	kmem_cache *a, *b, *c = KMEM_CACHE(point, 0);

	args.ctor = construct;
	a = kmem_cache_create("args", sizeof(point), &args, 0);
	b = kmem_cache_create("old", sizeof(point), 32, 0, construct);
	kmem_cache *d = kmem_cache_create("none", sizeof(point), nullptr, SLAB_HWCACHE_ALIGN);

	check(a && b && c && d);
	kmem_cache *all[] = { a, b, c, d };
	for (kmem_cache *s : all) {
		point *p = static_cast<point *>(kmem_cache_alloc_node(s, GFP_KERNEL, NUMA_NO_NODE));

		check(p && (s == c || s == d || p->x == 5));
		kmem_cache_free(s, p);
		kmem_cache_destroy(s);
	}
}

static void pools()
{
	mp_pool_s *pool = mp_create_pool(PAGE_SIZE);
	mempool_t *reserve = mempool_create_kmalloc_pool(2, 100);
	gen_pool *ranges = gen_pool_create(4, -1);
	blockpool blocks;

	check(pool && mp_malloc(pool, 10) && mp_cleanup_add(pool, sizeof(point)));
	mp_destroy_pool(pool);
	check(reserve && mempool_is_saturated(reserve));
	mempool_destroy(reserve);
	check(gen_pool_add(ranges, 4096, 64, -1) == 0 && gen_pool_alloc(ranges, 60) == 4096);
	gen_pool_free(ranges, 4096, 60);
	gen_pool_destroy(ranges);
	check(blockpool_init(&blocks, 32) == BLOCKPOOL_OK && blockpool_alloc(&blocks, 32));
	check(blockpool_destroy(&blocks) == 0);
	check(mmInit(100) == 0 && mmFree(mmAlloc(10)) == 0 && mmDestroy() == 0);
}

struct counters {
	unsigned int events;
	void *last;
};

static void percpu()
{
	counters *c __free(free_percpu) = alloc_percpu(counters);
	unsigned int cpu, sum = 0;

	this_cpu_inc(c->events);
	this_cpu_add(c->events, 4);
	check(this_cpu_xchg(c->last, &sum) == nullptr || num_possible_cpus() > 1);
	for_each_possible_cpu(cpu)
		sum += per_cpu_ptr(c, cpu)->events;
	check(sum == 5);
}

int main()
{
	point *p = make_point(3), *q = kvmalloc_objs(*q, 10, GFP_NOWAIT);
	list *l = kzalloc_flex(list, points, 4);
	char *s = kasprintf(GFP_KERNEL, "%d%s", 1, "x");
	char *page __free(free_page) = reinterpret_cast<char *>(get_zeroed_page(GFP_KERNEL));
	void *v __free(vfree) = vmalloc(5000);
	void *m = MyMalloc(10), *frag;
	page_frag_cache nc = {};
	folio *f = folio_alloc(GFP_KERNEL, 1);
	dma_addr_t handle;
	dma_pool *pool = dma_pool_create("cc", nullptr, 64, 64, 4096);

	check(struct_size(l, points, 3) == sizeof(list) + 3 * sizeof(point));
	check(size_add(SIZE_MAX, 1) == SIZE_MAX && pfn_to_virt(virt_to_pfn(page)) == page);
	memzero_page(virt_to_page(page), 0, PAGE_SIZE);
	caches();
	pools();
	percpu();
	check(p && p->x == 3 && p->y == 0);
	check(q && l && l->points[3].y == 0 && s && s[1] == 'x' && page && !page[7]);
	check(is_vmalloc_addr(v) && m && folio_size(f) == 2 * PAGE_SIZE);
	frag = page_frag_alloc(&nc, 10, GFP_KERNEL);
	page_frag_free(frag);
	page_frag_cache_drain(&nc);
	void *block = dma_pool_alloc(pool, GFP_KERNEL, &handle);
	dma_pool_free(pool, block, handle);
	dma_pool_destroy(pool);
	check(kmalloc_noprof(0, GFP_KERNEL) == ZERO_SIZE_PTR);
	folio_put(f);
	MyFree(m);
	kfree(s);
	kfree(l);
	kvfree(q);
	kfree(p);
	return failures != 0;
}
