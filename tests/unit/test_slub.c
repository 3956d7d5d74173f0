// SPDX-License-Identifier: MIT
/*
 * Slabs, their bitmaps and what lies in them: slub.c.
 */
#include "slab_test.h"

#include <stdio.h>
#include <unistd.h>

TestSuite(slub, .timeout = 120);

/* ---- constructors -------------------------------------------------------------------- */

#define BUILT	0x600dc0deUL

static unsigned long ctor_runs;

static void ctor(void *p)
{
	ctor_runs++;
	*(unsigned long *)p = BUILT;
}

Test(slub, constructor_once_per_object)
{
	struct kmem_cache *s = kmem_cache_create("built", 120, 0, 0, ctor);
	unsigned long runs;
	void *p[1000];

	for (unsigned int round = 0; round < 5; round++) {
		for (unsigned int i = 0; i < ARRAY_SIZE(p); i++) {
			p[i] = kmem_cache_alloc(s, GFP_KERNEL);
			cr_assert(p[i] && *(unsigned long *)p[i] == BUILT);
			memset((char *)p[i] + 8, 0xee, 112);
		}
		for (unsigned int i = 0; i < ARRAY_SIZE(p); i++)
			kmem_cache_free(s, p[i]);
		if (!round)
			runs = ctor_runs;
	}
	cr_expect(runs >= ARRAY_SIZE(p));
	cr_expect(ctor_runs == s->objects * s->node.alloc_slab, "%lu runs, %lu slabs of %u",
		  ctor_runs, s->node.alloc_slab, s->objects);
	cr_expect(validate_slab_cache(s) == 0);
	kmem_cache_destroy(s);
}

Test(slub, constructed_objects_survive_magazines_and_slabs)
{
	struct kmem_cache *s = kmem_cache_create("built2", 64, 0, 0, ctor);
	void *p[600];
	u64 seed = 5;

	for (unsigned int i = 0; i < ARRAY_SIZE(p); i++)
		p[i] = kmem_cache_alloc(s, GFP_KERNEL);
	for (unsigned int n = 0; n < 20000; n++) {
		unsigned int i = (unsigned int)(rnd(&seed) % ARRAY_SIZE(p));

		if (p[i]) {
			cr_assert(*(unsigned long *)p[i] == BUILT);
			kmem_cache_free(s, p[i]);
			p[i] = NULL;
		} else {
			cr_assert(p[i] = kmem_cache_alloc(s, GFP_KERNEL));
		}
		if (n % 5000 == 0)
			kmem_cache_shrink(s);
	}
	for (unsigned int i = 0; i < ARRAY_SIZE(p); i++)
		kmem_cache_free(s, p[i]);
	kmem_cache_destroy(s);
}

Test(slub, zeroing_a_constructed_object_warns_once)
{
	struct kmem_cache *s = kmem_cache_create("built3", 64, 0, 0, ctor);
	void *a, *b;
	size_t said;

	sink_catch();
	a = kmem_cache_alloc(s, GFP_KERNEL | __GFP_ZERO);
	cr_assert(a);
	said = sink_len;
	cr_expect(said > 0, "no warning");
	b = kmem_cache_alloc(s, GFP_KERNEL | __GFP_ZERO);
	cr_assert(b);
	cr_expect(sink_len == said, "warned twice");
	kmem_cache_free(s, a);
	kmem_cache_free(s, b);
	kmem_cache_destroy(s);
}

Test(slub, zalloc_is_zero)
{
	struct kmem_cache *s = kmem_cache_create("zeroed", 333, 0, SLAB_NO_MERGE, NULL);

	for (unsigned int i = 0; i < 500; i++) {
		void *p = kmem_cache_zalloc(s, GFP_KERNEL);

		cr_assert(p && all_bytes(p, 333, 0));
		memset(p, 0xff, 333);
		kmem_cache_free(s, p);
	}
	kmem_cache_destroy(s);
}

/* ---- alignment ------------------------------------------------------------------------- */

