// SPDX-License-Identifier: MIT
/* The numbers of pages, what they are part of, what is in them: <kmem/pfn.h>, <kmem/highmem.h>. */
#include "slab_test.h"

#include <kmem/highmem.h>
#include <kmem/pfn.h>

TestSuite(highmem, .timeout = 60);

Test(highmem, numbers_go_there_and_back)
{
	struct page *page = alloc_pages(GFP_KERNEL, 3), *other = alloc_page(GFP_KERNEL);
	struct page *low = alloc_page(GFP_KERNEL | __GFP_DMA32);
	unsigned long pfn = page_to_pfn(page);
	char *addr = page_address(page);
	int local;

	cr_assert(page && other && low);
	cr_expect_eq(pfn_to_page(pfn), page);
	cr_expect_eq(pfn_to_virt(pfn), addr);
	cr_expect_eq(virt_to_pfn(addr + PAGE_SIZE - 1), pfn);
	cr_expect_eq(virt_to_pfn(addr + PAGE_SIZE), pfn + 1);
	cr_expect(page_to_pfn(other) != pfn && page_to_pfn(low) != pfn);
	cr_expect_eq(pfn_to_page(page_to_pfn(low)), low);
	for (unsigned long i = 0; i < 8; i++) {
		cr_expect_eq(page_to_pfn(nth_page(page, i)), pfn + i);
		cr_expect_eq(page_address(nth_page(page, i)), addr + i * PAGE_SIZE);
	}
	cr_expect(pfn_valid(pfn + 7));
	cr_expect(!pfn_valid(0) && !pfn_valid(~0UL) && !pfn_valid(virt_to_pfn(&local)));
	cr_expect_null(pfn_to_page(virt_to_pfn(&local)));
	__free_page(low);
	__free_page(other);
	__free_pages(page, 3);
}

Test(highmem, rounding)
{
	cr_expect_eq(PFN_UP(0UL), 0);
	cr_expect_eq(PFN_UP(1UL), 1);
	cr_expect_eq(PFN_UP(PAGE_SIZE), 1);
	cr_expect_eq(PFN_UP(PAGE_SIZE + 1), 2);
	cr_expect_eq(PFN_DOWN(PAGE_SIZE - 1), 0);
	cr_expect_eq(PFN_DOWN(2 * PAGE_SIZE + 5), 2);
	cr_expect_eq(PFN_PHYS(1U << 20), 1UL << 32);
	cr_expect_eq(PHYS_PFN(PFN_PHYS(12345)), 12345);
	cr_expect_eq(PFN_ALIGN(PAGE_SIZE + 1), 2 * PAGE_SIZE);
	cr_expect_eq(offset_in_page((void *)(3 * PAGE_SIZE + 77)), 77);
	cr_expect_eq(PAGE_ALIGN_DOWN(3 * PAGE_SIZE + 77), 3 * PAGE_SIZE);
	cr_expect(PAGE_ALIGNED(3 * PAGE_SIZE) && !PAGE_ALIGNED(3 * PAGE_SIZE + 8));
}

Test(highmem, what_a_page_is_part_of)
{
	struct page *block = alloc_pages(GFP_KERNEL | __GFP_COMP, 2);
	struct page *flat = alloc_pages(GFP_KERNEL, 2);
	struct folio *folio = page_folio(block);

	cr_assert(block && flat);
	cr_expect(PageHead(block) && !PageTail(block) && PageCompound(block));
	for (unsigned long i = 1; i < 4; i++) {
		struct page *tail = nth_page(block, i);

		cr_expect(!PageHead(tail) && PageTail(tail) && PageCompound(tail));
		cr_expect(!PageCompound(nth_page(flat, i)));
		cr_expect_eq(folio_page_idx(folio, tail), i);
		cr_expect_eq(folio_page(folio, i), tail);
		cr_expect_eq(pfn_folio(page_to_pfn(tail)), folio);
	}
	cr_expect(!PageCompound(flat));
	cr_expect(compound_nr(block) == 4 && compound_nr(flat) == 1);
	cr_expect(page_shift(block) == PAGE_SHIFT + 2 && page_shift(flat) == PAGE_SHIFT);
	cr_expect(1UL << folio_shift(folio) == folio_size(folio));
	cr_expect(folio_test_large(folio) && !folio_test_large(page_folio(flat)));
	cr_expect_eq(folio_pfn(folio), page_to_pfn(block));
	__free_pages(flat, 2);

	cr_expect(folio_try_get(folio) && folio_try_get(folio));
	cr_expect_eq(folio_ref_count(folio), 3);
	folio_put_refs(folio, 2);
	cr_expect_eq(folio_ref_count(folio), 1);
	cr_expect(page_ref_freeze(block, 1) && !folio_try_get(folio));
	page_ref_unfreeze(block, 1);
	folio_put_refs(folio, 1);
	folio = __folio_alloc_node(GFP_KERNEL, 1, 0);
	cr_expect(folio && folio_order(folio) == 1 && folio_nid(folio) == 0);
	folio_put(folio);
	page_alloc_drain();
	cr_expect_eq(zones_validate(), 0);
}

