// SPDX-License-Identifier: MIT
/*
 * rcu_lookup.c - eight threads look objects up without a lock while they replace and
 * free them: the two ways that RCU makes this possible.
 *
 * Type-safe: the objects of a SLAB_TYPESAFE_BY_RCU cache are freed at once, and taken
 * again at once. A reader that finds one takes a reference unless the count is 0, and
 * then looks at the key again (Documentation/core-api/rcu.rst has the same as an
 * example). Whatever it finds carries the mark that the constructor made: memory of
 * another type would carry another, and a second cache of the same size, whose objects
 * are filled with something else, and shrinking in between see to it that slabs
 * are released and become that.
 *
 * kfree_rcu: the objects of a table are freed after a grace period. A reader looks at
 * them in its section without a reference; each must be whole, and stay so.
 *
 * Meanwhile the process forks, and the children defer objects, too.
 *
 * Built with ThreadSanitizer, readers say what liburcu, which it does not see into,
 * guarantees: what is read in a section is before the end of a grace period.
 */
#include "stress.h"

#if __has_include(<urcu/urcu-memb.h>)

#include <urcu/urcu-memb.h>
#include <kmem/rcu.h>

#define THREADS	8
#define KEYS	256
#define MARK	0x5afe5afe5afe5afeUL
#define OTHER	0xbad0bad0bad0bad0UL
#define FREED	0xdead000000000000UL

#ifdef KMEM_TSAN
void __tsan_release(void *addr);
#define readers_leave()	__tsan_release((void *)&urcu_memb_flavor)
#else
#define readers_leave()	((void)0)
#endif

struct entry {
	unsigned long mark;		/* by the constructor, and never again */
	int refs;			/* 0: free, or about to be; atomic */
	unsigned long key;		/* atomic: it may change under a reader */
	unsigned long payload;		/* of who holds a reference: key * 3 */
	unsigned long room[12];
};

struct node {
	unsigned long key, sum;
	struct rcu_head rcu;
	unsigned long room[8];
};

static struct kmem_cache *entries, *others;
static struct entry *table[KEYS];	/* atomic */
static struct node *nodes[KEYS];	/* atomic */
static unsigned long found, reused;

static void read_lock(void)
{
	urcu_memb_read_lock();
}

static void read_unlock(void)
{
	readers_leave();
	urcu_memb_read_unlock();
}

static void entry_ctor(void *p)
{
	struct entry *e = p;

	memset(e, 0, sizeof(*e));
	e->mark = MARK;
}

