// SPDX-License-Identifier: MIT
/*
 * slub.c - slabs: blocks of pages cut into objects, and the bitmaps that say
 * which objects are free.
 *
 * This is the backend behind the magazines (magazine.h): it makes objects in
 * batches and takes them back in batches. slab.h has the states of a slab.
 *
 * Which slab. A refill takes from the fullest bin of partial slabs that has
 * any, so that the emptier ones run empty and their pages go back. Within a
 * slab, but for a cache's first few, it takes the lowest addresses, and hands them
 * out in ascending order: a fresh slab is touched page by page, and pages that no
 * object has reached yet cost no memory.
 *
 * Whose slab. A slab is at home on the CPU that last took from it. While there are several
 * threads, a CPU takes from slabs of its own; of small objects it gets a new one as long as
 * others' have few free ones in all (gets_own()); else it takes part of another's, and with that
 * the whole. So two CPUs seldom write to one cache line, and no memory piles up.
 *
 * Every object that comes back is checked here: it must be the start of an
 * object of a slab of this very cache, and its bit must say "in use". That
 * finds invalid pointers, wrong caches and double frees when the magazine
 * that they went through is flushed; in a debugged cache, which has no
 * magazines, at once.
 *
 * Locks: the node lock, around the lists, the bitmaps and the counts. Pages are
 * allocated, constructed and freed outside it.
 */
#include "slab.h"

#include <string.h>

#include "base/printk.h"
#include "cmdline.h"
#include "home.h"
#include "host/host.h"
#include "memblock.h"
#include "numa.h"
#include "page_limit.h"
#include "percpu.h"
#include "slab_rcu.h"

/* Empty slabs that a node keeps for the next refill. */
#define NODE_MAX_EMPTY		2UL
/* Slabs of a cache whose objects are handed out from the cache's colour on. */
#define COLOURED_SLABS		4UL
/* Slabs of a bin that are looked at for one of the CPU's own. */
#define HOME_LOOKS		3
/*
 * Objects of up to HOME_BYTES have slabs for each CPU; so many slabs' worth of free ones may be
 * left to others for it, however many CPUs there are.
 */
#define OWN_MAX			16U

/* ---- a node ---------------------------------------------------------------------- */

static void init_lists(struct slab_lists *l)
{
	for (int i = 0; i < SLAB_BINS; i++)
		INIT_LIST_HEAD(&l->partial[i]);
	INIT_LIST_HEAD(&l->empty);
}

static size_t far_bytes(void)
{
	return (size_t)(nr_nodes - 1) * sizeof(struct slab_lists);
}

bool kmem_cache_node_init(struct kmem_cache_node *n)
{
	lock_init(&n->lock, RANK_NODE);
	init_lists(&n->lists);
	if (likely(nr_nodes == 1))
		return true;
	n->far = memblock_alloc(far_bytes());
	for (int i = 0; n->far && i < nr_nodes - 1; i++)
		init_lists(&n->far[i]);
	return n->far != NULL;
}

void kmem_cache_node_release(struct kmem_cache_node *n)
{
	if (n->far)
		memblock_free(n->far, far_bytes());
}

/* ---- a slab's bits ----------------------------------------------------------------- */

/* Of the free objects of a bitmap's word those whose whole cache line is free. */
static unsigned long whole_lines(const struct kmem_cache *s, unsigned long bits)
{
	if (s->size == 32)
		return (bits & bits >> 1 & ~0UL / 3) * 3;
	if (s->size == 16) {
		bits &= bits >> 1;
		return (bits & bits >> 2 & ~0UL / 15) * 15;
	}
	return bits;
}

/* Of four lines with so many objects each, the i-th to be handed out. */
static __always_inline unsigned int dealt(unsigned int i, unsigned int per_line)
{
	return i % 4 * per_line + i / 4;
}

/*
 * Writes the addresses of the free objects that @bits speaks of, the first of which is at
 * @base, below *@round, as far as @bottom. Returns the bits of those that it had no room
 * for. The lowest first, but where four lines are free, one object of each, then the
 * next of each: what is handed out one after the other, and what lies at the top of a
 * magazine, lies in different lines then. Two threads that hold an object each while
 * one of them moves to another CPU would otherwise write to one line ever after.
 */