Test(slub, alignment)
{
	static const unsigned int sizes[] = { 1, 8, 24, 64, 100, 520, 4096, 5000 };

	for (unsigned int align = 1; align <= 4096; align *= 2) {
		for (unsigned int i = 0; i < ARRAY_SIZE(sizes); i++) {
			struct kmem_cache *s = kmem_cache_create("aligned", sizes[i], align,
								 SLAB_NO_MERGE, NULL);
			void *p[30];

			cr_assert(s, "size %u align %u", sizes[i], align);
			for (unsigned int j = 0; j < ARRAY_SIZE(p); j++) {
				p[j] = kmem_cache_alloc(s, GFP_KERNEL);
				cr_assert(p[j]);
				cr_expect((unsigned long)p[j] % max(align, 8U) == 0,
					  "size %u align %u: %p", sizes[i], align, p[j]);
			}
			for (unsigned int j = 0; j < ARRAY_SIZE(p); j++)
				kmem_cache_free(s, p[j]);
			kmem_cache_destroy(s);
		}
	}
}

Test(slub, hwcache_align)
{
	static const unsigned int want[][2] = {
		{ 8, 8 }, { 16, 16 }, { 17, 32 }, { 32, 32 }, { 33, 64 }, { 64, 64 },
		{ 65, 64 }, { 100, 64 }, { 128, 64 }, { 4000, 64 },
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(want); i++) {
		struct kmem_cache *s = kmem_cache_create("hw", want[i][0], 0,
					SLAB_HWCACHE_ALIGN | SLAB_NO_MERGE, NULL);
		void *p[50];

		cr_expect(s->align == want[i][1], "size %u: align %u", want[i][0], s->align);
		for (unsigned int j = 0; j < ARRAY_SIZE(p); j++) {
			p[j] = kmem_cache_alloc(s, GFP_KERNEL);
			cr_expect((unsigned long)p[j] % want[i][1] == 0);
		}
		for (unsigned int j = 0; j < ARRAY_SIZE(p); j++)
			kmem_cache_free(s, p[j]);
		kmem_cache_destroy(s);
	}
}

/* ---- every stride ------------------------------------------------------------------------ */

/* The division by multiplication is exact at each object's first and last byte. */
static void check_arithmetic(struct kmem_cache *s, unsigned int size)
{
	cr_assert(s->size >= size && s->size >= s->object_size);
	cr_assert(s->objects >= 1);
	cr_assert((unsigned long)s->objects * s->size <= PAGE_SIZE << s->order,
		  "size %u: %u objects of %u in order %u", size, s->objects, s->size, s->order);
	cr_assert(s->objects <= 256U << s->order, "size %u: bitmap too small", size);
	for (unsigned int i = 0; i < s->objects; i++) {
		unsigned long first = (unsigned long)i * s->size;

		cr_assert(slab_index(s, first) == i, "size %u object %u", size, i);
		cr_assert(slab_index(s, first + s->size - 1) == i, "size %u object %u", size, i);
	}
}

static void check_objects(struct kmem_cache *s, unsigned int size)
{
	unsigned int n = min(s->objects + 1, 5U);
	char *p[5];

	for (unsigned int i = 0; i < n; i++) {
		p[i] = kmem_cache_alloc(s, GFP_KERNEL);
		cr_assert(p[i], "size %u", size);
		slab_offset(s, p[i]);
		cr_assert((unsigned long)p[i] % 8 == 0);
		p[i][0] = (char)i;
		p[i][size - 1] = (char)i;
	}
	for (unsigned int i = 0; i < n; i++) {
		cr_assert(p[i][size - 1] == (char)i, "size %u: objects overlap", size);
		for (unsigned int j = 0; j < i; j++)
			cr_assert((p[i] > p[j] ? p[i] - p[j] : p[j] - p[i]) >= (long)size,
				  "size %u: objects overlap", size);
	}
	for (unsigned int i = 0; i < n; i++)
		kmem_cache_free(s, p[i]);
}

