// SPDX-License-Identifier: MIT
/*
 * Calls that name a NUMA node: nodes.c; folios on the way (<kmem/folio.h>). On the
 * machine as it is, and with four nodes simulated, for which the test runs itself
 * again.
 */
#include "slab_test.h"

#include <kmem/folio.h>
#include <kmem/numa.h>
#include <kmem/vmalloc.h>
#include <sys/wait.h>
#include <unistd.h>

#include "capture.h"
#include "mm/numa.h"
#include "mm/start.h"

TestSuite(nodes, .timeout = 60);

#define NO_SUCH_NODE	37

Test(nodes, a_node_is_a_preference)
{
	static const int nids[] = { NUMA_NO_NODE, 0, NO_SUCH_NODE };
	struct kmem_cache *s = kmem_cache_create("nodes", 40, NULL, SLAB_NO_MERGE);

	for (unsigned int i = 0; i < ARRAY_SIZE(nids); i++) {
		struct page *page = alloc_pages_node(nids[i], GFP_KERNEL, 2);
		void *exact = alloc_pages_exact_nid(nids[i], 3 * PAGE_SIZE, GFP_KERNEL);
		void *object = kmem_cache_alloc_node(s, GFP_KERNEL | __GFP_ZERO, nids[i]);
		void *p = kmalloc_node(1000, GFP_KERNEL, nids[i]);
		char *z = kzalloc_node(1000, GFP_KERNEL, nids[i]);

		cr_assert(page && exact && object && p && z);
		cr_expect(all_bytes(object, 40, 0) && all_bytes(z, 1000, 0));
		cr_expect(page_to_nid(page) == 0);
		memset(z, 1, 1000);
		memset(object, 1, 40);
		__free_pages(page, 2);
		free_pages_exact(exact, 3 * PAGE_SIZE);
		kmem_cache_free(s, object);
		kfree(p);
		kfree(z);
	}
	kmem_cache_destroy(s);
}

Test(nodes, thisnode_is_that_node_or_nothing)
{
	struct kmem_cache *s = kmem_cache_create("nodes", 40, NULL, SLAB_NO_MERGE);
	gfp_t gfp = GFP_KERNEL | __GFP_THISNODE;
	void *p = kmalloc_node(100, gfp, 0), *q = kmem_cache_alloc_node(s, gfp, NUMA_NO_NODE);
	struct page *page = alloc_pages_node(0, gfp, 0);

	cr_expect(p && q && page);
	kfree(p);
	kmem_cache_free(s, q);
	__free_page(page);
	cr_expect_null(kmalloc_node(100, gfp, NO_SUCH_NODE));
	cr_expect_null(kzalloc_node(100, gfp, NO_SUCH_NODE));
	cr_expect_null(kcalloc_node(10, 10, gfp, NO_SUCH_NODE));
	cr_expect_null(kmem_cache_alloc_node(s, gfp, NO_SUCH_NODE));
	cr_expect_null(alloc_pages_node(NO_SUCH_NODE, gfp, 0));
	cr_expect_null(alloc_pages_exact_nid(NO_SUCH_NODE, 100, gfp));
	cr_expect(cache_live(s) == 0);
	kmem_cache_destroy(s);
}

/* ---- four nodes ------------------------------------------------------------------------- */

#define NODES	4

static int nid_of(const void *p)
{
	return page_to_nid(virt_to_page(p));
}

/* In a program that was started with numa=fake=4. */
static int objects_of_nodes(void)
{
	static void *p[NODES][500], *q[NODES][50];
	struct kmem_cache *s = kmem_cache_create("nodes", 200, NULL, SLAB_NO_MERGE);
	gfp_t gfp = GFP_KERNEL | __GFP_ZERO;
	int bad = nr_nodes != NODES || num_online_nodes() != NODES || node_online(NODES);
	int nid, seen = 0;

	for_each_online_node(nid)
		bad |= nid != seen++;
	bad |= seen != NODES || numa_node_id() < 0 || numa_node_id() >= NODES;

	for (unsigned int i = 0; i < 500 && !bad; i++) {
		for (int nid = 0; nid < NODES; nid++) {
			p[nid][i] = kmem_cache_alloc_node(s, i % 2 ? gfp : gfp | __GFP_THISNODE, nid);
			bad |= !p[nid][i] || !all_bytes(p[nid][i], 200, 0);
			/* Without the flag the local magazines serve their own node. */
			bad |= (i % 2 == 0 || nid != numa_local_node()) && nid_of(p[nid][i]) != nid;
			memset(p[nid][i], nid + 1, 200);
		}
	}
	for (unsigned int i = 0; i < 50; i++) {
		for (int nid = 0; nid < NODES; nid++) {
			q[nid][i] = kmalloc_node(100UL << i % 14, gfp | __GFP_THISNODE, nid);
			bad |= !q[nid][i] || nid_of(q[nid][i]) != nid;
			bad |= !all_bytes(q[nid][i], 100UL << i % 14, 0);
			memset(q[nid][i], 1, 100UL << i % 14);
		}
	}
	for (int nid = 0; nid < NODES; nid++) {
		void *v = vmalloc_node(100000, nid), *z = vzalloc_node(5000, nid);
		struct page *page = alloc_pages_node(nid, gfp | __GFP_THISNODE, 2);
		void *exact = alloc_pages_exact_nid(nid, 20000, gfp | __GFP_THISNODE);

		bad |= nid_of(v) != nid || nid_of(z) != nid || nid_of(exact) != nid ||
		       page_to_nid(page) != nid;
		vfree(v);
		vfree(z);
		free_pages_exact(exact, 20000);
		__free_pages(page, 2);
	}
	bad |= kmalloc_node(100, gfp | __GFP_THISNODE, NODES) != NULL;
	bad |= validate_slab_cache(s) != 0;
	for (int nid = 0; nid < NODES; nid++) {
		for (unsigned int i = 0; i < 500; i++) {
			bad |= !all_bytes(p[nid][i], 200, (unsigned char)(nid + 1));
			kmem_cache_free(s, p[nid][i]);
		}
		for (unsigned int i = 0; i < 50; i++)
			kfree(q[nid][i]);
	}
	bad |= kmem_cache_shrink(s) != 0 && (percpu.mode != PERCPU_RSEQ || percpu.can_drain);
	kmem_cache_destroy(s);
	bad |= validate_slab_caches() != 0 || zones_validate() != 0;
	return bad;
}

