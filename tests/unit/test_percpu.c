// SPDX-License-Identifier: MIT
/*
 * Slots, their words, and the operations on them in both modes: percpu.c.
 * Magazines are made by hand here; magazine.c is tested by itself.
 */
#include "hand_made.h"
#include "one_cpu.h"
#include "slab_test.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <kmem/percpu.h>

#include "mm/arch/rseq.h"
#include "mm/task.h"
#include "mm/vcpu.h"

TestSuite(percpu, .timeout = 60);

/* The library is up, and this thread stays on one CPU. */
static void start(void)
{
	kfree(kmalloc(8, GFP_KERNEL));
	stay_on_this_cpu();
}

/* Loads a magazine where the caller runs; returns the CPU. */
static unsigned int load(unsigned int slot, void **top)
{
	for (;;) {
		unsigned int cpu = percpu_cpu();

		if (percpu_cmpxchg(cpu, slot, WORD_CLOSED, word_of(cpu, top)))
			return cpu;
	}
}

static unsigned int new_slot(void)
{
	unsigned int slot;

	lock(&slab_mutex);
	slot = percpu_slot_alloc();
	unlock(&slab_mutex);
	cr_assert(slot >= SLOT_DYNAMIC && slot < PERCPU_SLOTS);
	return slot;
}

/* ---- the mode --------------------------------------------------------------------------- */

Test(percpu, mode)
{
	const char *line = getenv("KMEM_CMDLINE");

	start();
	cr_expect(percpu.mode == PERCPU_RSEQ || percpu.mode == PERCPU_FALLBACK);
	if (line && strstr(line, "rseq=off"))
		cr_expect(percpu.mode == PERCPU_FALLBACK);
	cr_expect(percpu.nr_cpus >= 1 && percpu.base);
	cr_expect(percpu_cpu() < percpu.nr_cpus);
	if (percpu.mode == PERCPU_FALLBACK)
		cr_expect(percpu.can_drain);
	else
		cr_expect(kmem_hot.percpu_base == percpu.base);
}

/* In fallback mode the fast paths look at an area where every slot is closed. */
Test(percpu, hot_area_of_the_fallback_is_zero)
{
	start();
	if (percpu.mode != PERCPU_FALLBACK)
		return;
	for (unsigned int i = 0; i < 2000; i++)
		kfree(kmalloc(16 + i, GFP_KERNEL));
	for (unsigned int i = 0; i < PERCPU_SLOTS; i++)
		cr_assert(((long *)kmem_hot.percpu_base)[i] == 0, "slot %u", i);
}

/* While a vfork child is alive, on whatever CPU; what is there is ours, and stays so. */
Test(percpu, all_areas_are_zero_for_a_vfork_child)
{
	unsigned char resident[PERCPU_STRIDE / PAGE_SIZE];

	start();
	for (unsigned int i = 0; i < 2000; i++)
		kfree(kmalloc(16 + i, GFP_KERNEL));
	percpu_vfork_enter();
	cr_assert(kmem_hot.percpu_base == percpu.closed);
	for (unsigned int cpu = 0; cpu < (percpu.mode == PERCPU_RSEQ ? percpu.nr_cpus : 1); cpu++) {
		char *area = kmem_hot.percpu_base + cpu * PERCPU_STRIDE;

		cr_assert_eq(mincore(area, PERCPU_STRIDE, resident), 0, "cpu %u", cpu);
		for (unsigned int i = 0; i < PERCPU_SLOTS; i++)
			cr_assert(((long *)area)[i] == 0, "cpu %u slot %u", cpu, i);
	}
	percpu_vfork_leave();
}

/* Another thread's vfork child is nothing to a child of fork(). */
Test(percpu, a_child_has_no_vfork_children)
{
	int status;
	pid_t pid;

	start();
	percpu_vfork_enter();
	pid = fork();
	if (pid == 0) {
		unsigned int cpu;

		kfree(kmalloc(100, GFP_KERNEL));
		_exit(percpu.vforks || percpu_word(SLOT_KMALLOC, &cpu) == WORD_DRAINING ||
		      (percpu.mode == PERCPU_RSEQ && kmem_hot.percpu_base != percpu.base));
	}
	cr_assert(waitpid(pid, &status, 0) == pid);
	cr_expect_eq(status, 0);
	cr_expect_eq(percpu.vforks, 1, "in the parent it is there");
	percpu_vfork_leave();
	cr_expect_eq(percpu.vforks, 0);
}

