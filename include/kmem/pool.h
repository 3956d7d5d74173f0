/* SPDX-License-Identifier: MIT */
/**
 * DOC: pool.h - pools of memory that is given back all at once.
 *
 * A pool serves small objects one after another from blocks of pages, in a few
 * instructions each, and forgets them all by one mp_reset_pool() or
 * mp_destroy_pool(): a request's worth of memory, a document's, a compiler pass's.
 * What is larger than a block goes straight to pages of its own.
 *
 * Two manners of freeing single objects, chosen at creation:
 *
 *	counted (default)	mp_free() takes any object; a block whose last object
 *				is freed is used again. All objects are aligned.
 *	MP_NGINX		as in nginx: mp_free() gives large objects back and
 *				leaves small ones until the reset; mp_nalloc()
 *				aligns nothing.
 *
 * KMEM_POOL_NGINX, defined before this header is included, makes mp_create_pool()
 * create pools of the second kind, with MP_ALIGNMENT 32.
 *
 * Context: a pool belongs to one thread at a time; who shares it locks it. Made
 * with MP_SHARED it has a lock of its own, and any threads may allocate and free;
 * reset and destroy belong to one of them, when the others are done. Not from a
 * signal handler. errno is not changed.
 *
 * Misuse ends the program with a report that begins with "BUG: " and the
 * function's name: a pool that was destroyed or never was one, a pointer that is
 * not this pool's, an object that was freed before or since the reset, a pointer
 * into the midst of one.
 */
#ifndef KMEM_POOL_H
#define KMEM_POOL_H

#include <stdint.h>
#include <stdio.h>

#include <kmem/page_alloc.h>
#include <kmem/types.h>

#ifdef KMEM_POOL_NGINX
#define MP_ALIGNMENT		32
#else
#define MP_ALIGNMENT		16
#endif
#define MP_PAGE_SIZE		PAGE_SIZE
/* The largest object that comes from a block, whatever the block's size. */
#define MP_MAX_ALLOC_FROM_POOL	(MP_PAGE_SIZE - 1)

#define mp_align(n, alignment)	(((n) + ((alignment) - 1)) & ~((alignment) - 1))
#define mp_align_ptr(p, alignment) \
	((void *)(((size_t)(p) + ((size_t)(alignment) - 1)) & ~((size_t)(alignment) - 1)))

/* Flags of mp_create_pool_flags(). */
#define MP_COUNTED	0u		/* every object can be freed */
#define MP_NGINX	1u		/* large ones can, small ones go with the pool */
#define MP_SHARED	2u		/* the pool locks itself */
#define MP_ALIGN32	4u		/* mp_alloc() and the like align to 32, not 16 */

struct mp_pool_s;

/**
 * struct mp_cleanup_s - what is done before a pool's memory goes
 * @handler: called with @data; NULL: not any more
 * @data: memory of the pool, if mp_cleanup_add() was asked for some, or the user's
 * @next: the one that was added before, which is run after this one
 */
struct mp_cleanup_s {
	void (*handler)(void *data);
	void *data;
	struct mp_cleanup_s *next;
};

/** enum mp_format - languages of mp_report() */
enum mp_format {
	MP_REPORT_CHINESE,
	MP_REPORT_ENGLISH,
	MP_REPORT_JSON,
};

/**
 * struct mp_stat - a pool in figures
 * @blocks: blocks, and @block_size: bytes of each
 * @used: bytes used in blocks, administration and alignment included; @left: not used
 * @objects: small objects in use (counted pools; else 0)
 * @empty: blocks without one (counted pools; else 0)
 * @large: large objects in use, and @large_bytes: as they were asked for
 * @pages: pages of 4096 bytes that the pool has in all
 */
struct mp_stat {
	size_t blocks, block_size, used, left, objects, empty, large, large_bytes, pages;
};

KMEM_BEGIN_DECLS

