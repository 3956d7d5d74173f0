// SPDX-License-Identifier: MIT
/*
 * target.c - a program to be looked at. It does a step for each line that it
 * reads, and says "ready" when the step is done and it has gone quiet.
 *
 *	target objects N	step 1: a cache "test_objects" of which N objects of
 *				200 bytes stay (twice as many were taken), 5 blocks of
 *				8 pages, a large object of 1000000 bytes, one of 8 MiB
 *				of which 1 MiB is touched, and 32 MiB of kmalloc();
 *				step 2: every other kmalloc() object is freed
 *	target busy THREADS	step 1: threads that allocate and free until killed
 *	target crowd CACHES	step 1: so many caches, three objects in each, the first with
 *				names that terminals, JSON and Prometheus would misread; and
 *				256 threads with objects of their own
 *	target hidden		step 1: not dumpable: other processes may not look
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <kmem/page_alloc.h>
#include <kmem/slab.h>

#define KMALLOC_BYTES	(32UL << 20)

static pthread_barrier_t all_hold;

static void ready(void)
{
	static const char text[] = "ready\n";

	if (write(STDOUT_FILENO, text, sizeof(text) - 1) < 0)
		exit(1);
}

/* The next line of stdin; the program ends with its input. */
static void await(void)
{
	char c;

	do {
		if (read(STDIN_FILENO, &c, 1) != 1)
			exit(0);
	} while (c != '\n');
}

static void *must(void *p)
{
	if (!p) {
		fputs("target: out of memory\n", stderr);
		exit(1);
	}
	return p;
}

/* Written so that no compiler drops it: the pages are to be resident. */
static void touch(void *p, size_t size)
{
	memset(p, 0x5a, size);
	__asm__ volatile("" :: "r"(p) : "memory");
}

static void take_objects(unsigned long n)
{
	struct kmem_cache *c = kmem_cache_create("test_objects", 200, 8, SLAB_NO_MERGE, NULL);
	void **object = must(kmalloc(2 * n * sizeof(*object), GFP_KERNEL));

	must(c);
	for (unsigned long i = 0; i < 2 * n; i++) {
		object[i] = must(kmem_cache_alloc(c, GFP_KERNEL));
		touch(object[i], 200);
	}
	for (unsigned long i = 0; i < n; i++)
		kmem_cache_free(c, object[i * 2]);
	kfree(object);
}

static void take_pages(void)
{
	for (int i = 0; i < 5; i++)
		touch(page_address(must(alloc_pages(GFP_KERNEL, 3))), 8 * PAGE_SIZE);
	touch(must(kmalloc(1000000, GFP_KERNEL)), 1000000);
	touch(must(kmalloc(8UL << 20, GFP_KERNEL)), 1UL << 20);
}

static void objects(unsigned long n)
{
	unsigned long nr = KMALLOC_BYTES / 400;
	void **p;

	await();
	take_objects(n);
	take_pages();
	p = must(kmalloc(nr * sizeof(*p), GFP_KERNEL));
	for (unsigned long i = 0; i < nr; i++) {
		p[i] = must(kmalloc(100 + i % 601, GFP_KERNEL));
		touch(p[i], 100);
	}
	ready();
	await();
	for (unsigned long i = 0; i < nr; i += 2)
		kfree(p[i]);
	ready();
	await();
}

/* More than any magazine holds, at once: they are exchanged, refilled and flushed. */
static void burst(unsigned int size)
{
	void *p[300];

	for (int i = 0; i < 300; i++)
		p[i] = must(kmalloc(size, GFP_KERNEL));
	for (int i = 0; i < 300; i++)
		kfree(p[i]);
}

static void *churn(void *arg)
{
	unsigned int seed = (unsigned int)(unsigned long)arg;
	void *held[512] = { NULL };

	for (;;) {
		unsigned int i, size;

		seed = seed * 1103515245 + 12345;
		i = seed >> 16 & 511;
		size = seed >> 12 & 2047;
		kfree(held[i]);
		held[i] = must(kmalloc(i == 7 ? 100000 : 1 + size, GFP_KERNEL));
		if (i == 13)
			burst(1 + size);
		if (i == 11) {
			struct kmem_cache *c = kmem_cache_create("test_passing", 48 + 8 * (size & 15),
								 8, SLAB_NO_MERGE, NULL);
			void *object = must(kmem_cache_alloc(must(c), GFP_KERNEL));

			kmem_cache_free(c, object);
			kmem_cache_destroy(c);
		}
	}
	return NULL;
}

static void busy(long threads)
{
	pthread_t t;

	await();
	for (long i = 0; i < threads; i++)
		if (pthread_create(&t, NULL, churn, (void *)(i + 1)))
			exit(1);
	ready();
	for (;;)
		pause();
}

static void *hold(void *arg)
{
	static void *held[256][64];
	long me = (long)arg;

	for (int i = 0; i < 64; i++) {
		held[me][i] = must(kmalloc(16 + (unsigned long)(i * 37 + me) % 900, GFP_KERNEL));
		touch(held[me][i], 16);
	}
	for (int i = 0; i < 32; i++)
		kfree(held[me][i]);
	pthread_barrier_wait(&all_hold);
	pause();
	return NULL;
}

static void crowd(long nr)
{
	static const char *const odd[] = {
		"quote\"back\\slash", "new\nline", "escape\33[31m", "\302\23331m", "no\377utf",
		"caf\303\251", "\355\240\200", "{label=}", "a blank",
	};
	char name[300];
	pthread_t t;

	await();
	for (long i = 0; i < nr; i++) {
		struct kmem_cache *c;

		if (i < (long)(sizeof(odd) / sizeof(odd[0])))
			snprintf(name, sizeof(name), "%s", odd[i]);
		else
			/* Every fifth is longer than any column; none looks like another. */
			snprintf(name, sizeof(name), "%0*ld", i % 5 ? 8 : 280, i);
		c = must(kmem_cache_create(name, 32 + 8 * (unsigned int)(i % 200), 8,
					   SLAB_NO_MERGE, NULL));
		for (int k = 0; k < 3; k++)
			touch(must(kmem_cache_alloc(c, GFP_KERNEL)), 32);
	}
	pthread_barrier_init(&all_hold, NULL, 257);
	for (long i = 0; i < 256; i++)
		if (pthread_create(&t, NULL, hold, (void *)i))
			exit(1);
	pthread_barrier_wait(&all_hold);
	ready();
	await();
}

int main(int argc, char **argv)
{
	const char *mode = argc > 1 ? argv[1] : "";
	long n = argc > 2 ? atol(argv[2]) : 0;

	ready();
	if (!strcmp(mode, "objects")) {
		objects((unsigned long)n);
	} else if (!strcmp(mode, "busy")) {
		busy(n);
	} else if (!strcmp(mode, "crowd")) {
		crowd(n);
	} else if (!strcmp(mode, "hidden")) {
		await();
		prctl(PR_SET_DUMPABLE, 0);
		ready();
		await();
	}
	return 0;
}
