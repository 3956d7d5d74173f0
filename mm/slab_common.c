// SPDX-License-Identifier: MIT
/*
 * slab_common.c - caches: creating, merging, finding, draining and destroying
 * them, and the public calls on objects of a cache.
 *
 * A cache that is like an existing one becomes another name for it (an alias)
 * and shares its slabs. The list of caches is guarded by slab_mutex; an object's
 * way never takes it.
 *
 * slab_mutex and the drain mutex below it may be held across a membarrier and
 * across giving pages back: no allocation and no free ever waits for them.
 */
#include "slab.h"

#include <errno.h>
#include <string.h>

#include "arch/rseq.h"
#include "base/printk.h"
#include "cmdline.h"
#include "host/host.h"
#include "memblock.h"
#include "percpu.h"
#include "slab_rcu.h"
#include "start.h"
#include "task.h"
#include "vcpu.h"

LIST_HEAD(slab_caches);
struct kmem_lock slab_mutex = LOCK_INIT(RANK_SLAB_MUTEX);

#define SLAB_KNOWN_FLAGS						\
	(SLAB_CONSISTENCY_CHECKS | SLAB_RED_ZONE | SLAB_POISON |	\
	 SLAB_STORE_USER | SLAB_TRACE | SLAB_HWCACHE_ALIGN |		\
	 SLAB_CACHE_DMA | SLAB_CACHE_DMA32 | SLAB_RECLAIM_ACCOUNT |	\
	 SLAB_PANIC | SLAB_TYPESAFE_BY_RCU | SLAB_NOLEAKTRACE |		\
	 SLAB_NO_MERGE | SLAB_FAILSLAB | SLAB_ACCOUNT | SLAB_KMALLOC |	\
	 SLAB_NO_USER_FLAGS | SLAB_SKIP_KFENCE)

#define SLAB_NEVER_MERGE						\
	(SLAB_CONSISTENCY_CHECKS | SLAB_RED_ZONE | SLAB_POISON |	\
	 SLAB_STORE_USER | SLAB_TRACE | SLAB_TYPESAFE_BY_RCU |		\
	 SLAB_NOLEAKTRACE | SLAB_FAILSLAB | SLAB_NO_MERGE)

#define SLAB_MERGE_SAME							\
	(SLAB_RECLAIM_ACCOUNT | SLAB_CACHE_DMA | SLAB_CACHE_DMA32 | SLAB_ACCOUNT)

#define SLAB_MAX_SIZE		(PAGE_SIZE << MAX_PAGE_ORDER)

/* ---- creation -------------------------------------------------------------------- */

/* Pages of a slab that its objects reach into: the tail that fits none is never touched. */
static unsigned long pages_reached(size_t size, unsigned int order)
{
	return DIV_ROUND_UP((PAGE_SIZE << order) / size * size, PAGE_SIZE);
}

/*
 * Slabs of small objects are 32 KiB, which is what a cache line of the page table speaks of:
 * a program that goes over objects of several sizes, each in its order, waits for
 * fewer of these lines than where each is of two or more sizes. They are 64 KiB where so a
 * sixteenth of the memory is spared: 15 objects of 4368 bytes in 16 pages, not 7 in 8. Larger
 * objects get at least four to a slab, which keeps the tail below a fifth.
 */
static unsigned int slab_order(size_t size)
{
	if (size <= 8192) {
		unsigned long of_32k = pages_reached(size, 3) * ((PAGE_SIZE << 4) / size);
		unsigned long of_64k = pages_reached(size, 4) * ((PAGE_SIZE << 3) / size);

		return of_64k < of_32k - of_32k / 16 ? 4 : 3;
	}
	if (size <= 32768)
		return get_order(4 * size);
	return get_order(size);
}

/*
 * Where in the first page of a cache's first slabs the first object handed out lies. As
 * the last one freed is the next one handed out, programs work on one or two objects of
 * each of a few caches, and if all of these lay at the start of a page a load from one would
 * wait for a store to another: processors compare the low 12 bits of addresses
 * first. In the first KiB of a page lie the CPU's slots, which each call writes.
 */
