// SPDX-License-Identifier: MIT
/*
 * known.c - a program that says where its things are: lines "NAME 0xADDRESS" on
 * stdout, then "ready". slabinfo is asked about these addresses.
 *
 * It keeps a list of 1000 objects by its head, one object by a pointer into its
 * middle, one in TLS, one through a large object; it leaks 50 objects of a cache of its
 * own, each of which points at one of another cache, and a large object.
 */
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <kmem/page_alloc.h>
#include <kmem/slab.h>

struct node {
	struct node *next;
	char pad[56];
};

/* Read by nobody but the tests: kept whatever the compiler thinks. */
static struct node *volatile head;
static char *volatile inside;
static void **volatile large;
static __thread void *volatile in_tls;
static void *volatile page;

static void say(const char *name, volatile const void *p)
{
	printf("%s 0x%lx\n", name, (unsigned long)p);
}

static void make_list(void)
{
	for (int i = 0; i < 1000; i++) {
		struct node *n = kzalloc(sizeof(*n), GFP_KERNEL);

		n->next = head;
		head = n;
	}
}

static void __attribute__((noinline)) leak(void)
{
	struct kmem_cache *outer = kmem_cache_create("known_leaked", 96, 8, SLAB_NO_MERGE, NULL);
	struct kmem_cache *inner = kmem_cache_create("known_behind", 104, 8, SLAB_NO_MERGE, NULL);

	for (int i = 0; i < 50; i++) {
		void **p = kmem_cache_zalloc(outer, GFP_KERNEL);

		p[3] = kmem_cache_zalloc(inner, GFP_KERNEL);
	}
	memset(kmalloc(400000, GFP_KERNEL), 0, 400000);
}

/* What calls have left behind on the stack and in registers is not to count as a pointer. */
static void __attribute__((noinline)) wipe(void)
{
	volatile char bytes[65536];

	memset((void *)bytes, 0, sizeof(bytes));
}

static void objects(void)
{
	struct kmem_cache *c = kmem_cache_create("known_objects", 200, 8, SLAB_NO_MERGE, NULL);
	static void *volatile taken[100];
	static volatile uintptr_t freed;

	for (int i = 0; i < 100; i++) {
		taken[i] = kmem_cache_alloc(c, GFP_KERNEL);
		memset(taken[i], 'A' + i % 26, 200);
	}
	say("object", taken[40]);
	say("slot_of_object", &taken[40]);
	freed = (uintptr_t)taken[41] ^ -1UL;	/* the address, and no pointer */
	kmem_cache_free(c, taken[41]);
	taken[41] = NULL;
	printf("freed 0x%lx\n", freed ^ -1UL);
	say("cache", c);
}

int main(void)
{
	int local = 0;
	char line;

	setvbuf(stdout, NULL, _IOLBF, 0);
	make_list();
	inside = (char *)kzalloc(300, GFP_KERNEL) + 150;
	in_tls = kzalloc(200, GFP_KERNEL);
	large = kzalloc(1 << 20, GFP_KERNEL);
	large[1000] = kzalloc(777, GFP_KERNEL);
	page = page_address(alloc_pages(GFP_KERNEL | __GFP_ZERO, 2));
	objects();
	leak();
	say("node", head);
	say("inside", inside);
	say("large", large);
	say("page", page);
	say("stack", &local);
	say("data", &head);
	wipe();
	puts("ready");
	while (read(STDIN_FILENO, &line, 1) == 1)
		;
	return 0;
}
