// SPDX-License-Identifier: MIT
/* Pages without waiting: page_nolock.c. */
#include "pages_test.h"

#include "capture.h"
#include "mm/page_limit.h"
#include "mm/page_nolock.h"

TestSuite(page_nolock, .timeout = 60);

Test(page_nolock, zeroed_compound_blocks)
{
	fresh_zones(64 * MIB);
	for (unsigned int order = 0; order <= MAX_PAGE_ORDER; order++) {
		/* Something that is dirty, so that zeros are work. */
		struct page *page = alloc_pages(GFP_KERNEL, order);
		const char *p;

		memset(page_address(page), 1, PAGE_SIZE << order);
		__free_pages(page, order);
		page = alloc_pages_nolock(0, NUMA_NO_NODE, order);
		cr_assert_not_null(page, "order %u", order);
		cr_expect(page_ref_count(page) == 1 && page_size(page) == PAGE_SIZE << order);
		p = page_address(page);
		cr_expect((unsigned long)p % (PAGE_SIZE << order) == 0);
		cr_expect(p[0] == 0 && !memcmp(p, p + 1, (PAGE_SIZE << order) - 1));
		if (order % 2)
			free_pages_nolock(page, order);
		else
			__free_pages(page, order);
	}
	free_pages_nolock(NULL, 3);
	page_nolock_drain();
	page_alloc_drain();
	assert_all_free();
}

Test(page_nolock, what_it_refuses)
{
	fresh_zones(64 * MIB);
	cr_expect_null(alloc_pages_nolock(0, NUMA_NO_NODE, MAX_PAGE_ORDER + 1));
	cr_expect_null(alloc_pages_nolock(GFP_KERNEL, NUMA_NO_NODE, 0));
}

/* As in a handler that interrupted the holder: it comes back, with a block or without. */
Test(page_nolock, locks_that_are_held)
{
	struct zone *z = fresh_zones(64 * MIB);
	struct page *page, *large = alloc_pages(GFP_KERNEL, 6), *small = alloc_pages(GFP_KERNEL, 0);

	page_alloc_drain();
	lock(&z->lock);
	page = alloc_pages_nolock(0, NUMA_NO_NODE, 6);
	cr_expect_null(page);
	free_pages_nolock(large, 6);
	unlock(&z->lock);
	lock(&pcp_lists[0][MIGRATE_UNMOVABLE].mag.lock);
	page = alloc_pages_nolock(0, NUMA_NO_NODE, 0);
	cr_expect_not_null(page, "the free lists are not locked");
	free_pages_nolock(small, 0);
	free_pages_nolock(page, 0);
	unlock(&pcp_lists[0][MIGRATE_UNMOVABLE].mag.lock);
	page_alloc_drain();
	assert_all_free();
}

/* All but the first page go, that with the last reference, wherever they are kept meanwhile. */
Test(page_nolock, a_referenced_block)
{
	struct page *page;

	fresh_zones(64 * MIB);
	page = alloc_pages(GFP_KERNEL, 5);
	get_page(page);
	free_pages_nolock(page, 5);
	cr_expect_eq(page_ref_count(page), 1);
	free_pages_nolock(page, 0);
	page_alloc_drain();
	assert_all_free();
}

static void wrong_order(void)
{
	free_pages_nolock(alloc_pages(GFP_KERNEL, 2), 3);
}

Test(page_nolock, wrong_order_is_reported)
{
	fresh_zones(64 * MIB);
	assert_aborts(wrong_order, "with another order than it was allocated with");
}

/* The limit is exact: where it cannot be looked at, nothing is given beyond the lists. */
Test(page_nolock, a_hard_limit_stands)
{
	static struct page *page[2048];
	unsigned long n = 0;

	fresh_zones(64 * MIB);
	page_limits_set(4 * MIB >> PAGE_SHIFT, ~0UL);
	while ((page[n] = alloc_pages(GFP_KERNEL | __GFP_NOWARN, 0)))
		n++;
	cr_expect_null(alloc_pages_nolock(0, NUMA_NO_NODE, 0));
	cr_expect_leq(pages_used(), 4 * MIB >> PAGE_SHIFT);
	while (n--)
		free_pages_nolock(page[n], 0);
	page_alloc_drain();
	page_limits_set(~0UL, ~0UL);
	assert_all_free();
}
