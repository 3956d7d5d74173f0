// SPDX-License-Identifier: MIT
/*
 * pool.c - pools of small objects in blocks, freed together.
 *
 * The ladder of an allocation:
 *
 *	the first open block		last moves on: the hit
 *	the other open blocks		at most MAX_OPEN of them, oldest first
 *	an empty block			counted pools: its last object was freed
 *	a new block			from the per-CPU page lists
 *
 * A block stays open until MAX_FAILED new ones had to be made because it, among
 * others, was too full; each new block makes all open ones fail once, so there are
 * never more than MAX_OPEN, and no allocation looks at more, however many blocks
 * the pool has.
 *
 * Freeing. Blocks are aligned to their size, so an object's block is found by its
 * address, and struct page tells whether there is one at all before anything is
 * read from it: no pointer, however wrong, is followed. Mostly it is the block that
 * was found last (a pool's blocks stay its own), and nothing has to be asked. The
 * bit of the object in the block's live bits says whether it is in use. A block that
 * has none left begins anew: where it is, if it is open, or on the list of empty ones.
 *
 * Large objects are runs of pages (PT_LARGE) with a mark and, in struct page,
 * their pool and their place on its list: no bookkeeping in the blocks, and a free
 * that does not look for anything.
 *
 * Locks: none, or the pool's (MP_SHARED). Pages are taken and given back without.
 */
#include "pool.h"

#include <string.h>

#include "base/printk.h"

/* struct page::order of a pool's large objects; vmalloc.c has 1. */
#define POOL_MARK	2

#define MAX_FAILED	5
#define MAX_OPEN	(MAX_FAILED + 1)

#define KNOWN_FLAGS	(MP_NGINX | MP_SHARED | MP_ALIGN32)

/* ---- misuse ------------------------------------------------------------------------------ */

static void __cold __noreturn bad_pool(const struct mp_pool_s *pool, const char *who)
{
	BUG("%s: %p is not a pool, or one that was destroyed", who, (const void *)pool);
}

void mp_check(const struct mp_pool_s *pool, const char *who)
{
	if (unlikely(!pool || pool->magic != mp_magic(pool)))
		bad_pool(pool, who);
}

/* ---- blocks: lock held ------------------------------------------------------------------- */

static unsigned long granule_of(const struct mp_node_s *n, const void *p)
{
	return (unsigned long)((const char *)p - (const char *)n) / MP_GRANULE;
}

static void add_open(struct mp_pool_s *pool, struct mp_node_s *n)
{
	n->state = MP_OPEN;
	n->link = NULL;
	if (pool->open)
		pool->open_tail->link = n;
	else
		pool->open = n;
	pool->open_tail = n;
}

static void open_node(struct mp_pool_s *pool, struct mp_node_s *n)
{
	n->failed = 0;
	n->misses = 0;
	add_open(pool, n);
}

static void shelve_node(struct mp_pool_s *pool, struct mp_node_s *n)
{
	n->state = MP_EMPTY;
	n->link = pool->empty;
	pool->empty = n;
}

/* Nothing fitted into any open block. Those that this has happened to too often are full. */
static void fail_open(struct mp_pool_s *pool)
{
	struct mp_node_s *n = pool->open, *next;

	pool->open = pool->open_tail = NULL;
	for (; n; n = next) {
		next = n->link;
		n->failed++;
		if (++n->misses <= MAX_FAILED) {
			add_open(pool, n);
		} else if (mp_counted(pool) && n->quote == 0) {
			shelve_node(pool, n);	/* only the first block can be too small when empty */
		} else {
			n->state = MP_FULL;
		}
	}
}

static void add_node(struct mp_pool_s *pool, struct mp_node_s *n)
{
	n->pool = pool;
	n->end = (unsigned char *)n + mp_block_size(pool);
	n->next = NULL;
	if (pool->tail)
		pool->tail->next = n;
	else
		pool->head = n;
	pool->tail = n;
	pool->nr_blocks++;
	n->last = mp_node_data(pool, n);
	n->quote = 0;
	if (mp_counted(pool))
		memset(n->live, 0, mp_block_size(pool) / MP_GRANULE / 8);
	open_node(pool, n);
}

