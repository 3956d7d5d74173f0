// SPDX-License-Identifier: MIT
/*
 * caches.c - threads create and destroy caches while others take and free objects
 * of caches that stay, shrink them, and validate them. Slot numbers, and the
 * magazines behind them, pass from cache to cache all the while: an object of a
 * dead cache that turned up in a new one would be found by its size.
 */
#include "stress.h"

#define MAKERS	4
#define USERS	3
#define FIXED	4

static struct kmem_cache *fixed[FIXED];
static unsigned long operations;
static unsigned long constructed;

static void ctor(void *p)
{
	*(unsigned long *)p = 0xc0c0;
	__atomic_fetch_add(&constructed, 1, __ATOMIC_RELAXED);
}

static void short_life(uint64_t *seed, unsigned long me, unsigned int n)
{
	unsigned int size = 32 + (unsigned int)(stress_rnd(seed) % 3000);
	bool has_ctor = n % 4 == 0;
	struct kmem_cache *s;
	void *p[150];
	char name[32];
	unsigned int count = 1 + (unsigned int)(stress_rnd(seed) % 150);

	snprintf(name, sizeof(name), "life-%lu-%u", me, n);
	s = kmem_cache_create(name, size, 0, n % 3 ? SLAB_NO_MERGE : 0, has_ctor ? ctor : NULL);
	if (!s) {
		stress_fail("%s was not made", name);
		return;
	}
	for (unsigned int i = 0; i < count; i++) {
		p[i] = kmem_cache_alloc(s, GFP_KERNEL);
		if (!p[i])
			stress_fail("%s: no object", name);
		else if (has_ctor && *(unsigned long *)p[i] != 0xc0c0)
			stress_fail("%s: not constructed", name);
		stress_stamp(p[i], size);
	}
	if (n % 5 == 0)
		kmem_cache_shrink(s);
	for (unsigned int i = 0; i < count; i++) {
		stress_unstamp(p[i]);
		*(unsigned long *)p[i] = 0xc0c0;
		if (i & 1)
			kfree(p[i]);
		else
			kmem_cache_free(s, p[i]);
	}
	kmem_cache_destroy(s);
}

static void *make(void *arg)
{
	uint64_t seed = (uintptr_t)arg + 99;
	unsigned int n = 0;

	for (; stress_running(); n++)
		short_life(&seed, (unsigned long)arg, n);
	__atomic_fetch_add(&operations, n, __ATOMIC_RELAXED);
	return NULL;
}

static void *use(void *arg)
{
	uint64_t seed = (uintptr_t)arg + 7;
	void *live[FIXED][100] = { { NULL } };

	while (stress_running()) {
		uint64_t r = stress_rnd(&seed);
		unsigned int k = (unsigned int)(r % FIXED), i = (unsigned int)(r >> 8) % 100;

		if (live[k][i]) {
			stress_unstamp(live[k][i]);
			kmem_cache_free(fixed[k], live[k][i]);
		}
		live[k][i] = stress_stamp(kmem_cache_alloc(fixed[k], GFP_KERNEL),
					  kmem_cache_size(fixed[k]));
	}
	for (unsigned int i = 0; i < FIXED * 100; i++)
		if (live[i / 100][i % 100])
			kmem_cache_free(fixed[i / 100], live[i / 100][i % 100]);
	return NULL;
}

static void tick(unsigned int n)
{
	if (n % 8 == 0)
		kmem_cache_shrink(fixed[n / 8 % FIXED]);
	if (n % 32 == 1 && validate_slab_cache(fixed[n / 32 % FIXED]))
		stress_fail("a cache is damaged");
}

int main(int argc, char **argv)
{
	static const unsigned int sizes[FIXED] = { 40, 168, 600, 5000 };
	static const char *const fixed_name[FIXED] = { "fixed-40", "fixed-168", "fixed-600", "fixed-5000" };
	pthread_t t[MAKERS + USERS];

	stress_start(argc, argv);
	for (unsigned int i = 0; i < FIXED; i++)
		fixed[i] = kmem_cache_create(fixed_name[i], sizes[i], 0, SLAB_NO_MERGE, NULL);
	for (unsigned long i = 0; i < MAKERS + USERS; i++)
		if (pthread_create(&t[i], NULL, i < MAKERS ? make : use, (void *)i))
			return 2;
	stress_sleep(tick);
	for (int i = 0; i < MAKERS + USERS; i++)
		pthread_join(t[i], NULL);
	for (unsigned int i = 0; i < FIXED; i++) {
		if (kmem_cache_shrink(fixed[i]))
			stress_fail("%u bytes: objects are lost", sizes[i]);
		kmem_cache_destroy(fixed[i]);
	}
	return stress_result("caches", operations);
}
