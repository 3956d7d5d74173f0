// SPDX-License-Identifier: MIT
/*
 * Objects stay on one CPU, while there are several threads: what magazine.c does with
 * magazines of other CPUs' objects, on a backend of the test's own; and from which slabs
 * slub.c takes for a CPU.
 */
#include "one_cpu.h"
#include "slab_test.h"

#include <semaphore.h>

#include <kmem/limit.h>
#include <kmem/shrinker.h>

#include "mm/home.h"

TestSuite(home, .timeout = 60);

/* ---- a second thread ------------------------------------------------------------------- */

static sem_t over;

static void *waits(void *arg)
{
	sem_wait(&over);
	return arg;
}

static pthread_t second;
static unsigned int here;		/* the CPU's number, as long as the kernel leaves it alone */

static void become_two(void)
{
	sem_init(&over, 0, 0);
	cr_assert_eq(pthread_create(&second, NULL, waits, NULL), 0);
}

static void stay_somewhere(void)
{
	kfree(kmalloc(8, GFP_KERNEL));
	stay_on_this_cpu();
	here = percpu_cpu();
}

static void stay_here(void)
{
	stay_somewhere();
	if (percpu.mode != PERCPU_RSEQ)
		cr_skip("in fallback mode objects have no home");
}

static void become_one(void)
{
	sem_post(&over);
	pthread_join(second, NULL);
}

/* ---- magazines ---------------------------------------------------------------------------- */

#define OBJECTS	8192
#define OTHERS	230

static struct magazine_cache mc;
static u16 homes[OBJECTS];		/* of each object */
static bool back[OBJECTS];		/* it is in the backend */
static unsigned int asked, own_left, nr_own, nr_any, next;

static unsigned int number(const void *p)
{
	return (unsigned int)((unsigned long)p / 16 - 1);
}

static unsigned int give(void **rounds, unsigned int n, unsigned int home)
{
	for (unsigned int i = 0; i < n; i++) {
		cr_assert(next < OBJECTS);
		homes[next] = (u16)home;
		rounds[n - 1 - i] = (void *)(16UL * ++next);
	}
	return n;
}

static unsigned int refill(struct magazine_cache *c, void **rounds, unsigned int n, gfp_t gfp)
{
	(void)c;
	(void)gfp;
	nr_any++;
	return give(rounds, n, here);
}

static unsigned int refill_own(struct magazine_cache *c, void **rounds, unsigned int n)
{
	(void)c;
	nr_own++;
	n = min(n, own_left);
	own_left -= n;
	return give(rounds, n, here);
}

static void flush(struct magazine_cache *c, void **rounds, unsigned int n)
{
	(void)c;
	for (unsigned int i = 0; i < n; i++) {
		cr_assert(number(rounds[i]) < OBJECTS && !back[number(rounds[i])]);
		back[number(rounds[i])] = true;
	}
}

static unsigned int home(const struct magazine_cache *c, const void *object)
{
	(void)c;
	asked++;
	return homes[number(object)];
}

static const struct magazine_backend backend = {
	.refill = refill, .flush = flush, .home = home, .refill_own = refill_own,
};

static void start_anyhow(void)
{
	stay_somewhere();
	magazine_cache_init(&mc, percpu_slot_alloc(), 16, &backend);
	cr_assert(mc.slot != SLOT_NONE);
}

static void start(void)
{
	stay_here();
	start_anyhow();
}

static void finish(void)
{
	magazine_cache_destroy(&mc);
	percpu_slot_free(mc.slot);
}

/* An object of @home is freed here. */
static void comes_back(unsigned int home)
{
	void *p;

	give(&p, 1, home);
	magazine_free(&mc, p);
}

/* @n objects come back, of homes that change every @run objects between this CPU and another. */
static void come_back(unsigned int n, unsigned int run)
{
	for (unsigned int i = 0; i < n; i++)
		comes_back(here + (i / run & 1));
}

/* In the backend: of this CPU, or of others. */
static unsigned int count_back_of(bool own)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < next; i++)
		n += back[i] && (homes[i] == here) == own;
	return n;
}

static unsigned int count_back(void)
{
	return count_back_of(false);
}

static void depot_is_sorted(void)
{
	for (struct magazine *m = mc.full; m; m = m->next)
		for (unsigned int i = 0; i < m->count; i++)
			cr_expect(homes[number(m->round[i])] == m->home, "one of %u in one of %u",
				  homes[number(m->round[i])], m->home);
}

