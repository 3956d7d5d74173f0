// SPDX-License-Identifier: MIT
/*
 * Creating, merging, naming and destroying caches: slab_common.c.
 */
#include "capture.h"
#include "slab_test.h"

#include <stdio.h>

#include "mm/cmdline.h"
#include "mm/memblock.h"

TestSuite(slab_common, .timeout = 120);

struct inode_like {
	long number;
	char name[40];
	char secret[80];
};

static void ctor(void *p)
{
	*(long *)p = 42;
}

/* ---- creation ---------------------------------------------------------------------- */

static void check_works(struct kmem_cache *s, unsigned int size)
{
	void *a, *b;

	cr_assert(s);
	cr_expect(kmem_cache_size(s) == size, "%u, not %u", kmem_cache_size(s), size);
	a = kmem_cache_alloc(s, GFP_KERNEL);
	b = kmem_cache_alloc(s, GFP_KERNEL);
	cr_assert(a && b && a != b);
	memset(a, 1, size);
	memset(b, 2, size);
	cr_expect(all_bytes(a, size, 1));
	cr_expect((unsigned long)a % 8 == 0);
	kmem_cache_free(s, a);
	kmem_cache_free(s, b);
	cr_expect(validate_slab_cache(s) == 0);
	kmem_cache_destroy(s);
}

Test(slab_common, old_form)
{
	check_works(kmem_cache_create("old-form", 104, 0, SLAB_NO_MERGE, NULL), 104);
	check_works(kmem_cache_create("old-form2", 104, sizeof(long), 0, ctor), 104);
}

Test(slab_common, args_form)
{
	struct kmem_cache_args args = { .align = 128, .ctor = ctor };
	struct kmem_cache *s = kmem_cache_create("args-form", 200, &args, SLAB_NO_MERGE);
	void *p;

	cr_assert(s);
	cr_expect(s->align == 128);
	cr_expect(s->ctor == ctor);
	p = kmem_cache_alloc(s, GFP_KERNEL);
	cr_expect((unsigned long)p % 128 == 0);
	cr_expect(*(long *)p == 42);
	kmem_cache_free(s, p);
	check_works(s, 200);
}

Test(slab_common, default_args_form)
{
	check_works(kmem_cache_create("default-form", 77, NULL, SLAB_NO_MERGE), 77);
	check_works(kmem_cache_create("default-form2", 77, (void *)0, 0), 77);
	check_works(kmem_cache_create("default-form3", 77, (struct kmem_cache_args *)NULL, 0), 77);
}

Test(slab_common, struct_forms)
{
	struct kmem_cache *s = KMEM_CACHE(inode_like, SLAB_NO_MERGE);

	cr_assert(s);
	cr_expect_str_eq(kmem_cache_name(s), "inode_like");
	check_works(s, sizeof(struct inode_like));
	s = KMEM_CACHE_USERCOPY(inode_like, 0, name);
	cr_assert(s);
	cr_expect(s->useroffset == offsetof(struct inode_like, name));
	cr_expect(s->usersize == 40);
	check_works(s, sizeof(struct inode_like));
}

Test(slab_common, usercopy_form)
{
	struct kmem_cache *s = kmem_cache_create_usercopy("ucopy", 256, 64, 0, 16, 32, NULL);

	cr_assert(s);
	cr_expect(s->useroffset == 16 && s->usersize == 32);
	check_works(s, 256);
}

Test(slab_common, freeptr_offset_is_accepted)
{
	struct kmem_cache_args args = { .freeptr_offset = 8, .use_freeptr_offset = true };

	check_works(kmem_cache_create("freeptr", 64, &args, SLAB_NO_MERGE), 64);
}

Test(slab_common, is_available)
{
	cr_expect(slab_is_available());
}

Test(slab_common, sizes_at_the_edges)
{
	static const unsigned int sizes[] = {
		1, 2, 7, 8, 9, 4095, 4096, 4097, 32767, 32768, 32769, 65536, 1 << 20,
		4U << 20,
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(sizes); i++)
		check_works(kmem_cache_create("edge", sizes[i], 0, SLAB_NO_MERGE, NULL),
			    sizes[i]);
}

/* ---- bad arguments ------------------------------------------------------------------ */

