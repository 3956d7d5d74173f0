// SPDX-License-Identifier: MIT
/*
 * kmalloc.c - from sizes to caches: the kmalloc-N caches, and runs of whole
 * pages above them.
 *
 * Classes. 16-byte steps up to 128, from there four to a doubling up to 1 KiB, and five
 * up to 16 KiB: 16/15, 5/4, 3/2, 7/4 and 2 of a power of two. The first of these is for
 * what many programs ask for, a power of two and a header: 15 in the pages that 16 of the power
 * take. The others, as below, keep what a request gets too much below a fifth. A class of 2^k
 * bytes begins at a multiple of 2^k, because slabs begin at multiples of their size.
 *
 * An object of kmalloc() is aligned to the largest power of two that divides its size, which those
 * of 16/15 are not always: such a request gets the next class. malloc() owes no more than 16.
 *
 * Above the largest class an object is an exact run of pages (mmzone.h:
 * alloc_large()), which grows and shrinks where it stands when it can.
 */
#include "slab.h"

#include <string.h>

#include "base/printk.h"
#include "cmdline.h"
#include "host/host.h"
#include "kmalloc_hit.h"
#include "kmalloc_nolock.h"
#include "percpu.h"
#include "start.h"
#include "task.h"

struct kmem_cache *kmalloc_caches[KMALLOC_CLASSES];

/* The class of (i * 16) bytes, as a constant expression for the table. */
#define STEP(n, e)	(8 + ((e) - 7) * 4 + ((((n) - 1) >> ((e) - 2)) & 3))
#define CLASS(n)						\
	((n) == 0 ? 0 : (n) <= 128 ? (n) / 16 - 1 :		\
	 (n) <= 256 ? STEP(n, 7) : (n) <= 512 ? STEP(n, 8) : STEP(n, 9))
/* The first class above 1 KiB. */
#define FIRST_OF_FIVE	STEP(1025, 10)
/* 16/15 of 2^e, as a multiple of 16: 1088, 2176, 4368, 8736. */
#define HEADER_CLASS(e)	((0x111UL << ((e) - 8)) & ~15UL)
#define FIVE(n, e)	(FIRST_OF_FIVE + ((e) - 10) * 5 +	\
			 ((n) <= HEADER_CLASS(e) ? 0 : 1 + ((((n) - 1) >> ((e) - 2)) & 3)))
#define UPPER_CLASS(n)						\
	((n) <= 2048 ? FIVE(n, 10) : (n) <= 4096 ? FIVE(n, 11) : (n) <= 8192 ? FIVE(n, 12) : FIVE(n, 13))

#define SLOT(i)		(SLOT_KMALLOC + CLASS((i) * 16))
/* The 16 sizes up to and including i * 16. */
#define STEP16(i)	SLOT(i), SLOT(i), SLOT(i), SLOT(i), SLOT(i), SLOT(i), SLOT(i), SLOT(i), \
			SLOT(i), SLOT(i), SLOT(i), SLOT(i), SLOT(i), SLOT(i), SLOT(i), SLOT(i)
#define STEP64(i)	STEP16(i), STEP16((i) + 1), STEP16((i) + 2), STEP16((i) + 3)
#define STEP256(i)	STEP64(i), STEP64((i) + 4), STEP64((i) + 8), STEP64((i) + 12)

const u8 kmalloc_slot_table[KMALLOC_TABLE_MAX + 1] = {
	SLOT(0), STEP256(1), STEP256(17), STEP256(33), STEP256(49),
};

/* Of the i-th 16 bytes above KMALLOC_TABLE_MAX. */
#define UPPER(i)	(SLOT_KMALLOC + UPPER_CLASS(KMALLOC_TABLE_MAX + 16 * ((i) + 1UL)))
#define UPPER4(i)	UPPER(i), UPPER((i) + 1), UPPER((i) + 2), UPPER((i) + 3)
#define UPPER16(i)	UPPER4(i), UPPER4((i) + 4), UPPER4((i) + 8), UPPER4((i) + 12)
#define UPPER64(i)	UPPER16(i), UPPER16((i) + 16), UPPER16((i) + 32), UPPER16((i) + 48)
#define UPPER320(i)	UPPER64(i), UPPER64((i) + 64), UPPER64((i) + 128), UPPER64((i) + 192), \
			UPPER64((i) + 256)

