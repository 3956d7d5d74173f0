// SPDX-License-Identifier: MIT
/*
 * A cache's callbacks: slab_object.c.
 */
#include "slab_test.h"

#include <kmem/limit.h>
#include <sys/wait.h>
#include <unistd.h>

TestSuite(slab_object, .timeout = 60);

#define MADE	0x4d414445UL
#define GONE	0x474f4e45UL

struct thing {
	unsigned long state;
	void *helper;			/* memory that the constructor takes */
	char rest[80];
};

static struct {
	long made, unmade, refuse_after, asked;
	struct kmem_cache *s;
	void *held[64];
} t;

static int make(void *object, void *data, gfp_t gfp)
{
	struct thing *thing = object;

	(void)gfp;
	cr_assert(data == &t);
	if (t.refuse_after && t.made >= t.refuse_after)
		return -1;
	t.made++;
	thing->helper = kmalloc(24, GFP_KERNEL);
	thing->state = MADE;
	return thing->helper ? 0 : -1;
}

static void unmake(void *object, void *data)
{
	struct thing *thing = object;

	cr_assert(data == &t);
	cr_assert(thing->state == MADE, "unmade twice, or never made");
	thing->state = GONE;
	kfree(thing->helper);
	t.unmade++;
}

static void give_some(void *data)
{
	cr_assert(data == &t);
	t.asked++;
	for (unsigned int i = 0; i < ARRAY_SIZE(t.held); i++) {
		kmem_cache_free(t.s, t.held[i]);
		t.held[i] = NULL;
	}
}

static struct kmem_cache *things(void)
{
	struct kmem_cache_args args = {
		.construct = make, .destruct = unmake, .reclaim = give_some, .callback_data = &t,
	};

	return t.s = kmem_cache_create("thing", sizeof(struct thing), &args, 0);
}

/* As many are unmade as were made, each once; objects in between stay as they are. */
Test(slab_object, made_and_unmade_once)
{
	struct kmem_cache *s = things();
	static struct thing *p[2000];

	cr_assert(s);
	for (int round = 0; round < 3; round++) {
		for (unsigned int i = 0; i < ARRAY_SIZE(p); i++) {
			p[i] = kmem_cache_alloc(s, GFP_KERNEL);
			cr_assert(p[i] && p[i]->state == MADE && p[i]->helper);
		}
		for (unsigned int i = 0; i < ARRAY_SIZE(p); i++)
			kmem_cache_free(s, p[i]);
	}
	cr_expect(t.made >= 2000 && t.made > t.unmade);
	cr_expect(kmem_cache_shrink(s) == 0);
	cr_expect(t.made == t.unmade, "%ld made, %ld unmade", t.made, t.unmade);
	kmem_cache_free(s, kmem_cache_alloc(s, GFP_KERNEL));
	cr_expect(t.made > t.unmade);
	kmem_cache_destroy(s);
	cr_expect(t.made == t.unmade, "%ld made, %ld unmade", t.made, t.unmade);
}

/* One that fails fails the allocation, and takes back what was made before it. */
Test(slab_object, failing_constructor)
{
	struct kmem_cache *s = things();
	void *p;

	cr_assert(s);
	t.refuse_after = 3;
	cr_expect(!kmem_cache_alloc(s, GFP_KERNEL));
	cr_expect(t.made == 3 && t.unmade == 3);
	cr_expect(validate_slab_cache(s) == 0);
	t.refuse_after = 0;
	p = kmem_cache_alloc(s, GFP_KERNEL);
	cr_expect(p);
	kmem_cache_free(s, p);
	kmem_cache_destroy(s);
	cr_expect(t.made == t.unmade);
}

Test(slab_object, owners_are_asked)
{
	struct kmem_cache *s = things();

	cr_assert(s);
	for (unsigned int i = 0; i < ARRAY_SIZE(t.held); i++)
		t.held[i] = kmem_cache_alloc(s, GFP_KERNEL);
	kmem_cache_reap(s);
	cr_expect(t.asked == 1 && cache_live(s) == 0 && t.made == t.unmade);
	t.held[0] = kmem_cache_alloc(s, GFP_KERNEL);
	kmem_reclaim(KMEM_LIMIT_NONE);
	cr_expect(t.asked == 2 && t.made == t.unmade);
	kmem_cache_destroy(s);
	kmem_reclaim(KMEM_LIMIT_NONE);
	cr_expect(t.asked == 2, "asked after its end");
}

Test(slab_object, such_caches_are_not_merged)
{
	struct kmem_cache *a = things(), *b = things();
	struct kmem_cache *c = kmem_cache_create("plain", sizeof(struct thing), NULL, 0);

	cr_expect(a && b && c && a != b && a != c);
	kmem_cache_destroy(c);
	kmem_cache_destroy(b);
	kmem_cache_destroy(a);
}

Test(slab_object, zeroing_warns)
{
	struct kmem_cache *s = things();

	sink_catch();
	t.held[0] = kmem_cache_alloc(s, GFP_KERNEL | __GFP_ZERO);
	cr_expect(sink_has("__GFP_ZERO for a cache with a constructor"));
}

static volatile bool stop;

static void *reaps(void *arg)
{
	while (!stop)
		kmem_reclaim(KMEM_LIMIT_NONE);
	return arg;
}

static void nothing(void *data)
{
	(void)data;
}

Test(slab_object, destroyed_while_being_asked)
{
	struct kmem_cache_args args = { .reclaim = nothing };
	pthread_t thread;

	cr_assert(pthread_create(&thread, NULL, reaps, NULL) == 0);
	for (int i = 0; i < 2000; i++) {
		struct kmem_cache *s = kmem_cache_create("brief", 64, &args, 0);

		cr_assert(s);
		kmem_cache_free(s, kmem_cache_alloc(s, GFP_KERNEL));
		kmem_cache_destroy(s);
		if (i % 64 == 0) {
			int status = -1;
			pid_t pid = fork();

			if (pid == 0) {
				kmem_reclaim(KMEM_LIMIT_NONE);
				kmem_cache_destroy(kmem_cache_create("child", 64, &args, 0));
				_exit(0);
			}
			waitpid(pid, &status, 0);
			cr_expect(status == 0);
		}
	}
	stop = true;
	pthread_join(thread, NULL);
}
