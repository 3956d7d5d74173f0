// SPDX-License-Identifier: MIT
/*
 * Virtual CPUs of fallback mode, shared ones and such as have an owner: vcpu.c. Operations
 * are stopped in the middle by hand, as a preempted thread or a signal would.
 */
#include "hand_made.h"
#include "slab_test.h"

#include <sys/wait.h>
#include <unistd.h>

#include "mm/task.h"
#include "mm/vcpu.h"

TestSuite(vcpu, .timeout = 60);

static unsigned int slot;

/*
 * False: there are none with owners, in RSEQ mode or since the kernel (qemu's, for one) has no
 * membarrier.
 */
static bool start(void)
{
	kfree(kmalloc(8, GFP_KERNEL));
	if (percpu.mode != PERCPU_FALLBACK) {
		cr_assert(!vcpu_own);
		return false;
	}
	lock(&slab_mutex);
	slot = percpu_slot_alloc();
	unlock(&slab_mutex);
	cr_assert(slot >= SLOT_DYNAMIC);
	if (vcpu_first_owned() < percpu.nr_cpus)
		return true;
	cr_assert(host_membarrier_register() != 0 || host_membarrier() != 0, "why is there none?");
	return false;
}

/* Loads a magazine on the caller's. */
static unsigned int load(struct hand_made *m, unsigned int count)
{
	unsigned int cpu = percpu_cpu();

	cr_assert(percpu_cmpxchg(cpu, slot, WORD_CLOSED, word_of(cpu, hand_made_top(m, count))));
	return cpu;
}

static unsigned int drained, rounds;

static void count_drained(void **top, void *arg)
{
	(void)arg;
	drained++;
	for (; *top; top--)
		rounds++;
}

static bool owned(unsigned int cpu)
{
	return cpu >= vcpu_first_owned() && cpu < percpu.nr_cpus;
}

/* ---- owners ------------------------------------------------------------------------------- */

static void *number(void *arg)
{
	*(int *)arg = host_gettid();
	return (void *)(unsigned long)percpu_cpu();
}

/* Its end: pthread_join() returns a little before. */
static void gone(int tid)
{
	while (host_thread_exists(tid))
		usleep(100);
}

static unsigned int number_of_another(void)
{
	pthread_t t;
	void *n;
	int tid;

	cr_assert(pthread_create(&t, NULL, number, &tid) == 0);
	pthread_join(t, &n);
	gone(tid);
	return (unsigned int)(unsigned long)n;
}

Test(vcpu, each_thread_has_its_own)
{
	unsigned int mine, other;

	if (!start())
		return;
	mine = percpu_cpu();
	other = number_of_another();
	cr_expect(owned(mine) && owned(other) && mine != other, "%u, %u", mine, other);
	for (int i = 0; i < 300; i++)
		cr_assert(number_of_another() == other, "that of a thread which has ended");
	cr_expect(percpu_cpu() == mine);
}

#define MANY	(VCPUS_OWNED_MAX + 6)

static unsigned int numbers[MANY];
static pthread_barrier_t all_there;

static void *stay(void *arg)
{
	unsigned int *n = arg;

	*n = percpu_cpu();
	pthread_barrier_wait(&all_there);
	for (unsigned int i = 0; i < 2000; i++) {
		void *p = kmalloc(8 + i % 500, GFP_KERNEL);

		if (!p)
			*n = ~0U;
		kfree(p);
	}
	pthread_barrier_wait(&all_there);
	return NULL;
}

