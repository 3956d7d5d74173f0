// SPDX-License-Identifier: MIT
/*
 * pool_arena.c - a request's worth of small objects, then all of them freed: by arenas,
 * and object by object.
 *
 * Stands for: a web server's request, a compiler's function, a parser's document.
 * Described: Hanson, "Fast Allocation and Deallocation of Memory Based on Object
 * Lifetimes" (Software: Practice and Experience, 1990); the pools of Apache and nginx.
 *
 * Prints arena_HOW_ns, each for an object's allocation and its share of the freeing:
 * nginx and counted are mp_reset_pool() on pools of the two manners, single is mp_free()
 * on a counted one, shared the same on a pool with a lock; obstack is glibc's, apr
 * Apache's; malloc that of the allocator under test.
 */
#include "../bench.h"

#include <obstack.h>
#ifdef BENCH_APR
#include <apr_general.h>
#include <apr_pools.h>
#endif

#include <kmem/pool.h>

#define OBJECTS		200

#define obstack_chunk_alloc	malloc
#define obstack_chunk_free	free

static size_t size[OBJECTS];
static void *object[OBJECTS];

static inline void touch(void *p)
{
	*(volatile char *)bench_ptr(p) = 1;
}

/* Runs @take for each object and @end for each request; says what an object costs. */
#define MEASURE(name, take, end)						\
	do {									\
		uint64_t start = 0;						\
		for (unsigned long r = 0; r <= requests; r++) {			\
			if (r == 1)	/* the first is for warming up */	\
				start = bench_now_ns();				\
			for (int i = 0; i < OBJECTS; i++) {			\
				object[i] = (take);				\
				touch(object[i]);				\
			}							\
			end;							\
		}								\
		printf("arena_" name "_ns %.2f\n",				\
		       (double)(bench_now_ns() - start) / (double)requests / OBJECTS); \
		fflush(stdout);							\
	} while (0)

#define EACH(free_it)	for (int i = 0; i < OBJECTS; i++) (free_it)

static void measure_pool(unsigned long requests, unsigned int flags)
{
	struct mp_pool_s *pool = bench_ptr(mp_create_pool_flags(16384, flags));

	if (flags & MP_NGINX) {
		MEASURE("nginx", mp_alloc(pool, size[i]), mp_reset_pool(pool));
	} else if (flags & MP_SHARED) {
		MEASURE("shared", mp_malloc(pool, size[i]), EACH(mp_free(pool, object[i])));
	} else {
		MEASURE("counted", mp_malloc(pool, size[i]), mp_reset_pool(pool));
		MEASURE("single", mp_malloc(pool, size[i]), EACH(mp_free(pool, object[i])));
	}
	mp_destroy_pool(pool);
}

static void measure_peers(unsigned long requests)
{
	struct obstack stack;
	void *mark;

	obstack_init(&stack);
	mark = obstack_alloc(&stack, 1);
	MEASURE("obstack", obstack_alloc(&stack, size[i]),
		(obstack_free(&stack, mark), mark = obstack_alloc(&stack, 1)));
	obstack_free(&stack, NULL);
#ifdef BENCH_APR
	apr_pool_t *pool;

	if (apr_initialize() != 0 || apr_pool_create(&pool, NULL) != 0)
		exit(1);
	MEASURE("apr", apr_palloc(pool, size[i]), apr_pool_clear(pool));
	apr_pool_destroy(pool);
#endif
	MEASURE("malloc", malloc(size[i]), EACH(free(object[i])));
}

int main(int argc, char **argv)
{
	unsigned long requests = bench_times(bench_scale(argc, argv), 4e4);
	struct rng r = rng_seed(7);

	for (int i = 0; i < OBJECTS; i++)
		size[i] = rng_power_law(&r, 16, 1024);
	measure_pool(requests, MP_NGINX);
	measure_pool(requests, MP_COUNTED);
	measure_pool(requests, MP_SHARED);
	measure_peers(requests);
	return 0;
}
