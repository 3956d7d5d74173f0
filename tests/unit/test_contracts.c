// SPDX-License-Identifier: MIT
/*
 * The contracts of the kernel's slab and page interface, one test for each, named after
 * it. What a contract implies in detail is tested beside its source file.
 */
#include "slab_test.h"

#include <errno.h>
#include <kmem/page_alloc.h>
#include <kmem/vmalloc.h>

#include "mm/cmdline.h"
#include "rcu_test.h"

TestSuite(contracts, .timeout = 60);

Test(contracts, zero_size_ptr)
{
	void *p = kmalloc(0, GFP_KERNEL);

	cr_expect(p == (void *)16 && p == ZERO_SIZE_PTR);
	cr_expect(ZERO_OR_NULL_PTR(NULL) && ZERO_OR_NULL_PTR(p) && !ZERO_OR_NULL_PTR((void *)17));
	kfree(p);
	kfree(NULL);
	kvfree(p);
	cr_expect(ksize(p) == 0 && ksize(NULL) == 0);
}

Test(contracts, krealloc_to_zero_frees)
{
	struct kmem_cache *s;
	void *p = kmalloc(100, GFP_KERNEL);
	long before;

	s = virt_to_cache(p);
	before = cache_live(s);
	cr_expect(krealloc(p, 0, GFP_KERNEL) == ZERO_SIZE_PTR);
	cr_expect(cache_live(s) == before - 1);
}

Test(contracts, array_overflow_gives_null)
{
	volatile size_t n = SIZE_MAX / 8 + 1;	/* so that the compiler does not know */
	void *p = kmalloc(8, GFP_KERNEL);

	cr_expect(!kmalloc_array(n, 8, GFP_KERNEL) && !kcalloc(8, n, GFP_KERNEL));
	cr_expect(!kmalloc_array_node(n, 8, GFP_KERNEL, 0) && !kcalloc_node(n, 8, GFP_KERNEL, 0));
	cr_expect(!kvmalloc_array(n, 8, GFP_KERNEL) && !kvcalloc(n, 8, GFP_KERNEL));
	cr_expect(!krealloc_array(p, n, 8, GFP_KERNEL));
	kfree(p);
}

/* Three at once, and again where the first one was. */
static void expect_aligned(size_t size)
{
	unsigned long align = max(size & -size, 8UL);
	void *p[4];

	for (int i = 0; i < 4; i++) {
		p[i] = kmalloc(size, GFP_KERNEL);
		cr_assert(p[i] && (unsigned long)p[i] % align == 0, "%p for %zu", p[i], size);
		if (i == 2)
			kfree(p[0]);
	}
	for (int i = 1; i < 4; i++)
		kfree(p[i]);
}

Test(contracts, kmalloc_alignment)
{
	for (size_t size = 1; size <= 70000; size += size < 3000 ? 1 : 677)
		expect_aligned(size);
	for (size_t pages = 1; pages <= 1024; pages += pages < 200 ? 1 : 8)
		expect_aligned(pages * PAGE_SIZE);
}

Test(contracts, kmem_cache_alignment)
{
	static const struct { unsigned int size, align; slab_flags_t flags; unsigned int is; } c[] = {
		{ 24, 0, 0, 8 }, { 24, 4, 0, 8 }, { 24, 64, 0, 64 }, { 200, 0, SLAB_HWCACHE_ALIGN, 64 },
		{ 33, 0, SLAB_HWCACHE_ALIGN, 64 }, { 32, 0, SLAB_HWCACHE_ALIGN, 32 },
		{ 16, 0, SLAB_HWCACHE_ALIGN, 16 }, { 8, 0, SLAB_HWCACHE_ALIGN, 8 },
		{ 8, 128, SLAB_HWCACHE_ALIGN, 128 },
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(c); i++) {
		struct kmem_cache *s = kmem_cache_create("aligned", c[i].size, c[i].align,
							 c[i].flags | SLAB_NO_MERGE, NULL);
		void *p[20];

		cr_expect(s->align == c[i].is, "%u: %u, not %u", i, s->align, c[i].is);
		for (int k = 0; k < 20; k++) {
			p[k] = kmem_cache_alloc(s, GFP_KERNEL);
			cr_expect((unsigned long)p[k] % c[i].is == 0);
		}
		for (int k = 0; k < 20; k++)
			kmem_cache_free(s, p[k]);
		kmem_cache_destroy(s);
	}
}

