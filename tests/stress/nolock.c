// SPDX-License-Identifier: MIT
/*
 * nolock.c - the functions that may be called from any context, called from handlers
 * of signals that come in the middle of everything. Threads allocate and free objects and
 * pages of many sizes, so that every lock of the page and slab layers is held now and
 * then, and are sent signals as fast as it goes; the handler takes and frees objects and
 * pages without looking first. What it got is stamped, checked, and freed by the
 * handler or by its thread. In the end nothing is missing and all metadata is sound.
 *
 * The one way to fail that matters is to hang: a handler that waits for its own thread.
 */
#include "stress.h"

#include <kmem/limit.h>
#include <kmem/page_alloc.h>
#include <signal.h>
#include <sys/syscall.h>

#define WORKERS	3
#define LIVE	48
#define HELD	8

static pid_t worker_tid[WORKERS];
static unsigned long taken, refused, pages;
static __thread void *held[HELD] __attribute__((tls_model("initial-exec")));

static const size_t sizes[] = { 16, 100, 512, 1500, 4096, 9000, 32768 };

static void object_in_handler(unsigned int i)
{
	size_t size = sizes[i % ARRAY_SIZE(sizes)];
	void *p = held[i % HELD];

	held[i % HELD] = NULL;
	if (p) {
		stress_unstamp(p);
		kfree_nolock(p);
		return;
	}
	p = kmalloc_nolock(size, 0, NUMA_NO_NODE);
	__atomic_fetch_add(p ? &taken : &refused, 1, __ATOMIC_RELAXED);
	if (!p)
		return;
	stress_stamp(p, 16);
	if (i & 1) {
		held[i % HELD] = p;
	} else {
		stress_unstamp(p);
		kfree_nolock(p);
	}
}

static void page_in_handler(unsigned int i)
{
	unsigned int order = i % 6;
	struct page *page = alloc_pages_nolock(0, NUMA_NO_NODE, order);
	unsigned long *p;

	if (!page)
		return;
	__atomic_fetch_add(&pages, 1, __ATOMIC_RELAXED);
	p = page_address(page);
	if (p[0] || p[(PAGE_SIZE << order) / sizeof(*p) - 1])
		stress_fail("a page that is not zero");
	p[0] = ~0UL;
	free_pages_nolock(page, order);
}

static void handler(int sig)
{
	static unsigned int turn;
	unsigned int i = __atomic_fetch_add(&turn, 1, __ATOMIC_RELAXED);

	(void)sig;
	object_in_handler(i);
	if (i % 3 == 0)
		page_in_handler(i);
}

static void *worker(void *arg)
{
	uint64_t rng = (unsigned long)arg + 7;
	static __thread void *live[LIVE];
	sigset_t all, old;

	__atomic_store_n(&worker_tid[(unsigned long)arg], (pid_t)syscall(SYS_gettid),
			 __ATOMIC_RELEASE);
	while (stress_running()) {
		unsigned long r = stress_rnd(&rng);
		void **p = &live[r % LIVE];

		if (*p) {
			stress_unstamp(*p);
			kfree(*p);
			*p = NULL;
		} else {
			size_t size = r % 64 == 0 ? 200000 : sizes[(r >> 8) % ARRAY_SIZE(sizes)];

			*p = kmalloc(size, GFP_KERNEL);
			if (!*p)
				stress_fail("no memory");
			stress_stamp(*p, 16);
		}
		if (r % 128 == 1)
			__free_pages(alloc_pages(GFP_KERNEL, (unsigned int)(r >> 20) % 8),
				     (unsigned int)(r >> 20) % 8);
		if (r % 4096 == 2)
			kmem_reclaim(KMEM_LIMIT_NONE);
	}
	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &old);
	for (int i = 0; i < LIVE; i++)
		kfree(live[i]);
	for (int i = 0; i < HELD; i++)
		kfree(held[i]);
	return NULL;
}

static void send(unsigned int n)
{
	for (unsigned int i = 0; i < 200; i++)
		syscall(SYS_tgkill, getpid(), worker_tid[(n + i) % WORKERS], SIGUSR1);
}

int main(int argc, char **argv)
{
	struct sigaction action = { .sa_handler = handler, .sa_flags = SA_RESTART };
	pthread_t thread[WORKERS];
	long baseline, lost;

	stress_start(argc, argv);
	kfree(kmalloc(8, GFP_KERNEL));
	baseline = stress_live();
	sigaction(SIGUSR1, &action, NULL);
	for (unsigned long i = 0; i < WORKERS; i++)
		if (pthread_create(&thread[i], NULL, worker, (void *)i))
			return 1;
	for (unsigned int i = 0; i < WORKERS; i++)
		while (!__atomic_load_n(&worker_tid[i], __ATOMIC_ACQUIRE))
			usleep(100);
	stress_sleep(send);
	for (unsigned int i = 0; i < WORKERS; i++)
		pthread_join(thread[i], NULL);
	kmem_reclaim(KMEM_LIMIT_NONE);
	lost = stress_lost(baseline);
	if (lost)
		stress_fail("%ld objects are missing", lost);
	if (!taken || !pages)
		stress_fail("nothing was ever taken");
	printf("%lu blocks of pages in handlers; %lu times there was no object\n", pages, refused);
	return stress_result("nolock", taken);
}
