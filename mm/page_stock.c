// SPDX-License-Identifier: MIT
/*
 * page_stock.c - the large objects that each CPU freed last.
 *
 * Parked runs (page_park.c) spare a program the merging and splitting of blocks,
 * but all CPUs find them behind one lock: of two threads that each allocate and free 60 KB
 * a pair took 174 ns, most of it for that lock, and takes 24 now. So each CPU has a stock of its
 * own in front of them: STOCK_RUNS slots of its area (percpu.h), of which each holds one run
 * or none:
 *
 *	area + slot word  =  address of the run's first struct page + its length - 1
 *
 * Struct pages are 64 bytes and aligned to that, so a word says how long the run is without
 * a look at the page. A request for exactly that length takes it, if its alignment will do.
 *
 * Ownership. Whoever changes a word from or to zero, by percpu_cmpxchg(), gave away or got
 * the run. A word that went and came back between the reading and the exchange
 * means the same run, of the same length, on the same CPU: it may be taken all the same.
 * A run in the stock is of type PT_STOCK and belongs to the word; nobody else writes its
 * struct page. Like a parked one it is movable and dirty. It is of the node that the CPU
 * was on: an index of a CPU may come to be used on another one (percpu.h), where it is
 * passed by.
 *
 * It must not cost memory. A CPU keeps four runs of up to 256 KiB and four of up to 64 KiB;
 * what makes room for another is parked. The CPU's own stock goes back to the zone before
 * a request faults in pages (zone->thrifty), and before a longer run is looked for or is to
 * grow where it stands, since it may be just what lies in the way. The reclaimer, which is
 * woken when much is in stock, drains all CPUs' at each of its looks. With decay_ms=0 nothing
 * is kept.
 *
 * Locks: none is held on entry where a run may be given back; the zone lock, alone.
 */
#include "buddy.h"
#include "host/host.h"
#include "magazine.h"
#include "numa.h"
#include "percpu.h"

#include "arch/rseq.h"

/* What every slot may hold. Longer runs have half of them. */
#define STOCK_SHORT_PAGES	16UL

/* What a word is made of; closed slots and those that are drained speak of no page. */
#define LENGTH_MASK		(sizeof(struct page) - 1)

BUILD_BUG_ON(STOCK_MAX_PAGES > sizeof(struct page));
BUILD_BUG_ON(WORD_DRAINING > (long)LENGTH_MASK);
BUILD_BUG_ON(SLOT_STOCK + STOCK_RUNS > SLOT_DYNAMIC || SLOT_STOCK % STOCK_RUNS);

static bool word_is_run(long word)
{
	return word & ~(long)LENGTH_MASK;
}

static unsigned long run_length(long word)
{
	return ((unsigned long)word & LENGTH_MASK) + 1;
}

static long run_word(unsigned int cpu, struct page *page, unsigned long n)
{
	return word_of(cpu, (void **)page) | (long)(n - 1);
}

static struct page *run_page(unsigned int cpu, long word)
{
	return (struct page *)round_of(cpu, word & ~(long)LENGTH_MASK);
}

/*
 * The words of the present CPU; NULL: nobody uses them just now, or they are not there yet.
 * Requests, which may be such as make no system call, leave registering to frees.
 */
static long *own_words(unsigned int *cpu, bool may_register)
{
	if (unlikely(!percpu.base ||
		     !(may_register ? percpu_thread_ready() : percpu_thread_known())))
		return NULL;
	return percpu_word(SLOT_STOCK, cpu) == WORD_DRAINING ? NULL : percpu_slot(*cpu, SLOT_STOCK);
}

/* percpu_cmpxchg() without the call. */
static inline bool word_cmpxchg(unsigned int cpu, unsigned int i, long expect, long new)
{
	if (likely(percpu.mode == PERCPU_RSEQ))
		return rseq_cmpxchg(cpu, percpu_slot(cpu, SLOT_STOCK + i), expect, new);
	return percpu_cmpxchg(cpu, SLOT_STOCK + i, expect, new);
}

/* The run that the i-th word speaks of, now the caller's; NULL: it is gone. */
static inline struct page *take_at(unsigned int cpu, unsigned int i, long word)
{
	struct page *page = run_page(cpu, word);

	if (!word_cmpxchg(cpu, i, word, WORD_CLOSED))
		return NULL;
	if (unlikely(page->type != PT_STOCK || page->nr_pages != run_length(word)))
		bad_page(page, "in a CPU's stock, and no run of that length");
	return page;
}