/* Runs before Criterion's main() in the program's second life. */
static void __attribute__((constructor)) second_life(void)
{
	const char *line = getenv("KMEM_CMDLINE");

	if (line && strstr(line, "numa=fake=4") && getenv("KMEM_TEST_NODES"))
		/* Where address space is short there is nothing to divide. */
		_exit(mm_init() && nr_nodes == 1 && host_address_limit() != SIZE_MAX ? 77 :
		      objects_of_nodes());
}

static int run_again(const char *line)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		setenv("KMEM_CMDLINE", line, 1);
		setenv("KMEM_TEST_NODES", "1", 1);
		execl("/proc/self/exe", "test_nodes", NULL);
		_exit(99);
	}
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	return status;
}

Test(nodes, objects_of_four_nodes)
{
	int status;

	if (emulated())
		cr_skip_test("an emulator cannot start itself again");
	status = run_again("numa=fake=4");
	if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
		cr_skip_test("address space is short");
	cr_expect_eq(status, 0);
	cr_expect_eq(run_again("numa=fake=4 rseq=off"), 0);
	cr_expect_eq(run_again("numa=fake=4 slab_debug=F"), 0);
}

Test(nodes, there_is_a_node)
{
	int nid, seen = 0;

	for_each_online_node(nid) {
		cr_expect(node_online(nid));
		seen++;
	}
	cr_expect(seen >= 1 && seen == (int)num_online_nodes());
	cr_expect(node_online(numa_node_id()));
	cr_expect_not(node_online(-1) || node_online(NO_SUCH_NODE));
}

Test(nodes, array_size_overflow_gives_null)
{
	volatile size_t n = SIZE_MAX / 2 + 2;

	cr_expect_null(kmalloc_array_node(n, 2, GFP_KERNEL, 0));
	cr_expect_null(kcalloc_node(2, n, GFP_KERNEL, NUMA_NO_NODE));
	cr_expect(kcalloc_node(0, 8, GFP_KERNEL, 0) == ZERO_SIZE_PTR);
}

Test(nodes, order_too_large_gives_null)
{
	printk_sink = sink_drop;
	cr_expect_null(alloc_pages_node(0, GFP_KERNEL, MAX_PAGE_ORDER + 1));
	cr_expect_null(folio_alloc(GFP_KERNEL, MAX_PAGE_ORDER + 1));
}

Test(nodes, a_folio_is_one_block)
{
	for (unsigned int order = 0; order <= MAX_PAGE_ORDER; order += 2) {
		struct folio *folio = folio_alloc(GFP_KERNEL | __GFP_ZERO, order);
		char *p;

		cr_assert_not_null(folio);
		p = folio_address(folio);
		cr_expect(folio_order(folio) == order && folio_nr_pages(folio) == 1UL << order);
		cr_expect(folio_size(folio) == PAGE_SIZE << order && folio_nid(folio) == 0);
		cr_expect(all_bytes(p, folio_size(folio), 0));
		cr_expect(virt_to_folio(p + folio_size(folio) - 1) == folio);
		cr_expect(page_folio(folio_page(folio, folio_nr_pages(folio) - 1)) == folio);
		memset(p, 1, folio_size(folio));
		folio_get(folio);
		cr_expect(folio_ref_count(folio) == 2);
		folio_put(folio);
		cr_expect(folio_ref_count(folio) == 1);
		folio_put(folio);
	}
	cr_expect(zones_validate() == 0);
}
