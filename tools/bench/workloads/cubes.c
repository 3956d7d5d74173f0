// SPDX-License-Identifier: MIT
/*
 * cubes.c - sets of bit vectors: copied, joined, sorted out, dropped.
 *
 * Stands for: espresso, the PLA minimizer that allocator papers have measured
 * since 1993: few sizes within one problem, changing from problem to problem,
 * arrays of pointers beside them, lifetimes of a pass. Described: Grunwald, Zorn
 * and Henderson, "Improving the Cache Locality of Memory Allocation" (1993).
 */
#include "../bench.h"

struct cover {
	unsigned int n, room, words;
	uint32_t **cube;
};

static struct cover *cover_new(unsigned int words)
{
	struct cover *c = bench_ptr(malloc(sizeof(*c)));

	c->n = 0;
	c->room = 8;
	c->words = words;
	c->cube = bench_ptr(malloc(c->room * sizeof(*c->cube)));
	return c;
}

static uint32_t *cover_add(struct cover *c)
{
	if (c->n == c->room) {
		c->room += c->room / 2;
		c->cube = bench_ptr(realloc(c->cube, c->room * sizeof(*c->cube)));
	}
	return c->cube[c->n++] = bench_ptr(malloc(c->words * sizeof(uint32_t)));
}

static void cover_free(struct cover *c)
{
	unsigned int i;

	for (i = 0; i < c->n; i++)
		free(c->cube[i]);
	free(c->cube);
	free(c);
}

/* Each cube of @c met with a random mask; those left empty are not kept. */
static struct cover *cover_pass(const struct cover *c, struct rng *rng)
{
	struct cover *next = cover_new(c->words);
	unsigned int i, w;

	for (i = 0; i < c->n; i++) {
		uint32_t *cube = cover_add(next), mask = rng_next(rng), any = 0;

		for (w = 0; w < c->words; w++) {
			cube[w] = (c->cube[i][w] & mask) | (mask >> 16);
			any |= cube[w];
		}
		if ((any & 7) == 0) {
			free(cube);
			next->n--;
		}
	}
	return next;
}

int main(int argc, char **argv)
{
	unsigned long problems = bench_times(bench_scale(argc, argv), 1200), p;
	struct rng rng = rng_seed(12);
	unsigned int pass, i;

	for (p = 0; p < problems; p++) {
		struct cover *c = cover_new(2 + rng_below(&rng, 24)), *next;
		unsigned int n = 50 + rng_below(&rng, 900);

		for (i = 0; i < n; i++)
			memset(cover_add(c), (int)i, c->words * sizeof(uint32_t));
		for (pass = 0; pass < 24; pass++) {
			next = cover_pass(c, &rng);
			cover_free(c);
			c = next;
		}
		cover_free(c);
	}
	return 0;
}