/* By the address alone: a run that is not ours yet may be drained, and freed, meanwhile. */
static const struct zone *zone_around(const struct page *page)
{
	unsigned int i = 0;

	while ((unsigned long)(page - zones[i]->memmap) >= zones[i]->nr_pages)
		i++;
	return zones[i];
}

static bool run_suits(const struct page *page, unsigned long align)
{
	const struct zone *z = zone_around(page);

	return IS_ALIGNED((unsigned long)zone_page_address(z, page), align << PAGE_SHIFT) &&
	       likely(numa_zone_is_near(z));
}

struct page *stock_take(unsigned long n, unsigned long align)
{
	unsigned int cpu;
	long *words;

	if (n > STOCK_MAX_PAGES)
		return NULL;
	words = own_words(&cpu, false);
	for (unsigned int i = 0; words && i < STOCK_RUNS; i++) {
		long word = READ_ONCE(words[i]);
		struct page *page;

		if (likely(!word_is_run(word) || run_length(word) != n))
			continue;
		page = run_suits(run_page(cpu, word), align) ? take_at(cpu, i, word) : NULL;
		if (likely(page))
			return page;
	}
	return NULL;
}

/*
 * The slot for a run of @n pages: the first that is empty and may hold one as long, or one
 * whose run has to go, another each time. Half the slots are for short runs.
 */
static unsigned int slot_for(const long *words, unsigned long n, unsigned long hand)
{
	unsigned int may = n <= STOCK_SHORT_PAGES ? STOCK_RUNS : STOCK_RUNS / 2;

	for (unsigned int i = 0; i < may; i++)
		if (!word_is_run(READ_ONCE(words[i])))
			return i;
	return hand % may;
}

/*
 * More is in stock than before: the reclaimer is to know when it is much. Each CPU looks at
 * its own, as if there were one more like it, and not before it has a third run.
 */
static void stock_grown(const struct zone *z, const long *words)
{
	unsigned long pages = 0;

	for (unsigned int i = 0; i < STOCK_RUNS; i++) {
		long word = READ_ONCE(words[i]);

		if (word_is_run(word))
			pages += run_length(word);
	}
	if (zone_dirty_pages(z) + 2 * pages > READ_ONCE(reclaim_threshold))
		reclaim_kick();
}

bool stock_put(struct page *page)
{
	struct zone *z = page_zone(page);
	unsigned long n = page->nr_pages;
	unsigned int cpu, i;
	long *words, old;

	if (n > STOCK_MAX_PAGES || !numa_zone_is_near(z) || unlikely(!kmem_params.decay_ms))
		return false;
	words = own_words(&cpu, true);
	if (unlikely(!words))
		return false;
	i = slot_for(words, n, page_zpn(z, page) / n);
	old = READ_ONCE(words[i]);
	if (unlikely(!word_is_run(old) && old != WORD_CLOSED))
		return false;
	page_set_type(page, PT_STOCK);
	if (unlikely(!word_cmpxchg(cpu, i, old, run_word(cpu, page, n)))) {
		page_set_type(page, PT_LARGE);
		return false;
	}
	if (!word_is_run(old)) {
		if (i >= 2)
			stock_grown(z, words);
	} else if (large_put(run_page(cpu, old), true)) {
		reclaim_kick();
	}
	return true;
}

bool stock_held(void)
{
	unsigned int cpu;
	const long *words = own_words(&cpu, false);

	for (unsigned int i = 0; words && i < STOCK_RUNS; i++)
		if (word_is_run(READ_ONCE(words[i])))
			return true;
	return false;
}

void stock_return(void)
{
	unsigned int cpu;
	const long *words = own_words(&cpu, false);

	for (unsigned int i = 0; words && i < STOCK_RUNS; i++) {
		long word = READ_ONCE(words[i]);
		struct page *page = word_is_run(word) ? take_at(cpu, i, word) : NULL;

		if (page)
			large_put(page, false);
	}
}

/* What percpu_drain() makes of a word: the struct page and its length still. */
static void drain_run(void **top, void *unused)
{
	(void)unused;
	large_put((struct page *)((unsigned long)top & ~LENGTH_MASK), false);
}

void stock_drain(void)
{
	for (unsigned int i = 0; i < STOCK_RUNS; i++)
		magazine_take_loaded(SLOT_STOCK + i, drain_run, NULL);
}