static __always_inline unsigned long put_rounds(char *base, unsigned long bits, void ***round,
						void **bottom, size_t size, unsigned int per_line)
{
	const unsigned int width = 4 * per_line;
	unsigned long lines = 0;
	void **to = *round;

	while (bits && to > bottom) {
		const unsigned int first = __ffs(bits) & -width;
		const unsigned long all = (BIT(width) - 1) << first;

		lines = bits & all;
		bits ^= lines;
		if (lines == all && to - bottom >= (long)width) {
			for (unsigned int i = 0; i < width; i++)
				*--to = base + (first + dealt(i, per_line)) * size;
			lines = 0;
		} else if (lines == all && per_line > 1) {
			for (unsigned int i = 0; to > bottom; i++) {
				*--to = base + (first + dealt(i, per_line)) * size;
				lines ^= BIT(first + dealt(i, per_line));
			}
		}
		for (; lines && to > bottom; lines &= lines - 1)
			*--to = base + __ffs(lines) * size;
	}
	*round = to;
	return bits | lines;
}

static unsigned long put_word(const struct kmem_cache *s, char *base, unsigned long bits,
			      void ***round, void **bottom)
{
	switch (s->size) {
	case 16:
		return put_rounds(base, bits, round, bottom, 16, 4);
	case 32:
		return put_rounds(base, bits, round, bottom, 32, 2);
	default:
		return put_rounds(base, bits, round, bottom, s->size, 1);
	}
}

/*
 * Takes up to @n free objects of [@from, @to), and writes them below @top; the last
 * round is the first to be handed out. @whole: of whole lines only.
 */
static unsigned int take_range(struct kmem_cache *s, struct page *slab, void **top,
			       unsigned int n, unsigned int from, unsigned int to, bool whole)
{
	char *base = slab_address(slab);
	unsigned long mask = ~0UL << from % 64;
	void **bottom = top - n, **round = top;

	for (unsigned int first = ALIGN_DOWN(from, 64); first < to && round > bottom; first += 64) {
		unsigned long *word = slab_word(slab, first), bits;

		if (to - first < 64)
			mask &= BIT(to - first) - 1;
		bits = *word & mask;
		if (whole)
			bits = whole_lines(s, bits);
		*word ^= bits;
		*word |= put_word(s, base + (size_t)first * s->size, bits, &round, bottom);
		mask = ~0UL;
	}
	return (unsigned int)(top - round);
}

/*
 * The object that a slab's first request gets: that of the cache's colour in its first few
 * slabs, where a small program has all that it works on, and after that the one at the start.
 * A program that goes over many objects in the order of allocation would leave its stream of
 * lines twice a slab.
 */
static unsigned int first_taken(const struct kmem_cache *s)
{
	return READ_ONCE(s->node.nr_slabs) < COLOURED_SLABS ? s->colour : 0;
}

/* The slab is at home on this CPU from now on. What lies far behind in a large one asks it. */
static void settle(const struct kmem_cache *s, struct page *slab)
{
	unsigned int cpu = percpu_cpu_hint();

	WRITE_ONCE(slab->home, (u16)cpu);
	if (homes_matter())
		home_set(slab_address(slab), PAGE_SIZE << min(s->order, 4U), cpu);
}

/*
 * Takes up to @n free objects, from the first upwards and then those before it;
 * and of these first such as have no neighbour in use in their cache line, which may be in
 * use on another CPU. Node lock held, or slab not yet known.
 */
static unsigned int slab_take(struct kmem_cache *s, struct page *slab, void **top,
			      unsigned int n)
{
	unsigned int got = 0, first = first_taken(s);

	for (bool whole = s->size <= 32 && !host_single_threaded(); got < n; whole = false) {
		got += take_range(s, slab, top - got, n - got, first, s->objects, whole);
		got += take_range(s, slab, top - got, n - got, 0, first, whole);
		if (!whole)
			break;
	}
	slab->inuse += got;
	settle(s, slab);
	return got;
}

/* ---- a node's lists ------------------------------------------------------------------ */

/* The lists of the i-th NUMA node. */
struct slab_lists *slab_nth_lists(struct kmem_cache_node *n, int i)
{
	return likely(i == 0) ? &n->lists : &n->far[i - 1];
}

