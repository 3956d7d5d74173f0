// SPDX-License-Identifier: MIT
/*
 * Magazines, the depot and the way to the backend: magazine.c, on a backend of
 * the test's own that knows where every object is.
 */
#include "one_cpu.h"
#include "slab_test.h"

#include <unistd.h>

#include "mm/memblock.h"

TestSuite(magazine, .timeout = 60);

#define OBJECTS		20000

enum { HOME, OUT };	/* in the backend; in a magazine or with the program */

static unsigned int where[OBJECTS];
static unsigned int with_program[OBJECTS];
static unsigned long errors, refills, flushes, biggest, most_wanted;
static long left = OBJECTS;		/* objects at home */
static unsigned int hint;
static bool starve;

static void *object_at(unsigned int i)
{
	return (void *)(0x10000UL + 16UL * i);
}

static unsigned int index_of(void *p)
{
	return (unsigned int)(((unsigned long)p - 0x10000UL) / 16);
}

static unsigned int refill(struct magazine_cache *mc, void **rounds, unsigned int n, gfp_t gfp)
{
	unsigned int got = 0;

	(void)mc;
	(void)gfp;
	stat_inc(refills);
	most_wanted = max(most_wanted, (unsigned long)n);
	if (READ_ONCE(starve))
		return 0;
	for (unsigned int tried = 0; tried < OBJECTS && got < n; tried++) {
		unsigned int i = stat_inc(hint) % OBJECTS;

		if (where[i] == HOME &&
		    __atomic_exchange_n(&where[i], OUT, __ATOMIC_ACQ_REL) == HOME)
			rounds[got++] = object_at(i);
	}
	__atomic_fetch_sub(&left, (long)got, __ATOMIC_RELAXED);
	return got;
}

static void flush(struct magazine_cache *mc, void **rounds, unsigned int n)
{
	(void)mc;
	stat_inc(flushes);
	biggest = max(biggest, (unsigned long)n);
	for (unsigned int k = 0; k < n; k++) {
		unsigned int i = index_of(rounds[k]);

		if (i >= OBJECTS || with_program[i] ||
		    __atomic_exchange_n(&where[i], HOME, __ATOMIC_ACQ_REL) != OUT)
			stat_inc(errors);
	}
	__atomic_fetch_add(&left, (long)n, __ATOMIC_RELAXED);
}

static const struct magazine_backend backend = { .refill = refill, .flush = flush };
static struct magazine_cache mc;

static void *take(void)
{
	void *p = magazine_alloc(&mc, GFP_KERNEL);

	if (p && (index_of(p) >= OBJECTS || where[index_of(p)] != OUT ||
		  __atomic_exchange_n(&with_program[index_of(p)], 1, __ATOMIC_ACQ_REL)))
		stat_inc(errors);
	return p;
}

static void give(void *p)
{
	if (__atomic_exchange_n(&with_program[index_of(p)], 0, __ATOMIC_ACQ_REL) != 1)
		stat_inc(errors);
	magazine_free(&mc, p);
}

static void start(size_t round_bytes)
{
	kfree(kmalloc(8, GFP_KERNEL));
	stay_on_this_cpu();
	magazine_cache_init(&mc, percpu_slot_alloc(), round_bytes, &backend);
	cr_assert(mc.slot != SLOT_NONE);
}

static long in_hand(void)
{
	long n = 0;

	for (unsigned int i = 0; i < OBJECTS; i++)
		n += with_program[i] == 1;
	return n;
}

/* Every object is in one place. */
static void check(void)
{
	cr_assert(errors == 0, "%lu errors", errors);
	cr_assert(OBJECTS - left - in_hand() == (long)magazine_cache_count(&mc),
		  "%ld out, %ld with the program, %lu in magazines", OBJECTS - left, in_hand(),
		  magazine_cache_count(&mc));
}

static void finish(void)
{
	check();
	magazine_cache_destroy(&mc);
	cr_assert(left == OBJECTS - in_hand(), "%ld are missing", OBJECTS - left - in_hand());
	cr_assert(magazine_cache_count(&mc) == 0);
	percpu_slot_free(mc.slot);
	cr_assert(errors == 0);
}

