// SPDX-License-Identifier: MIT
/*
 * latency.c - how long single calls of malloc and free take: a histogram.
 *
 *	latency SCALE [THREADS]
 *
 * Stands for: programs with deadlines: games, audio, trading, request servers with
 * a promise about the 99.99th percentile. The mean says nothing of the call that
 * had to fetch a span, take a contended lock or make a system call. Described: Dean
 * and Barroso, "The Tail at Scale" (CACM 2013).
 *
 * Each call is timed by itself with the CPU's counter, and the counter's own cost
 * (the least time seen between two readings) is subtracted. Time includes what
 * the machine did to the thread meanwhile (interrupts, other processes): "max",
 * and the far percentiles on a busy machine, are of that. Prints p50, p99,
 * p99.99 and max of each, and lines "histogram CALL NS COUNT".
 */
#include "../bench.h"

#define SLOTS	8192
#define SUB	16			/* buckets for each doubling */
#define BUCKETS	(40 * SUB)

enum { MALLOC, FREE, CALLS };

static const char *const call_name[CALLS] = { "malloc", "free" };
static atomic_ulong histogram[CALLS][BUCKETS];
static atomic_ulong longest[CALLS];
static unsigned long overhead = ~0ul;
static double ns_per_tick;

static inline uint64_t ticks(void)
{
#if defined(__x86_64__)
	uint32_t lo, hi;

	__asm__ volatile("lfence\n\trdtsc\n\tlfence" : "=a"(lo), "=d"(hi) : : "memory");
	return (uint64_t)hi << 32 | lo;
#elif defined(__aarch64__)
	uint64_t t;

	__asm__ volatile("isb\n\tmrs %0, cntvct_el0\n\tisb" : "=r"(t) : : "memory");
	return t;
#else
	return bench_now_ns();
#endif
}

static void calibrate(void)
{
	uint64_t t, t0 = ticks(), n0 = bench_now_ns();
	unsigned int i;

	for (i = 0; i < 10000; i++) {
		t = ticks();
		t = ticks() - t;
		if (t < overhead)
			overhead = t;
	}
	while (bench_now_ns() - n0 < 20000000)
		;
	ns_per_tick = (double)(bench_now_ns() - n0) / (double)(ticks() - t0);
}

/* Values below SUB have a bucket each; above, SUB buckets for each doubling. */
static unsigned int bucket_of(unsigned long v)
{
	unsigned int shift, b;

	if (v < SUB)
		return (unsigned int)v;
	shift = 59 - (unsigned int)__builtin_clzl(v);	/* v >> shift is SUB to 2 SUB - 1 */
	b = shift * SUB + (unsigned int)(v >> shift);
	return b < BUCKETS ? b : BUCKETS - 1;
}

/* The middle of a bucket. */
static double bucket_value(unsigned int b)
{
	unsigned int shift;

	if (b < 2 * SUB)
		return b;
	shift = b / SUB - 1;
	return ((double)(b % SUB + SUB) + 0.5) * (double)(1ul << shift);
}

static void note(unsigned long (*own)[BUCKETS], int call, uint64_t t)
{
	unsigned long max;

	t = t > overhead ? t - overhead : 0;
	own[call][bucket_of(t)]++;
	max = atomic_load_explicit(&longest[call], memory_order_relaxed);
	while (t > max && !atomic_compare_exchange_weak(&longest[call], &max, t))
		;
}

static void *worker(void *arg)
{
	struct bench_thread *t = arg;
	unsigned long steps = *(unsigned long *)t->arg, i;
	struct rng rng = rng_seed(110 + t->index);
	static __thread unsigned long own[CALLS][BUCKETS];
	static __thread void *slots[SLOTS];
	unsigned int b;
	int call;

	for (i = 0; i < steps; i++) {
		void **slot = &slots[rng_below(&rng, SLOTS)];
		size_t size = rng_power_law(&rng, 16, 65536);
		uint64_t before;

		if (*slot) {
			before = ticks();
			free(*slot);
			note(own, FREE, ticks() - before);
		}
		before = ticks();
		*slot = malloc(size);
		note(own, MALLOC, ticks() - before);
		bench_fill(*slot, size < 256 ? size : 256);
	}
	for (call = 0; call < CALLS; call++)
		for (b = 0; b < BUCKETS; b++)
			atomic_fetch_add(&histogram[call][b], own[call][b]);
	return NULL;
}

static double percentile(int call, double p)
{
	unsigned long total = 0, seen = 0;
	unsigned int b;

	for (b = 0; b < BUCKETS; b++)
		total += histogram[call][b];
	for (b = 0; b < BUCKETS; b++) {
		seen += histogram[call][b];
		if ((double)seen >= p * (double)total)
			break;
	}
	return bucket_value(b) * ns_per_tick;
}

int main(int argc, char **argv)
{
	unsigned long steps = bench_times(bench_scale(argc, argv), 3e6);
	unsigned int threads = argc > 2 ? (unsigned int)atoi(argv[2]) : 1, b;
	int call;

	steps = steps / threads + 1;
	calibrate();
	bench_run_threads(threads, worker, &steps);
	for (call = 0; call < CALLS; call++) {
		printf("%s_p50_ns %.1f\n", call_name[call], percentile(call, .5));
		printf("%s_p99_ns %.1f\n", call_name[call], percentile(call, .99));
		printf("%s_p9999_ns %.1f\n", call_name[call], percentile(call, .9999));
		printf("%s_max_ns %.1f\n", call_name[call], (double)longest[call] * ns_per_tick);
	}
	for (call = 0; call < CALLS; call++)
		for (b = 0; b < BUCKETS; b++)
			if (histogram[call][b])
				printf("histogram %s %.1f %lu\n", call_name[call],
				       bucket_value(b) * ns_per_tick, histogram[call][b]);
	return 0;
}
