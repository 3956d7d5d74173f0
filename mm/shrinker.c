// SPDX-License-Identifier: MIT
/*
 * shrinker.c - caches of the program that give back under pressure: who they are,
 * and how much each is asked for.
 *
 * How much. At priority p a shrinker with n objects is asked to look at
 *
 *	4 (n >> p) / seeks	or n / 2 where an object costs nothing (seeks 0)
 *
 * of them, in batches. What is less than a batch is not worth a call: it is put
 * off (deferred) and added to the next time's, p scaled likewise; so is what was
 * asked for and not looked at. Never more than 2 n at a time, or put off. This is
 * the kernel's arithmetic, so that a cache behaves as it does there.
 *
 * States of a shrinker:
 *
 *	state		on the list	users
 *	allocated	no		0
 *	registered	yes		1 + threads in its functions
 *	dying		yes		threads in its functions; nobody new enters
 *	freed		no		0
 *
 * A walk holds the one that it is at by a count of users, which keeps it on the
 * list, so that the walk can go on from it, and calls it with no lock held.
 * shrinker_free() drops the registration's count and sleeps until the count is 0:
 * the word is its futex, and whoever drops it to 0 wakes.
 *
 * fork: the threads that were in shrinkers are not there in the child; their
 * counts are taken back (shrinkers_fork_child()).
 *
 * Lock: shrinkers_lock, for the list, the states and the counts.
 */
#include "shrinker.h"

#include <stdarg.h>

#include "base/bug.h"
#include "base/list.h"
#include "base/printk.h"
#include "host/host.h"
#include "lock.h"
#include "memblock.h"
#include "numa.h"
#include "task.h"

#define SHRINK_BATCH		128
#define SHRINKER_KNOWN_FLAGS	(SHRINKER_NUMA_AWARE | SHRINKER_MEMCG_AWARE | SHRINKER_NONSLAB | \
				 SHRINKER_ON_REQUEST)

struct shrinker_entry {
	struct shrinker shrinker;	/* the program's part */
	struct list_head list;		/* shrinkers; shrinkers_lock */
	u32 users;			/* shrinkers_lock; the futex of shrinker_free() */
	bool registered, dying;		/* shrinkers_lock */
	char name[48];			/* constant */
	unsigned long deferred[MAX_NODES];	/* objects put off; atomic */
};

static LIST_HEAD(shrinkers);
static struct kmem_lock shrinkers_lock = LOCK_INIT(RANK_SHRINKERS);

/* The one whose functions the thread is in. */
static __thread struct shrinker_entry *current_shrinker
	__attribute__((tls_model("initial-exec")));

static struct shrinker_entry *entry_of(struct shrinker *shrinker)
{
	return container_of(shrinker, struct shrinker_entry, shrinker);
}

/* ---- the program's calls ---------------------------------------------------------- */

__kmem_export struct shrinker *shrinker_alloc(unsigned int flags, const char *fmt, ...)
{
	struct shrinker_entry *e;
	va_list ap;

	if (WARN_ONCE(flags & ~SHRINKER_KNOWN_FLAGS, "shrinker_alloc: unknown flags %#x",
		      flags & ~SHRINKER_KNOWN_FLAGS))
		return NULL;
	e = memblock_alloc(sizeof(*e));
	if (!e)
		return NULL;
	va_start(ap, fmt);
	kmem_vsnprintf(e->name, sizeof(e->name), fmt, ap);
	va_end(ap);
	INIT_LIST_HEAD(&e->list);
	e->shrinker.flags = flags;
	e->shrinker.seeks = DEFAULT_SEEKS;
	return &e->shrinker;
}

__kmem_export void shrinker_register(struct shrinker *shrinker)
{
	struct shrinker_entry *e = entry_of(shrinker);
	bool again;

	if (WARN_ONCE(!shrinker->count_objects || !shrinker->scan_objects,
		      "shrinker_register(%s): a function is missing", e->name))
		return;
	if (shrinker->batch <= 0)
		shrinker->batch = SHRINK_BATCH;
	lock(&shrinkers_lock);
	again = e->registered;
	if (!again) {
		e->registered = true;
		e->users = 1;
		list_add_tail(&e->list, &shrinkers);
	}
	unlock(&shrinkers_lock);
	WARN_ONCE(again, "shrinker_register(%s): it is registered already", e->name);
}

__kmem_export void shrinker_free(struct shrinker *shrinker)
{
	struct shrinker_entry *e;

	if (!shrinker)
		return;
	e = entry_of(shrinker);
	if (current_shrinker == e)
		BUG("shrinker_free(%s) from one of its own functions", e->name);
	lock(&shrinkers_lock);
	if (e->registered) {
		e->dying = true;
		WRITE_ONCE(e->users, e->users - 1);
		while (e->users) {
			u32 users = e->users;

			unlock(&shrinkers_lock);
			host_futex_wait(&e->users, users);
			lock(&shrinkers_lock);
		}
		list_del(&e->list);
	}
	unlock(&shrinkers_lock);
	memblock_free(e, sizeof(*e));
}

/* ---- walking ------------------------------------------------------------------------ */