/* ---- sizes ------------------------------------------------------------------------------ */

Test(magazine, capacities)
{
	for (unsigned int level = 0; level < MAGAZINE_LEVELS; level++) {
		size_t bytes = MAGAZINE_BYTES(level);

		cr_expect(sizeof(struct magazine) + (MAGAZINE_CAPACITY(level) + 2) * 8 == bytes);
		cr_expect(bytes % 64 == 0);
	}
	cr_expect(offsetof(struct magazine, round) == offsetof(struct magazine, bottom) + 8,
		  "what lies below the first round is NULL");
}

Test(magazine, levels_are_bounded_by_bytes)
{
	struct magazine_cache small, large, huge;

	magazine_cache_init(&small, SLOT_NONE, 16, &backend);
	magazine_cache_init(&large, SLOT_NONE, 4096, &backend);
	magazine_cache_init(&huge, SLOT_NONE, 1 << 20, &backend);
	cr_expect(small.max_level == MAGAZINE_LEVELS - 1);
	cr_expect(large.max_level < small.max_level);
	cr_expect(huge.max_level == 0);
	magazine_cache_init(&large, SLOT_NONE, 8192, &backend);
	cr_expect(large.level == 0 && large.max_level == 1);
	magazine_cache_init(&large, SLOT_NONE, 8193, &backend);
	cr_expect(large.max_level == 0);
	cr_expect(small.level <= small.max_level && huge.level == 0);
	cr_expect(huge.max_full <= small.max_full && huge.max_full >= 1);
}

/* ---- one thread --------------------------------------------------------------------------- */

Test(magazine, last_freed_comes_first)
{
	void *p[5];

	start(64);
	for (unsigned int i = 0; i < 5; i++)
		cr_assert(p[i] = take());
	for (unsigned int i = 0; i < 5; i++)
		give(p[i]);
	for (unsigned int i = 5; i-- > 0;)
		cr_expect(take() == p[i]);
	for (unsigned int i = 0; i < 5; i++)
		give(p[i]);
	finish();
}

/* The last of a batch is handed out first, as the backend's contract says. */
Test(magazine, refill_order)
{
	unsigned int last = 0;

	start(64);
	for (unsigned int i = 0; i < 5; i++) {
		void *p = take();

		cr_assert(p);
		if (i)
			cr_expect(index_of(p) == last - 1);
		last = index_of(p);
	}
	cr_expect(refills == 1, "%lu refills", refills);
	check();
}

Test(magazine, pairs_do_not_reach_the_backend)
{
	start(64);
	give(take());
	refills = flushes = 0;
	for (unsigned int i = 0; i < 10000; i++)
		give(take());
	cr_expect(refills == 0 && flushes == 0);
	finish();
}

/* On the edge of a magazine, too, a miss is paid for by several hits. */
Test(magazine, no_thrashing_at_any_count)
{
	for (unsigned int held = 0; held < 200; held++) {
		static void *hold[200];

		start(64);
		for (unsigned int i = 0; i < held; i++)
			cr_assert(hold[i] = take());
		refills = flushes = 0;
		for (unsigned int i = 0; i < 1000; i++)
			give(take());
		cr_expect(refills + flushes <= 2, "%u held: %lu refills, %lu flushes", held,
			  refills, flushes);
		for (unsigned int i = 0; i < held; i++)
			give(hold[i]);
		finish();
	}
}

static void take_many(void **p, unsigned int n)
{
	cr_assert(magazine_alloc_bulk(&mc, GFP_KERNEL, p, n) == n);
	for (unsigned int i = 0; i < n; i++)
		if (index_of(p[i]) >= OBJECTS || where[index_of(p[i])] != OUT ||
		    with_program[index_of(p[i])]++)
			errors++;
}

static void give_many(void **p, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		if (p[i])
			with_program[index_of(p[i])]--;
	magazine_free_bulk(&mc, p, n);
}

