// SPDX-License-Identifier: MIT
/*
 * umem.c - libumem's names on top of caches and kmalloc (<kmem/umem.h>).
 *
 * A umem cache is a kmem_cache with the extended callbacks; what is here translates
 * their arguments, and decides what UMEM_NOFAIL does.
 */
#include <kmem/limit.h>
#include <kmem/umem.h>

#include <errno.h>
#include <stdlib.h>

#include "base/compiler.h"
#include "base/printk.h"
#include "memblock.h"
#include "slab.h"

struct umem_cache {
	struct kmem_cache *cache;
	umem_constructor_t *constructor;
	umem_destructor_t *destructor;
	umem_reclaim_t *reclaim;
	void *callback_data;
};

static umem_nofail_callback_t *nofail;

/*
 * How UMEM_NOFAIL reaches a constructor. Not __GFP_NOFAIL: that would wait for ever,
 * and what happens when there is no memory is the program's to decide (try_again()).
 */
#define GFP_NOFAIL_HINT	__GFP_RETRY_MAYFAIL

/* ---- callbacks --------------------------------------------------------------------- */

static int construct(void *object, void *data, gfp_t gfp)
{
	struct umem_cache *cp = data;

	return cp->constructor(object, cp->callback_data,
			       gfp & GFP_NOFAIL_HINT ? UMEM_NOFAIL : UMEM_DEFAULT);
}

static void destruct(void *object, void *data)
{
	struct umem_cache *cp = data;

	cp->destructor(object, cp->callback_data);
}

static void reclaim(void *data)
{
	struct umem_cache *cp = data;

	cp->reclaim(cp->callback_data);
}

void umem_nofail_callback(umem_nofail_callback_t *callback)
{
	smp_store_release(&nofail, callback);
}

/* No memory. False: NULL is the answer; true: try again. Or the program ends. */
static __cold bool try_again(int flags)
{
	umem_nofail_callback_t *callback = smp_load_acquire(&nofail);
	int answer;

	if (!(flags & UMEM_NOFAIL))
		return false;
	answer = callback ? callback() : UMEM_CALLBACK_EXIT(255);
	if (answer != UMEM_CALLBACK_RETRY)
		exit(answer & 0xff);
	umem_reap();
	return true;
}

/* ---- caches --------------------------------------------------------------------------- */

static bool fail(int error)
{
	errno = error;
	return false;
}

static bool arguments_valid(const char *name, size_t size, size_t align, vmem_t *source,
			    int cflags)
{
	if (!name || !*name || size == 0 || size > PAGE_SIZE << MAX_PAGE_ORDER)
		return fail(EINVAL);
	if ((align & (align - 1)) || align > PAGE_SIZE)
		return fail(EINVAL);
	if (source || (cflags & ~(UMC_NOTOUCH | UMC_NODEBUG | UMC_NOMAGAZINE | UMC_NOHASH)))
		return fail(EINVAL);
	return true;
}

umem_cache_t *umem_cache_create(char *debug_name, size_t bufsize, size_t align,
				umem_constructor_t *constructor,
				umem_destructor_t *destructor, umem_reclaim_t *reclaim_fn,
				void *callback_data, vmem_t *source, int cflags)
{
	struct umem_cache *cp;
	struct kmem_cache_args args = {
		.align = (unsigned int)(align ? align : bufsize < 16 ? 8 : 16),
		.construct = constructor ? construct : NULL,
		.destruct = destructor ? destruct : NULL,
		.reclaim = reclaim_fn ? reclaim : NULL,
	};

	if (!arguments_valid(debug_name, bufsize, align, source, cflags))
		return NULL;
	cp = memblock_alloc(sizeof(*cp));
	if (!cp) {
		errno = ENOMEM;
		return NULL;
	}
	cp->constructor = constructor;
	cp->destructor = destructor;
	cp->reclaim = reclaim_fn;
	cp->callback_data = callback_data;
	args.callback_data = cp;
	cp->cache = kmem_cache_create(debug_name, (unsigned int)bufsize, &args,
				      cflags & UMC_NODEBUG ? SLAB_NO_USER_FLAGS : 0);
	if (!cp->cache) {
		memblock_free(cp, sizeof(*cp));
		errno = ENOMEM;
		return NULL;
	}
	return cp;
}

void umem_cache_destroy(umem_cache_t *cp)
{
	if (!cp)
		return;
	/* With objects in use the cache stays, and needs its callbacks. */
	if (kmem_cache_destroy_check(cp->cache))
		memblock_free(cp, sizeof(*cp));
}

void *umem_cache_alloc(umem_cache_t *cp, int flags)
{
	gfp_t gfp = flags & UMEM_NOFAIL ? GFP_KERNEL | GFP_NOFAIL_HINT : GFP_KERNEL;
	void *object;

	do {
		object = kmem_cache_alloc(cp->cache, gfp);
	} while (unlikely(!object) && try_again(flags));
	return object;
}

void umem_cache_free(umem_cache_t *cp, void *buf)
{
	kmem_cache_free(cp->cache, buf);
}

void umem_cache_reap_now(umem_cache_t *cp)
{
	kmem_cache_reap(cp->cache);
}

void umem_reap(void)
{
	kmem_reclaim(KMEM_LIMIT_NONE);
}

/* ---- memory of any size ------------------------------------------------------------------ */

void *umem_alloc(size_t size, int flags)
{
	void *p;

	if (size == 0)
		return NULL;
	do {
		p = kmalloc(size, GFP_KERNEL);
	} while (unlikely(!p) && try_again(flags));
	return p;
}

void *umem_zalloc(size_t size, int flags)
{
	void *p;

	if (size == 0)
		return NULL;
	do {
		p = kzalloc(size, GFP_KERNEL);
	} while (unlikely(!p) && try_again(flags));
	return p;
}

void *umem_alloc_aligned(size_t size, size_t align, int flags)
{
	void *p;

	if (size == 0 || align == 0 || (align & (align - 1)))
		return NULL;
	do {
		p = kmalloc_aligned(size, align, GFP_KERNEL);
	} while (unlikely(!p) && try_again(flags));
	return p;
}

void umem_free(void *buf, size_t size)
{
	(void)size;
	kfree(buf);
}
