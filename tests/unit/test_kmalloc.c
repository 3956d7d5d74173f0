// SPDX-License-Identifier: MIT
/*
 * kmalloc's contracts: kmalloc.c.
 */
#include "slab_test.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>

#include <kmem/malloc.h>

TestSuite(kmalloc, .timeout = 120);

/* Sizes that the compiler must not know. */
static void *km(volatile size_t size)
{
	return kmalloc(size, GFP_KERNEL);
}

/* ---- zero, NULL, overflow ------------------------------------------------------------- */

Test(kmalloc, zero_size)
{
	void *p = km(0);

	cr_expect(p == ZERO_SIZE_PTR);
	cr_expect((unsigned long)ZERO_SIZE_PTR == 16);
	cr_expect(ZERO_OR_NULL_PTR(p) && ZERO_OR_NULL_PTR(NULL));
	cr_expect(ZERO_OR_NULL_PTR((void *)1) && ZERO_OR_NULL_PTR((void *)16));
	cr_expect(!ZERO_OR_NULL_PTR((void *)17));
	cr_expect(kzalloc(0, GFP_KERNEL) == ZERO_SIZE_PTR);
	cr_expect(kcalloc(0, 8, GFP_KERNEL) == ZERO_SIZE_PTR);
	cr_expect(kmalloc_array(8, 0, GFP_KERNEL) == ZERO_SIZE_PTR);
	cr_expect(ksize(ZERO_SIZE_PTR) == 0 && ksize(NULL) == 0);
	kfree(p);
	kfree(NULL);
	kfree_sensitive(p);
	kfree_sensitive(NULL);
	kfree(krealloc(ZERO_SIZE_PTR, 10, GFP_KERNEL));
	cr_expect(kmalloc_size_roundup(0) == 0);
}

Test(kmalloc, overflow_and_huge)
{
	static const size_t huge[] = {
		SIZE_MAX, SIZE_MAX - 1, SIZE_MAX - 7, SIZE_MAX - 15, SIZE_MAX - 4095, SIZE_MAX - 4096,
		SIZE_MAX - 8191, SIZE_MAX / 2, SIZE_MAX / 2 + 1, (size_t)1 << 62, (size_t)1 << 56,
		(size_t)1 << 48,
	};
	volatile size_t n, size;
	void *p;

	printk_sink = sink_drop;
	errno = 77;
	for (unsigned int i = 0; i < ARRAY_SIZE(huge); i++) {
		cr_expect(km(huge[i]) == NULL, "kmalloc(%zx)", huge[i]);
		size = huge[i];
		cr_expect(kzalloc(size, GFP_KERNEL) == NULL, "kzalloc(%zx)", huge[i]);
	}
	n = SIZE_MAX / 2 + 2, size = 2;
	cr_expect(kmalloc_array(n, size, GFP_KERNEL) == NULL);
	cr_expect(kcalloc(n, size, GFP_KERNEL) == NULL);
	n = (size_t)1 << 32, size = (size_t)1 << 32;
	cr_expect(kmalloc_array(n, size, GFP_KERNEL) == NULL);
	n = SIZE_MAX, size = SIZE_MAX;
	cr_expect(kcalloc(n, size, GFP_KERNEL) == NULL);
	n = 3, size = SIZE_MAX / 3 + 1;
	cr_expect(kcalloc(size, n, GFP_KERNEL) == NULL);
	p = km(100);
	fill(p, 100, 1);
	size = SIZE_MAX;
	cr_expect(krealloc(p, size, GFP_KERNEL) == NULL);
	size = SIZE_MAX / 2;
	cr_expect(krealloc(p, size, GFP_KERNEL) == NULL);
	cr_expect(filled(p, 100, 1), "a failed krealloc leaves all as it was");
	kfree(p);
	cr_expect(errno == 77, "kmalloc has changed errno");
}

/* ---- size classes --------------------------------------------------------------------------- */