static struct slab_lists *lists_of(struct kmem_cache_node *n, const struct page *slab)
{
	return likely(nr_nodes == 1) ? &n->lists : slab_nth_lists(n, page_zone(slab)->node_index);
}

/* Where a slab belongs with so many objects in use: a bin of partial slabs, or these. */
enum { BIN_FULL = SLAB_BINS, BIN_EMPTY };

static unsigned int slab_bin(const struct kmem_cache *s, unsigned int inuse)
{
	if (inuse == s->objects)
		return BIN_FULL;
	return inuse ? inuse * s->bin_reciprocal >> 16 : BIN_EMPTY;
}

/* The list that a slab is on with so many objects in use; NULL: none. */
struct list_head *slab_list_of(struct kmem_cache *s, const struct page *slab,
			       unsigned int inuse)
{
	struct slab_lists *l = lists_of(&s->node, slab);
	unsigned int bin = slab_bin(s, inuse);

	if (bin == BIN_FULL)
		return NULL;
	return bin == BIN_EMPTY ? &l->empty : &l->partial[bin];
}

/* The slab had @before objects in use: put it where it belongs now. Node lock. */
static void slab_relist(struct kmem_cache *s, struct page *slab, unsigned int before)
{
	struct kmem_cache_node *n = &s->node;
	struct list_head *from, *to;

	if (slab_bin(s, before) == slab_bin(s, slab->inuse))
		return;
	from = slab_list_of(s, slab, before);
	to = slab_list_of(s, slab, slab->inuse);
	if (from) {
		list_del(&slab->slab_list);
		if (before)
			stat_add_locked(n->nr_partial, -1UL);
		else
			stat_add_locked(n->nr_empty, -1UL);
	}
	if (to) {
		list_add(&slab->slab_list, to);
		if (slab->inuse)
			stat_inc_locked(n->nr_partial);
		else
			stat_inc_locked(n->nr_empty);
	} else {
		INIT_LIST_HEAD(&slab->slab_list);
	}
}

/* One of a bin that is at home on @home, which may be HOME_ANY. Looks at a few only. */
static struct page *bin_pick(const struct list_head *bin, unsigned int home)
{
	struct page *slab;
	int looks = HOME_LOOKS;

	list_for_each_entry(slab, bin, slab_list) {
		if (home == HOME_ANY || slab->home == home)
			return slab;
		if (!--looks)
			break;
	}
	return NULL;
}

/* The fullest bin's before the emptier ones'; an empty slab is at home anywhere. */
static struct page *lists_pick(struct slab_lists *l, unsigned int home)
{
	struct page *slab = NULL;

	for (int i = SLAB_BINS - 1; i >= 0 && !slab; i--)
		slab = bin_pick(&l->partial[i], home);
	if (!slab && !list_empty(&l->empty))
		slab = list_first_entry(&l->empty, struct page, slab_list);
	return slab;
}

/* A slab with room, of the NUMA node with this index before those of others. */
static struct page *node_pick(struct kmem_cache_node *n, int near, unsigned int home)
{
	struct page *slab = lists_pick(slab_nth_lists(n, near), home);

	for (int i = 1; !slab && unlikely(i < nr_nodes); i++)
		slab = lists_pick(slab_nth_lists(n, (near + i) % nr_nodes), home);
	return slab;
}

/* ---- slabs come and go ------------------------------------------------------------------ */

static void slab_set_slotmap(struct kmem_cache *s, struct page *slab, u8 byte)
{
	struct zone *z = page_zone(slab);

	if (s->slotmap_byte)
		memset(z->slotmap + page_zpn(z, slab), byte, 1UL << s->order);
}

/*
 * A slab with all objects free and constructed, on no list yet, and not yet
 * PT_SLAB: it becomes that together with its place in the node's counts.
 * NULL: no memory.
 */
static struct page *new_slab(struct kmem_cache *s, gfp_t gfp)
{
	struct page *slab = alloc_slab_pages(s->order, s->migratetype, gfp | s->allocflags);
	unsigned int left = s->objects;

