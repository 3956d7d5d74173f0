// SPDX-License-Identifier: MIT
/*
 * tree.c - trees built and torn down, short-lived ones beside a long-lived one.
 *
 * Stands for: syntax trees, octrees of a particle simulation built anew in each
 * step, documents. Described: barnes (SPLASH-2; a tree a time step) and Boehm's
 * GCBench, later binary-trees of the Benchmarks Game.
 */
#include "../bench.h"

struct node {
	struct node *left, *right;
	double mass[2];
};

static struct node *build(unsigned int depth)
{
	struct node *n = bench_ptr(malloc(sizeof(*n)));

	n->left = depth ? build(depth - 1) : NULL;
	n->right = depth ? build(depth - 1) : NULL;
	n->mass[0] = depth;
	n->mass[1] = n->left && n->right ? n->left->mass[0] + n->right->mass[0] : 1;
	return n;
}

static void tear_down(struct node *n)
{
	if (!n)
		return;
	tear_down(n->left);
	tear_down(n->right);
	free(n);
}

/* A tree of keys in random order: the shape, and the order of freeing, is not that of building. */
static void insert(struct node **at, double key)
{
	while (*at)
		at = key < (*at)->mass[0] ? &(*at)->left : &(*at)->right;
	*at = bench_ptr(calloc(1, sizeof(**at)));
	(*at)->mass[0] = key;
}

int main(int argc, char **argv)
{
	unsigned long rounds = bench_times(bench_scale(argc, argv), 14), r;
	struct node *stays = build(16), *grown;
	struct rng rng = rng_seed(11);
	unsigned int depth, i;

	for (r = 0; r < rounds; r++) {
		for (depth = 4; depth <= 14; depth += 2)
			for (i = 0; i < 1u << (16 - depth); i++)
				tear_down(build(depth));
		grown = NULL;
		for (i = 0; i < 40000; i++)
			insert(&grown, rng_next(&rng));
		tear_down(grown);
	}
	tear_down(stays);
	return 0;
}
