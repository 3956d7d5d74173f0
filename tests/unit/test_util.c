// SPDX-License-Identifier: MIT
/*
 * Copies of memory and strings: util.c and <kmem/string.h>; forgetting: kvfree_sensitive().
 */
#include "slab_test.h"

#include <errno.h>

#include <kmem/string.h>
#include <kmem/vmalloc.h>

TestSuite(util, .timeout = 60);

Test(util, kmemdup_copies)
{
	char from[300], *to;

	fill(from, sizeof(from), 3);
	for (size_t len = 1; len <= sizeof(from); len += 13) {
		to = kmemdup(from, len, GFP_KERNEL);
		cr_assert_not_null(to);
		cr_expect(to != from && !memcmp(to, from, len));
		kfree(to);
	}
	cr_expect(kmemdup(from, 0, GFP_KERNEL) == ZERO_SIZE_PTR);
}

Test(util, kmemdup_nul_terminates)
{
	static const char from[] = { 'a', 0, 'b', 'c' };
	char *to = kmemdup_nul(from, sizeof(from), GFP_KERNEL);

	cr_assert_not_null(to);
	cr_expect(!memcmp(to, from, sizeof(from)) && to[4] == 0);
	kfree(to);
	cr_expect_null(kmemdup_nul(NULL, 4, GFP_KERNEL));
	cr_expect_null(kmemdup_nul(from, SIZE_MAX, GFP_KERNEL));
}

Test(util, kstrdup_and_kstrndup)
{
	static const struct { size_t max; const char *want; } cases[] = {
		{ 0, "" }, { 1, "h" }, { 4, "hell" }, { 5, "hello" }, { 6, "hello" },
		{ SIZE_MAX, "hello" },
	};
	static const char unterminated[3] = { 'x', 'y', 'z' };
	char *s = kstrdup("hello", GFP_KERNEL);

	cr_assert_not_null(s);
	cr_expect_str_eq(s, "hello");
	kfree(s);
	s = kstrdup("", GFP_KERNEL);
	cr_expect(s && !*s && s != ZERO_SIZE_PTR);
	kfree(s);
	cr_expect_null(kstrdup(NULL, GFP_KERNEL));
	cr_expect_null(kstrndup(NULL, 5, GFP_KERNEL));
	for (unsigned int i = 0; i < ARRAY_SIZE(cases); i++) {
		s = kstrndup("hello", cases[i].max, GFP_KERNEL);
		cr_assert_not_null(s);
		cr_expect_str_eq(s, cases[i].want);
		kfree(s);
	}
	s = kstrndup(unterminated, 3, GFP_KERNEL);
	cr_assert_not_null(s);
	cr_expect_str_eq(s, "xyz");
	kfree(s);
}

Test(util, kasprintf_formats)
{
	char *s = kasprintf(GFP_KERNEL, "%s-%05d-%+.2f-%o", "dev", 42, 1.5, 8u);
	char *t = kasprintf(GFP_KERNEL, "%*s", 5000, "x");

	cr_assert(s && t);
	cr_expect_str_eq(s, "dev-00042-+1.50-10");
	cr_expect(strlen(t) == 5000 && t[4999] == 'x' && t[0] == ' ');
	kfree(s);
	kfree(t);
	s = kasprintf(GFP_KERNEL, "%s", "");
	cr_expect(s && !*s);
	kfree(s);
}

/* What the memory held is gone before it is free: the object comes back from its magazine. */
Test(util, kvfree_sensitive_forgets)
{
	unsigned char *p = kmalloc(500, GFP_KERNEL), *q;

	memset(p, 0xa7, 500);
	kvfree_sensitive(p, 500);
	q = kmalloc(500, GFP_KERNEL);
	cr_expect(q == p, "the last one freed is the first one taken");
	cr_expect(all_bytes(q, 500, 0));
	kfree(q);
	kvfree_sensitive(NULL, 10);
	kvfree_sensitive(ZERO_SIZE_PTR, 0);
}