static inline void *take_from(struct mp_pool_s *pool, struct mp_node_s *n, size_t size,
			      size_t align)
{
	unsigned char *p = (unsigned char *)ALIGN((unsigned long)n->last, align);

	if (unlikely(n->end - p < (long)size))	/* p may lie behind the end */
		return NULL;
	n->last = p + size;
	if (unlikely(mp_counted(pool))) {	/* not rare: the shorter way without a jump */
		n->quote++;
		__set_bit(n->live, granule_of(n, p));
	}
	if (!p)
		__builtin_unreachable();	/* so that callers need not ask again */
	return p;
}

static noinline void *take_slow(struct mp_pool_s *pool, size_t size, size_t align)
{
	struct mp_node_s *n;
	void *p;

	for (n = pool->open->link; n; n = n->link) {
		p = take_from(pool, n, size, align);
		if (p)
			return p;
	}
	n = pool->empty;
	if (!n)
		return NULL;
	pool->empty = n->link;
	fail_open(pool);
	open_node(pool, n);
	return take_from(pool, n, size, align);
}

static inline void *take(struct mp_pool_s *pool, size_t size, size_t align)
{
	void *p = take_from(pool, pool->open, size, align);

	return likely(p) ? p : take_slow(pool, size, align);
}

/* ---- allocation -------------------------------------------------------------------------- */

static struct mp_node_s *get_block(unsigned int order)
{
	return (struct mp_node_s *)__get_free_pages(GFP_KERNEL | __GFP_COMP, order);
}

static noinline void *block_alloc(struct mp_pool_s *pool, size_t size, size_t align)
{
	struct mp_node_s *n = get_block(pool->order);
	void *p;

	if (!n)
		return NULL;
	mp_lock(pool);
	/* Somebody else may have made room meanwhile; two new blocks would be one too many. */
	p = take(pool, size, align);
	if (!p) {
		fail_open(pool);
		add_node(pool, n);
		n = NULL;
		p = take_from(pool, pool->open_tail, size, align);
	}
	mp_unlock(pool);
	free_pages((unsigned long)n, pool->order);
	return p;
}

static noinline void *large_alloc(struct mp_pool_s *pool, size_t size, gfp_t gfp)
{
	struct page *page;

	if (size > 1UL << 46)		/* no address space holds that */
		return NULL;
	page = alloc_large(PAGE_ALIGN(size) >> PAGE_SHIFT, 1, GFP_KERNEL | gfp);
	if (!page)
		return NULL;
	page->requested = size;
	page->pool = pool;
	WRITE_ONCE(page->order, POOL_MARK);
	mp_lock(pool);
	list_add(&page->pool_list, &pool->large);
	pool->nr_large++;
	mp_unlock(pool);
	return page_address(page);
}

/* All of the ladder below the hit. */
static noinline void *pool_alloc_slow(struct mp_pool_s *pool, size_t size, size_t align)
{
	void *p;

	if (size - 1 >= pool->max)	/* 0, or too large for a block */
		return size ? large_alloc(pool, size, 0) : NULL;
	mp_lock(pool);
	p = take(pool, size, align);
	mp_unlock(pool);
	return p ? p : block_alloc(pool, size, align);
}

static inline void *pool_alloc(struct mp_pool_s *pool, size_t size, size_t align)
{
	void *p;

	if (unlikely(size - 1 >= pool->hit_size))
		return pool_alloc_slow(pool, size, align);
	p = take_from(pool, pool->open, size, align);
	return likely(p) ? p : pool_alloc_slow(pool, size, align);
}

void *mp_malloc(struct mp_pool_s *pool, size_t size)
{
	mp_check(pool, "mp_malloc");
	return pool_alloc(pool, size, pool->align);
}

