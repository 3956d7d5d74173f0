// SPDX-License-Identifier: MIT
/*
 * magazine.c - the ladder from a CPU's magazine through the depot to the
 * backend, and back.
 *
 * Ownership. A magazine belongs to the CPU in whose slot it is loaded, to the
 * depot on whose list it is, or to the one thread that took it from either: a
 * thread takes a loaded one by replacing the slot's word (percpu_cmpxchg()),
 * after which nobody else can reach it. Nothing below holds a lock while it
 * calls the backend or while it works on a magazine that it has taken.
 *
 * A loaded magazine may have a spare, which belongs to whoever has that magazine:
 * so the two go on and off a CPU together, by one word, and drainers find both.
 *
 * Misses. A miss takes the loaded magazine off the CPU. Popping from an empty one
 * swaps it for its spare if that has rounds, or for a full one from the depot, or gets it a
 * batch from the backend. Pushing onto a full one swaps it for its spare if that has room;
 * a full spare goes to the depot, or a batch of it to the backend when the depot
 * has enough or the spare lies scattered over memory. What was taken off becomes the
 * spare of what is loaded. So however allocations and frees alternate, a trip to the depot or
 * the backend comes after a batch's or a magazine's worth of hits; and a swap of the two
 * after a few hits, since some rounds change places in it (make_room()). Only what has strayed
 * from another CPU goes to the backend as soon as a swap comes across it. Where two threads
 * race for a slot the loser's magazines go to the depot; nothing is lost.
 *
 * Homes. Neighbours share cache lines, and where two CPUs write to one line, each waits for the
 * other's cache: 30 ns, or 150 where they are far apart. So while the program has several
 * threads, objects stay on the CPU that their slab is at home on (slub.c), as far as that can
 * be had: a CPU that runs dry takes magazines of its own from the depot, then objects of its
 * own from the backend, and only then what is others'. What strays, as a message or with a
 * thread that moves, comes by when a full magazine becomes the spare: what is not at home on the
 * CPU that uses it goes to the backend, where its own finds it. And when a full spare goes to
 * the depot: the magazine is at home where its newest round is, and others go to the backend.
 * Homes are hints: they are read without a lock, and a wrong one costs time only.
 *
 * What a miss waits for are cache misses: of magazines' headers, the depot, struct pages. It asks
 * for what it is going to need as soon as it knows the address: the end of a full magazine says
 * where its header and its spare are, and the header how many rounds that has.
 *
 * Batches are bounded: a large magazine serves many hits between two misses, but
 * no miss waits for more than BATCH objects of the backend, whose lock is never
 * held for more.
 *
 * Locks: none is held here; the depot has its own (depot.c).
 */
#include "magazine.h"

#include <string.h>

#include "base/bug.h"
#include "depot.h"
#include "home.h"
#include "percpu.h"

#include "arch/rseq.h"
#include "task.h"

/* Within how many objects' bytes two are near each other. */
#define NEAR			128UL
/* Objects that a miss gets from the backend, or gives back. */
#define BATCH			256U
/* Rounds that go along when a full magazine is exchanged; of smaller ones a fourth. */
#define CARRIED			16U
/* Of a magazine's rounds so many are asked where they are at home. */
#define HOME_SAMPLES		8U

/* ---- magazines ------------------------------------------------------------------ */

static void **magazine_top(struct magazine *m, u32 count)
{
	return &m->round[count] - 1;	/* &m->bottom when count is 0 */
}

/* Writes the end word. */
static void set_end(struct magazine *m, struct magazine *spare)
{
	unsigned long level = __fls(magazine_bytes(m) / 64);

	VM_BUG_ON((unsigned long)spare & MAGAZINE_LEVEL_MASK);
	m->round[m->capacity + 1] = (void *)((unsigned long)spare | level);
}

/*
 * The magazine that ends at @end, and what it says there. Its header is needed next, and the
 * spare's: neither waits for the other.
 */
static struct magazine *full_magazine(void **end, unsigned long word)
{
	unsigned int level = word & MAGAZINE_LEVEL_MASK;
	struct magazine *m = (struct magazine *)((char *)end - MAGAZINE_BYTES(level));

