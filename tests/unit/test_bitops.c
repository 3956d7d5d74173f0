// SPDX-License-Identifier: MIT
/* Tests of mm/base/bitops.h: each operation against one that goes bit by bit. */
#include <criterion/criterion.h>
#include <string.h>

#include "mm/base/bitops.h"

#define BITS	200
#define WORDS	4

static unsigned long map[WORDS];

static unsigned long rng_state = 88172645463325252UL;

static unsigned long rng(void)
{
	rng_state ^= rng_state << 13;
	rng_state ^= rng_state >> 7;
	rng_state ^= rng_state << 17;
	return rng_state;
}

Test(bitops, words)
{
	for (unsigned int n = 0; n < 64; n++) {
		cr_assert_eq(__ffs(BIT(n)), n);
		cr_assert_eq(__fls(BIT(n)), n);
		cr_assert_eq(__ffs(~0UL << n), n);
		cr_assert_eq(__fls(~0UL >> n), 63 - n);
		cr_assert_eq(hweight_long(~0UL << n), 64 - n);
		cr_assert(is_power_of_2(BIT(n)));
	}
	cr_assert_eq(hweight_long(0), 0);
	cr_assert_not(is_power_of_2(0));
	cr_assert_not(is_power_of_2(3));
	cr_assert_not(is_power_of_2(~0UL));
}

Test(bitops, rounding_up_to_powers)
{
	cr_assert_eq(ilog2_up(0), 0);
	cr_assert_eq(ilog2_up(1), 0);
	for (unsigned int n = 1; n < 63; n++) {
		cr_assert_eq(ilog2_up(BIT(n)), n);
		cr_assert_eq(ilog2_up(BIT(n) + 1), n + 1);
		cr_assert_eq(roundup_pow_of_two(BIT(n)), BIT(n));
		cr_assert_eq(roundup_pow_of_two(BIT(n) + 1), BIT(n + 1));
	}
}

Test(bitops, single_bits)
{
	memset(map, 0, sizeof(map));
	for (unsigned long n = 0; n < BITS; n += 7)
		__set_bit(map, n);
	for (unsigned long n = 0; n < BITS; n++)
		cr_assert_eq(test_bit(map, n), n % 7 == 0);
	for (unsigned long n = 0; n < BITS; n += 14)
		__clear_bit(map, n);
	for (unsigned long n = 0; n < BITS; n++)
		cr_assert_eq(test_bit(map, n), n % 14 == 7);
}

/* All [from, to) of 200 bits: set and cleared, nothing else touched. */
Test(bitops, ranges)
{
	for (unsigned long from = 0; from <= BITS; from++) {
		for (unsigned long to = from; to <= BITS; to++) {
			unsigned long n, ones = 0, zeros = 0;

			memset(map, 0, sizeof(map));
			bitmap_set_range(map, from, to);
			for (n = from; n < to; n++)
				ones += test_bit(map, n);
			cr_assert_eq(ones, to - from);
			cr_assert_eq(bitmap_weight_range(map, 0, WORDS * 64), to - from);
			cr_assert_eq(bitmap_weight_range(map, from, to), to - from);

			memset(map, 0xff, sizeof(map));
			bitmap_clear_range(map, from, to);
			for (n = from; n < to; n++)
				zeros += !test_bit(map, n);
			cr_assert_eq(zeros, to - from);
			cr_assert_eq(bitmap_weight_range(map, 0, WORDS * 64),
				     WORDS * 64 - (to - from));
		}
	}
}

static unsigned long find_slow(bool value, unsigned long from, unsigned long to)
{
	while (from < to && test_bit(map, from) != value)
		from++;
	return from;
}

Test(bitops, finding_and_weighing_random_maps)
{
	for (int round = 0; round < 2000; round++) {
		unsigned long from = rng() % BITS, to = from + rng() % (BITS - from + 1);
		unsigned long weight = 0;

		/* Sparse, dense, and in between. */
		for (int w = 0; w < WORDS; w++)
			map[w] = round % 3 == 0 ? rng() & rng() & rng() & rng()
			       : round % 3 == 1 ? rng() | rng() | rng() | rng() : rng();
		for (unsigned long n = from; n < to; n++)
			weight += test_bit(map, n);
		cr_assert_eq(bitmap_weight_range(map, from, to), weight);
		cr_assert_eq(bitmap_find(map, true, from, to), find_slow(true, from, to));
		cr_assert_eq(bitmap_find(map, false, from, to), find_slow(false, from, to));
	}
	memset(map, 0, sizeof(map));
	cr_assert_eq(bitmap_find(map, true, 5, 190), 190);
	cr_assert_eq(bitmap_find(map, true, 64, 64), 64);
}
