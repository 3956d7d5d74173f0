// SPDX-License-Identifier: MIT
/*
 * extent.c - free extents in balanced trees, by address and by size.
 *
 * One node may be in two AVL trees, whose links are pairs in one array, so that
 * one set of functions serves both. By address, each node knows the largest
 * extent of its subtree: "the lowest that is large enough" goes left wherever the
 * left side has one. By size, ties are broken by address, so that keys differ.
 *
 * An extent that loses or gains at its ends keeps its place by address (extents
 * do not overlap): only the maxima above it are brought up to date. In the order
 * by size it has to be taken out and put in again; this order is therefore kept
 * only for owners that have asked for a best fit.
 *
 * Recursion is as deep as a tree is high: 1.44 log2 n, under 100 levels for any n
 * there can be.
 *
 * Locks: the owner's.
 */
#include "extent.h"

#include "base/printk.h"

/* ---- balanced trees ---------------------------------------------------------------------- */

static int height(const struct extent *e, enum extent_order k)
{
	return e ? e->height[k] : 0;
}

static unsigned long max_len(const struct extent *e)
{
	return e ? e->max : 0;
}

static bool before(const struct extent *a, const struct extent *b, enum extent_order k)
{
	if (k == BY_SIZE && a->len != b->len)
		return a->len < b->len;
	return a->start < b->start;
}

/* True: it was another one. */
static bool update_max(struct extent *e)
{
	unsigned long most = max(e->len, max(max_len(e->kid[BY_ADDRESS][0]),
					     max_len(e->kid[BY_ADDRESS][1])));
	bool changed = e->max != most;

	e->max = most;
	return changed;
}

/* @l and @r: the heights of the kids. */
static void update(struct extent *e, enum extent_order k, int l, int r)
{
	e->height[k] = (u8)(1 + max(l, r));
	if (k == BY_ADDRESS)
		update_max(e);
}

/* The kid on @side becomes the root of the subtree, @e its kid on the other side. */
static struct extent *lift(struct extent *e, enum extent_order k, int side)
{
	struct extent *up = e->kid[k][side];

	e->kid[k][side] = up->kid[k][!side];
	up->kid[k][!side] = e;
	update(e, k, height(e->kid[k][0], k), height(e->kid[k][1], k));
	update(up, k, height(up->kid[k][0], k), height(up->kid[k][1], k));
	return up;
}

/* The subtree on @side is two levels too high. */
static noinline struct extent *rotate(struct extent *e, enum extent_order k, int side)
{
	struct extent *tall = e->kid[k][side];

	if (height(tall->kid[k][side], k) < height(tall->kid[k][!side], k))
		e->kid[k][side] = lift(tall, k, !side);
	return lift(e, k, side);
}

/* The subtrees of @e are balanced and differ by two levels at most. */
static inline struct extent *balance(struct extent *e, enum extent_order k)
{
	int l = height(e->kid[k][0], k), r = height(e->kid[k][1], k);

	if (unlikely(l > r + 1 || r > l + 1))
		return rotate(e, k, r > l);
	update(e, k, l, r);
	return e;
}

static struct extent *insert(struct extent *t, struct extent *e, enum extent_order k)
{
	int side;

	if (!t) {
		e->kid[k][0] = e->kid[k][1] = NULL;
		update(e, k, 0, 0);
		return e;
	}
	side = before(t, e, k);
	t->kid[k][side] = insert(t->kid[k][side], e, k);
	return balance(t, k);
}

static struct extent *remove_first(struct extent *t, enum extent_order k, struct extent **first)
{
	if (!t->kid[k][0]) {
		*first = t;
		return t->kid[k][1];
	}
	t->kid[k][0] = remove_first(t->kid[k][0], k, first);
	return balance(t, k);
}

/* @e is in the tree: damage of the links ends here at the latest, as a NULL. */
static struct extent *remove(struct extent *t, struct extent *e, enum extent_order k)
{
	struct extent *heir, *rest;
	int side;

	BUG_ON(!t);
	if (t != e) {
		side = before(t, e, k);
		t->kid[k][side] = remove(t->kid[k][side], e, k);
		return balance(t, k);
	}
	if (!e->kid[k][1])
		return e->kid[k][0];
	rest = remove_first(e->kid[k][1], k, &heir);
	heir->kid[k][1] = rest;
	heir->kid[k][0] = e->kid[k][0];
	return balance(heir, k);
}

