// SPDX-License-Identifier: MIT
/*
 * MyMalloc and its family give malloc's answers: malloc.c.
 */
#include "slab_test.h"

#include <errno.h>
#include <stdint.h>

#include <kmem/malloc.h>

TestSuite(malloc, .timeout = 120);

static void *mm(volatile size_t size)
{
	return MyMalloc(size);
}

/* ---- malloc ----------------------------------------------------------------------------- */

Test(malloc, alignment_and_room)
{
	for (size_t size = 0; size <= 40000; size += size < 4200 ? 1 : 97) {
		char *p = mm(size);
		size_t have;

		cr_assert(p, "size %zu", size);
		cr_assert((unsigned long)p % 16 == 0, "MyMalloc(%zu) = %p", size, (void *)p);
		have = MyUsableSize(p);
		cr_assert(have >= size);
		memset(p, 0x11, have);
		MyFree(p);
	}
}

/* Above the first table, too: the second of each size is a hit. */
Test(malloc, a_hit_is_of_the_class_of_its_size)
{
	for (size_t size = KMALLOC_TABLE_MAX + 1; size <= KMALLOC_MAX_CACHE_SIZE; size++) {
		for (unsigned int i = 0; i < 2; i++) {
			void *p = mm(size);

			cr_assert(p);
			cr_assert_eq(MyUsableSize(p), kmalloc_class_size(malloc_index(size)),
				     "%zu: %zu", size, MyUsableSize(p));
			MyFree(p);
		}
	}
}

Test(malloc, usable_size_is_the_programs)
{
	static const size_t sizes[] = { 0, 1, 15, 16, 17, 100, 1000, 4095, 4097, 30000, 32769, 70001,
					1 << 20, (4 << 20) + 5 };
	char *p[ARRAY_SIZE(sizes)][8];

	for (unsigned int i = 0; i < ARRAY_SIZE(sizes); i++) {
		for (unsigned int j = 0; j < 8; j++) {
			cr_assert(p[i][j] = mm(sizes[i]));
			fill(p[i][j], MyUsableSize(p[i][j]), (unsigned char)(i * 8 + j));
		}
	}
	for (unsigned int i = 0; i < ARRAY_SIZE(sizes); i++) {
		for (unsigned int j = 0; j < 8; j++) {
			cr_expect(filled(p[i][j], MyUsableSize(p[i][j]),
					 (unsigned char)(i * 8 + j)), "size %zu", sizes[i]);
			MyFree(p[i][j]);
		}
	}
	cr_expect(MyUsableSize(NULL) == 0);
}

Test(malloc, size_zero_is_unique)
{
	void *p[100];

	for (unsigned int i = 0; i < ARRAY_SIZE(p); i++) {
		p[i] = i % 2 ? mm(0) : MyCalloc(i % 4, 0);
		cr_assert(p[i]);
		for (unsigned int j = 0; j < i; j++)
			cr_assert(p[i] != p[j]);
	}
	for (unsigned int i = 0; i < ARRAY_SIZE(p); i++)
		MyFree(p[i]);
}

Test(malloc, too_much_is_enomem)
{
	static const size_t huge[] = { SIZE_MAX, SIZE_MAX - 15, SIZE_MAX - 4096, SIZE_MAX / 2 + 1,
				       PTRDIFF_MAX, (size_t)1 << 60, (size_t)1 << 48 };
	volatile size_t size;
	void *keep = mm(10);

	printk_sink = sink_drop;
	memset(keep, 9, 10);
	for (unsigned int i = 0; i < ARRAY_SIZE(huge); i++) {
		size = huge[i];
		errno = 0;
		cr_expect(!mm(size) && errno == ENOMEM, "MyMalloc(%zx): errno %d", size, errno);
		errno = 0;
		cr_expect(!MyCalloc(1, size) && errno == ENOMEM, "MyCalloc(1, %zx)", size);
		errno = 0;
		cr_expect(!MyCalloc(size, 1) && errno == ENOMEM);
		errno = 0;
		cr_expect(!MyRealloc(NULL, size) && errno == ENOMEM, "MyRealloc(NULL, %zx)", size);
		errno = 0;
		cr_expect(!MyRealloc(keep, size) && errno == ENOMEM, "MyRealloc(p, %zx)", size);
		errno = 0;
		cr_expect(!MyAlignedAlloc(64, size) && errno == ENOMEM, "MyAlignedAlloc(64, %zx)",
			  size);
		errno = 0;
		cr_expect(!MyAlignedAlloc(1 << 20, size) && errno == ENOMEM);
	}
	cr_expect(all_bytes(keep, 10, 9), "what could not be resized is as it was");
	MyFree(keep);
}

