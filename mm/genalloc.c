// SPDX-License-Identifier: MIT
/*
 * genalloc.c - pools of address ranges.
 *
 * What is free in all chunks is one extent_space (extent.h). What is in use has
 * no node: it is what lies in a chunk and is not free, as in the kernel's
 * bitmaps; a million blocks that touch each other cost nothing. So a free is
 * checked against the chunks (it lies in one) and the free extents (it overlaps
 * none): what fails either was not allocated, or is freed twice.
 *
 * Tracked pools know besides where each block in use begins: a bit a granule,
 * in an hbitmap that finds the next one in a few steps. A block ends where the
 * next one begins, or the next free extent, or the chunk; so the length need not
 * be stored, and no pointer into the midst of a block is taken for one.
 *
 * Nodes. Taking space from the front of an extent needs none; taking it from
 * the middle (alignment, fixed places) and giving it back need one at most. Those
 * get the lock with one in stock (lock_stocked()). Merging leaves nodes over: a
 * few are kept, the rest is freed after the lock (unlock_trimmed()).
 *
 * Locks: the pool's lock, nothing under it.
 */
#include "genalloc.h"

#include <errno.h>
#include <limits.h>

#include <kmem/slab.h>
#include <kmem/vmalloc.h>

#include "base/printk.h"
#include "host/host.h"

#define ORDER_MAX	40

/* A free and the next one that finds no neighbour use one each; a few more are no loss. */
#define STOCK_KEPT	8

static unsigned long granule(const struct gen_pool *pool)
{
	return 1UL << pool->order;
}

/* ---- the lock and the stock -------------------------------------------------------------- */

static unsigned long magic_of(const struct gen_pool *pool)
{
	return (unsigned long)pool ^ 0x67656e706f6f6c21UL;
}

/* @who: the function that was called. */
static void check_and_lock(struct gen_pool *pool, const char *who)
{
	if (unlikely(!pool || pool->magic != magic_of(pool)))
		BUG("%s: %p is not a pool, or one that was destroyed", who, (void *)pool);
	pool_lock(&pool->lock);
}

/* The lock, with a node in stock. Without memory: false, and no lock; with __GFP_NOFAIL never. */
static bool lock_stocked(struct gen_pool *pool, gfp_t gfp, const char *who)
{
	struct extent *e;

	check_and_lock(pool, who);
	while (!pool->space.stock) {
		pool_unlock(&pool->lock);
		e = kmalloc(sizeof(*e), gfp);
		if (!e && !(gfp & __GFP_NOFAIL))
			return false;
		if (!e)
			host_yield();
		pool_lock(&pool->lock);
		if (e)
			extent_stock_add(&pool->space, e);
	}
	return true;
}

static void unlock_trimmed(struct gen_pool *pool)
{
	struct extent *surplus[2] = { NULL, NULL };

	/* One call leaves one node over at most: two at a time catch up. */
	for (int i = 0; i < 2 && pool->space.nr_stock > STOCK_KEPT; i++)
		surplus[i] = extent_stock_take(&pool->space);
	pool_unlock(&pool->lock);
	kfree(surplus[0]);
	kfree(surplus[1]);
}

/* ---- chunks ------------------------------------------------------------------------------ */

/* The chunk that all of [@addr, @addr + @size) lies in. Lock held. */
static struct gen_pool_chunk *chunk_of(struct gen_pool *pool, unsigned long addr, size_t size)
{
	struct gen_pool_chunk *c;

	list_for_each_entry(c, &pool->chunks, list) {
		if (addr >= c->start && addr < c->end && size <= c->end - addr)
			return c;
	}
	return NULL;
}

static void free_chunk(struct gen_pool_chunk *c)
{
	kvfree(c->starts_memory);
	kfree(c);
}