static bool entry_get(struct entry *e)
{
	int refs = __atomic_load_n(&e->refs, __ATOMIC_RELAXED);

	while (refs) {
		if (__atomic_compare_exchange_n(&e->refs, &refs, refs + 1, true,
						__ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
			return true;
	}
	return false;
}

static void entry_put(struct entry *e)
{
	if (__atomic_sub_fetch(&e->refs, 1, __ATOMIC_ACQ_REL) == 0)
		kmem_cache_free(entries, e);
}

/* With a reference, or NULL. */
static struct entry *entry_find(unsigned long key)
{
	struct entry *e;

	read_lock();
again:
	e = __atomic_load_n(&table[key], __ATOMIC_ACQUIRE);
	if (e && __atomic_load_n(&e->mark, __ATOMIC_RELAXED) != MARK)
		stress_fail("an entry's memory is of another type: %lx", e->mark);
	if (e && !entry_get(e)) {
		e = NULL;
	} else if (e && __atomic_load_n(&e->key, __ATOMIC_RELAXED) != key) {
		entry_put(e);
		__atomic_fetch_add(&reused, 1, __ATOMIC_RELAXED);
		goto again;
	}
	read_unlock();
	return e;
}

static void entry_replace(unsigned long key, bool remove)
{
	struct entry *e = NULL;

	if (!remove) {
		e = kmem_cache_alloc(entries, GFP_KERNEL);
		if (!e)
			return;
		if (e->mark != MARK)
			stress_fail("an entry comes back unconstructed: %lx", e->mark);
		__atomic_store_n(&e->key, key, __ATOMIC_RELAXED);
		e->payload = key * 3;
		__atomic_store_n(&e->refs, 1, __ATOMIC_RELEASE);
	}
	e = __atomic_exchange_n(&table[key], e, __ATOMIC_ACQ_REL);
	if (e)
		entry_put(e);
}

static void entry_use(unsigned long key)
{
	struct entry *e = entry_find(key);

	if (!e)
		return;
	if (e->payload != key * 3 || e->key != key)
		stress_fail("entry %lu is not what was looked for: %lu", key, e->payload);
	__atomic_fetch_add(&found, 1, __ATOMIC_RELAXED);
	entry_put(e);
}

static unsigned long node_sum(const struct node *n)
{
	unsigned long sum = n->key * 2654435761UL;

	for (size_t i = 0; i < sizeof(n->room) / sizeof(n->room[0]); i++)
		sum += n->room[i];
	return sum;
}

static void node_replace(unsigned long key, uint64_t *seed)
{
	struct node *n = kmalloc(sizeof(*n), GFP_KERNEL), *old;

	if (!n)
		return;
	n->key = key;
	for (size_t i = 0; i < sizeof(n->room) / sizeof(n->room[0]); i++)
		n->room[i] = stress_rnd(seed);
	n->sum = node_sum(n);
	old = __atomic_exchange_n(&nodes[key], n, __ATOMIC_ACQ_REL);
	if (stress_rnd(seed) % 16)
		kfree_rcu(old, rcu);
	else
		kfree_rcu_mightsleep(old);
}

static void node_use(unsigned long key)
{
	struct node *n;

	read_lock();
	n = __atomic_load_n(&nodes[key], __ATOMIC_ACQUIRE);
	for (int i = 0; n && i < 4; i++)
		if (n->key != key || n->sum != node_sum(n))
			stress_fail("node %lu was freed under a reader", key);
	read_unlock();
}

/* Takes what memory the entries' slabs give back, and writes over it. */
static void others_use(void **stock, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++) {
		stock[i] = kmem_cache_alloc(others, GFP_KERNEL);
		for (size_t w = 0; stock[i] && w < sizeof(struct entry) / 8; w++)
			((unsigned long *)stock[i])[w] = OTHER;
	}
	for (unsigned int i = 0; i < n; i++)
		kmem_cache_free(others, stock[i]);
}

static void *worker(void *arg)
{
	uint64_t seed = (uint64_t)(uintptr_t)arg * 7919 + 1;
	static __thread void *stock[200];

	urcu_memb_register_thread();
	while (stress_running()) {
		unsigned long key = stress_rnd(&seed) % KEYS;

		switch (stress_rnd(&seed) % 16) {
		case 0:
		case 1:
			entry_replace(key, false);
			break;
		case 2:
			entry_replace(key, true);
			break;
		case 3:
			node_replace(key, &seed);
			break;
		case 4:
			if (stress_rnd(&seed) % 64 == 0) {
				kmem_cache_shrink(entries);
				others_use(stock, 200);
				kmem_cache_shrink(others);
			}
			break;
		case 5:
			if (stress_rnd(&seed) % 4096 == 0)
				kvfree_rcu_barrier();
			break;
		default:
			entry_use(key);
			node_use(key);
		}
	}
	urcu_memb_unregister_thread();
	return NULL;
}

/*
 * A child finds every lock free and no structure half changed, and can defer. It does
 * not wait: for liburcu the readers that it does not have are in their sections still.
 */
static void fork_one(unsigned int n)
{
	int status = 0;
	pid_t pid;

#if defined(KMEM_TSAN) || defined(KMEM_ASAN)
	return;		/* their own runtimes do not survive it */
#endif
	if (n % 32)
		return;
	pid = fork();
	if (pid == 0) {
		for (int i = 0; i < 2000; i++) {
			struct node *node = kmalloc(sizeof(*node), GFP_KERNEL);

			kfree_rcu(node, rcu);
			kmem_cache_free(entries, kmem_cache_alloc(entries, GFP_KERNEL));
		}
		_exit(validate_slab_caches() ? 1 : 0);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid || status)
		stress_fail("a child ends with status %#x", status);
}

int main(int argc, char **argv)
{
	struct kmem_cache_args args = { .ctor = entry_ctor };
	pthread_t threads[THREADS];

	stress_start(argc, argv);
	entries = kmem_cache_create("entries", sizeof(struct entry), &args, SLAB_TYPESAFE_BY_RCU);
	others = kmem_cache_create("others", sizeof(struct entry), NULL, SLAB_NO_MERGE);
	for (uintptr_t i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, worker, (void *)(i + 1));
	stress_sleep(fork_one);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	for (unsigned long key = 0; key < KEYS; key++) {
		entry_replace(key, true);
		kfree_rcu(nodes[key], rcu);
	}
	if (validate_slab_cache(entries))
		stress_fail("the entries' cache is damaged");
	kmem_cache_destroy(entries);
	kmem_cache_destroy(others);
	kvfree_rcu_barrier();
	if (validate_slab_caches())
		stress_fail("a cache is damaged");
	if (!found)
		stress_fail("nothing was ever found");
	return stress_result("rcu_lookup", found + reused);
}

#else

int main(void)
{
	puts("no liburcu for this machine");
	return 77;
}

#endif
