// SPDX-License-Identifier: MIT
/*
 * signals.c - signals in the middle of everything. Two threads allocate without
 * pause; a third sends them signals with tgkill() as fast as it can, and a timer
 * sends more. Of two kinds, by turns:
 *
 *	count	the handler does nothing but count: each delivery inside a section
 *		restarts it
 *	hits	the handler takes an object and frees one, of a cache of its own and
 *		of the thread's. Only hits are safe there (slab.h): before it tries, it
 *		looks whether the loaded magazine has an object, and room for one.
 *
 * A miss in a handler may find a lock that the interrupted thread holds. It cannot
 * happen by chance here, since between the look and the operation only a
 * migration could change the magazine, and every thread stays on one CPU.
 */
#include "stress.h"

#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/time.h>

#define WORKERS	2
#define LIVE	64

static struct kmem_cache *cache;
static unsigned long counted, hits, looked;
static unsigned long operations;
static pid_t worker_tid[WORKERS];
static bool hits_wanted;

/* In RSEQ mode, where the caller runs now: is there an object to pop and room to push? */
static bool would_hit(unsigned int slot)
{
	unsigned int cpu = percpu_cpu();
	long word = READ_ONCE(*percpu_slot(cpu, slot));
	void **top = round_of(cpu, word);

	if (word == WORD_CLOSED || word == WORD_DRAINING || !READ_ONCE(*top))
		return false;
	return READ_ONCE(*(top + 1)) != NULL && READ_ONCE(*(top - 1)) != NULL;
}

static void handler(int sig)
{
	void *p;

	(void)sig;
	__atomic_fetch_add(&counted, 1, __ATOMIC_RELAXED);
	if (!__atomic_load_n(&hits_wanted, __ATOMIC_RELAXED) || percpu.mode != PERCPU_RSEQ)
		return;
	__atomic_fetch_add(&looked, 1, __ATOMIC_RELAXED);
	if (!would_hit(cache->mag.slot))
		return;
	p = kmem_cache_alloc(cache, GFP_NOWAIT);
	if (!p)
		return;
	stress_stamp(p, 64);
	stress_unstamp(p);
	kmem_cache_free(cache, p);
	__atomic_fetch_add(&hits, 1, __ATOMIC_RELAXED);
}

static void stay_on_one_cpu(unsigned long n)
{
	cpu_set_t may, one;
	unsigned int cpus, k = 0;

	if (sched_getaffinity(0, sizeof(may), &may))
		return;
	cpus = (unsigned int)CPU_COUNT(&may);
	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		if (!CPU_ISSET(cpu, &may) || k++ != n % cpus)
			continue;
		CPU_ZERO(&one);
		CPU_SET(cpu, &one);
		sched_setaffinity(0, sizeof(one), &one);
	}
}

static void *work(void *arg)
{
	unsigned long me = (unsigned long)arg, n = 0;
	uint64_t seed = me + 11;
	void *live[LIVE] = { NULL };

	stay_on_one_cpu(me);
	__atomic_store_n(&worker_tid[me], (pid_t)syscall(SYS_gettid), __ATOMIC_RELEASE);
	for (; stress_running(); n++) {
		uint64_t r = stress_rnd(&seed);
		unsigned int i = (unsigned int)(r >> 32) % LIVE;

		if (live[i]) {
			stress_unstamp(live[i]);
			if (((struct stamp *)live[i])->size == 64)
				kmem_cache_free(cache, live[i]);
			else
				MyFree(live[i]);
		}
		live[i] = r & 1 ? stress_stamp(kmem_cache_alloc(cache, GFP_KERNEL), 64) :
				  stress_stamp(MyMalloc(sizeof(struct stamp) + r % 400 + 49),
					       sizeof(struct stamp) + r % 400 + 49);
		if (!live[i])
			stress_fail("no memory");
	}
	for (unsigned int i = 0; i < LIVE; i++)
		MyFree(live[i]);
	__atomic_store_n(&worker_tid[me], 0, __ATOMIC_RELEASE);
	__atomic_fetch_add(&operations, n, __ATOMIC_RELAXED);
	return NULL;
}

static void *send(void *arg)
{
	sigset_t set;

	sigfillset(&set);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	for (unsigned int n = 0; stress_running(); n++) {
		pid_t tid = __atomic_load_n(&worker_tid[n % WORKERS], __ATOMIC_ACQUIRE);

		if (tid)
			syscall(SYS_tgkill, getpid(), tid, SIGUSR1);
		for (volatile int i = 0; i < (int)(n % 997); i++)
			;
	}
	return arg;
}

static void tick(unsigned int n)
{
	__atomic_store_n(&hits_wanted, n / 100 & 1, __ATOMIC_RELAXED);
	if (n % 50 == 0)
		kmem_cache_shrink(cache);
}

int main(int argc, char **argv)
{
	struct itimerval every = { { 0, 100 }, { 0, 100 } }, never = { { 0, 0 }, { 0, 0 } };
	struct sigaction sa = { .sa_handler = handler, .sa_flags = SA_RESTART };
	pthread_t t[WORKERS + 1];
	sigset_t set;

	stress_start(argc, argv);
	cache = kmem_cache_create("stress-signal", 64, 0, SLAB_NO_MERGE, NULL);
	sigaction(SIGUSR1, &sa, NULL);
	sigaction(SIGPROF, &sa, NULL);
	for (unsigned long i = 0; i < WORKERS + 1; i++)
		if (pthread_create(&t[i], NULL, i < WORKERS ? work : send, (void *)i))
			return 2;
	/* The main thread drains, with locks held: it takes no signals. */
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGPROF);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	setitimer(ITIMER_PROF, &every, NULL);
	stress_sleep(tick);
	setitimer(ITIMER_PROF, &never, NULL);
	for (int i = 0; i < WORKERS + 1; i++)
		pthread_join(t[i], NULL);
	if (counted == 0)
		stress_fail("no signal arrived");
	if (kmem_cache_shrink(cache))
		stress_fail("objects of the cache are lost");
	if (validate_slab_cache(cache))
		stress_fail("the cache is damaged");
	printf("%lu signals, %lu hits of %lu tries; ", counted, hits, looked);
	return stress_result("signals", operations);
}
