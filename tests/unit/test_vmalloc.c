// SPDX-License-Identifier: MIT
/*
 * vmalloc and kvmalloc: vmalloc.c.
 */
#include "slab_test.h"

#include <errno.h>

#include <kmem/string.h>
#include <kmem/vmalloc.h>

TestSuite(vmalloc, .timeout = 60);

static const size_t sizes[] = { 1, 100, 4095, 4096, 4097, 32768, 100000, 1 << 20, (5 << 20) + 1 };

Test(vmalloc, page_aligned_and_of_its_size)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(sizes); i++) {
		char *p = vmalloc(sizes[i]);

		cr_assert_not_null(p, "%zu", sizes[i]);
		cr_expect((unsigned long)p % PAGE_SIZE == 0);
		fill(p, sizes[i], 5);
		cr_expect(filled(p, sizes[i], 5));
		cr_expect(ksize(p) == PAGE_ALIGN(sizes[i]));
		vfree(p);
	}
	vfree(NULL);
	cr_expect(zones_validate() == 0);
}

Test(vmalloc, zeroing_forms_zero_dirty_memory)
{
	for (unsigned int i = 0; i < 2 * ARRAY_SIZE(sizes); i++) {
		size_t size = sizes[i / 2];
		char *p = vzalloc(size), *q = vcalloc(size, 1);
		char *r = __vmalloc(size, GFP_KERNEL | __GFP_ZERO), *n = vzalloc_node(size, NUMA_NO_NODE);

		cr_assert(p && q && r && n);
		cr_expect(all_bytes(p, size, 0) && all_bytes(q, size, 0));
		cr_expect(all_bytes(r, size, 0) && all_bytes(n, size, 0));
		memset(p, 0xee, size);
		memset(q, 0xee, size);
		memset(r, 0xee, size);
		memset(n, 0xee, size);
		vfree(p);
		vfree(q);
		vfree(r);
		vfree(n);
	}
}

Test(vmalloc, zero_overflow_and_huge_give_null)
{
	volatile size_t n = SIZE_MAX / 2 + 2, huge = SIZE_MAX;

	sink_catch();
	errno = 77;
	cr_expect_null(vmalloc(0));
	cr_expect(sink_count("WARNING: vmalloc of 0 bytes") == 1);
	cr_expect_null(vzalloc(0));
	cr_expect(sink_count("WARNING: vmalloc of 0 bytes") == 1, "once");
	cr_expect_null(vmalloc_array(n, 2));
	cr_expect_null(vcalloc(2, n));
	cr_expect_null(kvmalloc_array(n, 2, GFP_KERNEL));
	cr_expect_null(kvcalloc(n, 2, GFP_KERNEL));
	for (; huge > 1UL << 46; huge /= 2)
		cr_expect_null(vmalloc(huge), "%zx", huge);
	huge = SIZE_MAX - 4094;
	cr_expect_null(__vmalloc(huge, GFP_KERNEL | __GFP_NOWARN), "rounding up overflows");
	cr_expect(errno == 77);
}

Test(vmalloc, huge_pages_can_back_vmalloc_huge)
{
	char *small = vmalloc_huge(4096, GFP_KERNEL), *p = vmalloc_huge(3 << 20, GFP_KERNEL);

	cr_assert(small && p);
	cr_expect((unsigned long)p % (2 << 20) == 0);
	cr_expect(is_vmalloc_addr(p));
	vfree(p);
	vfree(small);
}