/* Rises and falls of less than a magazine come to an end of missing, wherever they begin. */
Test(magazine, a_rise_and_fall_stays_in_the_magazine)
{
	static const unsigned int rises[] = { 2, 5, 16, 30 };
	static void *hold[200], *p[64];

	for (unsigned int held = 0; held < 200; held += 7)
		for (unsigned int r = 0; r < 2 * ARRAY_SIZE(rises); r++) {
			unsigned int n = rises[r / 2];
			unsigned long before = 0;

			start(64);
			for (unsigned int i = 0; i < held; i++)
				cr_assert(hold[i] = take());
			for (unsigned int i = 0; i < 600; i++) {
				if (i == 400)
					before = mc.nr_depot_get + mc.nr_depot_put + refills + flushes;
				if (r % 2)
					take_many(p, n);
				else
					for (unsigned int k = 0; k < n; k++)
						p[k] = take();
				if (r % 2)
					give_many(p, n);
				else
					for (unsigned int k = 0; k < n; k++)
						give(p[k]);
			}
			cr_expect(mc.nr_depot_get + mc.nr_depot_put + refills + flushes - before <= 2,
				  "%u held, %u up and down%s", held, n, r % 2 ? ", in bulk" : "");
			for (unsigned int i = 0; i < held; i++)
				give(hold[i]);
			finish();
		}
}

/* As for a thread that was on its way when the cache was closed. */
Test(magazine, nothing_stays_loaded_when_closed)
{
	void *p[100], *q;

	start(64);
	for (unsigned int i = 0; i < ARRAY_SIZE(p); i++)
		p[i] = take();
	for (unsigned int i = 0; i < ARRAY_SIZE(p) / 2; i++)
		give(p[i]);
	magazine_cache_close(&mc, true);
	cr_expect(magazine_cache_count(&mc) == 0 || !percpu.can_drain);
	q = take();
	give(q);
	give(p[50]);
	cr_expect(magazine_cache_count(&mc) == 0 || !percpu.can_drain, "%lu",
		  magazine_cache_count(&mc));
	check();
	magazine_cache_close(&mc, false);
	for (unsigned int i = 51; i < ARRAY_SIZE(p); i++)
		give(p[i]);
	cr_expect(magazine_cache_count(&mc) > 0);
	finish();
}

Test(magazine, any_number_at_once)
{
	static void *p[3][900];
	unsigned int n[3] = { 0 };
	u64 seed = 7;

	start(64);
	for (unsigned int i = 0; i < 3000; i++) {
		unsigned int k = i % 3;

		if (n[k])
			give_many(p[k], n[k]);
		n[k] = 1 + (unsigned int)(rnd(&seed) % (i % 5 ? 40 : ARRAY_SIZE(p[k])));
		take_many(p[k], n[k]);
		if (n[k] > 2) {
			give(p[k][n[k] / 2]);
			p[k][n[k] / 2] = NULL;
		}
		if (i % 100 == 0)
			check();
	}
	for (unsigned int k = 0; k < 3; k++)
		give_many(p[k], n[k]);
	finish();
}

Test(magazine, fewer_at_once_when_memory_ends)
{
	static void *p[OBJECTS + 5];
	size_t got;

	start(64);
	got = magazine_alloc_bulk(&mc, GFP_KERNEL, p, ARRAY_SIZE(p));
	cr_expect(got == OBJECTS, "%zu", got);
	cr_expect(magazine_alloc_bulk(&mc, GFP_KERNEL, p + OBJECTS, 3) == 0);
	magazine_free_bulk(&mc, p, got);
	finish();
}