static void strides(unsigned int from, unsigned int to)
{
	for (unsigned int size = from; size <= to; size++) {
		struct kmem_cache *s = kmem_cache_create("stride", size, 0, SLAB_NO_MERGE, NULL);

		cr_assert(s, "size %u", size);
		check_arithmetic(s, size);
		check_objects(s, size);
		kmem_cache_destroy(s);
	}
}

Test(slub, strides_1_to_10000)
{
	strides(1, 10000);
}

Test(slub, strides_10001_to_25000)
{
	strides(10001, 25000);
}

Test(slub, strides_25001_to_40000)
{
	strides(25001, 40000);
}

Test(slub, whole_slabs_do_not_overlap)
{
	static const unsigned int sizes[] = { 8, 16, 24, 40, 88, 136, 200, 272, 520, 776, 1032,
					      1560, 2056, 3080, 4104, 9000, 33000, 100000 };

	for (unsigned int i = 0; i < ARRAY_SIZE(sizes); i++) {
		struct kmem_cache *s = kmem_cache_create("whole", sizes[i], 0, SLAB_NO_MERGE, NULL);
		unsigned int n = s->objects * 2 + 1;
		void **p = kmalloc_array(n, sizeof(*p), GFP_KERNEL);

		cr_assert(p);
		for (unsigned int j = 0; j < n; j++) {
			cr_assert(p[j] = kmem_cache_alloc(s, GFP_KERNEL));
			fill(p[j], sizes[i], (unsigned char)j);
		}
		for (unsigned int j = 0; j < n; j++) {
			slab_offset(s, p[j]);
			cr_assert(filled(p[j], sizes[i], (unsigned char)j),
				  "size %u object %u", sizes[i], j);
		}
		cr_expect(cache_live(s) == n, "%ld live, not %u", cache_live(s), n);
		cr_expect(validate_slab_cache(s) == 0);
		for (unsigned int j = 0; j < n; j++)
			kmem_cache_free(s, p[j]);
		cr_expect(cache_live(s) == 0);
		kmem_cache_destroy(s);
		kfree(p);
	}
}

/* Metadata and waste stay small: no slab of ours wastes a fifth of itself up to 32 KiB. */
Test(slub, slab_waste)
{
	for (unsigned int size = 8; size <= 32768; size += 8) {
		struct kmem_cache s = { .object_size = size, .align = 8 };
		unsigned long bytes;

		cr_assert(calculate_sizes(&s), "size %u", size);
		bytes = PAGE_SIZE << s.order;
		cr_expect((bytes - (unsigned long)s.objects * s.size) * 5 <= bytes,
			  "size %u: %u objects in order %u", size, s.objects, s.order);
	}
}

/* ---- a cache against a model ---------------------------------------------------------------- */

#define MODEL_MAX	3000

struct model {
	struct kmem_cache *s;
	unsigned int size;
	unsigned int n;
	void *p[MODEL_MAX];
	unsigned char seed[MODEL_MAX];
};

static void model_add(struct model *m, void *p, u64 r)
{
	cr_assert(p);
	slab_offset(m->s, p);
	m->seed[m->n] = (unsigned char)r;
	fill(p, m->size, m->seed[m->n]);
	m->p[m->n++] = p;
}

static void *model_take(struct model *m, u64 r)
{
	unsigned int i = (unsigned int)(r % m->n);
	void *p = m->p[i];

	cr_assert(filled(p, m->size, m->seed[i]), "an object was overwritten");
	m->n--;
	m->p[i] = m->p[m->n];
	m->seed[i] = m->seed[m->n];
	return p;
}

