// SPDX-License-Identifier: MIT
/* Sums and products that do not wrap around: <kmem/overflow.h>. */
#include "slab_test.h"

#include <kmem/overflow.h>

TestSuite(overflow, .timeout = 60);

struct row {
	unsigned int n;
	long items[];
};

static int calls;

static size_t counted(size_t n)
{
	calls++;
	return n;
}

Test(overflow, sizes_saturate)
{
	cr_expect_eq(size_add(3, 4), 7);
	cr_expect_eq(size_add(SIZE_MAX - 1, 1), SIZE_MAX);
	cr_expect_eq(size_add(SIZE_MAX, 1), SIZE_MAX);
	cr_expect_eq(size_add(SIZE_MAX / 2 + 1, SIZE_MAX / 2 + 5), SIZE_MAX);
	cr_expect_eq(size_mul(3, 4), 12);
	cr_expect_eq(size_mul(SIZE_MAX, 0), 0);
	cr_expect_eq(size_mul(1UL << 32, 1UL << 32), SIZE_MAX);
	cr_expect_eq(size_mul(SIZE_MAX / 2 + 1, 3), SIZE_MAX);
	cr_expect_eq(size_sub(7, 3), 4);
	cr_expect_eq(size_sub(3, 3), 0);
	cr_expect_eq(size_sub(3, 4), SIZE_MAX);
	cr_expect_eq(size_sub(SIZE_MAX, 4), SIZE_MAX);
	cr_expect_eq(size_sub(SIZE_MAX, SIZE_MAX), SIZE_MAX);
	cr_expect_eq(size_sub(0, SIZE_MAX), SIZE_MAX);
	cr_expect_eq(array_size(6, 7), 42);
	cr_expect_eq(array3_size(2, 3, 7), 42);
	cr_expect_eq(array3_size(1UL << 32, 1UL << 31, 4), SIZE_MAX);
	cr_expect_eq(array3_size(1UL << 40, 1UL << 40, 3), SIZE_MAX);
}

Test(overflow, results_are_of_the_targets_type)
{
	unsigned char byte = 1;
	int i;
	long l;

	cr_expect(!check_add_overflow(200, 55, &byte) && byte == 255);
	cr_expect(check_add_overflow(200, 56, &byte) && byte == 0);
	cr_expect(check_sub_overflow(1u, 2u, &byte) && byte == 255);
	cr_expect(!check_sub_overflow(1u, 2u, &i) && i == -1);
	cr_expect(check_mul_overflow(1 << 20, 1 << 12, &i));
	cr_expect(!check_mul_overflow(1 << 20, 1 << 12, &l) && l == 1L << 32);
}

Test(overflow, structs_with_an_array_at_the_end)
{
	struct row *nowhere = NULL;
	volatile size_t n = 5;	/* the compiler must not know */

	cr_expect_eq(struct_size(nowhere, items, n), sizeof(struct row) + 40);
	cr_expect_eq(struct_size_t(struct row, items, n), sizeof(struct row) + 40);
	cr_expect_eq(flex_array_size(nowhere, items, n), 40);
	n = 0;
	cr_expect_eq(struct_size(nowhere, items, n), sizeof(struct row));
	n = SIZE_MAX / 8;
	cr_expect_eq(flex_array_size(nowhere, items, n), n * 8);
	cr_expect_eq(struct_size(nowhere, items, n), SIZE_MAX);
	n = SIZE_MAX / 8 + 1;
	cr_expect_eq(flex_array_size(nowhere, items, n), SIZE_MAX);
	cr_expect_eq(struct_size(nowhere, items, n), SIZE_MAX);
	cr_expect_null(kmalloc(struct_size(nowhere, items, n), GFP_KERNEL | __GFP_NOWARN));
	n = ~0UL;	/* as of an int that is -1 */
	cr_expect_eq(struct_size(nowhere, items, n), SIZE_MAX);
}

Test(overflow, constants_stay_constants)
{
	static char room[struct_size_t(struct row, items, 3)];

	BUILD_BUG_ON(sizeof(room) != sizeof(struct row) + 24);
	BUILD_BUG_ON(flex_array_size((struct row *)NULL, items, 4) != 32);
	BUILD_BUG_ON(struct_size_t(struct row, items, SIZE_MAX / 8) != SIZE_MAX);
	BUILD_BUG_ON(flex_array_size((struct row *)NULL, items, SIZE_MAX / 8) == SIZE_MAX);
	BUILD_BUG_ON(flex_array_size((struct row *)NULL, items, SIZE_MAX / 8 + 1) != SIZE_MAX);
	BUILD_BUG_ON(struct_size_t(struct row, items, -1) != SIZE_MAX);
	room[0] = 0;
}

Test(overflow, arguments_are_evaluated_once)
{
	struct row *row = NULL;
	size_t d;

	cr_expect_eq(struct_size(row++, items, counted(2)), sizeof(struct row) + 16);
	cr_expect_null(row);
	cr_expect_eq(flex_array_size(row, items, counted(2)), 16);
	cr_expect_eq(array3_size(counted(2), counted(3), counted(4)), 24);
	cr_expect(!check_add_overflow(counted(1), counted(2), &d) && d == 3);
	cr_expect_eq(calls, 7);
}