Test(contracts, kfree_accepts_objects_of_any_cache)
{
	struct kmem_cache *s = kmem_cache_create("any", 312, 0, SLAB_NO_MERGE, NULL);

	for (int i = 0; i < 1000; i++)
		kfree(kmem_cache_alloc(s, GFP_KERNEL));
	cr_expect(cache_live(s) == 0);
	cr_expect(kmem_cache_shrink(s) == 0);
	kmem_cache_destroy(s);
}

static unsigned long constructed;

static void ctor(void *p)
{
	memset(p, 0x77, 120);
	constructed++;
}

Test(contracts, constructor_runs_once_per_object)
{
	struct kmem_cache *s = kmem_cache_create("ctor", 120, 0, 0, ctor);
	unsigned long after_first;
	void *p;

	kmem_cache_free(s, kmem_cache_alloc(s, GFP_KERNEL));
	after_first = constructed;
	cr_expect(after_first == s->objects);
	for (int i = 0; i < 1000; i++) {
		p = kmem_cache_alloc(s, GFP_KERNEL);
		cr_assert(all_bytes(p, 120, 0x77), "poisoned, or written to");
		kmem_cache_free(s, p);
	}
	cr_expect(constructed == after_first);
	kmem_cache_destroy(s);
}

Test(contracts, constructor_with_gfp_zero_warns_once)
{
	struct kmem_cache *s = kmem_cache_create("ctor", 120, 0, 0, ctor);

	sink_catch();
	kmem_cache_free(s, kmem_cache_zalloc(s, GFP_KERNEL));
	kmem_cache_free(s, kmem_cache_alloc(s, GFP_KERNEL | __GFP_ZERO));
	cr_expect(sink_count("with a constructor") == 1, "%s", sink_text);
}

Test(contracts, constructed_objects_are_never_poisoned)
{
	struct kmem_cache *s;
	void *p;

	kmem_params.init_on_free = kmem_params.init_on_alloc = true;
	s = kmem_cache_create("ctor", 120, 0, 0, ctor);
	for (int i = 0; i < 100; i++) {
		p = kmem_cache_alloc(s, GFP_KERNEL);
		cr_assert(all_bytes(p, 120, 0x77));
		kmem_cache_free(s, p);
	}
}

Test(contracts, unknown_flags_give_null_and_a_message)
{
	sink_catch();
	cr_expect(!kmem_cache_create("odd", 64, 0, 0x80000000u, NULL));
	cr_expect(sink_has("unknown flags"));
}

Test(contracts, panic_aborts, .signal = SIGABRT)
{
	printk_sink = sink_drop;
	kmem_cache_create("odd", 0, 0, SLAB_PANIC, NULL);
}

Test(contracts, duplicate_name_warns)
{
	kmem_cache_create("same", 64, 0, SLAB_NO_MERGE, NULL);
	sink_catch();
	cr_expect(kmem_cache_create("same", 64, 0, SLAB_NO_MERGE, NULL));
	cr_expect(sink_has("kmem_cache of name 'same' already exists"));
}

/* Merging: the other's size is ours or up to 7 bytes more, its alignment fits ours. */
Test(contracts, merging_by_size)
{
	struct kmem_cache *base, *t;

	if (kmem_params.slab_nomerge)
		return;
	base = kmem_cache_create("merge-base", 1304, 0, 0, NULL);
	for (unsigned int size = 1296; size <= 1312; size++) {
		t = kmem_cache_create("merge", size, 0, 0, NULL);
		cr_expect((t == base) == (size > 1296 && size <= 1304), "%u", size);
		kmem_cache_destroy(t);
	}
	t = kmem_cache_create("merge", 1304, 64, 0, NULL);
	cr_expect(t != base);
	kmem_cache_destroy(t);
	kmem_cache_destroy(base);
}

Test(contracts, destroy_null)
{
	kmem_cache_destroy(NULL);
}