Test(vmalloc, is_vmalloc_addr_tells_every_byte)
{
	char *p = vmalloc(3 * PAGE_SIZE), *big = vmalloc(20 << 20);
	char *k = kmalloc(100, GFP_KERNEL), *large = kmalloc(100000, GFP_KERNEL);
	struct page *block = alloc_pages(GFP_KERNEL, 2);
	char *pages = page_address(block);
	int local;

	for (unsigned long i = 0; i < 3 * PAGE_SIZE; i += 1000)
		cr_expect(is_vmalloc_addr(p + i), "at %lu", i);
	for (unsigned long i = 0; i < 20 << 20; i += 999999)
		cr_expect(is_vmalloc_addr(big + i), "at %lu", i);
	cr_expect(is_vmalloc_addr(big + (20 << 20) - 1));
	for (unsigned long i = 0; i < 100000; i += 1000)
		cr_expect(!is_vmalloc_addr(large + i), "kmalloc's, at %lu", i);
	for (unsigned long i = 0; i < 4 * PAGE_SIZE; i += 1000)
		cr_expect(!is_vmalloc_addr(pages + i), "a block's, at %lu", i);
	cr_expect(!is_vmalloc_addr(k));
	cr_expect(!is_vmalloc_addr(&local) && !is_vmalloc_addr(NULL) && !is_vmalloc_addr(sizes));
	cr_expect(!is_vmalloc_addr((void *)-1L));
	vfree(p);
	vfree(big);
	cr_expect(!is_vmalloc_addr(p) && !is_vmalloc_addr(big));
	/* The mark does not outlive the area. */
	p = kmalloc(3 * PAGE_SIZE + 32768, GFP_KERNEL);
	cr_expect(!is_vmalloc_addr(p));
	kfree(p);
	kfree(k);
	kfree(large);
	__free_pages(block, 2);
}

/* Parked runs are taken again by length: the mark must go on every way. */
Test(vmalloc, mark_goes_with_the_area)
{
	for (size_t pages = 9; pages < 64; pages++) {
		void *p = vmalloc(pages * PAGE_SIZE), *k;

		vfree(p);
		k = kmalloc(pages * PAGE_SIZE, GFP_KERNEL);
		cr_assert_not_null(k);
		cr_expect(!is_vmalloc_addr(k), "%zu pages", pages);
		kfree(k);
	}
}

Test(vmalloc, vmalloc_to_page_finds_the_page)
{
	char *p = vmalloc(5 * PAGE_SIZE);
	int local;

	for (int i = 0; i < 5; i++)
		cr_expect(page_address(vmalloc_to_page(p + i * PAGE_SIZE + 17)) == p + i * PAGE_SIZE);
	cr_expect_null(vmalloc_to_page(&local));
	vfree(p);
}

Test(vmalloc, vrealloc_keeps_content)
{
	static const size_t steps[] = { 100, 5000, 4096, 200000, 3 << 20, 3000, 9 << 20, 1 };
	size_t old = 1;
	char *p = vmalloc(1);

	fill(p, 1, 9);
	for (unsigned int i = 0; i < ARRAY_SIZE(steps); i++) {
		char *block = vmalloc(4096);	/* stands in the way of some */
		char *q, *kept = kmemdup(p, min(old, steps[i]), GFP_KERNEL);

		q = vrealloc(p, steps[i], GFP_KERNEL);
		cr_assert_not_null(q);
		cr_expect(is_vmalloc_addr(q) && is_vmalloc_addr(q + steps[i] - 1));
		cr_expect(!memcmp(q, kept, min(old, steps[i])), "%zu to %zu", old, steps[i]);
		kfree(kept);
		vfree(block);
		p = q;
		old = steps[i];
		fill(p, old, 9);
	}
	cr_expect_null(vrealloc(p, 0, GFP_KERNEL));
	cr_expect(!is_vmalloc_addr(p), "size 0 frees");
	p = vrealloc(NULL, 10, GFP_KERNEL);
	cr_expect(is_vmalloc_addr(p));
	vfree(p);
	cr_expect(zones_validate() == 0);
}

Test(vmalloc, vrealloc_zeroes_what_is_added)
{
	static const size_t steps[] = { 100, 4000, 4096, 4100, 300, 9000, 100000, 50, 1 << 20 };
	size_t old = 10;
	unsigned char *p = __vmalloc(10, GFP_KERNEL | __GFP_ZERO);

	memset(p, 0xff, ksize(p));	/* the part behind the size, too */
	for (unsigned int i = 0; i < ARRAY_SIZE(steps); i++) {
		p = vrealloc(p, steps[i], GFP_KERNEL | __GFP_ZERO);
		cr_assert_not_null(p);
		if (steps[i] > old)
			cr_expect(all_bytes(p + old, steps[i] - old, 0), "%zu to %zu", old, steps[i]);
		cr_expect(all_bytes(p, min(old, steps[i]), 0xff));
		memset(p, 0xff, ksize(p));
		old = steps[i];
	}
	vfree(p);
}