const u8 kmalloc_upper_slots[KMALLOC_UPPER_SLOTS] = { UPPER320(0), UPPER320(320), UPPER320(640) };

BUILD_BUG_ON(SLOT_KMALLOC + KMALLOC_CLASSES > SLOT_STOCK);
BUILD_BUG_ON(KMALLOC_UPPER_SLOTS != 3 * 320);

/* Runs longer than this are refused: no address space holds them. */
#define LARGE_MAX	KMALLOC_MAX_SIZE

unsigned int malloc_index(size_t size)
{
	return malloc_slot(size) - SLOT_KMALLOC;
}

unsigned int kmalloc_index(size_t size)
{
	unsigned int i = malloc_index(size);
	size_t class;

	if (i < FIRST_OF_FIVE || (i - FIRST_OF_FIVE) % 5)
		return i;
	class = kmalloc_class_size(i);
	return (size & -size) <= (class & -class) ? i : i + 1;
}

size_t kmalloc_class_size(unsigned int index)
{
	if (index < 8)
		return 16 * (index + 1);
	if (index < FIRST_OF_FIVE)
		return (size_t)(5 + (index - 8) % 4) << (5 + (index - 8) / 4);
	index -= FIRST_OF_FIVE;
	if (index % 5 == 0)
		return HEADER_CLASS(10 + index / 5);
	return (size_t)(4 + index % 5) << (8 + index / 5);
}

bool kmalloc_init(void)
{
	for (unsigned int i = 0; i < KMALLOC_CLASSES; i++) {
		size_t size = kmalloc_class_size(i);

		if (!kmalloc_caches[i])
			kmalloc_caches[i] = create_kmalloc_cache((unsigned int)size,
								 SLOT_KMALLOC + i);
		if (!kmalloc_caches[i])
			return false;
	}
	return true;
}

/* ---- allocation ---------------------------------------------------------------- */

static void *zeroed(const struct kmem_cache *s, void *object, gfp_t gfp)
{
	return object && (gfp & __GFP_ZERO) ? memset(object, 0, s->size) : object;
}

static void *cache_alloc(struct kmem_cache *s, gfp_t gfp)
{
	/* In fallback mode, and for a debugged cache, the slot reads as closed. */
	void *object = rseq_pop(s->mag.slot);

	if (unlikely(!object))
		object = vcpu_hit_pop(s->mag.slot);
	if (unlikely(!object)) {
		if (unlikely(s->debug))
			object = slab_alloc_one(s, gfp);
		else
			object = magazine_alloc_slow(&s->mag, gfp);
	}
	return zeroed(s, object, gfp);
}

/* ---- classes that lend ------------------------------------------------------------ */

/*
 * What is free among the objects of one class is of no use to the next: a program whose
 * sizes drift over the hours ends up with half of its heap free, a few objects on each
 * page in the way. So where malloc's class has nothing left and would need another
 * slab, one of the next larger classes lends an object, if it has many that it does not
 * use. The object goes home when it is freed: the address says whose it is. Nothing else
 * knows of it.
 *
 * A borrowed object costs malloc its hit. After some slabs' worth of them the class gets a
 * slab of its own all the same, so that a program which allocates and frees at
 * just this edge does not pay for it for ever.
 *
 * For malloc only, which owes no more than room and an alignment of 16. From an object
 * of kmalloc() a program expects its class: the alignment of a power of two, the size that
 * kmalloc_size_roundup() said. And for small objects only: a large one shares its pages
 * with few others, or none.
 */
#define LEND_MAX_SIZE	1024U
/* How far up it is asked, and never for an object of more than twice the size. */
#define LEND_CLASSES	4U
/* A class lends while this part of its objects is free. */
#define LEND_PART	4U
/* Slabs' worth of borrowed objects between two slabs. */
#define LEND_SLABS	16U

/* Numbers that several threads may count at once, and one may miss: they need not be exact. */
static struct {
	unsigned long slabs;		/* that the class had ever had when it began to count */
	unsigned long borrowed;		/* objects since */
} lending[KMALLOC_CLASSES];