static unsigned int next_colour(const struct kmem_cache *s)
{
	static unsigned int nr_caches;	/* slab_mutex */
	unsigned int offset = 1024 + nr_caches++ * 5 % 12 * 256;

	return min(offset / s->size, s->objects - 1);
}

bool calculate_sizes(struct kmem_cache *s)
{
	size_t size = ALIGN((size_t)s->object_size, (size_t)s->align);
	unsigned int order;

	size = max(size, (size_t)16);	/* a page has 256 bits */
	order = slab_order(size);
	if (order > MAX_PAGE_ORDER)
		return false;
	s->size = (unsigned int)size;
	s->order = (u8)order;
	s->objects = (unsigned int)((PAGE_SIZE << order) / size);
	/*
	 * Exact for offsets below 2^22 as long as offset * (size - 1) < 2^40;
	 * only slabs of one object are larger, and they have one index.
	 */
	s->reciprocal = s->objects == 1 ? 0 : ((1UL << 40) + size - 1) / size;
	s->bin_reciprocal = (SLAB_BINS << 16) / s->objects;
	s->colour = next_colour(s);
	return true;
}

/*
 * Alignment in effect: the kernel's rule, with the cache line halved for small objects. What
 * is no power of two becomes the next one: 3 is 8 as in the kernel, and 24 gets 32, of
 * which the kernel keeps no more than the 8 that divides it.
 */
static unsigned int effective_align(unsigned int size, unsigned int align,
				    slab_flags_t flags)
{
	if (flags & SLAB_HWCACHE_ALIGN) {
		unsigned int line = SMP_CACHE_BYTES;

		while (size <= line / 2)
			line /= 2;
		align = max(align, line);
	}
	return max((unsigned int)roundup_pow_of_two(align), 8U);
}

static struct kmem_cache *find_mergeable(unsigned int size, unsigned int align,
					 slab_flags_t flags,
					 const struct kmem_cache_args *args)
{
	struct kmem_cache *s;

	if (kmem_params.slab_nomerge || (flags & SLAB_NEVER_MERGE) || args->ctor ||
	    args->usersize || args->sheaf_capacity || args->construct || args->destruct ||
	    args->reclaim)
		return NULL;
	size = max(ALIGN(size, align), 16U);
	list_for_each_entry(s, &slab_caches, list) {
		if (s->refcount <= 0 || s->debug || (s->flags & SLAB_NEVER_MERGE) ||
		    s->ctor || s->usersize)
			continue;
		if ((s->flags & SLAB_MERGE_SAME) != (flags & SLAB_MERGE_SAME))
			continue;
		if (s->size < size || s->size - size >= sizeof(void *) || s->size % align)
			continue;
		return s;
	}
	return NULL;
}

static bool add_alias(struct kmem_cache *s, const char *name)
{
	struct kmem_cache_alias *alias = memblock_alloc(sizeof(*alias));

	if (!alias)
		return false;
	alias->name = memblock_strdup(name);
	if (!alias->name) {
		memblock_free(alias, sizeof(*alias));
		return false;
	}
	list_add_tail(&alias->list, &s->aliases);
	s->refcount++;
	return true;
}

static void free_cache(struct kmem_cache *s)
{
	struct kmem_cache_alias *alias, *next;

	list_for_each_entry_safe(alias, next, &s->aliases, list) {
		memblock_free((char *)alias->name, strlen(alias->name) + 1);
		memblock_free(alias, sizeof(*alias));
	}
	if (s->name)
		memblock_free((char *)s->name, strlen(s->name) + 1);
	kmem_cache_node_release(&s->node);
	memblock_free(s, sizeof(*s));
}

/*
 * A cache that is not on the list yet. @slot is given for kmalloc's caches,
 * SLOT_NONE asks for one. slab_mutex held, or start-up.
 */
