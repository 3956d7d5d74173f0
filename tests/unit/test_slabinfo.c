// SPDX-License-Identifier: MIT
/* The heap in numbers, asked for from within: slabinfo.c. */
#include "slab_test.h"

#include <stdio.h>

#include <kmem/page_alloc.h>
#include <kmem/slabinfo.h>

TestSuite(slabinfo, .timeout = 60);

Test(slabinfo, numbers_of_one_cache)
{
	struct kmem_cache *s = kmem_cache_create("counted", 200, 8,
						 SLAB_NO_MERGE | SLAB_RECLAIM_ACCOUNT, NULL);
	struct kmem_slabinfo i;
	void *p[1000];

	kmem_slabinfo_cache(s, &i);
	cr_expect_str_eq(i.name, "counted");
	cr_expect(i.num_slabs == 0 && i.num_objs == 0 && i.active_objs == 0);
	for (int k = 0; k < 1000; k++)
		p[k] = kmem_cache_alloc(s, GFP_KERNEL);
	for (int k = 0; k < 1000; k += 4)
		kmem_cache_free(s, p[k]);
	kmem_slabinfo_cache(s, &i);
	cr_expect_eq(i.active_objs, 750);
	cr_expect(i.size == 200 && i.object_size == 200 && i.align == 8);
	cr_expect_eq(i.num_objs, i.num_slabs * i.objects_per_slab);
	cr_expect(i.num_objs >= i.active_objs + i.in_magazines);
	cr_expect(i.shared_avail <= i.in_magazines);
	cr_expect(i.flags & SLAB_RECLAIM_ACCOUNT);
	cr_expect_eq(i.aliases, 0);
	cr_expect_eq(1U << i.cache_order, (1U << s->order));
	for (int k = 0; k < 1000; k++)
		if (k % 4)
			kmem_cache_free(s, p[k]);
	kmem_slabinfo_cache(s, &i);
	cr_expect_eq(i.active_objs, 0);
	kmem_cache_destroy(s);
}

Test(slabinfo, a_long_name_is_cut)
{
	char name[200];
	struct kmem_slabinfo i;

	memset(name, 'x', sizeof(name));
	name[199] = '\0';
	kmem_slabinfo_cache(kmem_cache_create(name, 200, 8, SLAB_NO_MERGE, NULL), &i);
	cr_expect_eq(strlen(i.name), KMEM_SLABINFO_NAME - 1);
}

Test(slabinfo, merged_caches_are_one)
{
	struct kmem_slabinfo i;
	struct kmem_cache *s = kmem_cache_create("one_of_two", 1000, 8, 0, NULL);

	cr_assert_eq(kmem_cache_create("two_of_two", 1000, 8, 0, NULL), s);
	kmem_slabinfo_cache(s, &i);
	cr_expect_eq(i.aliases, 1);
}

Test(slabinfo, all_caches)
{
	static struct kmem_slabinfo i[200];
	size_t n = kmem_slabinfo_caches(NULL, 0);
	bool found = false;

	cr_assert(n >= KMALLOC_CLASSES && n < 200);
	kmem_cache_create("last_one", 48, 8, SLAB_NO_MERGE, NULL);
	cr_expect_eq(kmem_slabinfo_caches(i, 1), n + 1);
	cr_expect_str_eq(i[1].name, "");
	cr_expect_eq(kmem_slabinfo_caches(i, 200), n + 1);
	for (size_t k = 0; k <= n; k++)
		found |= !strcmp(i[k].name, "last_one");
	cr_expect(found);
}

Test(slabinfo, zones)
{
	struct kmem_zoneinfo z[64];
	size_t n;
	unsigned long free = 0;
	void *p = (void *)__get_free_pages(GFP_KERNEL, 4);

	n = kmem_slabinfo_zones(z, 64);
	cr_assert(n >= 1 && n <= 64);
	for (int o = 0; o < KMEM_SLABINFO_ORDERS; o++)
		free += z[0].nr_free[o] << o;
	cr_expect_eq(free, z[0].free);
	cr_expect(z[0].present <= z[0].reserved && z[0].free < z[0].present);
	cr_expect(z[0].dirty <= z[0].free + z[0].parked);
	free_pages((unsigned long)p, 4);
}

struct shown {
	char text[30000];
	size_t len;
};

static void add_line(void *arg, const char *text, size_t len)
{
	struct shown *s = arg;

	cr_assert(len && text[len - 1] == '\n' && text[len] == '\0');
	/* No lock is held: the heap may be used. */
	kfree(kmalloc(33, GFP_KERNEL));
	memcpy(s->text + s->len, text, len + 1);
	s->len += len;
}

Test(slabinfo, the_table_is_the_kernels)
{
	static struct shown s;
	unsigned int lines = 0, active, total, size, objects, pages, n[6];
	char name[64], *line;

	kmem_cache_create("in_the_table", 120, 8, SLAB_NO_MERGE, NULL);
	kmem_slabinfo_show(add_line, &s);
	cr_assert(!strncmp(s.text, "slabinfo - version: 2.1\n# name            <active_objs>", 55));
	cr_assert(strstr(s.text, "\nin_the_table           0      0    120  273    8 : tunables "));
	line = strchr(strchr(s.text, '\n') + 1, '\n') + 1;
	for (; *line; line = strchr(line, '\n') + 1, lines++)
		cr_assert_eq(sscanf(line, "%63s %u %u %u %u %u : tunables %u %u %u"
				    " : slabdata %u %u %u\n", name, &active, &total, &size,
				    &objects, &pages, &n[0], &n[1], &n[2], &n[3], &n[4], &n[5]), 12);
	cr_expect_eq(lines, kmem_slabinfo_caches(NULL, 0));
}
