// SPDX-License-Identifier: MIT
/* Tests of mm/base/hbitmap.h: levels, setting, clearing, the next set bit. */
#include "slab_test.h"

#include "mm/base/hbitmap.h"

static void check_size(unsigned long nbits)
{
	static unsigned char model[300000];
	void *memory = calloc(1, hbitmap_bytes(nbits));
	u64 seed = nbits * 77 + 1;
	struct hbitmap h;

	memset(model, 0, sizeof(model));
	hbitmap_init(&h, nbits, memory);
	cr_assert_eq(hbitmap_next(&h, 0), nbits);
	for (int i = 0; i < 3000; i++) {
		unsigned long n = rnd(&seed) % nbits, from = rnd(&seed) % nbits, next = from;

		if (rnd(&seed) % 3) {
			hbitmap_set(&h, n);
			model[n] = 1;
		} else {
			/* One that is set, as far as there is one. */
			n = hbitmap_next(&h, n);
			if (n < nbits) {
				hbitmap_clear(&h, n);
				model[n] = 0;
			}
		}
		while (next < nbits && !model[next])
			next++;
		cr_assert_eq(hbitmap_next(&h, from), next, "%lu bits: from %lu: %lu, not %lu",
			     nbits, from, hbitmap_next(&h, from), next);
		cr_assert_eq(hbitmap_test(&h, from), model[from] != 0);
	}
	cr_expect_eq(hbitmap_next(&h, nbits), nbits);
	free(memory);
}

Test(hbitmap, agrees_with_a_model)
{
	static const unsigned long sizes[] = { 1, 2, 63, 64, 65, 127, 4095, 4096, 4097, 262143,
					       262144, 262145, 299999 };

	for (unsigned int i = 0; i < ARRAY_SIZE(sizes); i++)
		check_size(sizes[i]);
}

Test(hbitmap, takes_little_more_than_its_bits)
{
	cr_expect_eq(hbitmap_bytes(1), 8);
	cr_expect_eq(hbitmap_bytes(64), 8);
	cr_expect_eq(hbitmap_bytes(65), 24);
	cr_expect_leq(hbitmap_bytes(1UL << 30), (1UL << 27) / 63 * 64 + 64);
}

Test(hbitmap, cleared_words_vanish_from_every_level)
{
	unsigned long n = 1UL << 20;
	void *memory = calloc(1, hbitmap_bytes(n));
	struct hbitmap h;

	hbitmap_init(&h, n, memory);
	cr_assert_eq(h.levels, 4);
	hbitmap_set(&h, n - 1);
	hbitmap_set(&h, n - 2);
	hbitmap_clear(&h, n - 1);
	cr_expect_eq(hbitmap_next(&h, 0), n - 2);
	hbitmap_clear(&h, n - 2);
	cr_expect_eq(hbitmap_next(&h, 0), n);
	for (unsigned int l = 0; l < h.levels; l++)
		cr_expect_eq(h.level[l][hbitmap_words(n >> 6 * l) - 1], 0);
	free(memory);
}