Test(kmalloc, class_names)
{
	unsigned int last = 0;

	kfree(km(1));
	for (unsigned int i = 0; i < KMALLOC_CLASSES; i++) {
		struct kmem_cache *s = kmalloc_caches[i];
		char name[32];

		cr_assert(s, "class %u", i);
		snprintf(name, sizeof(name), "kmalloc-%u", s->object_size);
		cr_expect_str_eq(kmem_cache_name(s), name);
		cr_expect(s->object_size > last, "classes ascend");
		cr_expect(s->flags & SLAB_KMALLOC);
		last = s->object_size;
	}
	cr_expect(last == KMALLOC_MAX_CACHE_SIZE);
	cr_expect(kmalloc_caches[0]->object_size == 16);
}

/* For every size: the class, its waste, the alignment, ksize and the round-up agree. */
Test(kmalloc, every_size)
{
	for (size_t size = 1; size <= KMALLOC_MAX_CACHE_SIZE; size++) {
		char *p = km(size);
		size_t have;

		cr_assert(p, "size %zu", size);
		have = ksize(p);
		cr_assert(have >= size, "size %zu: ksize %zu", size, have);
		cr_assert(have == kmalloc_size_roundup(size), "size %zu: ksize %zu, roundup %zu",
			  size, have, kmalloc_size_roundup(size));
		if (size > 64)
			cr_assert((have - size) * 5 <= have, "size %zu in %zu: waste above 20 %%",
				  size, have);
		cr_assert((unsigned long)p % (size & -size) == 0 || (size & -size) > PAGE_SIZE,
			  "size %zu: %p", size, p);
		cr_assert((unsigned long)p % 8 == 0);
		p[0] = p[size - 1] = p[have - 1] = 1;
		kfree(p);
	}
}

Test(kmalloc, classes_hold_what_they_say)
{
	for (unsigned int i = 0; i < KMALLOC_CLASSES; i++) {
		size_t size = kmalloc_caches[i] ? kmalloc_caches[i]->object_size : 16;
		void *p[70];

		for (unsigned int j = 0; j < ARRAY_SIZE(p); j++) {
			cr_assert(p[j] = km(size - j % 7));
			fill(p[j], ksize(p[j]), (unsigned char)j);
			cr_assert(virt_to_cache(p[j]) == kmalloc_caches[i], "size %zu", size - j % 7);
		}
		for (unsigned int j = 0; j < ARRAY_SIZE(p); j++) {
			cr_assert(filled(p[j], ksize(p[j]), (unsigned char)j), "kmalloc-%zu", size);
			kfree(p[j]);
		}
		cr_expect(validate_slab_cache(kmalloc_caches[i]) == 0);
	}
}

/* What kmalloc_aligned() relies on: no class of a multiple of an alignment breaks it. */
Test(kmalloc, classes_keep_alignments)
{
	void *p;

	for (size_t align = 16; align <= PAGE_SIZE; align *= 2)
		for (size_t size = align; size <= KMALLOC_MAX_CACHE_SIZE; size += align)
			cr_expect(kmalloc_class_size(kmalloc_index(size)) % align == 0,
				  "%zu bytes at %zu: class of %zu", size, align,
				  (size_t)kmalloc_class_size(kmalloc_index(size)));
	p = kmalloc_aligned(200, 0, GFP_KERNEL);
	cr_expect_geq(ksize(p), 200, "no alignment asked for");
	kfree(p);
	for (size_t size = 0; size <= 1100; size++) {
		p = kmalloc_aligned(size, 32, GFP_KERNEL | __GFP_ZERO);

		cr_assert(p && (unsigned long)p % 32 == 0, "%zu", size);
		for (size_t i = 0; i < ksize(p); i++)
			cr_assert_eq(((char *)p)[i], 0, "%zu of %zu", i, size);
		memset(p, 0x5a, ksize(p));
		kfree(p);
	}
}

/* The smallest class that holds a size; for kmalloc() the smallest that is aligned as it says. */
Test(kmalloc, a_size_gets_the_smallest_class)
{
	for (size_t size = 1; size <= KMALLOC_MAX_CACHE_SIZE; size++) {
		size_t align = size > 128 ? size & -size : 1;
		unsigned int any = malloc_index(size), i = any;

		cr_assert(kmalloc_class_size(any) >= size, "%zu", size);
		cr_assert(!any || kmalloc_class_size(any - 1) < size, "%zu", size);
		while (kmalloc_class_size(i) % align)
			i++;
		cr_assert_eq(kmalloc_index(size), i, "%zu: %zu, not %zu", size,
			     kmalloc_class_size(kmalloc_index(size)), kmalloc_class_size(i));
	}
}

