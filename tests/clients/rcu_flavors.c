// SPDX-License-Identifier: MIT
/*
 * rcu_flavors.c - whichever flavour of liburcu a program's readers use, kfree_rcu()
 * waits for them: three that the program is linked with, and one that comes by dlopen()
 * when the library has long been at work.
 *
 * For each: a reader enters a section, and another thread, which is registered with no
 * flavour, defers an object and waits for it. It must not come back before the reader
 * has left. qsbr's reader, and the main thread as one that is online all the time,
 * also wait in the library themselves, which must not count as reading.
 */
#include "clients.h"

#include <dlfcn.h>
#include <stdbool.h>

#include <urcu/urcu-memb.h>
#include <urcu/urcu-mb.h>
#include <urcu/urcu-qsbr.h>
#include <kmem/rcu.h>

struct object {
	long value;
	struct rcu_head rcu;
};

struct reader {
	const char *name;
	const struct rcu_flavor_struct *flavor;
	int state;			/* atomic: 1 in its section, 2 may leave, 3 has left */
};

static struct kmem_cache *objects;
static struct object *shared;		/* atomic */

static void wait_for(int *state, int value)
{
	while (__atomic_load_n(state, __ATOMIC_SEQ_CST) < value)
		usleep(500);
}

static void *reader(void *arg)
{
	struct reader *r = arg;
	struct object *o;

	r->flavor->register_thread();
	r->flavor->read_lock();
	o = __atomic_load_n(&shared, __ATOMIC_ACQUIRE);
	__atomic_store_n(&r->state, 1, __ATOMIC_SEQ_CST);
	wait_for(&r->state, 2);
	check(o->value == 42, "%s: freed under a reader", r->name);
	__atomic_store_n(&r->state, 3, __ATOMIC_SEQ_CST);
	r->flavor->read_unlock();
	if (r->flavor == &urcu_qsbr_flavor) {
		/* Online still: it waits for itself unless the library sees to that. */
		kfree_rcu((struct object *)kmem_cache_zalloc(objects, GFP_KERNEL), rcu);
		kvfree_rcu_barrier();
	}
	r->flavor->unregister_thread();
	return NULL;
}

static void *updater(void *arg)
{
	struct object *old = __atomic_exchange_n(&shared, NULL, __ATOMIC_ACQ_REL);

	kfree_rcu(old, rcu);
	kvfree_rcu_barrier();
	__atomic_store_n((int *)arg, 1, __ATOMIC_SEQ_CST);
	return NULL;
}

/* Slabs that wait for a grace period are no damage, and are told apart. */
static void verify_waiting(const struct rcu_flavor_struct *flavor)
{
	struct kmem_cache *safe = kmem_cache_create("safe", 300, 0, SLAB_TYPESAFE_BY_RCU, NULL);
	const char *build = getenv("KMEM_BUILDDIR");
	static void *p[3000];
	char command[512];

	check(safe && kmem_cache_alloc_bulk(safe, GFP_KERNEL, 3000, p), "no objects");
	flavor->register_thread();
	flavor->read_lock();
	kmem_cache_free_bulk(safe, 3000, p);
	build = build ? build : "build";
	snprintf(command, sizeof(command), "%s/tools/slabinfo verify -p %d >/dev/null && "
		 "%s/tools/slabinfo -m -p %d | grep -q '^slabs waiting for RCU  *[1-9]'",
		 build, (int)getpid(), build, (int)getpid());
	check(system(command) == 0, "slabinfo sees damage, or no slabs that wait");
	flavor->read_unlock();
	flavor->unregister_thread();
	kmem_cache_destroy(safe);
}

static void try(const char *name, const struct rcu_flavor_struct *flavor)
{
	struct reader r = { .name = name, .flavor = flavor };
	struct object *o = kmem_cache_zalloc(objects, GFP_KERNEL);
	pthread_t reading, updating;
	int done = 0;

	check(o && flavor, "%s: no object, or no table", name);
	o->value = 42;
	__atomic_store_n(&shared, o, __ATOMIC_RELEASE);
	check(pthread_create(&reading, NULL, reader, &r) == 0, "no thread");
	wait_for(&r.state, 1);
	check(pthread_create(&updating, NULL, updater, &done) == 0, "no thread");
	usleep(150000);
	check(!__atomic_load_n(&done, __ATOMIC_SEQ_CST), "%s: nobody waits for its reader", name);
	confirm(objects, 1);
	__atomic_store_n(&r.state, 2, __ATOMIC_SEQ_CST);
	pthread_join(reading, NULL);
	pthread_join(updating, NULL);
	kvfree_rcu_barrier();
	confirm(objects, 0);
}

int main(void)
{
	const struct rcu_flavor_struct *bp;
	void *handle;

	objects = KMEM_CACHE(object, SLAB_NO_MERGE);
	check(objects, "no cache");
	try("memb", &urcu_memb_flavor);
	try("mb", &urcu_mb_flavor);
	try("qsbr", &urcu_qsbr_flavor);

	verify_waiting(&urcu_memb_flavor);
	handle = dlopen("liburcu-bp.so.8", RTLD_NOW | RTLD_LOCAL);
	if (handle) {
		bp = dlsym(handle, "urcu_bp_flavor");
		check(kmem_rcu_use_flavor(bp) == 0, "bp is refused");
		try("bp", bp);
	}

	/* A thread of qsbr that is online defers and waits, too. */
	urcu_qsbr_register_thread();
	for (int i = 0; i < 1000; i++)
		kfree_rcu((struct object *)kmem_cache_zalloc(objects, GFP_KERNEL), rcu);
	kvfree_rcu_barrier();
	confirm(objects, 0);
	kmem_cache_destroy(objects);
	urcu_qsbr_unregister_thread();
	return 0;
}