static void check_refused(struct kmem_cache *s, const char *what)
{
	cr_expect(!s, "%s: a cache was made", what);
	cr_expect(sink_len > 0, "%s: no message", what);
	sink_catch();
}

Test(slab_common, bad_arguments)
{
	sink_catch();
	check_refused(kmem_cache_create(NULL, 64, 0, 0, NULL), "no name");
	check_refused(kmem_cache_create("bad", 0, 0, 0, NULL), "size 0");
	check_refused(kmem_cache_create("bad", (4U << 20) + 1, 0, 0, NULL), "too large");
	check_refused(kmem_cache_create("bad", ~0U, 0, 0, NULL), "UINT_MAX");
	check_refused(kmem_cache_create("bad", 64, 4097, 0, NULL), "align 4097");
	check_refused(kmem_cache_create("bad", 64, 1U << 31, 0, NULL), "align 2 GiB");
	check_refused(kmem_cache_create("bad", 64, 0, (slab_flags_t)1, NULL), "flag 1");
	check_refused(kmem_cache_create("bad", 64, 0, 0x80000000u, NULL), "flag 31");
	check_refused(kmem_cache_create("bad", 64, NULL, (slab_flags_t)2), "flag 2");
}

/* What is no power of two becomes one that is not smaller. */
Test(slab_common, odd_alignments)
{
	static const unsigned int odd[][2] = {
		{ 1, 8 }, { 3, 8 }, { 9, 16 }, { 24, 32 }, { 48, 64 }, { 4095, 4096 }, { 0, 8 },
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(odd); i++) {
		struct kmem_cache *s = kmem_cache_create("odd", 20, odd[i][0], SLAB_NO_MERGE, NULL);
		void *p[3];

		cr_assert_not_null(s);
		cr_expect_eq(s->align, odd[i][1], "%u: %u", odd[i][0], s->align);
		for (int k = 0; k < 3; k++) {
			p[k] = kmem_cache_alloc(s, GFP_KERNEL);
			cr_expect(IS_ALIGNED((unsigned long)p[k], (unsigned long)odd[i][1]));
		}
		for (int k = 0; k < 3; k++)
			kmem_cache_free(s, p[k]);
		kmem_cache_destroy(s);
	}
}

/* A user part that is not inside the object is reported, never recorded; the cache is made. */
Test(slab_common, bad_user_part)
{
	static const unsigned int bad[][2] = {
		{ 0, 65 }, { 60, 8 }, { 65, 0 }, { ~0U, 2 }, { 2, ~0U }, { 64, ~0U },
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(bad); i++) {
		struct kmem_cache *s;

		sink_catch();
		s = kmem_cache_create_usercopy("badpart", 64, 0, 0, bad[i][0], bad[i][1], NULL);
		cr_expect(sink_len > 0, "%u+%u: no message", bad[i][0], bad[i][1]);
		cr_assert_not_null(s);
		cr_expect(s->usersize == 0 && s->useroffset == 0, "%u+%u is kept", bad[i][0],
			  bad[i][1]);
		kmem_cache_destroy(s);
	}
}

Test(slab_common, panic_flag_aborts, .signal = SIGABRT)
{
	printk_sink = sink_drop;
	kmem_cache_create("must-not-fail", 0, 0, SLAB_PANIC, NULL);
}

Test(slab_common, panic_flag_aborts_on_unknown_flags, .signal = SIGABRT)
{
	printk_sink = sink_drop;
	kmem_cache_create("must-not-fail", 64, NULL, SLAB_PANIC | (slab_flags_t)1);
}

Test(slab_common, panic_flag_of_a_good_cache)
{
	check_works(kmem_cache_create("fine", 64, 0, SLAB_PANIC | SLAB_NO_MERGE, NULL), 64);
}