Test(malloc, large)
{
	for (size_t size = 100000; size <= (size_t)512 << 20; size = size * 3 / 2 + 1) {
		char *p = mm(size);

		cr_assert(p, "size %zu", size);
		cr_expect((unsigned long)p % 16 == 0);
		p[0] = p[size / 2] = p[size - 1] = 1;
		MyFree(p);
	}
}

/* ---- calloc ------------------------------------------------------------------------------- */

Test(malloc, calloc_is_zero)
{
	static const size_t sizes[] = { 1, 7, 16, 100, 500, 1024, 1025, 5000, 32768, 40000, 300000,
					3 << 20, 10 << 20 };

	for (unsigned int round = 0; round < 4; round++) {
		for (unsigned int i = 0; i < ARRAY_SIZE(sizes); i++) {
			char *p = MyCalloc(1, sizes[i]), *q = MyCalloc(sizes[i], 1);

			cr_assert(p && q);
			cr_assert(all_bytes(p, MyUsableSize(p), 0) || all_bytes(p, sizes[i], 0));
			cr_assert(all_bytes(q, sizes[i], 0));
			memset(p, 0xff, MyUsableSize(p));
			memset(q, 0xff, MyUsableSize(q));
			MyFree(p);
			MyFree(q);
		}
	}
}

Test(malloc, calloc_overflow)
{
	static const size_t bad[][2] = {
		{ SIZE_MAX, 2 }, { 2, SIZE_MAX }, { (size_t)1 << 32, (size_t)1 << 32 },
		{ SIZE_MAX / 2 + 1, 2 }, { SIZE_MAX / 16 + 1, 16 }, { SIZE_MAX, SIZE_MAX },
	};

	printk_sink = sink_drop;
	for (unsigned int i = 0; i < ARRAY_SIZE(bad); i++) {
		volatile size_t n = bad[i][0], size = bad[i][1];

		errno = 0;
		cr_expect(!MyCalloc(n, size), "%zx * %zx", n, size);
		cr_expect(errno == ENOMEM);
	}
}

/* ---- realloc ------------------------------------------------------------------------------ */

Test(malloc, realloc_edges)
{
	void *p = MyRealloc(NULL, 100);

	cr_assert(p && MyUsableSize(p) >= 100);
	errno = 5;
	cr_expect(MyRealloc(p, 0) == NULL, "size 0 frees");
	cr_expect(errno == 5, "that is no error");
	p = MyRealloc(NULL, 0);
	cr_expect(p != NULL, "realloc(NULL, 0) is malloc(0)");
	MyFree(p);
}

Test(malloc, realloc_keeps_the_content)
{
	unsigned char *p = mm(1);
	size_t size = 1;
	u64 seed = 12;

	p[0] = 0;
	for (unsigned int n = 0; n < 3000; n++) {
		size_t next = 1 + rnd(&seed) % (n % 50 ? n % 9 ? 300 : 9000 : 3000000);
		unsigned char *q = MyRealloc(p, next);

		cr_assert(q);
		cr_assert((unsigned long)q % 16 == 0);
		for (size_t j = 0; j < min(size, next); j++)
			cr_assert(q[j] == (unsigned char)(j * 31), "%zu -> %zu at %zu", size, next,
				  j);
		for (size_t j = min(size, next); j < next; j++)
			q[j] = (unsigned char)(j * 31);
		p = q;
		size = next;
	}
	MyFree(p);
}

/* Within its class, and at the end of a heap that grows, an object stays where it is. */
Test(malloc, realloc_in_place)
{
	char *p = mm(1000), *q;

	cr_expect(MyRealloc(p, MyUsableSize(p)) == p);
	cr_expect(MyRealloc(p, MyUsableSize(p) - 1) == p);
	MyFree(p);
	p = mm(300000);
	q = MyRealloc(p, 200000);
	cr_expect(q == p, "shrinking a large object never moves it");
	MyFree(q);
}

