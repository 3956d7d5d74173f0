// SPDX-License-Identifier: MIT
/*
 * The this_cpu operations, in both modes: this_cpu.c. That no update is lost when
 * they are interrupted at every instruction is shown by stress/rseq_step.c.
 */
#include "one_cpu.h"
#include "slab_test.h"

#include <kmem/percpu.h>
#include <sys/time.h>

TestSuite(this_cpu, .timeout = 120);

struct all_sizes {
	unsigned char guard0, byte, guard1;
	unsigned short half;
	unsigned int word;
	unsigned long quad;
	void *pointer;
	signed char sbyte;
	int sword;
	bool flag;
};

/* All on one CPU, where every copy but one stays zero: the sum of the copies is that one. */
#define SUM(field) ({							\
	unsigned int __cpu;						\
	__typeof__(p->field) __s = 0;					\
	for_each_possible_cpu(__cpu)					\
		__s += per_cpu_ptr(p, __cpu)->field;			\
	__s; })

#define CHECK_OPS(field, max) do {					\
	this_cpu_write(p->field, 5);					\
	cr_expect(this_cpu_read(p->field) == 5);			\
	this_cpu_add(p->field, 3);					\
	this_cpu_sub(p->field, 2);					\
	this_cpu_inc(p->field);						\
	this_cpu_dec(p->field);						\
	cr_expect(this_cpu_read(p->field) == 6);			\
	cr_expect(this_cpu_add_return(p->field, 10) == 16);		\
	cr_expect(this_cpu_sub_return(p->field, 4) == 12);		\
	cr_expect(this_cpu_inc_return(p->field) == 13);			\
	cr_expect(this_cpu_dec_return(p->field) == 12);			\
	this_cpu_or(p->field, 3);					\
	cr_expect(this_cpu_read(p->field) == 15);			\
	this_cpu_and(p->field, 9);					\
	cr_expect(this_cpu_read(p->field) == 9);			\
	cr_expect(this_cpu_xchg(p->field, 20) == 9);			\
	cr_expect(this_cpu_cmpxchg(p->field, 19, 1) == 20);		\
	cr_expect(this_cpu_read(p->field) == 20);			\
	cr_expect(this_cpu_cmpxchg(p->field, 20, 1) == 20);		\
	cr_expect(this_cpu_read(p->field) == 1);			\
	this_cpu_write(p->field, max);					\
	cr_expect(this_cpu_inc_return(p->field) == 0, #field " does not wrap"); \
	this_cpu_dec(p->field);						\
	cr_expect(this_cpu_read(p->field) == (max));			\
	cr_expect(this_cpu_cmpxchg(p->field, max, 0) == (max));		\
	cr_expect(SUM(field) == 0);					\
} while (0)

Test(this_cpu, every_operation_at_every_size)
{
	struct all_sizes *p = alloc_percpu(struct all_sizes);

	cr_assert(p);
	stay_on_this_cpu();
	this_cpu_write(p->guard0, 0xaa);
	this_cpu_write(p->guard1, 0xbb);
	CHECK_OPS(byte, (unsigned char)0xff);
	CHECK_OPS(half, (unsigned short)0xffff);
	CHECK_OPS(word, 0xffffffffU);
	CHECK_OPS(quad, ~0UL);
	CHECK_OPS(sbyte, (signed char)-1);
	CHECK_OPS(sword, -1);
	cr_expect(this_cpu_read(p->guard0) == 0xaa && this_cpu_read(p->guard1) == 0xbb,
		  "neighbours were written");
	free_percpu(p);
}

Test(this_cpu, pointers_and_flags)
{
	struct all_sizes *p = alloc_percpu(struct all_sizes);
	void *old;

	cr_assert(p);
	stay_on_this_cpu();
	this_cpu_write(p->pointer, p);
	cr_expect(this_cpu_read(p->pointer) == p);
	cr_expect(this_cpu_xchg(p->pointer, NULL) == p);
	old = &old;
	cr_expect(!this_cpu_try_cmpxchg(p->pointer, &old, p) && old == NULL);
	cr_expect(this_cpu_try_cmpxchg(p->pointer, &old, p));
	cr_expect(this_cpu_read(p->pointer) == p);
	cr_expect(this_cpu_ptr(p)->pointer == p);
	this_cpu_write(p->flag, true);
	cr_expect(this_cpu_read(p->flag));
	free_percpu(p);
}

#define ROUNDS	200000UL
#define THREADS	8

static struct all_sizes *shared;
static volatile unsigned long from_handler;

static void *count_up(void *arg)
{
	for (unsigned long i = 0; i < ROUNDS; i++) {
		this_cpu_inc(shared->quad);
		this_cpu_inc(shared->byte);
		this_cpu_add(shared->word, 3);
		if (i % 64 == 0) {
			unsigned short old = this_cpu_read(shared->half);

			while (!this_cpu_try_cmpxchg(shared->half, &old, (unsigned short)(old + 1)))
				;
		}
	}
	return arg;
}

static void on_timer(int sig)
{
	(void)sig;
	this_cpu_inc(shared->quad);
	__atomic_fetch_add(&from_handler, 1, __ATOMIC_RELAXED);
}

/* Eight threads on however many processors, and a timer's handler that counts, too. */
Test(this_cpu, sums_are_exact)
{
	struct itimerval often = { { 0, 500 }, { 0, 500 } }, off = { { 0, 0 }, { 0, 0 } };
	struct sigaction sa = { .sa_handler = on_timer, .sa_flags = SA_RESTART };
	struct all_sizes *p = shared = alloc_percpu(struct all_sizes);
	pthread_t t[THREADS];

	cr_assert(p);
	sigaction(SIGALRM, &sa, NULL);
	setitimer(ITIMER_REAL, &often, NULL);
	for (int i = 0; i < THREADS; i++)
		cr_assert(pthread_create(&t[i], NULL, count_up, NULL) == 0);
	for (int i = 0; i < THREADS; i++)
		pthread_join(t[i], NULL);
	setitimer(ITIMER_REAL, &off, NULL);
	cr_expect(SUM(quad) == THREADS * ROUNDS + from_handler, "%lu", SUM(quad));
	cr_expect(SUM(word) == 3 * THREADS * ROUNDS);
	cr_expect(SUM(byte) == (unsigned char)(THREADS * ROUNDS));
	cr_expect(SUM(half) == (unsigned short)(THREADS * ((ROUNDS + 63) / 64)));
	free_percpu(p);
}