/* Whether the next refill has to make a slab. This, and what follows, are hints. */
__racy static bool wants_slab(const struct kmem_cache *s)
{
	return !READ_ONCE(s->node.nr_partial) && !READ_ONCE(s->node.nr_empty) &&
	       !READ_ONCE(s->mag.nr_full) && !s->debug;
}

static bool may_borrow(unsigned int index)
{
	const struct kmem_cache *s = kmalloc_caches[index];
	unsigned long slabs = READ_ONCE(s->node.alloc_slab), n;

	n = READ_ONCE(lending[index].slabs) == slabs ? READ_ONCE(lending[index].borrowed) : 0;
	if (n >= (unsigned long)LEND_SLABS * s->objects)
		return false;
	WRITE_ONCE(lending[index].slabs, slabs);
	WRITE_ONCE(lending[index].borrowed, n + 1);
	return true;
}

/* Nobody waits for another class's lock. */
static bool may_lend(const struct kmem_cache *s)
{
	unsigned long objects = READ_ONCE(s->node.nr_slabs) * s->objects;

	return READ_ONCE(s->node.nr_inuse) + objects / LEND_PART < objects &&
	       READ_ONCE(s->node.nr_partial) && !s->debug && !is_locked(&s->node.lock);
}

static struct kmem_cache *lender(unsigned int index)
{
	unsigned int size = kmalloc_caches[index]->size;

	for (unsigned int i = index + 1; i <= index + LEND_CLASSES; i++) {
		struct kmem_cache *s = kmalloc_caches[i];

		if (s->size > 2 * size)
			return NULL;
		if (may_lend(s))
			return s;
	}
	return NULL;
}

/* NULL: there is nothing to borrow, or no need to. */
static void *borrow(unsigned int index, gfp_t gfp)
{
	struct kmem_cache *own = kmalloc_caches[index], *s;
	void *object;

	if (likely(!wants_slab(own)))
		return NULL;
	/* In fallback mode nobody has looked there yet. */
	object = percpu_pop(own->mag.slot);
	if (object)
		return zeroed(own, object, gfp);
	s = lender(index);
	return s && may_borrow(index) ? cache_alloc(s, gfp) : NULL;
}

BUILD_BUG_ON(2 * LEND_MAX_SIZE > KMALLOC_MAX_CACHE_SIZE);

/* ---- pages ------------------------------------------------------------------------- */

/* What kmalloc() promises, or @align if that is more; in pages. */
static unsigned long large_align(size_t size, size_t align)
{
	if (size <= PAGE_SIZE << MAX_PAGE_ORDER)
		align = max(align, size & -size);
	return max(align >> PAGE_SHIFT, 1UL);
}

static void *large_alloc(size_t size, size_t align, gfp_t gfp)
{
	struct page *head;

	if (size > LARGE_MAX)
		return NULL;
	head = alloc_large((size + PAGE_SIZE - 1) >> PAGE_SHIFT, large_align(size, align), gfp);
	if (!head)
		return NULL;
	head->requested = size;
	return zone_page_address(page_zone(head), head);
}

/* @any: of malloc's class, or of one that is aligned as kmalloc() promises. */
static void *sized_alloc(size_t size, gfp_t gfp, bool any)
{
	if (unlikely(!mm_init()))
		return NULL;
	if (gfpflags_allow_blocking(gfp))
		kmalloc_nolock_drain();
	if (likely(size <= KMALLOC_MAX_CACHE_SIZE))
		return cache_alloc(kmalloc_caches[any ? malloc_index(size) : kmalloc_index(size)],
				   gfp);
	return large_alloc(size, 1, gfp);
}

void *kmalloc_slow(size_t size, gfp_t gfp)
{
	return sized_alloc(size, gfp, false);
}

void *kmalloc_any(size_t size, gfp_t gfp)
{
	void *object = NULL;

	if (unlikely(!mm_init()))
		return NULL;
	if (likely(size <= LEND_MAX_SIZE))
		object = borrow(malloc_index(size), gfp);
	return object ? object : sized_alloc(size, gfp, true);
}

/*
 * A class whose size is a multiple of @align has all its objects aligned, up to a page.
 * kmalloc()'s class of a size that is such a multiple is one: where classes are less than
 * @align apart, the size is a class itself, and elsewhere all classes are multiples but
 * those that kmalloc_index() then steps over.
 */