/* Shrinking gives memory back: 1 KiB of a 40 MiB object does not hold 40 MiB. */
Test(malloc, realloc_shrinks)
{
	char *p = mm(40 << 20), *q;
	unsigned long used;

	memset(p, 1, 40 << 20);
	used = zones[0]->nr_present - zones[0]->nr_free;
	q = MyRealloc(p, 1000);
	cr_assert(q && all_bytes(q, 1000, 1));
	cr_expect(used - (zones[0]->nr_present - zones[0]->nr_free) > (39UL << 20) / PAGE_SIZE ||
		  nr_zones > 1);
	MyFree(q);
}

/* A vector that grows by doubling and by small steps. */
Test(malloc, realloc_grows_large)
{
	unsigned int *v = NULL;
	size_t n = 0;

	for (size_t bytes = 4096; bytes <= 48 << 20; bytes += bytes / 4 + 4096) {
		v = MyRealloc(v, bytes);
		cr_assert(v);
		for (size_t i = 0; i < n; i += 509)
			cr_assert(v[i] == i);
		for (; n < bytes / 4; n++)
			v[n] = (unsigned int)n;
	}
	for (size_t i = 0; i < n; i++)
		cr_assert(v[i] == i);
	MyFree(v);
	cr_expect(zones_validate() == 0);
}

/* ---- aligned -------------------------------------------------------------------------------- */

Test(malloc, every_power_of_two)
{
	static const size_t sizes[] = { 0, 1, 16, 100, 1000, 4096, 5000, 70000, 1 << 20 };

	for (size_t align = 1; align <= (size_t)64 << 20; align *= 2) {
		char *p[ARRAY_SIZE(sizes)];

		for (unsigned int i = 0; i < ARRAY_SIZE(sizes); i++) {
			p[i] = MyAlignedAlloc(align, sizes[i]);
			cr_assert(p[i], "align %zu size %zu", align, sizes[i]);
			cr_assert((unsigned long)p[i] % max(align, (size_t)16) == 0,
				  "align %zu size %zu: %p", align, sizes[i], (void *)p[i]);
			cr_assert(MyUsableSize(p[i]) >= sizes[i]);
			memset(p[i], (int)i + 1, MyUsableSize(p[i]));
		}
		for (unsigned int i = 0; i < ARRAY_SIZE(sizes); i++) {
			cr_assert(all_bytes(p[i], MyUsableSize(p[i]), (unsigned char)(i + 1)));
			if (i % 3 == 2) {
				p[i] = MyRealloc(p[i], 3000);
				cr_assert(p[i] && all_bytes(p[i], min(sizes[i], (size_t)3000),
							    (unsigned char)(i + 1)));
			}
			MyFree(p[i]);
		}
	}
	cr_expect(zones_validate() == 0);
}

/* The second of each is a hit. */
Test(malloc, every_size_at_every_alignment)
{
	for (size_t align = 1; align <= 2 * PAGE_SIZE; align *= 2) {
		for (size_t size = 0; size <= 2 * PAGE_SIZE + 1; size += size < 1100 ? 1 : 31) {
			for (unsigned int i = 0; i < 2; i++) {
				void *p = MyAlignedAlloc(align, size);

				cr_assert(p && IS_ALIGNED((unsigned long)p, max(align, (size_t)16)),
					  "%zu at %zu: %p", size, align, p);
				cr_assert(MyUsableSize(p) >= size, "%zu at %zu: %zu", size, align,
					  MyUsableSize(p));
				MyFree(p);
			}
		}
	}
}

Test(malloc, bad_alignment)
{
	static const size_t bad[] = { 0, 3, 5, 24, 100, 4095, SIZE_MAX, SIZE_MAX - 1,
				      ((size_t)1 << 63) + 1 };

	printk_sink = sink_drop;
	for (unsigned int i = 0; i < ARRAY_SIZE(bad); i++) {
		volatile size_t align = bad[i];

		errno = 0;
		cr_expect(!MyAlignedAlloc(align, 100), "alignment %zx", align);
		cr_expect(errno == EINVAL, "alignment %zx: errno %d", align, errno);
	}
	for (size_t align = (size_t)1 << 36; align; align <<= 1) {
		volatile size_t a = align;

		errno = 0;
		cr_expect(!MyAlignedAlloc(a, 100) && errno == ENOMEM, "alignment %zx: errno %d",
			  align, errno);
	}
}

/* ---- free ------------------------------------------------------------------------------------- */