/* With magazines of this level, on a CPU that has one: the first object goes to the backend. */
static void start_at(u8 level)
{
	start();
	become_two();
	mc.level = mc.max_level = level;
	comes_back(here);
}

/* What is not at home where most are, or the newest, goes to the backend. */
Test(home, mixed_magazines_are_sorted)
{
	start();
	become_two();
	come_back(1200, 3);
	cr_expect(count_back() > 100, "%u", count_back());
	cr_expect(mc.nr_full > 0);
	depot_is_sorted();
	become_one();
	finish();
}

/* Or a program that takes what it has just given back would have it for ever. */
Test(home, strays_leave_when_magazines_change_places)
{
	const unsigned int capacity = MAGAZINE_CAPACITY(3);
	unsigned int came;

	start_at(3);
	come_back(capacity, 2);
	cr_expect(count_back() == 0, "the first magazine is full");
	come_back(1, 1);
	came = count_back();
	cr_expect(came >= capacity / 2 - 1 && came <= capacity / 2 + 1, "%u", came);
	cr_expect(mc.nr_full == 0 && mc.nr_depot_put == 0);
	cr_expect(count_back_of(true) == 1, "the very first");
	become_one();
	finish();
}

/* In a magazine of several batches those that were given back last, and so come next. */
Test(home, the_newest_strays_leave_first)
{
	const unsigned int capacity = MAGAZINE_CAPACITY(7);

	start_at(7);
	come_back(capacity - 200, ~0U);
	cr_assert(count_back() == 0);
	come_back(200, 1);
	come_back(1, 1);
	cr_expect(count_back() >= 90, "%u", count_back());
	cr_expect(count_back_of(true) == 1);
	become_one();
	finish();
}

/* Or what is mostly another's would be taken for a message. */
Test(home, the_newest_is_looked_at)
{
	const unsigned int capacity = MAGAZINE_CAPACITY(4), own = 8;

	start_at(4);
	for (unsigned int i = 0; i < capacity; i++)
		comes_back(here + (i < capacity - own));
	cr_expect(count_back() == 0, "the first magazine is full");
	comes_back(here);
	cr_expect(count_back() == capacity - own, "%u", count_back());
	cr_expect(count_back_of(true) == 1, "the very first");
	become_one();
	finish();
}

/* What a CPU frees for another one all the time is handed over as magazines. */
Test(home, whole_magazines_go_to_the_depot)
{
	unsigned int nr = 0;

	start();
	become_two();
	come_back(1, 1);		/* the first one goes to the backend */
	for (unsigned int i = 0; i < 600; i++)
		comes_back(here + 1);
	cr_expect(count_back() == 0, "%u", count_back());
	for (struct magazine *m = mc.full; m; m = m->next, nr++)
		cr_expect(m->home == here + 1, "%u", m->home);
	cr_expect(nr >= 2, "%u", nr);
	become_one();
	finish();
}

static void *take(void)
{
	void *p = magazine_alloc(&mc, GFP_KERNEL);

	cr_assert(p);
	return p;
}

/* The CPU's own in the depot, its own in the backend, others' in the depot, anything. */
Test(home, own_objects_come_first)
{
	unsigned int other, loaded = 0;

	start();
	become_two();
	come_back(1, 1);
	other = here + 1;
	come_back(300, ~0U);		/* this CPU's, below ... */
	for (unsigned int i = 0; i < OTHERS; i++)
		comes_back(other);	/* ... another's */
	cr_assert(mc.nr_full >= 3, "%u", mc.nr_full);
	cr_assert(mc.full->home == other);
	while (homes[number(take())] == other)
		cr_assert(++loaded < OTHERS, "all of the other's came first");
	cr_expect(nr_own == 0 && nr_any == 0);
	cr_expect(mc.nr_full > 0, "another's are left");
	own_left = 500;
	while (nr_any == 0) {
		u16 of = homes[number(take())];

		if (own_left)
			cr_assert(of != other, "%u are left of its own", own_left);
		loaded += of == other;
		cr_assert(loaded <= OTHERS);
	}
	cr_expect(own_left == 0);
	cr_expect(loaded + count_back() == OTHERS, "%u of the other's", loaded);
	cr_expect(mc.nr_full == 0, "before anything else is asked for");
	become_one();
	finish();
}

