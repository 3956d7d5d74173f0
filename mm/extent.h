/* SPDX-License-Identifier: MIT */
/*
 * extent.h - free space as a set of extents: the lowest that is large enough, the
 * smallest that is, and the neighbours of an address, each in O(log n).
 *
 * The nodes lie apart from the space that they speak of: whoever writes beyond
 * his block damages other blocks, never the books. Nodes come from a stock that
 * the caller fills while he holds no lock; a call that may need one says so.
 *
 * All of it is under the owner's lock.
 */
#ifndef MM_EXTENT_H
#define MM_EXTENT_H

#include "base/bug.h"
#include "base/compiler.h"

enum extent_order { BY_ADDRESS, BY_SIZE, EXTENT_ORDERS };

/*
 * A free extent; a node of one or two balanced (AVL) trees, or in the stock.
 * 64 bytes: a cache line.
 */
struct extent {
	unsigned long start;		/* bytes, or whatever the owner counts in */
	unsigned long len;		/* > 0 */
	unsigned long max;		/* the largest len in the subtree by address */
	struct extent *kid[EXTENT_ORDERS][2];
	u8 height[EXTENT_ORDERS];	/* of the subtree, 1 for a leaf */
};

BUILD_BUG_ON(sizeof(struct extent) != 64);

/*
 * Extents do not overlap. Two that touch are merged, unless the owner keeps
 * them apart (extent_give()).
 */
struct extent_space {
	struct extent *root[EXTENT_ORDERS];	/* BY_SIZE: NULL until extent_sort() */
	bool sorted;			/* root[BY_SIZE] holds all that root[BY_ADDRESS] does */
	unsigned long nr;		/* extents */
	unsigned long free;		/* sum of all len */
	struct extent *stock;		/* spare nodes, through kid[0][0] */
	unsigned int nr_stock;
};

/* ---- searching: NULL where there is none ------------------------------------- */

/* The lowest with at least @len. O(log n). */
struct extent *extent_first(const struct extent_space *s, unsigned long len);
/*
 * The lowest that holds @len from a multiple of @align (a power of two) on;
 * *@at is where. O(log n) where alignment wastes nothing, and one step more for
 * each extent that is large enough but for its alignment.
 */
struct extent *extent_first_aligned(const struct extent_space *s, unsigned long len,
				    unsigned long align, unsigned long *at);
/* The smallest with at least @len, of several the lowest. Needs extent_sort(). */
struct extent *extent_best(const struct extent_space *s, unsigned long len);
/* The last that starts at or below @at; the first that starts above it. */
struct extent *extent_floor(const struct extent_space *s, unsigned long at);
struct extent *extent_above(const struct extent_space *s, unsigned long at);

/* The one that all of [@at, @at + @len) lies in; whether any part of that is free. */
struct extent *extent_around(const struct extent_space *s, unsigned long at, unsigned long len);
bool extent_any_free(const struct extent_space *s, unsigned long at, unsigned long len);

/* ---- changing ------------------------------------------------------------------- */

/*
 * Takes [@at, @at + @len) out of @e, which holds it. From the middle it needs a
 * node of the stock.
 */
void extent_cut(struct extent_space *s, struct extent *e, unsigned long at, unsigned long len);
/*
 * Adds [@at, @at + @len), none of which is free. Merged with a neighbour that it
 * touches within [@lo, @hi); needs a node of the stock if there is no such one.
 */
void extent_give(struct extent_space *s, unsigned long at, unsigned long len,
		 unsigned long lo, unsigned long hi);
/* Builds the order by size, kept from then on. O(n log n), once. */
void extent_sort(struct extent_space *s);

static inline void extent_stock_add(struct extent_space *s, struct extent *e)
{
	e->kid[0][0] = s->stock;
	s->stock = e;
	s->nr_stock++;
}

static inline struct extent *extent_stock_take(struct extent_space *s)
{
	struct extent *e = s->stock;

	if (e) {
		s->stock = e->kid[0][0];
		s->nr_stock--;
	}
	return e;
}

/* Every invariant above, each violation printed. Returns their number. */
long extent_validate(const struct extent_space *s);

#endif /* MM_EXTENT_H */