Test(malloc, free_keeps_errno)
{
	static const size_t sizes[] = { 1, 100, 5000, 40000, 10 << 20, 64 << 20 };

	errno = 1234;
	MyFree(NULL);
	for (unsigned int i = 0; i < ARRAY_SIZE(sizes); i++) {
		void *p[60];

		for (unsigned int j = 0; j < (i < 4 ? 60 : 2); j++)
			cr_assert(p[j] = mm(sizes[i]));
		errno = 1234;
		for (unsigned int j = 0; j < (i < 4 ? 60 : 2); j++)
			MyFree(p[j]);
		cr_expect(errno == 1234, "freeing %zu bytes", sizes[i]);
	}
	host_fault = fault_hook;
	fault_all = true;
	cr_expect(errno == 1234);
}

Test(malloc, success_keeps_errno)
{
	errno = 1234;
	for (unsigned int i = 0; i < 1000; i++)
		MyFree(mm(i * 100));
	MyFree(MyCalloc(1, 5 << 20));
	MyFree(MyAlignedAlloc(1 << 16, 100));
	cr_expect(errno == 1234);
}

Test(malloc, free_of_cache_objects)
{
	struct kmem_cache *s = kmem_cache_create("myfree", 88, 0, SLAB_NO_MERGE, NULL);
	void *p[200];

	for (unsigned int i = 0; i < ARRAY_SIZE(p); i++)
		cr_assert(p[i] = kmem_cache_alloc(s, GFP_KERNEL));
	cr_expect(MyUsableSize(p[0]) >= 88);
	for (unsigned int i = 0; i < ARRAY_SIZE(p); i++)
		MyFree(p[i]);
	cr_expect(cache_live(s) == 0);
	kmem_cache_destroy(s);
}

/* ---- running out -------------------------------------------------------------------------------- */

Test(malloc, out_of_memory_is_enomem)
{
	static void *hold[300000];
	unsigned long n = 0;

	printk_sink = sink_drop;
	MyFree(mm(1));
	fault_every_call(true);
	for (unsigned int i = 0; i < 3; i++) {
		size_t size = i == 0 ? 1 << 20 : i == 1 ? 8192 : 48;

		for (;;) {
			errno = 0;
			cr_assert(n < ARRAY_SIZE(hold), "memory without memory");
			hold[n] = mm(size);
			if (!hold[n])
				break;
			cr_assert(errno == 0);
			n++;
		}
		cr_expect(errno == ENOMEM, "size %zu: errno %d", size, errno);
	}
	errno = 0;
	cr_expect(!MyCalloc(3, 1 << 20) && errno == ENOMEM);
	errno = 0;
	cr_expect(!MyAlignedAlloc(1 << 16, 1 << 16) && errno == ENOMEM);
	fault_every_call(false);
	while (n)
		MyFree(hold[--n]);
	cr_expect(zones_validate() == 0);
}

/* ---- threads ---------------------------------------------------------------------------------------- */

#define BOX 1024

static unsigned char *boxes[BOX];
static unsigned long wrong;

static void *trade(void *arg)
{
	u64 seed = (unsigned long)arg * 1234567 + 1;

	for (unsigned int n = 0; n < 60000; n++) {
		size_t size = 9 + rnd(&seed) % (n % 64 ? 500 : 50000);
		unsigned char *p = mm(size), *old;

		if (!p) {
			stat_inc(wrong);
			continue;
		}
		if (n % 8 == 0)
			p = MyRealloc(p, size += 100);
		*(size_t *)p = size;
		p[size - 1] = (unsigned char)size;
		old = __atomic_exchange_n(&boxes[rnd(&seed) % BOX], p, __ATOMIC_ACQ_REL);
		if (!old)
			continue;
		size = *(size_t *)old;
		if (size > 60000 || old[size - 1] != (unsigned char)size)
			stat_inc(wrong);
		*(size_t *)old = ~0UL;
		MyFree(old);
	}
	return NULL;
}

Test(malloc, eight_threads)
{
	pthread_t t[8];

	for (unsigned long i = 0; i < ARRAY_SIZE(t); i++)
		cr_assert(pthread_create(&t[i], NULL, trade, (void *)i) == 0);
	for (unsigned int i = 0; i < ARRAY_SIZE(t); i++)
		pthread_join(t[i], NULL);
	cr_expect(wrong == 0);
	for (unsigned int i = 0; i < BOX; i++)
		MyFree(boxes[i]);
	for (unsigned int i = 0; i < KMALLOC_CLASSES; i++)
		cr_expect(validate_slab_cache(kmalloc_caches[i]) == 0);
	cr_expect(zones_validate() == 0);
}
