// SPDX-License-Identifier: MIT
/* Reference counts by themselves: page_ref.c. */
#include "pages_test.h"

TestSuite(page_ref, .timeout = 60);

static struct page *block;

static void open_block(unsigned int order, gfp_t gfp)
{
	fresh_zones(64 * MIB);
	block = alloc_pages(GFP_KERNEL | gfp, order);
	cr_assert(block && page_ref_count(block) == 1 && page_count(block) == 1);
}

static void close_block(unsigned int order)
{
	__free_pages(block, order);
	assert_all_free();
}

Test(page_ref, sums)
{
	open_block(0, 0);
	page_ref_inc(block);
	page_ref_add(block, 5);
	cr_expect_eq(page_ref_count(block), 7);
	page_ref_dec(block);
	page_ref_sub(block, 3);
	cr_expect_eq(page_ref_count(block), 3);
	cr_expect_eq(page_ref_inc_return(block), 4);
	cr_expect_eq(page_ref_dec_return(block), 3);
	cr_expect_eq(page_ref_add_return(block, 4), 7);
	cr_expect_eq(page_ref_sub_return(block, 5), 2);
	cr_expect_not(page_ref_dec_and_test(block));
	cr_expect(page_ref_sub_and_test(block, 1));
	cr_expect_not(get_page_unless_zero(block));
	cr_expect_not(page_ref_add_unless_zero(block, 2));
	cr_expect_eq(page_ref_count(block), 0);
	init_page_count(block);
	cr_expect(get_page_unless_zero(block));
	put_page(block);
	close_block(0);
}

Test(page_ref, the_count_of_a_compound_block_is_its_head_s)
{
	open_block(3, __GFP_COMP);
	page_ref_inc(block + 5);
	cr_expect_eq(page_ref_count(block), 2);
	cr_expect(get_page_unless_zero(block + 7));
	page_ref_sub(block + 1, 2);
	cr_expect_eq(page_ref_count(block + 2), 1);
	close_block(3);
}

Test(page_ref, frozen_at_the_expected_count_only)
{
	open_block(0, 0);
	get_page(block);
	cr_expect_not(page_ref_freeze(block, 1));
	cr_expect_not(page_ref_freeze(block, 3));
	cr_expect(page_ref_freeze(block, 2));
	cr_expect_not(get_page_unless_zero(block));
	page_ref_unfreeze(block, 2);
	cr_expect(get_page_unless_zero(block));
	put_page(block);
	put_page(block);
	close_block(0);
}

#define ROUNDS	20000

static void *get_and_freeze(void *frozen)
{
	for (unsigned int i = 0; i < ROUNDS; i++) {
		if (get_page_unless_zero(block))
			put_page(block);
		if (i % 8 == 0 && page_ref_freeze(block, 1)) {
			*(unsigned long *)frozen += 1;
			cr_assert_eq(page_ref_count(block), 0, "a reference to a frozen page");
			page_ref_unfreeze(block, 1);
		}
	}
	return NULL;
}

Test(page_ref, nobody_gets_a_frozen_page)
{
	unsigned long frozen[4] = { 0 };
	pthread_t thread[4];

	open_block(0, 0);
	for (unsigned int i = 0; i < 4; i++)
		cr_assert_eq(pthread_create(&thread[i], NULL, get_and_freeze, &frozen[i]), 0);
	for (unsigned int i = 0; i < 4; i++)
		pthread_join(thread[i], NULL);
	cr_expect_gt(frozen[0] + frozen[1] + frozen[2] + frozen[3], 0);
	cr_expect_eq(page_ref_count(block), 1);
	close_block(0);
}