/* Out of memory while caches are made: NULL, and all goes on when there is some. */
Test(slab_common, no_memory)
{
	static struct kmem_cache *made[20000];
	unsigned int n = 0, failed = 0;

	printk_sink = sink_drop;
	fault_every_call(true);
	while (n < ARRAY_SIZE(made)) {
		made[n] = kmem_cache_create("starved", 64, 0, SLAB_NO_MERGE, NULL);
		if (!made[n])
			break;
		n++;
	}
	cr_expect(n < ARRAY_SIZE(made), "memory without memory");
	for (unsigned int i = 0; i < 100; i++)
		failed += !kmem_cache_create("starved", 64, 0, SLAB_NO_MERGE, NULL);
	cr_expect(failed == 100);
	fault_every_call(false);
	for (unsigned int i = 0; i < n; i++)
		kmem_cache_destroy(made[i]);
	check_works(kmem_cache_create("fed", 64, 0, SLAB_NO_MERGE, NULL), 64);
}

/* Caches that slab_debug= names are never merged: then there is nothing to see here. */
static bool merging_is_off(void)
{
	return kmem_params.slab_debug_checks || kmem_params.slab_nomerge;
}

/* ---- merging ------------------------------------------------------------------------- */

static bool merges(struct kmem_cache *with, unsigned int size, unsigned int align,
		   slab_flags_t flags)
{
	struct kmem_cache *s = kmem_cache_create("merge-try", size, align, flags, NULL);
	bool same = s == with;

	cr_assert(s);
	kmem_cache_destroy(s);
	return same;
}

Test(slab_common, merging_by_size_and_alignment)
{
	struct kmem_cache *s = kmem_cache_create("merge-base", 1208, 0, 0, NULL);

	if (merging_is_off())
		return;
	cr_assert(s);
	cr_expect(s->refcount == 1);
	cr_expect(merges(s, 1208, 0, 0));
	cr_expect(merges(s, 1201, 0, 0));
	cr_expect(merges(s, 1208, 8, 0));
	cr_expect(merges(s, 1204, 4, 0));
	cr_expect(!merges(s, 1200, 0, 0), "8 bytes less");
	cr_expect(!merges(s, 1209, 0, 0), "larger");
	cr_expect(!merges(s, 1208, 16, 0), "1208 is no multiple of 16");
	cr_expect(!merges(s, 1208, 0, SLAB_HWCACHE_ALIGN));
	cr_expect(s->refcount == 1, "aliases gave their references back");
	kmem_cache_destroy(s);
}

Test(slab_common, flags_that_refuse_merging)
{
	static const slab_flags_t never[] = {
		SLAB_NO_MERGE, SLAB_TYPESAFE_BY_RCU, SLAB_NOLEAKTRACE, SLAB_FAILSLAB,
		SLAB_CONSISTENCY_CHECKS,
	};
	static const slab_flags_t same[] = {
		SLAB_RECLAIM_ACCOUNT, SLAB_ACCOUNT, SLAB_CACHE_DMA, SLAB_CACHE_DMA32,
	};
	struct kmem_cache *s = kmem_cache_create("flag-base", 1304, 0, 0, NULL);

	if (merging_is_off())
		return;
	cr_assert(s);
	for (unsigned int i = 0; i < ARRAY_SIZE(never); i++) {
		struct kmem_cache *t = kmem_cache_create("flag-never", 1304, 0, never[i], NULL);

		cr_assert(t, "flag %x is refused", never[i]);
		cr_expect(t != s, "flag %x was merged", never[i]);
		kmem_cache_destroy(t);
		/* Nor does a plain one join it, where there is no other to join. */
		t = kmem_cache_create("flag-alone", 2104, 0, never[i], NULL);
		cr_expect(!merges(t, 2104, 0, 0), "merged into flag %x", never[i]);
		kmem_cache_destroy(t);
	}
	for (unsigned int i = 0; i < ARRAY_SIZE(same); i++) {
		struct kmem_cache *t = kmem_cache_create("flag-same", 1304, 0, same[i], NULL);

		cr_assert(t, "flag %x is refused", same[i]);
		cr_expect(t != s, "flag %x was merged with none", same[i]);
		cr_expect(merges(t, 1304, 0, same[i]), "two of flag %x were not merged", same[i]);
		kmem_cache_destroy(t);
	}
	kmem_cache_destroy(s);
}