void *mp_alloc(struct mp_pool_s *pool, size_t size)
{
	mp_check(pool, "mp_alloc");
	return pool_alloc(pool, size, pool->align);
}

void *mp_nalloc(struct mp_pool_s *pool, size_t size)
{
	mp_check(pool, "mp_nalloc");
	return pool_alloc(pool, size, mp_counted(pool) ? pool->align : 1);
}

void *mp_calloc(struct mp_pool_s *pool, size_t size)
{
	void *p;

	mp_check(pool, "mp_calloc");
	if (size > pool->max)
		return large_alloc(pool, size, __GFP_ZERO);
	p = pool_alloc(pool, size, pool->align);
	return p ? memset(p, 0, size) : NULL;
}

/* ---- freeing ----------------------------------------------------------------------------- */

/* The block of @pool that @p lies in, or NULL; *@large: the large object that begins there. */
static struct mp_node_s *find(struct mp_pool_s *pool, void *p, struct page **large)
{
	struct mp_node_s *n;
	struct page *page;
	unsigned int type;

	*large = NULL;
	if (((unsigned long)p ^ (unsigned long)pool->recent) < mp_block_size(pool))
		return pool->recent;
	page = virt_to_head_page(p);
	if (!page)
		return NULL;
	type = READ_ONCE(page->type);
	if (type == PT_LARGE) {
		if (READ_ONCE(page->order) == POOL_MARK && page->pool == pool &&
		    page_address(page) == p)
			*large = page;
		return NULL;
	}
	/* Not compound: a block of one page. */
	if (type != (pool->order ? PT_COMP : PT_ALLOC) || page->order != pool->order)
		return NULL;
	/* The program's own pages may hold our address, too, but hardly both. */
	n = page_address(page);
	if (n->pool != pool || n->end != (unsigned char *)n + mp_block_size(pool))
		return NULL;
	WRITE_ONCE(pool->recent, n);
	return n;
}

/*
 * The block's last object is gone. An open one keeps the count of its misses: else
 * there could be any number of open ones.
 */
static void empty_node(struct mp_pool_s *pool, struct mp_node_s *n)
{
	n->last = mp_node_data(pool, n);
	n->failed = 0;
	if (n->state == MP_FULL)
		shelve_node(pool, n);
}

/* The bit of an object in use, of a counted pool's block, is cleared. False: it is none. */
static inline bool clear_live(struct mp_node_s *n, const void *p)
{
	unsigned long i = granule_of(n, p);

	if (unlikely((unsigned long)p % MP_GRANULE || !test_bit(n->live, i)))
		return false;
	__clear_bit(n->live, i);
	return true;
}

/* False: @p is no object in use. */
static bool free_small(struct mp_pool_s *pool, struct mp_node_s *n, unsigned char *p)
{
	if (!mp_counted(pool))
		return p >= mp_node_data(pool, n) && p < n->last;
	if (!clear_live(n, p))
		return false;
	if (--n->quote == 0)
		empty_node(pool, n);
	return true;
}

static noinline void free_slow(struct mp_pool_s *pool, void *p)
{
	struct page *large;
	struct mp_node_s *n;
	bool done = false;

	if (!p)
		return;
	mp_lock(pool);
	n = find(pool, p, &large);
	if (n) {
		done = free_small(pool, n, p);
	} else if (large) {
		list_del(&large->pool_list);
		large->pool = NULL;
		pool->nr_large--;
		done = true;
	}
	mp_unlock(pool);
	if (unlikely(!done))
		BUG("mp_free: %p is no object in use of pool %p", p, (void *)pool);
	if (large)
		free_large(large);
}

void mp_free(struct mp_pool_s *pool, void *p)
{
	struct mp_node_s *n;

	mp_check(pool, "mp_free");
	n = READ_ONCE(pool->recent);	/* of a shared pool, for nothing */
	if (likely(((unsigned long)p ^ (unsigned long)n) < pool->hit_bytes && clear_live(n, p))) {
		if (unlikely(--n->quote == 0))
			empty_node(pool, n);
		return;
	}
	free_slow(pool, p);
}

