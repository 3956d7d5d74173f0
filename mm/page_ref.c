// SPDX-License-Identifier: MIT
/*
 * page_ref.c - the reference count of a page, by itself: <kmem/page_alloc.h>.
 *
 * The count of a compound block is its head's, whichever of its pages is named.
 * These only count. get_page() and put_page() (page_alloc.c) also check that there is
 * a block, and free it; who drops the last reference here has the block in his
 * hands and frees it by hand.
 *
 * Ordering, as in the kernel: operations that return a value are full barriers, a
 * conditional one if it succeeded; the others order nothing.
 *
 * No locks.
 */
#include <kmem/page_alloc.h>

#include "mmzone.h"

static u32 *count_of(const struct page *page)
{
	return &compound_head(page)->refcount;
}

__kmem_export int page_ref_count(const struct page *page)
{
	return (int)READ_ONCE(*count_of(page));
}

__kmem_export void set_page_count(struct page *page, int v)
{
	WRITE_ONCE(*count_of(page), (u32)v);
}

__kmem_export void page_ref_add(struct page *page, int nr)
{
	__atomic_fetch_add(count_of(page), (u32)nr, __ATOMIC_RELAXED);
}

__kmem_export int page_ref_add_return(struct page *page, int nr)
{
	return (int)__atomic_add_fetch(count_of(page), (u32)nr, __ATOMIC_SEQ_CST);
}

__kmem_export bool page_ref_add_unless_zero(struct page *page, int nr)
{
	u32 *count = count_of(page), old = READ_ONCE(*count);

	do {
		if (!old)
			return false;
	} while (!__atomic_compare_exchange_n(count, &old, old + (u32)nr, false,
					      __ATOMIC_SEQ_CST, __ATOMIC_RELAXED));
	return true;
}

__kmem_export bool page_ref_freeze(struct page *page, int count)
{
	u32 old = (u32)count;

	return __atomic_compare_exchange_n(count_of(page), &old, 0, false, __ATOMIC_SEQ_CST,
					   __ATOMIC_RELAXED);
}

__kmem_export void page_ref_unfreeze(struct page *page, int count)
{
	smp_store_release(count_of(page), (u32)count);
}