static struct gen_pool_chunk *make_chunk(const struct gen_pool *pool, unsigned long start,
					 phys_addr_t phys, size_t size)
{
	struct gen_pool_chunk *c = kzalloc(sizeof(*c), GFP_KERNEL);

	if (!c)
		return NULL;
	c->start = start;
	c->end = start + size;
	c->phys = phys;
	if (pool->tracked) {
		unsigned long bits = size >> pool->order;

		c->starts_memory = kvzalloc(hbitmap_bytes(bits), GFP_KERNEL);
		if (!c->starts_memory) {
			kfree(c);
			return NULL;
		}
		hbitmap_init(&c->starts, bits, c->starts_memory);
	}
	return c;
}

static bool overlaps(struct gen_pool *pool, const struct gen_pool_chunk *new)
{
	struct gen_pool_chunk *c;

	list_for_each_entry(c, &pool->chunks, list) {
		if (new->start < c->end && c->start < new->end)
			return true;
	}
	return false;
}

/* @alone: only if there is no other chunk. */
static int add_chunk(struct gen_pool *pool, unsigned long start, phys_addr_t phys, size_t size,
		     bool alone)
{
	struct gen_pool_chunk *c;
	int error = 0;

	size = ALIGN_DOWN(size, granule(pool));
	if (!start || !size || !IS_ALIGNED(start, granule(pool)) || start + size < start)
		return -EINVAL;
	c = make_chunk(pool, start, phys, size);
	if (!c)
		return -ENOMEM;
	if (!lock_stocked(pool, GFP_KERNEL, "gen_pool_add")) {
		free_chunk(c);
		return -ENOMEM;
	}
	if (overlaps(pool, c) || (alone && !list_empty(&pool->chunks))) {
		error = -EEXIST;
	} else {
		list_add_tail(&c->list, &pool->chunks);
		pool->size += size;
		extent_give(&pool->space, start, size, c->start, c->end);
	}
	unlock_trimmed(pool);
	if (error)
		free_chunk(c);
	return error;
}

int gen_pool_add_virt(struct gen_pool *pool, unsigned long virt, phys_addr_t phys,
		      size_t size, int nid)
{
	(void)nid;
	return add_chunk(pool, virt, phys, size, false);
}

int gen_pool_add_only(struct gen_pool *pool, unsigned long start, size_t size)
{
	return add_chunk(pool, start, (phys_addr_t)-1, size, true);
}

int gen_pool_remove_only(struct gen_pool *pool, unsigned long *start)
{
	struct gen_pool_chunk *c;
	struct extent *e;

	pool_lock(&pool->lock);
	if (list_empty(&pool->chunks)) {
		pool_unlock(&pool->lock);
		return -ENXIO;
	}
	if (pool->space.free != pool->size) {
		pool_unlock(&pool->lock);
		return -EBUSY;
	}
	c = list_first_entry(&pool->chunks, struct gen_pool_chunk, list);
	list_del(&c->list);
	e = extent_floor(&pool->space, c->start);
	extent_cut(&pool->space, e, c->start, c->end - c->start);
	pool->size = 0;
	unlock_trimmed(pool);
	*start = c->start;
	free_chunk(c);
	return 0;
}

/* ---- pools ------------------------------------------------------------------------------- */

static struct gen_pool *create_pool(int order, bool tracked)
{
	struct gen_pool *pool;

	if (order < 0 || order > ORDER_MAX)
		return NULL;
	pool = kzalloc(sizeof(*pool), GFP_KERNEL);
	if (!pool)
		return NULL;
	pool->order = order;
	pool->tracked = tracked;
	pool->algo = gen_pool_first_fit;
	pool->magic = magic_of(pool);
	INIT_LIST_HEAD(&pool->chunks);
	pool_lock_init(&pool->lock);
	return pool;
}

struct gen_pool *gen_pool_create(int min_alloc_order, int nid)
{
	(void)nid;
	return create_pool(min_alloc_order, false);
}

struct gen_pool *gen_pool_create_tracked(int order)
{
	return create_pool(order, true);
}