static void model_bulk(struct model *m, u64 r)
{
	unsigned int n = 1 + (unsigned int)(r >> 8) % 200;
	void *p[200];

	if (r & 128 && m->n + n <= MODEL_MAX) {
		int got = kmem_cache_alloc_bulk(m->s, GFP_KERNEL, n, p);

		cr_assert(got == (int)n);
		for (unsigned int i = 0; i < n; i++)
			model_add(m, p[i], r >> 16);
	} else {
		unsigned int k = 0;

		for (; k < n && m->n; k++)
			p[k] = model_take(m, r >> (k & 31));
		kmem_cache_free_bulk(r & 64 ? m->s : NULL, k, p);
	}
}

static void model_step(struct model *m, u64 r)
{
	unsigned int op = (unsigned int)(r % 1000);

	r >>= 10;
	if (op < 480 && m->n < MODEL_MAX)
		model_add(m, kmem_cache_alloc(m->s, GFP_KERNEL), r);
	else if (op < 940 && m->n)
		kmem_cache_free(m->s, model_take(m, r));
	else if (op < 970 && m->n)
		kfree(model_take(m, r));
	else if (op < 997)
		model_bulk(m, r);
	else if (op == 997)
		kmem_cache_shrink(m->s);
	else
		cr_assert(validate_slab_cache(m->s) == 0);
	if (op >= 990)
		cr_assert(cache_live(m->s) == m->n, "%ld live, the model has %u",
			  cache_live(m->s), m->n);
}

static void model_run(unsigned int size, slab_flags_t flags, u64 seed)
{
	static struct model m;

	memset(&m, 0, sizeof(m));
	m.size = size;
	m.s = kmem_cache_create("model", size, 0, flags | SLAB_NO_MERGE, NULL);
	cr_assert(m.s);
	for (unsigned int i = 0; i < 30000; i++)
		model_step(&m, rnd(&seed));
	while (m.n)
		kmem_cache_free(m.s, model_take(&m, 0));
	cr_expect(kmem_cache_shrink(m.s) == 0);
	cr_expect(m.s->node.nr_inuse == 0 && m.s->node.nr_slabs == 0);
	kmem_cache_destroy(m.s);
	cr_expect(zones_validate() == 0);
}

Test(slub, model_small)
{
	model_run(16, 0, 11);
	model_run(48, 0, 12);
}

Test(slub, model_medium)
{
	model_run(200, SLAB_HWCACHE_ALIGN, 13);
	model_run(1000, SLAB_RECLAIM_ACCOUNT, 14);
}

Test(slub, model_large)
{
	model_run(5000, 0, 15);
}

Test(slub, model_with_checks)
{
	model_run(96, SLAB_CONSISTENCY_CHECKS, 16);
}

/* The objects that a few caches hand out first lie at different places in their pages. */
Test(slub, first_objects_differ_in_their_low_bits)
{
	unsigned long at[12], end[12];

	for (unsigned int i = 0; i < 12; i++) {
		struct kmem_cache *s;
		char name[16];

		snprintf(name, sizeof(name), "colour%u", i);
		s = kmem_cache_create(name, 16 * (i + 1), 0, SLAB_NO_MERGE, NULL);
		at[i] = (unsigned long)kmem_cache_alloc(s, GFP_KERNEL) % PAGE_SIZE;
		end[i] = at[i] + s->size;
		cr_expect(end[i] > 1024, "%lu", at[i]);
		for (unsigned int j = 0; j < i; j++)
			cr_expect(at[i] >= end[j] || at[j] >= end[i], "%u and %u", i, j);
	}
}

/*
 * What a program allocates in a row lies in a row, beyond its first few slabs: processors
 * fetch ahead of who goes over it in that order.
 */
Test(slub, many_objects_lie_in_a_row)
{
	static void *p[4096];
	struct kmem_cache *s = kmem_cache_create("row", 200, 0, SLAB_NO_MERGE, NULL);
	unsigned int back = 0, n = 24 * s->objects;

	cr_assert(n <= ARRAY_SIZE(p));
	for (unsigned int i = 0; i < n; i++) {
		cr_assert(p[i] = kmem_cache_alloc(s, GFP_KERNEL));
		if (i > 8 * s->objects && virt_to_head_page(p[i]) == virt_to_head_page(p[i - 1]))
			back += p[i] < p[i - 1];
	}
	cr_expect(back == 0, "%u times backwards within a slab", back);
	for (unsigned int i = 0; i < n; i++)
		kmem_cache_free(s, p[i]);
	kmem_cache_destroy(s);
}