/**
 * mp_create_pool_flags - a pool with one block
 * @size: bytes that the first block should offer, and every further one. A counted
 *	pool takes whole pages (of anything else, one page), as many as make a power
 *	of two, up to 4 MiB; an MP_NGINX pool takes what holds @size bytes. Objects
 *	larger than what a block of one page holds are large all the same, and in an
 *	MP_NGINX pool those larger than @size.
 * @flags: MP_COUNTED or MP_NGINX, | MP_SHARED, | MP_ALIGN32
 * Return: the pool; NULL for unknown flags or when there is no memory.
 */
struct mp_pool_s *mp_create_pool_flags(size_t size, unsigned int flags);
/** mp_create_pool - mp_create_pool_flags(@size, MP_COUNTED). */
struct mp_pool_s *mp_create_pool(size_t size);
#ifdef KMEM_POOL_NGINX
#define mp_create_pool(size)	mp_create_pool_flags((size), MP_NGINX | MP_ALIGN32)
#endif

/** mp_destroy_pool - run the clean-up handlers, free everything; NULL is allowed. */
void mp_destroy_pool(struct mp_pool_s *pool);
/**
 * mp_reset_pool - run the clean-up handlers and free all objects; keep the blocks
 */
void mp_reset_pool(struct mp_pool_s *pool);

/**
 * mp_malloc - @size bytes, aligned to 16 (32 with MP_ALIGN32)
 * Return: the object; NULL for size 0 and where there is no memory.
 */
void *mp_malloc(struct mp_pool_s *pool, size_t size) __attribute__((malloc, alloc_size(2)));
/** mp_alloc - mp_malloc() by nginx's name. */
void *mp_alloc(struct mp_pool_s *pool, size_t size) __attribute__((malloc, alloc_size(2)));
/** mp_nalloc - not aligned at all in an MP_NGINX pool; else mp_alloc(). */
void *mp_nalloc(struct mp_pool_s *pool, size_t size) __attribute__((malloc, alloc_size(2)));
/** mp_calloc - mp_malloc(), zeroed. */
void *mp_calloc(struct mp_pool_s *pool, size_t size) __attribute__((malloc, alloc_size(2)));
/**
 * mp_free - give an object back; NULL is allowed
 * Costs the same whatever the pool holds. Small objects of an MP_NGINX pool stay.
 */
void mp_free(struct mp_pool_s *pool, void *p);

/**
 * mp_cleanup_add - something to be done when the pool is reset or destroyed
 * @size: bytes of the pool's that @data shall point to; 0: none
 *
 * Handlers run in the reverse order of their adding, before any memory goes; they
 * may use the pool, and reset it, but not destroy it.
 * Return: the entry, with @handler NULL, to be filled in; NULL: no memory.
 */
struct mp_cleanup_s *mp_cleanup_add(struct mp_pool_s *pool, size_t size);

/** mp_pool_stat - fill in @stat. */
void mp_pool_stat(struct mp_pool_s *pool, struct mp_stat *stat);

/**
 * mp_report - describe a pool, block by block
 * @title: a word of the caller's, in UTF-8; NULL: none
 * @emit: receives the text in pieces, each terminated; its @arg is @arg
 *
 * @emit may use the pool (of a shared one, too): the report goes on with the block
 * after. Chinese and English are for reading, JSON is one object on one line.
 */
void mp_report(struct mp_pool_s *pool, const char *title, enum mp_format format,
	       void (*emit)(void *arg, const char *text), void *arg);

static inline void __mp_print(void *file, const char *text)
{
	fputs(text, (FILE *)file);
}

/** monitor_mp_poll - mp_report() in Chinese on stdout, under the title @tk. */
static inline void monitor_mp_poll(struct mp_pool_s *pool, const char *tk)
{
	mp_report(pool, tk, MP_REPORT_CHINESE, __mp_print, stdout);
}

/** mp_monitor - mp_report() to a stream. */
static inline void mp_monitor(struct mp_pool_s *pool, const char *title, enum mp_format format,
			      FILE *file)
{
	mp_report(pool, title, format, __mp_print, file);
}

KMEM_END_DECLS

#endif /* KMEM_POOL_H */