void gen_pool_destroy(struct gen_pool *pool)
{
	struct gen_pool_chunk *c, *next;
	unsigned long used;
	struct extent *e;

	if (!pool)
		return;
	check_and_lock(pool, "gen_pool_destroy");
	used = pool->size - pool->space.free;
	pool_unlock(&pool->lock);
	if (unlikely(used))
		BUG("gen_pool_destroy %p: %lu bytes are in use", (void *)pool, used);
	pool->magic = 0;
	pool_lock_exit(&pool->lock);
	list_for_each_entry_safe(c, next, &pool->chunks, list) {
		e = extent_floor(&pool->space, c->start);
		extent_cut(&pool->space, e, c->start, c->end - c->start);
		free_chunk(c);
	}
	while ((e = extent_stock_take(&pool->space)))
		kfree(e);
	kfree(pool);
}

void gen_pool_set_algo(struct gen_pool *pool, genpool_algo_t algo, void *data)
{
	check_and_lock(pool, "gen_pool_set_algo");
	pool->algo = algo ? algo : gen_pool_first_fit;
	pool->data = data;
	pool_unlock(&pool->lock);
}

/* ---- algorithms: called with the lock held ----------------------------------------------- */

unsigned long gen_pool_first_fit(struct gen_pool *pool, size_t size, void *data)
{
	struct extent *e = extent_first(&pool->space, size);

	(void)data;
	return e ? e->start : 0;
}

unsigned long gen_pool_best_fit(struct gen_pool *pool, size_t size, void *data)
{
	struct extent *e;

	(void)data;
	extent_sort(&pool->space);
	e = extent_best(&pool->space, size);
	return e ? e->start : 0;
}

static unsigned long aligned_fit(struct gen_pool *pool, size_t size, unsigned long align)
{
	unsigned long at;

	return extent_first_aligned(&pool->space, size, align, &at) ? at : 0;
}

unsigned long gen_pool_first_fit_align(struct gen_pool *pool, size_t size, void *data)
{
	int align = ((const struct genpool_data_align *)data)->align;

	if (align <= 0 || !is_power_of_2((unsigned long)align))
		return 0;
	return aligned_fit(pool, size, max((unsigned long)align, granule(pool)));
}

unsigned long gen_pool_first_fit_order_align(struct gen_pool *pool, size_t size, void *data)
{
	(void)data;
	return aligned_fit(pool, size, roundup_pow_of_two(size));
}

unsigned long gen_pool_fixed_alloc(struct gen_pool *pool, size_t size, void *data)
{
	unsigned long offset = ((const struct genpool_data_fixed *)data)->offset, at;

	if (list_empty(&pool->chunks))
		return 0;
	at = list_first_entry(&pool->chunks, struct gen_pool_chunk, list)->start + offset;
	return IS_ALIGNED(at, granule(pool)) && extent_around(&pool->space, at, size) ? at : 0;
}

/* ---- allocation -------------------------------------------------------------------------- */

static void mark_start(struct gen_pool *pool, unsigned long at, size_t size)
{
	struct gen_pool_chunk *c = chunk_of(pool, at, size);

	hbitmap_set(&c->starts, (at - c->start) >> pool->order);
	pool->nr_used++;
}

/* NULL @algo: the pool's. */
static unsigned long alloc_by(struct gen_pool *pool, size_t size, genpool_algo_t algo, void *data)
{
	struct extent *e;
	unsigned long at;

	if (!size || size > LONG_MAX || !lock_stocked(pool, GFP_KERNEL, "gen_pool_alloc"))
		return 0;
	size = ALIGN(size, granule(pool));
	if (!algo) {
		algo = pool->algo;
		data = pool->data;
	}
	at = algo(pool, size, data);
	e = at && IS_ALIGNED(at, granule(pool)) ? extent_around(&pool->space, at, size) : NULL;
	if (e) {
		extent_cut(&pool->space, e, at, size);
		if (pool->tracked)
			mark_start(pool, at, size);
	}
	unlock_trimmed(pool);
	if (unlikely(at && !e))
		BUG("gen_pool_alloc: the algorithm chose [%lx, %lx), which is not all free", at,
		    at + size);
	return at;
}

