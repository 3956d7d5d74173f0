// SPDX-License-Identifier: MIT
/*
 * The report of a failed request: page_show.c.
 */
#include "pages_test.h"

#include "mm/page_limit.h"

TestSuite(page_show, .timeout = 60);

Test(page_show, flags_by_name)
{
	static const struct { gfp_t gfp; const char *names; } cases[] = {
		{ GFP_KERNEL, "GFP_KERNEL" }, { GFP_KERNEL | __GFP_ZERO, "GFP_KERNEL|__GFP_ZERO" },
		{ GFP_ATOMIC, "GFP_ATOMIC" }, { GFP_NOWAIT, "GFP_NOWAIT" },
		{ GFP_NOFS | __GFP_NOWARN, "GFP_NOFS|__GFP_NOWARN" }, { GFP_NOIO, "GFP_NOIO" },
		{ GFP_HIGHUSER_MOVABLE | __GFP_COMP, "GFP_HIGHUSER_MOVABLE|__GFP_COMP" },
		{ GFP_USER, "GFP_USER" }, { __GFP_FS | __GFP_IO, "__GFP_IO|__GFP_FS" },
		{ GFP_KERNEL_ACCOUNT | GFP_DMA32, "GFP_KERNEL_ACCOUNT|GFP_DMA32" },
		{ 0, "0" }, { 0x80000000u | GFP_KERNEL, "GFP_KERNEL|0x80000000" },
	};
	char buf[256], tiny[8];

	for (unsigned int i = 0; i < ARRAY_SIZE(cases); i++)
		cr_expect_str_eq(gfp_names(cases[i].gfp, buf, sizeof(buf)), cases[i].names);
	cr_expect_str_eq(gfp_names(~0u, tiny, sizeof(tiny)), "GFP_HIG");
	gfp_names(~0u, buf, sizeof(buf));
}

static void show_caches(gfp_t gfp)
{
	cr_expect_eq(gfp, GFP_KERNEL | __GFP_ZERO);
	pr_raw("the caches\n");
}

Test(page_show, a_failure_tells_where_memory_is)
{
	static const char *const parts[] = {
		": page allocation failure: order:3, mode:0xdc0(GFP_KERNEL|__GFP_ZERO), nodemask=(null)\n",
		"Mem-Info:\n", "limit:4096kB", "Node 0 zone 0 free:", "min:256kB low:320kB high:384kB",
		"Node 0 zone 0: ", "*4096kB", "the caches\n",
	};

	fresh_zones(64 * MIB);
	page_limits_set(1024, ~0UL);
	show_caches_hook = show_caches;
	alloc_large(1020, 1, GFP_KERNEL);
	capture_start();
	cr_assert_null(alloc_pages(GFP_KERNEL | __GFP_ZERO, 3));
	for (unsigned int i = 0; i < ARRAY_SIZE(parts); i++)
		cr_expect_not_null(strstr(captured, parts[i]), "no \"%s\" in:\n%s", parts[i],
				   captured);
}

Test(page_show, nowarn_says_nothing)
{
	fresh_zones(64 * MIB);
	page_limits_set(1024, ~0UL);
	capture_start();
	cr_assert_null(alloc_large(2000, 1, GFP_KERNEL | __GFP_NOWARN));
	cr_assert_null(alloc_large(2000, 1, GFP_NOWAIT));
	cr_expect_eq(captured_calls, 0, "%s", captured);
}

/* A second's failures but the first are counted, and told with the next second's. */
Test(page_show, a_flood_of_failures_is_a_few_lines)
{
	fresh_zones(64 * MIB);
	page_limits_set(1024, ~0UL);
	capture_start();
	for (unsigned int i = 0; i < 1000; i++)
		cr_assert_null(alloc_large(2000, 1, GFP_KERNEL));
	cr_expect_leq(captured_calls, 10);
	capture_start();
	usleep(1100 * 1000);
	cr_assert_null(alloc_large(2000, 1, GFP_KERNEL));
	cr_expect_not_null(strstr(captured, " page allocation failures were not reported\n"),
			   "%s", captured);
	cr_expect_null(strstr(captured, "Mem-Info"), "not again within ten seconds");
}
