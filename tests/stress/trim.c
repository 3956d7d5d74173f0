// SPDX-License-Identifier: MIT
/*
 * trim.c - what malloc_trim and the reclaimer do, without pause, while threads
 * work: magazines are taken from under them, slabs released, pages purged. In
 * waves the threads free everything, so that there is much to give back.
 */
#include "stress.h"

#include "mm/init.h"

#define THREADS	6
#define LIVE	2000

static unsigned long operations, trims;
static unsigned int wave;	/* odd: the threads hold little */

static void release(void **p)
{
	if (*p) {
		stress_unstamp(*p);
		MyFree(*p);
		*p = NULL;
	}
}

static void *work(void *arg)
{
	uint64_t seed = (uintptr_t)arg * 31 + 5;
	void **live = MyCalloc(LIVE, sizeof(*live));
	unsigned int seen = 0;
	unsigned long n = 0;

	for (; stress_running(); n++) {
		uint64_t r = stress_rnd(&seed);
		unsigned int now = __atomic_load_n(&wave, __ATOMIC_RELAXED);
		unsigned int i = (unsigned int)(r >> 32) % (now & 1 ? 16 : LIVE);
		size_t size = stress_size(r);

		if (now != seen) {
			seen = now;
			for (unsigned int j = 0; j < LIVE; j++)
				release(&live[j]);
		}
		release(&live[i]);
		live[i] = stress_stamp(MyMalloc(size), size);
		if (!live[i])
			stress_fail("no memory");
	}
	for (unsigned int j = 0; j < LIVE; j++)
		release(&live[j]);
	MyFree(live);
	__atomic_fetch_add(&operations, n, __ATOMIC_RELAXED);
	return NULL;
}

static void *trim(void *arg)
{
	while (stress_running()) {
		switch (__atomic_fetch_add(&trims, 1, __ATOMIC_RELAXED) % 4) {
		case 0:
			vmscan_trim();
			break;
		case 1:
			slab_reclaim_idle(true);
			break;
		case 2:
			zones_purge(0, 1000);
			break;
		default:
			page_alloc_drain();
			break;
		}
	}
	return arg;
}

static void tick(unsigned int n)
{
	if (n % 128 == 127)
		__atomic_fetch_add(&wave, 1, __ATOMIC_RELAXED);
	if (n % 256 == 255)
		stress_validate_caches();
}

int main(int argc, char **argv)
{
	pthread_t t[THREADS + 2];
	long before, lost;

	stress_start(argc, argv);
	MyFree(MyMalloc(1));
	before = stress_live();
	for (unsigned long i = 0; i < THREADS + 2; i++)
		if (pthread_create(&t[i], NULL, i < THREADS ? work : trim, (void *)i))
			return 2;
	stress_sleep(tick);
	for (int i = 0; i < THREADS + 2; i++)
		pthread_join(t[i], NULL);
	vmscan_trim();
	lost = stress_lost(before);
	if (lost)
		stress_fail("%ld objects are lost", lost);
	if (zones_dirty_free() > 1024)
		stress_fail("%lu free pages are still dirty after a trim", zones_dirty_free());
	printf("%lu trims; ", trims);
	return stress_result("trim", operations);
}