/* A page and a header: malloc() has its own class for it, kmalloc() where the alignment allows. */
Test(kmalloc, a_page_and_a_header)
{
	const struct kmem_cache *s = kmalloc_caches[malloc_index(4096 + 272)];
	void *page, *p[20];

	cr_assert(page = MyMalloc(4096 + 128));
	cr_expect_eq(ksize(page), 4368);
	MyFree(page);
	for (unsigned int i = 0; i < ARRAY_SIZE(p); i++) {
		cr_assert(p[i] = km(4096 + 128));
		cr_expect((unsigned long)p[i] % 128 == 0, "%p", p[i]);
		cr_expect_eq(ksize(p[i]), 5120);
	}
	cr_expect_eq(kmalloc_size_roundup(4096 + 128), 5120);
	cr_expect_eq(kmalloc_size_roundup(4096 + 272), 4368);
	for (unsigned int i = 0; i < ARRAY_SIZE(p); i++)
		kfree(p[i]);
	cr_expect(s->size == 4368 && s->objects == 15 && s->order == 4);
}

/* krealloc() keeps what kmalloc() promises of the new size; realloc() stays where there is room. */
Test(kmalloc, grown_objects_are_of_the_class_of_their_size)
{
	char *p, *q;

	for (size_t size = 1000; size <= KMALLOC_MAX_CACHE_SIZE; size += 97) {
		for (size_t more = ALIGN(size, 32); more <= size + size / 8; more += 32) {
			cr_assert(p = km(size));
			p[0] = (char)size;
			cr_assert(p = krealloc(p, more, GFP_KERNEL));
			cr_assert((unsigned long)p % (more & -more) == 0, "%zu, %zu", size, more);
			cr_assert(ksize(p) >= kmalloc_size_roundup(more), "%zu, %zu", size, more);
			cr_assert_eq(p[0], (char)size);
			kfree(p);
		}
	}
	cr_assert(p = MyMalloc(4100));
	cr_assert(q = MyRealloc(p, 4224));
	cr_expect_eq(p, q);
	cr_assert(p = MyRealloc(q, 100));
	cr_assert(q = MyRealloc(p, 4224));
	cr_expect_eq(ksize(q), 4368);
	MyFree(q);
	cr_assert(p = MyAlignedAlloc(16, 4224));
	cr_expect_eq(ksize(p), 4368);
	MyFree(p);
	cr_assert(p = MyAlignedAlloc(32, 4224));
	cr_expect_eq((unsigned long)p % 32, 0);
	MyFree(p);
}

Test(kmalloc, powers_of_two_are_aligned_to_themselves)
{
	for (size_t size = 8; size <= 4 << 20; size *= 2) {
		void *p[10], *odd[10];

		for (unsigned int i = 0; i < ARRAY_SIZE(p); i++) {
			cr_assert(p[i] = km(size));
			cr_assert(odd[i] = km(size + size / 2));
			cr_expect((unsigned long)p[i] % size == 0, "kmalloc(%zu) = %p", size, p[i]);
		}
		for (unsigned int i = 0; i < ARRAY_SIZE(p); i++) {
			kfree(p[i]);
			kfree(odd[i]);
		}
	}
}

Test(kmalloc, roundup_of_large_sizes)
{
	static const size_t sizes[] = { 32769, 40000, 65536, 65537, 1 << 20, (1 << 20) + 1,
					4 << 20, (4 << 20) + 1, 10000001, 64 << 20 };

	for (unsigned int i = 0; i < ARRAY_SIZE(sizes); i++) {
		void *p = km(sizes[i]);

		cr_assert(p);
		cr_expect(ksize(p) == kmalloc_size_roundup(sizes[i]), "%zu: %zu, %zu", sizes[i],
			  ksize(p), kmalloc_size_roundup(sizes[i]));
		cr_expect(ksize(p) - sizes[i] < PAGE_SIZE, "%zu: exact runs of pages", sizes[i]);
		kfree(p);
	}
	/* Near the end of the number line there is nothing to round up to. */
	cr_expect(kmalloc_size_roundup(SIZE_MAX) == SIZE_MAX ||
		  kmalloc_size_roundup(SIZE_MAX) == 0);
}