Test(percpu, first_slots_are_zero_on_every_cpu)
{
	start();
	for (unsigned int i = 0; i < 2000; i++)
		kfree(kmalloc(16 + i, GFP_KERNEL));
	for (unsigned int cpu = 0; cpu < percpu.nr_cpus; cpu++)
		for (unsigned int slot = 0; slot < SLOT_KMALLOC; slot++)
			cr_assert(*percpu_slot(cpu, slot) == 0, "cpu %u slot %u", cpu, slot);
}

/* ---- registrations of our own: with GLIBC_TUNABLES=glibc.pthread.rseq=0 -------------------- */

static void *in_thread(void *(*fn)(void *))
{
	pthread_t t;
	void *result;

	kfree(kmalloc(8, GFP_KERNEL));
	if (!percpu.by_thread || percpu.mode != PERCPU_RSEQ)
		cr_skip_test("the C library registers threads, or nobody can");
	cr_assert_eq(pthread_create(&t, NULL, fn, NULL), 0);
	cr_assert_eq(pthread_join(t, &result), 0);
	return result;
}

/* Its first miss registers a thread; what may make no system call does not. */
static void *first_steps(void *arg)
{
	unsigned int saved, cpu;
	void *p;

	(void)arg;
	if (!kmalloc(40000, GFP_ATOMIC) || !kmalloc(300000, GFP_NOWAIT) ||
	    !alloc_pages(GFP_ATOMIC, 6) || percpu_thread_known())
		return "registered by a large request that may not wait";
	saved = task_save(TASK_NOWAIT);
	p = kmalloc(100, GFP_NOWAIT);
	if (!p || percpu_cpu() != percpu.nr_cpus - 1 || percpu_thread_ready())
		return "registered by what may not wait";
	task_restore(TASK_NOWAIT, saved);
	percpu_vfork_enter();
	kfree(p);
	if (percpu_thread_ready())
		return "registered as a vfork child";
	percpu_vfork_leave();
	kfree(kmalloc(100, GFP_KERNEL));
	if (percpu_word(SLOT_KMALLOC, &cpu) == WORD_DRAINING || cpu >= percpu.nr_cpus - 1)
		return "not registered by a miss";
	return NULL;
}

Test(percpu, a_thread_registers_when_it_first_misses)
{
	const char *fault = in_thread(first_steps);

	cr_expect(!fault, "%s", fault);
}

static u64 __percpu *counter;

/* Another library has registered it: it has no CPU, and uses no magazine. */
static void *of_another_library(void *arg)
{
	static __thread u32 other[8] __attribute__((aligned(32)));
	void *p[100];

	(void)arg;
	if (syscall(SYS_rseq, other, sizeof(other), 0, RSEQ_SIG))
		return "it could not be registered";
	for (unsigned int round = 0; round < 20; round++) {
		for (unsigned int i = 0; i < ARRAY_SIZE(p); i++) {
			p[i] = kmalloc(8 + i * 40, GFP_KERNEL);
			if (!p[i])
				return "no memory";
			memset(p[i], (int)i, 8 + i * 40);
			this_cpu_inc(*counter);
		}
		for (unsigned int i = 0; i < ARRAY_SIZE(p); i++)
			kfree(p[i]);
	}
	if (percpu_cpu() != percpu.nr_cpus - 1)
		return "it has a CPU";
	return *per_cpu_ptr(counter, percpu.nr_cpus - 1) == 2000 ? NULL : "not all was counted";
}

Test(percpu, a_thread_that_another_library_has_registered)
{
	const char *fault;

	counter = alloc_percpu(u64);
	cr_assert(counter);
	fault = in_thread(of_another_library);
	cr_expect(!fault, "%s", fault);
	for (unsigned int slot = 0; slot < PERCPU_SLOTS; slot++)
		cr_assert(*percpu_slot(percpu.nr_cpus - 1, slot) == WORD_CLOSED, "slot %u", slot);
	free_percpu(counter);
}