void *kmalloc_aligned(size_t size, size_t align, gfp_t gfp)
{
	size = max(size, 1UL);
	if (likely(align <= PAGE_SIZE && size <= KMALLOC_MAX_CACHE_SIZE))
		return kmalloc_slow(ALIGN(size, max(align, 1UL)), gfp);
	if (unlikely(!mm_init()))
		return NULL;
	return large_alloc(size, align, gfp);
}

void *malloc_aligned(size_t size, size_t align, gfp_t gfp)
{
	if (align > ARCH_KMALLOC_MINALIGN)
		return kmalloc_aligned(size, align, gfp);
	return kmalloc_any(size, gfp);
}

void *kmalloc(size_t size, gfp_t gfp)
{
	void *object;

	if (unlikely(size == 0))
		return ZERO_SIZE_PTR;
	object = kmalloc_hit(size);
	if (unlikely(!object))
		return kmalloc_slow(size, gfp);
	if (gfp & __GFP_ZERO)
		memset(object, 0, kmalloc_class_size(kmalloc_index(size)));
	return object;
}

void *kzalloc(size_t size, gfp_t gfp)
{
	return kmalloc(size, gfp | __GFP_ZERO);
}

void *kmalloc_array(size_t n, size_t size, gfp_t gfp)
{
	size_t bytes;

	if (unlikely(__builtin_mul_overflow(n, size, &bytes)))
		return NULL;
	return kmalloc(bytes, gfp);
}

void *kcalloc(size_t n, size_t size, gfp_t gfp)
{
	return kmalloc_array(n, size, gfp | __GFP_ZERO);
}

/* ---- freeing --------------------------------------------------------------------- */

/* What an address is: the cache of its slab, or the large object that starts there. */
static struct page *object_page(const void *object, struct kmem_cache **s)
{
	struct page *page = virt_to_head_page(object);

	*s = page && page->type == PT_SLAB ? page->slab_cache : NULL;
	if (page && page->type == PT_LARGE && page_address(page) == object)
		return page;
	return *s ? page : NULL;
}

/*
 * The kmalloc cache that an object is of; NULL: ask its struct page, a line that most who
 * miss, and programs that call malloc_usable_size() all the time, need for nothing else.
 */
static inline struct kmem_cache *mapped_cache(const void *object)
{
	unsigned int slot = kmalloc_slot_of(object);

	return likely(slot) ? kmalloc_caches[slot - SLOT_KMALLOC] : NULL;
}

void kfree_slow(void *object, void *caller)
{
	struct kmem_cache *s;
	struct page *page;

	if (kfree_vcpu_hit(object))
		return;
	/* Each cache that checks or zeroes what is freed is closed. */
	s = mapped_cache(object);
	if (likely(s && !READ_ONCE(s->mag.closed))) {
		magazine_free_slow(&s->mag, object);
		return;
	}
	if (ZERO_OR_NULL_PTR(object))
		return;
	page = object_page(object, &s);
	if (unlikely(!page))
		slab_report_bad_free(NULL, NULL, object, "Invalid pointer", caller);
	if (!s)
		free_large(page);
	else if (unlikely(s->debug))
		slab_free_one(s, object, caller);
	else
		magazine_free_slow(&s->mag, object);
	if (unlikely(s && (s->flags & SLAB_TYPESAFE_BY_RCU)))
		slab_rcu_release(s);
}

void kfree(const void *object)
{
	if (unlikely(!kfree_hit((void *)object)))
		kfree_slow((void *)object, __builtin_return_address(0));
}

void kfree_sensitive(const void *object)
{
	size_t size = ksize(object);

	if (size) {
		memset((void *)object, 0, size);
		/* The compiler may not drop stores to memory that is freed next. */
		__asm__ volatile("" : : "r" (object) : "memory");
	}
	kfree(object);
}

/* Here, not with the caches: where these are mixed it is kfree() that knows them. */
void kmem_cache_free_bulk(struct kmem_cache *s, size_t nr, void **p)
{
	if (likely(s && !s->debug && nr)) {
		magazine_free_bulk(&s->mag, p, nr);
		return;
	}
	for (size_t i = 0; i < nr; i++) {
		if (s)
			kmem_cache_free(s, p[i]);
		else
			kfree(p[i]);
	}
}

