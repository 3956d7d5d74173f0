// SPDX-License-Identifier: MIT
/*
 * libc_malloc.c - the names by which programs know malloc: ISO C, POSIX, glibc
 * and C++. Only libkmem-malloc.so has them.
 *
 * The C++ operators are defined by their mangled names. operator new that finds
 * no memory calls the new-handler and finally throws std::bad_alloc; both come
 * from the C++ runtime, by weak reference, so that C programs need none. The
 * file is compiled with -fexceptions: the exception passes through it.
 */
#include <errno.h>
#include <malloc.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <kmem/malloc.h>

#include "base/compiler.h"
#include "cmdline.h"
#include "init.h"
#include "malloc_entry.h"
#include "memblock.h"
#include "percpu.h"
#include "slab.h"

#define EXPORT	__kmem_export

/* What glibc's malloc.h has, or later ones have, for programs made for those. */
#ifndef __GLIBC__
#define M_ARENA_MAX	(-8)
#define M_MXFAST	1
struct mallinfo {
	int arena, ordblks, smblks, hblks, hblkhd, usmblks, fsmblks, uordblks, fordblks, keepcost;
};
struct mallinfo mallinfo(void);
int mallopt(int param, int value);
int malloc_trim(size_t pad);
void malloc_stats(void);
int malloc_info(int options, FILE *fp);
#endif
#if !defined(__GLIBC__) || (__GLIBC__ == 2 && __GLIBC_MINOR__ < 33)
struct mallinfo2 {
	size_t arena, ordblks, smblks, hblks, hblkhd, usmblks, fsmblks, uordblks, fordblks, keepcost;
};
struct mallinfo2 mallinfo2(void);
#endif

/* ---- ISO C and POSIX -------------------------------------------------------------- */

EXPORT void *malloc(size_t size)
{
	return malloc_entry(size);
}

EXPORT void free(void *ptr)
{
	free_entry(ptr);
}

EXPORT void *calloc(size_t nmemb, size_t size)
{
	return MyCalloc(nmemb, size);
}

EXPORT void *realloc(void *ptr, size_t size)
{
	return MyRealloc(ptr, size);
}

EXPORT void *reallocarray(void *ptr, size_t nmemb, size_t size)
{
	size_t bytes;

	if (__builtin_mul_overflow(nmemb, size, &bytes)) {
		errno = ENOMEM;
		return NULL;
	}
	return MyRealloc(ptr, bytes);
}

/* C23. The size tells nothing that the slab does not know better. */
EXPORT void free_sized(void *ptr, size_t size)
{
	(void)size;
	free_entry(ptr);
}

EXPORT void free_aligned_sized(void *ptr, size_t alignment, size_t size)
{
	(void)alignment;
	(void)size;
	free_entry(ptr);
}

static noinline int posix_memalign_slow(void **memptr, size_t alignment, size_t size)
{
	int saved = errno;
	void *p = aligned_slow(alignment, size);

	errno = saved;
	if (!p)
		return ENOMEM;
	*memptr = p;
	return 0;
}

EXPORT int posix_memalign(void **memptr, size_t alignment, size_t size)
{
	void *p;

	if (unlikely(!is_power_of_2(alignment) || alignment % sizeof(void *)))
		return EINVAL;
	p = kmalloc_aligned_hit(size, alignment);
	if (unlikely(!p))
		return posix_memalign_slow(memptr, alignment, size);
	*memptr = p;
	return 0;
}

EXPORT void *aligned_alloc(size_t alignment, size_t size)
{
	return MyAlignedAlloc(alignment, size);
}

/* glibc's memalign rounds an odd alignment up instead of refusing it. */
EXPORT void *memalign(size_t alignment, size_t size)
{
	if (alignment > SIZE_MAX / 2 + 1) {
		errno = EINVAL;
		return NULL;
	}
	return MyAlignedAlloc(roundup_pow_of_two(max(alignment, (size_t)1)), size);
}

EXPORT void *valloc(size_t size)
{
	return MyAlignedAlloc(PAGE_SIZE, size);
}

EXPORT void *pvalloc(size_t size)
{
	if (size > SIZE_MAX - PAGE_SIZE) {
		errno = ENOMEM;
		return NULL;
	}
	return MyAlignedAlloc(PAGE_SIZE, PAGE_ALIGN(max(size, (size_t)1)));
}

EXPORT void cfree(void *ptr)
{
	free_entry(ptr);
}

/* ---- glibc -------------------------------------------------------------------------- */

EXPORT size_t malloc_usable_size(void *ptr)
{
	return MyUsableSize(ptr);
}

EXPORT int malloc_trim(size_t pad)
{
	(void)pad;
	return vmscan_trim();
}

/*
 * glibc's parameters have no meaning here; saying yes to them keeps programs
 * that check the answer going. What can be set is set by KMEM_CMDLINE.
 */
