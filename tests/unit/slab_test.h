/* SPDX-License-Identifier: MIT */
/*
 * slab_test.h - what the tests of magazines, slabs, kmalloc and malloc share:
 * catching the library's own text, failing host calls, random numbers, and
 * counting what a cache holds.
 */
#ifndef TESTS_SLAB_TEST_H
#define TESTS_SLAB_TEST_H

#include <criterion/criterion.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <string.h>

#include "mm/base/printk.h"
#include "mm/host/host.h"
#include "mm/magazine.h"
#include "mm/percpu.h"
#include "mm/slab.h"

/* ---- the library's text ------------------------------------------------------ */

static char sink_text[1 << 18];
static size_t sink_len;

static inline void sink(const char *text, size_t len)
{
	size_t room = sizeof(sink_text) - 1 - sink_len;

	if (len > room)
		len = room;
	memcpy(sink_text + sink_len, text, len);
	sink_len += len;
	sink_text[sink_len] = 0;
}

/* From here on the text goes to sink_text instead of stderr. */
static inline void sink_catch(void)
{
	sink_len = 0;
	sink_text[0] = 0;
	printk_sink = sink;
}

static inline bool sink_has(const char *what)
{
	return strstr(sink_text, what) != NULL;
}

static inline unsigned int sink_count(const char *what)
{
	unsigned int n = 0;

	for (const char *p = sink_text; (p = strstr(p, what)); p++)
		n++;
	return n;
}

static inline void sink_drop(const char *text, size_t len)
{
	(void)text;
	(void)len;
}

/* ---- failing host calls -------------------------------------------------------- */

/* The call of a memory kind that fails: the n-th from now (1: the next); 0: none. */
static long fault_countdown;
static bool fault_all;
static unsigned long fault_hits;

static inline bool fault_hook(enum host_call call)
{
	if (call == HOST_THREAD || call == HOST_MEMBARRIER || call == HOST_PURGE)
		return false;
	if (fault_all || (fault_countdown && --fault_countdown == 0)) {
		fault_hits++;
		return true;
	}
	return false;
}

static inline void fault_every_call(bool on)
{
	fault_all = on;
	fault_countdown = 0;
	host_fault = on ? fault_hook : NULL;
}

static inline void fault_nth_call(long n)
{
	fault_all = false;
	fault_hits = 0;
	fault_countdown = n;
	host_fault = n ? fault_hook : NULL;
}

/* ---- random numbers --------------------------------------------------------------- */

static inline u64 rnd(u64 *state)
{
	u64 x = *state;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	return *state = x;
}

/* ---- what a cache holds -------------------------------------------------------------- */

/* Objects that the program holds: in use in the slabs, less those in magazines. */
static inline long cache_live(struct kmem_cache *s)
{
	return (long)s->node.nr_inuse - (long)magazine_cache_count(&s->mag);
}

/* Fills an object so that every byte depends on where it stands. */
static inline void fill(void *p, size_t size, unsigned char seed)
{
	unsigned char *c = p;

	for (size_t i = 0; i < size; i++)
		c[i] = (unsigned char)(seed + i * 7 + ((unsigned long)p >> 4));
}

static inline bool filled(const void *p, size_t size, unsigned char seed)
{
	const unsigned char *c = p;

	for (size_t i = 0; i < size; i++)
		if (c[i] != (unsigned char)(seed + i * 7 + ((unsigned long)p >> 4)))
			return false;
	return true;
}

static inline bool all_bytes(const void *p, size_t size, unsigned char value)
{
	const unsigned char *c = p;

	for (size_t i = 0; i < size; i++)
		if (c[i] != value)
			return false;
	return true;
}

/* The address of an object within its slab, checked on the way. */
static inline unsigned long slab_offset(struct kmem_cache *s, void *p)
{
	struct page *slab = virt_to_head_page(p);
	unsigned long offset;

	cr_assert(slab && slab->type == PT_SLAB && slab->slab_cache == s,
		  "%p is not in a slab of %s", p, s->name);
	offset = (unsigned long)((char *)p - slab_address(slab));
	cr_assert(offset + s->object_size <= PAGE_SIZE << s->order,
		  "%s: %p sticks out of its slab", s->name, p);
	cr_assert(offset % s->size == 0 && offset / s->size < s->objects,
		  "%s: %p is no object", s->name, p);
	return offset;
}

#endif /* TESTS_SLAB_TEST_H */
