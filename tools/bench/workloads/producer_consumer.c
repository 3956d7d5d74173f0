// SPDX-License-Identifier: MIT
/*
 * producer_consumer.c - one side only allocates, the other only frees.
 *
 * Stands for: a reader thread that makes messages and workers that dispose of them,
 * logging, work queues. A thread's cache fills on one side and runs dry on the
 * other. Described: xmalloc-test, Lever and Boreham, "malloc() Performance in a
 * Multithreaded Linux Environment" (USENIX 2000); here half of the threads
 * produce, and batches of 120 objects go through one queue of bounded length.
 */
#include "../bench.h"

#define BATCH	120
#define LENGTH	64

struct batch {
	void *object[BATCH];
};

static struct batch *queue[LENGTH];
static unsigned int head, tail;		/* lock; head - tail batches are in the queue */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t filled = PTHREAD_COND_INITIALIZER;
static pthread_cond_t emptied = PTHREAD_COND_INITIALIZER;

static void put(struct batch *b)
{
	pthread_mutex_lock(&lock);
	while (head - tail == LENGTH)
		pthread_cond_wait(&emptied, &lock);
	queue[head++ % LENGTH] = b;
	pthread_cond_signal(&filled);
	pthread_mutex_unlock(&lock);
}

static struct batch *get(void)
{
	struct batch *b;

	pthread_mutex_lock(&lock);
	while (head == tail)
		pthread_cond_wait(&filled, &lock);
	b = queue[tail++ % LENGTH];
	pthread_cond_signal(&emptied);
	pthread_mutex_unlock(&lock);
	return b;
}

static void produce(unsigned long batches, struct rng *rng)
{
	struct batch *b;
	unsigned int i;

	for (; batches > 0; batches--) {
		b = bench_ptr(malloc(sizeof(*b)));
		for (i = 0; i < BATCH; i++)
			b->object[i] = bench_alloc(rng_power_law(rng, 16, 1024));
		put(b);
	}
}

static void consume(unsigned long batches)
{
	struct batch *b;
	unsigned int i;

	for (; batches > 0; batches--) {
		b = get();
		for (i = 0; i < BATCH; i++)
			bench_free(b->object[i]);
		free(b);
	}
}

static void *worker(void *arg)
{
	struct bench_thread *t = arg;
	unsigned long batches = *(unsigned long *)t->arg;
	struct rng rng = rng_seed(30 + t->index);

	if (t->index % 2 == 0)
		produce(batches, &rng);
	else
		consume(batches);
	return NULL;
}

int main(int argc, char **argv)
{
	unsigned int n = bench_threads() & ~1u;
	unsigned long batches = bench_times(bench_scale(argc, argv), 160000.0 / n);

	bench_run_threads(n, worker, &batches);
	return 0;
}