Test(slab_common, properties_that_refuse_merging)
{
	struct kmem_cache_args user = { .useroffset = 0, .usersize = 8 };
	struct kmem_cache_args con = { .ctor = ctor };
	struct kmem_cache_args sheaf = { .sheaf_capacity = 16 };
	struct kmem_cache_args *all[] = { &user, &con, &sheaf };
	struct kmem_cache *s = kmem_cache_create("prop-base", 1400, 0, 0, NULL);

	if (merging_is_off())
		return;
	for (unsigned int i = 0; i < ARRAY_SIZE(all); i++) {
		struct kmem_cache *t = kmem_cache_create("prop", 1400, all[i], 0), *u;

		cr_assert(t);
		cr_expect(t != s, "property %u was merged", i);
		u = kmem_cache_create("prop2", 1400, all[i], 0);
		cr_expect(u && u != t);
		kmem_cache_destroy(u);
		kmem_cache_destroy(t);
		/* Nor does a plain one join it, where there is no other to join. */
		t = kmem_cache_create("prop-alone", 2208, all[i], 0);
		cr_expect(!merges(t, 2208, 0, 0), "merged into property %u", i);
		kmem_cache_destroy(t);
	}
	cr_expect(merges(s, 1400, 0, 0));
	kmem_cache_destroy(s);
}

Test(slab_common, aliases_share_and_count)
{
	struct kmem_cache *a = kmem_cache_create("alias-a", 1512, 0, 0, NULL);
	struct kmem_cache *b = kmem_cache_create("alias-b", 1510, 0, 0, NULL);
	struct kmem_cache *c = kmem_cache_create("alias-c", 1505, NULL, 0);
	void *p;

	if (merging_is_off())
		return;
	cr_assert(a == b && b == c);
	cr_expect(a->refcount == 3);
	cr_expect(kmem_cache_size(a) == 1512);
	cr_expect_str_eq(kmem_cache_name(b), "alias-a");
	p = kmem_cache_alloc(b, GFP_KERNEL);
	cr_assert(p);
	sink_catch();
	kmem_cache_destroy(a);
	kmem_cache_destroy(c);
	cr_expect(sink_len == 0, "an alias's end is no event: %s", sink_text);
	cr_expect(b->refcount == 1);
	memset(p, 3, 1510);
	kmem_cache_free(b, p);
	kmem_cache_destroy(b);
	cr_expect(sink_len == 0, "%s", sink_text);
}

Test(slab_common, kmalloc_caches_are_not_destroyed_by_aliases)
{
	struct kmem_cache *s = kmem_cache_create("like-kmalloc", 256, 0, 0, NULL);
	void *p = kmalloc(256, GFP_KERNEL);

	cr_assert(s && p);
	kmem_cache_destroy(s);
	kfree(p);
	p = kmalloc(256, GFP_KERNEL);
	cr_assert(p);
	memset(p, 1, 256);
	kfree(p);
}

Test(slab_common, nomerge_option)
{
	struct kmem_cache *a, *b;

	kmem_params.slab_nomerge = true;
	a = kmem_cache_create("nomerge-a", 1608, 0, 0, NULL);
	b = kmem_cache_create("nomerge-b", 1608, 0, 0, NULL);
	cr_expect(a && b && a != b);
	kmem_cache_destroy(a);
	kmem_cache_destroy(b);
}

/* ---- names ------------------------------------------------------------------------------ */

Test(slab_common, names_are_copied)
{
	char name[32] = "written-here";
	struct kmem_cache *s = kmem_cache_create(name, 64, 0, SLAB_NO_MERGE, NULL);

	memset(name, 'x', sizeof(name) - 1);
	cr_expect_str_eq(kmem_cache_name(s), "written-here");
	kmem_cache_destroy(s);
}

Test(slab_common, alias_names_are_copied)
{
	char name[32] = "alias-name";
	struct kmem_cache *s = kmem_cache_create("alias-base", 1704, 0, 0, NULL);
	struct kmem_cache *t = kmem_cache_create(name, 1704, 0, 0, NULL);
	struct kmem_cache_alias *alias;

	if (merging_is_off())
		return;
	cr_assert(s == t);
	memset(name, 'x', sizeof(name) - 1);
	cr_assert(!list_empty(&s->aliases));
	alias = container_of(s->aliases.next, struct kmem_cache_alias, list);
	cr_expect_str_eq(alias->name, "alias-name");
	kmem_cache_destroy(s);
	kmem_cache_destroy(t);
}