/* The child of fork() has its parent's registration, that of a thread that had none has none. */
static void *forks(void *arg)
{
	int status;
	pid_t pid = fork();

	(void)arg;
	if (pid == 0) {
		for (unsigned int i = 0; i < 5000; i++)
			kfree(kmalloc(8 + i % 2000, GFP_KERNEL));
		_exit(!percpu_thread_ready());
	}
	return waitpid(pid, &status, 0) == pid && status == 0 ? NULL : "the child did not come so far";
}

static void *forks_registered(void *arg)
{
	return percpu_thread_ready() ? forks(arg) : "not registered";
}

Test(percpu, registrations_and_fork)
{
	const char *fault = in_thread(forks);

	cr_expect(!fault, "%s", fault);
	fault = in_thread(forks_registered);
	cr_expect(!fault, "registered: %s", fault);
}

/* ---- words ------------------------------------------------------------------------------- */

Test(percpu, words_and_rounds)
{
	struct hand_made m;

	start();
	/* The compiler takes it that no other pointer arrives at a variable of ours. */
	__asm__ volatile("" : : "r"(&m) : "memory");
	for (unsigned int cpu = 0; cpu < percpu.nr_cpus; cpu++) {
		for (unsigned int n = 0; n <= CAP; n++) {
			void **top = hand_made_top(&m, n);
			long word = word_of(cpu, top);

			cr_assert(round_of(cpu, word) == top);
			cr_assert(word != WORD_CLOSED && word != WORD_DRAINING);
			cr_assert(word - 8 == word_of(cpu, top - 1));
		}
		cr_assert(percpu_area(cpu) == percpu.base + cpu * PERCPU_STRIDE);
		cr_assert((char *)percpu_slot(cpu, 7) == percpu_area(cpu) + 56);
	}
}

Test(percpu, closed_slots_miss)
{
	unsigned int slot;
	int thing;
	void *one = &thing;

	start();
	slot = new_slot();
	for (unsigned int cpu = 0; cpu < percpu.nr_cpus; cpu++)
		cr_assert(*percpu_slot(cpu, slot) == WORD_CLOSED);
	cr_expect(percpu_pop(slot) == NULL);
	cr_expect(!percpu_push(slot, &thing));
	cr_expect(percpu_pop(slot) == NULL);
	cr_expect(percpu_pop_bulk(slot, &one, 1) == 0);
	cr_expect(percpu_push_bulk(slot, &one, 1) == 0);
	percpu_slot_free(slot);
}

Test(percpu, draining_slots_miss)
{
	unsigned int slot;
	int thing;
	void *one = &thing;

	start();
	slot = new_slot();
	for (unsigned int cpu = 0; cpu < percpu.nr_cpus; cpu++)
		*percpu_slot(cpu, slot) = WORD_DRAINING;
	cr_expect(percpu_pop(slot) == NULL);
	cr_expect(!percpu_push(slot, &thing));
	cr_expect(percpu_pop_bulk(slot, &one, 1) == 0);
	cr_expect(percpu_push_bulk(slot, &one, 1) == 0);
	cr_expect(!percpu_cmpxchg(percpu_cpu(), slot, WORD_CLOSED, 4096));
	for (unsigned int cpu = 0; cpu < percpu.nr_cpus; cpu++) {
		cr_expect(*percpu_slot(cpu, slot) == WORD_DRAINING);
		*percpu_slot(cpu, slot) = WORD_CLOSED;
	}
	percpu_slot_free(slot);
}

/* ---- pop and push ---------------------------------------------------------------------------- */