static bool may_end;

static void *wait_for_end(void *arg)
{
	while (!READ_ONCE(may_end))
		usleep(1000);
	return arg;
}

/* Of each second line of 64 bytes one object stays in use: these lines come last. */
static void whole_lines_first(unsigned int size)
{
	unsigned int per_line = 64 / size, nr = 16 * per_line, stay = 0, free = 0;
	struct kmem_cache *s = kmem_cache_create(size == 16 ? "lines16" : "lines32", size, 0,
						 SLAB_NO_MERGE, NULL);
	const struct magazine_backend *b = s->mag.backend;
	void *p[64], *in_use[8], *again[64];

	cr_assert(b->refill(&s->mag, p, nr, GFP_KERNEL) == nr);
	cr_assert((unsigned long)p[nr - 1] % 64 == 0, "the lowest one is the first");
	for (unsigned int i = 0; i < nr; i++)
		if ((unsigned long)p[i] % 128 == (unsigned long)p[nr - 1] % 128)
			in_use[stay++] = p[i];
		else
			p[free++] = p[i];
	cr_assert(stay == 8);
	b->flush(&s->mag, p, free);
	cr_assert(b->refill(&s->mag, again, nr, GFP_KERNEL) == nr);
	/* The last round is handed out first. */
	for (unsigned int i = nr - 8 * per_line; i < nr; i++)
		for (unsigned int j = 0; j < stay; j++)
			cr_expect((unsigned long)again[i] / 64 != (unsigned long)in_use[j] / 64,
				  "%u of size %u", i, size);
	b->flush(&s->mag, again, nr);
	b->flush(&s->mag, in_use, stay);
	kmem_cache_destroy(s);
}

/* What is handed out one after the other lies in different lines, and all of a line soon. */
Test(slub, neighbours_are_dealt_out)
{
	static const unsigned int sizes[] = { 16, 32 };

	for (int k = 0; k < 2; k++) {
		unsigned int per_line = 64 / sizes[k], nr = 4 * per_line;
		struct kmem_cache *s = __kmem_cache_create("dealt", sizes[k], 0, SLAB_NO_MERGE, NULL);
		const struct magazine_backend *b = s->mag.backend;
		unsigned long lines = 0;
		void *p[64];

		cr_assert_eq(b->refill(&s->mag, p, 2 * nr, GFP_KERNEL), 2 * nr);
		for (unsigned int i = 0; i < 2 * nr; i++)
			for (unsigned int j = i + 1; j < min(i + 4, 2 * nr); j++)
				cr_expect_neq((unsigned long)p[i] / 64, (unsigned long)p[j] / 64,
					      "%u and %u of size %u", i, j, sizes[k]);
		/* The first ones are of four lines. */
		for (unsigned int i = nr; i < 2 * nr; i++)
			lines |= 1UL << (unsigned long)p[i] / 64 % 64;
		cr_expect_eq(hweight_long(lines), 4, "%lx of size %u", lines, sizes[k]);
		b->flush(&s->mag, p, 2 * nr);
		/* A small magazine takes a part of four lines. */
		cr_assert_eq(b->refill(&s->mag, p, 11, GFP_KERNEL), 11);
		for (unsigned int i = 0; i < 10; i++)
			cr_expect_neq((unsigned long)p[i] / 64, (unsigned long)p[i + 1] / 64,
				      "%u of size %u", i, sizes[k]);
		b->flush(&s->mag, p, 11);
		kmem_cache_destroy(s);
	}
}

/* Two CPUs are not to write to one line because each has a part of it. */
Test(slub, lines_in_use_come_last)
{
	pthread_t t;

	cr_assert_eq(pthread_create(&t, NULL, wait_for_end, NULL), 0);
	whole_lines_first(16);
	whole_lines_first(32);
	WRITE_ONCE(may_end, true);
	pthread_join(t, NULL);
}