EXPORT int mallopt(int param, int value)
{
	(void)value;
	return param >= M_ARENA_MAX && param <= M_MXFAST;
}

/* What mallinfo2() and its fellows report, in bytes. */
struct usage {
	size_t present;		/* committed to the heap and not yet purged, in use or free */
	size_t in_use;		/* objects and pages that the program holds */
	size_t free;		/* kept by the allocator */
	size_t large;		/* of in_use: whole pages */
	size_t nr_large;
	size_t metadata;
};

static void add_cache(struct kmem_cache *s, size_t *slabs, size_t *objects)
{
	unsigned long n = READ_ONCE(s->node.nr_inuse), cached = magazine_cache_count(&s->mag);

	*slabs += READ_ONCE(s->node.nr_slabs) * (PAGE_SIZE << s->order);
	*objects += (n > cached ? n - cached : 0) * s->size;
}

static struct usage get_usage(void)
{
	size_t slabs = 0, objects = 0, used = 0, dirty_free = 0;
	struct kmem_cache *s;
	struct usage u = { 0 };

	mm_init();
	lock(&slab_mutex);
	list_for_each_entry(s, &slab_caches, list)
		add_cache(s, &slabs, &objects);
	unlock(&slab_mutex);
	for (unsigned int i = 0; i < smp_load_acquire(&nr_zones); i++) {
		struct zone *z = zones[i];

		used += (READ_ONCE(z->nr_present) - READ_ONCE(z->nr_free)) << PAGE_SHIFT;
		dirty_free += READ_ONCE(z->nr_dirty_free) << PAGE_SHIFT;
	}
	u.present = used + dirty_free;
	u.large = used > slabs ? used - slabs : 0;
	u.in_use = objects + u.large;
	u.free = u.present > u.in_use ? u.present - u.in_use : 0;
	u.metadata = memblock_total();
	return u;
}

EXPORT struct mallinfo2 mallinfo2(void)
{
	struct usage u = get_usage();

	return (struct mallinfo2){
		.arena = u.present,
		.uordblks = u.in_use,
		.fordblks = u.free,
		.hblkhd = u.large,
		.keepcost = u.free,
	};
}

EXPORT struct mallinfo mallinfo(void)
{
	struct mallinfo2 m = mallinfo2();

	return (struct mallinfo){
		.arena = (int)min(m.arena, (size_t)INT32_MAX),
		.uordblks = (int)min(m.uordblks, (size_t)INT32_MAX),
		.fordblks = (int)min(m.fordblks, (size_t)INT32_MAX),
		.hblkhd = (int)min(m.hblkhd, (size_t)INT32_MAX),
		.keepcost = (int)min(m.keepcost, (size_t)INT32_MAX),
	};
}

EXPORT void malloc_stats(void)
{
	struct usage u = get_usage();

	fprintf(stderr, "libkmem: %s mode\n"
		"system bytes     = %10zu\n"
		"in use bytes     = %10zu\n"
		"free bytes       = %10zu\n"
		"metadata bytes   = %10zu\n",
		percpu.mode == PERCPU_RSEQ ? "rseq" : "fallback",
		u.present, u.in_use, u.free, u.metadata);
}

/* The counts are copied first: printing allocates, and would change them. */
struct cache_line {
	char name[32];
	unsigned int size, objects;
	unsigned long inuse, slabs;
};

static size_t copy_caches(struct cache_line *lines, size_t max_lines)
{
	struct kmem_cache *s;
	size_t n = 0;

	lock(&slab_mutex);
	list_for_each_entry(s, &slab_caches, list) {
		if (n == max_lines)
			break;
		if (READ_ONCE(s->node.nr_slabs) == 0)
			continue;
		strncpy(lines[n].name, s->name, sizeof(lines[n].name) - 1);
		lines[n].size = s->size;
		lines[n].objects = s->objects;
		lines[n].inuse = READ_ONCE(s->node.nr_inuse);
		lines[n].slabs = READ_ONCE(s->node.nr_slabs);
		n++;
	}
	unlock(&slab_mutex);
	return n;
}

EXPORT int malloc_info(int options, FILE *fp)
{
	enum { MAX_LINES = 1024 };
	struct cache_line *lines;
	struct usage u;
	size_t n;

	if (options != 0) {
		errno = EINVAL;
		return -1;
	}
	lines = MyCalloc(MAX_LINES, sizeof(*lines));
	if (!lines)
		return -1;
	u = get_usage();
	n = copy_caches(lines, MAX_LINES);
	fprintf(fp, "<malloc version=\"libkmem-1\">\n");
	for (size_t i = 0; i < n; i++)
		fprintf(fp, "<cache name=\"%s\" size=\"%u\" objperslab=\"%u\" inuse=\"%lu\" slabs=\"%lu\"/>\n",
			lines[i].name, lines[i].size, lines[i].objects,
			lines[i].inuse, lines[i].slabs);
	fprintf(fp, "<total type=\"rest\" count=\"0\" size=\"%zu\"/>\n"
		"<total type=\"large\" size=\"%zu\"/>\n"
		"<system type=\"current\" size=\"%zu\"/>\n"
		"<aspace type=\"metadata\" size=\"%zu\"/>\n"
		"</malloc>\n", u.free, u.large, u.present, u.metadata);
	MyFree(lines);
	return ferror(fp) ? -1 : 0;
}

