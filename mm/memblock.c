// SPDX-License-Identifier: MIT
/*
 * memblock.c - the arena of the allocator's own structures.
 *
 *	size <= 8320	class of 64 * n bytes: free list, else carved from a chunk
 *	larger		mapped and unmapped by itself
 *
 * Carving. A chunk is 64 KiB of fresh, hence zero, pages; `cur` walks through
 * it. The end that is too short for a request goes to the free list of its size.
 * Only what was carved has ever been touched: a program that allocates nothing
 * pays for the pages of what start-up needs, not for the chunk.
 *
 * Every mapping is on the list memblock_chunks, where slabinfo finds it: a
 * chunk's record is the chunk's first 64 bytes, a larger piece's a block of its
 * own. The list is short, and only freeing a larger piece searches it.
 *
 * States of a block's memory:
 *
 *	not carved	zero
 *	in use		the owner's; was zero when given
 *	on a free list	the first word links to the next, the rest is old
 *			content; zeroed when it is given again
 *
 * Lock: memblock_lock (RANK_MEMBLOCK), for the free lists and the chunk. No
 * system call is made under it: who finds the chunk used up drops the lock,
 * maps a new one, and installs it. When two threads do so at once both chunks
 * are kept; the one that is not current waits on `spare`.
 */
#include <string.h>

#include "base/bug.h"
#include "host/host.h"
#include "lock.h"
#include "memblock.h"
#include "task.h"

#define LINE		MEMBLOCK_LINE	/* a cache line: no two owners share one */
#define CLASS_MAX	MEMBLOCK_CLASS_MAX
#define NR_CLASSES	(CLASS_MAX / LINE)
#define PIECE		4096UL		/* what is larger comes in multiples of this */
#define CHUNK_SIZE	(64UL << 10)

/* A free block. */
struct free_block {
	struct free_block *next;
};

static struct kmem_lock memblock_lock = LOCK_INIT(RANK_MEMBLOCK);

/* memblock_lock, all of it. */
static struct {
	struct free_block *free[NR_CLASSES];
	char *cur, *end;	/* the chunk's rest, zero; equal when used up */
	struct memblock_chunk *spare;	/* chunks of which only the record was written */
} arena;

struct memblock_chunk *memblock_chunks;	/* memblock_lock */

/* A record takes the smallest class. */
BUILD_BUG_ON(sizeof(struct memblock_chunk) > LINE);

static size_t total;		/* bytes mapped; atomic, nothing is ordered by it */

static unsigned int class_of(size_t size)
{
	return size ? (unsigned int)((size - 1) / LINE) : 0;
}

static size_t class_size(unsigned int class)
{
	return (class + 1) * LINE;
}

/* ---- under the lock ---------------------------------------------------- */

static void push(struct free_block **list, void *p)
{
	struct free_block *b = p;

	b->next = *list;
	*list = b;
}

static void *pop(struct free_block **list)
{
	struct free_block *b = *list;

	if (b)
		*list = b->next;
	return b;
}

/* Makes the next of the chunks current; false: there is none. */
static bool next_chunk(void)
{
	struct memblock_chunk *chunk = arena.spare;

	if (!chunk)
		return false;
	arena.spare = chunk->next_spare;
	arena.cur = (char *)chunk + class_size(0);
	arena.end = (char *)chunk + CHUNK_SIZE;
	return true;
}

static void link_chunk(struct memblock_chunk *c)
{
	c->next = memblock_chunks;
	memblock_chunks = c;
}

/* Takes the record of the piece at @addr off the list; there is one. */
static struct memblock_chunk *unlink_chunk(const void *addr)
{
	struct memblock_chunk **link = &memblock_chunks, *c;

	while (*link && (*link)->addr != addr)
		link = &(*link)->next;
	c = *link;
	BUG_ON(!c);
	*link = c->next;
	return c;
}

