// SPDX-License-Identifier: MIT
/*
 * handover.c - how long a cache line takes from one CPU to another, in ns.
 *
 *	handover
 *
 * Two threads, on the first and the last CPU that the process may use, write to one line in
 * turn. The least of some rounds is printed, for one handover; 0 where there is one CPU.
 *
 * Why: CPUs that share a cache take 30 ns, those that do not 100 to 200, and a virtual machine's
 * may be one pair now and the other a minute later. Whatever threads share is that much
 * slower then, under every allocator, but not alike: so run.py asks before and after each run
 * of threads.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>

#define TURNS	2000
#define WARM	100
#define ROUNDS	5

static struct {
	_Alignas(256) atomic_uint turn;
	_Alignas(256) int cpu[2];
} shared;

static double now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return 1e9 * (double)t.tv_sec + (double)t.tv_nsec;
}

static void stay_on(int cpu)
{
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	sched_setaffinity(0, sizeof(one), &one);
}

/* Waits for turn @i, and passes the line on. */
static void take_turn(unsigned int i)
{
	while (atomic_load_explicit(&shared.turn, memory_order_acquire) != i)
		;
	atomic_store_explicit(&shared.turn, i + 1, memory_order_release);
}

static void *other_side(void *unused)
{
	stay_on(shared.cpu[1]);
	for (unsigned int i = 1; i < 2 * TURNS; i += 2)
		take_turn(i);
	return unused;
}

static double handover_ns(void)
{
	double start, took;
	pthread_t other;

	atomic_store(&shared.turn, 0);
	if (pthread_create(&other, NULL, other_side, NULL) != 0)
		return 0;
	/* The first turns wait for the thread to be there. */
	for (unsigned int i = 0; i < 2 * WARM; i += 2)
		take_turn(i);
	start = now_ns();
	for (unsigned int i = 2 * WARM; i < 2 * TURNS; i += 2)
		take_turn(i);
	took = now_ns() - start;
	pthread_join(other, NULL);
	return took / (2 * (TURNS - WARM));
}

int main(void)
{
	double least = 0;
	cpu_set_t may;

	if (sched_getaffinity(0, sizeof(may), &may) != 0)
		return 1;
	shared.cpu[0] = -1;
	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		if (!CPU_ISSET(cpu, &may))
			continue;
		if (shared.cpu[0] < 0)
			shared.cpu[0] = cpu;
		shared.cpu[1] = cpu;
	}
	if (shared.cpu[0] != shared.cpu[1]) {
		stay_on(shared.cpu[0]);
		for (int i = 0; i < ROUNDS; i++) {
			double ns = handover_ns();

			if (i == 0 || ns < least)
				least = ns;
		}
	}
	printf("%.1f\n", least);
	return 0;
}
