// SPDX-License-Identifier: MIT
/* Tests of mm/memblock.c: alignment, zeroes, reuse, overlap, threads, refusals. */
#include <pthread.h>
#include <sys/mman.h>

#include "capture.h"
#include "mm/host/host.h"
#include "mm/memblock.h"

#define CHUNK	65536

static bool all_zero(const char *p, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (p[i])
			return false;
	return true;
}

static size_t alignment_of(size_t size)
{
	return size <= 8320 ? 64 : 4096;
}

Test(memblock, aligned_to_a_line_and_zero)
{
	static const size_t sizes[] = { 0, 1, 8, 63, 64, 65, 128, 129, 500, 512, 1000, 2048,
					2049, 4095, 4096, 4097, 8256, 8320, 8321, 65536, 1 << 20 };

	for (int round = 0; round < 4; round++) {
		for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
			char *p = memblock_alloc(sizes[i]);

			cr_assert_not_null(p);
			cr_assert(IS_ALIGNED((uintptr_t)p, alignment_of(sizes[i])),
				  "%zu bytes at %p", sizes[i], (void *)p);
			cr_assert(all_zero(p, sizes[i]));
			memset(p, 0xaa, sizes[i]);
			if (round % 2)
				memblock_free(p, sizes[i]);
		}
	}
}

Test(memblock, freed_blocks_are_reused_and_zero_again)
{
	char *p = memblock_alloc(200), *q;

	memset(p, 0xff, 256);
	memblock_free(p, 200);
	q = memblock_alloc(193);
	cr_assert_eq(q, p);
	cr_assert(all_zero(q, 256));
	memblock_free(NULL, 100);
}

/* The end of a chunk that is too short for a request is there for a smaller one. */
Test(memblock, chunks_have_no_waste)
{
	size_t used = 2 * 64, before;	/* with the chunk's record */
	char *p = memblock_alloc(64), *q;

	cr_assert_not_null(p);
	before = memblock_total();
	while (CHUNK - used >= 1088) {
		q = memblock_alloc(1088);
		cr_assert_not_null(q);
		used += 1088;
		cr_assert_eq(q, p - 64 + used - 1088);
	}
	cr_assert_eq(memblock_total(), before);
	cr_assert_not_null(memblock_alloc(1088));
	cr_assert_eq(memblock_total(), before + CHUNK);
	cr_assert_lt(CHUNK - used, 1088);
	cr_assert_eq(memblock_alloc(CHUNK - used), p - 64 + used);
	cr_assert_eq(memblock_total(), before + CHUNK);
}

Test(memblock, large_blocks_come_and_go)
{
	size_t before;
	char *p = memblock_alloc(64);	/* the first chunk, for the record of the large one */

	cr_assert_not_null(p);
	before = memblock_total();
	p = memblock_alloc(100000);
	cr_assert_not_null(p);
	cr_assert_eq(memblock_total(), before + 102400);
	p[99999] = 1;
	memblock_free(p, 100000);
	cr_assert_eq(memblock_total(), before);
	cr_assert_eq(msync(p, 4096, MS_ASYNC), -1, "still mapped");
	cr_assert_null(memblock_alloc(SIZE_MAX));
	cr_assert_null(memblock_alloc(SIZE_MAX - 4096));
}

Test(memblock, little_is_resident_at_first)
{
	static unsigned char vec[CHUNK / 4096];
	unsigned int resident = 0;
	char *p = memblock_alloc(64);

	cr_assert_leq(memblock_total(), 2 * CHUNK);
	/* The first block of a fresh chunk stands behind the chunk's record. */
	p -= 64;
	cr_assert(IS_ALIGNED((uintptr_t)p, 4096));
	if (mincore(p, CHUNK, vec) == 0) {
		for (size_t i = 0; i < sizeof(vec); i++)
			resident += vec[i] & 1;
		cr_assert_leq(resident, 1);
	}
}

Test(memblock, strdup)
{
	char long_name[200];
	char *s;

	memset(long_name, 'n', sizeof(long_name));
	long_name[199] = '\0';
	s = memblock_strdup("kmalloc-64");
	cr_assert_str_eq(s, "kmalloc-64");
	cr_assert_str_eq(memblock_strdup(""), "");
	cr_assert_str_eq(memblock_strdup(long_name), long_name);
	memblock_free(s, strlen(s) + 1);
}

