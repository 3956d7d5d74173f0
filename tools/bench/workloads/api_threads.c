// SPDX-License-Identifier: MIT
/*
 * api_threads.c - cost of an alloc and a free against the number of threads, and of CPUs.
 *
 * Stands for: one cache used by a whole program. Described: Bonwick and Adams,
 * "Magazines and Vmem" (USENIX 2001), whose figures are rates against CPUs.
 *
 * All threads use one cache of objects of 64 bytes, each replaces random ones
 * of its own 64. Prints threads_N_ns, N = 1, 4 ... 256 on all CPUs, and cpus_N_ns
 * with N threads, each bound to a CPU of its own, N = 1, 2, 4 ... up to 16 or as
 * many as there are. Both are CPU time for an operation, without that of the
 * threads' births and deaths: flat is ideal.
 */
#include "../objcache.h"

#define SLOTS	64

struct job {
	objcache_t cache;
	unsigned long ops;		/* for each thread */
	bool bound;
	atomic_ulong cpu_ns;		/* that the operations took */
};

/* Bound to the @n-th of the CPUs that the process may use. */
static void bind_to(unsigned int n)
{
	cpu_set_t may, set;
	int cpu;

	sched_getaffinity(0, sizeof(may), &may);
	for (cpu = 0; cpu < CPU_SETSIZE; cpu++)
		if (CPU_ISSET(cpu, &may) && n-- == 0)
			break;
	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	sched_setaffinity(0, sizeof(set), &set);
}

static uint64_t cpu_time_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void *worker(void *arg)
{
	struct bench_thread *t = arg;
	struct job *job = t->arg;
	struct rng rng = rng_seed(130 + t->index);
	void *slots[SLOTS] = { NULL };
	uint64_t start;
	unsigned long i;

	if (job->bound)
		bind_to(t->index);
	start = cpu_time_ns();
	for (i = 0; i < job->ops; i++) {
		void **slot = &slots[rng_below(&rng, SLOTS)];

		if (*slot)
			obj_free(job->cache, *slot);
		*slot = obj_alloc(job->cache);
		++*(volatile long *)*slot;
	}
	for (i = 0; i < SLOTS; i++)
		if (slots[i])
			obj_free(job->cache, slots[i]);
	atomic_fetch_add(&job->cpu_ns, cpu_time_ns() - start);
	return NULL;
}

static void measure(const char *name, struct job *job, unsigned int threads, double ops)
{
	job->ops = bench_times(1, ops / threads);
	job->cpu_ns = 0;
	bench_run_threads(threads, worker, job);
	bench_say_ns(name, threads, job->cpu_ns, (double)job->ops * threads);
}

int main(int argc, char **argv)
{
	double ops = bench_scale(argc, argv) * 4e6;
	struct job job = { .cache = objcache_create("bench_threads", 64) };
	unsigned int n, cpus = bench_cpus();

	for (n = 1; n <= 256; n *= 4)
		measure("threads", &job, n, ops);
	job.bound = true;
	for (n = 1; n <= cpus && n <= 16; n *= 2)
		measure("cpus", &job, n, ops);
	return 0;
}
