// SPDX-License-Identifier: MIT
/*
 * kmalloc_nolock.c - kmalloc() for code that may have interrupted anything
 * (page_nolock.c is the same for pages, and tells why it is safe).
 *
 *	alloc	loaded magazine -> depot -> partial slabs, each lock only tried
 *	free	loaded magazine -> the deferred objects, an atomic list
 *
 * Deferred objects count as in use and are linked by their first word: they came from
 * kmalloc_nolock(), so no constructor's work is in there. They are freed by the next
 * kmalloc() that may wait and finds its magazine empty, and by the reclaimer.
 *
 * In fallback mode, where a magazine is a virtual CPU's and has a lock, only the
 * depot and the slabs serve.
 */
#include <string.h>

#include "cmdline.h"
#include "kmalloc_hit.h"
#include "kmalloc_nolock.h"
#include "numa.h"
#include "slab.h"

struct deferred_object {
	struct deferred_object *next;
};

static struct deferred_object *deferred;	/* atomic */

/* ---- deferred objects -------------------------------------------------------------------- */

static void defer(void *p)
{
	struct deferred_object *object = p, *head = READ_ONCE(deferred);

	do {
		object->next = head;
	} while (!__atomic_compare_exchange_n(&deferred, &head, object, false,
					      __ATOMIC_RELEASE, __ATOMIC_RELAXED));
}

void kmalloc_nolock_drain(void)
{
	struct deferred_object *object;

	if (likely(!READ_ONCE(deferred)))
		return;
	/* Pairs with defer(): the links are there. */
	object = __atomic_exchange_n(&deferred, NULL, __ATOMIC_ACQUIRE);
	while (object) {
		struct deferred_object *next = object->next;

		kfree(object);
		object = next;
	}
}

/* ---- the interface ------------------------------------------------------------------------- */

static void *take(size_t size)
{
	struct kmem_cache *s;
	void *object = kmalloc_hit(size);

	if (object)
		return object;
	s = READ_ONCE(kmalloc_caches[kmalloc_index(size)]);
	if (!s)
		return NULL;	/* the library has not been started yet */
	object = s->debug ? NULL : magazine_alloc_nolock(&s->mag);
	return object ? object : slab_alloc_nolock(s);
}

void *kmalloc_nolock(size_t size, gfp_t gfp, int node)
{
	void *object;

	(void)node;
	if (unlikely(size == 0))
		return ZERO_SIZE_PTR;
	if (WARN_ONCE(gfp & ~(__GFP_ACCOUNT | __GFP_ZERO),
		      "kmalloc_nolock: flags %#x mean nothing here",
		      gfp & ~(__GFP_ACCOUNT | __GFP_ZERO)))
		return NULL;
	if (size > KMALLOC_MAX_CACHE_SIZE)
		return NULL;
	object = take(size);
	if (object && ((gfp & __GFP_ZERO) || kmem_params.init_on_alloc))
		memset(object, 0, kmalloc_size_roundup(size));
	return object;
}

void kfree_nolock(const void *p)
{
	void *object = (void *)p;
	struct page *page;

	if (ZERO_OR_NULL_PTR(object) || kfree_hit(object))
		return;
	page = virt_to_head_page(object);
	if (unlikely(!page || page->type != PT_SLAB || page->slab_cache->ctor))
		slab_report_bad_free(NULL, NULL, object, "Not an object of kmalloc_nolock()",
				     __builtin_return_address(0));
	defer(object);
}
