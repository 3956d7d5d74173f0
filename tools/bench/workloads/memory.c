// SPDX-License-Identifier: MIT
/*
 * memory.c - RSS through allocate, free, idle, allocate again, free, idle.
 *
 *	memory SCALE KIND [IDLE_MS]	KIND: small, mixed, large, threads
 *
 * Stands for: a service after its busy hour: what it does not give back is paid
 * for all night. Described: mimalloc#351, jemalloc#2688, gperftools#1634 (RSS
 * stays high when idle).
 *
 * Prints a line "sample MS KB" twenty times a second, and the RSS at the
 * end of each phase: rss_start_kb, rss_full_kb, rss_freed_kb (at once), rss_idle_kb
 * (after IDLE_MS, 5000 if not said), rss_again_kb, rss_end_kb.
 */
#include "../bench.h"

#define THREADS		8
#define MAX_SAMPLES	2000

/* The table of objects is part of the program's own start: filled before rss_start_kb. */
static void **objects;
static unsigned long n_objects;
static const char *kind;

static struct sample {
	unsigned int ms;
	long kb;
} samples[MAX_SAMPLES];
static unsigned int n_samples;
static atomic_bool stop;
static uint64_t start_ns;

static void *sampler(void *unused)
{
	while (!atomic_load(&stop)) {
		if (n_samples < MAX_SAMPLES) {
			samples[n_samples].ms = (unsigned int)((bench_now_ns() - start_ns) / 1000000);
			samples[n_samples++].kb = bench_rss_kb();
		}
		bench_sleep_ms(50);
	}
	return unused;
}

static size_t size_of(struct rng *rng)
{
	if (strcmp(kind, "small") == 0)
		return 16 + rng_below(rng, 240);
	if (strcmp(kind, "large") == 0)
		return rng_power_law(rng, 65536, 8 << 20);
	return rng_power_law(rng, 16, 65536);
}

/* Each thread its share, as one thread does the whole. */
static void *allocate(void *arg)
{
	struct bench_thread *t = arg;
	unsigned int step = *(unsigned int *)t->arg;
	struct rng rng = rng_seed(90 + t->index);
	unsigned long i;

	for (i = t->index; i < n_objects; i += step)
		objects[i] = bench_alloc(size_of(&rng));
	return NULL;
}

/* In another order than they were taken in, by other threads than took them. */
static void *release(void *arg)
{
	struct bench_thread *t = arg;
	unsigned int step = *(unsigned int *)t->arg, turn = (t->index + 1) % step;
	unsigned long i, n = (n_objects - turn + step - 1) / step;

	for (i = 0; i < n; i++) {
		unsigned long k = i * 7919 % n * step + turn;

		bench_free(objects[k]);
		objects[k] = NULL;
	}
	return NULL;
}

static void phase(void *(*fn)(void *), unsigned int threads)
{
	struct bench_thread self = { .index = 0, .arg = &threads };

	if (threads > 1)
		bench_run_threads(threads, fn, &threads);
	else
		fn(&self);
}

static void say(const char *what)
{
	printf("rss_%s_kb %ld\n", what, bench_rss_kb());
	fflush(stdout);
}

int main(int argc, char **argv)
{
	double scale = bench_scale(argc, argv);
	unsigned int idle_ms = argc > 3 ? (unsigned int)atoi(argv[3]) : 5000, threads, i;
	static char buf[65536];
	pthread_t id;

	kind = argc > 2 ? argv[2] : "mixed";
	threads = strcmp(kind, "threads") == 0 ? THREADS : 1;
	n_objects = bench_times(scale, strcmp(kind, "large") == 0 ? 700 :
				strcmp(kind, "small") == 0 ? 800000 : 500000);
	n_objects |= 1;		/* see release(): 7919 must not divide a share */
	objects = bench_ptr(malloc(n_objects * sizeof(*objects)));
	memset(objects, 1, n_objects * sizeof(*objects));
	setvbuf(stdout, buf, _IOFBF, sizeof(buf));
	start_ns = bench_now_ns();
	memset(samples, 0, sizeof(samples));
	if (pthread_create(&id, NULL, sampler, NULL) != 0)
		return 1;
	bench_sleep_ms(100);
	say("start");
	phase(allocate, threads);
	say("full");
	phase(release, threads);
	say("freed");
	bench_sleep_ms(idle_ms);
	say("idle");
	phase(allocate, threads);
	say("again");
	phase(release, threads);
	bench_sleep_ms(idle_ms);
	say("end");
	atomic_store(&stop, true);
	pthread_join(id, NULL);
	for (i = 0; i < n_samples; i++)
		printf("sample %u %ld\n", samples[i].ms, samples[i].kb);
	return 0;
}