Test(slab_common, duplicate_name_warns)
{
	struct kmem_cache *a = kmem_cache_create("twice", 64, 0, SLAB_NO_MERGE, NULL), *b;

	sink_catch();
	b = kmem_cache_create("twice", 96, 0, SLAB_NO_MERGE, NULL);
	cr_expect(b && b != a, "a duplicate is made all the same");
	cr_expect(sink_has("twice"), "no warning: %s", sink_text);
	sink_catch();
	kmem_cache_destroy(a);
	kmem_cache_destroy(b);
	a = kmem_cache_create("twice", 64, 0, SLAB_NO_MERGE, NULL);
	cr_expect(sink_len == 0, "the name is free again: %s", sink_text);
	kmem_cache_destroy(a);
}

Test(slab_common, long_name)
{
	static char name[3000];
	struct kmem_cache *s;

	memset(name, 'n', sizeof(name) - 1);
	s = kmem_cache_create(name, 64, 0, SLAB_NO_MERGE, NULL);
	cr_assert(s);
	cr_expect(strncmp(kmem_cache_name(s), name, 16) == 0);
	kmem_cache_destroy(s);
}

/* ---- destroying ------------------------------------------------------------------------- */

Test(slab_common, destroy_null)
{
	sink_catch();
	kmem_cache_destroy(NULL);
	cr_expect(sink_len == 0);
}

Test(slab_common, destroy_empty_is_silent)
{
	struct kmem_cache *s = kmem_cache_create("clean", 100, 0, SLAB_NO_MERGE, NULL);
	void *p[500];

	for (unsigned int i = 0; i < ARRAY_SIZE(p); i++)
		cr_assert(p[i] = kmem_cache_alloc(s, GFP_KERNEL));
	for (unsigned int i = 0; i < ARRAY_SIZE(p); i++)
		kmem_cache_free(s, p[i]);
	sink_catch();
	kmem_cache_destroy(s);
	cr_expect(sink_len == 0, "%s", sink_text);
}

Test(slab_common, destroy_with_live_objects)
{
	struct kmem_cache *s = kmem_cache_create("leaky", 200, 0, SLAB_NO_MERGE, NULL);
	void *p[100];
	char text[64];

	for (unsigned int i = 0; i < ARRAY_SIZE(p); i++)
		cr_assert(p[i] = kmem_cache_alloc(s, GFP_KERNEL));
	for (unsigned int i = 3; i < ARRAY_SIZE(p); i++)
		kmem_cache_free(s, p[i]);
	sink_catch();
	kmem_cache_destroy(s);
	cr_expect(sink_has("kmem_cache_destroy leaky: Slab cache still has objects "
			   "when called from"), "%s", sink_text);
	for (unsigned int i = 0; i < 3; i++) {
		snprintf(text, sizeof(text), "%p", p[i]);
		cr_expect(sink_has(text), "%s is not listed in %s", text, sink_text);
	}
	snprintf(text, sizeof(text), "%p", p[50]);
	cr_expect(!sink_has(text), "%s is free and listed", text);
	/* The cache is leaked: its objects stay good, and may still be freed. */
	fill(p[0], 200, 1);
	cr_expect(filled(p[0], 200, 1));
	for (unsigned int i = 0; i < 3; i++)
		kfree(p[i]);
	/* The name may be used again, with nothing mixed up. */
	check_works(kmem_cache_create("leaky2", 200, 0, SLAB_NO_MERGE, NULL), 200);
}

/* Nobody shares a cache that its owner has given up. */
Test(slab_common, a_leaked_cache_is_not_merged_with)
{
	struct kmem_cache *s = kmem_cache_create("leaked-base", 1816, 0, 0, NULL), *t;
	void *p = kmem_cache_alloc(s, GFP_KERNEL);

	printk_sink = sink_drop;
	kmem_cache_destroy(s);
	t = kmem_cache_create("fresh", 1816, 0, 0, NULL);
	cr_assert(t && t != s);
	cr_expect_str_eq(kmem_cache_name(t), "fresh");
	kfree(p);
	check_works(t, 1816);
}