Test(vcpu, more_threads_than_there_are)
{
	pthread_t t[MANY];
	unsigned int with = 0;

	if (!start())
		return;
	cr_assert(pthread_barrier_init(&all_there, NULL, MANY) == 0);
	for (unsigned int i = 0; i < MANY; i++)
		cr_assert(pthread_create(&t[i], NULL, stay, &numbers[i]) == 0);
	for (unsigned int i = 0; i < MANY; i++)
		pthread_join(t[i], NULL);
	for (unsigned int i = 0; i < MANY; i++) {
		cr_assert(numbers[i] < percpu.nr_cpus);
		with += owned(numbers[i]);
		for (unsigned int j = 0; j < i; j++)
			cr_expect(numbers[i] != numbers[j] || !owned(numbers[i]), "%u twice",
				  numbers[i]);
	}
	cr_expect(with + 1 == percpu.nr_cpus - vcpu_first_owned(), "one is this thread's: %u", with);
}

/* Those that share one get their own once there is one. */
Test(vcpu, another_look_later)
{
	unsigned int n;

	if (!start())
		return;
	vcpu_own = NULL;	/* it is still in our name */
	n = vcpu_number();
	cr_expect(!owned(n));
	for (int i = 0; i < 70; i++)
		percpu_thread_ready();
	cr_expect(owned(vcpu_number()), "and is ours again");
}

/* The library's own threads, and callers that may make no system call. */
static void *nobody(void *arg)
{
	(void)arg;
	task_save(TASK_NOWAIT);
	if (owned(percpu_cpu()))
		return (void *)1;
	task_restore(TASK_NOWAIT, 0);
	vcpu_thread_init();
	return owned(percpu_cpu()) ? (void *)2 : NULL;
}

Test(vcpu, who_has_none)
{
	pthread_t t;
	void *result;

	if (!start())
		return;
	cr_assert(pthread_create(&t, NULL, nobody, NULL) == 0);
	pthread_join(t, &result);
	cr_expect(result == NULL, "%p", result);
}

/* Its id would be that of the child, which ends; the parent goes on with it. */
static void *beside_a_vfork_child(void *arg)
{
	(void)arg;
	percpu_vfork_enter();
	if (owned(percpu_cpu()))
		return (void *)1;
	percpu_vfork_leave();
	percpu.pid++;		/* or a child by clone(), which nobody has counted */
	for (int i = 0; i < 200; i++)
		if (owned(percpu_cpu()))
			return (void *)2;
	percpu.pid--;
	return NULL;
}

Test(vcpu, a_vfork_child_gets_none)
{
	pthread_t t;
	void *result;

	if (!start())
		return;
	cr_assert(pthread_create(&t, NULL, beside_a_vfork_child, NULL) == 0);
	pthread_join(t, &result);
	cr_expect(result == NULL, "%p", result);
}

/* ---- operations ------------------------------------------------------------------------------ */

Test(vcpu, hits)
{
	static struct hand_made m;
	void *p;

	if (!start())
		return;
	cr_expect(!vcpu_hit_pop(slot) && !vcpu_hit_push(slot, (void *)0x9000), "closed");
	hand_made_init(&m, CAP - 1);
	load(&m, CAP - 1);
	cr_expect(vcpu_hit_push(slot, (void *)0x9000));
	cr_expect(!vcpu_hit_push(slot, (void *)0xa000), "full");
	cr_expect(vcpu_hit_pop(slot) == (void *)0x9000);
	for (unsigned int i = CAP - 1; i-- > 0;) {
		p = vcpu_hit_pop(slot);
		cr_expect(p == (void *)(0x1000UL * (i + 1)), "%p", p);
	}
	cr_expect(vcpu_hit_pop(slot) == NULL);
	cr_expect(vcpu_own->busy == 0);
}

/* A signal handler that interrupts its thread in an operation works on a shared one. */
Test(vcpu, an_operation_in_an_operation)
{
	static struct hand_made m;
	unsigned int cpu, n;
	long word;

	if (!start())
		return;
	hand_made_init(&m, 3);
	cpu = load(&m, 3);
	word = *percpu_slot(cpu, slot);
	cr_assert(vcpu_enter(vcpu_own));
	cr_expect(!vcpu_hit_pop(slot) && !vcpu_hit_push(slot, (void *)0x9000));
	cr_expect(!percpu_pop(slot) && !percpu_push(slot, (void *)0x9000));
	cr_expect(!percpu_cmpxchg(cpu, slot, word, WORD_CLOSED));
	for (n = 0; n < 3000; n++)
		kfree(kmalloc(8 + n, GFP_KERNEL));
	cr_expect(*percpu_slot(cpu, slot) == word, "nobody has been there");
	vcpu_leave(vcpu_own);
	cr_expect(percpu_pop(slot) == (void *)0x3000);
}