Test(vmalloc, failed_vrealloc_changes_nothing)
{
	volatile size_t huge = SIZE_MAX;
	char *p = vmalloc(5000);

	printk_sink = sink_drop;
	fill(p, 5000, 2);
	cr_expect_null(vrealloc(p, huge, GFP_KERNEL));
	fault_every_call(true);
	cr_expect_null(vrealloc(p, 1UL << 36, GFP_KERNEL));
	cr_expect_null(kvrealloc(p, 1UL << 36, GFP_KERNEL | __GFP_ZERO));
	fault_every_call(false);
	cr_expect(filled(p, 5000, 2) && is_vmalloc_addr(p));
	vfree(p);
}

Test(vmalloc, vfree_of_something_else_warns_and_leaves_it)
{
	char *k = kmalloc(100, GFP_KERNEL), *large = kmalloc(100000, GFP_KERNEL), *p = vmalloc(10000);

	sink_catch();
	memset(k, 1, 100);
	vfree(k);
	cr_expect(sink_count("Trying to vfree() nonexistent vm area") == 1);
	vfree(large);
	vfree(p + PAGE_SIZE);
	vfree(p + 1);
	vfree(&k);
	cr_expect(sink_count("Trying to vfree()") == 1, "once");
	cr_expect(ksize(k) >= 100 && ksize(large) >= 100000 && is_vmalloc_addr(p + 9999));
	cr_expect_null(vrealloc(k, 10, GFP_KERNEL));
	cr_expect(sink_count("Trying to vrealloc()") == 1);
	cr_expect(all_bytes(k, 100, 1));
	kfree(k);
	kfree(large);
	vfree(p);
	cr_expect(zones_validate() == 0);
}

Test(vmalloc, vfree_twice_warns)
{
	char *p = vmalloc(10000);

	sink_catch();
	vfree(p);
	vfree(p);
	cr_expect(sink_count("Trying to vfree()") == 1);
	cr_expect(zones_validate() == 0);
}

Test(vmalloc, kvfree_takes_all)
{
	struct kmem_cache *s = kmem_cache_create("kvfree", 48, NULL, SLAB_NO_MERGE);
	void *p = vmalloc(10000);

	kvfree(NULL);
	kvfree(kvmalloc(0, GFP_KERNEL));
	kvfree(kvmalloc(10, GFP_KERNEL));
	kvfree(kvmalloc(10 << 20, GFP_KERNEL));
	kvfree(kvmalloc_node(10, GFP_KERNEL, 0));
	kvfree(p);
	cr_expect(!is_vmalloc_addr(p));
	kvfree(kmem_cache_alloc(s, GFP_KERNEL));
	cr_expect(cache_live(s) == 0);
	kmem_cache_destroy(s);
	cr_expect(zones_validate() == 0);
}

Test(vmalloc, kvmalloc_of_any_size)
{
	for (size_t size = 1; size < 64 << 20; size *= 5) {
		char *p = kvmalloc(size, GFP_KERNEL), *z = kvzalloc(size, GFP_KERNEL);
		char *c = kvcalloc(size, 1, GFP_KERNEL);

		cr_assert(p && z && c);
		cr_expect(all_bytes(z, size, 0) && all_bytes(c, size, 0));
		memset(p, 1, size);
		kvfree(p);
		kvfree(z);
		kvfree(c);
	}
	cr_expect(kvmalloc(0, GFP_KERNEL) == ZERO_SIZE_PTR);
}

