/* SPDX-License-Identifier: MIT */
/*
 * hbitmap.h - a bitmap whose next set bit is found in a few steps, however far.
 *
 * Above the bits stands a level with a bit for each of their words that is not
 * zero, above that another, up to a level of one word:
 *
 *	level[n + 1] bit w = 1	<=>	level[n] word w != 0
 *
 * Setting and clearing touch a word a level, and a search goes up until it sees
 * something and down again: five levels serve 2^30 bits. All levels together
 * take 1/63 more than the bits themselves.
 *
 * The memory is the caller's, zeroed. Not atomic: the caller has a lock.
 */
#ifndef MM_BASE_HBITMAP_H
#define MM_BASE_HBITMAP_H

#include "bitops.h"

#define HBITMAP_LEVELS	8		/* 64^8 bits: more than there are addresses */

struct hbitmap {
	unsigned long nbits;
	unsigned int levels;
	unsigned long *level[HBITMAP_LEVELS];
};

static inline unsigned long hbitmap_words(unsigned long nbits)
{
	return nbits / 64 + (nbits % 64 != 0);
}

/* Bytes that a bitmap of @nbits > 0 needs. */
static inline size_t hbitmap_bytes(unsigned long nbits)
{
	size_t words = 0;

	do {
		nbits = hbitmap_words(nbits);
		words += nbits;
	} while (nbits > 1);
	return words * sizeof(unsigned long);
}

/* @memory: hbitmap_bytes(@nbits) zeroed bytes. */
static inline void hbitmap_init(struct hbitmap *h, unsigned long nbits, void *memory)
{
	unsigned long *at = (unsigned long *)memory;

	h->nbits = nbits;
	h->levels = 0;
	do {
		nbits = hbitmap_words(nbits);
		h->level[h->levels++] = at;
		at += nbits;
	} while (nbits > 1);
}

static inline bool hbitmap_test(const struct hbitmap *h, unsigned long n)
{
	return test_bit(h->level[0], n);
}

static inline void hbitmap_set(struct hbitmap *h, unsigned long n)
{
	for (unsigned int l = 0; l < h->levels; l++, n /= 64) {
		bool known = h->level[l][n / 64] != 0;

		__set_bit(h->level[l], n);
		if (known)
			return;
	}
}

static inline void hbitmap_clear(struct hbitmap *h, unsigned long n)
{
	for (unsigned int l = 0; l < h->levels; l++, n /= 64) {
		__clear_bit(h->level[l], n);
		if (h->level[l][n / 64])
			return;
	}
}

/* The first set bit from @from on, or nbits where there is none. */
static inline unsigned long hbitmap_next(const struct hbitmap *h, unsigned long from)
{
	unsigned long n = from, words = hbitmap_words(h->nbits);
	unsigned int l = 0;

	if (from >= h->nbits)
		return h->nbits;
	for (;;) {
		unsigned long word = n / 64 < words ? h->level[l][n / 64] & (~0UL << n % 64) : 0;

		if (word) {
			n = n / 64 * 64 + __ffs(word);
			break;
		}
		if (++l == h->levels)
			return h->nbits;
		/* The word is done with: the next one, a level up. */
		n = n / 64 + 1;
		words = hbitmap_words(words);
	}
	while (l-- > 0)
		n = n * 64 + __ffs(h->level[l][n]);
	return n;
}

#endif /* MM_BASE_HBITMAP_H */
