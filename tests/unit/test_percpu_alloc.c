// SPDX-License-Identifier: MIT
/*
 * Pieces of per-CPU memory: percpu_alloc.c.
 */
#include "slab_test.h"

#include <errno.h>
#include <kmem/percpu.h>
#include <sys/wait.h>
#include <unistd.h>

#include "capture.h"
#include "mm/percpu_alloc.h"

TestSuite(percpu_alloc, .timeout = 120);

#define NR	300

static unsigned long sum_of(unsigned long *counter)
{
	unsigned long sum = 0;
	unsigned int cpu;

	for_each_possible_cpu(cpu)
		sum += *per_cpu_ptr(counter, cpu);
	return sum;
}

Test(percpu_alloc, copies_are_zero_and_apart)
{
	unsigned long *p = alloc_percpu(unsigned long);
	unsigned int cpu;

	cr_assert(p && num_possible_cpus() > 0);
	for_each_possible_cpu(cpu) {
		cr_expect(*per_cpu_ptr(p, cpu) == 0);
		*per_cpu_ptr(p, cpu) = cpu + 1;
	}
	for_each_possible_cpu(cpu)
		cr_expect(*per_cpu_ptr(p, cpu) == cpu + 1);
	cr_expect(raw_smp_processor_id() < num_possible_cpus());
	free_percpu(p);
}

/* What another piece left behind is gone, on every CPU. */
Test(percpu_alloc, zeroed_again)
{
	for (int round = 0; round < 3; round++) {
		char *p = __alloc_percpu(1000, 8);
		unsigned int cpu;

		cr_assert(p);
		for_each_possible_cpu(cpu) {
			cr_expect(all_bytes(per_cpu_ptr(p, cpu), 1000, 0));
			memset(per_cpu_ptr(p, cpu), 0xff, 1000);
		}
		free_percpu(p);
	}
}

Test(percpu_alloc, sizes_and_alignments)
{
	for (size_t align = 1; align <= PCPU_MAX_ALIGN; align *= 2) {
		for (size_t size = 1; size <= PCPU_MAX_ALLOC; size = size * 3 / 2 + 1) {
			char *p = __alloc_percpu(size, align);

			cr_assert(p, "%zu, %zu", size, align);
			cr_expect((unsigned long)p % align == 0, "%p for %zu", (void *)p, align);
			memset(per_cpu_ptr(p, num_possible_cpus() - 1), 1, size);
			free_percpu(p);
		}
	}
	free_percpu(__alloc_percpu(PCPU_MAX_ALLOC, PCPU_MAX_ALIGN));
	cr_expect(percpu_alloc_validate() == 0);
}

Test(percpu_alloc, bad_arguments)
{
	static const size_t bad[][2] = {
		{ 0, 8 }, { PCPU_MAX_ALLOC + 1, 8 }, { 8, 0 }, { 8, 3 }, { 8, 8192 },
		{ SIZE_MAX, 8 }, { 8, SIZE_MAX },
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(bad); i++) {
		sink_catch();
		cr_expect(!__alloc_percpu(bad[i][0], bad[i][1]));
		cr_expect(sink_has("illegal size"), "%u: said nothing", i);
		sink_catch();
		cr_expect(!__alloc_percpu_gfp(bad[i][0], bad[i][1], GFP_NOWAIT));
		cr_expect(sink_len == 0);
	}
	free_percpu(NULL);
}

/* Without direct reclaim nothing is mapped; what there is can be had. */
Test(percpu_alloc, nowait_makes_no_system_call)
{
	void *p;

	kfree(kmalloc(8, GFP_KERNEL));
	fault_every_call(true);
	cr_expect(!alloc_percpu_gfp(long, GFP_NOWAIT));
	cr_expect(fault_hits == 0);
	cr_expect(!alloc_percpu(long), "memory without memory");
	fault_every_call(false);
	p = alloc_percpu(long);
	cr_assert(p);
	free_percpu(p);
	fault_every_call(true);
	p = alloc_percpu_gfp(long, GFP_NOWAIT);
	cr_expect(p && fault_hits == 1, "%lu", fault_hits);
	fault_every_call(false);
	free_percpu(p);
}

/* Against a model: pieces that do not overlap, at random, in several chunks. */
Test(percpu_alloc, model)
{
	static struct { unsigned char *p; size_t size; } piece[NR];
	unsigned int last = num_possible_cpus() - 1;
	u64 seed = 7;

	for (int i = 0; i < 20000; i++) {
		unsigned int n = (unsigned int)(rnd(&seed) % NR);

		if (piece[n].p) {
			cr_assert(all_bytes(piece[n].p, piece[n].size, (unsigned char)n));
			cr_assert(all_bytes(per_cpu_ptr(piece[n].p, last), piece[n].size,
					    (unsigned char)(last ? ~n : n)));
			free_percpu(piece[n].p);
			piece[n].p = NULL;
			continue;
		}
		piece[n].size = rnd(&seed) % 16 ? 1 + rnd(&seed) % 200 : 1 + rnd(&seed) % 9000;
		piece[n].p = __alloc_percpu(piece[n].size, 1UL << rnd(&seed) % 8);
		cr_assert(piece[n].p && all_bytes(piece[n].p, piece[n].size, 0));
		memset(per_cpu_ptr(piece[n].p, last), (int)~n, piece[n].size);
		memset(piece[n].p, (int)n, piece[n].size);
		if (i % 500 == 0)
			cr_assert(percpu_alloc_validate() == 0);
	}
	for (unsigned int n = 0; n < NR; n++)
		free_percpu(piece[n].p);
	cr_expect(percpu_alloc_validate() == 0);
}