Test(contracts, destroy_with_live_objects_lists_them_and_leaks_the_cache)
{
	struct kmem_cache *s = kmem_cache_create("busy", 72, 0, SLAB_NO_MERGE, NULL);
	void *p = kmem_cache_alloc(s, GFP_KERNEL);
	char text[40];

	sink_catch();
	kmem_cache_destroy(s);
	kmem_snprintf(text, sizeof(text), "Object %p @offset=", p);
	cr_expect(sink_has("kmem_cache_destroy busy: Slab cache still has objects when called from"));
	cr_expect(sink_has(text), "%s is not in %s", text, sink_text);
	memset(p, 1, 72);
	cr_expect(validate_slab_cache(s) == 0);
}

static void destroy_again(struct kmem_cache *s)
{
	sink_catch();
	kmem_cache_destroy(s);
	cr_expect(sink_has("is no cache, or no longer one, when called from"), "%s", sink_text);
}

Test(contracts, destroying_twice_is_reported_and_harmless)
{
	struct kmem_cache *s = kmem_cache_create("short", 72, 0, SLAB_NO_MERGE, NULL);
	struct kmem_cache *busy = kmem_cache_create("busy", 72, 0, SLAB_NO_MERGE, NULL);
	void *p = kmem_cache_alloc(busy, GFP_KERNEL);

	kmem_cache_free(s, kmem_cache_alloc(s, GFP_KERNEL));
	kmem_cache_destroy(s);
	destroy_again(s);
	sink_catch();
	kmem_cache_destroy(busy);
	destroy_again(busy);
	destroy_again((struct kmem_cache *)0x1000);
	kfree(p);
	cr_expect_eq(validate_slab_caches(), 0);
}

Test(contracts, merged_caches_are_destroyed_one_by_one)
{
	struct kmem_cache *a = kmem_cache_create("one", 1368, 0, 0, NULL);
	struct kmem_cache *b = kmem_cache_create("two", 1368, 0, 0, NULL);

	sink_catch();
	kmem_cache_destroy(a);
	kmem_cache_destroy(b);
	cr_expect_eq(sink_count("no cache"), 0, "%s", sink_text);
	destroy_again(a);
}

Test(contracts, bad_arguments_of_create)
{
	struct kmem_cache_args align = { .align = 8192 };
	struct kmem_cache_args outside = { .freeptr_offset = 64, .use_freeptr_offset = true };
	struct kmem_cache_args odd = { .freeptr_offset = 12, .use_freeptr_offset = true };
	struct kmem_cache_args good = { .freeptr_offset = 56, .use_freeptr_offset = true };
	struct kmem_cache *s;

	sink_catch();
	cr_expect_null(kmem_cache_create(NULL, 64, NULL, 0));
	cr_expect_null(kmem_cache_create("", 64, NULL, 0));
	cr_expect_null(kmem_cache_create("bad", 0, NULL, 0));
	cr_expect_null(kmem_cache_create("bad", ~0u, NULL, 0));
	cr_expect_null(kmem_cache_create("bad", 64, &align, 0));
	cr_expect_null(kmem_cache_create("bad", 64, &outside, 0));
	cr_expect_null(kmem_cache_create("bad", 64, &odd, 0));
	cr_expect_null(kmem_cache_create("bad", 64, 8192, 0, NULL));
	cr_expect_eq(sink_count("kmem_cache_create("), 8, "%s", sink_text);
	s = kmem_cache_create("good", 64, &good, SLAB_TYPESAFE_BY_RCU);
	cr_expect_not_null(s);
	kmem_cache_destroy(s);
}

Test(contracts, bulk_is_all_or_nothing)
{
	struct kmem_cache *s = kmem_cache_create("bulk", 2000, 0, SLAB_NO_MERGE, NULL);
	static void *p[20000];

	cr_expect(kmem_cache_alloc_bulk(s, GFP_KERNEL, 100, p) == 100);
	cr_expect(cache_live(s) == 100);
	kmem_cache_free_bulk(s, 100, p);
	printk_sink = sink_drop;
	fault_every_call(true);
	cr_expect(kmem_cache_alloc_bulk(s, GFP_KERNEL, ARRAY_SIZE(p), p) == 0);
	fault_every_call(false);
	cr_expect(cache_live(s) == 0, "%ld", cache_live(s));
}

Test(contracts, roundup_is_what_ksize_says)
{
	for (size_t size = 1; size < 300000; size += size < 5000 ? 1 : 911) {
		void *p = kmalloc(size, GFP_KERNEL);

		cr_assert(kmalloc_size_roundup(size) == ksize(p), "%zu: %zu, %zu", size,
			  kmalloc_size_roundup(size), ksize(p));
		kfree(p);
	}
}