static struct kmem_cache *new_cache(const char *name, unsigned int size,
				    const struct kmem_cache_args *args,
				    slab_flags_t flags, unsigned int slot)
{
	struct kmem_cache *s = memblock_alloc(sizeof(*s));

	if (!s)
		return NULL;
	INIT_LIST_HEAD(&s->aliases);
	s->name = memblock_strdup(name);
	s->flags = flags | (args->sheaf_capacity || args->reclaim ? SLAB_NO_MERGE : 0);
	s->object_size = size;
	s->align = effective_align(size, args->align, flags);
	slab_set_callbacks(s, args);
	s->useroffset = args->useroffset;
	s->usersize = args->usersize;
	s->migratetype = flags & SLAB_RECLAIM_ACCOUNT ? MIGRATE_RECLAIMABLE : MIGRATE_UNMOVABLE;
	s->refcount = 1;
	if (flags & SLAB_CACHE_DMA)
		s->allocflags |= __GFP_DMA;
	if (flags & SLAB_CACHE_DMA32)
		s->allocflags |= __GFP_DMA32;
	if (!kmem_cache_node_init(&s->node) || !s->name || !calculate_sizes(s)) {
		free_cache(s);
		return NULL;
	}
	if (!(flags & SLAB_NO_USER_FLAGS) && cmdline_slab_debug(&kmem_params, name))
		s->flags |= SLAB_CONSISTENCY_CHECKS;
	s->debug = (s->flags & SLAB_CONSISTENCY_CHECKS) || kmem_params.init_on_alloc ||
		   kmem_params.init_on_free;
	if (slot != SLOT_NONE)
		s->slotmap_byte = (u8)slot;
	else if (!s->debug)
		slot = percpu_slot_alloc();
	magazine_cache_init(&s->mag, s->debug ? SLOT_NONE : slot, s->size, &slab_backend);
	magazine_cache_want(&s->mag, args->sheaf_capacity);
	if (!slab_add_owner(s)) {
		magazine_cache_destroy(&s->mag);
		percpu_slot_free(s->mag.slot);
		free_cache(s);
		return NULL;
	}
	return s;
}

static bool args_valid(const char *name, unsigned int size,
		       const struct kmem_cache_args *args, slab_flags_t flags)
{
	if (!name || !*name || size == 0 || size > SLAB_MAX_SIZE) {
		printk("kmem_cache_create(%s) integrity check failed: size %u\n",
		       name ? name : "(null)", size);
		return false;
	}
	if (flags & ~SLAB_KNOWN_FLAGS) {
		printk("kmem_cache_create(%s): unknown flags 0x%x\n", name,
		       flags & ~SLAB_KNOWN_FLAGS);
		return false;
	}
	if (args->align > PAGE_SIZE) {
		printk("kmem_cache_create(%s): bad alignment %u\n", name, args->align);
		return false;
	}
	if (args->use_freeptr_offset &&
	    (args->freeptr_offset >= size || args->freeptr_offset % sizeof(void *))) {
		printk("kmem_cache_create(%s): bad offset %u for a free pointer\n", name,
		       args->freeptr_offset);
		return false;
	}
	return true;
}

/* As the kernel: a region that is not in the object is reported, and there is none. */
static void drop_bad_user_region(const char *name, unsigned int size,
				 struct kmem_cache_args *args)
{
	if ((args->usersize || !args->useroffset) && args->usersize <= size &&
	    args->useroffset <= size - args->usersize)
		return;
	printk("kmem_cache_create(%s): user region %u+%u outside the object, none is kept\n",
	       name, args->useroffset, args->usersize);
	args->useroffset = 0;
	args->usersize = 0;
}

static bool name_taken(const char *name)
{
	struct kmem_cache *s;

	list_for_each_entry(s, &slab_caches, list) {
		if (!strcmp(s->name, name))
			return true;
	}
	return false;
}

/* Another name for a cache that is like it, or a new one. NULL: no memory. */
static struct kmem_cache *find_or_create(const char *name, unsigned int size,
					 const struct kmem_cache_args *args,
					 slab_flags_t flags)
{
	unsigned int align = effective_align(size, args->align, flags);
	struct kmem_cache *s;
	bool taken;

	lock(&slab_mutex);
	taken = name_taken(name);
	s = find_mergeable(size, align, flags, args);
	if (s && !add_alias(s, name))
		s = NULL;
	if (!s) {
		s = new_cache(name, size, args, flags, SLOT_NONE);
		if (s)
			list_add_tail(&s->list, &slab_caches);
	}
	unlock(&slab_mutex);
	if (taken)
		printk("kmem_cache of name '%s' already exists\n", name);
	if (!s)
		printk("kmem_cache_create(%s) failed: out of memory\n", name);
	return s;
}