Test(vmalloc, kvrealloc_of_either_kind)
{
	char *k = kvmalloc(50, GFP_KERNEL), *v = vmalloc(50);

	memset(k, 2, 50);
	k = kvrealloc(k, 1 << 20, GFP_KERNEL);
	cr_assert_not_null(k);
	cr_expect(all_bytes(k, 50, 2));
	memset(v, 3, 50);
	v = kvrealloc(v, 1 << 20, GFP_KERNEL | __GFP_ZERO);
	cr_expect(is_vmalloc_addr(v), "an area stays one");
	cr_expect(all_bytes(v, 50, 3) && all_bytes(v + 50, (1 << 20) - 50, 0));
	cr_expect(!is_vmalloc_addr(k) && ksize(k) >= 1 << 20);
	cr_expect(kvrealloc(k, 0, GFP_KERNEL) == ZERO_SIZE_PTR);
	cr_expect(kvrealloc(v, 0, GFP_KERNEL) == ZERO_SIZE_PTR);
	cr_expect(!is_vmalloc_addr(v));
	k = kvrealloc(NULL, 10, GFP_KERNEL);
	cr_expect_not_null(k);
	kvfree(k);
}

Test(vmalloc, with_an_alignment)
{
	for (unsigned long align = 1; align <= 64UL << 20; align *= 8) {
		char *p = __vmalloc_node(10000, align, GFP_KERNEL | __GFP_ZERO, NUMA_NO_NODE, NULL);

		cr_assert_not_null(p);
		cr_expect(IS_ALIGNED((unsigned long)p, max(align, PAGE_SIZE)), "%p to %lu", p, align);
		cr_expect(is_vmalloc_addr(p) && all_bytes(p, 10000, 0));
		memset(p, 1, 10000);
		vfree(p);
	}
	cr_expect_null(__vmalloc_node(100, 0, GFP_KERNEL, 0, NULL));
	cr_expect_null(__vmalloc_node(100, 3 * PAGE_SIZE, GFP_KERNEL, 0, NULL));
	cr_expect_null(__vmalloc_node(100, 1UL << 36, GFP_KERNEL, 0, NULL));
	cr_expect_null(__vmalloc_node(100, 1, GFP_KERNEL | __GFP_THISNODE, 63, NULL));
	cr_expect_eq(zones_validate(), 0);
}

Test(vmalloc, under_its_other_names)
{
	volatile size_t huge = SIZE_MAX / 2;
	char *user = vmalloc_user(5000), *low = vmalloc_32(5000), *lowz = vmalloc_32_user(5000);
	char *table = __vcalloc(100, 50, GFP_KERNEL), *array = __vmalloc_array(100, 50, GFP_KERNEL);

	cr_assert(user && low && lowz && table && array);
	cr_expect(all_bytes(user, 5000, 0) && all_bytes(lowz, 5000, 0) && all_bytes(table, 5000, 0));
	cr_expect(is_vmalloc_addr(user) && is_vmalloc_addr(low) && is_vmalloc_addr(array));
	cr_expect_null(__vmalloc_array(huge, 3, GFP_KERNEL));
	cr_expect_null(__vcalloc(huge, 3, GFP_KERNEL));
	cr_expect_eq(vmalloc_to_pfn(user + PAGE_SIZE + 5), virt_to_pfn(user) + 1);
	vfree(user);
	vfree(low);
	vfree(lowz);
	vfree(table);
	vfree(array);
}

Test(vmalloc, map_ram_is_a_view)
{
	struct page *pages[2] = { alloc_page(GFP_KERNEL), alloc_page(GFP_KERNEL) };
	char *view = vm_map_ram(pages, 2, NUMA_NO_NODE);

	cr_assert_not_null(view);
	memset(view, 5, 2 * PAGE_SIZE);
	cr_expect(all_bytes(page_address(pages[0]), PAGE_SIZE, 5));
	cr_expect(all_bytes(page_address(pages[1]), PAGE_SIZE, 5));
	cr_expect_eq(vmalloc_to_page(view + PAGE_SIZE), pages[1]);
	cr_expect_eq(vmalloc_to_pfn(view + PAGE_SIZE), page_to_pfn(pages[1]));
	vm_unmap_ram(view, 2);
	vm_unmap_aliases();
	cr_expect(all_bytes(page_address(pages[1]), PAGE_SIZE, 5));
	__free_page(pages[0]);
	__free_page(pages[1]);
}