Test(contracts, too_large_an_order_gives_null)
{
	printk_sink = sink_drop;
	cr_expect(!alloc_pages(GFP_KERNEL, MAX_PAGE_ORDER + 1));
	cr_expect(!__get_free_pages(GFP_KERNEL | __GFP_NOWARN, 63));
}

/* A block with a second reference: all pages but the first go at once, that with the last. */
Test(contracts, free_pages_of_a_referenced_block)
{
	struct page *page = alloc_pages(GFP_KERNEL, 3);

	cr_assert(page);
	get_page(page);
	__free_pages(page, 3);
	cr_expect(page_ref_count(page) == 1);
	memset(page_address(page), 1, PAGE_SIZE);
	put_page(page);
}

Test(contracts, slab_is_available)
{
	cr_expect(slab_is_available());
}

/* ---- RCU ------------------------------------------------------------------------ */

struct deferred {
	char room[4064];
	struct kmem_rcu_head rcu;	/* as far from the start as a field may be */
	char more[100];
};

Test(contracts, kfree_rcu_accepts_objects_of_any_cache)
{
	struct kmem_cache *s = kmem_cache_create("any", sizeof(struct deferred), 0,
						 SLAB_NO_MERGE, NULL);

	for (int i = 0; i < 1000; i++)
		kfree_rcu((struct deferred *)kmem_cache_alloc(s, GFP_KERNEL), rcu);
	for (size_t size = sizeof(struct deferred); size < 1000000; size += size / 3)
		kvfree_rcu((struct deferred *)kvmalloc(size, GFP_KERNEL), rcu);
	kvfree_rcu_barrier();
	cr_expect(cache_live(s) == 0);
	kmem_cache_destroy(s);
}

Test(contracts, kfree_rcu_frees_after_a_grace_period)
{
	struct kmem_cache *s = kmem_cache_create("later", 64, 0, SLAB_NO_MERGE, NULL);
	struct kmem_rcu_head *o = kmem_cache_alloc(s, GFP_KERNEL);

	kmem_rcu_use_flavor(&fake_flavor);
	fake_read(true);
	kfree_rcu_mightsleep(o);
	usleep(3 * RCU_DRAIN_MS * 1000);
	cr_expect(cache_live(s) == 1);
	fake_read(false);
	kvfree_rcu_barrier();
	cr_expect(cache_live(s) == 0);
}

Test(contracts, destroy_waits_for_pending_kfree_rcu)
{
	struct kmem_cache *s = kmem_cache_create("pending", 64, 0, SLAB_NO_MERGE, NULL);

	kmem_rcu_use_flavor(&fake_flavor);
	for (int i = 0; i < 500; i++)
		kfree_rcu_mightsleep((char *)kmem_cache_alloc(s, GFP_KERNEL));
	sink_catch();
	kmem_cache_destroy(s);
	cr_expect(sink_len == 0, "%s", sink_text);
}

Test(contracts, typesafe_by_rcu_is_never_merged)
{
	struct kmem_cache *a = kmem_cache_create("plain", 720, 0, 0, NULL);
	struct kmem_cache *b = kmem_cache_create("safe", 720, 0, SLAB_TYPESAFE_BY_RCU, NULL);
	struct kmem_cache *c = kmem_cache_create("plain2", 720, 0, 0, NULL);

	cr_expect(a != b && c != b);
	kmem_cache_destroy(c);
	kmem_cache_destroy(b);
	kmem_cache_destroy(a);
}

Test(contracts, typesafe_by_rcu_objects_are_reused_at_once)
{
	struct kmem_cache *s = kmem_cache_create("safe", 120, 0, SLAB_TYPESAFE_BY_RCU, ctor);
	void *p = kmem_cache_alloc(s, GFP_KERNEL);

	kmem_rcu_use_flavor(&fake_flavor);
	fake_read(true);
	kmem_cache_free(s, p);
	cr_expect(kmem_cache_alloc(s, GFP_KERNEL) == p);
	cr_expect(all_bytes(p, 120, 0x77), "in constructed state");
	kmem_cache_free(s, p);
	fake_read(false);
	kmem_cache_destroy(s);
}

