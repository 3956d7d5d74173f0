// SPDX-License-Identifier: MIT
/*
 * pools.c - eight threads on one pool of each kind: an arena, a gen_pool, the region, a
 * block pool and a mempool whose allocator fails half of the time. Objects change
 * hands before they are freed, so most are freed by another thread than had them.
 */
#include "stress.h"

#include <kmem/blockpool.h>
#include <kmem/genalloc.h>
#include <kmem/mempool.h>
#include <kmem/pool.h>
#include <kmem/region.h>

#include "mm/genalloc.h"
#include "mm/pool.h"

#define THREADS		8
#define BOXES		64
#define SPACE		(256 << 10)
#define ELEMENT		200
#define RESERVE		4

enum kind { ARENA, RANGES, REGION, BLOCKS, RESERVES, KINDS };

static struct mp_pool_s *arena;
static struct gen_pool *ranges;
static struct blockpool blocks;
static mempool_t *reserves;

static void *box[KINDS][BOXES];
static unsigned long operations;

static void *half_alloc(gfp_t gfp, void *data)
{
	static unsigned int calls;

	if (__atomic_fetch_add(&calls, 1, __ATOMIC_RELAXED) & 1)
		return NULL;
	return kmalloc((size_t)data, gfp);
}

static size_t size_of(enum kind kind, uint64_t r)
{
	if (kind == BLOCKS || kind == RESERVES)
		return ELEMENT;
	if (kind == ARENA)
		return stress_size(r);
	return sizeof(struct stamp) + (r >> 8) % 3000;
}

static void *take(enum kind kind, size_t size)
{
	void *p = NULL;

	switch (kind) {
	case ARENA:
		p = mp_malloc(arena, size);
		break;
	case RANGES:
		p = (void *)gen_pool_alloc(ranges, size);
		break;
	case REGION:
		p = mmAlloc((int)size);
		break;
	case BLOCKS:
		blockpool_take(&blocks, size, &p);
		break;
	case RESERVES:
		/* Other threads' boxes may hold all there is: then this one waits for none. */
		p = mempool_alloc(reserves, GFP_NOWAIT);
		break;
	default:
		break;
	}
	return stress_stamp(p, size);
}

static void give(enum kind kind, void *p)
{
	size_t size = ((struct stamp *)p)->size;
	int error = 0;

	stress_unstamp(p);
	switch (kind) {
	case ARENA:
		mp_free(arena, p);
		break;
	case RANGES:
		gen_pool_free(ranges, (unsigned long)p, size);
		break;
	case REGION:
		error = mmFree(p);
		break;
	case BLOCKS:
		error = blockpool_free(&blocks, p);
		break;
	case RESERVES:
		mempool_free(p, reserves);
		break;
	default:
		break;
	}
	if (error)
		stress_fail("kind %d: free of %p: %d", kind, p, error);
}

static void *work(void *arg)
{
	uint64_t seed = (uint64_t)(uintptr_t)arg * 7919 + 1;
	unsigned long n = 0;

	for (; stress_running(); n++) {
		uint64_t r = stress_rnd(&seed);
		enum kind kind = (enum kind)(r % KINDS);
		unsigned int i = (unsigned int)(r >> 40) % BOXES;
		void *p = take(kind, size_of(kind, r >> 3));
		void *old = __atomic_exchange_n(&box[kind][i], p, __ATOMIC_ACQ_REL);

		if (kind == ARENA && !p)
			stress_fail("no memory");
		if (old)
			give(kind, old);
	}
	__atomic_fetch_add(&operations, n, __ATOMIC_RELAXED);
	return NULL;
}

static void check_empty(void)
{
	MEM_MANAGER m = { 0 };
	struct mp_stat s;

	for (enum kind kind = ARENA; kind < KINDS; kind++)
		for (unsigned int i = 0; i < BOXES; i++)
			if (box[kind][i])
				give(kind, box[kind][i]);
	mp_pool_stat(arena, &s);
	mmInfo(&m);
	if (s.objects || s.large || mp_validate(arena))
		stress_fail("arena: %zu objects, %zu large", s.objects, s.large);
	if (gen_pool_avail(ranges) != SPACE || gen_pool_validate(ranges))
		stress_fail("gen_pool: %zu bytes", gen_pool_avail(ranges));
	if (m.restSize != SPACE || m.MemBlockNum != 1)
		stress_fail("region: %zu bytes in %zu pieces", m.restSize, m.MemBlockNum);
	if (blocks.free_count != BOXES)
		stress_fail("block pool: %d blocks", blocks.free_count);
	if (reserves->curr_nr != RESERVE)
		stress_fail("mempool: %d in reserve", reserves->curr_nr);
}

int main(int argc, char **argv)
{
	static char space[SPACE] __attribute__((aligned(64)));
	pthread_t threads[THREADS];

	stress_start(argc, argv);
	arena = mp_create_pool_flags(8192, MP_SHARED);
	ranges = gen_pool_create(4, -1);
	/* Half of the calls fail: the reserve is filled at the second try. */
	reserves = mempool_create(0, half_alloc, mempool_kfree, (void *)ELEMENT);
	if (!arena || !ranges || !reserves ||
	    gen_pool_add(ranges, (unsigned long)space, SPACE, -1) != 0 || mmInit(SPACE) != 0 ||
	    blockpool_init_flags(&blocks, ELEMENT, BOXES, BLOCKPOOL_SHARED) != 0)
		return 1;
	for (int i = 0; i < 2 * RESERVE; i++)
		mempool_resize(reserves, RESERVE);
	while (!mempool_is_saturated(reserves))
		mempool_free(mempool_alloc(reserves, GFP_KERNEL), reserves);
	for (unsigned long i = 0; i < THREADS; i++)
		if (pthread_create(&threads[i], NULL, work, (void *)i) != 0)
			return 77;
	stress_sleep(NULL);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	check_empty();
	mempool_destroy(reserves);
	gen_pool_destroy(ranges);
	mp_destroy_pool(arena);
	if (mmDestroy() != 0 || blockpool_destroy(&blocks) != 0)
		stress_fail("region or block pool: in use");
	return stress_result("pools", operations);
}
