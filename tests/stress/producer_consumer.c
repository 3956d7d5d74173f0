// SPDX-License-Identifier: MIT
/*
 * producer_consumer.c - four pairs of threads: one only takes, the other only
 * frees. The magazines of one fill while those of the other run dry; all goes
 * through the depot and the slabs. Objects come out of a ring in the order in
 * which they went in, each whole; memory stays bounded.
 */
#include "stress.h"

#define PAIRS	4
#define RING	1024

struct ring {
	void *slot[RING];
	unsigned long head __attribute__((aligned(64)));	/* the producer's */
	unsigned long tail __attribute__((aligned(64)));	/* the consumer's */
	size_t size;
	bool done;
};

static struct ring rings[PAIRS];
static unsigned long most_slabs;

static void *produce(void *arg)
{
	struct ring *r = arg;
	uint64_t seed = (uintptr_t)arg;

	while (stress_running()) {
		unsigned long head = r->head;
		struct stamp *s;
		size_t size = r->size ? r->size : stress_size(stress_rnd(&seed));

		if (head - __atomic_load_n(&r->tail, __ATOMIC_ACQUIRE) == RING) {
			sched_yield();
			continue;
		}
		size += sizeof(unsigned long);
		s = stress_stamp(MyMalloc(size), size);
		if (!s) {
			stress_fail("no memory");
			continue;
		}
		r->slot[head % RING] = s;
		__atomic_store_n(&r->head, head + 1, __ATOMIC_RELEASE);
	}
	__atomic_store_n(&r->done, true, __ATOMIC_RELEASE);
	return NULL;
}

static void *consume(void *arg)
{
	struct ring *r = arg;

	for (;;) {
		bool done = __atomic_load_n(&r->done, __ATOMIC_ACQUIRE);
		unsigned long tail = r->tail;

		if (tail == __atomic_load_n(&r->head, __ATOMIC_ACQUIRE)) {
			if (done)
				return NULL;
			sched_yield();
			continue;
		}
		stress_unstamp(r->slot[tail % RING]);
		MyFree(r->slot[tail % RING]);
		__atomic_store_n(&r->tail, tail + 1, __ATOMIC_RELEASE);
	}
}

static void tick(unsigned int n)
{
	unsigned long slabs = 0;

	(void)n;
	for (unsigned int i = 0; i < KMALLOC_CLASSES; i++)
		slabs += READ_ONCE(kmalloc_caches[i]->node.nr_slabs) << kmalloc_caches[i]->order;
	if (slabs > most_slabs)
		most_slabs = slabs;
}

int main(int argc, char **argv)
{
	static const size_t sizes[PAIRS] = { 32, 200, 1500, 0 };
	pthread_t t[2 * PAIRS];
	unsigned long operations = 0;
	long before, lost;

	stress_start(argc, argv);
	MyFree(MyMalloc(1));
	before = stress_live();
	for (int i = 0; i < PAIRS; i++) {
		rings[i].size = sizes[i];
		if (pthread_create(&t[2 * i], NULL, produce, &rings[i]) ||
		    pthread_create(&t[2 * i + 1], NULL, consume, &rings[i]))
			return 2;
	}
	stress_sleep(tick);
	for (int i = 0; i < 2 * PAIRS; i++)
		pthread_join(t[i], NULL);
	for (int i = 0; i < PAIRS; i++)
		operations += rings[i].head;
	lost = stress_lost(before);
	if (lost)
		stress_fail("%ld objects are lost", lost);
	/* 4 rings of 1024 objects, 4 KiB on average at most, and as much again. */
	if (most_slabs > 64UL << 20 >> PAGE_SHIFT)
		stress_fail("slabs of %lu KiB", most_slabs * 4);
	return stress_result("producer_consumer", operations);
}