Test(util, krealloc_array_overflow_gives_null)
{
	volatile size_t huge = SIZE_MAX / 2 + 2;
	int *p = kmalloc_array(4, sizeof(*p), GFP_KERNEL), *q;

	p[3] = 7;
	cr_expect_null(krealloc_array(p, huge, 2, GFP_KERNEL));
	cr_expect(p[3] == 7, "a failed one leaves all as it was");
	q = krealloc_array(p, 4000, sizeof(*p), GFP_KERNEL);
	cr_assert_not_null(q);
	cr_expect(q[3] == 7 && ksize(q) >= 16000);
	cr_expect(krealloc_array(q, 0, 4, GFP_KERNEL) == ZERO_SIZE_PTR);
}

Test(util, no_memory_is_null_and_errno_stays)
{
	static char big[1 << 20];
	void *keep = kmalloc(1, GFP_KERNEL);
	unsigned int n = 0;

	printk_sink = sink_drop;
	errno = 77;
	memset(big, 'x', sizeof(big) - 1);
	fault_every_call(true);
	/* What is at hand runs out after a while; leaked on purpose. */
	while (n < 10000 && kstrdup(big, GFP_KERNEL))
		n++;
	cr_expect(n < 10000, "memory never ran out");
	cr_expect_null(kmemdup(big, sizeof(big), GFP_KERNEL));
	cr_expect_null(kasprintf(GFP_KERNEL, "%s", big));
	fault_every_call(false);
	cr_expect(errno == 77);
	kfree(keep);
}

/* Aligned whatever it was before, with its content, and zero behind it where asked. */
Test(util, krealloc_node_align)
{
	for (unsigned long align = 1; align <= 4096; align *= 2) {
		unsigned char *p = krealloc_node_align(NULL, 50, align, GFP_KERNEL | __GFP_ZERO,
						       NUMA_NO_NODE);

		cr_assert(p && (unsigned long)p % align == 0);
		memset(p, 7, 50);
		for (size_t size = 60; size < 20000; size *= 3) {
			p = krealloc_node_align(p, size, align, GFP_KERNEL | __GFP_ZERO, 0);
			cr_assert(p && (unsigned long)p % align == 0);
			for (size_t i = 0; i < size; i++)
				cr_assert(p[i] == (i < 50 ? 7 : 0), "%zu of %zu", i, size);
		}
		p = krealloc_node_align(p, 20, align, GFP_KERNEL, NUMA_NO_NODE);
		cr_assert(p && (unsigned long)p % align == 0 && p[19] == 7);
		cr_expect(krealloc_node_align(p, 0, align, GFP_KERNEL, 0) == ZERO_SIZE_PTR);
	}
	cr_expect(!krealloc_node_align(NULL, 8, 3, GFP_KERNEL, 0));
	cr_expect(kmem_cache_charge(NULL, GFP_KERNEL));
}

Test(util, copies_by_their_other_names)
{
	static const int from[] = { 1, 2, 3, 4 };
	static const char name[] = "a literal";
	volatile size_t huge = SIZE_MAX / 2 + 2;
	int *to = kmemdup_array(from, 4, sizeof(from[0]), GFP_KERNEL);
	int *big = kvmemdup(from, sizeof(from), GFP_KERNEL);
	const char *copy = kstrdup_const(name, GFP_KERNEL);

	cr_assert(to && big && copy);
	cr_expect(!memcmp(to, from, sizeof(from)) && !memcmp(big, from, sizeof(from)));
	cr_expect_null(kmemdup_array(from, huge, 2, GFP_KERNEL));
	cr_expect(copy != name && !strcmp(copy, name));
	cr_expect_eq(kmem_valid_obj(copy), true);
	cr_expect_null(kstrdup_const(NULL, GFP_KERNEL));
	kfree_const(copy);
	kfree_const(NULL);
	kvfree(big);
	kfree(to);
}
