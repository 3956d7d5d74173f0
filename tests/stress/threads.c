// SPDX-License-Identifier: MIT
/*
 * threads.c - threads are born and die, ten thousand of them. Each leaves objects
 * behind for others and frees what it finds; nothing belongs to a thread, so what
 * the process holds must not grow with their number.
 */
#include "stress.h"

#define TOTAL	10000
#define AT_ONCE	20
#define BOXES	1000

static void *box[BOXES];

static void *life(void *arg)
{
	uint64_t seed = (uintptr_t)arg * 2654435761UL + 1;

	for (unsigned int n = 0; n < 20; n++) {
		uint64_t r = stress_rnd(&seed);
		size_t size = stress_size(r);
		void *p = stress_stamp(MyMalloc(size), size);
		void *old = __atomic_exchange_n(&box[r % BOXES], p, __ATOMIC_ACQ_REL);

		if (!p)
			stress_fail("no memory");
		if (old) {
			stress_unstamp(old);
			MyFree(old);
		}
	}
	return NULL;
}

static unsigned long cached(void)
{
	unsigned long n = 0;

	for (unsigned int i = 0; i < KMALLOC_CLASSES; i++)
		n += magazine_cache_count(&kmalloc_caches[i]->mag) * kmalloc_caches[i]->size;
	return n;
}

int main(int argc, char **argv)
{
	unsigned long born = 0, early = 0;
	pthread_attr_t attr;
	long before, lost;

	stress_start(argc, argv);
	MyFree(MyMalloc(1));
	before = stress_live();
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 65536);
	/* All of them, or as many as four times the time allows. */
	stress_end += 3 * (stress_end - stress_now());
	while (born < TOTAL && stress_time_left()) {
		pthread_t t[AT_ONCE];

		for (unsigned long i = 0; i < AT_ONCE; i++)
			if (pthread_create(&t[i], &attr, life, (void *)(born + i)))
				return 77;
		for (int i = 0; i < AT_ONCE; i++)
			pthread_join(t[i], NULL);
		born += AT_ONCE;
		if (born == 1000)
			early = cached();
	}
	if (early && cached() > early * 2 + (1 << 20))
		stress_fail("magazines hold %lu bytes, %lu after 1000 threads", cached(), early);
	for (unsigned int i = 0; i < BOXES; i++) {
		if (box[i]) {
			stress_unstamp(box[i]);
			MyFree(box[i]);
		}
	}
	lost = stress_lost(before);
	if (lost)
		stress_fail("%ld objects are lost", lost);
	return stress_result("threads", born);
}