/* From one shrinker to the next that may be called; NULL: from the first, and at the end. */
static struct shrinker_entry *next_shrinker(struct shrinker_entry *e)
{
	struct list_head *pos;
	struct shrinker_entry *next = NULL;
	bool last = false;

	if (!e && list_empty(&shrinkers))
		return NULL;	/* a look without the lock: mostly there are none */
	lock(&shrinkers_lock);
	for (pos = e ? e->list.next : shrinkers.next; pos != &shrinkers; pos = pos->next) {
		next = container_of(pos, struct shrinker_entry, list);
		if (!next->dying)
			break;
		next = NULL;
	}
	if (next)
		WRITE_ONCE(next->users, next->users + 1);
	if (e) {
		WRITE_ONCE(e->users, e->users - 1);
		last = e->dying && e->users == 0;
	}
	unlock(&shrinkers_lock);
	/* It may be freed by now; the wake looks at the address only. */
	if (last)
		host_futex_wake(&e->users, 1);
	return next;
}

/* ---- how much ------------------------------------------------------------------------- */

static unsigned long count(struct shrinker *s, struct shrink_control *sc)
{
	unsigned long n = s->count_objects(s, sc);

	return n == SHRINK_EMPTY ? 0 : n;
}

/* Objects to look at, of @n, at @priority, without those that were put off. */
static unsigned long share_of(const struct shrinker *s, unsigned long n, int priority)
{
	if (s->seeks <= 0)
		return n / 2;
	return (n >> priority) * 4 / (unsigned long)s->seeks;
}

/* What is put off is everybody's, and what comes to it meanwhile stays. */
static unsigned long take_deferred(unsigned long *deferred)
{
	return __atomic_exchange_n(deferred, 0, __ATOMIC_RELAXED);
}

/* @i: the node's index, of which the shrinker has a count of its own. */
static unsigned long shrink_one(struct shrinker_entry *e, struct shrink_control *sc, int i,
				int priority)
{
	struct shrinker *s = &e->shrinker;
	unsigned long n = count(s, sc), batch = (unsigned long)s->batch;
	unsigned long put_off, share, left, looked = 0, freed = 0, rest;

	if (n == 0)
		return 0;
	put_off = take_deferred(&e->deferred[i]);
	share = share_of(s, n, priority);
	left = min((put_off >> priority) + share, 2 * n);
	/* Less than a batch is looked at only where it is all there is. */
	while (left >= batch || (left && left >= n)) {
		unsigned long ret;

		sc->nr_to_scan = sc->nr_scanned = min(batch, left);
		ret = s->scan_objects(s, sc);
		if (ret == SHRINK_STOP)
			break;
		freed += ret;
		if (sc->nr_scanned == 0)
			break;	/* it would never end */
		looked += sc->nr_scanned;
		left -= min(sc->nr_scanned, left);
	}
	rest = put_off + share;
	rest = min(rest - min(looked, rest), 2 * n);
	if (rest)
		stat_add(e->deferred[i], rest);
	return freed;
}

static unsigned long shrink_entry(struct shrinker_entry *e, gfp_t gfp, int priority)
{
	int nodes = e->shrinker.flags & SHRINKER_NUMA_AWARE ? nr_nodes : 1;
	unsigned long freed = 0;

	for (int i = 0; i < nodes; i++) {
		struct shrink_control sc = { .gfp_mask = gfp, .nid = numa_node(i) };

		freed += shrink_one(e, &sc, i, priority);
	}
	return freed;
}

unsigned long shrink_all(gfp_t gfp, int priority, bool requested)
{
	struct shrinker_entry *outer = current_shrinker, *e = NULL;
	unsigned long freed = 0;

	VM_BUG_ON(!(task_flags & TASK_MEMALLOC));
	while ((e = next_shrinker(e)) != NULL) {
		if (!requested && (e->shrinker.flags & SHRINKER_ON_REQUEST))
			continue;
		current_shrinker = e;
		freed += shrink_entry(e, gfp, priority);
	}
	current_shrinker = outer;
	return freed;
}

void shrinkers_show(void)
{
	struct shrinker_entry *outer = current_shrinker, *e = NULL;
	bool head = false;

	while ((e = next_shrinker(e)) != NULL) {
		struct shrink_control sc = { .gfp_mask = GFP_NOWAIT };
		unsigned long n;

		if (e->shrinker.flags & SHRINKER_ON_REQUEST)
			continue;
		current_shrinker = e;
		n = count(&e->shrinker, &sc);
		if (!n)
			continue;
		if (!head)
			pr_raw("Shrinkable objects:\n");
		head = true;
		pr_raw("%-20s %10lu\n", e->name, n);
	}
	current_shrinker = outer;
}

/* ---- fork ---------------------------------------------------------------------------------- */

void shrinkers_fork_lock(void)
{
	lock_fork(&shrinkers_lock);
}

void shrinkers_fork_unlock(void)
{
	unlock(&shrinkers_lock);
}

void shrinkers_fork_child(void)
{
	struct shrinker_entry *e;

	/* One that was being freed stays dying: the thread that freed it is gone, too. */
	list_for_each_entry(e, &shrinkers, list)
		e->users = (e->dying ? 0U : 1U) + (e == current_shrinker ? 1U : 0U);
}