	if (!slab)
		return NULL;
	slab->order = s->order;
	WRITE_ONCE(slab->slab_cache, s);
	slab->inuse = 0;
	INIT_LIST_HEAD(&slab->slab_list);
	for (u32 i = 0; i < 1U << s->order; i++) {
		struct page *page = slab + i;

		for (int w = 0; w < 4; w++) {
			unsigned int bits = min(left, 64U);

			page->bitmap[w] = bits == 64 ? ~0UL : BIT(bits) - 1;
			left -= bits;
		}
		if (i > 0) {
			page->head_distance = i;
			page->zone = slab->zone;
			page_set_type(page, PT_TAIL);
		}
	}
	if (s->ctor && !slab_construct(s, slab, gfp)) {
		free_slab_pages(slab, s->order);
		return NULL;
	}
	slab_set_slotmap(s, slab, s->slotmap_byte);
	return slab;
}

static void discard_slab(struct kmem_cache *s, struct page *slab)
{
	if (unlikely(s->destruct))
		slab_destruct(s, slab);
	slab_set_slotmap(s, slab, 0);
	free_slab_pages(slab, s->order);
}

void slab_discard(struct page *slab)
{
	page_set_type(slab, PT_PCP);	/* its marks are ours from here on */
	discard_slab(slab->slab_cache, slab);
}

/*
 * Frees slabs that have been taken off all lists, chained through slab_list; now, or
 * once no reader can be looking at their objects any more.
 */
static void discard_slabs(struct kmem_cache *s, struct list_head *slabs)
{
	struct page *slab, *next;

	if (list_empty(slabs))
		return;
	if (unlikely(s->flags & SLAB_TYPESAFE_BY_RCU)) {
		slab_rcu_defer(slabs);
		return;
	}
	list_for_each_entry_safe(slab, next, slabs, slab_list)
		discard_slab(s, slab);
}

/*
 * The empty slabs that a node keeps: a part of all, for a program whose objects come
 * and go in waves. The share is of what is there now, so where all objects go, so do
 * their slabs; the reclaimer takes what stays unused.
 */
static unsigned long node_max_empty(const struct kmem_cache_node *n)
{
	return max(NODE_MAX_EMPTY, n->nr_slabs / 8);
}

/*
 * Moves empty slabs beyond @keep to @out. Those of a SLAB_TYPESAFE_BY_RCU cache that
 * is alive stay where nobody is there who would free them (slab_rcu.c). Node lock.
 */
static void node_trim_empty(struct kmem_cache *s, unsigned long keep, struct list_head *out)
{
	struct kmem_cache_node *n = &s->node;
	bool deferred = s->flags & SLAB_TYPESAFE_BY_RCU;

	if (unlikely(deferred) && s->refcount > 0 && !slab_rcu_ready())
		return;
	for (int i = 0; i < nr_nodes; i++) {
		struct slab_lists *l = slab_nth_lists(n, i);

		while (n->nr_empty > keep && !list_empty(&l->empty)) {
			page_set_type(list_last_entry(&l->empty, struct page, slab_list),
				      deferred ? PT_RCU : PT_PCP);
			list_move(l->empty.prev, out);
			stat_add_locked(n->nr_empty, -1UL);
			stat_add_locked(n->nr_slabs, -1UL);
			stat_inc_locked(n->free_slab);
		}
	}
}

void slab_rcu_release(struct kmem_cache *s)
{
	if (READ_ONCE(s->node.nr_empty) > NODE_MAX_EMPTY && rcu_start_worker())
		slab_discard_empty(s, NODE_MAX_EMPTY);
}

unsigned long slab_discard_empty(struct kmem_cache *s, unsigned long keep)
{
	struct kmem_cache_node *n = &s->node;
	unsigned long left;
	LIST_HEAD(out);

	lock(&n->lock);
	node_trim_empty(s, keep, &out);
	left = n->nr_slabs;
	unlock(&n->lock);
	discard_slabs(s, &out);
	return left;
}

/* Objects went into use, or out of it: the count, and what the magazines go by. Node lock. */
static void node_count(struct kmem_cache *s, long objects)
{
	stat_add_locked(s->node.nr_inuse, (unsigned long)objects);
	WRITE_ONCE(s->mag.live_bytes, s->node.nr_inuse * s->size);
}

/* ---- refill -------------------------------------------------------------------------------- */

