// SPDX-License-Identifier: MIT
/*
 * larson.c - a server: each request replaces objects, and threads hand their objects on.
 *
 * Stands for: servers whose worker threads come and go while the data live on,
 * so that in the long run most frees are of objects that another thread took.
 * Described: Larson and Krishnan, "Memory Allocation for Long-Running Server
 * Applications" (ISMM 1998): a thread replaces random objects of an array,
 * and after a number of rounds leaves the array to a thread that it starts.
 */
#include "../bench.h"

#define OBJECTS		1000
#define GENERATIONS	40

struct session {
	void *objects[OBJECTS];
	unsigned long steps;
	unsigned int generation;
	struct rng rng;
};

static struct session sessions[32];
static atomic_uint running;

static void *serve(void *arg)
{
	struct session *s = arg;
	pthread_attr_t attr;
	unsigned long i;
	pthread_t heir;

	for (i = 0; i < s->steps; i++) {
		void **slot = &s->objects[rng_below(&s->rng, OBJECTS)];

		bench_free(*slot);
		*slot = bench_alloc(8 + rng_below(&s->rng, 505));
	}
	if (++s->generation < GENERATIONS) {
		pthread_attr_init(&attr);
		pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
		if (pthread_create(&heir, &attr, serve, s) != 0)
			exit(1);
		pthread_attr_destroy(&attr);
	} else {
		atomic_fetch_sub(&running, 1);
	}
	return NULL;
}

int main(int argc, char **argv)
{
	unsigned long steps = bench_times(bench_scale(argc, argv), 1.6e7 / GENERATIONS);
	unsigned int n = bench_threads(), i;
	pthread_t first;

	atomic_store(&running, n);
	for (i = 0; i < n; i++) {
		sessions[i].steps = steps / n;
		sessions[i].rng = rng_seed(20 + i);
		if (pthread_create(&first, NULL, serve, &sessions[i]) != 0)
			return 1;
		pthread_detach(first);
	}
	while (atomic_load(&running))
		bench_sleep_ms(2);
	return 0;
}
