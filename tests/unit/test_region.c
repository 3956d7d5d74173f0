// SPDX-License-Identifier: MIT
/* Tests of mm/region.c: the process's one region, its errors, its dump, threads. */
#include "slab_test.h"

#include <errno.h>
#include <limits.h>

#include <kmem/region.h>

#include "mm/mmzone.h"

Test(region, first_fit_in_multiples_of_eight)
{
	char *a, *b, *c;

	cr_assert_eq(mmInit(1000), 0);
	a = mmAlloc(100);
	b = mmAlloc(1);
	c = mmAlloc(8);
	cr_assert(a && b && c);
	cr_expect_eq(b - a, 104);
	cr_expect_eq(c - b, 8);
	cr_expect(all_bytes(a, 120, 0), "the region is zero at first");
	cr_expect_eq(mmFree(a), 0);
	cr_expect_eq(mmAlloc(97), a);
	cr_expect_eq(mmFree(b), 0);
	cr_expect_eq(mmFree(a), 0);
	cr_expect_eq(mmAlloc(112), a, "neighbours merge");
	cr_expect_eq(mmFree(a), 0);
	cr_expect_eq(mmFree(c), 0);
	cr_expect_eq(mmAlloc(1000), a);
	cr_expect_eq(mmFree(a), 0);
	cr_expect_eq(mmDestroy(), 0);
}

Test(region, errors)
{
	char *p, *q;

	errno = 0;
	cr_expect(mmAlloc(8) == NULL && errno == ENXIO);
	cr_expect(mmFree(&p) == -1 && errno == ENXIO);
	cr_expect(mmDestroy() == DESTROY_FAIL && errno == ENXIO);
	cr_expect(mmInit(0) == -1 && errno == EINVAL);
	cr_expect(mmInit(-5) == -1 && errno == EINVAL);
	cr_assert_eq(mmInit(1001), 0);
	cr_expect(mmInit(1000) == -1 && errno == EEXIST);
	cr_expect(mmAlloc(0) == NULL && errno == EINVAL);
	cr_expect(mmAlloc(-1) == NULL && errno == EINVAL);
	cr_expect(mmAlloc(INT_MAX) == NULL && errno == ENOMEM);
	p = mmAlloc(1008);
	cr_assert_not_null(p);
	cr_expect(mmAlloc(1) == NULL && errno == ENOMEM);
	cr_expect(mmFree(NULL) == -1 && errno == EINVAL);
	cr_expect(mmFree(p + 8) == -1 && errno == EINVAL);
	cr_expect(mmFree(p + 1) == -1 && errno == EINVAL);
	cr_expect(mmFree(p - 8) == -1 && errno == EINVAL);
	cr_expect(mmFree(p + 1008) == -1 && errno == EINVAL);
	cr_expect(mmFree(&q) == -1 && errno == EINVAL);
	cr_expect(mmDestroy() == -1 && errno == EBUSY);
	cr_expect_eq(mmFree(p), 0);
	cr_expect(mmFree(p) == -1 && errno == EINVAL);
	cr_expect_eq(mmDestroy(), 0);
	cr_expect(mmAlloc(8) == NULL && errno == ENXIO);
	cr_expect(mmFree(p) == -1 && errno == ENXIO);
	cr_expect(mmInfo(NULL) == -1 && errno == ENXIO);
	cr_expect(mmDump() == -1);
	/* And again. */
	cr_expect_eq(mmInit(16), 0);
	cr_expect_eq(mmDestroy(), 0);
}

Test(region, no_memory)
{
	cr_assert_eq(mmInit(16), 0);
	cr_assert_eq(mmDestroy(), 0);
	fault_every_call(true);
	cr_expect(mmInit(INT_MAX) == -1 && errno == ENOMEM);
	fault_every_call(false);
	cr_expect_eq(mmInit(INT_MAX), 0);
	cr_expect_neq(mmAlloc(INT_MAX), NULL);
}