/* ---- drainers ----------------------------------------------------------------------------------- */

static struct hand_made of_another;
static int step;

static void step_to(int n)
{
	__atomic_store_n(&step, n, __ATOMIC_RELEASE);
}

static void await(int n)
{
	while (__atomic_load_n(&step, __ATOMIC_ACQUIRE) < n)
		usleep(100);
}

/* Reads its word, is interrupted for as long as the test wants, and commits. */
static void *interrupted(void *arg)
{
	unsigned int cpu = (percpu_thread_ready(), vcpu_number());
	long word;

	(void)arg;
	hand_made_init(&of_another, 4);
	load(&of_another, 4);
	vcpu_enter(vcpu_own);
	word = READ_ONCE(*percpu_slot(cpu, slot));
	step_to(1);
	await(2);
	WRITE_ONCE(*percpu_slot(cpu, slot), word - 8);
	vcpu_leave(vcpu_own);
	step_to(3);
	await(4);
	return NULL;
}

/* The owner stays in an operation: the drainer gives up, and what it then commits counts. */
Test(vcpu, an_owner_that_does_not_leave)
{
	pthread_t t;
	u64 before;

	if (!start())
		return;
	cr_assert(pthread_create(&t, NULL, interrupted, NULL) == 0);
	await(1);
	cr_expect(!percpu_drain(slot, count_drained, NULL));
	before = host_now_ms();
	for (int i = 0; i < 300; i++)
		cr_expect(!percpu_drain(slot, count_drained, NULL));
	cr_expect(host_now_ms() - before < 3000, "it is waited for once");
	cr_expect(drained == 0);
	step_to(2);
	await(3);
	cr_expect(percpu_drain(slot, count_drained, NULL));
	cr_expect(drained == 1 && rounds == 3, "%u, %u", drained, rounds);
	step_to(4);
	pthread_join(t, NULL);
}

static void *commit_soon(void *arg)
{
	(void)arg;
	usleep(3000);
	step_to(2);
	return NULL;
}

/* It commits over WORD_DRAINING while the drainer waits. */
Test(vcpu, an_owner_that_commits_meanwhile)
{
	pthread_t t, soon;

	if (!start())
		return;
	cr_assert(pthread_create(&t, NULL, interrupted, NULL) == 0);
	await(1);
	cr_assert(pthread_create(&soon, NULL, commit_soon, NULL) == 0);
	while (!percpu_drain(slot, count_drained, NULL))
		;	/* on a busy machine it may be late */
	cr_expect(drained == 1 && rounds == 3, "%u, %u", drained, rounds);
	await(3);
	step_to(4);
	pthread_join(t, NULL);
	pthread_join(soon, NULL);
}

/*
 * An owner pops and pushes as fast as it can; each drain finds its magazine whole and hands it
 * back by a mailbox.
 */
#define ROUNDS	CAP

static struct hand_made *mailbox;
static unsigned int mail_count;
static unsigned long pops, errors;
static bool stop, taken[ROUNDS];