/* Or those of a CPU that is not used any more would keep all others' out. */
Test(home, a_full_depot_is_emptied_by_anybody)
{
	unsigned int full;

	start();
	become_two();
	come_back(1, 1);
	for (unsigned int i = 0; mc.refused < 8; i++) {
		cr_assert(i < 7000);
		comes_back(here + 1);
	}
	full = mc.nr_full;
	cr_assert(full == mc.max_full);
	own_left = 600;
	for (unsigned int i = 0; mc.nr_full == full; i++) {
		take();
		cr_assert(i < 2000 && own_left == 600);
	}
	cr_expect(mc.refused == 0);
	become_one();
	finish();
}

/* There each thread has a number of its own. */
Test(home, nobody_asks_in_fallback_mode)
{
	start_anyhow();
	if (percpu.mode == PERCPU_RSEQ)
		cr_skip("of fallback mode");
	become_two();
	come_back(2000, 3);
	for (unsigned int i = 0; i < 1500; i++)
		take();
	cr_expect(asked == 0 && nr_own == 0);
	cr_expect(nr_any > 0 || mc.nr_depot_get > 0);
	become_one();
	finish();
}

Test(home, nobody_asks_in_a_single_thread)
{
	start();
	if (!host_single_threaded())
		cr_skip("this C library does not tell, or the test's runner has threads");
	come_back(2000, 3);
	for (unsigned int i = 0; i < 100; i++)
		take();
	cr_expect(asked == 0 && nr_own == 0);
	finish();
}

static struct kmem_cache *s;

/* ---- hints --------------------------------------------------------------------------------- */

Test(home, hints)
{
	/* No slab of the process is 1 GiB beyond the heap's beginning, or shares a byte with that. */
	char *const p = kmem_hot.heap_base + (1UL << 30), *const alike = p + (2UL << 30);
	const size_t piece = 32 << 10;

	for (unsigned int cpu = 0; cpu < 1024; cpu++)
		cr_assert(!home_is(p, cpu), "nobody so far");
	home_set(p, 2 * piece, 0);
	home_set(p + 2 * piece, 1, 1000);
	cr_expect(home_is(p, 0) && home_is(p + 2 * piece - 1, 0) && !home_is(p, 1));
	cr_expect(home_is(p + 3 * piece - 1, 1000) && !home_is(p + 2 * piece, 0));
	cr_expect(!home_is(p + 3 * piece, 0) && !home_is(p + 3 * piece, 1000));
	home_set(alike, piece, 7);
	cr_expect(home_is(alike, 7) && !home_is(p, 0), "the last one's");
	cr_expect(home_is(p + piece, 0));
}

/* The slab is asked where the hint speaks of another. */
Test(home, hints_are_checked)
{
	void *p[1];

	stay_here();
	s = kmem_cache_create("home", 192, 0, SLAB_NO_MERGE, NULL);
	become_two();
	cr_assert(slab_backend.refill(&s->mag, p, 1, GFP_KERNEL) == 1);
	cr_expect(home_is(p[0], here));
	home_set(p[0], 1, here + 1);
	cr_expect(slab_backend.home(&s->mag, p[0]) == here);
	slab_backend.flush(&s->mag, p, 1);
	become_one();
	kmem_cache_destroy(s);
}

/* ---- slabs --------------------------------------------------------------------------------- */

static void start_slabs(unsigned int size)
{
	stay_here();
	s = kmem_cache_create("home", size, 0, SLAB_NO_MERGE, NULL);
	cr_assert(s);
	become_two();
}

static struct page *slab_at(void *object)
{
	return virt_to_head_page(object);
}

/* The slab is another CPU's from here on. */
static void moves_away(struct page *slab)
{
	slab->home = (u16)(here + 1);
	home_set(page_address(slab), PAGE_SIZE << s->order, here + 1);
}

static unsigned int own(void **p, unsigned int n)
{
	return slab_backend.refill_own(&s->mag, p, n);
}

static unsigned int any(void **p, unsigned int n)
{
	return slab_backend.refill(&s->mag, p, n, GFP_KERNEL);
}

static void put(void **p, unsigned int n)
{
	slab_backend.flush(&s->mag, p, n);
}