Test(region, every_block_is_listed)
{
	MAN_CTRL_BLK b = { NULL, FREE, 0 };
	MEM_MANAGER m;
	char *p[5], *at;
	size_t sum = 0;
	int n = 0;

	cr_assert_eq(mmInit(1000), 0);
	for (int i = 0; i < 5; i++)
		p[i] = mmAlloc(100);
	cr_assert_eq(mmFree(p[1]), 0);
	cr_assert_eq(mmFree(p[3]), 0);
	cr_assert_eq(mmInfo(&m), 0);
	cr_expect_eq(m.userStartAddress, p[0]);
	cr_expect_eq(m.userMemorySize, 1000);
	cr_expect_eq(m.restSize, 1000 - 3 * 104);
	cr_expect_eq(m.useBlockNum, 3);
	cr_expect_eq(m.MemBlockNum, 6);
	at = p[0];
	while (mmNextBlock(&b) == 0) {
		cr_expect_eq(b.blockStartAddress, at);
		cr_expect_eq(b.blockValid, n == 1 || n == 3 || n == 5 ? FREE : USE);
		at += b.memorySize;
		sum += b.memorySize;
		n++;
	}
	cr_expect_eq(errno, 0);
	cr_expect_eq(n, 6);
	cr_expect_eq(sum, 1000);
	cr_expect_eq(mmDump(), 0);
}

#define MODEL	512

/* Against a list of blocks: no overlap, right size, content kept, first fit. */
Test(region, agrees_with_a_model, .timeout = 60)
{
	static struct { char *p; int size; } block[MODEL];
	u64 seed = 99;

	cr_assert_eq(mmInit(60000), 0);
	for (int i = 0; i < 60000; i++) {
		unsigned int k = rnd(&seed) % MODEL;

		if (block[k].p) {
			cr_assert(filled(block[k].p, (size_t)block[k].size, (unsigned char)k));
			if (i % 3 == 0)
				cr_assert_eq(mmFree(block[k].p + 8), -1);
			cr_assert_eq(mmFree(block[k].p), 0);
			block[k].p = NULL;
		} else {
			block[k].size = 9 + (int)(rnd(&seed) % 300);
			block[k].p = mmAlloc(block[k].size);
			if (block[k].p)
				fill(block[k].p, (size_t)block[k].size, (unsigned char)k);
		}
	}
	for (unsigned int k = 0; k < MODEL; k++)
		cr_assert(!block[k].p || mmFree(block[k].p) == 0);
	cr_expect_eq(mmDestroy(), 0);
}

/* While the region comes and goes, whoever uses it gets blocks or errors, no more. */
static int rounds_left = 300;

static void *use_region(void *arg)
{
	u64 seed = (u64)(unsigned long)arg + 5;

	while (__atomic_load_n(&rounds_left, __ATOMIC_RELAXED) > 0) {
		int size = 1 + (int)(rnd(&seed) % 500);
		char *p = mmAlloc(size);

		if (!p) {
			if (errno != ENOMEM && errno != ENXIO)
				return (void *)1;
			sched_yield();
			continue;
		}
		fill(p, (size_t)size, (unsigned char)(unsigned long)arg);
		if (!filled(p, (size_t)size, (unsigned char)(unsigned long)arg) || mmFree(p) != 0)
			return (void *)2;
	}
	return NULL;
}

static void *make_and_destroy(void *arg)
{
	(void)arg;
	while (__atomic_fetch_sub(&rounds_left, 1, __ATOMIC_RELAXED) > 0) {
		if (mmInit(4000) != 0 && errno != EEXIST)
			return (void *)3;
		sched_yield();
		if (mmDestroy() != 0 && errno != EBUSY && errno != ENXIO)
			return (void *)4;
	}
	return NULL;
}

Test(region, eight_threads, .timeout = 120)
{
	pthread_t threads[8];
	void *wrong;

	for (unsigned long i = 0; i < 8; i++)
		cr_assert_eq(pthread_create(&threads[i], NULL,
					    i < 2 ? make_and_destroy : use_region, (void *)i), 0);
	for (int i = 0; i < 8; i++) {
		pthread_join(threads[i], &wrong);
		cr_expect_null(wrong, "thread %d: %p", i, wrong);
	}
	cr_expect(mmDestroy() == 0 || errno == ENXIO);
	cr_expect_eq(zones_validate(), 0);
}

/* Every other one of a million blocks freed, and what follows still costs nothing. */
Test(region, a_million_blocks, .timeout = 60)
{
	enum { N = 1000000 };
	char *first, *p;

	cr_assert_eq(mmInit(N * 16 + 64), 0);
	first = mmAlloc(16);
	for (int i = 1; i < N; i++)
		cr_assert_eq(mmAlloc(16), first + 16 * i);
	for (int i = 0; i < N; i += 2)
		cr_assert_eq(mmFree(first + 16 * i), 0);
	for (int i = 0; i < 1000; i++) {
		p = mmAlloc(24);
		cr_assert_eq(p, first + 16 * N);
		cr_assert_eq(mmFree(p), 0);
	}
	for (int i = 1; i < N; i += 2)
		cr_assert_eq(mmFree(first + 16 * i), 0);
	cr_expect_eq(mmDestroy(), 0);
}
