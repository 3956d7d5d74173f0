// SPDX-License-Identifier: MIT
/*
 * rseq_step.c - interrupts every restartable sequence at every instruction.
 *
 * A child allocates and frees without pause; its parent traces it. For each
 * section (the descriptors of the ELF section __rseq_cs say where they are) and
 * each instruction in it the parent plants a breakpoint there. When the child
 * arrives it is stopped inside the section; the parent then
 *
 *	stop	does nothing: being stopped has taken the child off its CPU
 *	signal	sends it a signal, whose handler itself takes and frees an object of
 *		the very magazine that the section is about to change
 *	move	makes it go on on another CPU
 *	both	the signal, on another CPU
 *	drain	has another thread of the child take the magazines away meanwhile
 *
 * and lets it go on, with a breakpoint on the section's abort handler: it must
 * arrive there. Right behind the commit, by contrast, nothing may be restarted.
 * The child checks all the while that no object is handed out twice or written to
 * by others, and at the end that none is lost and all caches are valid.
 *
 * Where instructions begin is found out without a disassembler: a first child,
 * whose rseq registration has been given up, is single-stepped through each
 * section. (With a registration a section can't be stepped through: every step
 * would restart it.)
 */
#include "stress.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>

#include <kmem/percpu.h>
#include <kmem/rcu.h>

#include "mm/cmdline.h"
#include "mm/host/host.h"

#if !defined(__x86_64__) || !defined(__GLIBC__)

int main(void)
{
	puts("rseq_step: for x86-64, and a C library that registers threads: skipped");
	return 77;
}

#else

#ifndef SYS_rseq
#define SYS_rseq	334
#endif
#define RSEQ_SIGNATURE	0x53053053
#define RSEQ_UNREGISTER	1

extern const unsigned int __rseq_size __attribute__((weak));	/* glibc 2.35 */

struct descriptor {
	uint32_t version, flags;
	uint64_t start_ip, post_commit_offset, abort_ip;
} __attribute__((aligned(32)));

extern const struct descriptor __start___rseq_cs[] __attribute__((weak));
extern const struct descriptor __stop___rseq_cs[] __attribute__((weak));

#define MAX_SECTIONS	128
#define MAX_INSNS	40

static struct section {
	const struct descriptor *d;
	unsigned int nr;		/* instructions known */
	unsigned long insn[MAX_INSNS];
	unsigned long aborts;
} sections[MAX_SECTIONS];
static unsigned int nr_sections;

enum variant { STOP, SIGNAL, MOVE, BOTH, DRAIN, NR_VARIANTS };

/* Shared between parent and child. */
static struct {
	bool stop, drain_wanted;
	unsigned long rounds, signals, handler_hits, drains;
	unsigned long errors;
} *ctl;

/* ---- the child ------------------------------------------------------------------------ */

#define OBJECT	64
#define LIVE	160

static struct kmem_cache *cache;

/* A new object: it must not be anybody's. The allocator leaves free objects as they are. */
static void *claim(void *p, const char *from)
{
	struct stamp *s = p;

	if (!s) {
		stress_fail("%s: no memory", from);
		return NULL;
	}
	if (s->self == STAMP(s))
		stress_fail("%s: %p was handed out twice", from, p);
	return stress_stamp(s, OBJECT);
}

static void *unclaim(void *p)
{
	if (p)
		stress_unstamp(p);
	return p;
}

/*
 * Whether the loaded magazine has an object and room for one, right now. Only hits
 * are safe in a handler.
 */
static bool would_hit(unsigned int slot)
{
	unsigned int cpu = percpu_cpu();
	long word = READ_ONCE(*percpu_slot(cpu, slot));
	void **top = round_of(cpu, word);

	if (word == WORD_CLOSED || word == WORD_DRAINING || !READ_ONCE(*top))
		return false;
	return READ_ONCE(*(top + 1)) != NULL && READ_ONCE(*(top - 1)) != NULL;
}

/* ---- the child: this_cpu operations ---------------------------------------------------- */

static struct counters {
	uint8_t u8;
	uint16_t u16;
	uint32_t u32;
	uint64_t u64;
	uint8_t mask8;
	uint16_t mask16;
	uint32_t mask32;
	uint64_t mask64;
} *counters;
static uint64_t counted, counted_in_handler;