struct kmem_cache *__kmem_cache_create_args(const char *name, unsigned int size,
					    struct kmem_cache_args *args,
					    slab_flags_t flags)
{
	struct kmem_cache_args used = { .align = 0 };
	struct kmem_cache *s = NULL;

	mm_init();
	if (args)
		used = *args;
	if (args_valid(name, size, &used, flags)) {
		drop_bad_user_region(name, size, &used);
		s = find_or_create(name, size, &used, flags);
	}
	if (!s && (flags & SLAB_PANIC))
		BUG("kmem_cache_create: Failed to create slab '%s'", name ? name : "(null)");
	return s;
}

struct kmem_cache *__kmem_cache_default_args(const char *name, unsigned int size,
					     void *null_args, slab_flags_t flags)
{
	if (null_args)
		printk("kmem_cache_create(%s): arguments of an unknown type ignored\n",
		       name ? name : "(null)");
	return __kmem_cache_create_args(name, size, NULL, flags);
}

struct kmem_cache *__kmem_cache_create(const char *name, unsigned int size,
				       unsigned int align, slab_flags_t flags,
				       void (*ctor)(void *))
{
	struct kmem_cache_args args = { .align = align, .ctor = ctor };

	return __kmem_cache_create_args(name, size, &args, flags);
}

struct kmem_cache *kmem_cache_create_usercopy(const char *name, unsigned int size,
					      unsigned int align, slab_flags_t flags,
					      unsigned int useroffset, unsigned int usersize,
					      void (*ctor)(void *))
{
	struct kmem_cache_args args = {
		.align = align, .ctor = ctor,
		.useroffset = useroffset, .usersize = usersize,
	};

	return __kmem_cache_create_args(name, size, &args, flags);
}

struct kmem_cache *create_kmalloc_cache(unsigned int size, unsigned int slot)
{
	struct kmem_cache_args args = { .align = ARCH_KMALLOC_MINALIGN };
	struct kmem_cache *s;
	char name[32];

	kmem_snprintf(name, sizeof(name), "kmalloc-%u", size);
	s = new_cache(name, size, &args, SLAB_KMALLOC, slot);
	if (s) {
		s->refcount = -1;
		list_add_tail(&s->list, &slab_caches);
	}
	return s;
}

/* ---- destruction ------------------------------------------------------------------- */

#define MAX_LISTED	64

/* Objects left in a cache that is being destroyed; slab_mutex. */
static struct {
	void *object[MAX_LISTED];
	unsigned long count;
} remaining;

static void note_object(struct kmem_cache *s, void *object)
{
	(void)s;
	if (remaining.count < MAX_LISTED)
		remaining.object[remaining.count] = object;
	remaining.count++;
}

/* The cache is leaked, so it can be looked at with no lock held. */
static void report_remaining(struct kmem_cache *s, void **objects, unsigned long count,
			     void *caller)
{
	pr_raw("=============================================================================\n");
	pr_raw("BUG %s (pid %d): Objects remaining on __kmem_cache_shutdown()\n",
	       s->name, host_getpid());
	pr_raw("-----------------------------------------------------------------------------\n\n");
	for (unsigned long i = 0; i < min(count, (unsigned long)MAX_LISTED); i++)
		pr_raw("Object %p @offset=%lu\n", objects[i],
		       (unsigned long)((char *)objects[i] -
				       slab_address(virt_to_head_page(objects[i]))));
	pr_raw("%lu objects remain\n", count);
	pr_raw("kmem_cache_destroy %s: Slab cache still has objects when called from %p\n",
	       s->name, caller);
}

/* The last user is gone. True: nothing is left of it but the structure. slab_mutex. */
static bool shut_down(struct kmem_cache *s)
{
	unsigned int slot = s->mag.slot;

	magazine_cache_destroy(&s->mag);
	s->mag.slot = SLOT_NONE;	/* objects that remain may still be freed */
	percpu_slot_free(slot);
	if (slab_discard_empty(s, 0) == 0) {
		list_del(&s->list);
		return true;
	}
	remaining.count = 0;
	slab_for_each_inuse(s, note_object);
	return false;
}