Test(percpu, last_in_first_out)
{
	struct hand_made m;
	unsigned int slot, cpu;

	start();
	slot = new_slot();
	hand_made_init(&m, 2);
	cpu = load(slot, hand_made_top(&m, 2));
	cr_expect(percpu_push(slot, (void *)0xa000));
	cr_expect(percpu_push(slot, (void *)0xb000));
	cr_expect(*percpu_slot(cpu, slot) == word_of(cpu, &m.round[3]));
	cr_expect(percpu_push(slot, (void *)0xc000));
	cr_expect(!percpu_push(slot, (void *)0xd000), "full");
	cr_expect(m.end == NULL && m.bottom == NULL);
	cr_expect(percpu_pop(slot) == (void *)0xc000);
	cr_expect(percpu_pop(slot) == (void *)0xb000);
	cr_expect(percpu_pop(slot) == (void *)0xa000);
	cr_expect(percpu_pop(slot) == (void *)0x2000);
	cr_expect(percpu_pop(slot) == (void *)0x1000);
	cr_expect(percpu_pop(slot) == NULL, "empty");
	cr_expect(percpu_pop(slot) == NULL);
	cr_expect(*percpu_slot(cpu, slot) == word_of(cpu, &m.bottom));
	cr_expect(percpu_push(slot, (void *)0xe000));
	cr_expect(percpu_pop(slot) == (void *)0xe000);
	cr_expect(percpu_cmpxchg(cpu, slot, word_of(cpu, &m.bottom), WORD_CLOSED));
	percpu_slot_free(slot);
}

Test(percpu, full_and_empty_at_every_count)
{
	struct hand_made m;
	unsigned int slot;

	start();
	slot = new_slot();
	for (unsigned int n = 0; n <= CAP; n++) {
		unsigned int cpu, pushed = 0, popped = 0;

		hand_made_init(&m, n);
		cpu = load(slot, hand_made_top(&m, n));
		while (percpu_push(slot, (void *)(0x9000UL + pushed)))
			pushed++;
		cr_expect(pushed == CAP - n);
		while (percpu_pop(slot))
			popped++;
		cr_expect(popped == CAP);
		cr_expect(percpu_cmpxchg(cpu, slot, word_of(cpu, &m.bottom), WORD_CLOSED));
	}
	percpu_slot_free(slot);
}

static void bulk_at(unsigned int slot, unsigned int count, unsigned int n)
{
	unsigned int cpu, want = min(count, n), room = min(CAP - count, n);
	void *objects[CAP + 2] = { NULL };
	struct hand_made m;

	hand_made_init(&m, count);
	cpu = load(slot, hand_made_top(&m, count));
	cr_expect(percpu_pop_bulk(slot, objects, n) == want, "%u of %u", n, count);
	for (unsigned int i = 0; i < want; i++)
		cr_expect(objects[i] == (void *)(0x1000UL * (count - i)));
	cr_expect(!objects[want]);
	cr_expect(*percpu_slot(cpu, slot) == word_of(cpu, hand_made_top(&m, count - want)));
	while (percpu_pop(slot))
		;
	for (unsigned int i = 0; i < count; i++)
		cr_assert(percpu_push(slot, (void *)(0x1000UL * (i + 1))));

	for (unsigned int i = 0; i < n; i++)
		objects[i] = (void *)(0x9000UL + 0x1000UL * i);
	cr_expect(percpu_push_bulk(slot, objects, n) == room, "%u onto %u", n, count);
	cr_expect(m.end == NULL && m.bottom == NULL);
	for (unsigned int i = room; i-- > 0;)
		cr_expect(percpu_pop(slot) == objects[i]);
	for (unsigned int i = count; i-- > 0;)
		cr_expect(percpu_pop(slot) == (void *)(0x1000UL * (i + 1)));
	cr_expect(percpu_pop(slot) == NULL);
	cr_expect(percpu_cmpxchg(cpu, slot, word_of(cpu, &m.bottom), WORD_CLOSED));
}

Test(percpu, bulk_at_every_count)
{
	unsigned int slot;

	start();
	slot = new_slot();
	for (unsigned int count = 0; count <= CAP; count++)
		for (unsigned int n = 1; n <= CAP + 1; n++)
			bulk_at(slot, count, n);
	percpu_slot_free(slot);
}