Test(slab_common, destroy_lists_boundedly)
{
	struct kmem_cache *s = kmem_cache_create("leaks-much", 16, 0, SLAB_NO_MERGE, NULL);

	for (unsigned int i = 0; i < 20000; i++)
		cr_assert(kmem_cache_alloc(s, GFP_KERNEL));
	sink_catch();
	kmem_cache_destroy(s);
	cr_expect(sink_has("kmem_cache_destroy leaks-much: Slab cache still has objects"));
}

Test(slab_common, memory_goes_back_at_destroy)
{
	size_t meta = 0;
	unsigned long free_pages = 0;

	for (unsigned int i = 0; i < 3000; i++) {
		struct kmem_cache *s = kmem_cache_create("cycle", 64 + i % 512, 0, SLAB_NO_MERGE,
							 i % 3 ? NULL : ctor);
		void *p[40];

		cr_assert(s);
		for (unsigned int j = 0; j < ARRAY_SIZE(p); j++)
			cr_assert(p[j] = kmem_cache_alloc(s, GFP_KERNEL));
		for (unsigned int j = 0; j < ARRAY_SIZE(p); j++)
			kmem_cache_free(s, p[j]);
		kmem_cache_destroy(s);
		if (i == 600) {
			page_alloc_drain();
			meta = memblock_total();
			free_pages = zones[0]->nr_present - zones[0]->nr_free;
		}
	}
	page_alloc_drain();
	cr_expect(memblock_total() <= meta + 65536, "metadata grew from %zu to %zu", meta,
		  memblock_total());
	cr_expect(zones[0]->nr_present - zones[0]->nr_free <= free_pages + 16,
		  "pages in use grew from %lu to %lu", free_pages,
		  zones[0]->nr_present - zones[0]->nr_free);
	cr_expect(zones_validate() == 0);
}

/* ---- shrinking ----------------------------------------------------------------------------- */

Test(slab_common, shrink)
{
	struct kmem_cache *s = kmem_cache_create("shrinks", 500, 0, SLAB_NO_MERGE, NULL);
	void *p[1000], *one;

	cr_expect(kmem_cache_shrink(s) == 0, "a cache without slabs");
	for (unsigned int i = 0; i < ARRAY_SIZE(p); i++)
		cr_assert(p[i] = kmem_cache_alloc(s, GFP_KERNEL));
	one = kmem_cache_alloc(s, GFP_KERNEL);
	for (unsigned int i = 0; i < ARRAY_SIZE(p); i++)
		kmem_cache_free(s, p[i]);
	fill(one, 500, 9);
	cr_expect(kmem_cache_shrink(s) != 0, "one object is in use");
	cr_expect(filled(one, 500, 9));
	if (percpu.can_drain || percpu.mode == PERCPU_FALLBACK)
		cr_expect(s->node.nr_slabs == 1, "%lu slabs", s->node.nr_slabs);
	kmem_cache_free(s, one);
	cr_expect(kmem_cache_shrink(s) == 0);
	cr_expect(s->node.nr_slabs == 0 && s->node.nr_inuse == 0);
	check_works(s, 500);
}

/* ---- many caches --------------------------------------------------------------------------- */

Test(slab_common, three_thousand_caches_at_once)
{
	static struct kmem_cache *s[3000];
	static void *p[3000];
	char name[32];

	for (unsigned int i = 0; i < ARRAY_SIZE(s); i++) {
		snprintf(name, sizeof(name), "many-%u", i);
		s[i] = kmem_cache_create(name, 8 + i % 300, 0, SLAB_NO_MERGE, NULL);
		cr_assert(s[i], "cache %u", i);
		cr_assert(p[i] = kmem_cache_alloc(s[i], GFP_KERNEL));
		fill(p[i], 8 + i % 300, (unsigned char)i);
	}
	for (unsigned int i = 0; i < ARRAY_SIZE(s); i++) {
		cr_assert(filled(p[i], 8 + i % 300, (unsigned char)i), "cache %u", i);
		snprintf(name, sizeof(name), "many-%u", i);
		cr_assert_str_eq(kmem_cache_name(s[i]), name);
		cr_assert(virt_to_cache(p[i]) == s[i]);
	}
	for (unsigned int i = 0; i < ARRAY_SIZE(s); i++) {
		kmem_cache_free(s[i], p[i]);
		kmem_cache_destroy(s[i]);
	}
}

