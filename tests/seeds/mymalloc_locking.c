// SPDX-License-Identifier: MIT
/*
 * mymalloc_locking.c - "several threads allocate and free at once; the lock is not to be
 * around every malloc and free". One thread sits on the lock of one size's slabs
 * and does not let go. Eight others allocate and free all other sizes, a thousand
 * objects deep, and that very size as long as their CPU has objects of it at hand;
 * none of them may have to wait for the first.
 */
#include "mymalloc.h"

#define THREADS	8
#define DEEP	1000

static unsigned long wrong;
static pthread_barrier_t lock_is_held;

static void use_size(size_t size, unsigned long seed)
{
	char *p[DEEP];

	for (int i = 0; i < DEEP; i++) {
		p[i] = MyMalloc(size);
		if (p[i])
			memset(p[i], (int)(seed + (unsigned long)i), size);
	}
	for (int i = 0; i < DEEP; i++) {
		if (!p[i] || p[i][0] != (char)(seed + (unsigned long)i) ||
		    p[i][size - 1] != (char)(seed + (unsigned long)i))
			__atomic_fetch_add(&wrong, 1, __ATOMIC_RELAXED);
		MyFree(p[i]);
	}
}

static void *worker(void *arg)
{
	pthread_barrier_wait(&lock_is_held);
	for (size_t size = 16; size < 4000; size += 48)
		if (kmalloc_index(size) != kmalloc_index(200))
			use_size(size, (unsigned long)arg);
	return NULL;
}

int main(void)
{
	pthread_t threads[THREADS];
	struct kmem_lock *held;
	cpu_set_t one;

	pthread_barrier_init(&lock_is_held, NULL, THREADS + 1);
	for (unsigned long i = 0; i < THREADS; i++)
		if (pthread_create(&threads[i], NULL, worker, (void *)i) != 0)
			return 1;
	/* From here on this thread stays where it has an object at hand. */
	CPU_ZERO(&one);
	CPU_SET(sched_getcpu(), &one);
	if (sched_setaffinity(0, sizeof(one), &one) != 0)
		return 1;
	MyFree(MyMalloc(200));
	held = &kmalloc_caches[kmalloc_index(200)]->node.lock;
	lock(held);
	pthread_barrier_wait(&lock_is_held);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	CHECK(wrong == 0, "eight threads get on while one size's lock is held");
	alarm(60);		/* the next two lines would wait for ever */
	MyFree(MyMalloc(200));
	CHECK(held->word != 0, "and so does that size, from what the CPU has at hand");
	unlock(held);
	return 0;
}