	__builtin_prefetch((void *)(word & ~MAGAZINE_LEVEL_MASK), 1);
	m->count = MAGAZINE_CAPACITY(level);
	return m;
}

struct magazine *magazine_of(void **top)
{
	struct magazine *m;
	void **p = top;

	if (!READ_ONCE(top[1]))		/* full, as most that are asked about */
		return full_magazine(top + 3, (unsigned long)top[2]);
	while (READ_ONCE(*p))
		p--;
	m = container_of(p, struct magazine, bottom);
	m->count = (u32)(top - p);
	return m;
}

/* ---- the backend --------------------------------------------------------------------- */

static unsigned int backend_refill(struct magazine_cache *mc, void **rounds,
				   unsigned int n, gfp_t gfp)
{
	stat_inc(mc->nr_refill);
	return mc->backend->refill(mc, rounds, n, gfp);
}

static bool has_homes(const struct magazine_cache *mc)
{
	return mc->backend->home && homes_matter();
}

/* The CPU whose objects the caller would rather have. */
static unsigned int own_home(const struct magazine_cache *mc)
{
	return has_homes(mc) ? percpu_cpu_hint() : HOME_ANY;
}

/* From what is at home on this CPU; 0 also where that does not matter. */
static unsigned int backend_refill_own(struct magazine_cache *mc, void **rounds, unsigned int n)
{
	unsigned int got = has_homes(mc) ? mc->backend->refill_own(mc, rounds, n) : 0;

	if (got)
		stat_inc(mc->nr_refill);
	return got;
}

/* The CPU that @m, which has rounds, is said to be at home on: that of its newest one. */
static unsigned int home_of(const struct magazine_cache *mc, const struct magazine *m)
{
	return has_homes(mc) ? mc->backend->home(mc, m->round[m->count - 1]) : HOME_ANY;
}

static void backend_flush(struct magazine_cache *mc, void **rounds, unsigned int n)
{
	for (unsigned int done = 0, part; done < n; done += part) {
		part = min(n - done, BATCH);
		stat_inc(mc->nr_flush);
		mc->backend->flush(mc, rounds + done, part);
	}
}

/* Sends a magazine that is the caller's to the depot, or its rounds to the backend. */
static void magazine_retire(struct magazine_cache *mc, struct magazine *m)
{
	m->home = HOME_ANY;
	if (m->count && depot_put_full(mc, m))
		return;
	if (m->count)
		backend_flush(mc, m->round, m->count);
	m->count = 0;
	depot_put_empty(mc, m);
}

/* ---- the loaded one and its spare ------------------------------------------------------ */

static void give_spare(struct magazine *m, struct magazine *spare)
{
	m->spare = spare;
	m->spare_count = spare ? (u16)spare->count : 0;
	set_end(m, spare);
}

/*
 * Behind every loading. A thread that came here before the cache was closed takes back
 * what it has loaded. No barrier: that was either before magazine_cache_close()'s, and its
 * drainer finds it, or after it, and then the flag, set before that, is seen.
 */
static void loaded(struct magazine_cache *mc)
{
	if (unlikely(READ_ONCE(mc->closed)))
		magazine_cache_drain(mc, true);
}

/* Loads @m with @spare, which may be NULL, if nothing is loaded here; else retires them. */
static void magazine_load(struct magazine_cache *mc, struct magazine *m, struct magazine *spare)
{
	unsigned int cpu;
	long word = percpu_word(mc->slot, &cpu);

	give_spare(m, spare);
	if (likely(word == WORD_CLOSED) &&
	    percpu_cmpxchg(cpu, mc->slot, WORD_CLOSED, word_of(cpu, magazine_top(m, m->count)))) {
		loaded(mc);
		return;
	}
	magazine_retire(mc, m);
	if (spare)
		magazine_retire(mc, spare);
}

enum unload { NOTHING_LOADED, UNLOADED, IN_USE };

/* Takes what is loaded on this CPU. IN_USE: it is just being taken by somebody. */
static enum unload magazine_unload(struct magazine_cache *mc, struct magazine **m,
				   struct magazine **spare)
{
	unsigned int cpu;
	long word = percpu_word(mc->slot, &cpu);