/* ---- clean-up handlers ------------------------------------------------------------------- */

struct mp_cleanup_s *mp_cleanup_add(struct mp_pool_s *pool, size_t size)
{
	struct mp_cleanup_s *c;

	mp_check(pool, "mp_cleanup_add");
	c = pool_alloc(pool, sizeof(*c), pool->align);
	if (!c)
		return NULL;
	c->handler = NULL;
	c->data = pool_alloc(pool, size, pool->align);
	if (size && !c->data) {
		if (mp_counted(pool))
			mp_free(pool, c);
		return NULL;
	}
	mp_lock(pool);
	c->next = pool->cleanup;
	pool->cleanup = c;
	mp_unlock(pool);
	return c;
}

/* A handler may do anything to the pool but destroy it. */
static void run_cleanup(struct mp_pool_s *pool, const char *who)
{
	struct mp_cleanup_s *c;

	while ((c = pool->cleanup)) {
		pool->cleanup = c->next;
		if (c->handler)
			c->handler(c->data);
		mp_check(pool, who);
	}
}

/* ---- creation, reset, destruction -------------------------------------------------------- */

/* Bytes before the first object of every block but the first. */
static size_t node_bytes(size_t block, unsigned int flags)
{
	size_t live = flags & MP_NGINX ? 0 : ALIGN(block / MP_GRANULE / 8, MP_GRANULE);

	return ALIGN(sizeof(struct mp_node_s), MP_GRANULE) + live;
}

/*
 * The largest object that comes from a block: in a counted pool what a block of one
 * page holds, however large the pool's are; in an MP_NGINX pool what was asked for,
 * below a page.
 */
static size_t max_small(size_t size, size_t block, unsigned int flags, size_t align)
{
	size_t holder = flags & MP_NGINX ? block : PAGE_SIZE;
	/* Alignment may leave some bytes before the first object. */
	size_t room = holder - ALIGN(node_bytes(holder, flags), align);

	if (!(flags & MP_NGINX))
		return room;
	return min((size_t)MP_MAX_ALLOC_FROM_POOL, min(size ? size : block, room));
}

static unsigned int block_order(size_t size, unsigned int flags, size_t overhead)
{
	size_t bytes = PAGE_SIZE;

	if ((flags & MP_NGINX) && size)
		bytes = min(size, PAGE_SIZE << MAX_PAGE_ORDER) + overhead;
	else if (size && size % PAGE_SIZE == 0)
		bytes = size;
	return min(get_order(bytes), (unsigned int)MAX_PAGE_ORDER);
}

struct mp_pool_s *mp_create_pool_flags(size_t size, unsigned int flags)
{
	struct mp_node_s *n;
	struct mp_pool_s *pool;
	unsigned int order;
	size_t block;

	if (flags & ~KNOWN_FLAGS)
		return NULL;
	order = block_order(size, flags, node_bytes(0, flags) + sizeof(*pool));
	block = PAGE_SIZE << order;
	n = get_block(order);
	if (!n)
		return NULL;
	pool = (struct mp_pool_s *)((char *)n + node_bytes(block, flags));
	memset(pool, 0, sizeof(*pool));
	pool->flags = flags;
	pool->order = order;
	pool->align = flags & MP_ALIGN32 ? 32 : MP_GRANULE;
	pool->node_size = (unsigned int)node_bytes(block, flags);
	pool->max = (unsigned int)max_small(size, block, flags, pool->align);
	pool->hit_size = flags & MP_SHARED ? 0 : pool->max;
	pool->hit_bytes = flags & (MP_SHARED | MP_NGINX) ? 0 : (unsigned int)block;
	pool->recent = n;
	INIT_LIST_HEAD(&pool->large);
	add_node(pool, n);
	if (flags & MP_SHARED)
		pool_lock_init(&pool->lock);
	pool->magic = mp_magic(pool);
	return pool;
}