/* Bytes [@from, @to) are @inside, those around them @outside. */
static bool only(const unsigned char *p, size_t from, size_t to, unsigned char inside,
		 unsigned char outside)
{
	return all_bytes(p, from, outside) && all_bytes(p + from, to - from, inside) &&
	       all_bytes(p + to, PAGE_SIZE - to, outside);
}

Test(highmem, mapping_is_the_address)
{
	struct page *page = alloc_pages(GFP_KERNEL | __GFP_COMP, 1);
	void *addr = page_address(page);

	cr_expect(!PageHighMem(page));
	cr_expect(kmap(page) == addr && kmap_local_page(page) == addr && kmap_atomic(page) == addr);
	cr_expect_eq(kmap_local_folio(page_folio(page), 5000), (char *)addr + 5000);
	cr_expect_eq(kmap_to_page(addr), page);
	kunmap_atomic(addr);
	kunmap_local(addr);
	kunmap(page);
	__free_pages(page, 1);
}

Test(highmem, contents)
{
	struct page *a = alloc_page(GFP_KERNEL), *b = alloc_page(GFP_KERNEL);
	unsigned char *p = page_address(a), *q = page_address(b);
	char buf[100];

	memset(p, 1, PAGE_SIZE);
	copy_highpage(b, a);
	cr_expect(all_bytes(q, PAGE_SIZE, 1));
	clear_highpage(a);
	cr_expect(all_bytes(p, PAGE_SIZE, 0) && all_bytes(q, PAGE_SIZE, 1));
	copy_page(p, q);
	clear_page(q);
	cr_expect(all_bytes(p, PAGE_SIZE, 1) && all_bytes(q, PAGE_SIZE, 0));

	memset(buf, 7, sizeof(buf));
	memcpy_to_page(b, PAGE_SIZE - 100, buf, 100);
	cr_expect(only(q, PAGE_SIZE - 100, PAGE_SIZE, 7, 0));
	memcpy_page(a, 10, b, PAGE_SIZE - 20, 20);
	cr_expect(only(p, 10, 30, 7, 1));
	memcpy_from_page(buf, a, 28, 4);
	cr_expect(buf[0] == 7 && buf[1] == 7 && buf[2] == 1 && buf[3] == 1 && buf[4] == 7);
	memset_page(a, 10, 1, 20);
	memzero_page(a, 5, 6);
	cr_expect(only(p, 5, 11, 0, 1));

	memset(p, 1, PAGE_SIZE);
	zero_user(a, 100, 50);
	cr_expect(only(p, 100, 150, 0, 1));
	zero_user_segment(a, 150, 160);
	cr_expect(only(p, 100, 160, 0, 1));
	zero_user_segments(a, 90, 100, 160, 170);
	zero_user_segments(a, 50, 50, 60, 40);
	cr_expect(only(p, 90, 170, 0, 1));
	__free_page(a);
	__free_page(b);
}

Test(highmem, contents_of_folios)
{
	struct folio *folio = folio_alloc(GFP_KERNEL, 1);
	unsigned char *p = folio_address(folio);
	char buf[10];

	memset(buf, 3, sizeof(buf));
	memset(p, 1, 2 * PAGE_SIZE);
	memcpy_to_folio(folio, PAGE_SIZE - 5, buf, 10);
	cr_expect(only(p, PAGE_SIZE - 5, PAGE_SIZE, 3, 1));
	cr_expect(only(p + PAGE_SIZE, 0, 5, 3, 1));
	folio_zero_range(folio, PAGE_SIZE, 2);
	folio_zero_segment(folio, PAGE_SIZE - 1, PAGE_SIZE);
	folio_zero_segment(folio, 7, 7);
	memcpy_from_folio(buf, folio, PAGE_SIZE - 2, 5);
	cr_expect(buf[0] == 3 && !buf[1] && !buf[2] && !buf[3] && buf[4] == 3);
	folio_put(folio);
}