/* ---- large ------------------------------------------------------------------------------------- */

Test(kmalloc, large_sizes)
{
	static const size_t sizes[] = {
		32769, 36864, 40000, 65536, 131073, 1 << 20, (2 << 20) - 1, 2 << 20, (2 << 20) + 1,
		4 << 20, (4 << 20) + 4096, 7777777, 16 << 20, 33333333, 64 << 20,
	};
	void *p[ARRAY_SIZE(sizes)];

	for (unsigned int round = 0; round < 2; round++) {
		for (unsigned int i = 0; i < ARRAY_SIZE(sizes); i++) {
			cr_assert(p[i] = km(sizes[i]), "%zu", sizes[i]);
			fill(p[i], 4096, (unsigned char)i);
			memset((char *)p[i] + sizes[i] - 4096, (int)i, 4096);
		}
		for (unsigned int i = 0; i < ARRAY_SIZE(sizes); i++) {
			cr_expect(filled(p[i], 4096, (unsigned char)i));
			cr_expect(all_bytes((char *)p[i] + sizes[i] - 4096, 4096, (unsigned char)i));
			kfree(p[i]);
		}
	}
	cr_expect(zones_validate() == 0);
}

Test(kmalloc, zeroed)
{
	static const size_t sizes[] = { 1, 8, 64, 200, 1000, 4096, 10000, 32768, 32769, 100000,
					1 << 20, 5 << 20, 20 << 20 };

	for (unsigned int round = 0; round < 4; round++) {
		for (unsigned int i = 0; i < ARRAY_SIZE(sizes); i++) {
			char *p = kzalloc(sizes[i], GFP_KERNEL), *q;

			cr_assert(p && all_bytes(p, sizes[i], 0), "kzalloc(%zu)", sizes[i]);
			memset(p, 0xff, sizes[i]);
			q = kcalloc(sizes[i], 1, GFP_KERNEL);
			cr_assert(q && all_bytes(q, sizes[i], 0), "kcalloc(%zu)", sizes[i]);
			memset(q, 0xff, ksize(q));
			kfree(p);
			p = kmalloc(sizes[i], GFP_KERNEL | __GFP_ZERO);
			cr_assert(p && all_bytes(p, sizes[i], 0), "__GFP_ZERO %zu", sizes[i]);
			memset(p, 0xff, ksize(p));
			kfree(p);
			kfree(q);
		}
	}
}

/* ---- krealloc ------------------------------------------------------------------------------------ */

Test(kmalloc, krealloc_edges)
{
	void *p = krealloc(NULL, 100, GFP_KERNEL);

	cr_assert(p && ksize(p) >= 100);
	cr_expect(krealloc(p, 0, GFP_KERNEL) == ZERO_SIZE_PTR, "size 0 frees");
	cr_expect(krealloc(NULL, 0, GFP_KERNEL) == ZERO_SIZE_PTR);
	p = krealloc(ZERO_SIZE_PTR, 50, GFP_KERNEL);
	cr_assert(p && p != ZERO_SIZE_PTR);
	cr_expect(krealloc(p, ksize(p), GFP_KERNEL) == p, "it fits where it is");
	kfree(p);
}

Test(kmalloc, krealloc_keeps_the_content)
{
	static const size_t sizes[] = { 1, 16, 100, 128, 129, 1000, 4096, 5000, 32768, 32769, 50000,
					200000, 1 << 20, 3 << 20, 9 << 20, 100, 40000, 1, 2 << 20,
					33000 };
	unsigned char *p = NULL, *q;
	size_t old = 0;

	for (unsigned int i = 0; i < ARRAY_SIZE(sizes); i++) {
		size_t both = min(old, sizes[i]);

		q = krealloc(p, sizes[i], GFP_KERNEL);
		cr_assert(q);
		for (size_t j = 0; j < both; j++)
			cr_assert(q[j] == (unsigned char)(j * 13 + i - 1), "%zu -> %zu at %zu", old,
				  sizes[i], j);
		for (size_t j = 0; j < sizes[i]; j++)
			q[j] = (unsigned char)(j * 13 + i);
		p = q;
		old = sizes[i];
	}
	kfree(p);
}