/* ---- sizes -------------------------------------------------------------------------- */

size_t ksize(const void *object)
{
	struct kmem_cache *s = mapped_cache(object);
	struct page *page;

	if (likely(s))
		return s->size;
	if (ZERO_OR_NULL_PTR(object))
		return 0;
	page = object_page(object, &s);
	if (unlikely(!page))
		slab_report_bad_free(NULL, NULL, object, "Invalid pointer",
				     __builtin_return_address(0));
	return s ? s->size : page->nr_pages << PAGE_SHIFT;
}

size_t kmalloc_size_roundup(size_t size)
{
	if (size == 0)
		return 0;
	if (size <= KMALLOC_MAX_CACHE_SIZE)
		return kmalloc_class_size(kmalloc_index(size));
	/* Too large to round up: kmalloc() refuses it anyway. */
	return size > SIZE_MAX - PAGE_SIZE ? size : PAGE_ALIGN(size);
}

/* ---- resizing ------------------------------------------------------------------------- */

static void *move_object(void *p, size_t old, size_t size, gfp_t gfp, bool any)
{
	void *q = size < kmem_hot.fast_limit && !(gfp & __GFP_ZERO) ? kmalloc_hit(size) : NULL;

	if (!q)
		q = sized_alloc(size, gfp, any);
	if (!q)
		return NULL;
	memcpy(q, p, min(old, size));
	kfree(p);
	return q;
}

/*
 * An object stays while it fits and would not waste more than half, or more than lending did; one
 * of krealloc() only in a class that is aligned, and as large, as that of its new size.
 */
static bool stays(const struct kmem_cache *s, size_t size, bool any)
{
	if (size > s->size)
		return false;
	if (!any && s->slotmap_byte && kmalloc_class_size(kmalloc_index(size)) > s->size)
		return false;
	return s->size <= 64 || size > s->size / 2 ||
	       s->size <= 2 * kmalloc_class_size(malloc_index(size));
}

static void *large_realloc(struct page *head, void *p, size_t size, gfp_t gfp, bool any)
{
	size_t old = head->nr_pages << PAGE_SHIFT;
	unsigned long nr_pages;

	if (size > LARGE_MAX)
		return NULL;
	if (size <= KMALLOC_MAX_CACHE_SIZE)
		return move_object(p, old, size, gfp, any);
	nr_pages = (size + PAGE_SIZE - 1) >> PAGE_SHIFT;
	if (nr_pages != head->nr_pages && !resize_large(head, nr_pages, gfp)) {
		if (nr_pages <= STOCK_MAX_PAGES)
			return move_object(p, old, size, gfp, any);
		head = regrow_large(head, nr_pages, large_align(size, 1), gfp);
		if (!head)
			return NULL;
		p = page_address(head);
	}
	head->requested = size;
	if (size < old && (gfp & __GFP_ZERO))
		memset((char *)p + size, 0, (nr_pages << PAGE_SHIFT) - size);
	return p;
}

void *krealloc_slow(void *p, size_t size, gfp_t gfp, bool any)
{
	struct kmem_cache *s = mapped_cache(p);

	if (!s) {
		struct page *page = object_page(p, &s);

		if (unlikely(!page))
			slab_report_bad_free(NULL, NULL, p, "Invalid pointer",
					     __builtin_return_address(0));
		if (!s)
			return large_realloc(page, p, size, gfp, any);
	}
	if (!stays(s, size, any))
		return move_object(p, s->size, size, gfp, any);
	if (gfp & __GFP_ZERO)
		memset((char *)p + size, 0, s->size - size);
	return p;
}

void *krealloc(const void *p, size_t new_size, gfp_t gfp)
{
	unsigned int saved;
	void *q;

	if (new_size == 0) {
		kfree(p);
		return ZERO_SIZE_PTR;
	}
	if (ZERO_OR_NULL_PTR(p))
		return kmalloc(new_size, gfp);
	saved = task_save_nowait(gfp);
	q = krealloc_slow((void *)p, new_size, gfp, false);
	task_restore_nowait(gfp, saved);
	return q;
}