Test(percpu, a_null_ends_a_bulk_push)
{
	void *objects[] = { (void *)0x9000, (void *)0xa000, NULL, (void *)0xb000 };
	struct hand_made m;
	unsigned int slot, cpu;

	start();
	slot = new_slot();
	hand_made_init(&m, 1);
	cpu = load(slot, hand_made_top(&m, 1));
	cr_expect(percpu_push_bulk(slot, objects, 4) == 2);
	cr_expect(percpu_push_bulk(slot, objects + 2, 2) == 0);
	cr_expect(percpu_push_bulk(slot, objects + 3, 1) == 1);
	cr_expect(percpu_pop(slot) == (void *)0xb000);
	cr_expect(percpu_pop(slot) == (void *)0xa000);
	cr_expect(percpu_pop(slot) == (void *)0x9000);
	cr_expect(percpu_pop(slot) == (void *)0x1000);
	cr_expect(percpu_pop(slot) == NULL);
	cr_expect(percpu_cmpxchg(cpu, slot, word_of(cpu, &m.bottom), WORD_CLOSED));
	percpu_slot_free(slot);
}

Test(percpu, cmpxchg)
{
	struct hand_made a, b;
	unsigned int slot, cpu;

	start();
	slot = new_slot();
	hand_made_init(&a, 1);
	hand_made_init(&b, 3);
	cpu = load(slot, hand_made_top(&a, 1));
	cr_expect(!percpu_cmpxchg(cpu, slot, WORD_CLOSED, word_of(cpu, &b.bottom)));
	cr_expect(!percpu_cmpxchg(cpu, slot, word_of(cpu, &a.bottom), 0));
	cr_expect(percpu_cmpxchg(cpu, slot, word_of(cpu, &a.round[0]), word_of(cpu, &b.round[2])));
	cr_expect(percpu_pop(slot) == (void *)0x3000);
	if (percpu.mode == PERCPU_RSEQ && percpu.nr_cpus > 1) {
		unsigned int other = (cpu + 1) % percpu.nr_cpus;

		cr_expect(!percpu_cmpxchg(other, slot, *percpu_slot(other, slot), 4096),
			  "the caller does not run there");
		cr_expect(*percpu_slot(other, slot) == WORD_CLOSED);
	}
	cr_expect(percpu_cmpxchg(cpu, slot, word_of(cpu, &b.round[1]), WORD_CLOSED));
	percpu_slot_free(slot);
}

/*
 * Where compilers put what is called from cold code only: an optimizer of whole programs made
 * kmem_cache_alloc() part of such a function. What a section keeps out of line must not lie there.
 */
#define IN_COLD_CODE	noinline __attribute__((section(".text.unlikely")))

IN_COLD_CODE static bool cold_push(unsigned int slot, void *object)
{
	return rseq_push(slot, object);
}

IN_COLD_CODE static void *cold_pop(unsigned int slot)
{
	return rseq_pop(slot);
}

IN_COLD_CODE static bool cold_cmpxchg(unsigned int cpu, unsigned int slot, long expect, long new)
{
	return rseq_cmpxchg(cpu, percpu_slot(cpu, slot), expect, new);
}

Test(percpu, sections_in_cold_code)
{
	struct hand_made m;
	unsigned int slot, cpu;
	bool hits;

	start();
	hits = percpu.mode == PERCPU_RSEQ;
	slot = new_slot();
	hand_made_init(&m, 1);
	cpu = load(slot, hand_made_top(&m, 1));
	cr_expect(cold_push(slot, (void *)0xa000) == hits);
	cr_expect(cold_pop(slot) == (hits ? (void *)0xa000 : NULL));
	cr_expect(cold_pop(slot) == (hits ? (void *)0x1000 : NULL));
	if (hits)
		cr_expect(cold_cmpxchg(cpu, slot, word_of(cpu, &m.bottom), WORD_CLOSED));
	else
		cr_expect(percpu_cmpxchg(cpu, slot, word_of(cpu, &m.round[0]), WORD_CLOSED));
	percpu_slot_free(slot);
}

/* ---- draining --------------------------------------------------------------------------------- */

static void **drained[64];
static unsigned int nr_drained;

static void note(void **top, void *arg)
{
	cr_assert(arg == &nr_drained);
	drained[nr_drained++] = top;
}