/* ---- bulk, and failing host calls -------------------------------------------------------------- */

Test(slub, bulk)
{
	struct kmem_cache *s = kmem_cache_create("bulk", 72, 0, SLAB_NO_MERGE, NULL);
	static void *p[5000];

	cr_expect(kmem_cache_alloc_bulk(s, GFP_KERNEL, 0, p) == 0);
	cr_assert(kmem_cache_alloc_bulk(s, GFP_KERNEL, 5000, p) == 5000);
	for (unsigned int i = 0; i < 5000; i++)
		fill(p[i], 72, 3);
	for (unsigned int i = 0; i < 5000; i++)
		cr_assert(p[i] && filled(p[i], 72, 3));
	kmem_cache_free_bulk(s, 2500, p);
	p[3000] = NULL;		/* passed over */
	cr_expect(cache_live(s) == 2500);
	kmem_cache_free_bulk(NULL, 2500, p + 2500);
	cr_expect(cache_live(s) == 1);
	cr_assert(kmem_cache_alloc_bulk(s, GFP_KERNEL | __GFP_ZERO, 300, p) == 300);
	for (unsigned int i = 0; i < 300; i++)
		cr_assert(all_bytes(p[i], 72, 0));
	kmem_cache_free_bulk(s, 300, p);
	cr_expect(validate_slab_cache(s) == 0);
	sink_catch();
	kmem_cache_destroy(s);
	cr_expect(sink_has("still has objects"), "the object passed over is live");
}

/* Objects of several caches and of kmalloc in one kfree_bulk(). */
Test(slub, bulk_of_several_caches)
{
	struct kmem_cache *a = kmem_cache_create("bulk-a", 40, 0, SLAB_NO_MERGE, NULL);
	struct kmem_cache *b = kmem_cache_create("bulk-b", 400, 0, SLAB_NO_MERGE, NULL);
	void *p[400];

	for (unsigned int i = 0; i < ARRAY_SIZE(p); i++) {
		if (i % 4 == 0)
			p[i] = kmem_cache_alloc(a, GFP_KERNEL);
		else if (i % 4 == 1)
			p[i] = kmem_cache_alloc(b, GFP_KERNEL);
		else
			p[i] = kmalloc(i % 4 == 2 ? i : i * 400, GFP_KERNEL);
		cr_assert(p[i]);
	}
	kfree_bulk(ARRAY_SIZE(p), p);
	cr_expect(cache_live(a) == 0 && cache_live(b) == 0);
	sink_catch();
	kmem_cache_destroy(a);
	kmem_cache_destroy(b);
	cr_expect(sink_len == 0, "%s", sink_text);
}

/* Without memory a bulk request gives nothing and keeps nothing. */
Test(slub, bulk_all_or_nothing)
{
	struct kmem_cache *s = kmem_cache_create("starving", 30000, 0, SLAB_NO_MERGE, NULL);
	static void *hold[200000];
	void *p[64];
	unsigned long n = 0, failures = 0;

	printk_sink = sink_drop;
	fault_every_call(true);
	while (n < ARRAY_SIZE(hold) - 64) {
		long before = cache_live(s);
		int got = kmem_cache_alloc_bulk(s, GFP_KERNEL | __GFP_NOWARN, 64, p);

		cr_assert(got == 64 || got == 0, "%d of 64", got);
		if (got) {
			memcpy(hold + n, p, sizeof(p));
			n += 64;
			continue;
		}
		cr_assert(cache_live(s) == before, "%ld were lost", cache_live(s) - before);
		if (++failures == 5)
			break;
	}
	cr_expect(failures == 5, "memory without memory");
	while (kmem_cache_alloc(s, GFP_KERNEL | __GFP_NOWARN))
		n++;
	fault_every_call(false);
	cr_expect(validate_slab_cache(s) == 0);
	cr_expect(cache_live(s) == (long)n);
	cr_expect(kmem_cache_alloc_bulk(s, GFP_KERNEL, 64, p) == 64);
	cr_expect(zones_validate() == 0);
}