static void *owner(void *arg)
{
	(void)arg;
	percpu_thread_ready();
	while (!READ_ONCE(stop)) {
		struct hand_made *m = __atomic_exchange_n(&mailbox, NULL, __ATOMIC_ACQUIRE);
		void *p;

		if (m)
			load(m, mail_count);
		p = pops % 2 ? vcpu_hit_pop(slot) : percpu_pop(slot);
		if (!p)
			continue;
		stat_inc(pops);
		errors += taken[(unsigned long)p / 0x1000 - 1];
		taken[(unsigned long)p / 0x1000 - 1] = true;
		taken[(unsigned long)p / 0x1000 - 1] = false;
		while (!(pops % 3 ? vcpu_hit_push(slot, p) : percpu_push(slot, p))) {
			/* It is away: it comes back without this one. */
			m = __atomic_exchange_n(&mailbox, NULL, __ATOMIC_ACQUIRE);
			if (m)
				load(m, mail_count);
			if (READ_ONCE(stop))
				return p;
		}
	}
	return NULL;
}

static unsigned int found;

static void hand_back(void **top, void *arg)
{
	struct hand_made *m = arg;
	unsigned int n = 0;

	drained++;
	for (void **p = top; *p; p--, n++)
		for (void **q = p - 1; *q; q--)
			errors += *p == *q;
	errors += top != hand_made_top(m, n) || n < ROUNDS - 1;
	found = mail_count = n;
	__atomic_store_n(&mailbox, m, __ATOMIC_RELEASE);
}

Test(vcpu, drained_while_it_works)
{
	static struct hand_made m;
	unsigned int before;
	pthread_t t;
	void *kept;

	if (!start())
		return;
	hand_made_init(&m, ROUNDS);
	mail_count = ROUNDS;
	mailbox = &m;
	cr_assert(pthread_create(&t, NULL, owner, NULL) == 0);
	for (unsigned int i = 0; i < 3000; i++) {
		percpu_drain(slot, hand_back, &m);
		if (i % 3 == 0)
			usleep(50);
	}
	WRITE_ONCE(stop, true);
	pthread_join(t, &kept);
	cr_expect(errors == 0, "%lu", errors);
	cr_expect(drained > 100 && pops > 1000, "%u drains, %lu pops", drained, pops);
	before = drained;
	mailbox = NULL;
	cr_expect(percpu_drain(slot, hand_back, &m));
	if (drained > before)
		cr_expect(found + (kept != NULL) == ROUNDS, "%u and %p", found, kept);
}

static void *leave_some_more(void *arg)
{
	percpu_thread_ready();
	load(arg, 1);
	return vcpu_own->busy ? arg : NULL;
}

/* One that has died in an operation is not waited for, nor does the next owner begin in it. */
static void *die_in_it(void *arg)
{
	load(arg, 3);
	vcpu_enter(vcpu_own);
	return (void *)(long)host_gettid();
}

Test(vcpu, an_owner_that_died_in_an_operation)
{
	static struct hand_made m;
	pthread_t t;
	void *p;

	if (!start())
		return;
	hand_made_init(&m, 3);
	cr_assert(pthread_create(&t, NULL, die_in_it, &m) == 0);
	pthread_join(t, &p);
	gone((int)(long)p);
	cr_expect(percpu_drain(slot, count_drained, NULL));
	cr_expect(drained == 1 && rounds == 3, "%u, %u", drained, rounds);
	hand_made_init(&m, 1);
	cr_assert(pthread_create(&t, NULL, leave_some_more, &m) == 0);
	pthread_join(t, &p);
	cr_expect(p == NULL, "%p", p);
}

/*
 * Two threads look at one whose owner has died; the id is given to the one that takes it. The
 * other one, which has seen the dead owner, comes too late.
 */
Test(vcpu, a_thread_id_that_is_used_again)
{
	u64 seen, mine;

	if (!start())
		return;
	percpu_thread_ready();
	seen = mine = vcpu_own->owner;
	vcpu_own = NULL;
	for (int i = 0; i < 70 && !vcpu_own; i++)
		percpu_thread_ready();
	cr_assert(vcpu_own);
	cr_expect((u32)vcpu_own->owner == (u32)mine, "the same thread");
	cr_expect(vcpu_own->owner != seen, "and who has looked before can tell");
}

