// SPDX-License-Identifier: MIT
/*
 * kvfree_rcu.c - kfree_rcu() and its kin: objects that are freed after a grace period.
 *
 * Nothing is written into an object: its address goes into a batch of the CPU that the
 * thread is on. A batch is a magazine (magazine.h) of 259 rounds in a slot of its own
 * (percpu.h), so that noting an object is the same restartable push that freeing one
 * is, and takes no lock:
 *
 *	push onto the CPU's batch
 *	  full, or none there: the full one is queued, an empty one loaded
 *	    no memory for one: into a batch that is queued and has room
 *	      none: a list through the objects themselves, by their rcu_head
 *	        no head (mightsleep): wait for a grace period here, then free
 *
 * A round (slab_rcu.c) takes the batches of all CPUs, full or not, and leaves their
 * slots closed: so a batch is there only while a round is due, the first object after
 * one is what wakes the worker, and the push need not look.
 *
 * How much may wait. The push sees to objects of the kmalloc caches up to 1 KiB alone:
 * a batch that nobody has counted yet holds 259 KiB at most. Others are counted before
 * they are noted, small ones when their batch is queued. From KICK_BYTES on the next
 * round begins at once; above MAX_BYTES a caller that is not in a read-side section
 * sleeps for up to 10 ms each time that it comes this far. It cannot be made to wait
 * for the grace period: it may hold a lock that a reader waits for.
 *
 * Lock: kvfree_lock, around taking a batch from a CPU until it is loaded or queued
 * again, around the lists, and around a round's taking of all of them: so none is in
 * anybody's hands then, and a round misses nothing that was noted before it. It may be
 * held across a membarrier, as slab_mutex may; nobody but kfree_rcu()'s slow path and
 * rounds waits for it.
 *
 * Without membarrier there are no batches per CPU. If it is refused only later (a
 * sandbox), what other CPUs have loaded then waits until they fill their batch.
 */
#include "slab_rcu.h"

#include <kmem/vmalloc.h>

#include "kmalloc_hit.h"
#include "magazine.h"
#include "percpu.h"
#include "rcu.h"
#include "slab.h"
#include "start.h"

#include "arch/rseq.h"

/* Of a batch, which is a magazine: 259 rounds. */
#define BATCH_LEVEL	5
/* Empty batches kept for the next ones. */
#define MAX_SPARE	16U
/* The largest kmalloc cache whose objects are counted with their batch, by slot. */
#define SMALL_SLOTS	20U
#define SMALL_BYTES	1024

#define KICK_BYTES	(4UL << 20)
#define MAX_BYTES	(64UL << 20)
#define THROTTLE_MS	10

/* What an object's rcu_head holds where there was no memory for a batch. */
struct noted_head {
	struct noted_head *next;
	void *object;
};

/* Two lists: what waits for the next round, and what the one under way frees. */
struct deferred {
	struct magazine *batches;
	struct noted_head *heads;
	unsigned long bytes;		/* as far as counted; atomic */
};

static struct {
	unsigned int slot;		/* SLOT_NONE: not yet, or no per-CPU batches */
	bool started;			/* kvfree_lock */
	struct deferred queued, taken;	/* kvfree_lock */
	struct magazine *spare;		/* kvfree_lock */
	unsigned int nr_spare;
} noted;

/* ---- batches: kvfree_lock ------------------------------------------------------------ */

static void spare_put(struct magazine *m)
{
	m->count = 0;
	m->next = noted.spare;
	WRITE_ONCE(noted.spare, m);
	noted.nr_spare++;
}

static struct magazine *spare_get(void)
{
	struct magazine *m = noted.spare;

	if (m) {
		WRITE_ONCE(noted.spare, m->next);
		noted.nr_spare--;
	}
	return m;
}

static bool is_small(const void *object)
{
	return kmalloc_slot_of(object) - SLOT_KMALLOC < SMALL_SLOTS;
}

static void batch_queue(struct magazine *m)
{
	unsigned long bytes = 0;

	for (u32 i = 0; i < m->count; i++) {
		unsigned int class = kmalloc_slot_of(m->round[i]) - SLOT_KMALLOC;

		if (class < SMALL_SLOTS)
			bytes += kmalloc_caches[class]->size;
	}
	stat_add(noted.queued.bytes, bytes);
	m->next = noted.queued.batches;
	noted.queued.batches = m;
}