/* slabinfo's view: the records cover just what is counted, and do not overlap. */
static void assert_records(void)
{
	size_t sum = 0;

	for (struct memblock_chunk *c = memblock_chunks; c; c = c->next) {
		sum += c->size;
		for (struct memblock_chunk *d = c->next; d; d = d->next)
			cr_assert((char *)c->addr + c->size <= (char *)d->addr ||
				  (char *)d->addr + d->size <= (char *)c->addr);
	}
	cr_assert_eq(sum, memblock_total());
}

Test(memblock, every_mapping_is_on_record)
{
	void *large[5];

	for (int i = 0; i < 100; i++)
		cr_assert_not_null(memblock_alloc(3000));
	assert_records();
	for (int i = 0; i < 5; i++)
		large[i] = memblock_alloc(5000 * (i + 1));
	assert_records();
	for (int i = 0; i < 5; i++) {
		memblock_free(large[i * 2 % 5], 5000 * (i * 2 % 5 + 1));
		assert_records();
	}
}

static bool no_map(enum host_call call)
{
	return call == HOST_MAP;
}

Test(memblock, refusals_are_null_and_leave_nothing)
{
	size_t before = memblock_total();
	unsigned int n = 0;

	host_fault = no_map;
	cr_assert_null(memblock_alloc(8321));
	cr_assert_null(memblock_alloc(1 << 20));
	while (memblock_alloc(4096))
		n++;
	cr_assert_null(memblock_strdup("name"));
	cr_assert_leq(n, before / 4096);
	cr_assert_eq(memblock_total(), before);

	host_fault = NULL;
	cr_assert_not_null(memblock_alloc(4096));
	cr_assert_not_null(memblock_strdup("name"));
}

/* ---- threads ---------------------------------------------------------------- */

#define NR_THREADS	4
#define NR_BLOCKS	256
#define ROUNDS		40

/* Writes its mark all over its blocks; nobody else may have written there. */
static void *churn(void *arg)
{
	unsigned long seed = (unsigned long)arg * 2654435761UL + 1;
	struct { char *p; size_t size; } block[NR_BLOCKS] = { 0 };

	for (int i = 0; i < ROUNDS * NR_BLOCKS; i++) {
		unsigned int n = (seed = seed * 6364136223846793005UL + 1442695040888963407UL) >> 33;
		char **p = &block[n % NR_BLOCKS].p;
		size_t *size = &block[n % NR_BLOCKS].size;

		if (*p) {
			for (size_t b = 0; b < *size; b++)
				if ((*p)[b] != (char)(long)arg)
					return (void *)1;
			memblock_free(*p, *size);
			*p = NULL;
		} else {
			*size = 1 + n / NR_BLOCKS % 1500;
			*p = memblock_alloc(*size);
			if (!*p || !all_zero(*p, *size))
				return (void *)2;
			memset(*p, (int)(long)arg, *size);
		}
	}
	return NULL;
}

Test(memblock, threads_never_share_a_block, .timeout = 60)
{
	pthread_t threads[NR_THREADS];
	void *failed;

	for (long i = 0; i < NR_THREADS; i++)
		cr_assert_eq(pthread_create(&threads[i], NULL, churn, (void *)(i + 1)), 0);
	for (int i = 0; i < NR_THREADS; i++) {
		pthread_join(threads[i], &failed);
		cr_assert_null(failed, "%s", failed == (void *)1 ? "overwritten" : "not zero");
	}
}

Test(memblock, fork_lock_keeps_others_out)
{
	memblock_fork_lock();
	memblock_fork_unlock();
	cr_assert_not_null(memblock_alloc(64));
}

/* ---- misuse ------------------------------------------------------------------- */

static void free_misaligned(void)
{
	char *p = memblock_alloc(256);

	memblock_free(p + 32, 256);
}

static void free_large_misaligned(void)
{
	char *p = memblock_alloc(10000);

	memblock_free(p + 64, 10000);
}

static void free_twice(void)
{
	char *p = memblock_alloc(256);

	memblock_free(p, 256);
	memblock_free(p, 256);
}

Test(memblock, misuse_stops)
{
	assert_aborts(free_misaligned, "kmem: BUG: !IS_ALIGNED((uintptr_t)p, LINE)");
	assert_aborts(free_large_misaligned, "kmem: BUG: !IS_ALIGNED((uintptr_t)p, PIECE)");
	assert_aborts(free_twice, "kmem: BUG: arena.free[class] == p");
}