Test(magazine, many_out_many_back)
{
	static void *p[5000];
	unsigned int most = 0;

	start(64);
	for (unsigned int round = 0; round < 5; round++) {
		for (unsigned int i = 0; i < ARRAY_SIZE(p); i++)
			cr_assert(p[i] = take());
		check();
		for (unsigned int i = 0; i < ARRAY_SIZE(p); i++)
			give(p[i]);
		check();
		most = max(most, mc.max_full);	/* larger magazines are fewer */
		cr_expect(mc.nr_full <= most, "%u full of %u", mc.nr_full, most);
		for (struct magazine *m = mc.full; m; m = m->next)
			cr_expect(m->count > 0 && m->count <= m->capacity);
		for (struct magazine *m = mc.empty; m; m = m->next)
			cr_expect(m->count == 0);
	}
	cr_expect(flushes > 0 && biggest > 1, "batches");
	cr_expect(mc.nr_refill > 0 && mc.nr_flush > 0 && mc.nr_depot_get > 0 && mc.nr_depot_put > 0);
	finish();
}

Test(magazine, level_grows_with_use)
{
	static void *p[3000];
	unsigned int level;

	start(16);
	level = mc.level;
	for (unsigned int round = 0; round < 50; round++) {
		for (unsigned int i = 0; i < ARRAY_SIZE(p); i++)
			cr_assert(p[i] = take());
		for (unsigned int i = 0; i < ARRAY_SIZE(p); i++)
			give(p[i]);
	}
	cr_expect(mc.level > level && mc.level <= mc.max_level, "level %u", mc.level);
	finish();
}

/* Takes and gives back until the level is the highest. */
static void grow_to_max(void **p, unsigned int n)
{
	for (unsigned int round = 0; mc.level < mc.max_level; round++) {
		cr_assert(round < 5000, "level %u of %u", mc.level, mc.max_level);
		for (unsigned int i = 0; i < n; i++)
			cr_assert(p[i] = take());
		for (unsigned int i = 0; i < n; i++)
			give(p[i]);
	}
}

/* What comes back in the order in which it was taken lies in the depot in full magazines. */
Test(magazine, full_magazines_in_the_depot)
{
	static void *p[6000];
	unsigned int nr = 0;

	start(16);
	grow_to_max(p, ARRAY_SIZE(p));
	magazine_cache_drain(&mc, true);
	for (unsigned int i = 0; i < ARRAY_SIZE(p); i++)
		cr_assert(p[i] = take());
	for (unsigned int i = 0; i < ARRAY_SIZE(p); i++)
		give(p[i]);
	check();
	for (struct magazine *m = mc.full; m; m = m->next, nr++)
		cr_expect(m->count == m->capacity, "%u of %u", m->count, m->capacity);
	cr_expect(nr >= 3, "%u", nr);
	finish();
}

/* Neighbours are kept together for the next who wants some; what lies all over goes home. */
Test(magazine, what_lies_scattered_goes_to_the_backend)
{
	static void *p[15000];
	unsigned long before;

	start(16);
	grow_to_max(p, 6000);
	magazine_cache_drain(&mc, true);
	for (unsigned int i = 0; i < ARRAY_SIZE(p); i++)
		cr_assert(p[i] = take());
	magazine_cache_drain(&mc, true);
	before = mc.nr_depot_put;
	/* 7919 is prime to 15000: all of them, neighbours in time far apart. */
	for (unsigned int i = 0; i < 4000; i++)
		give(p[i * 7919UL % ARRAY_SIZE(p)]);
	check();
	cr_expect(mc.nr_depot_put == before, "%lu", mc.nr_depot_put - before);
	for (unsigned int i = 0; i < ARRAY_SIZE(p); i++)
		if (with_program[index_of(p[i])])
			give(p[i]);
	check();
	cr_expect(mc.nr_depot_put > before);
	finish();
}

/* However large magazines are: no caller of the backend, nor its lock, is kept for long. */
Test(magazine, batches_are_bounded)
{
	static void *p[6000];

	start(16);
	grow_to_max(p, ARRAY_SIZE(p));
	cr_assert(MAGAZINE_CAPACITY(mc.level) > 1000);
	for (unsigned int i = 0; i < ARRAY_SIZE(p); i++)
		cr_assert(p[i] = take());
	for (unsigned int i = 0; i < ARRAY_SIZE(p); i++)
		give(p[i]);
	magazine_cache_drain(&mc, true);
	cr_expect(magazine_cache_count(&mc) == 0);
	cr_expect(biggest == 256 && most_wanted == 256, "%lu, %lu", biggest, most_wanted);
	finish();
}