/* Destroyed twice, or never made. What @s points to is not looked at unless it is a cache. */
static bool can_be_destroyed(const struct kmem_cache *s, void *caller)
{
	const struct kmem_cache *t;
	bool known = false;

	lock(&slab_mutex);
	list_for_each_entry(t, &slab_caches, list) {
		if (t == s && t->refcount)
			known = true;
	}
	unlock(&slab_mutex);
	if (!known)
		printk("kmem_cache_destroy: %p is no cache, or no longer one, when called from %p\n",
		       (const void *)s, caller);
	return known;
}

static bool destroy_cache(struct kmem_cache *s, void *caller)
{
	enum { ALIVE, GONE, LEAKED, KMALLOC } fate = ALIVE;
	void *left[MAX_LISTED];
	unsigned long count = 0;

	if (!s)
		return true;
	if (!can_be_destroyed(s, caller))
		return false;
	slab_del_owner(s);	/* such a cache has one creator */
	rcu_wait_queued();	/* kfree_rcu() of its objects */
	lock(&slab_mutex);
	if (s->refcount < 0) {
		fate = KMALLOC;
	} else if (--s->refcount == 0) {
		fate = shut_down(s) ? GONE : LEAKED;
		if (fate == LEAKED) {
			count = remaining.count;
			memcpy(left, remaining.object, sizeof(left));
		}
	}
	unlock(&slab_mutex);
	if (fate == GONE && (s->flags & SLAB_TYPESAFE_BY_RCU))
		rcu_wait_queued();	/* its slabs know it until they are freed */
	if (fate == GONE)
		free_cache(s);
	else if (fate == LEAKED)
		report_remaining(s, left, count, caller);
	else if (fate == KMALLOC)
		printk("kmem_cache_destroy %s: a kmalloc cache stays\n", s->name);
	return fate == GONE;
}

void kmem_cache_destroy(struct kmem_cache *s)
{
	destroy_cache(s, __builtin_return_address(0));
}

bool kmem_cache_destroy_check(struct kmem_cache *s)
{
	return destroy_cache(s, __builtin_return_address(0));
}

static int shrink_cache(struct kmem_cache *s)
{
	magazine_cache_drain(&s->mag, true);
	return slab_discard_empty(s, 0) != 0;
}

int kmem_cache_shrink(struct kmem_cache *s)
{
	if (unlikely(s->flags & SLAB_TYPESAFE_BY_RCU))
		rcu_start_worker();
	return shrink_cache(s);
}

int slab_shrink_listed(const struct kmem_cache *which)
{
	struct kmem_cache *s;
	int err = -ENOENT;

	lock(&slab_mutex);
	list_for_each_entry(s, &slab_caches, list) {
		if (s != which)
			continue;
		shrink_cache(s);
		err = 0;
		break;
	}
	unlock(&slab_mutex);
	return err;
}

/*
 * Switches the checks of every free in the caches that were made without them, which
 * have magazines; the others have had them from the start. The hit paths miss
 * from then on, because nothing stays loaded, and the slow paths see `debug`.
 */
void slab_set_checks(bool on)
{
	struct kmem_cache *s;

	lock(&slab_mutex);
	list_for_each_entry(s, &slab_caches, list) {
		if (s->mag.slot == SLOT_NONE)
			continue;
		s->flags = on ? s->flags | SLAB_CONSISTENCY_CHECKS :
				s->flags & ~SLAB_CONSISTENCY_CHECKS;
		WRITE_ONCE(s->debug, on);
		magazine_cache_close(&s->mag, on);
	}
	unlock(&slab_mutex);
}

/* ---- draining all ------------------------------------------------------------------- */

void slab_reclaim_idle(bool force)
{
	struct kmem_cache *s;

	lock(&slab_mutex);
	list_for_each_entry(s, &slab_caches, list) {
		if (magazine_cache_touched(&s->mag) && !force)
			continue;
		if (READ_ONCE(s->node.nr_slabs) == 0)
			continue;
		magazine_cache_drain(&s->mag, magazine_cache_count(&s->mag) > 0);
		slab_discard_empty(s, 0);
	}
	unlock(&slab_mutex);
}