#define SUM_OF(field) __extension__ ({						\
	__typeof__(counters->field) __sum = 0;					\
	unsigned int __cpu;							\
	for_each_possible_cpu(__cpu)						\
		__sum += per_cpu_ptr(counters, __cpu)->field;			\
	__sum; })

/* Takes the value away in one way and puts it back, plus one, in another. */
#define MOVE_ROUND(field, type) do {						\
	type __was = this_cpu_xchg(counters->field, 0);				\
	type __is;								\
	this_cpu_add(counters->field, __was);					\
	__is = this_cpu_read(counters->field);					\
	while (!this_cpu_try_cmpxchg(counters->field, &__is, (type)(__is + 1)))	\
		;								\
} while (0)

#define MASK_ROUND(field) do {							\
	this_cpu_or(counters->field, 5);					\
	this_cpu_and(counters->field, 2);					\
} while (0)

static void count_round(void)
{
	MOVE_ROUND(u8, uint8_t);
	MOVE_ROUND(u16, uint16_t);
	MOVE_ROUND(u32, uint32_t);
	MOVE_ROUND(u64, uint64_t);
	MASK_ROUND(mask8);
	MASK_ROUND(mask16);
	MASK_ROUND(mask32);
	MASK_ROUND(mask64);
	counted++;
}

static void count_in_handler(void)
{
	this_cpu_add(counters->u8, 4);
	this_cpu_add(counters->u16, 4);
	this_cpu_add(counters->u32, 4);
	this_cpu_add(counters->u64, 4);
	counted_in_handler++;
}

/* Each round added one, on whichever CPU; the handler adds four more to each. */
static void check_counters(void)
{
	uint64_t all = counted + 4 * counted_in_handler;

	if (SUM_OF(u8) != (uint8_t)all || SUM_OF(u16) != (uint16_t)all ||
	    SUM_OF(u32) != (uint32_t)all || SUM_OF(u64) != all)
		stress_fail("counters: %lu, not %lu", (unsigned long)SUM_OF(u64),
			    (unsigned long)all);
}

/* ---- the child: its handler ------------------------------------------------------------ */

#define HELD	4

static void *held_cache[HELD], *held_kmalloc[HELD];

/*
 * Takes an object and keeps it, or frees one that it has kept: a pair of both would
 * leave the magazine as the interrupted section has seen it.
 */
static void handler(int sig)
{
	unsigned int i = (unsigned int)(ctl->signals++ / 3) % HELD;

	(void)sig;
	count_in_handler();
	if (would_hit(cache->mag.slot)) {
		if (held_cache[i]) {
			kmem_cache_free(cache, unclaim(held_cache[i]));
			held_cache[i] = NULL;
		} else {
			held_cache[i] = claim(kmem_cache_alloc(cache, GFP_NOWAIT),
					      "handler's kmem_cache_alloc");
		}
		ctl->handler_hits++;
	}
	if (would_hit(kmalloc_slot_table[OBJECT])) {
		if (held_kmalloc[i]) {
			MyFree(unclaim(held_kmalloc[i]));
			held_kmalloc[i] = NULL;
		} else {
			held_kmalloc[i] = claim(MyMalloc(OBJECT), "handler's MyMalloc");
		}
		ctl->handler_hits++;
	}
}

static void free_held(void)
{
	for (unsigned int i = 0; i < HELD; i++) {
		kmem_cache_free(cache, unclaim(held_cache[i]));
		MyFree(unclaim(held_kmalloc[i]));
	}
}

static void *take(unsigned int kind)
{
	void *p = NULL;

	switch (kind % 9) {
	case 0:
		return claim(kmem_cache_alloc(cache, GFP_KERNEL), "kmem_cache_alloc");
	case 1:
		return claim(MyRealloc(NULL, OBJECT), "MyRealloc of nothing");
	case 2:
		return claim(MyMalloc(OBJECT), "MyMalloc");
	case 3:
		return claim(kmalloc(OBJECT, GFP_KERNEL), "kmalloc");
	case 4:
		return claim(MyAlignedAlloc(kind / 9 % 2 ? OBJECT : 16, OBJECT), "MyAlignedAlloc");
	case 5:
		p = MyCalloc(1, OBJECT);
		break;
	case 6:
		p = kmem_cache_zalloc(cache, GFP_KERNEL);
		break;
	case 7:
		p = kzalloc(OBJECT, GFP_KERNEL);
		break;
	default:
		/* By the way of a larger class and back. */
		p = claim(MyMalloc(OBJECT), "MyMalloc");
		p = MyRealloc(unclaim(p), 2 * OBJECT);
		return claim(MyRealloc(p, OBJECT), "MyRealloc");
	}
	if (p && *(unsigned long *)p)
		stress_fail("kind %u: not zeroed", kind);
	return claim(p, "zeroed");
}