/* A CPU that only frees gets larger magazines as well. */
Test(magazine, level_grows_where_objects_only_come_back)
{
	static void *p[OBJECTS];
	unsigned int n = 0, level;
	unsigned int cpu;
	long word;

	start(16);
	level = mc.level;
	while (n < 9000) {
		cr_assert(backend.refill(&mc, &p[n], 1, GFP_KERNEL) == 1);
		with_program[index_of(p[n++])] = 1;
	}
	for (unsigned int i = 0; i < n; i++)
		give(p[i]);
	check();
	cr_assert(mc.level > level, "level %u", mc.level);
	word = percpu_word(mc.slot, &cpu);
	cr_assert(word != WORD_CLOSED && word != WORD_DRAINING);
	cr_expect(magazine_of(round_of(cpu, word))->capacity == MAGAZINE_CAPACITY(mc.level));
	finish();
}

Test(magazine, level_stays_for_large_objects)
{
	static void *p[300];

	start(1 << 20);
	for (unsigned int round = 0; round < 50; round++) {
		for (unsigned int i = 0; i < ARRAY_SIZE(p); i++)
			cr_assert(p[i] = take());
		for (unsigned int i = 0; i < ARRAY_SIZE(p); i++)
			give(p[i]);
	}
	cr_expect(mc.level == 0);
	cr_expect(magazine_cache_count(&mc) <= (mc.max_full + 2) * MAGAZINE_CAPACITY(0));
	finish();
}

/* Which magazine is loaded here. */
static struct magazine *loaded_now(void)
{
	unsigned int cpu;
	long word = percpu_word(mc.slot, &cpu);

	return word == WORD_CLOSED || word == WORD_DRAINING ? NULL : magazine_of(round_of(cpu, word));
}

/* A wave of a magazine and a half is served by the loaded one and its spare. */
Test(magazine, waves_are_served_by_the_spare)
{
	const unsigned int wave = MAGAZINE_CAPACITY(3) * 3 / 2;
	unsigned long misses = 0;
	struct magazine *m;
	void *p[wave];

	start(256);
	mc.level = mc.max_level = 3;
	for (unsigned int round = 0; round < 40; round++) {
		if (round == 10)
			misses = mc.nr_refill + mc.nr_flush + mc.nr_depot_get + mc.nr_depot_put;
		for (unsigned int i = 0; i < wave; i++)
			cr_assert(p[i] = take());
		for (unsigned int i = 0; i < wave; i++)
			give(p[i]);
		check();
	}
	cr_expect(mc.nr_refill + mc.nr_flush + mc.nr_depot_get + mc.nr_depot_put == misses);
	m = loaded_now();
	cr_assert(m && m->spare);
	cr_expect(m->spare_count > 0 && m->spare_count == m->spare->count);
	cr_expect((char *)m->spare + 3 == m->round[m->capacity + 1], "level, and whom to ask for");
	if (magazine_cache_drain(&mc, true))
		cr_expect(magazine_cache_count(&mc) == 0 && left == OBJECTS);
	finish();
}

/*
 * Wherever a program stands, also where the loaded magazine runs full: taking a few objects
 * and giving them back does not exchange magazines each time.
 */