struct mp_pool_s *(mp_create_pool)(size_t size)
{
	return mp_create_pool_flags(size, MP_COUNTED);
}

/* Nobody else uses the pool. */
static void free_all_large(struct mp_pool_s *pool)
{
	while (!list_empty(&pool->large)) {
		struct page *page = list_first_entry(&pool->large, struct page, pool_list);

		list_del(&page->pool_list);
		page->pool = NULL;
		free_large(page);
	}
	pool->nr_large = 0;
}

void mp_reset_pool(struct mp_pool_s *pool)
{
	struct mp_node_s **empty = &pool->empty;

	mp_check(pool, "mp_reset_pool");
	run_cleanup(pool, "mp_reset_pool");
	free_all_large(pool);
	mp_lock(pool);
	pool->open = NULL;
	for (struct mp_node_s *n = pool->head; n; n = n->next) {
		unsigned char *data = mp_node_data(pool, n);

		if (n->quote)
			memset(n->live, 0, mp_block_size(pool) / MP_GRANULE / 8);
		n->last = data;
		n->quote = 0;
		n->failed = 0;
		if (n == pool->head) {
			open_node(pool, n);
		} else {
			n->state = MP_EMPTY;
			*empty = n;
			empty = &n->link;
		}
	}
	*empty = NULL;
	mp_unlock(pool);
}

void mp_destroy_pool(struct mp_pool_s *pool)
{
	struct mp_node_s *n, *next;
	unsigned int order;

	if (!pool)
		return;
	mp_check(pool, "mp_destroy_pool");
	run_cleanup(pool, "mp_destroy_pool");
	free_all_large(pool);
	if (pool->flags & MP_SHARED)
		pool_lock_exit(&pool->lock);
	pool->magic = 0;
	order = pool->order;
	for (n = pool->head; n; n = next) {
		next = n->next;
		n->pool = NULL;
		free_pages((unsigned long)n, order);
	}
}

/* ---- checking ---------------------------------------------------------------------------- */

static long check_node(const struct mp_pool_s *pool, struct mp_node_s *n)
{
	size_t bits = mp_block_size(pool) / MP_GRANULE;
	long errors = 0;

	errors += n->pool != pool;
	errors += n->end != (unsigned char *)n + mp_block_size(pool);
	errors += n->last < mp_node_data(pool, n) || n->last > n->end;
	errors += n->state == MP_EMPTY && n->last != mp_node_data(pool, n);
	if (mp_counted(pool))
		errors += bitmap_weight_range(n->live, 0, bits) != n->quote;
	if (errors)
		printk("pool %p: block %p is damaged\n", (const void *)pool, (void *)n);
	return errors;
}

static size_t list_length(const struct mp_node_s *n, enum mp_node_state state, long *errors)
{
	size_t length = 0;

	for (; n; n = n->link) {
		*errors += n->state != state;
		length++;
	}
	return length;
}

long mp_validate(struct mp_pool_s *pool)
{
	size_t blocks = 0, full = 0, open, empty, large = 0;
	struct page *page;
	long errors = 0;

	mp_lock(pool);
	for (struct mp_node_s *n = pool->head; n; n = n->next) {
		errors += check_node(pool, n);
		full += n->state == MP_FULL;
		blocks++;
	}
	open = list_length(pool->open, MP_OPEN, &errors);
	empty = list_length(pool->empty, MP_EMPTY, &errors);
	list_for_each_entry(page, &pool->large, pool_list) {
		errors += page->type != PT_LARGE || page->order != POOL_MARK || page->pool != pool;
		large++;
	}
	errors += blocks != pool->nr_blocks || open + empty + full != blocks;
	errors += open == 0 || open > MAX_OPEN;
	errors += pool->recent->pool != pool;
	errors += large != pool->nr_large;
	mp_unlock(pool);
	if (errors)
		printk("pool %p: %ld errors\n", (void *)pool, errors);
	return errors;
}