/* With __GFP_ZERO at every step, what is added reads as zero, inside one class, too. */
Test(kmalloc, krealloc_zeroes_what_is_added)
{
	u64 seed = 3;

	for (unsigned int n = 0; n < 300; n++) {
		size_t size = 1 + rnd(&seed) % 200;
		char *p;

		p = km(size);		/* dirty memory for whoever gets it next */
		memset(p, 0xff, ksize(p));
		kfree(p);
		p = kzalloc(size, GFP_KERNEL);
		memset(p, 0xaa, size);
		for (unsigned int step = 0; step < 6; step++) {
			size_t next = 1 + rnd(&seed) % (step == 4 ? 100000 : 400);

			p = krealloc(p, next, GFP_KERNEL | __GFP_ZERO);
			cr_assert(p);
			if (next > size)
				cr_assert(all_bytes(p + size, next - size, 0),
					  "%zu -> %zu", size, next);
			cr_assert(all_bytes(p, min(size, next), 0xaa));
			memset(p, 0xaa, next);
			size = next;
		}
		kfree(p);
	}
}

Test(kmalloc, krealloc_of_a_cache_object)
{
	struct kmem_cache *s = kmem_cache_create("re", 100, 0, SLAB_NO_MERGE, NULL);
	void *p = kmem_cache_alloc(s, GFP_KERNEL), *q;

	memset(p, 7, 100);
	q = krealloc(p, 5000, GFP_KERNEL);
	cr_assert(q && q != p && all_bytes(q, 100, 7));
	cr_expect(cache_live(s) == 0);
	kfree(q);
	kmem_cache_destroy(s);
}

/* ---- kfree of what others gave ------------------------------------------------------------------- */

Test(kmalloc, kfree_of_cache_objects)
{
	struct kmem_cache *s = kmem_cache_create("anycache", 72, 0, SLAB_NO_MERGE, NULL);
	void *p[500];

	for (unsigned int round = 0; round < 3; round++) {
		for (unsigned int i = 0; i < ARRAY_SIZE(p); i++)
			cr_assert(p[i] = kmem_cache_alloc(s, GFP_KERNEL));
		cr_expect(ksize(p[0]) >= 72 && ksize(p[0]) < 88);
		for (unsigned int i = 0; i < ARRAY_SIZE(p); i++)
			kfree(p[i]);
		cr_expect(cache_live(s) == 0);
	}
	sink_catch();
	kmem_cache_destroy(s);
	cr_expect(sink_len == 0, "%s", sink_text);
}

Test(kmalloc, mixed_with_malloc)
{
	void *p = km(100), *q = MyMalloc(100);

	cr_assert(p && q);
	MyFree(p);
	kfree(q);
	p = km(100000), q = MyMalloc(100000);
	cr_assert(p && q);
	MyFree(p);
	kfree(q);
}

Test(kmalloc, kfree_of_large_objects_of_a_cache)
{
	struct kmem_cache *s = kmem_cache_create("largeobj", 100000, 0, SLAB_NO_MERGE, NULL);
	void *p = kmem_cache_alloc(s, GFP_KERNEL);

	cr_assert(p);
	memset(p, 1, 100000);
	kfree(p);
	cr_expect(cache_live(s) == 0);
	kmem_cache_destroy(s);
}

/* ---- kfree_sensitive -------------------------------------------------------------------------------- */

Test(kmalloc, kfree_sensitive)
{
	char *p = km(200), *q = km(200);

	memset(p, 0x5e, ksize(p));
	memset(q, 0x5e, ksize(q));
	kfree_sensitive(p);
	/* The last one freed is the first to come back, with nothing written since. */
	p = km(200);
	cr_expect(all_bytes(p, 200, 0), "the secret is still there");
	kfree(p);
	kfree_sensitive(q);
}