Test(magazine, no_exchange_at_every_call)
{
	for (unsigned int level = 1; level < 6; level++) {
		const unsigned int cap = MAGAZINE_CAPACITY(level), held = 4 * cap;
		const unsigned int step = level == 1 ? 1 : 3;
		void *p[held];

		start(16);
		mc.level = mc.max_level = (u8)level;
		mc.max_full = 16;
		for (unsigned int i = 0; i < held; i++)
			cr_assert(p[i] = take());
		for (unsigned int k = held; k > step; k--) {
			struct magazine *was = loaded_now();
			unsigned int exchanges = 0;

			for (unsigned int round = 0; round < 20; round++) {
				for (unsigned int i = 1; i <= step; i++)
					give(p[k - i]);
				exchanges += loaded_now() != was;
				was = loaded_now();
				for (unsigned int i = step; i >= 1; i--)
					cr_assert(p[k - i] = take());
				exchanges += loaded_now() != was;
				was = loaded_now();
			}
			cr_expect(exchanges <= 2, "level %u, %u held: %u", level, k, exchanges);
			give(p[k - 1]);
		}
		for (unsigned int i = 0; i < step; i++)
			give(p[i]);
		finish();
	}
}

/* In the smallest heap, too, a dozen objects come and go without a miss. */
Test(magazine, waves_are_served_by_the_loaded_magazine)
{
	static const struct {
		size_t bytes;
		unsigned int wave;
	} of[] = { { 16 << 20, 1 }, { 8192, 5 }, { 1024, 13 }, { 256, 33 }, { 128, 65 }, { 16, 65 } };
	void *p[65];

	for (unsigned int k = 0; k < ARRAY_SIZE(of); k++) {
		unsigned long misses = 0;

		start(of[k].bytes);
		mc.live_bytes = 0;
		for (unsigned int round = 0; round < 400; round++) {
			if (round == 300)
				misses = mc.nr_refill + mc.nr_flush + mc.nr_depot_get + mc.nr_depot_put;
			for (unsigned int i = 0; i < of[k].wave; i++)
				cr_assert(p[i] = take());
			for (unsigned int i = 0; i < of[k].wave; i++)
				give(p[i]);
		}
		cr_expect(mc.nr_refill + mc.nr_flush + mc.nr_depot_get + mc.nr_depot_put == misses,
			  "%zu bytes: level %u", of[k].bytes, mc.level);
		finish();
	}
}

Test(magazine, no_memory)
{
	void *p;

	start(64);
	starve = true;
	cr_expect(take() == NULL);
	cr_expect(take() == NULL);
	check();
	starve = false;
	p = take();
	cr_assert(p);
	give(p);
	finish();
}

/* The backend gives less than a magazine holds. */
Test(magazine, running_dry)
{
	static void *p[OBJECTS];
	unsigned int n = 0;

	start(64);
	while (n < OBJECTS && (p[n] = take()))
		n++;
	cr_expect(n == OBJECTS, "the last of them was to be had: %u", n);
	cr_expect(take() == NULL);
	while (n)
		give(p[--n]);
	finish();
}

/* No memory for magazines: every operation goes to the backend. */
Test(magazine, no_memory_for_magazines)
{
	static void *p[2000];

	start(64);
	fault_every_call(true);
	while (memblock_alloc(128))
		;
	while (memblock_alloc(256))
		;
	for (unsigned int level = 2; level < MAGAZINE_LEVELS; level++)
		while (memblock_alloc(MAGAZINE_BYTES(level)))
			;
	for (unsigned int i = 0; i < ARRAY_SIZE(p); i++)
		cr_assert(p[i] = take());
	for (unsigned int i = 0; i < ARRAY_SIZE(p); i++)
		give(p[i]);
	fault_every_call(false);
	finish();
}

Test(magazine, without_a_slot)
{
	void *p[50];

	kfree(kmalloc(8, GFP_KERNEL));
	magazine_cache_init(&mc, SLOT_NONE, 64, &backend);
	for (unsigned int i = 0; i < ARRAY_SIZE(p); i++)
		cr_assert(p[i] = take());
	cr_expect(left == OBJECTS - 50, "nothing is kept anywhere");
	for (unsigned int i = 0; i < ARRAY_SIZE(p); i++)
		give(p[i]);
	cr_expect(left == OBJECTS);
	cr_expect(magazine_cache_count(&mc) == 0);
	cr_expect(magazine_cache_drain(&mc, true));
	cr_expect(errors == 0);
}