/* Takes from the slabs that the node has, of @home if not HOME_ANY, into @n rounds below @top. */
static unsigned int node_refill(struct kmem_cache *s, void **top, unsigned int n, unsigned int home)
{
	int near = numa_local_index();
	struct kmem_cache_node *node = &s->node;
	unsigned int got = 0;
	struct page *slab;

	lock(&node->lock);
	while (got < n && (slab = node_pick(node, near, home))) {
		unsigned int before = slab->inuse;

		got += slab_take(s, slab, top - got, n - got);
		slab_relist(s, slab, before);
	}
	node_count(s, got);
	stat_add_locked(node->alloc_slowpath, got);
	unlock(&node->lock);
	return got;
}

/* A slab that is on no list yet becomes one of the node's. Node lock. */
static void node_add_slab(struct kmem_cache_node *n, struct page *slab)
{
	page_set_type(slab, PT_SLAB);
	stat_inc_locked(n->nr_slabs);
	stat_inc_locked(n->alloc_slab);
}

/*
 * Whether a CPU that has no slab of its own with room gets a new one, rather than a part of
 * another's: where objects are of a few lines, while others have fewer free ones than a slab for
 * every second CPU; but not where memory is short.
 */
static bool gets_own(const struct kmem_cache *s)
{
	unsigned long all = READ_ONCE(s->node.nr_slabs) * s->objects;
	unsigned long left = (unsigned long)clamp(percpu.nr_cpus / 2, 1U, OWN_MAX) * s->objects;

	return s->size <= HOME_BYTES && homes_matter() && !pages_over_soft() &&
	       all - READ_ONCE(s->node.nr_inuse) < left;
}

/* Such a slab is a wish: for it nobody waits, nothing is reclaimed, and no reserve is touched. */
static gfp_t wish(gfp_t gfp)
{
	return (gfp & ~(__GFP_DIRECT_RECLAIM | __GFP_NOFAIL | __GFP_HIGH | __GFP_MEMALLOC)) |
	       __GFP_NOWARN | __GFP_NOMEMALLOC;
}

/* Takes from a new slab; 0: no memory. */
static unsigned int refill_new(struct kmem_cache *s, void **top, unsigned int n, gfp_t gfp)
{
	struct kmem_cache_node *node = &s->node;
	struct page *slab = new_slab(s, gfp);
	unsigned int got;

	if (!slab)
		return 0;
	got = slab_take(s, slab, top, n);
	lock(&node->lock);
	node_add_slab(node, slab);
	node_count(s, got);
	stat_add_locked(node->alloc_slowpath, got);
	slab_relist(s, slab, s->objects);
	unlock(&node->lock);
	return got;
}

/* The @got objects below @rounds + @n, where they are wanted. */
static unsigned int move_down(void **rounds, unsigned int n, unsigned int got)
{
	if (got < n)
		memmove(rounds, rounds + n - got, got * sizeof(void *));
	return got;
}

static unsigned int slab_refill_own(struct magazine_cache *mc, void **rounds, unsigned int n)
{
	struct kmem_cache *s = container_of(mc, struct kmem_cache, mag);

	return move_down(rounds, n, node_refill(s, rounds + n, n, percpu_cpu_hint()));
}

static unsigned int slab_refill(struct magazine_cache *mc, void **rounds, unsigned int n, gfp_t gfp)
{
	struct kmem_cache *s = container_of(mc, struct kmem_cache, mag);
	unsigned int got = 0;

	/* Who wants one only has not asked for the CPU's own before. */
	if (n > 1 && gets_own(s))
		got = refill_new(s, rounds + n, n, wish(gfp));
	if (!got)
		got = node_refill(s, rounds + n, n, HOME_ANY);
	if (!got)
		got = refill_new(s, rounds + n, n, gfp);
	return move_down(rounds, n, got);
}

/* ---- objects of a node ------------------------------------------------------------------- */

/* Free objects are constructed, or a reader may be looking at them: nobody writes there. */
static bool keeps_content(const struct kmem_cache *s)
{
	return s->ctor || (s->flags & SLAB_TYPESAFE_BY_RCU);
}