/* Its memory is as it was for as long as anybody may look, whatever is done to the cache. */
Test(contracts, typesafe_by_rcu_memory_stays_of_its_type)
{
	struct kmem_cache *s = kmem_cache_create("safe", 120, 0, SLAB_TYPESAFE_BY_RCU, ctor);
	static void *p[3000], *q[3000];
	bool same = true;

	kmem_rcu_use_flavor(&fake_flavor);
	for (unsigned int i = 0; i < ARRAY_SIZE(p); i++)
		p[i] = kmem_cache_alloc(s, GFP_KERNEL);
	fake_read(true);
	kmem_cache_free_bulk(s, ARRAY_SIZE(p), p);
	kmem_cache_shrink(s);
	for (unsigned int i = 0; i < ARRAY_SIZE(q); i++) {
		q[i] = kmalloc(120, GFP_KERNEL);
		memset(q[i], 0xff, 120);
	}
	for (unsigned int i = 0; i < ARRAY_SIZE(p); i++)
		same &= all_bytes(p[i], 120, 0x77);
	cr_expect(same);
	fake_read(false);
	kmem_cache_destroy(s);
	for (unsigned int i = 0; i < ARRAY_SIZE(p); i++)
		cr_assert(virt_to_cache(p[i]) != s);
}

Test(contracts, typesafe_by_rcu_objects_are_never_poisoned)
{
	struct kmem_cache *s;
	void *p;

	kmem_params.init_on_free = kmem_params.init_on_alloc = true;
	s = kmem_cache_create("safe", 120, 0, SLAB_TYPESAFE_BY_RCU, NULL);
	p = kmem_cache_alloc(s, GFP_KERNEL);
	memset(p, 0x66, 120);
	kmem_cache_free(s, p);
	cr_expect(all_bytes(p, 120, 0x66), "a reader may be looking");
	cr_expect(kmem_cache_alloc(s, GFP_KERNEL) == p && all_bytes(p, 120, 0x66));
}

/* ---- the kernel's own slab tests --------------------------------------------------------- */

/*
 * Its seven situations, each the damage that a program can do to memory of a cache. Red
 * zones and poison are not there to tell of it, so what counts here is what must hold
 * without them: object bytes, used or free, are no metadata. Nothing that is written
 * to them is an error of the cache, nor ever sends an allocation astray.
 */
static void *damaged[64];
static struct kmem_cache *damaged_cache;

static void open_damaged(slab_flags_t flags)
{
	damaged_cache = kmem_cache_create("TestSlub", 64, 0, flags | SLAB_NO_MERGE, NULL);
	cr_assert_not_null(damaged_cache);
	for (unsigned int i = 0; i < ARRAY_SIZE(damaged); i++)
		damaged[i] = kmem_cache_alloc(damaged_cache, GFP_KERNEL);
}

/* All can be had again, each once, and none is anywhere else. */
static void close_damaged(void)
{
	struct kmem_cache *s = damaged_cache;
	static void *p[500];

	cr_expect_eq(validate_slab_cache(s), 0);
	for (unsigned int i = 0; i < ARRAY_SIZE(p); i++) {
		p[i] = kmem_cache_alloc(s, GFP_KERNEL);
		cr_assert(virt_to_cache(p[i]) == s && slab_offset(s, p[i]) % s->size == 0);
		memset(p[i], (int)i, 64);
	}
	for (unsigned int i = 0; i < ARRAY_SIZE(p); i++) {
		cr_assert(all_bytes(p[i], 64, (unsigned char)i), "handed out twice");
		kmem_cache_free(s, p[i]);
	}
	cr_expect_eq(validate_slab_cache(s), 0);
	kmem_cache_shrink(s);
	sink_catch();
	kmem_cache_destroy(s);
	cr_expect_eq(sink_len, 0, "%s", sink_text);
}

static void free_damaged(void)
{
	kmem_cache_free_bulk(damaged_cache, ARRAY_SIZE(damaged), damaged);
}

Test(contracts, clobber_zone)
{
	open_damaged(SLAB_RED_ZONE);
	((char *)damaged[5])[64] = 0x12;
	free_damaged();
	close_damaged();
}