static bool fault_scenario(void)
{
	struct kmem_cache *s = kmem_cache_create("fault", 700, 0, SLAB_NO_MERGE, NULL);
	static void *p[3000];
	unsigned int n = 0;
	void *big;

	if (!s)
		return false;
	while (n < ARRAY_SIZE(p)) {
		p[n] = kmem_cache_alloc(s, GFP_KERNEL | __GFP_NOWARN);
		if (p[n])
			n++;
		else if (fault_hits)
			break;
	}
	big = kmalloc(9 << 20, GFP_KERNEL | __GFP_NOWARN);
	kfree(big);
	cr_assert(validate_slab_cache(s) == 0);
	cr_assert(cache_live(s) == n, "%ld live, not %u", cache_live(s), n);
	while (n)
		kmem_cache_free(s, p[--n]);
	kmem_cache_destroy(s);
	return big != NULL;
}

/* Each host call in turn fails once: no crash, nothing lost. */
Test(slub, each_host_call_fails_in_turn)
{
	unsigned int hits = 0;

	printk_sink = sink_drop;
	for (long n = 1; n < 40; n++) {
		fault_nth_call(n);
		fault_scenario();
		hits += fault_hits > 0;
		fault_nth_call(0);
		cr_assert(fault_scenario(), "after call %ld had failed", n);
		page_alloc_drain();
		zones_purge(0, ~0UL);
		cr_assert(zones_validate() == 0);
	}
	cr_expect(hits > 0, "no host call was made");
}

/* ---- threads: objects freed where they were not taken ------------------------------------------- */

#define THREADS		8
#define RING		512

static struct kmem_cache *shared;
static void *ring[THREADS][RING];
static unsigned long damaged;

static void *exchange(void *arg)
{
	unsigned long me = (unsigned long)arg;
	u64 seed = me + 1;

	for (unsigned int i = 0; i < 60000; i++) {
		u64 r = rnd(&seed);
		void *p = kmem_cache_alloc(shared, GFP_KERNEL);
		void *old;

		if (!p) {
			stat_inc(damaged);
			continue;
		}
		fill(p, 96, 77);
		old = __atomic_exchange_n(&ring[r % THREADS][(r >> 8) % RING], p,
					  __ATOMIC_ACQ_REL);
		if (!old)
			continue;
		if (!filled(old, 96, 77))
			stat_inc(damaged);
		memset(old, 0, 96);
		kmem_cache_free(shared, old);
	}
	return NULL;
}

Test(slub, eight_threads)
{
	pthread_t t[THREADS];
	unsigned int n = 0;

	shared = kmem_cache_create("shared", 96, 0, SLAB_NO_MERGE, NULL);
	for (unsigned long i = 0; i < THREADS; i++)
		cr_assert(pthread_create(&t[i], NULL, exchange, (void *)i) == 0);
	for (unsigned int i = 0; i < 10; i++) {
		cr_expect(validate_slab_cache(shared) == 0);
		kmem_cache_shrink(shared);
	}
	for (unsigned int i = 0; i < THREADS; i++)
		pthread_join(t[i], NULL);
	cr_expect(damaged == 0, "%lu objects were shared", damaged);
	for (unsigned int i = 0; i < THREADS * RING; i++)
		n += ring[i / RING][i % RING] != NULL;
	cr_expect(cache_live(shared) == n, "%ld live, not %u", cache_live(shared), n);
	for (unsigned int i = 0; i < THREADS * RING; i++)
		kmem_cache_free(shared, ring[i / RING][i % RING]);
	cr_expect(kmem_cache_shrink(shared) == 0);
	sink_catch();
	kmem_cache_destroy(shared);
	cr_expect(sink_len == 0, "%s", sink_text);
}