/* ---- C++ ------------------------------------------------------------------------------- */

typedef void (*new_handler)(void);
extern new_handler std_get_new_handler(void) __asm__("_ZSt15get_new_handlerv")
	__attribute__((weak));
extern void std_throw_bad_alloc(void) __asm__("_ZSt17__throw_bad_allocv")
	__attribute__((weak, noreturn));

/* Calls the new-handler until there is memory; NULL: there is no handler. */
static noinline __cold void *new_retry(size_t size, size_t align)
{
	for (;;) {
		new_handler handler = std_get_new_handler ? std_get_new_handler() : NULL;
		void *p;

		if (!handler)
			return NULL;
		handler();
		p = malloc_aligned(size, align, GFP_KERNEL | __GFP_NOWARN);
		if (p)
			return p;
	}
}

static noinline __cold void *new_failed(size_t size, size_t align)
{
	void *p = new_retry(size, align);

	if (p)
		return p;
	if (std_throw_bad_alloc)
		std_throw_bad_alloc();
	abort();
}

static __always_inline void *new_entry(size_t size)
{
	void *p = malloc_entry(size);

	return likely(p) ? p : new_failed(size, 1);
}

static __always_inline void *aligned_entry(size_t size, size_t align)
{
	void *p = kmalloc_aligned_hit(size, align);

	return likely(p) ? p : malloc_aligned(size, align, GFP_KERNEL | __GFP_NOWARN);
}

static void *new_aligned(size_t size, size_t align)
{
	void *p = aligned_entry(size, align);

	return likely(p) ? p : new_failed(size, align);
}

/* A handler that throws ends in the caller's hands; the standard says nullptr then. */
static void *new_nothrow(size_t size, size_t align)
{
	void *p = aligned_entry(size, align);

	return likely(p) ? p : new_retry(size, align);
}

/* op new, op new[]: (size), (size, nothrow), (size, align), (size, align, nothrow). */
#define CXX_NEW(op)								\
	EXPORT void *_Zn##op##m(size_t size);					\
	EXPORT void *_Zn##op##m(size_t size)					\
	{									\
		return new_entry(size);						\
	}									\
	EXPORT void *_Zn##op##mRKSt9nothrow_t(size_t size, const void *t);	\
	EXPORT void *_Zn##op##mRKSt9nothrow_t(size_t size, const void *t)	\
	{									\
		(void)t;							\
		return new_nothrow(size, 1);					\
	}									\
	EXPORT void *_Zn##op##mSt11align_val_t(size_t size, size_t align);	\
	EXPORT void *_Zn##op##mSt11align_val_t(size_t size, size_t align)	\
	{									\
		return new_aligned(size, align);				\
	}									\
	EXPORT void *_Zn##op##mSt11align_val_tRKSt9nothrow_t(size_t size,	\
						size_t align, const void *t);	\
	EXPORT void *_Zn##op##mSt11align_val_tRKSt9nothrow_t(size_t size,	\
						size_t align, const void *t)	\
	{									\
		(void)t;							\
		return new_nothrow(size, align);				\
	}

/* op delete: any number of sizes and alignments, none of which is needed. */
#define CXX_DELETE(name)							\
	EXPORT void name(void *ptr);						\
	EXPORT void name(void *ptr)						\
	{									\
		free_entry(ptr);						\
	}

CXX_NEW(w)
CXX_NEW(a)

CXX_DELETE(_ZdlPv)
CXX_DELETE(_ZdaPv)
CXX_DELETE(_ZdlPvm)
CXX_DELETE(_ZdaPvm)
CXX_DELETE(_ZdlPvRKSt9nothrow_t)
CXX_DELETE(_ZdaPvRKSt9nothrow_t)
CXX_DELETE(_ZdlPvSt11align_val_t)
CXX_DELETE(_ZdaPvSt11align_val_t)
CXX_DELETE(_ZdlPvmSt11align_val_t)
CXX_DELETE(_ZdaPvmSt11align_val_t)
CXX_DELETE(_ZdlPvSt11align_val_tRKSt9nothrow_t)
CXX_DELETE(_ZdaPvSt11align_val_tRKSt9nothrow_t)