/* ---- running out, and going on --------------------------------------------------------------------- */

Test(kmalloc, no_memory)
{
	static const size_t sizes[] = { 32768, 100000, 5000, 64, 16 };
	static void *hold[400000];
	unsigned long n = 0;

	printk_sink = sink_drop;
	kfree(km(1));
	fault_every_call(true);
	for (unsigned int i = 0; i < ARRAY_SIZE(sizes); i++) {
		while (n < ARRAY_SIZE(hold)) {
			hold[n] = kmalloc(sizes[i], GFP_KERNEL | __GFP_NOWARN);
			if (!hold[n])
				break;
			memset(hold[n], 1, sizes[i]);
			n++;
		}
	}
	cr_expect(n < ARRAY_SIZE(hold), "memory without memory");
	cr_expect(!kmalloc(64, GFP_KERNEL | __GFP_NOWARN));
	fault_every_call(false);
	for (unsigned int i = 0; i < KMALLOC_CLASSES; i++)
		cr_expect(validate_slab_cache(kmalloc_caches[i]) == 0);
	cr_expect(zones_validate() == 0);
	while (n)
		kfree(hold[--n]);
	hold[0] = km(1 << 20);
	cr_expect(hold[0]);
	kfree(hold[0]);
}

/* ---- classes that lend --------------------------------------------------------------- */

#define OWN	96UL
#define NEXT	112UL

static struct kmem_cache *class_of(size_t size)
{
	return kmalloc_caches[kmalloc_index(size)];
}

static void *lent_from[12000];

/* Of many objects of @size one in @keep stays in use, all full of ones; nothing in magazines. */
static void leave_free(size_t size, unsigned int keep)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(lent_from); i++) {
		lent_from[i] = km(size);
		cr_assert(lent_from[i]);
		memset(lent_from[i], 255, size);
	}
	for (unsigned int i = 0; i < ARRAY_SIZE(lent_from); i++)
		if (i % keep)
			kfree(lent_from[i]);
	kmem_cache_shrink(class_of(size));
	kmem_cache_shrink(class_of(OWN));
	cr_assert_eq(class_of(OWN)->node.nr_slabs, 0);
}

static bool borrowed(void *p)
{
	size_t size = MyUsableSize(p);

	cr_assert(size == OWN || size == NEXT, "%zu bytes", size);
	return size == NEXT;
}

/* What the next class has free is used before there are many slabs of one's own. */
Test(kmalloc, lends)
{
	static void *p[5000];
	unsigned long free_then, lent = 0;
	struct kmem_cache *s;

	leave_free(NEXT, 3);
	s = class_of(NEXT);
	free_then = s->node.nr_slabs * s->objects - s->node.nr_inuse;
	for (unsigned int i = 0; i < ARRAY_SIZE(p); i++) {
		p[i] = MyMalloc(OWN);
		cr_assert(p[i]);
		memset(p[i], (int)i, MyUsableSize(p[i]));
		lent += borrowed(p[i]);
	}
	cr_expect_gt(lent, ARRAY_SIZE(p) / 2);
	cr_expect_lt(lent, free_then);
	cr_expect_lt(class_of(OWN)->node.nr_slabs * class_of(OWN)->objects, ARRAY_SIZE(p) / 4);
	for (unsigned int i = 0; i < ARRAY_SIZE(p); i++) {
		cr_assert(*(unsigned char *)p[i] == (unsigned char)i);
		MyFree(p[i]);
	}
	kmem_cache_shrink(s);
	cr_expect_eq(s->node.nr_inuse, (ARRAY_SIZE(lent_from) + 2) / 3, "all went home");
	cr_expect_eq(validate_slab_cache(s), 0);
	cr_expect_eq(validate_slab_cache(class_of(OWN)), 0);
}

