// SPDX-License-Identifier: MIT
/*
 * routes.c - a routing table: readers under liburcu look prefixes up without a lock
 * while a writer replaces and removes routes; what was removed is freed after a grace
 * period.
 *
 * Invariants: a reader that finds a route finds the prefix that it asked for, whole and
 * not freed; lookups per thread are counted in per-CPU counters that sum up exactly.
 */
#include "clients.h"

#include <kmem/percpu.h>
#include <urcu/urcu-memb.h>

#define HASH	256
#define PREFIXES 4096
#define READERS	3
#define LOOKUPS	300000
#define CHANGES	60000

struct route {
	struct route *next;		/* published by rcu_assign_pointer() */
	uint32_t prefix, hop;
	uint32_t sum;			/* of both; 0 once freed */
	struct rcu_head rcu;
};

static struct counters {
	unsigned long lookups, hits;
} *counters;

static struct route *table[HASH];
static struct kmem_cache *routes;
static long nr_routes;

static uint32_t route_sum(const struct route *r)
{
	return (r->prefix * 2654435761u ^ r->hop) | 1;
}

static void route_free(struct rcu_head *head)
{
	struct route *r = caa_container_of(head, struct route, rcu);

	check(r->sum == route_sum(r), "written to before it was freed");
	r->sum = 0;
	kmem_cache_free(routes, r);
}

static void *reader(void *arg)
{
	uint64_t seed = (uint64_t)(uintptr_t)arg * 99 + 5;

	urcu_memb_register_thread();
	for (int i = 0; i < LOOKUPS; i++) {
		uint32_t prefix = (uint32_t)(rnd(&seed) % PREFIXES);
		struct route *r;

		urcu_memb_read_lock();
		for (r = rcu_dereference(table[prefix % HASH]); r; r = rcu_dereference(r->next)) {
			check(r->sum == route_sum(r), "a freed or torn route is in the table");
			if (r->prefix == prefix)
				break;
		}
		this_cpu_inc(counters->lookups);
		if (r)
			this_cpu_inc(counters->hits);
		urcu_memb_read_unlock();
		(*(unsigned long *)arg)++;
	}
	urcu_memb_unregister_thread();
	return NULL;
}

static struct route **find(uint32_t prefix)
{
	struct route **p = &table[prefix % HASH];

	while (*p && (*p)->prefix != prefix)
		p = &(*p)->next;
	return p;
}

/* The one writer: adds, replaces or removes. */
static void change(uint64_t *seed)
{
	uint32_t prefix = (uint32_t)(rnd(seed) % PREFIXES);
	struct route **p = find(prefix), *old = *p, *new = NULL;

	if (!old || rnd(seed) % 2) {
		new = kmem_cache_alloc(routes, GFP_KERNEL);
		check(new, "no memory");
		new->prefix = prefix;
		new->hop = (uint32_t)rnd(seed);
		new->sum = route_sum(new);
		new->next = old ? old->next : NULL;
		nr_routes++;
		rcu_assign_pointer(*p, new);
	} else {
		rcu_assign_pointer(*p, old->next);
	}
	if (old) {
		nr_routes--;
		urcu_memb_call_rcu(&old->rcu, route_free);
	}
}

int main(void)
{
	static unsigned long done[READERS];
	unsigned long lookups = 0, hits = 0, sum = 0;
	uint64_t seed = 3;
	pthread_t t[READERS];
	unsigned int cpu;

	routes = KMEM_CACHE(route, SLAB_NO_MERGE);
	counters = alloc_percpu(struct counters);
	check(routes && counters, "no cache");
	urcu_memb_register_thread();
	for (int i = 0; i < READERS; i++)
		check(pthread_create(&t[i], NULL, reader, &done[i]) == 0, "no thread");
	for (int i = 0; i < CHANGES; i++)
		change(&seed);
	for (int i = 0; i < READERS; i++)
		pthread_join(t[i], NULL);
	for_each_possible_cpu(cpu) {
		lookups += per_cpu_ptr(counters, cpu)->lookups;
		hits += per_cpu_ptr(counters, cpu)->hits;
	}
	for (int i = 0; i < READERS; i++)
		sum += done[i];
	check(lookups == sum, "%lu lookups counted, %lu made", lookups, sum);
	check(hits > 0 && hits <= lookups, "%lu hits", hits);
	urcu_memb_barrier();
	confirm(routes, nr_routes);
	for (uint32_t i = 0; i < PREFIXES; i++) {
		struct route **p = find(i), *old = *p;

		if (!old)
			continue;
		rcu_assign_pointer(*p, old->next);
		nr_routes--;
		urcu_memb_call_rcu(&old->rcu, route_free);
	}
	urcu_memb_barrier();
	check(nr_routes == 0, "%ld left", nr_routes);
	confirm(routes, 0);
	free_percpu(counters);
	kmem_cache_destroy(routes);
	urcu_memb_unregister_thread();
	return 0;
}