unsigned long gen_pool_alloc(struct gen_pool *pool, size_t size)
{
	return alloc_by(pool, size, NULL, NULL);
}

unsigned long gen_pool_alloc_algo(struct gen_pool *pool, size_t size, genpool_algo_t algo,
				  void *data)
{
	return alloc_by(pool, size, algo, data);
}

void *gen_pool_dma_alloc(struct gen_pool *pool, size_t size, dma_addr_t *dma)
{
	unsigned long at = gen_pool_alloc(pool, size);

	if (at && dma)
		*dma = gen_pool_virt_to_phys(pool, at);
	return (void *)at;
}

/* ---- freeing ----------------------------------------------------------------------------- */

/*
 * In untracked pools only: in tracked ones gen_pool_free_block() knows the size
 * better than the caller.
 */
void gen_pool_free(struct gen_pool *pool, unsigned long addr, size_t size)
{
	const char *wrong = NULL;
	struct gen_pool_chunk *c;

	lock_stocked(pool, GFP_KERNEL | __GFP_NOFAIL, "gen_pool_free");
	size = ALIGN(size, granule(pool));
	c = chunk_of(pool, addr, size);
	if (!c || !size || !IS_ALIGNED(addr, granule(pool)))
		wrong = "is not in the pool";
	else if (extent_any_free(&pool->space, addr, size))
		wrong = "is not all in use (a double free?)";
	else
		extent_give(&pool->space, addr, size, c->start, c->end);
	unlock_trimmed(pool);
	if (unlikely(wrong))
		BUG("gen_pool_free: [%lx, %lx) %s", addr, addr + size, wrong);
}

/* Where the block or extent that begins at @at ends: where the next one begins. Lock held. */
static unsigned long block_end(struct gen_pool *pool, struct gen_pool_chunk *c, unsigned long at)
{
	unsigned long n = hbitmap_next(&c->starts, ((at - c->start) >> pool->order) + 1);
	struct extent *e = extent_above(&pool->space, at);
	unsigned long end = n < c->starts.nbits ? c->start + (n << pool->order) : c->end;

	return e && e->start < end ? e->start : end;
}

int gen_pool_free_block(struct gen_pool *pool, unsigned long addr)
{
	struct gen_pool_chunk *c;
	unsigned long n;
	int error = 0;

	lock_stocked(pool, GFP_KERNEL | __GFP_NOFAIL, "gen_pool_free");
	c = chunk_of(pool, addr, granule(pool));
	n = c ? (addr - c->start) >> pool->order : 0;
	if (list_empty(&pool->chunks)) {
		error = -ENXIO;
	} else if (!c || !IS_ALIGNED(addr, granule(pool)) || !hbitmap_test(&c->starts, n)) {
		error = -EINVAL;
	} else {
		unsigned long end = block_end(pool, c, addr);

		hbitmap_clear(&c->starts, n);
		pool->nr_used--;
		extent_give(&pool->space, addr, end - addr, c->start, c->end);
	}
	unlock_trimmed(pool);
	return error;
}

/* ---- questions --------------------------------------------------------------------------- */

phys_addr_t gen_pool_virt_to_phys(struct gen_pool *pool, unsigned long addr)
{
	phys_addr_t phys = (phys_addr_t)-1;
	struct gen_pool_chunk *c;

	check_and_lock(pool, "gen_pool_virt_to_phys");
	c = chunk_of(pool, addr, 1);
	if (c && c->phys != (phys_addr_t)-1)
		phys = c->phys + (addr - c->start);
	pool_unlock(&pool->lock);
	return phys;
}