static void give(void *p, unsigned int kind)
{
	if (!unclaim(p))
		return;
	if (kind & 16)
		MyFree(p);
	else if (kind & 32)
		MyRealloc(p, 0);
	else if (virt_to_cache(p) == cache)
		kmem_cache_free(cache, p);
	else
		kfree(p);
}

/* Some at once, and back; one of them by itself, so that there is a NULL among them. */
static void bulk_round(unsigned int n)
{
	void *bulk[40];
	size_t nr = n % 40 + 1, alone = n % nr;

	if (kmem_cache_alloc_bulk(cache, GFP_KERNEL, nr, bulk) != (int)nr) {
		stress_fail("kmem_cache_alloc_bulk: no memory");
		return;
	}
	for (size_t i = 0; i < nr; i++)
		claim(bulk[i], "kmem_cache_alloc_bulk");
	for (size_t i = 0; i < nr; i++)
		unclaim(bulk[i]);
	kmem_cache_free(cache, bulk[alone]);
	bulk[alone] = NULL;
	kmem_cache_free_bulk(cache, nr, bulk);
}

/* Objects from any context, and some that are freed after a grace period. */
static void other_ways(unsigned int n)
{
	void *p = kmalloc_nolock(OBJECT, 0, NUMA_NO_NODE);	/* NULL where a lock is needed */
	struct page *page = alloc_pages_nolock(0, NUMA_NO_NODE, 0);

	if (p)
		kfree_nolock(unclaim(claim(p, "kmalloc_nolock")));
	kfree_nolock(kmalloc_nolock(3000, 0, NUMA_NO_NODE));	/* above malloc's table */
	if (page)
		free_pages_nolock(page, 0);
	/* Two of one cache go back in bulk, single ones by themselves. */
	for (unsigned int i = 0; i < 6; i++)
		kfree_rcu_mightsleep((char *)kmalloc(i < 3 ? OBJECT : OBJECT << i % 2, GFP_KERNEL));
	if (n % 4 == 0)
		kvfree_rcu_barrier();
}

/* No thread of the library's: nobody traces it, and it would meet the breakpoints. */
static bool no_threads(enum host_call call)
{
	return call == HOST_THREAD;
}

/* Hits in pairs, then a rise and a fall, so that the sections of the slow paths run, too. */
static void one_round(unsigned int n)
{
	static void *live[LIVE];
	unsigned long page;

	count_round();
	for (unsigned int i = 0; i < 64; i++)
		give(take(n + i), n + i / 2);
	for (unsigned int i = 0; i < LIVE; i++)
		live[i] = take(i + n);
	for (unsigned int i = 0; i < LIVE; i++)
		give(live[n & 1 ? i : LIVE - 1 - i], n + i);
	bulk_round(n);
	other_ways(n);
	page = __get_free_page(GFP_KERNEL);
	if (page)
		free_page(page);
	page = __get_free_pages(GFP_KERNEL, 2);
	if (page)
		free_pages(page, 2);
	for (unsigned int i = 0; i < 4; i++) {
		kfree(kmalloc(3000, GFP_KERNEL));
		MyFree(MyMalloc(3000));
		MyFree(MyAlignedAlloc(64, OBJECT));
	}
	/* Runs of pages to the CPU's stock and from there, and all that it has back. */
	for (unsigned int i = 0; i < 4; i++)
		MyFree(MyMalloc(100000));
	MyFree(MyMalloc(400000));
	if (n % 64 == 0)
		kmem_cache_shrink(cache);
	ctl->rounds++;
}

static void *drainer(void *arg)
{
	while (!READ_ONCE(ctl->stop)) {
		if (!smp_load_acquire(&ctl->drain_wanted)) {
			usleep(20);
			continue;
		}
		kmem_cache_shrink(cache);
		kmem_cache_shrink(kmalloc_caches[OBJECT / 16 - 1]);
		ctl->drains++;
		smp_store_release(&ctl->drain_wanted, false);
	}
	return arg;
}