/* ---- noting an object, past the push --------------------------------------------------- */

/* Into a batch that is queued, or a new one. False: no memory. */
static bool note_queued(void *object)
{
	struct magazine *m = noted.queued.batches;

	if (!m || m->count == m->capacity) {
		m = spare_get();
		if (!m)
			return false;
		m->next = noted.queued.batches;
		noted.queued.batches = m;
	}
	m->round[m->count++] = object;
	if (is_small(object))
		stat_add(noted.queued.bytes, SMALL_BYTES);
	return true;
}

/* Onto the CPU's batch, or a fresh one in its place. False: no memory. */
static bool note_locked(void *object)
{
	struct magazine *m = NULL;
	unsigned int cpu;
	long word;

	if (noted.slot == SLOT_NONE)
		return note_queued(object);
	if (percpu_push(noted.slot, object))
		return true;
	word = percpu_word(noted.slot, &cpu);
	if (word == WORD_DRAINING ||
	    (word != WORD_CLOSED && !percpu_cmpxchg(cpu, noted.slot, word, WORD_CLOSED)))
		return note_queued(object);
	if (word != WORD_CLOSED) {
		m = magazine_of(round_of(cpu, word));
		if (m->count == m->capacity) {
			batch_queue(m);
			m = NULL;
		}
	}
	if (!m)
		m = spare_get();
	if (!m)
		return false;
	m->round[m->count++] = object;
	word = percpu_word(noted.slot, &cpu);
	if (word != WORD_CLOSED ||
	    !percpu_cmpxchg(cpu, noted.slot, WORD_CLOSED, word_of(cpu, &m->round[m->count] - 1)))
		batch_queue(m);
	return true;
}

static const struct rcu_kind kvfree_kind;

/* The first of all: a slot, where batches could be taken from it again. */
static void kvfree_start(void)
{
	unsigned int slot = SLOT_NONE;

	lock(&slab_mutex);
	lock(&kvfree_lock);
	if (!noted.started) {
		if (percpu.can_drain)
			slot = percpu_slot_alloc();
		rcu_set_kind(&kvfree_kind);
		WRITE_ONCE(noted.slot, slot);
		WRITE_ONCE(noted.started, true);
	}
	unlock(&kvfree_lock);
	unlock(&slab_mutex);
}

/* Notes an object; false: no memory, and it has no head. */
static bool note(struct noted_head *head, void *object)
{
	struct magazine *fresh = READ_ONCE(noted.spare) ? NULL : magazine_new(BATCH_LEVEL);
	bool done;

	percpu_thread_ready();
	lock(&kvfree_lock);
	if (fresh)
		spare_put(fresh);
	done = note_locked(object);
	if (!done && head) {
		head->object = object;
		head->next = noted.queued.heads;
		noted.queued.heads = head;
		done = true;
	}
	unlock(&kvfree_lock);
	return done;
}

/* What is not small was counted; is it too much that waits now? */
static void check_waiting(void)
{
	unsigned long waiting = READ_ONCE(noted.queued.bytes);

	if (likely(waiting < KICK_BYTES))
		return;
	if (waiting + READ_ONCE(noted.taken.bytes) < MAX_BYTES)
		rcu_expedite();
	else
		rcu_expedite_wait(THROTTLE_MS);
}

static noinline void kvfree_call_rcu_slow(struct rcu_head *head, void *object)
{
	unsigned long size = ksize(object);	/* a bad pointer is reported there */

	if (size == 0)
		return;
	if (unlikely(!READ_ONCE(noted.started)))
		kvfree_start();
	if (!is_small(object))
		stat_add(noted.queued.bytes, size);
	if (READ_ONCE(noted.slot) != SLOT_NONE && percpu_push(noted.slot, object)) {
		check_waiting();
		return;
	}
	if (!note((struct noted_head *)head, object)) {
		unsigned int entered = rcu_wait_enter();

		rcu_synchronize();
		rcu_wait_leave(entered);
		kvfree(object);
		return;
	}
	rcu_queued();
	rcu_start_worker();
	check_waiting();
}

/* noted.slot is SLOT_NONE, and so closed, until the first object is noted. */
void kvfree_call_rcu(struct rcu_head *head, void *ptr)
{
	if (unlikely(!is_small(ptr)) || unlikely(!rseq_push(READ_ONCE(noted.slot), ptr)))
		kvfree_call_rcu_slow(head, ptr);
}