	*m = *spare = NULL;
	if (word == WORD_CLOSED)
		return NOTHING_LOADED;
	if (word == WORD_DRAINING || !percpu_cmpxchg(cpu, mc->slot, word, WORD_CLOSED))
		return IN_USE;
	*m = magazine_of(round_of(cpu, word));
	*spare = (*m)->spare;
	return UNLOADED;
}

/* ---- allocation ------------------------------------------------------------------------ */

static void *alloc_direct(struct magazine_cache *mc, gfp_t gfp)
{
	void *object;

	return backend_refill(mc, &object, 1, gfp) ? object : NULL;
}

/* Takes an object from @m, which has some, and loads it. */
static void *alloc_and_load(struct magazine_cache *mc, struct magazine *m, struct magazine *spare)
{
	void *object = m->round[--m->count];

	magazine_load(mc, m, spare);
	return object;
}

/*
 * Fills @m, which is empty and may be NULL, or finds one of another CPU's that is full, and takes
 * an object from it.
 */
static void *alloc_refill(struct magazine_cache *mc, struct magazine *m, struct magazine *spare,
			  gfp_t gfp)
{
	struct magazine *full;
	u32 n = 0;

	m = m ? magazine_of_level(m, READ_ONCE(mc->level)) : depot_get_empty(mc);
	if (m) {
		n = min((u32)m->capacity, BATCH);
		m->count = backend_refill_own(mc, m->round, n);
		if (m->count)
			return alloc_and_load(mc, m, spare);
	}
	full = has_homes(mc) ? depot_get_full(mc, spare, HOME_ANY, true) : NULL;
	if (full)
		return alloc_and_load(mc, full, m);
	if (m) {
		m->count = backend_refill(mc, m->round, n, gfp);
		if (m->count)
			return alloc_and_load(mc, m, spare);
		depot_put_empty(mc, m);
	}
	if (spare)
		depot_put_empty(mc, spare);
	return m ? NULL : alloc_direct(mc, gfp);
}

static void *alloc_miss(struct magazine_cache *mc, gfp_t gfp)
{
	struct magazine *m, *spare, *full;
	void *object;

	if (mc->slot == SLOT_NONE)
		return alloc_direct(mc, gfp);
	percpu_thread_ready();
	/* The CPU may have changed since the caller's miss: look again. */
	object = percpu_pop(mc->slot);
	if (object)
		return object;
	if (magazine_unload(mc, &m, &spare) == IN_USE)
		return alloc_direct(mc, gfp);
	if (m && unlikely(m->count))	/* somebody freed in between: what we wanted */
		return alloc_and_load(mc, m, spare);
	if (spare && m->spare_count) {
		/* While the header comes that says so, too. */
		__builtin_prefetch(magazine_top(spare, m->spare_count), 1);
		return alloc_and_load(mc, spare, m);
	}
	full = depot_get_full(mc, spare, own_home(mc), false);
	if (full)
		return alloc_and_load(mc, full, m);
	return alloc_refill(mc, m, spare, gfp);
}

/* A request that may not wait makes no system call, for magazines' memory neither. */
void *magazine_alloc_slow(struct magazine_cache *mc, gfp_t gfp)
{
	unsigned int saved;
	void *object;

	if (likely(gfpflags_allow_blocking(gfp)))
		return alloc_miss(mc, gfp);
	saved = task_save(TASK_NOWAIT);
	object = alloc_miss(mc, gfp);
	task_restore(TASK_NOWAIT, saved);
	return object;
}

void *magazine_alloc(struct magazine_cache *mc, gfp_t gfp)
{
	void *object = mc->slot != SLOT_NONE ? percpu_pop(mc->slot) : NULL;

	return likely(object) ? object : magazine_alloc_slow(mc, gfp);
}

/* ---- freeing ---------------------------------------------------------------------------- */

/*
 * Whether most rounds are far from the ones below them. Such would be handed out as they
 * came, one cache line and one page each; the backend sorts them. Struct pages lie
 * closer together than what they stand for, and are never found to be scattered.
 */