static void unregister(void)
{
	char *rseq = thread_pointer() + kmem_hot.rseq_cs_off - 8;
	unsigned int size = percpu.by_thread || __rseq_size < 32 ? 32 : __rseq_size;

	if (syscall(SYS_rseq, rseq, size, RSEQ_UNREGISTER, RSEQ_SIGNATURE))
		_exit(77);
	memset(rseq, 0, 8);	/* the CPU: 0 */
}

static int child(bool registered)
{
	struct sigaction sa = { .sa_handler = handler };
	pthread_t t;
	long before, lost;

	signal(SIGALRM, SIG_DFL);
	alarm(150);
	sigaction(SIGUSR1, &sa, NULL);
	cache = kmem_cache_create("stress-step", OBJECT, 0, SLAB_NO_MERGE, NULL);
	counters = alloc_percpu(struct counters);
	if (!counters)
		return 2;
	host_fault = no_threads;
	one_round(0);
	kvfree_rcu_barrier();
	before = stress_live();
	if (registered && pthread_create(&t, NULL, drainer, NULL))
		return 2;
	if (ptrace(PTRACE_TRACEME, 0, NULL, NULL))
		return 77;
	if (!registered)
		unregister();
	raise(SIGSTOP);
	for (unsigned int n = 1; !READ_ONCE(ctl->stop); n++)
		one_round(n);
	if (!registered)
		_exit(0);
	pthread_join(t, NULL);
	free_held();
	kvfree_rcu_barrier();
	check_counters();
	lost = stress_lost(before);
	if (lost)
		stress_fail("%ld objects of kmalloc are lost", lost);
	if (kmem_cache_shrink(cache) && percpu.can_drain)
		stress_fail("%lu objects of the cache are lost", cache->node.nr_inuse);
	if (validate_slab_cache(cache))
		stress_fail("the cache is damaged");
	stress_validate();
	ctl->errors = stress_errors;
	return stress_errors != 0;
}

/* ---- the parent: breakpoints -------------------------------------------------------------- */

static pid_t pid;

static void give_up(const char *what)
{
	printf("rseq_step: %s (errno %d)\n", what, errno);
	if (pid > 0)
		kill(pid, SIGKILL);
	exit(1);
}

static unsigned long planted;		/* where it is waited for */

static unsigned long plant(unsigned long at)
{
	unsigned long old;

	planted = at;
	errno = 0;
	old = (unsigned long)ptrace(PTRACE_PEEKTEXT, pid, at, NULL);
	if (errno || ptrace(PTRACE_POKETEXT, pid, at, (old & ~0xffUL) | 0xcc))
		give_up("no breakpoint can be planted");
	return old;
}

static void restore(unsigned long at, unsigned long old)
{
	if (ptrace(PTRACE_POKETEXT, pid, at, old))
		give_up("a breakpoint cannot be removed");
}

static unsigned long get_ip(void)
{
	struct user_regs_struct regs;

	if (ptrace(PTRACE_GETREGS, pid, NULL, &regs))
		give_up("no registers");
	return regs.rip;
}

static void set_ip(unsigned long ip)
{
	struct user_regs_struct regs;

	if (ptrace(PTRACE_GETREGS, pid, NULL, &regs))
		give_up("no registers");
	regs.rip = ip;
	if (ptrace(PTRACE_SETREGS, pid, NULL, &regs))
		give_up("registers cannot be set");
}

/* Says that the child has not come to where it should, in a time in which it goes round often. */
static void late(int sig)
{
	char text[80];
	int n = snprintf(text, sizeof(text), "rseq_step: %#lx is not reached any more\n", planted);

	(void)sig;
	if (write(1, text, (size_t)n) > 0)
		kill(pid, SIGKILL);
	_exit(1);
}

/* Lets it run (or step) with a signal; returns the one that it stops for next, 0 at its end. */
static int resume(enum __ptrace_request how, int sig)
{
	int status;

	for (;;) {
		if (ptrace(how, pid, NULL, (void *)(long)sig))
			give_up("the child cannot go on");
		if (how == PTRACE_CONT)
			alarm(30);
		if (waitpid(pid, &status, __WALL) != pid)
			give_up("the child is gone");
		if (!WIFSTOPPED(status)) {
			alarm(0);
			errno = 0;
			if (!READ_ONCE(ctl->stop) || status) {
				printf("the child ended with status 0x%x\n", status);
				pid = 0;
				give_up("the child failed");
			}
			return 0;
		}
		if (WSTOPSIG(status) == SIGTRAP)
			return SIGTRAP;
		sig = WSTOPSIG(status);	/* its own business */
	}
}