bool gen_pool_has_addr(struct gen_pool *pool, unsigned long start, size_t size)
{
	bool has;

	check_and_lock(pool, "gen_pool_has_addr");
	has = chunk_of(pool, start, size) != NULL;
	pool_unlock(&pool->lock);
	return has;
}

size_t gen_pool_avail(struct gen_pool *pool)
{
	size_t avail;

	check_and_lock(pool, "gen_pool_avail");
	avail = pool->space.free;
	pool_unlock(&pool->lock);
	return avail;
}

size_t gen_pool_size(struct gen_pool *pool)
{
	size_t size;

	check_and_lock(pool, "gen_pool_size");
	size = pool->size;
	pool_unlock(&pool->lock);
	return size;
}

bool gen_pool_sum(struct gen_pool *pool, struct gen_pool_sum *sum)
{
	bool any;

	pool_lock(&pool->lock);
	any = !list_empty(&pool->chunks);
	if (any)
		sum->start = list_first_entry(&pool->chunks, struct gen_pool_chunk, list)->start;
	sum->size = pool->size;
	sum->free = pool->space.free;
	sum->used_blocks = pool->nr_used;
	sum->free_extents = pool->space.nr;
	pool_unlock(&pool->lock);
	return any;
}

/* What begins at @at, a granule where something begins. Lock held. */
static void describe(struct gen_pool *pool, struct gen_pool_chunk *c, unsigned long at,
		     struct gen_pool_block *b)
{
	b->start = at;
	b->used = hbitmap_test(&c->starts, (at - c->start) >> pool->order);
	b->len = block_end(pool, c, at) - at;
}

bool gen_pool_next_block(struct gen_pool *pool, unsigned long addr, struct gen_pool_block *b)
{
	struct gen_pool_chunk *c;
	bool found = false;

	pool_lock(&pool->lock);
	list_for_each_entry(c, &pool->chunks, list) {
		struct extent *e;
		unsigned long n;

		if (addr >= c->end)
			continue;
		found = true;
		if (addr <= c->start) {
			describe(pool, c, c->start, b);
			break;
		}
		/* @addr is where a stretch ended a moment ago; the next one may have moved. */
		n = hbitmap_next(&c->starts, (addr - c->start) >> pool->order);
		e = extent_floor(&pool->space, addr);
		if (e && e->start + e->len > addr)
			describe(pool, c, e->start, b);
		else if (n < c->starts.nbits)
			describe(pool, c, c->start + (n << pool->order), b);
		else
			found = false;
		break;
	}
	pool_unlock(&pool->lock);
	return found;
}

/* ---- checking ---------------------------------------------------------------------------- */

/* Blocks and free extents tile the chunk. Returns the bytes that are free, or -1. */
static long tile(struct gen_pool *pool, struct gen_pool_chunk *c)
{
	unsigned long at = c->start;
	long free = 0;

	while (at < c->end) {
		bool used = hbitmap_test(&c->starts, (at - c->start) >> pool->order);
		struct extent *e = extent_floor(&pool->space, at);
		bool is_free = e && e->start == at;

		if (used == is_free)
			return -1;
		if (is_free)
			free += (long)e->len;
		at = block_end(pool, c, at);
	}
	return at == c->end ? free : -1;
}

long gen_pool_validate(struct gen_pool *pool)
{
	struct gen_pool_chunk *c;
	unsigned long size = 0, free = 0;
	long errors;

	pool_lock(&pool->lock);
	errors = extent_validate(&pool->space);
	list_for_each_entry(c, &pool->chunks, list) {
		long f = pool->tracked ? tile(pool, c) : 0;

		size += c->end - c->start;
		if (f < 0)
			errors++;
		else
			free += (unsigned long)f;
	}
	errors += size != pool->size;
	errors += pool->tracked && free != pool->space.free;
	pool_unlock(&pool->lock);
	if (errors)
		printk("gen_pool %p: %ld errors\n", (void *)pool, errors);
	return errors;
}