void *slab_alloc_node(struct kmem_cache *s, gfp_t gfp, int node)
{
	struct kmem_cache_node *n = &s->node;
	struct page *slab, *fresh = NULL;
	unsigned int before;
	void *object;
	int saved;

	lock(&n->lock);
	slab = lists_pick(slab_nth_lists(n, numa_index(node)), HOME_ANY);
	if (!slab) {
		unlock(&n->lock);
		saved = numa_prefer_save(node);
		slab = fresh = new_slab(s, gfp);
		numa_prefer_restore(saved);
		if (!slab)
			return NULL;
		lock(&n->lock);
	}
	/* One that is full is on no list: that is where a fresh one is, too. */
	before = fresh ? s->objects : slab->inuse;
	if (fresh)
		node_add_slab(n, fresh);
	slab_take(s, slab, &object + 1, 1);
	slab_relist(s, slab, before);
	node_count(s, 1);
	stat_inc_locked(n->alloc_slowpath);
	unlock(&n->lock);
	if (unlikely(s->debug) && kmem_params.init_on_alloc && !keeps_content(s))
		memset(object, 0, s->size);
	return object;
}

/* ---- from any context ------------------------------------------------------------------------ */

void *slab_alloc_nolock(struct kmem_cache *s)
{
	struct kmem_cache_node *n = &s->node;
	void *object = NULL;
	struct page *slab;

	if (!trylock(&n->lock))
		return NULL;
	slab = node_pick(n, numa_local_index(), HOME_ANY);
	if (slab) {
		unsigned int before = slab->inuse;

		slab_take(s, slab, &object + 1, 1);
		slab_relist(s, slab, before);
		node_count(s, 1);
		stat_inc_locked(n->alloc_slowpath);
	}
	unlock(&n->lock);
	return object;
}

/* ---- flush ---------------------------------------------------------------------------------- */

/*
 * The struct page at which a slab of @s would begin that holds page @zpn: blocks
 * are aligned to their order. This spares the look at the page's own entry.
 */
static struct page *slab_around(const struct kmem_cache *s, const struct zone *z,
				unsigned long zpn)
{
	return z->memmap + (zpn & ~((1UL << s->order) - 1));
}

/* Of an offset into the zone, what is the offset into a slab. */
static unsigned long slab_mask(const struct kmem_cache *s)
{
	return (PAGE_SIZE << s->order) - 1;
}

/* What is wrong with an object that came back; NULL: nothing. *@slab: its slab, if it has one. */
static __cold const char *object_fault(struct kmem_cache *s, const void *object,
				       struct page **slab)
{
	struct zone *z = zone_of(object);
	unsigned long offset;
	unsigned int index;

	*slab = NULL;
	if (!z)
		return "Invalid pointer";
	*slab = page_head(z->memmap + zone_zpn(z, object));
	if ((*slab)->type != PT_SLAB) {
		*slab = NULL;
		return "Invalid object pointer";
	}
	if ((*slab)->slab_cache != s)
		return "Wrong cache";
	offset = (unsigned long)((const char *)object - slab_address(*slab));
	index = slab_index(s, offset);
	if ((unsigned long)index * s->size != offset || index >= s->objects)
		return "Invalid object pointer";
	if (slab_bit(*slab, index))
		return "Object already free";
	return NULL;
}

/*
 * Sets the bits of the objects at the front of @rounds that lie in the slab, at @base:
 * objects that were allocated together are mostly freed together. A word stays in a
 * register as long as the next object is in it, too: through memory, each would wait
 * for the one before. Returns how many; what it stops at is bad or in another slab.
 */
static unsigned int flush_run(struct kmem_cache *s, struct page *slab, char *base,
			      void **rounds, unsigned int n)
{
	const unsigned long size = s->size, end = s->objects * size;
	unsigned int i, at = ~0U;
	unsigned long bits = 0, none, *word = &none;

	for (i = 0; i < n; i++) {
		unsigned long offset = (unsigned long)((char *)rounds[i] - base), bit;
		unsigned int index = slab_index(s, offset);

		if (offset >= end || index * size != offset)
			break;
		if (index / 64 != at) {
			*word = bits;
			at = index / 64;
			word = slab_word(slab, index);
			bits = *word;
		}
		bit = BIT(index % 64);
		if (unlikely(bits & bit))
			break;
		bits |= bit;
	}
	*word = bits;
	return i;
}

/*
 * Takes objects back, one slab after the other. Returns how many; the next one is bad.
 * Node lock.
 */