Test(percpu, drain_takes_every_cpus)
{
	static struct hand_made m[64];
	unsigned int slot, n;

	start();
	slot = new_slot();
	n = min(percpu.nr_cpus, 64U);
	for (unsigned int cpu = 0; cpu < n; cpu++) {
		hand_made_init(&m[cpu], cpu % (CAP + 1));
		*percpu_slot(cpu, slot) = word_of(cpu, hand_made_top(&m[cpu], cpu % (CAP + 1)));
	}
	if (!percpu_drain(slot, note, &nr_drained)) {
		cr_expect(!percpu.can_drain);
		return;
	}
	cr_expect(nr_drained == n, "%u of %u", nr_drained, n);
	for (unsigned int cpu = 0; cpu < n; cpu++) {
		cr_expect(drained[cpu] == hand_made_top(&m[cpu], cpu % (CAP + 1)));
		cr_expect(*percpu_slot(cpu, slot) == WORD_CLOSED);
	}
	nr_drained = 0;
	cr_expect(percpu_drain(slot, note, &nr_drained));
	cr_expect(nr_drained == 0, "there was nothing left");
	percpu_slot_free(slot);
}

Test(percpu, drain_dead_takes_every_cpus)
{
	static struct hand_made m[64];
	unsigned int slot, n;

	start();
	slot = new_slot();
	n = min(percpu.nr_cpus, 64U);
	for (unsigned int cpu = 0; cpu < n; cpu++) {
		hand_made_init(&m[cpu], 1);
		*percpu_slot(cpu, slot) = word_of(cpu, hand_made_top(&m[cpu], 1));
	}
	percpu_drain_dead(slot, note, &nr_drained);
	cr_expect(nr_drained == n);
	for (unsigned int cpu = 0; cpu < n; cpu++)
		cr_expect(*percpu_slot(cpu, slot) == WORD_CLOSED);
	percpu_slot_free(slot);
}

static bool refuse_membarrier(enum host_call call)
{
	return call == HOST_MEMBARRIER;
}

/* A sandbox that refuses membarrier: what is loaded stays loaded and good. */
Test(percpu, drain_without_membarrier)
{
	struct hand_made m;
	unsigned int slot, cpu;

	start();
	if (percpu.mode != PERCPU_RSEQ || !percpu.can_drain)
		return;
	slot = new_slot();
	hand_made_init(&m, 2);
	cpu = load(slot, hand_made_top(&m, 2));
	host_fault = refuse_membarrier;
	cr_expect(!percpu_drain(slot, note, &nr_drained));
	cr_expect(nr_drained == 0);
	cr_expect(!percpu.can_drain);
	cr_expect(*percpu_slot(cpu, slot) == word_of(cpu, &m.round[1]));
	cr_expect(percpu_pop(slot) == (void *)0x2000);
	cr_expect(percpu_push(slot, (void *)0x7000));
	cr_expect(percpu_pop(slot) == (void *)0x7000);
}

/* ---- one magazine, many threads, and a drainer -------------------------------------------------- */

#define TOKENS	4

static unsigned int race_slot;
static bool race_stop;
static unsigned long race_errors, race_pops, race_takes;
static struct hand_made race_mag;
static unsigned int token_taken[TOKENS];	/* 1: with a thread; 0: in the magazine, or on its way */

static unsigned int token_of(void *p)
{
	return (unsigned int)((unsigned long)p / 0x1000 - 1);
}

static void token_claim(void *p)
{
	if (token_of(p) >= TOKENS ||
	    __atomic_exchange_n(&token_taken[token_of(p)], 1, __ATOMIC_ACQ_REL))
		stat_inc(race_errors);
}

/* In fallback mode: no virtual CPU of its own for this thread; those are test_vcpu.c's. */
static void share(void)
{
	vcpu_own = NULL;
	vcpu_thread_init();
}

/* Takes one token and gives it back, for ever; a token is never with two threads. */
static void *race(void *arg)
{
	(void)arg;
	share();
	percpu_thread_ready();
	while (!READ_ONCE(race_stop)) {
		void *p = percpu_pop(race_slot);

		if (!p) {
			sched_yield();
			continue;
		}
		stat_inc(race_pops);
		token_claim(p);
		__atomic_store_n(&token_taken[token_of(p)], 0, __ATOMIC_RELEASE);
		while (!percpu_push(race_slot, p)) {
			if (READ_ONCE(race_stop))
				return p;	/* the magazine may be elsewhere for good */
			sched_yield();
		}
	}
	return NULL;
}

