// SPDX-License-Identifier: MIT
/*
 * bignum.c - numbers of a few words, each result a new object.
 *
 * Stands for: cfrac, gmp users, interpreters with boxed numbers: hardly any live
 * data, a new object of 8 to 64 bytes each few instructions, freed at once or
 * two operations later. Described: cfrac in Zorn and Grunwald (1992) and in
 * mimalloc's benchmark set.
 */
#include "../bench.h"

struct num {
	unsigned int n;
	uint32_t digit[];
};

static struct num *num_new(unsigned int n)
{
	struct num *x = bench_ptr(malloc(sizeof(*x) + n * sizeof(uint32_t)));

	x->n = n;
	return x;
}

static struct num *num_small(uint32_t v)
{
	struct num *x = num_new(1);

	x->digit[0] = v;
	return x;
}

static struct num *num_muladd(const struct num *a, uint32_t m, const struct num *add)
{
	struct num *x = num_new(a->n + 1);
	uint64_t carry = 0;
	unsigned int i;

	for (i = 0; i < a->n; i++) {
		carry += (uint64_t)a->digit[i] * m + (i < add->n ? add->digit[i] : 0);
		x->digit[i] = (uint32_t)carry;
		carry >>= 32;
	}
	x->digit[i] = (uint32_t)carry;
	x->n -= carry == 0;
	return x;
}

static struct num *num_mod(const struct num *a, uint32_t m)
{
	uint64_t rest = 0;
	unsigned int i;

	for (i = a->n; i > 0; i--)
		rest = (rest << 32 | a->digit[i - 1]) % m;
	return num_small((uint32_t)rest);
}

int main(int argc, char **argv)
{
	unsigned long steps = bench_times(bench_scale(argc, argv), 2e7), i;
	struct num *acc = num_small(7), *last = num_small(1);
	struct rng rng = rng_seed(13);

	for (i = 0; i < steps; i++) {
		struct num *next = num_muladd(acc, rng_next(&rng) | 1, last), *rest;

		if (next->n > 12) {
			rest = num_mod(next, 1000003);
			free(next);
			next = rest;
		}
		free(last);
		last = acc;
		acc = next;
	}
	free(last);
	free(acc);
	return 0;
}