static unsigned int flush_slabs(struct kmem_cache *s, void **rounds, unsigned int n)
{
	unsigned int done = 0;

	while (done < n) {
		struct zone *z = zone_of(rounds[done]);
		unsigned int run, before;
		struct page *slab;

		if (unlikely(!z))
			break;
		slab = slab_around(s, z, zone_zpn(z, rounds[done]));
		if (unlikely(slab->type != PT_SLAB || slab->slab_cache != s))
			break;
		run = flush_run(s, slab, zone_page_address(z, slab), rounds + done, n - done);
		if (unlikely(!run))
			break;
		before = slab->inuse;
		slab->inuse -= run;
		slab_relist(s, slab, before);
		done += run;
	}
	return done;
}

/* The struct pages of random objects are cache misses: ask for all of them first. */
static void prefetch_slabs(const struct kmem_cache *s, void **rounds, unsigned int n)
{
	struct zone *z = zones[0];
	unsigned long last = -PAGE_SIZE;

	for (unsigned int i = 0; i < n; i++) {
		unsigned long offset = (unsigned long)((char *)rounds[i] - z->base);
		struct page *slab;

		if (offset - last + PAGE_SIZE / 2 < PAGE_SIZE)
			continue;	/* a neighbour of the one before: asked for */
		last = offset;
		slab = slab_around(s, z, offset >> PAGE_SHIFT);
		__builtin_prefetch(slab, 1);
		if (s->objects > 256)
			__builtin_prefetch(slab + slab_index(s, offset & slab_mask(s)) / 256, 1);
	}
}

/*
 * Sets the bits of @n objects. The report of a bad one is made with no lock held:
 * the program may allocate in its handler of SIGABRT. @caller: who freed it, NULL
 * where that is long past.
 */
static void flush_objects(struct kmem_cache *s, void **rounds, unsigned int n, void *caller)
{
	struct kmem_cache_node *node = &s->node;
	unsigned int done;
	LIST_HEAD(out);

	prefetch_slabs(s, rounds, n);
	lock(&node->lock);
	done = flush_slabs(s, rounds, n);
	if (unlikely(done < n)) {
		struct page *slab;
		const char *fault = object_fault(s, rounds[done], &slab);

		unlock(&node->lock);
		slab_report_bad_free(s, slab, rounds[done], fault, caller);
	}
	node_count(s, -(long)n);
	stat_add_locked(node->free_slowpath, n);
	if (unlikely(node->nr_empty > node_max_empty(node)))
		node_trim_empty(s, node_max_empty(node), &out);
	unlock(&node->lock);
	discard_slabs(s, &out);
}

static void slab_flush(struct magazine_cache *mc, void **rounds, unsigned int n)
{
	flush_objects(container_of(mc, struct kmem_cache, mag), rounds, n, NULL);
}

static unsigned int slab_home(const struct magazine_cache *mc, const void *object)
{
	const struct kmem_cache *s = container_of(mc, struct kmem_cache, mag);
	unsigned int here = percpu_cpu_hint();
	struct zone *z;

	if (likely(home_is(object, here)))
		return here;
	z = zone_of(object);
	return likely(z) ? READ_ONCE(slab_around(s, z, zone_zpn(z, object))->home) : HOME_ANY;
}

const struct magazine_backend slab_backend = {
	.refill = slab_refill,
	.flush = slab_flush,
	.home = slab_home,
	.refill_own = slab_refill_own,
};

/* ---- one object, past the magazines ------------------------------------------------------------ */

void *slab_alloc_one(struct kmem_cache *s, gfp_t gfp)
{
	void *object;

	if (!slab_refill(&s->mag, &object, 1, gfp))
		return NULL;
	if (kmem_params.init_on_alloc && !keeps_content(s))
		memset(object, 0, s->size);
	return object;
}

void slab_free_one(struct kmem_cache *s, void *object, void *caller)
{
	if (kmem_params.init_on_free && !keeps_content(s)) {
		struct page *slab;
		const char *fault;

		lock(&s->node.lock);
		fault = object_fault(s, object, &slab);
		unlock(&s->node.lock);
		if (unlikely(fault))
			slab_report_bad_free(s, slab, object, fault, caller);
		memset(object, 0, s->size);
	}
	flush_objects(s, &object, 1, caller);
}