static bool scattered(const struct magazine_cache *mc, const struct magazine *m)
{
	size_t reach = NEAR * (size_t)mc->round_bytes;
	u32 near = 0, seen = 0;

	for (u32 i = 1; i < m->count; i += 8, seen++)
		near += (uintptr_t)m->round[i] - (uintptr_t)m->round[i - 1] + reach < 2 * reach;
	return near < seen / 2;
}

/* The @n newest rounds of @m, which has as many, to @to, which has room for them. */
static void move_newest(struct magazine *m, struct magazine *to, u32 n)
{
	m->count -= n;
	memcpy(to->round + to->count, m->round + m->count, n * sizeof(void *));
	to->count += n;
}

/* Gives @n rounds of a magazine, which keeps the others, back to the backend. */
static void flush_range(struct magazine_cache *mc, struct magazine *m, u32 from, u32 n)
{
	backend_flush(mc, m->round + from, n);
	m->count -= n;
	memmove(m->round + from, m->round + from + n, (m->count - from) * sizeof(void *));
}

/* Gives a batch of the oldest rounds back. */
static void flush_oldest(struct magazine_cache *mc, struct magazine *m)
{
	flush_range(mc, m, 0, min(m->count, BATCH));
}

/*
 * Looks at some rounds of @m, the newest among them: where some are at home on @home and others
 * are not, the end of a batch of rounds that has about the newest of these; else 0.
 */
static u32 find_strays(const struct magazine_cache *mc, const struct magazine *m,
		       unsigned int home)
{
	u32 step = m->count / HOME_SAMPLES + 1, own = 0, end = 0;

	for (u32 n = m->count; n; n -= min(n, step)) {
		if (mc->backend->home(mc, m->round[n - 1]) == home)
			own++;
		else if (!end)
			end = min(n + step - 1, m->count);
	}
	return own && end ? max(end, min(m->count, BATCH)) : 0;
}

/*
 * Sends those of a batch of rounds of @m to the backend that are not at home on @home, the newest
 * such first. True: that made room. A magazine of nothing but strays is a message, which is
 * handed on whole.
 */
static bool sort_out(struct magazine_cache *mc, struct magazine *m, unsigned int home)
{
	u32 end = home == HOME_ANY ? 0 : find_strays(mc, m, home);
	u32 start = end - min(end, BATCH), nr = start;

	for (u32 i = start; i < end; i++) {
		void *object = m->round[i];

		if (mc->backend->home(mc, object) == home)
			continue;
		m->round[i] = m->round[nr];
		m->round[nr++] = object;
	}
	if (nr > start)
		flush_range(mc, m, start, nr - start);
	return nr > start;
}

/* For the full @spare one that is empty, or itself with less in it; NULL: no memory. */
static struct magazine *spare_with_room(struct magazine_cache *mc, struct magazine *spare)
{
	struct magazine *empty;
	bool sorted;

	spare->home = (u16)home_of(mc, spare);
	sorted = sort_out(mc, spare, spare->home);
	if (sorted && spare->count <= spare->capacity - spare->capacity / 4U)
		return spare;
	if (!scattered(mc, spare) && depot_trade_full(mc, spare, &empty))
		return empty;
	if (!sorted)
		flush_oldest(mc, spare);
	return spare;
}

/*
 * For the full *@m, which is off its CPU, with *@spare, which may be NULL. On return *@m has
 * room: it is the one that was the spare, or came for it, and the full one is its spare now.
 *
 * What strayed into the full one goes home: a program that takes what it has just given back
 * would have it for ever.
 *
 * In the exchange some rounds go along: else a program that takes two objects and gives two
 * back, at the edge between two magazines, would come here with every other call. What a
 * spare lacks by that it gets here first, which makes room as well, so that what goes to the
 * depot later is full. Without memory for another magazine a batch goes to the backend.
 */