/* The maxima from @e, whose length has changed, up towards @t. True: that of @t, too. */
static bool refresh(struct extent *t, const struct extent *e)
{
	if (t != e && !refresh(t->kid[BY_ADDRESS][before(t, e, BY_ADDRESS)], e))
		return false;
	return update_max(t);
}

/* ---- the set ----------------------------------------------------------------------------- */

static void link_extent(struct extent_space *s, struct extent *e)
{
	s->root[BY_ADDRESS] = insert(s->root[BY_ADDRESS], e, BY_ADDRESS);
	if (s->sorted)
		s->root[BY_SIZE] = insert(s->root[BY_SIZE], e, BY_SIZE);
	s->nr++;
}

static void drop_extent(struct extent_space *s, struct extent *e)
{
	s->root[BY_ADDRESS] = remove(s->root[BY_ADDRESS], e, BY_ADDRESS);
	if (s->sorted)
		s->root[BY_SIZE] = remove(s->root[BY_SIZE], e, BY_SIZE);
	s->nr--;
	extent_stock_add(s, e);
}

/* Its neighbours by address stay what they are. */
static void resize_extent(struct extent_space *s, struct extent *e, unsigned long start,
			  unsigned long len)
{
	if (s->sorted)
		s->root[BY_SIZE] = remove(s->root[BY_SIZE], e, BY_SIZE);
	e->start = start;
	e->len = len;
	refresh(s->root[BY_ADDRESS], e);
	if (s->sorted)
		s->root[BY_SIZE] = insert(s->root[BY_SIZE], e, BY_SIZE);
}

static void new_extent(struct extent_space *s, unsigned long start, unsigned long len)
{
	struct extent *e = extent_stock_take(s);

	BUG_ON(!e);
	e->start = start;
	e->len = len;
	link_extent(s, e);
}

void extent_cut(struct extent_space *s, struct extent *e, unsigned long at, unsigned long len)
{
	unsigned long end = at + len, e_end = e->start + e->len;

	VM_BUG_ON(at < e->start || end > e_end || !len);
	s->free -= len;
	if (at == e->start && end == e_end) {
		drop_extent(s, e);
	} else if (at == e->start) {
		resize_extent(s, e, end, e_end - end);
	} else {
		resize_extent(s, e, e->start, at - e->start);
		if (end < e_end)
			new_extent(s, end, e_end - end);
	}
}

void extent_give(struct extent_space *s, unsigned long at, unsigned long len,
		 unsigned long lo, unsigned long hi)
{
	struct extent *left = at > lo ? extent_floor(s, at - 1) : NULL;
	struct extent *right = at + len < hi ? extent_above(s, at) : NULL;
	unsigned long end = at + len;

	s->free += len;
	if (left && left->start + left->len != at)
		left = NULL;
	if (right && right->start != end)
		right = NULL;
	if (left && right) {
		end = right->start + right->len;
		drop_extent(s, right);
		resize_extent(s, left, left->start, end - left->start);
	} else if (left) {
		resize_extent(s, left, left->start, end - left->start);
	} else if (right) {
		resize_extent(s, right, at, right->start + right->len - at);
	} else {
		new_extent(s, at, len);
	}
}

static void sort_subtree(struct extent_space *s, struct extent *e)
{
	if (!e)
		return;
	sort_subtree(s, e->kid[BY_ADDRESS][0]);
	s->root[BY_SIZE] = insert(s->root[BY_SIZE], e, BY_SIZE);
	sort_subtree(s, e->kid[BY_ADDRESS][1]);
}

void extent_sort(struct extent_space *s)
{
	if (s->sorted)
		return;
	sort_subtree(s, s->root[BY_ADDRESS]);
	s->sorted = true;
}

/* ---- searching --------------------------------------------------------------------------- */

struct extent *extent_first(const struct extent_space *s, unsigned long len)
{
	struct extent *e = s->root[BY_ADDRESS];

