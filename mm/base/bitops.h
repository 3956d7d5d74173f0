/* SPDX-License-Identifier: MIT */
/* bitops.h - bits in words and in arrays of words (not atomic). */
#ifndef MM_BASE_BITOPS_H
#define MM_BASE_BITOPS_H

#include "compiler.h"

#define BITS_PER_LONG		64
#define BIT(n)			(1UL << (n))

/* Index of the lowest / highest set bit; the word is not zero. */
static inline unsigned int __ffs(unsigned long w) { return __builtin_ctzl(w); }
static inline unsigned int __fls(unsigned long w) { return 63 - __builtin_clzl(w); }

/* The number of set bits: without an instruction for it the compiler would call libgcc. */
static inline unsigned int hweight_long(unsigned long w)
{
#if defined(__x86_64__) && !defined(__POPCNT__)
	w -= w >> 1 & 0x5555555555555555;
	w = (w & 0x3333333333333333) + (w >> 2 & 0x3333333333333333);
	w = (w + (w >> 4)) & 0x0f0f0f0f0f0f0f0f;
	return (unsigned int)(w * 0x0101010101010101 >> 56);
#else
	return (unsigned int)__builtin_popcountl(w);
#endif
}

/* Smallest n with 2^n >= x, x > 0. */
static inline unsigned int ilog2_up(unsigned long x)
{
	return x <= 1 ? 0 : __fls(x - 1) + 1;
}

static inline unsigned long roundup_pow_of_two(unsigned long x)
{
	return 1UL << ilog2_up(x);
}

static inline bool is_power_of_2(unsigned long x)
{
	return x && !(x & (x - 1));
}

static inline bool test_bit(const unsigned long *map, unsigned long n)
{
	return map[n / 64] >> (n % 64) & 1;
}

static inline void __set_bit(unsigned long *map, unsigned long n)
{
	map[n / 64] |= BIT(n % 64);
}

static inline void __clear_bit(unsigned long *map, unsigned long n)
{
	map[n / 64] &= ~BIT(n % 64);
}

/* The mask of bits [from, to) that fall into word w of an array. */
static inline unsigned long bitmap_word_mask(unsigned long w, unsigned long from,
					     unsigned long to)
{
	unsigned long mask = ~0UL;

	if (from > w * 64)
		mask &= ~0UL << (from - w * 64);
	if (to < (w + 1) * 64)
		mask &= ~0UL >> ((w + 1) * 64 - to);
	return mask;
}

static inline void bitmap_set_range(unsigned long *map, unsigned long from,
				    unsigned long to)
{
	for (unsigned long w = from / 64; w * 64 < to; w++)
		map[w] |= bitmap_word_mask(w, from, to);
}

static inline void bitmap_clear_range(unsigned long *map, unsigned long from,
				      unsigned long to)
{
	for (unsigned long w = from / 64; w * 64 < to; w++)
		map[w] &= ~bitmap_word_mask(w, from, to);
}

static inline unsigned long bitmap_weight_range(const unsigned long *map,
						unsigned long from, unsigned long to)
{
	unsigned long n = 0;

	for (unsigned long w = from / 64; w * 64 < to; w++)
		n += hweight_long(map[w] & bitmap_word_mask(w, from, to));
	return n;
}

/* First bit >= from whose value is @value, or @to where there is none. */
static inline unsigned long bitmap_find(const unsigned long *map, bool value,
					unsigned long from, unsigned long to)
{
	for (unsigned long w = from / 64; w * 64 < to; w++) {
		unsigned long word = (value ? map[w] : ~map[w]) &
				     bitmap_word_mask(w, from, to);

		if (word)
			return w * 64 + __ffs(word);
	}
	return to;
}

#endif /* MM_BASE_BITOPS_H */