void slab_fork_lock(void)
{
	struct kmem_cache *s;

	lock_fork(&slab_mutex);
	lock_fork(&kvfree_lock);
	magazine_fork_lock();
	page_alloc_fork_lock();
	list_for_each_entry(s, &slab_caches, list)
		lock_fork(&s->mag.lock);
	list_for_each_entry(s, &slab_caches, list)
		lock_fork(&s->node.lock);
}

void slab_fork_unlock(void)
{
	struct kmem_cache *s;

	list_for_each_entry(s, &slab_caches, list)
		unlock(&s->node.lock);
	list_for_each_entry(s, &slab_caches, list)
		unlock(&s->mag.lock);
	page_alloc_fork_unlock();
	magazine_fork_unlock();
	unlock(&kvfree_lock);
	unlock(&slab_mutex);
}

/* ---- objects --------------------------------------------------------------------------- */

struct kmem_cache *virt_to_cache(const void *object)
{
	struct page *page = virt_to_head_page(object);

	return page && page->type == PT_SLAB ? page->slab_cache : NULL;
}

static noinline void *kmem_cache_alloc_miss(struct kmem_cache *s, gfp_t gfp)
{
	void *object = vcpu_hit_pop(s->mag.slot);

	if (!object)
		object = s->debug ? slab_alloc_one(s, gfp) : magazine_alloc_slow(&s->mag, gfp);
	if (object && (gfp & __GFP_ZERO))
		memset(object, 0, s->object_size);
	return object;
}

void *kmem_cache_alloc(struct kmem_cache *s, gfp_t gfp)
{
	void *object;

	if (unlikely(gfp & __GFP_ZERO))
		return kmem_cache_zalloc(s, gfp);
	object = rseq_pop(s->mag.slot);
	return likely(object) ? object : kmem_cache_alloc_miss(s, gfp);
}

void *kmem_cache_zalloc(struct kmem_cache *s, gfp_t gfp)
{
	void *object = rseq_pop(s->mag.slot);

	WARN_ONCE(s->ctor != NULL, "%s: __GFP_ZERO for a cache with a constructor", s->name);
	if (unlikely(!object))
		return kmem_cache_alloc_miss(s, gfp | __GFP_ZERO);
	return memset(object, 0, s->object_size);
}

static noinline void kmem_cache_free_miss(struct kmem_cache *s, void *object, void *caller)
{
	if (!object || vcpu_hit_push(s->mag.slot, object))
		return;
	if (s->debug)
		slab_free_one(s, object, caller);
	else
		magazine_free_slow(&s->mag, object);
	if (unlikely(s->flags & SLAB_TYPESAFE_BY_RCU))
		slab_rcu_release(s);
}

void kmem_cache_free(struct kmem_cache *s, void *object)
{
	if (unlikely(!object) || unlikely(!rseq_push(s->mag.slot, object)))
		kmem_cache_free_miss(s, object, __builtin_return_address(0));
}

/* Past the magazines, one by one. Returns how many it got. */
static size_t alloc_bulk_debug(struct kmem_cache *s, gfp_t gfp, size_t nr, void **p)
{
	size_t got = 0;

	while (got < nr && (p[got] = slab_alloc_one(s, gfp)))
		got++;
	return got;
}

int kmem_cache_alloc_bulk(struct kmem_cache *s, gfp_t gfp, size_t nr, void **p)
{
	size_t got;

	if (unlikely(!nr))
		return 0;
	if (unlikely(s->debug))
		got = alloc_bulk_debug(s, gfp, nr, p);
	else
		got = magazine_alloc_bulk(&s->mag, gfp, p, nr);
	if (unlikely(got < nr)) {
		unsigned int saved = task_save_nowait(gfp);

		while (got > 0)
			kmem_cache_free(s, p[--got]);
		task_restore_nowait(gfp, saved);
		return 0;
	}
	if (unlikely(gfp & __GFP_ZERO)) {
		WARN_ONCE(s->ctor != NULL, "%s: __GFP_ZERO for a cache with a constructor",
			  s->name);
		for (size_t i = 0; i < nr; i++)
			memset(p[i], 0, s->object_size);
	}
	return (int)nr;
}

unsigned int kmem_cache_size(struct kmem_cache *s)
{
	return s->object_size;
}

const char *kmem_cache_name(struct kmem_cache *s)
{
	return s->name;
}

bool slab_is_available(void)
{
	return mm_init();
}