/* Every second granule of a chunk is free: nothing longer has a place, nor anything at 16 bytes. */
Test(percpu_alloc, what_has_no_place_hides_nothing_that_has)
{
	static char *p[(1UL << KMEM_PCPU_SHIFT) / 8];
	char *strict, *longer, *lax, *first_free = NULL;

	for (unsigned int i = 0; i < ARRAY_SIZE(p); i++)
		cr_assert(p[i] = __alloc_percpu(8, 8));
	for (unsigned int i = 0; i < ARRAY_SIZE(p); i++) {
		if ((unsigned long)p[i] % 16) {
			if (!first_free)
				first_free = p[i];
			free_percpu(p[i]);
			p[i] = NULL;
		}
	}
	cr_assert(strict = __alloc_percpu(8, PCPU_MAX_ALIGN));
	cr_expect(percpu_alloc_validate() == 0, "an alignment of %lu", PCPU_MAX_ALIGN);
	cr_assert(longer = __alloc_percpu(16, 8));
	cr_expect(percpu_alloc_validate() == 0, "16 bytes");
	cr_assert(lax = __alloc_percpu(8, 8));
	cr_expect(lax == first_free, "%p, not %p", lax, first_free);
	free_percpu(p[0]);
	cr_expect(percpu_alloc_validate() == 0, "after a free");
	free_percpu(strict);
	free_percpu(longer);
	free_percpu(lax);
	for (unsigned int i = 1; i < ARRAY_SIZE(p); i++)
		free_percpu(p[i]);
	cr_expect(percpu_alloc_validate() == 0);
}

static void free_twice(void)
{
	void *p = alloc_percpu(long);

	free_percpu(p);
	free_percpu(p);
}

static void free_inside(void)
{
	free_percpu((char *)__alloc_percpu(64, 8) + 8);
}

static void free_other(void)
{
	free_percpu(kmalloc(64, GFP_KERNEL));
}

static void free_copy(void)
{
	free_percpu(per_cpu_ptr(alloc_percpu(long), num_possible_cpus() - 1 + !(num_possible_cpus() - 1)));
}

Test(percpu_alloc, bad_frees_stop_the_program)
{
	assert_aborts(free_twice, "is no per-CPU memory in use");
	assert_aborts(free_inside, "is no per-CPU memory in use");
	assert_aborts(free_other, "is no per-CPU memory in use");
	assert_aborts(free_copy, "is no per-CPU memory in use");
}

static void *churn(void *arg)
{
	u64 seed = (u64)(unsigned long)arg;

	for (int i = 0; i < 3000; i++) {
		size_t size = 1 + rnd(&seed) % 500;
		char *p = __alloc_percpu(size, 8);

		if (!p)
			return (void *)1;
		if (!all_bytes(per_cpu_ptr(p, num_possible_cpus() - 1), size, 0))
			return (void *)2;
		memset(per_cpu_ptr(p, num_possible_cpus() - 1), 5, size);
		free_percpu(p);
	}
	return NULL;
}

Test(percpu_alloc, threads)
{
	pthread_t t[4];
	void *bad;

	for (unsigned long i = 0; i < 4; i++)
		cr_assert(pthread_create(&t[i], NULL, churn, (void *)(i + 1)) == 0);
	for (int i = 0; i < 4; i++) {
		pthread_join(t[i], &bad);
		cr_expect(!bad, "%lu", (unsigned long)bad);
	}
	cr_expect(percpu_alloc_validate() == 0);
}

/* A child has its own copies, and the lock is free. */
Test(percpu_alloc, fork)
{
	unsigned long *p = alloc_percpu(unsigned long);
	int status = -1;
	pid_t pid;

	cr_assert(p);
	this_cpu_add(*p, 5);
	pid = fork();
	cr_assert(pid >= 0);
	if (pid == 0) {
		this_cpu_add(*p, 1);
		free_percpu(alloc_percpu(long));
		_exit(sum_of(p) == 6 ? 0 : 1);
	}
	cr_assert(waitpid(pid, &status, 0) == pid);
	cr_expect(status == 0, "%#x", status);
	cr_expect(sum_of(p) == 5);
	free_percpu(p);
}

Test(percpu_alloc, freed_at_the_end_of_a_scope)
{
	void *first;

	{
		long *p __free(free_percpu) = alloc_percpu(long);

		first = p;
		cr_assert(p);
	}
	cr_expect((void *)alloc_percpu(long) == first, "not given back");
}