/* A fresh, zero block; NULL: no chunk has room. */
static void *carve(unsigned int class)
{
	size_t size = class_size(class), rest = (size_t)(arena.end - arena.cur);
	char *p;

	if (rest < size) {
		char *end = arena.cur;

		if (!next_chunk())
			return NULL;
		if (rest)
			push(&arena.free[class_of(rest)], end);
	}
	p = arena.cur;
	arena.cur += size;
	return p;
}

/* ---- the calls ------------------------------------------------------------ */

static void *map_counted(size_t size, const char *name)
{
	/* On a request's way that may not call the kernel there is only what was carved. */
	void *p = likely(task_may_wait()) ? host_map(size) : NULL;

	if (!p)
		return NULL;
	host_name(p, size, name);
	stat_add(total, size);
	return p;
}

static bool add_chunk(void)
{
	struct memblock_chunk *chunk = map_counted(CHUNK_SIZE, "kmem-meta");

	if (!chunk)
		return false;
	chunk->addr = chunk;
	chunk->size = CHUNK_SIZE;
	lock(&memblock_lock);
	link_chunk(chunk);
	chunk->next_spare = arena.spare;
	arena.spare = chunk;
	unlock(&memblock_lock);
	return true;
}

static void *alloc_small(unsigned int class)
{
	void *p;
	bool used;

	/*
	 * Each turn but the last adds a chunk; another thread may have used it up
	 * before we are back, but then that thread has what it came for.
	 */
	for (;;) {
		lock(&memblock_lock);
		p = pop(&arena.free[class]);
		used = p != NULL;
		if (!p)
			p = carve(class);
		unlock(&memblock_lock);
		if (p)
			break;
		if (!add_chunk())
			return NULL;
	}
	if (used)
		memset(p, 0, class_size(class));
	return p;
}

static void *alloc_mapped(size_t pages)
{
	struct memblock_chunk *c = alloc_small(0);
	void *p = c ? map_counted(pages, "kmem-meta") : NULL;

	if (!p) {
		memblock_free(c, sizeof(*c));
		return NULL;
	}
	c->addr = p;
	c->size = pages;
	lock(&memblock_lock);
	link_chunk(c);
	unlock(&memblock_lock);
	return p;
}

/*
 * Off the list first: once it is unmapped another thread may be given the same
 * address. A mapping that the system will not take back stays on record.
 */
static void free_mapped(void *p, size_t pages)
{
	struct memblock_chunk *c;

	lock(&memblock_lock);
	c = unlink_chunk(p);
	unlock(&memblock_lock);
	if (!host_release(p, pages)) {
		stat_add(total, -pages);
		memblock_free(c, sizeof(*c));
		return;
	}
	lock(&memblock_lock);
	link_chunk(c);
	unlock(&memblock_lock);
}

void *memblock_alloc(size_t size)
{
	size_t pages;

	if (size <= CLASS_MAX)
		return alloc_small(class_of(size));
	pages = ALIGN(size, PIECE);
	return pages < size ? NULL : alloc_mapped(pages);
}

void memblock_free(void *p, size_t size)
{
	unsigned int class = class_of(size);
	size_t pages = ALIGN(size, PIECE);

	if (!p)
		return;
	if (size > CLASS_MAX) {
		BUG_ON(!IS_ALIGNED((uintptr_t)p, PIECE));
		free_mapped(p, pages);
		return;
	}
	BUG_ON(!IS_ALIGNED((uintptr_t)p, LINE));
	lock(&memblock_lock);
	BUG_ON(arena.free[class] == p);
	push(&arena.free[class], p);
	unlock(&memblock_lock);
}

char *memblock_strdup(const char *s)
{
	size_t size = strlen(s) + 1;
	char *copy = memblock_alloc(size);

	return copy ? memcpy(copy, s, size) : NULL;
}

size_t memblock_total(void)
{
	return READ_ONCE(total);
}

void memblock_fork_lock(void)
{
	lock_fork(&memblock_lock);
}

void memblock_fork_unlock(void)
{
	unlock(&memblock_lock);
}