static void make_room(struct magazine_cache *mc, struct magazine **m, struct magazine **spare)
{
	unsigned int level = READ_ONCE(mc->level);
	struct magazine *full = *m, *next = *spare;
	u32 carried;

	/* As far as the header of the one says: that of the spare is on its way. */
	if (next && full->spare_count >= full->capacity)
		depot_expect_trade(mc);
	if (next && next->count > next->capacity / 2 && next->count < next->capacity) {
		move_newest(full, next, min(next->capacity - next->count, full->count));
		return;
	}
	if (next && next->count == next->capacity)
		next = spare_with_room(mc, next);
	else if (mc->round_bytes <= HOME_BYTES)
		sort_out(mc, full, own_home(mc));
	if (!next)
		next = depot_get_empty(mc);
	if (next && next->capacity < MAGAZINE_CAPACITY(level))
		next = magazine_enlarge(next, depot_get_empty(mc), level);
	*spare = NULL;
	if (unlikely(!next)) {
		if (full->count == full->capacity)
			flush_oldest(mc, full);
		return;
	}
	carried = min(CARRIED, (u32)min(full->capacity, next->capacity) / 4 + 1);
	if (next->count < carried)
		move_newest(full, next, min(carried - next->count, full->count));
	*spare = full;
	*m = next;
}

void magazine_free_slow(struct magazine_cache *mc, void *object)
{
	struct magazine *m, *spare;
	enum unload was;

	if (mc->slot == SLOT_NONE) {
		backend_flush(mc, &object, 1);
		return;
	}
	percpu_thread_ready();
	if (percpu_push(mc->slot, object))
		return;
	was = magazine_unload(mc, &m, &spare);
	if (was != UNLOADED) {
		/*
		 * The first use on this CPU, of an object that was taken on another:
		 * whose neighbours are, too. To hand it out next would have two CPUs
		 * write to one cache line.
		 */
		backend_flush(mc, &object, 1);
		m = was == NOTHING_LOADED ? depot_get_empty(mc) : NULL;
		if (m)
			magazine_load(mc, m, NULL);
		return;
	}
	if (likely(m->count == m->capacity))
		make_room(mc, &m, &spare);
	m->round[m->count++] = object;
	magazine_load(mc, m, spare);
}

void magazine_free(struct magazine_cache *mc, void *object)
{
	if (mc->slot == SLOT_NONE || unlikely(!percpu_push(mc->slot, object)))
		magazine_free_slow(mc, object);
}

/* ---- without waiting ----------------------------------------------------------------------- */

/* Not percpu_pop(): in fallback mode that takes a virtual CPU's lock. */
void *magazine_alloc_nolock(struct magazine_cache *mc)
{
	void *object = mc->slot != SLOT_NONE ? rseq_pop(mc->slot) : NULL;

	if (object || !trylock(&mc->lock))
		return object;
	/* One that is on the list keeps a round: there are no empty ones among the full. */
	for (struct magazine *m = mc->full; m && !object; m = m->next)
		if (m->count > 1)
			object = m->round[--m->count];
	unlock(&mc->lock);
	return object;
}

bool magazine_free_nolock(struct magazine_cache *mc, void *object)
{
	return mc->slot != SLOT_NONE && rseq_push(mc->slot, object);
}

/* ---- many at once ------------------------------------------------------------------------ */

/*
 * One section for what the loaded magazine has; a ladder, which renews it, for the
 * next one. Callers that take and give back @n at a time mostly find them in one
 * magazine once it holds twice as many.
 */
static void bulk_want(struct magazine_cache *mc, size_t n)
{
	if (READ_ONCE(mc->level) < mc->max_level && MAGAZINE_CAPACITY(READ_ONCE(mc->level)) < 2 * n)
		depot_raise_level(mc, 2 * n);
}

size_t magazine_alloc_bulk(struct magazine_cache *mc, gfp_t gfp, void **objects, size_t n)
{
	size_t got = percpu_pop_bulk(mc->slot, objects, n);

	if (unlikely(got < n))
		bulk_want(mc, n);
	while (unlikely(got < n)) {
		objects[got] = magazine_alloc_slow(mc, gfp);
		if (!objects[got])
			break;
		if (++got < n)
			got += percpu_pop_bulk(mc->slot, objects + got, n - got);
	}
	return got;
}

void magazine_free_bulk(struct magazine_cache *mc, void *const *objects, size_t n)
{
	size_t done = percpu_push_bulk(mc->slot, objects, n);

	while (unlikely(done < n)) {
		if (objects[done])
			magazine_free_slow(mc, objects[done]);
		if (++done < n)
			done += percpu_push_bulk(mc->slot, objects + done, n - done);
	}
}