static void take(void **top, void *arg)
{
	unsigned int *count = arg;

	race_takes++;
	for (*count = 0; *top; top--, *count += 1)
		;
	if (top != &race_mag.bottom)
		race_errors++;
}

/* Loads it on the CPU where the drainer runs now. */
static void reload(unsigned int count)
{
	for (;;) {
		unsigned int cpu = percpu_cpu();

		if (percpu_cmpxchg(cpu, race_slot, WORD_CLOSED,
				   word_of(cpu, hand_made_top(&race_mag, count))))
			return;
	}
}

/* Sends the caller to another CPU, so that the magazine gets about. */
static void move_on(unsigned int round)
{
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET(round % (unsigned int)sysconf(_SC_NPROCESSORS_ONLN), &one);
	sched_setaffinity(0, sizeof(one), &one);
}

/*
 * The one magazine goes from CPU to CPU while threads pop and push. Each drain
 * finds it whole: the tokens in it are distinct and with nobody, and in the end
 * none is lost. (While it is off its CPU, threads with a token wait.)
 */
Test(percpu, drain_against_running_threads)
{
	bool seen[TOKENS] = { false };
	unsigned int count = 0, n = 0;
	pthread_t t[4];

	kfree(kmalloc(8, GFP_KERNEL));
	share();
	race_slot = new_slot();
	hand_made_init(&race_mag, TOKENS);
	reload(TOKENS);
	for (unsigned int i = 0; i < ARRAY_SIZE(t); i++)
		pthread_create(&t[i], NULL, race, NULL);
	for (unsigned int round = 0; round < 2000; round++) {
		unsigned long before = race_takes;

		if (!percpu_drain(race_slot, take, &count))
			break;		/* no membarrier here */
		if (race_takes == before)
			continue;	/* its users were quicker */
		cr_assert(race_takes == before + 1, "one magazine, taken twice");
		cr_assert(count <= TOKENS, "%u tokens", count);
		for (unsigned int i = 0; i < count; i++)
			for (unsigned int j = 0; j < i; j++)
				cr_assert(race_mag.round[i] != race_mag.round[j]);
		move_on(round);
		reload(count);
		if (round % 4)
			usleep(100);	/* for others to come to this CPU */
	}
	WRITE_ONCE(race_stop, true);
	for (unsigned int i = 0; i < ARRAY_SIZE(t); i++) {
		void *kept;

		pthread_join(t[i], &kept);
		if (kept)
			seen[token_of(kept)] = true;
		n += kept != NULL;
	}
	cr_expect(race_errors == 0, "%lu errors in %lu pops", race_errors, race_pops);
	cr_expect(race_pops > 0);
	percpu_drain_dead(race_slot, take, &count);
	cr_expect(count + n == TOKENS, "%u of %u tokens are left", count + n, TOKENS);
	for (unsigned int i = 0; i < count; i++)
		seen[token_of(race_mag.round[i])] = true;
	for (unsigned int i = 0; i < TOKENS; i++)
		cr_expect(seen[i], "token %u is lost", i);
}

/* ---- slot numbers ------------------------------------------------------------------------------------ */

Test(percpu, slot_numbers)
{
	static bool seen[PERCPU_SLOTS];
	unsigned int n = 0, first = 0, slot;

	start();
	while ((slot = percpu_slot_alloc()) != SLOT_NONE) {
		cr_assert(slot >= SLOT_DYNAMIC && slot < PERCPU_SLOTS && !seen[slot]);
		seen[slot] = true;
		first = first ? first : slot;
		n++;
	}
	cr_expect(n > PERCPU_SLOTS - 512, "%u slots", n);
	percpu_slot_free(first);
	cr_expect(percpu_slot_alloc() == first);
	cr_expect(percpu_slot_alloc() == SLOT_NONE);
}
