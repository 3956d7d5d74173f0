// SPDX-License-Identifier: MIT
/*
 * rings.c - objects handed from thread to thread around a ring, replaced as they go.
 *
 * Stands for: pipelines of stages (parse, enrich, encode, send) where each stage
 * frees what it got and passes on what it made. Every free is of another
 * thread's object, and the same sizes flow round for ever. Described: Welsh et
 * al., "SEDA: An Architecture for Well-Conditioned, Scalable Internet Services"
 * (SOSP 2001).
 */
#include "../bench.h"

#define LENGTH	256

/* From thread i to i + 1: one writer of head, one writer of tail. */
struct channel {
	_Alignas(64) atomic_ulong head;
	_Alignas(64) atomic_ulong tail;
	void *slot[LENGTH];
};

static struct channel channels[32];
static unsigned int n_threads;

static void send(struct channel *c, void *object)
{
	unsigned long head = atomic_load_explicit(&c->head, memory_order_relaxed);

	while (head - atomic_load_explicit(&c->tail, memory_order_acquire) == LENGTH)
		sched_yield();
	c->slot[head % LENGTH] = object;
	atomic_store_explicit(&c->head, head + 1, memory_order_release);
}

static void *receive(struct channel *c)
{
	unsigned long tail = atomic_load_explicit(&c->tail, memory_order_relaxed);
	void *object;

	while (atomic_load_explicit(&c->head, memory_order_acquire) == tail)
		sched_yield();
	object = c->slot[tail % LENGTH];
	atomic_store_explicit(&c->tail, tail + 1, memory_order_release);
	return object;
}

static void *stage(void *arg)
{
	struct bench_thread *t = arg;
	unsigned long steps = *(unsigned long *)t->arg, i;
	struct channel *in = &channels[t->index], *out = &channels[(t->index + 1) % n_threads];
	struct rng rng = rng_seed(50 + t->index);

	/* Half a channel's worth is under way behind each thread. */
	for (i = 0; i < LENGTH / 2; i++)
		send(out, bench_alloc(rng_power_law(&rng, 16, 2048)));
	for (i = 0; i < steps; i++) {
		bench_free(receive(in));
		send(out, bench_alloc(rng_power_law(&rng, 16, 2048)));
	}
	for (i = 0; i < LENGTH / 2; i++)
		bench_free(receive(in));
	return NULL;
}

int main(int argc, char **argv)
{
	unsigned long steps;

	n_threads = bench_threads();
	steps = bench_times(bench_scale(argc, argv), 4e6 / n_threads);
	bench_run_threads(n_threads, stage, &steps);
	return 0;
}
