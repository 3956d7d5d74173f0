/* SPDX-License-Identifier: MIT */
/*
 * stress.h - what the stress programs share: how long to run, random numbers,
 * objects that know their own address and size, and counting what went wrong.
 *
 * A stress program runs for about three seconds: its first argument, or else
 * KMEM_STRESS_SECONDS, says otherwise, and KMEM_STRESS_SHORT=1 makes it half a
 * second. It ends with one line and status 0 or 1; 77 says that the machine lacks
 * what it needs. All are linked with the static library, and run under the
 * sanitizers, too, which do not see the library's objects: the patterns here do.
 */
#ifndef TESTS_STRESS_H
#define TESTS_STRESS_H

#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <kmem/malloc.h>
#include <kmem/slab.h>

#include "mm/mmzone.h"
#include "mm/percpu.h"
#include "mm/slab.h"

static unsigned long stress_errors;

/* Says the first few, counts all. Allocates nothing of ours. */
static inline void stress_fail(const char *fmt, ...)
{
	char text[256];
	va_list ap;
	int n;

	if (__atomic_fetch_add(&stress_errors, 1, __ATOMIC_RELAXED) >= 10)
		return;
	va_start(ap, fmt);
	n = vsnprintf(text, sizeof(text) - 1, fmt, ap);
	va_end(ap);
	if (n > (int)sizeof(text) - 2)
		n = sizeof(text) - 2;
	text[n] = '\n';
	if (write(2, text, (size_t)n + 1) < 0)
		_exit(3);
}

/* ---- time ------------------------------------------------------------------------- */

static inline double stress_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static double stress_end;
static bool stress_over;	/* written by the main thread */

/* Sets the clock; a program that hangs is killed long after its time. */
static inline void stress_start(int argc, char **argv)
{
	const char *text = argc > 1 ? argv[1] : getenv("KMEM_STRESS_SECONDS");
	double seconds = text ? atof(text) : 3;

	if (!text && getenv("KMEM_STRESS_SHORT"))
		seconds = 0.5;
	stress_end = stress_now() + seconds;
	alarm((unsigned int)(seconds * 20) + 120);
}

static inline bool stress_time_left(void)
{
	return stress_now() < stress_end;
}

/* Waits until the time is over, then tells the threads. */
static inline void stress_sleep(void (*tick)(unsigned int n))
{
	for (unsigned int n = 0; stress_time_left(); n++) {
		if (tick)
			tick(n);
		usleep(1000);
	}
	__atomic_store_n(&stress_over, true, __ATOMIC_RELAXED);
}

static inline bool stress_running(void)
{
	return !__atomic_load_n(&stress_over, __ATOMIC_RELAXED);
}

/* ---- random numbers ------------------------------------------------------------------ */

static inline uint64_t stress_rnd(uint64_t *state)
{
	uint64_t x = *state;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	return *state = x;
}

/* ---- objects that can tell whether they are whole -------------------------------------- */

struct stamp {
	uintptr_t self;		/* its own address, turned; 0 once it has been freed */
	size_t size;		/* of all of it, at least sizeof(struct stamp) */
	unsigned char body[];
};

#define STAMP(p)	((uintptr_t)(p) * 0x9e3779b97f4a7c15UL | 1)

static inline void *stress_stamp(void *object, size_t size)
{
	struct stamp *s = object;

	if (!s)
		return NULL;
	s->self = STAMP(s);
	s->size = size;
	memset(s->body, (int)(s->self >> 8 & 255), size - sizeof(*s));
	return s;
}

/* Right before it is freed: is it what was stamped, and nobody else's meanwhile? */
static inline void stress_unstamp(void *object)
{
	struct stamp *s = object;

	if (s->self != STAMP(s)) {
		stress_fail("%p: not stamped: %lx", object, (unsigned long)s->self);
		return;
	}
	for (size_t i = 0; i < s->size - sizeof(*s); i++) {
		if (s->body[i] != (s->self >> 8 & 255)) {
			stress_fail("%p: byte %zu of %zu is %02x", object, i, s->size, s->body[i]);
			break;
		}
	}
	s->self = 0;
}

static inline size_t stress_size(uint64_t r)
{
	/* Mostly small, some of a few KiB, a large one now and then. */
	size_t most = r % 64 == 0 ? 100000 : r % 8 == 0 ? 4000 : 300;

	return sizeof(struct stamp) + (r >> 8) % most;
}

/* ---- the end ------------------------------------------------------------------------------ */

/*
 * What may be checked while other threads work, or in a child whose parent's
 * threads were at work: the caches. The marks of pages in use are their owners'.
 */
static inline void stress_validate_caches(void)
{
	long errors = 0;

	for (unsigned int i = 0; i < KMALLOC_CLASSES; i++)
		if (kmalloc_caches[i])
			errors += validate_slab_cache(kmalloc_caches[i]);
	if (errors)
		stress_fail("validation of caches: %ld errors", errors);
}

/* All, when nobody else uses the heap. */
static inline void stress_validate(void)
{
	stress_validate_caches();
	if (zones_validate())
		stress_fail("validation of zones failed");
}

/* Objects of the kmalloc caches that the program holds. */
static inline long stress_live(void)
{
	long n = 0;

	for (unsigned int i = 0; i < KMALLOC_CLASSES; i++)
		n += (long)READ_ONCE(kmalloc_caches[i]->node.nr_inuse) -
		     (long)magazine_cache_count(&kmalloc_caches[i]->mag);
	return n;
}

/*
 * How many more they are than @before. The reclaimer may be carrying some from a magazine
 * to their slab, where neither count is right: what is lost stays so.
 */
static inline long stress_lost(long before)
{
	const struct timespec pause = { .tv_nsec = 10000000 };
	long lost = stress_live() - before;

	for (int i = 0; lost && i < 100; i++) {
		nanosleep(&pause, NULL);
		lost = stress_live() - before;
	}
	return lost;
}

static inline int stress_result(const char *name, unsigned long operations)
{
	stress_validate();
	printf("%s (%s): %lu operations, %lu errors\n", name,
	       percpu.mode == PERCPU_RSEQ ? "rseq" : "fallback", operations, stress_errors);
	return stress_errors != 0;
}

#endif /* TESTS_STRESS_H */