Test(home, slabs_are_at_home_where_they_are_used)
{
	void *p[8], *q[8];

	start_slabs(192);
	cr_expect(own(p, 8) == 0, "there is no slab yet");
	cr_assert(any(p, 8) == 8);
	cr_expect(slab_backend.home(&s->mag, p[3]) == here);
	cr_assert(own(q, 8) == 8);
	cr_expect(slab_at(q[7]) == slab_at(p[0]));
	put(q, 8);
	moves_away(slab_at(p[0]));
	cr_expect(slab_backend.home(&s->mag, p[3]) == here + 1);
	cr_expect(own(q, 8) == 0, "of another CPU's slab");
	cr_expect(s->node.nr_slabs == 1);
	put(p, 8);
	cr_assert(own(p, 8) == 8, "an empty slab is anybody's");
	put(p, 8);
	become_one();
	kmem_cache_destroy(s);
}

/* Where few objects are free each CPU gets a slab; where many are, it takes of another's. */
Test(home, room_is_not_left_unused)
{
	unsigned int nr, per;
	struct page *slab;
	void **p, *got[4];

	start_slabs(64);
	nr = percpu.nr_cpus + 4;
	per = s->objects;
	p = kmalloc_array(nr * per, sizeof(*p), GFP_KERNEL);
	for (unsigned int i = 0; i < nr; i++) {
		cr_assert(any(p + i * per, per) == per);
		moves_away(slab_at(p[i * per]));
	}
	cr_assert(s->node.nr_slabs == nr);
	put(p, 1);
	cr_assert(any(got, 2) == 2);
	cr_assert(s->node.nr_slabs == nr + 1, "for one free object in %u slabs", nr);
	slab = slab_at(got[0]);
	cr_assert(own(got + 2, 2) == 2);
	cr_expect(s->node.nr_slabs == nr + 1 && slab_at(got[3]) == slab, "its own has room");
	moves_away(slab);
	for (unsigned int i = 1; i < nr; i++)
		put(p + i * per, per / 2);
	cr_assert(any(got + 3, 1) == 1);
	cr_expect(s->node.nr_slabs == nr + 1, "half of all is free");
	cr_expect(slab_backend.home(&s->mag, got[3]) == here);
	become_one();
	kfree(p);
}

#define MOST	300000		/* more than fit below the limit */

static unsigned long asked_to_shrink;

static unsigned long nothing(struct shrinker *shrinker, struct shrink_control *sc)
{
	(void)shrinker;
	(void)sc;
	asked_to_shrink++;
	return 1;
}

/* At the limit others' free objects are taken, and nothing is waited for or reclaimed first. */
Test(home, no_new_slab_is_waited_for)
{
	struct shrinker *shrinker;
	unsigned int n = 0;
	void **p, *got[2];

	start_slabs(64);
	p = kmalloc_array(MOST, sizeof(*p), GFP_KERNEL);
	kmem_set_limit(16UL << 20, KMEM_LIMIT_NONE);
	while (n < MOST && slab_backend.refill(&s->mag, p + n, 1, GFP_NOWAIT | __GFP_NOWARN) == 1)
		n++;
	cr_assert(n > 1000 && n < MOST, "%u", n);
	put(p, 2);
	moves_away(slab_at(p[0]));
	shrinker = shrinker_alloc(0, "home");
	shrinker->count_objects = nothing;
	shrinker->scan_objects = nothing;
	shrinker_register(shrinker);
	cr_assert(slab_backend.refill(&s->mag, got, 2, GFP_KERNEL | __GFP_NOFAIL) == 2);
	cr_expect(slab_at(got[0]) == slab_at(p[0]));
	cr_expect(asked_to_shrink == 0);
	shrinker_free(shrinker);
	become_one();
}

Test(home, a_single_thread_takes_what_there_is)
{
	void *p[2];

	kfree(kmalloc(8, GFP_KERNEL));
	s = kmem_cache_create("home", 192, 0, SLAB_NO_MERGE, NULL);
	if (!host_single_threaded())
		cr_skip("this C library does not tell, or the test's runner has threads");
	cr_assert(any(p, 1) == 1);
	moves_away(slab_at(p[0]));
	cr_assert(any(p + 1, 1) == 1);
	cr_expect(slab_at(p[1]) == slab_at(p[0]));
	put(p, 2);
	kmem_cache_destroy(s);
}