Test(contracts, next_pointer)
{
	open_damaged(SLAB_POISON);
	free_damaged();
	/* Wherever a free list would have its pointers. */
	for (unsigned int i = 0; i < 64; i += 8)
		*(unsigned long *)((char *)damaged[i] + i) = ~0x7UL;
	close_damaged();
}

Test(contracts, first_word)
{
	open_damaged(SLAB_POISON);
	free_damaged();
	*(unsigned char *)damaged[3] = 0x78;
	close_damaged();
}

Test(contracts, clobber_50th_byte)
{
	open_damaged(SLAB_POISON);
	free_damaged();
	((unsigned char *)damaged[3])[50] = 0x9a;
	close_damaged();
}

Test(contracts, clobber_redzone_free)
{
	open_damaged(SLAB_RED_ZONE);
	free_damaged();
	((unsigned char *)damaged[9])[64] = 0xab;
	close_damaged();
}

Test(contracts, kmalloc_redzone_access)
{
	volatile size_t asked = 18;	/* so that the compiler does not know */
	unsigned char *p = kmalloc(asked, GFP_KERNEL);
	struct kmem_cache *s = virt_to_cache(p);

	p[18] = p[19] = 0xab;
	cr_expect_eq(validate_slab_cache(s), 0);
	kfree(p);
	cr_expect_eq(validate_slab_cache(s), 0);
}

/* What krealloc() adds is zero with __GFP_ZERO at each step, also after it shrank. */
Test(contracts, krealloc_redzone_zeroing)
{
	unsigned char *p = kzalloc(48, GFP_KERNEL);

	memset(p, 0xff, 48);
	p = krealloc(p, 40, GFP_KERNEL | __GFP_ZERO);
	cr_expect(all_bytes(p, 40, 0xff));
	p = krealloc(p, 56, GFP_KERNEL | __GFP_ZERO);
	cr_expect(all_bytes(p, 40, 0xff) && all_bytes(p + 40, 16, 0));
	memset(p, 0xff, 56);
	p = krealloc(p, 112, GFP_KERNEL | __GFP_ZERO);
	cr_expect(all_bytes(p, 56, 0xff) && all_bytes(p + 56, 56, 0));
	kfree(p);
}

/* ---- what validate_slab_cache() counts ------------------------------------------------------ */

Test(contracts, validate_gives_the_number_of_errors)
{
	struct kmem_cache *s = kmem_cache_create("damaged", 700, 0, SLAB_NO_MERGE, NULL);
	struct list_head *next;
	void *p[100];
	struct page *slab;
	long errors;

	for (unsigned int i = 0; i < 100; i++)
		p[i] = kmem_cache_alloc(s, GFP_KERNEL);
	slab = virt_to_head_page(p[50]);
	cr_assert(s->order > 0 && slab->inuse > 0);
	cr_expect_eq(validate_slab_cache(s), 0);

	/* One wrong count is one error, with its line, each time that it is looked for. */
	sink_catch();
	slab->bitmap[0] ^= 1;
	errors = validate_slab_cache(s);
	cr_expect(errors == 1 && sink_count("validate damaged: objects of a slab") == 1, "%ld: %s",
		  errors, sink_text);
	cr_expect_eq(validate_slab_caches(), 1);
	slab->bitmap[0] ^= 1;

	sink_catch();
	s->node.nr_slabs++;
	s->node.nr_inuse--;
	slab[1].head_distance = 7;
	errors = validate_slab_cache(s);
	cr_expect(errors == 3, "%ld: %s", errors, sink_text);
	cr_expect(sink_has("slabs:") && sink_has("objects in use:") && sink_has("head distance"));
	s->node.nr_slabs--;
	s->node.nr_inuse++;
	slab[1].head_distance = 1;
	cr_expect_eq(validate_slab_cache(s), 0);

	/* A list that leads astray is not followed. */
	kmem_cache_free(s, p[50]);
	kmem_cache_shrink(s);
	cr_assert_neq(slab->slab_list.next, &slab->slab_list);
	next = slab->slab_list.next;
	sink_catch();
	slab->slab_list.next = (struct list_head *)0x1000;
	cr_expect_geq(validate_slab_cache(s), 1);
	cr_expect(sink_has("link of a slab list"), "%s", sink_text);
	slab->slab_list.next = next;
	cr_expect_eq(validate_slab_cache(s), 0);
}