	if (max_len(e) < len)
		return NULL;
	for (;;) {
		if (max_len(e->kid[BY_ADDRESS][0]) >= len)
			e = e->kid[BY_ADDRESS][0];
		else if (e->len >= len)
			return e;
		else
			e = e->kid[BY_ADDRESS][1];
	}
}

static struct extent *first_aligned(struct extent *e, unsigned long len, unsigned long align,
				    unsigned long *at)
{
	struct extent *found;

	if (max_len(e) < len)
		return NULL;
	found = first_aligned(e->kid[BY_ADDRESS][0], len, align, at);
	if (found)
		return found;
	*at = ALIGN(e->start, align);
	if (*at >= e->start && *at - e->start < e->len && len <= e->len - (*at - e->start))
		return e;
	return first_aligned(e->kid[BY_ADDRESS][1], len, align, at);
}

struct extent *extent_first_aligned(const struct extent_space *s, unsigned long len,
				    unsigned long align, unsigned long *at)
{
	return first_aligned(s->root[BY_ADDRESS], len, align, at);
}

struct extent *extent_best(const struct extent_space *s, unsigned long len)
{
	struct extent *e = s->root[BY_SIZE], *best = NULL;

	VM_BUG_ON(!s->sorted);
	while (e) {
		if (e->len >= len)
			best = e;
		e = e->kid[BY_SIZE][e->len < len];
	}
	return best;
}

struct extent *extent_floor(const struct extent_space *s, unsigned long at)
{
	struct extent *e = s->root[BY_ADDRESS], *found = NULL;

	while (e) {
		if (e->start <= at)
			found = e;
		e = e->kid[BY_ADDRESS][e->start <= at];
	}
	return found;
}

struct extent *extent_above(const struct extent_space *s, unsigned long at)
{
	struct extent *e = s->root[BY_ADDRESS], *found = NULL;

	while (e) {
		if (e->start > at)
			found = e;
		e = e->kid[BY_ADDRESS][e->start <= at];
	}
	return found;
}

struct extent *extent_around(const struct extent_space *s, unsigned long at, unsigned long len)
{
	struct extent *e = extent_floor(s, at);

	return e && at - e->start < e->len && len <= e->len - (at - e->start) ? e : NULL;
}

bool extent_any_free(const struct extent_space *s, unsigned long at, unsigned long len)
{
	const struct extent *e = extent_floor(s, at + len - 1);

	return e && e->start + e->len > at;
}

/* ---- checking ---------------------------------------------------------------------------- */

struct extent_tally {
	unsigned long nr, free;
	const struct extent *last;
	long errors;
};

static void complain(struct extent_tally *t, const struct extent *e, const char *what)
{
	printk("extent [%lx, %lx): %s\n", e->start, e->start + e->len, what);
	t->errors++;
}

static void tally(const struct extent *e, enum extent_order k, struct extent_tally *t)
{
	const struct extent *l, *r;

	if (!e)
		return;
	l = e->kid[k][0];
	r = e->kid[k][1];
	tally(l, k, t);
	if (t->last && !before(t->last, e, k))
		complain(t, e, "out of order");
	if (t->last && k == BY_ADDRESS && t->last->start + t->last->len > e->start)
		complain(t, e, "overlaps the one before");
	if (!e->len)
		complain(t, e, "empty");
	if (height(l, k) > height(r, k) + 1 || height(r, k) > height(l, k) + 1 ||
	    e->height[k] != 1 + max(height(l, k), height(r, k)))
		complain(t, e, "not balanced");
	if (k == BY_ADDRESS && e->max != max(e->len, max(max_len(l), max_len(r))))
		complain(t, e, "wrong maximum");
	t->last = e;
	t->nr++;
	t->free += e->len;
	tally(r, k, t);
}

long extent_validate(const struct extent_space *s)
{
	long errors = 0;

	for (enum extent_order k = BY_ADDRESS; k < EXTENT_ORDERS; k++) {
		struct extent_tally t = { 0 };

		if (k == BY_SIZE && !s->sorted)
			break;
		tally(s->root[k], k, &t);
		if (t.nr != s->nr || t.free != s->free) {
			printk("extents: %lu with %lu free, %lu with %lu counted\n", s->nr,
			       s->free, t.nr, t.free);
			t.errors++;
		}
		errors += t.errors;
	}
	return errors;
}