Test(magazine, magazine_of)
{
	start(64);
	for (unsigned int level = 0; level < MAGAZINE_LEVELS; level++) {
		struct magazine *m = magazine_new(level);

		cr_assert(m && m->capacity == MAGAZINE_CAPACITY(level));
		for (unsigned int i = 0; i < m->capacity; i++)
			m->round[i] = object_at(i);
		for (unsigned int n = 0; n <= m->capacity; n++) {
			void **top = n ? &m->round[n - 1] : &m->bottom;

			cr_assert(magazine_of(top) == m);
			cr_assert(m->count == n);
		}
		magazine_delete(m);
	}
	finish();
}

/* ---- draining --------------------------------------------------------------------------------- */

Test(magazine, drain)
{
	static void *p[1000];

	start(64);
	for (unsigned int i = 0; i < ARRAY_SIZE(p); i++)
		cr_assert(p[i] = take());
	for (unsigned int i = 0; i < ARRAY_SIZE(p); i++)
		give(p[i]);
	cr_expect(magazine_cache_count(&mc) > 0);
	cr_expect(magazine_cache_drain(&mc, false));
	cr_expect(mc.nr_full == 0 && mc.nr_empty == 0);
	check();
	if (magazine_cache_drain(&mc, true)) {
		cr_expect(magazine_cache_count(&mc) == 0);
		cr_expect(left == OBJECTS);
	}
	check();
	p[0] = take();
	cr_expect(p[0]);
	give(p[0]);
	finish();
}

Test(magazine, destroyed_magazines_are_freed)
{
	static void *p[400];
	size_t meta = 0;

	kfree(kmalloc(8, GFP_KERNEL));
	for (unsigned int round = 0; round < 1000; round++) {
		magazine_cache_init(&mc, percpu_slot_alloc(), 64, &backend);
		for (unsigned int i = 0; i < ARRAY_SIZE(p); i++)
			cr_assert(p[i] = take());
		for (unsigned int i = 0; i < ARRAY_SIZE(p); i++)
			give(p[i]);
		magazine_cache_destroy(&mc);
		percpu_slot_free(mc.slot);
		if (round == 100)
			meta = memblock_total();
	}
	cr_expect(left == OBJECTS && errors == 0);
	cr_expect(memblock_total() == meta, "from %zu to %zu", meta, memblock_total());
}

/* ---- threads ------------------------------------------------------------------------------------ */

static bool stop;
static unsigned long operations;

static void *churn(void *arg)
{
	u64 seed = (unsigned long)arg + 1;
	unsigned int n = 0;
	void *mine[300];

	while (!READ_ONCE(stop)) {
		if (n && (n == ARRAY_SIZE(mine) || rnd(&seed) % 100 < 49)) {
			unsigned int i = (unsigned int)(rnd(&seed) % n);

			give(mine[i]);
			mine[i] = mine[--n];
		} else {
			mine[n] = take();
			if (mine[n])
				n++;
		}
		stat_inc(operations);
	}
	while (n)
		give(mine[--n]);
	return NULL;
}

static void churn_under(unsigned int threads, bool drain)
{
	pthread_t t[8];

	kfree(kmalloc(8, GFP_KERNEL));
	magazine_cache_init(&mc, percpu_slot_alloc(), 64, &backend);
	for (unsigned long i = 0; i < threads; i++)
		cr_assert(pthread_create(&t[i], NULL, churn, (void *)i) == 0);
	for (unsigned int i = 0; i < 1000 && !errors; i++) {
		if (drain)
			magazine_cache_drain(&mc, i & 1);
		usleep(1000);
	}
	WRITE_ONCE(stop, true);
	for (unsigned int i = 0; i < threads; i++)
		pthread_join(t[i], NULL);
	cr_expect(operations > 1000);
	cr_expect(in_hand() == 0);
	if (magazine_cache_drain(&mc, true))
		cr_expect(left == OBJECTS, "%ld objects are lost", OBJECTS - left);
	finish();
}

Test(magazine, eight_threads)
{
	churn_under(8, false);
}

Test(magazine, four_threads_and_a_drainer)
{
	churn_under(4, true);
}
