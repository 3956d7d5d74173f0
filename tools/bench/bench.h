/* SPDX-License-Identifier: MIT */
/*
 * bench.h - what the workloads of the benchmark share.
 *
 * A workload is called as NAME [SCALE [ARGS]]: with scale 1 it runs about half
 * a second; the work, never the size of the live heap alone, grows with it.
 * Time and peak RSS are measured from outside (launch.c); what only the
 * workload itself can know it prints, a line each: "NAME VALUE", the name
 * ending in its unit (_ns, _kb).
 *
 * Nothing here allocates behind the workload's back but pthread_create().
 */
#ifndef BENCH_H
#define BENCH_H

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define BENCH_MAX_THREADS	256

/* ---- arguments ------------------------------------------------------------------ */

static inline double bench_scale(int argc, char **argv)
{
	double scale = argc > 1 ? atof(argv[1]) : 1.0;

	if (scale <= 0) {
		fprintf(stderr, "usage: %s [SCALE [ARGS]], SCALE > 0\n", argv[0]);
		exit(2);
	}
	return scale;
}

/* @n at scale 1; never nothing. */
static inline unsigned long bench_times(double scale, double n)
{
	return scale * n < 1 ? 1 : (unsigned long)(scale * n);
}

/* CPUs that this process may use. */
static inline unsigned int bench_cpus(void)
{
	cpu_set_t set;

	if (sched_getaffinity(0, sizeof(set), &set) != 0)
		return 1;
	return (unsigned int)CPU_COUNT(&set);
}

/* Two threads for each CPU, at least 4: some wait, as in real programs. */
static inline unsigned int bench_threads(void)
{
	unsigned int n = 2 * bench_cpus();

	return n < 4 ? 4 : n > 32 ? 32 : n;
}

/* ---- random numbers: the same in every run ---------------------------------------- */

struct rng {
	uint64_t s;
};

static inline struct rng rng_seed(uint64_t seed)
{
	return (struct rng){ seed * 0x9e3779b97f4a7c15u + 0x632be59bd9b4e019u };
}

/* xorshift with a multiplication; the low bits are good enough after the shift. */
static inline uint32_t rng_next(struct rng *r)
{
	r->s ^= r->s >> 12;
	r->s ^= r->s << 25;
	r->s ^= r->s >> 27;
	return (uint32_t)((r->s * 0x2545f4914f6cdd1du) >> 32);
}

/* 0 to @n - 1. */
static inline uint32_t rng_below(struct rng *r, uint32_t n)
{
	return (uint32_t)(((uint64_t)rng_next(r) * n) >> 32);
}

/*
 * A size from @lo to @hi (powers of two), each doubling half as likely as the one
 * before: most objects are small, yet every doubling has the same share of bytes.
 */
static inline size_t rng_power_law(struct rng *r, size_t lo, size_t hi)
{
	uint32_t bits = rng_next(r);

	while (lo < hi / 2 && (bits & 1)) {
		lo *= 2;
		bits >>= 1;
	}
	return lo + rng_below(r, (uint32_t)lo);
}

/* ---- memory ----------------------------------------------------------------------- */

static inline void *bench_ptr(void *p)
{
	if (!p) {
		fprintf(stderr, "out of memory\n");
		exit(1);
	}
	return p;
}

/* Written all over, as a program that asked for so much does. */
static inline void *bench_fill(void *p, size_t size)
{
	memset(bench_ptr(p), (int)(size & 0x7f), size);
	__asm__ volatile("" : : "r"(p) : "memory");
	return p;
}

static inline void *bench_alloc(size_t size)
{
	return bench_fill(malloc(size), size);
}

/* Read before it dies; what is read decides nothing. */
static inline void bench_free(void *p)
{
	if (p)
		__asm__ volatile("" : : "r"(*(volatile char *)p) : "memory");
	free(p);
}

/* This process's RSS. Not through stdio, which would allocate. */
static inline long bench_rss_kb(void)
{
	long size = 0, pages = 0;
	char buf[128];
	ssize_t n;
	int fd;

	fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	n = read(fd, buf, sizeof(buf) - 1);
	close(fd);
	buf[n < 0 ? 0 : n] = '\0';
	if (sscanf(buf, "%ld %ld", &size, &pages) != 2)
		return 0;
	return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

/* ---- time --------------------------------------------------------------------------- */

static inline uint64_t bench_now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static inline void bench_sleep_ms(unsigned int ms)
{
	struct timespec t = { ms / 1000, (long)(ms % 1000) * 1000000 };

	while (nanosleep(&t, &t) != 0)
		;
}

/* ---- threads ------------------------------------------------------------------------- */

struct bench_thread {
	pthread_t id;
	unsigned int index;		/* 0 .. n - 1 */
	void *arg;			/* of bench_run_threads() */
};

/* Runs @fn in @n threads, each with a struct bench_thread of its own; waits for all. */
static inline void bench_run_threads(unsigned int n, void *(*fn)(void *), void *arg)
{
	static struct bench_thread threads[BENCH_MAX_THREADS];
	unsigned int i;

	for (i = 0; i < n; i++) {
		threads[i].index = i;
		threads[i].arg = arg;
		if (pthread_create(&threads[i].id, NULL, fn, &threads[i]) != 0) {
			fprintf(stderr, "cannot start thread %u\n", i);
			exit(1);
		}
	}
	for (i = 0; i < n; i++)
		pthread_join(threads[i].id, NULL);
}

#endif /* BENCH_H */