/* A vfork child that was killed in an operation. */
Test(vcpu, a_killed_vfork_child)
{
	if (!start())
		return;
	percpu_thread_ready();
	percpu_vfork_enter();
	vcpu_enter(vcpu_own);
	percpu_vfork_leave();
	cr_expect(vcpu_own->busy == 0);
}

/*
 * A drainer sees a magazine, and its owner takes it off before the drainer does: the slot is
 * closed behind both of them, and can be used.
 */
static void *on_and_off(void *arg)
{
	unsigned int cpu = (percpu_thread_ready(), vcpu_number());

	while (!READ_ONCE(stop)) {
		long word = word_of(cpu, hand_made_top(arg, 2));

		if (percpu_cmpxchg(cpu, slot, WORD_CLOSED, word))
			percpu_cmpxchg(cpu, slot, word, WORD_CLOSED);
	}
	return (void *)(unsigned long)cpu;
}

static void no_matter(void **top, void *arg)
{
	(void)top, (void)arg;
}

Test(vcpu, no_slot_is_left_draining)
{
	static struct hand_made m;
	unsigned int left = 0;
	pthread_t t;
	void *cpu;

	if (!start())
		return;
	hand_made_init(&m, 2);
	cr_assert(pthread_create(&t, NULL, on_and_off, &m) == 0);
	for (int i = 0; i < 20000; i++) {
		if (percpu_drain(slot, no_matter, NULL))
			for (unsigned int c = vcpu_first_owned(); c < percpu.nr_cpus; c++)
				left += READ_ONCE(*percpu_slot(c, slot)) == WORD_DRAINING;
	}
	WRITE_ONCE(stop, true);
	pthread_join(t, &cpu);
	cr_expect(left == 0, "%u", left);
}

/* What a thread leaves behind is drained, and is the next one's. */
static void *leave_some(void *arg)
{
	load(arg, 2);
	return (void *)(long)host_gettid();
}

static void *find_some(void *arg)
{
	(void)arg;
	percpu_thread_ready();
	return vcpu_hit_pop(slot);
}

Test(vcpu, what_a_dead_thread_leaves)
{
	static struct hand_made m;
	pthread_t t;
	void *p;

	if (!start())
		return;
	hand_made_init(&m, 2);
	cr_assert(pthread_create(&t, NULL, leave_some, &m) == 0);
	pthread_join(t, &p);
	gone((int)(long)p);
	cr_assert(pthread_create(&t, NULL, find_some, NULL) == 0);
	pthread_join(t, &p);
	cr_expect(p == (void *)0x2000, "%p", p);
	cr_expect(percpu_drain(slot, count_drained, NULL));
	cr_expect(drained == 1 && rounds == 1, "%u, %u", drained, rounds);
}

/* ---- fork ------------------------------------------------------------------------------------------ */

/* In the middle of an operation of another thread: in the child nobody is in it. */
Test(vcpu, fork_beside_an_owner)
{
	unsigned int mine;
	pthread_t t;
	int status;
	pid_t pid;

	if (!start())
		return;
	mine = percpu_cpu();
	cr_assert(pthread_create(&t, NULL, interrupted, NULL) == 0);
	await(1);
	pid = fork();
	if (pid == 0) {
		int wrong = 0;

		wrong |= percpu_cpu() != mine;
		wrong |= vcpu_own->owner != (u32)host_gettid() ? 2 : 0;
		wrong |= !percpu_drain(slot, count_drained, NULL) ? 4 : 0;
		wrong |= drained != 1 || rounds != 4 ? 8 : 0;
		for (unsigned int cpu = vcpu_first_owned(); cpu < percpu.nr_cpus; cpu++)
			wrong |= !vcpu_wait_left(cpu) ? 16 : 0;
		_exit(wrong);
	}
	cr_assert(waitpid(pid, &status, 0) == pid);
	cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == 0, "%x", status);
	step_to(2);
	await(3);
	step_to(4);
	pthread_join(t, NULL);
}
