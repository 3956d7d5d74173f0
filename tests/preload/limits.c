// SPDX-License-Identifier: MIT
/*
 * limits.c - malloc where there is little of something. Always NULL and ENOMEM,
 * never a crash, and all works again when there is enough.
 *
 *	limits memory		until there is no more (under ulimit -v)
 *	limits maps		with max_map_count used up
 *	limits threads [N]	a thousand threads at once
 *	limits closed		with stdin, stdout and stderr closed
 */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static int failures;

static void fail(const char *what)
{
	failures++;
	printf("limits: %s (errno %d)\n", what, errno);
}

/* A chain of objects through their first words, so that counting needs no memory. */
static void *fill_up(size_t size, unsigned long *count, unsigned long enough)
{
	void *chain = NULL, **p = NULL;

	errno = 0;
	while (*count < enough && (p = malloc(size))) {
		memset(p, 0x77, size < 4096 ? size : 4096);
		*p = chain;
		chain = p;
		*count += 1;
	}
	if (*count < enough && errno != ENOMEM)
		fail("errno is not ENOMEM");
	return chain;
}

static void empty(void *chain)
{
	while (chain) {
		void *next = *(void **)chain;

		free(chain);
		chain = next;
	}
}

static int test_memory(void)
{
	static const size_t sizes[] = { 16, 100, 4096, 40000, 1 << 20, 16 };
	unsigned long first = 0;

	for (unsigned int i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		unsigned long n = 0;
		void *chain = fill_up(sizes[i], &n, ~0UL);
		void *other;

		errno = 0;
		other = malloc((size_t)1 << 40);
		if (other || errno != ENOMEM)
			fail("a terabyte");
		errno = 0;
		other = realloc(NULL, (size_t)1 << 40);
		if (other || errno != ENOMEM)
			fail("a terabyte by realloc");
		errno = 0;
		other = calloc(1 << 20, 1 << 20);
		if (other || errno != ENOMEM)
			fail("a terabyte by calloc");
		if (!n)
			fail("not one object");
		if (i == 0)
			first = n;
		empty(chain);
		/* What was had once is to be had again. */
		if (sizes[i] == 16 && n < first / 2)
			fail("half of it has gone");
	}
	return failures;
}

static int test_maps(void)
{
	unsigned long limit = 0, n = 0, count = 0;
	FILE *f = fopen("/proc/sys/vm/max_map_count", "r");
	char *base;
	void *chain, *p;

	if (!f || fscanf(f, "%lu", &limit) != 1 || limit > 1000000) {
		printf("limits: max_map_count is %lu: skipped\n", limit);
		return 77;
	}
	fclose(f);
	base = mmap(NULL, limit * 2 * 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
		    -1, 0);
	if (base == MAP_FAILED)
		return 77;
	while (n < limit && !mprotect(base + n * 8192, 4096, PROT_READ))
		n++;
	if (n == limit) {
		printf("limits: there is no limit: skipped\n");
		return 77;
	}
	chain = fill_up(1000, &count, 100000);
	p = malloc(100 << 20);
	if (p) {
		memset(p, 1, 100 << 20);
		free(p);
	}
	empty(chain);
	munmap(base, limit * 2 * 4096);
	p = malloc(10 << 20);
	if (!p)
		fail("nothing after the maps are back");
	free(p);
	return failures;
}

static pthread_barrier_t all_here;

static void *member(void *arg)
{
	void *p[10];

	for (int i = 0; i < 10; i++) {
		p[i] = malloc(64 + (size_t)i * 100);
		if (p[i])
			memset(p[i], (int)(long)arg, 64);
	}
	pthread_barrier_wait(&all_here);
	for (int i = 0; i < 10; i++) {
		if (!p[i] || *(unsigned char *)p[i] != (unsigned char)(long)arg)
			__atomic_fetch_add(&failures, 1, __ATOMIC_RELAXED);
		free(p[i]);
	}
	return NULL;
}

static int test_threads(int n)
{
	pthread_t *t = malloc(sizeof(*t) * (size_t)n);
	pthread_attr_t attr;
	int made = 0;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 65536);
	pthread_barrier_init(&all_here, NULL, (unsigned int)n);
	while (made < n && !pthread_create(&t[made], &attr, member, (void *)(long)made))
		made++;
	if (made < n) {
		printf("limits: only %d threads: skipped\n", made);
		fflush(stdout);
		_exit(77);
	}
	for (int i = 0; i < n; i++)
		pthread_join(t[i], NULL);
	free(t);
	if (failures)
		printf("limits: %d of the threads' objects were damaged\n", failures);
	return failures;
}

/* The program's data file now has a low descriptor: nothing may be written there. */
static int test_closed(void)
{
	char name[] = "/tmp/limits-XXXXXX", text[8] = "";
	int fd, n;

	close(0);
	close(1);
	close(2);
	fd = mkstemp(name);	/* 0 */
	fd = dup(fd);		/* 1 */
	fd = dup(fd);		/* 2: what the library takes for stderr */
	if (fd != 2)
		return 5;
	for (size_t i = 0; i < 100000; i++)
		free(malloc(i));
	if (malloc((size_t)1 << 50))
		return 6;
	malloc((size_t)1 << 20);
	n = (int)pread(0, text, sizeof(text), 0);
	unlink(name);
	return n == 0 ? 0 : 7;
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";

	if (!strcmp(what, "memory"))
		failures = test_memory();
	else if (!strcmp(what, "maps"))
		failures = test_maps();
	else if (!strcmp(what, "threads"))
		failures = test_threads(argc > 2 ? atoi(argv[2]) : 1000);
	else if (!strcmp(what, "closed"))
		return test_closed();
	else
		return 2;
	printf("limits %s: %s\n", what, failures ? "failed" : "ok");
	return failures;
}