static void start_child(bool registered)
{
	int status = 0;

	memset(ctl, 0, sizeof(*ctl));
	pid = fork();
	if (pid == 0)
		_exit(child(registered));
	if (pid < 0 || waitpid(pid, &status, __WALL) != pid)
		give_up("no child");
	if (WIFEXITED(status) && WEXITSTATUS(status) == 77) {
		puts("rseq_step: tracing is not allowed here: skipped");
		exit(77);
	}
	if (!WIFSTOPPED(status) || WSTOPSIG(status) != SIGSTOP)
		give_up("the child does not stop");
}

/* ---- where instructions begin ------------------------------------------------------------------ */

static bool inside(const struct descriptor *d, unsigned long ip)
{
	return ip - d->start_ip < d->post_commit_offset;
}

static void note_insn(struct section *s, unsigned long ip)
{
	for (unsigned int i = 0; i < s->nr; i++)
		if (s->insn[i] == ip)
			return;
	if (s->nr == MAX_INSNS)
		give_up("a section is too long");
	s->insn[s->nr++] = ip;
}

/*
 * Steps through the next execution of the section; true if it went on to its commit.
 * The section need not be reached at all: rarely used ones are given up after a while.
 */
static bool step_through(struct section *s)
{
	unsigned long old = plant(s->d->start_ip), ip, last = 0;

	if (resume(PTRACE_CONT, 0) != SIGTRAP || get_ip() != s->d->start_ip + 1)
		give_up("stopped at the wrong place");
	restore(s->d->start_ip, old);
	set_ip(s->d->start_ip);
	for (ip = s->d->start_ip; inside(s->d, ip); ip = get_ip()) {
		note_insn(s, ip);
		last = ip;
		resume(PTRACE_SINGLESTEP, 0);
	}
	return last && ip == s->d->start_ip + s->d->post_commit_offset;
}

/* Until a section has been seen to its commit, and then a few times more. */
static void discover(void)
{
	for (const struct descriptor *d = __start___rseq_cs; d < __stop___rseq_cs; d++) {
		if (nr_sections == MAX_SECTIONS)
			give_up("too many sections");
		sections[nr_sections++].d = d;
	}
	start_child(false);
	for (unsigned int i = 0; i < nr_sections; i++) {
		bool committed = false;

		for (unsigned int n = 0; n < 2000 && !committed; n++)
			committed = step_through(&sections[i]);
		if (!committed)
			stress_fail("section %u at %#lx never came to its commit", i,
				    (unsigned long)sections[i].d->start_ip);
	}
	kill(pid, SIGKILL);
	waitpid(pid, NULL, __WALL);
}

/* ---- the attack ----------------------------------------------------------------------------------- */

static int cpus[2] = { -1, -1 };

static void find_cpus(void)
{
	cpu_set_t may;
	unsigned int n = 0;

	if (sched_getaffinity(0, sizeof(may), &may))
		return;
	for (int cpu = 0; cpu < CPU_SETSIZE && n < 2; cpu++)
		if (CPU_ISSET(cpu, &may))
			cpus[n++] = cpu;
}

static void move(void)
{
	static unsigned int n;
	cpu_set_t one;

	if (cpus[1] < 0)
		return;
	CPU_ZERO(&one);
	CPU_SET(cpus[n++ & 1], &one);
	sched_setaffinity(pid, sizeof(one), &one);
}

static bool draining(void)
{
	return smp_load_acquire(&ctl->drain_wanted);
}

static void drain(void)
{
	smp_store_release(&ctl->drain_wanted, true);
	for (unsigned int i = 0; i < 500 && draining(); i++)
		usleep(20);
}

/*
 * The stopped thread may hold a lock that the drain needs. Then it goes on for a
 * while, without breakpoints: the drainer, which nobody traces, must not meet one.
 */
static void let_drain_end(void)
{
	int status;

	while (draining()) {
		if (ptrace(PTRACE_CONT, pid, NULL, NULL))
			give_up("the child cannot go on");
		usleep(1000);
		kill(pid, SIGSTOP);
		if (waitpid(pid, &status, __WALL) != pid || !WIFSTOPPED(status))
			give_up("the child does not stop");
	}
}

