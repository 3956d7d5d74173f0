// SPDX-License-Identifier: MIT
/* Pages seen side by side: vmap.c. */
#include "slab_test.h"

#include <kmem/page_alloc.h>
#include <kmem/vmalloc.h>

#include "capture.h"
#include "mm/vmap.h"

TestSuite(vmap, .timeout = 60);

#define N	40U

static struct page *pages[N];

/* Pages that do not lie in order, each full of its number. */
static void take_pages(void)
{
	for (unsigned int i = 0; i < N; i++) {
		pages[(i * 7) % N] = alloc_page(GFP_KERNEL);
		cr_assert_not_null(pages[(i * 7) % N]);
	}
	for (unsigned int i = 0; i < N; i++)
		memset(page_address(pages[i]), (int)i, PAGE_SIZE);
}

static void give_pages(void)
{
	for (unsigned int i = 0; i < N; i++)
		__free_page(pages[i]);
	page_alloc_drain();
	cr_expect_eq(zones_validate(), 0);
}

static void expect_numbers(unsigned int add)
{
	for (unsigned int i = 0; i < N; i++)
		cr_expect(all_bytes(page_address(pages[i]), PAGE_SIZE, (unsigned char)(i + add)),
			  "page %u", i);
}

Test(vmap, both_addresses_are_the_same_memory)
{
	unsigned char *view;

	take_pages();
	view = vmap(pages, N, VM_MAP, PAGE_KERNEL);
	cr_assert_not_null(view);
	cr_expect(view != page_address(pages[0]));
	for (unsigned int i = 0; i < N; i++) {
		unsigned char *at = page_address(pages[i]);

		cr_expect(all_bytes(view + i * PAGE_SIZE, PAGE_SIZE, (unsigned char)i));
		at[100] = 0xee;
		cr_expect_eq(view[i * PAGE_SIZE + 100], 0xee);
		memset(view + i * PAGE_SIZE, (int)i + 100, PAGE_SIZE);
		cr_expect_eq(at[100], i + 100);
		cr_expect_eq(vmalloc_to_page(view + i * PAGE_SIZE + 5), pages[i]);
	}
	cr_expect(is_vmalloc_addr(view + 3 * PAGE_SIZE) && !is_vmalloc_addr(view + N * PAGE_SIZE));
	vunmap(view);
	cr_expect_not(is_vmalloc_addr(view));
	expect_numbers(100);
	give_pages();
}

/* Those that lie side by side are seen where they are. */
Test(vmap, a_run_needs_no_view)
{
	struct page *block = alloc_pages(GFP_KERNEL, 3), *run[8];
	char *view;

	for (unsigned int i = 0; i < 8; i++)
		run[i] = block + i;
	view = vmap(run, 8, VM_MAP, PAGE_KERNEL);
	cr_expect_eq(view, page_address(block));
	cr_expect(is_vmalloc_addr(view + PAGE_SIZE));
	vunmap(view);
	cr_expect_not(is_vmalloc_addr(view + PAGE_SIZE));
	__free_pages(block, 3);
}

static void write_to_view(void)
{
	((volatile char *)vmap(pages, N, VM_MAP, PAGE_KERNEL_RO))[0] = 1;
}

Test(vmap, read_only_through_the_view_alone)
{
	unsigned char *view;
	int status;

	take_pages();
	view = vmap(pages, N, VM_MAP, PAGE_KERNEL_RO);
	cr_assert_not_null(view);
	*(unsigned char *)page_address(pages[4]) = 0x77;
	cr_expect_eq(view[4 * PAGE_SIZE], 0x77);
	*(unsigned char *)page_address(pages[4]) = 4;
	vunmap(view);
	status = capture_child(write_to_view);
	cr_expect(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV, "%#x", status);
	expect_numbers(0);
	give_pages();
}

Test(vmap, vfree_puts_the_pages)
{
	struct page **array = kmalloc_array(N, sizeof(*array), GFP_KERNEL);
	unsigned char *view;

	take_pages();
	memcpy(array, pages, sizeof(pages));
	for (unsigned int i = 0; i < N; i++)
		get_page(pages[i]);
	view = vmap(array, N, VM_MAP | VM_MAP_PUT_PAGES, PAGE_KERNEL);
	cr_assert_not_null(view);
	vfree(view);
	for (unsigned int i = 0; i < N; i++)
		cr_expect_eq(page_ref_count(pages[i]), 1);
	expect_numbers(0);
	give_pages();
}

/* Whatever the system refuses, and wherever it begins to: the pages are as they were. */
Test(vmap, refused_at_each_step)
{
	unsigned char *view = NULL;

	take_pages();
	for (long n = 1; !view; n++) {
		fault_nth_call(n);
		view = vmap(pages, N, VM_MAP, PAGE_KERNEL);
		fault_nth_call(0);
		expect_numbers(0);
		cr_assert_lt(n, 200);
	}
	vunmap(view);
	expect_numbers(0);
	give_pages();
}

Test(vmap, misuse)
{
	take_pages();
	pages[N - 1] = pages[3];
	sink_catch();
	cr_expect_null(vmap(pages, N, VM_MAP, PAGE_KERNEL));
	cr_expect(sink_has("vmap: a page is there twice"), "%s", sink_text);
	for (unsigned int i = 0; i < N - 1; i++)
		cr_expect(all_bytes(page_address(pages[i]), PAGE_SIZE, (unsigned char)i));
	cr_expect_null(vmap(NULL, 3, VM_MAP, PAGE_KERNEL));
	cr_expect_null(vmap(pages, 0, VM_MAP, PAGE_KERNEL));
	vunmap(NULL);
	vunmap(pages);
	cr_expect(sink_has("Trying to vunmap() nonexistent vm area"), "%s", sink_text);
}

/* Views of several threads, and forks meanwhile. */
static void *views(void *arg)
{
	struct page *own[16];

	for (unsigned int round = 0; round < 50; round++) {
		unsigned char *view;

		for (unsigned int i = 0; i < 16; i++)
			own[i] = alloc_page(GFP_KERNEL);
		view = vmap(own, 16, VM_MAP, PAGE_KERNEL);
		cr_assert_not_null(view);
		memset(view, (int)(long)arg, 16 * PAGE_SIZE);
		vunmap(view);
		for (unsigned int i = 0; i < 16; i++) {
			cr_assert(all_bytes(page_address(own[i]), PAGE_SIZE, (unsigned char)(long)arg));
			__free_page(own[i]);
		}
	}
	return NULL;
}

static void a_view(void)
{
	views((void *)9L);
}

Test(vmap, threads_and_forks)
{
	pthread_t thread[4];

	for (long i = 0; i < 4; i++)
		cr_assert_eq(pthread_create(&thread[i], NULL, views, (void *)(i + 1)), 0);
	for (unsigned int i = 0; i < 5; i++)
		cr_expect_eq(capture_child(a_view), 0);
	for (unsigned int i = 0; i < 4; i++)
		pthread_join(thread[i], NULL);
	cr_expect_eq(zones_validate(), 0);
}