/* ---- draining ------------------------------------------------------------------------------ */

static void drain_magazine(struct magazine_cache *mc, struct magazine *m)
{
	if (m->count)
		backend_flush(mc, m->round, m->count);
	magazine_delete(m);
}

static void drain_loaded(void **top, void *arg)
{
	struct magazine *m = magazine_of(top), *spare = m->spare;

	drain_magazine(arg, m);
	if (spare)
		drain_magazine(arg, spare);
}

static void drain_depot(struct magazine_cache *mc)
{
	struct magazine *next;

	for (struct magazine *m = depot_take_all(mc); m; m = next) {
		next = m->next;
		drain_magazine(mc, m);
	}
}

static struct kmem_lock drain_mutex = LOCK_INIT(RANK_DRAIN);

bool magazine_take_loaded(unsigned int slot, void (*fn)(void **top, void *arg), void *arg)
{
	bool all;

	lock(&drain_mutex);
	all = percpu_drain(slot, fn, arg);
	unlock(&drain_mutex);
	return all;
}

bool magazine_cache_drain(struct magazine_cache *mc, bool cpus)
{
	bool all = true;

	if (mc->slot == SLOT_NONE)
		return true;
	if (cpus)
		all = magazine_take_loaded(mc->slot, drain_loaded, mc);
	drain_depot(mc);
	return all;
}

void magazine_cache_close(struct magazine_cache *mc, bool closed)
{
	WRITE_ONCE(mc->closed, closed);
	if (!closed)
		return;
	percpu_barrier();
	magazine_cache_drain(mc, true);
}

void magazine_cache_destroy(struct magazine_cache *mc)
{
	lock(&mc->lock);
	mc->dead = true;
	unlock(&mc->lock);
	if (mc->slot != SLOT_NONE)
		percpu_drain_dead(mc->slot, drain_loaded, mc);
	drain_depot(mc);
}

void magazine_fork_lock(void)
{
	lock_fork(&drain_mutex);
}

void magazine_fork_unlock(void)
{
	unlock(&drain_mutex);
}

/* ---- the rest --------------------------------------------------------------------------------- */

void magazine_cache_init(struct magazine_cache *mc, unsigned int slot,
			 size_t round_bytes, const struct magazine_backend *backend)
{
	*mc = (struct magazine_cache){
		.slot = slot,
		.round_bytes = (u32)min(round_bytes, (size_t)1 << 30),
		.closed = slot == SLOT_NONE,
		.live_bytes = ~0UL,
		.backend = backend,
	};
	depot_init(mc, round_bytes);
}

/*
 * A loaded magazine may be taken, and be anything of memblock's, while it is read: that memory
 * stays mapped, and the chunk that it is of begins with zeros, where the walk ends. What is read
 * instead of spare_count is bounded as that is.
 */
__racy unsigned long magazine_cache_count(struct magazine_cache *mc)
{
	const u32 max = MAGAZINE_CAPACITY(MAGAZINE_LEVELS - 1);
	unsigned long n = 0;

	if (mc->slot == SLOT_NONE)
		return 0;
	lock(&mc->lock);
	for (struct magazine *m = mc->full; m; m = m->next)
		n += m->count;
	unlock(&mc->lock);
	for (unsigned int cpu = 0; cpu < percpu.nr_cpus; cpu++) {
		long word = READ_ONCE(*percpu_slot(cpu, mc->slot));
		void **p = round_of(cpu, word);
		u32 seen = 0, spare;

		if (word == WORD_CLOSED || word == WORD_DRAINING)
			continue;
		for (; READ_ONCE(*p) && seen < max; p--)
			seen++;
		spare = READ_ONCE(container_of(p, struct magazine, bottom)->spare_count);
		n += seen + min(spare, max);
	}
	return n;
}

bool magazine_cache_touched(struct magazine_cache *mc)
{
	unsigned long sum = READ_ONCE(mc->nr_refill) + READ_ONCE(mc->nr_flush) +
			    READ_ONCE(mc->nr_depot_get) + READ_ONCE(mc->nr_depot_put);
	bool touched = sum != mc->nr_seen;

	mc->nr_seen = sum;
	return touched;
}