static void act(enum variant v)
{
	if (v == MOVE || v == BOTH)
		move();
	if (v == DRAIN)
		drain();
}

static void attack(struct section *s, unsigned long at, enum variant v)
{
	unsigned long old = plant(at), abort_old;
	int sig = v == SIGNAL || v == BOTH ? SIGUSR1 : 0;

	for (;;) {
		if (resume(PTRACE_CONT, 0) != SIGTRAP)
			give_up("the child ended");
		if (get_ip() == at + 1)
			break;
		/* Something else preempted it in this very section: it starts over. */
		if (get_ip() != s->d->abort_ip)
			give_up("stopped at the wrong place");
	}
	restore(at, old);
	set_ip(at);
	act(v);
	if (draining()) {
		let_drain_end();
		return;
	}
	abort_old = plant(s->d->abort_ip);
	if (resume(PTRACE_CONT, sig) != SIGTRAP || get_ip() != s->d->abort_ip + 1)
		give_up("went on elsewhere than at the abort handler");
	s->aborts++;
	restore(s->d->abort_ip, abort_old);
	set_ip(s->d->abort_ip);
}

/*
 * Behind the commit it goes on where it is: the abort handler would do the work
 * twice. And the commit has happened: a handler that runs here sees it.
 */
static void attack_behind(struct section *s, enum variant v)
{
	unsigned long at = s->d->start_ip + s->d->post_commit_offset, old = plant(at);

	if (resume(PTRACE_CONT, 0) != SIGTRAP || get_ip() != at + 1)
		give_up("the commit is not passed");
	restore(at, old);
	set_ip(at);
	act(v);
	let_drain_end();
	resume(PTRACE_SINGLESTEP, v == SIGNAL || v == BOTH ? SIGUSR1 : 0);
	if (get_ip() == s->d->abort_ip)
		stress_fail("restarted behind the commit at %#lx", at);
}

static unsigned long all_of_them(void)
{
	unsigned long n = 0;

	for (unsigned int i = 0; i < nr_sections; i++) {
		struct section *s = &sections[i];

		for (unsigned int v = 0; v < NR_VARIANTS; v++) {
			if (!s->nr)
				continue;
			for (unsigned int k = 0; k < s->nr; k++, n++)
				attack(s, s->insn[k], (enum variant)v);
			attack_behind(s, (enum variant)v);
		}
	}
	return n;
}

static unsigned long at_random(void)
{
	uint64_t seed = 20;
	unsigned long n = 0;

	for (; stress_time_left(); n++) {
		uint64_t r = stress_rnd(&seed);
		struct section *s = &sections[r % nr_sections];

		if (s->nr)
			attack(s, s->insn[(r >> 16) % s->nr], (enum variant)((r >> 32) % NR_VARIANTS));
	}
	return n;
}

int main(int argc, char **argv)
{
	unsigned long n, aborts = 0, insns = 0;

	MyFree(MyMalloc(1));
	if (percpu.mode != PERCPU_RSEQ || &__start___rseq_cs[0] == &__stop___rseq_cs[0]) {
		puts("rseq_step: no sections in this mode: skipped");
		return 77;
	}
	kmem_params.reclaim = false;	/* a thread that would meet the breakpoints */
	ctl = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	stress_start(argc, argv);
	signal(SIGALRM, late);
	find_cpus();
	discover();
	start_child(true);
	n = all_of_them() + at_random();
	WRITE_ONCE(ctl->stop, true);
	while (resume(PTRACE_CONT, 0))
		;
	for (unsigned int i = 0; i < nr_sections; i++) {
		insns += sections[i].nr;
		aborts += sections[i].aborts;
		if (!sections[i].aborts)
			stress_fail("section %u was never restarted", i);
	}
	if (!ctl->handler_hits || !ctl->drains)
		stress_fail("%lu handler hits, %lu drains", ctl->handler_hits, ctl->drains);
	printf("rseq_step: %u sections, %lu instructions, %lu interruptions (%lu restarts), "
	       "%lu signals with %lu hits, %lu drains, %lu rounds: %lu errors\n",
	       nr_sections, insns, n, aborts, ctl->signals, ctl->handler_hits, ctl->drains,
	       ctl->rounds, stress_errors + ctl->errors);
	return stress_errors + ctl->errors != 0;
}

#endif /* __x86_64__ and __GLIBC__ */