Test(kmalloc, lends_zeroed_where_asked)
{
	unsigned int lent = 0;

	leave_free(NEXT, 3);
	for (unsigned int i = 0; i < 1000; i++) {
		unsigned char *p = MyCalloc(1, OWN - 5);

		cr_assert(p);
		for (size_t k = 0; k < MyUsableSize(p); k++)
			cr_assert_eq(p[k], 0);
		lent += borrowed(p);
	}
	cr_expect_gt(lent, 0);
}

/* Who allocates and frees at the edge of what the class has gets objects of its own in the end. */
Test(kmalloc, lends_not_for_ever)
{
	unsigned long lent = 0, rounds;
	void *p;

	leave_free(NEXT, 3);
	rounds = 40UL * class_of(OWN)->objects;
	for (unsigned long i = 0; i < rounds; i++) {
		p = MyMalloc(OWN);
		lent += borrowed(p);
		MyFree(p);
	}
	cr_expect_gt(lent, 0);
	cr_expect_lt(lent, rounds / 2);
	p = MyMalloc(OWN);
	cr_expect_eq(borrowed(p), 0);
}

/* One that was lent stays where it is while its size does not change. */
Test(kmalloc, lent_objects_stay)
{
	void *p;

	leave_free(NEXT, 3);
	for (size_t size = 49; size <= 64; size++) {
		p = MyMalloc(size);
		cr_assert_eq(MyUsableSize(p), NEXT);
		cr_assert_eq(MyRealloc(p, size), p, "%zu of %zu bytes", size, MyUsableSize(p));
	}
}

/* From kmalloc() and its like a program expects the class. */
Test(kmalloc, lends_to_malloc_only)
{
	leave_free(NEXT, 3);
	for (unsigned int i = 0; i < 500; i++) {
		cr_assert_eq(ksize(km(OWN)), OWN);
		cr_assert_eq(ksize(kzalloc(OWN, GFP_KERNEL)), OWN);
		cr_assert_eq((unsigned long)MyAlignedAlloc(32, OWN) % 32, 0);
	}
}

Test(kmalloc, lends_only_what_is_plenty)
{
	leave_free(NEXT, 2);
	for (unsigned int i = 1; i < ARRAY_SIZE(lent_from); i += 2)
		if (i % 8 != 1)
			lent_from[i] = km(NEXT);	/* an eighth is free */
	for (unsigned int i = 0; i < 500; i++)
		cr_assert_eq(borrowed(MyMalloc(OWN)), 0);
}

/* Large objects share their pages with few others. */
Test(kmalloc, lends_small_objects_only)
{
	leave_free(1280, 3);
	for (unsigned int i = 0; i < 100; i++)
		cr_assert_eq(MyUsableSize(MyMalloc(1024)), 1280, "a page holds three of these");
	for (unsigned int i = 0; i < 100; i++)
		kfree(km(1500));
	leave_free(1792, 3);
	kmem_cache_shrink(class_of(1536));
	for (unsigned int i = 0; i < 100; i++)
		cr_assert_eq(MyUsableSize(MyMalloc(1500)), 1536);
}

Test(kmalloc, random_sizes)
{
	static struct { unsigned char *p; size_t size; } live[2000];
	u64 seed = 99;

	for (unsigned int n = 0; n < 200000; n++) {
		unsigned int i = (unsigned int)(rnd(&seed) % ARRAY_SIZE(live));
		unsigned int bits = (unsigned int)(rnd(&seed) % 15);

		if (live[i].p) {
			cr_assert(live[i].p[0] == (unsigned char)i &&
				  live[i].p[live[i].size - 1] == (unsigned char)i);
			kfree(live[i].p);
			live[i].p = NULL;
			continue;
		}
		live[i].size = 1 + rnd(&seed) % (2UL << (n % 100 ? bits : 18));
		live[i].p = km(live[i].size);
		cr_assert(live[i].p);
		live[i].p[live[i].size - 1] = live[i].p[0] = (unsigned char)i;
	}
	for (unsigned int i = 0; i < ARRAY_SIZE(live); i++)
		kfree(live[i].p);
	for (unsigned int i = 0; i < KMALLOC_CLASSES; i++)
		cr_expect(validate_slab_cache(kmalloc_caches[i]) == 0);
	cr_expect(zones_validate() == 0);
}