/* ---- a round's part ------------------------------------------------------------------------ */

/* Tries before a batch that is pushed to at every one of them is left for the next round. */
#define COLLECT_TRIES	1000

static void take_loaded(void **top, void *arg)
{
	struct magazine *m = magazine_of(top);

	(void)arg;
	if (m->count)
		batch_queue(m);
	else
		spare_put(m);
}

static void take_all_loaded(void)
{
	for (int i = 0; i < COLLECT_TRIES; i++) {
		if (noted.slot == SLOT_NONE ||
		    magazine_take_loaded(noted.slot, take_loaded, NULL) || !percpu.can_drain)
			break;
	}
}

static void batches_append(struct deferred *to, struct deferred *from)
{
	struct magazine **m = &to->batches;
	struct noted_head **h = &to->heads;

	while (*m)
		m = &(*m)->next;
	while (*h)
		h = &(*h)->next;
	*m = from->batches;
	*h = from->heads;
	from->batches = NULL;
	from->heads = NULL;
}

static bool kvfree_collect(void)
{
	bool any;

	lock(&kvfree_lock);
	take_all_loaded();
	batches_append(&noted.taken, &noted.queued);
	WRITE_ONCE(noted.taken.bytes, __atomic_exchange_n(&noted.queued.bytes, 0, __ATOMIC_RELAXED));
	any = noted.taken.batches || noted.taken.heads;
	unlock(&kvfree_lock);
	return any;
}

static void free_one(void *object)
{
	if (unlikely(!kfree_hit(object)))
		kfree_slow(object, NULL);
}

/* The cache of an object; NULL: it has none, or is none. */
static struct kmem_cache *cache_of(const void *object)
{
	u8 slot = kmalloc_slot_of(object);

	return likely(slot) ? kmalloc_caches[slot - SLOT_KMALLOC] : virt_to_cache(object);
}

/* Objects that were freed one after the other are mostly of one cache: in bulk. */
static void free_batch(struct magazine *m)
{
	u32 i = 0, end;

	while (i < m->count) {
		struct kmem_cache *s = cache_of(m->round[i]);

		for (end = i + 1; s && end < m->count && cache_of(m->round[end]) == s; end++)
			;
		if (end - i > 1)
			kmem_cache_free_bulk(s, end - i, m->round + i);
		else
			free_one(m->round[i]);
		i = end;
	}
}

/* The next batch to free; the last one's memory is given back or kept. */
static struct magazine *next_batch(struct magazine *last)
{
	struct magazine *m;
	bool keep;

	lock(&kvfree_lock);
	keep = last && noted.nr_spare < MAX_SPARE;
	if (keep)
		spare_put(last);
	m = noted.taken.batches;
	if (m)
		noted.taken.batches = m->next;
	unlock(&kvfree_lock);
	if (last && !keep)
		magazine_delete(last);
	return m;
}

static void kvfree_release(void)
{
	struct magazine *m = NULL;
	struct noted_head *h;

	do {
		rcu_free_begin();
		m = next_batch(m);
		if (m)
			free_batch(m);
		rcu_free_end();
	} while (m);
	do {
		rcu_free_begin();
		lock(&kvfree_lock);
		h = noted.taken.heads;
		if (h)
			noted.taken.heads = h->next;
		unlock(&kvfree_lock);
		if (h)
			free_one(h->object);
		rcu_free_end();
	} while (h);
	WRITE_ONCE(noted.taken.bytes, 0);
}

/*
 * The slots are closed again, too: there is no worker yet, and the next object is to
 * come the slow way, which starts one.
 */
static void kvfree_requeue(void)
{
	lock(&kvfree_lock);
	take_all_loaded();
	batches_append(&noted.queued, &noted.taken);
	WRITE_ONCE(noted.taken.bytes, 0);
	unlock(&kvfree_lock);
}

static const struct rcu_kind kvfree_kind = {
	.collect = kvfree_collect,
	.release = kvfree_release,
	.requeue = kvfree_requeue,
};

/* ---- barriers ------------------------------------------------------------------------------ */

void kvfree_rcu_barrier(void)
{
	rcu_wait_queued();
}

void kvfree_rcu_barrier_on_cache(struct kmem_cache *s)
{
	(void)s;	/* a batch has objects of all caches */
	rcu_wait_queued();
}