/* No slot number left: a cache then works on its slabs alone. */
Test(slab_common, caches_without_a_slot)
{
	struct kmem_cache *s;
	void *p[200];

	kfree(kmalloc(8, GFP_KERNEL));
	while (percpu_slot_alloc() != SLOT_NONE)
		;
	s = kmem_cache_create("slotless", 80, 0, SLAB_NO_MERGE, NULL);
	cr_assert(s, "running out of slots must not stop anybody");
	for (unsigned int i = 0; i < ARRAY_SIZE(p); i++) {
		cr_assert(p[i] = kmem_cache_alloc(s, GFP_KERNEL));
		fill(p[i], 80, 5);
	}
	for (unsigned int i = 0; i < ARRAY_SIZE(p); i++) {
		cr_assert(filled(p[i], 80, 5));
		if (i & 1)
			kmem_cache_free(s, p[i]);
		else
			kfree(p[i]);
	}
	cr_expect(validate_slab_cache(s) == 0);
	check_works(s, 80);
}

/* ---- several threads ------------------------------------------------------------------------ */

static void *create_and_destroy(void *arg)
{
	unsigned long me = (unsigned long)arg, bad = 0;
	u64 seed = me * 77 + 1;
	char name[32];

	for (unsigned int i = 0; i < 400; i++) {
		unsigned int size = 8 + (unsigned int)(rnd(&seed) % 2000);
		slab_flags_t flags = rnd(&seed) & 1 ? SLAB_NO_MERGE : 0;
		struct kmem_cache *s;
		void *p[20];

		snprintf(name, sizeof(name), "thread-%lu-%u", me, i);
		s = kmem_cache_create(name, size, 0, flags, i % 5 ? NULL : ctor);
		if (!s)
			return (void *)1000000;
		for (unsigned int j = 0; j < ARRAY_SIZE(p); j++) {
			p[j] = kmem_cache_alloc(s, GFP_KERNEL);
			if (p[j])
				fill(p[j], size, (unsigned char)me);
			else
				bad++;
		}
		for (unsigned int j = 0; j < ARRAY_SIZE(p); j++) {
			if (!p[j])
				continue;
			bad += !filled(p[j], size, (unsigned char)me);
			*(long *)p[j] = 42;
			kmem_cache_free(s, p[j]);
		}
		if (i % 7 == 0)
			kmem_cache_shrink(s);
		kmem_cache_destroy(s);
	}
	return (void *)bad;
}

Test(slab_common, threads_create_and_destroy)
{
	pthread_t t[4];
	void *bad;

	sink_catch();
	for (unsigned long i = 0; i < ARRAY_SIZE(t); i++)
		cr_assert(pthread_create(&t[i], NULL, create_and_destroy, (void *)i) == 0);
	for (unsigned int i = 0; i < ARRAY_SIZE(t); i++) {
		pthread_join(t[i], &bad);
		cr_expect(!bad, "thread %u: %lu errors", i, (unsigned long)bad);
	}
	cr_expect(sink_len == 0, "%s", sink_text);
	cr_expect(zones_validate() == 0);
}

/* ---- checks that are switched ------------------------------------------------------------ */

static struct kmem_cache *checked;

static void free_twice(void)
{
	void *p = kmem_cache_alloc(checked, GFP_KERNEL);

	kmem_cache_free(checked, p);
	kmem_cache_free(checked, p);
}

static void malloc_free_twice(void)
{
	void *p = kmalloc(100, GFP_KERNEL);

	kfree(p);
	kfree(p);
}

Test(slab_common, checks_that_are_switched_on_catch_a_double_free)
{
	checked = kmem_cache_create("checked", 64, 0, SLAB_NO_MERGE, NULL);
	kmem_cache_free(checked, kmem_cache_alloc(checked, GFP_KERNEL));
	kfree(kmalloc(100, GFP_KERNEL));
	slab_set_checks(true);
	assert_aborts(free_twice, "Object already free");
	assert_aborts(malloc_free_twice, "Object already free");
	slab_set_checks(false);
	cr_expect_eq(validate_slab_caches(), 0);
}
