// SPDX-License-Identifier: MIT
/*
 * Pools of blocks that do not cross a boundary: dmapool.c.
 */
#include "slab_test.h"

#include <kmem/dmapool.h>

TestSuite(dmapool, .timeout = 60);

#define BLOCKS	200

static void check_pool(size_t size, size_t align, size_t boundary)
{
	struct dma_pool *pool = dma_pool_create("test", NULL, size, align, boundary);
	static char *blocks[BLOCKS];
	dma_addr_t handle[BLOCKS];

	cr_assert_not_null(pool, "size %zu align %zu boundary %zu", size, align, boundary);
	for (unsigned int i = 0; i < BLOCKS; i++) {
		unsigned long at;

		blocks[i] = i % 2 ? dma_pool_zalloc(pool, GFP_KERNEL, &handle[i]) :
				    dma_pool_alloc(pool, GFP_KERNEL, &handle[i]);
		at = (unsigned long)blocks[i];
		cr_assert(at && handle[i] == at);
		cr_expect(!align || at % align == 0, "align %zu: %lx", align, at);
		cr_expect(!boundary || at / boundary == (at + size - 1) / boundary,
			  "size %zu at %lx crosses %zu", size, at, boundary);
		cr_expect(!(i % 2) || all_bytes(blocks[i], size, 0));
		fill(blocks[i], size, (unsigned char)i);
	}
	for (unsigned int i = 0; i < BLOCKS; i++) {
		cr_expect(filled(blocks[i], size, (unsigned char)i));
		dma_pool_free(pool, blocks[i], handle[i]);
	}
	dma_pool_destroy(pool);
}

Test(dmapool, blocks_keep_alignment_and_boundary)
{
	static const size_t sizes[] = { 1, 4, 8, 24, 48, 96, 100, 1000, 3000, 4096, 5000 };
	static const size_t aligns[] = { 0, 1, 8, 64, 256, 4096, 8192 };
	static const size_t boundaries[] = { 0, 8, 64, 4096, 8192, 65536, 1UL << 32 };

	sink_catch();
	for (unsigned int s = 0; s < ARRAY_SIZE(sizes); s++)
		for (unsigned int a = 0; a < ARRAY_SIZE(aligns); a++)
			for (unsigned int b = 0; b < ARRAY_SIZE(boundaries); b++)
				if (!boundaries[b] || (sizes[s] <= boundaries[b] &&
						       aligns[a] <= boundaries[b] &&
						       ALIGN(sizes[s], aligns[a] ? aligns[a] : 1) <= boundaries[b]))
					check_pool(sizes[s], aligns[a], boundaries[b]);
	cr_expect_str_eq(sink_text, "");
}

Test(dmapool, bad_arguments_give_null)
{
	cr_expect_null(dma_pool_create("bad", NULL, 0, 0, 0));
	cr_expect_null(dma_pool_create("bad", NULL, SIZE_MAX, 0, 0));
	cr_expect_null(dma_pool_create("bad", NULL, (4 << 20) + 1, 0, 0));
	cr_expect_null(dma_pool_create("bad", NULL, 64, 24, 0));
	cr_expect_null(dma_pool_create("bad", NULL, 64, SIZE_MAX / 2 + 1, 0));
	cr_expect_null(dma_pool_create("bad", NULL, 64, 0, 100));
	cr_expect_null(dma_pool_create("bad", NULL, 64, 0, 32));
	cr_expect_null(dma_pool_create("bad", NULL, 8, 64, 16));
	cr_expect_null(dma_pool_create(NULL, NULL, 64, 0, 0));
	cr_expect_null(dma_pool_create("", NULL, 64, 0, 0));
	dma_pool_destroy(NULL);
}

Test(dmapool, one_name_for_several)
{
	struct dma_pool *a, *b;

	sink_catch();
	a = dma_pool_create("twice", NULL, 64, 0, 0);
	b = dma_pool_create("twice", NULL, 64, 0, 0);
	cr_assert(a && b);
	cr_expect_str_eq(sink_text, "");
	dma_pool_destroy(a);
	dma_pool_destroy(b);
}

Test(dmapool, destroy_in_use_reports)
{
	struct dma_pool *pool = dma_pool_create("busy", NULL, 64, 0, 0);
	dma_addr_t handle;
	char *p = dma_pool_alloc(pool, GFP_KERNEL, &handle);

	sink_catch();
	p[0] = 1;
	dma_pool_destroy(pool);
	cr_expect(sink_has("BUG dma-busy:"));
	cr_expect(sink_has("Slab cache still has objects"));
	cr_expect(p[0] == 1);
}

Test(dmapool, wrong_handle_stops, .signal = SIGABRT)
{
	struct dma_pool *pool = dma_pool_create("wrong", NULL, 64, 0, 0);
	dma_addr_t handle;
	void *p = dma_pool_alloc(pool, GFP_KERNEL, &handle);

	printk_sink = sink_drop;
	dma_pool_free(pool, p, handle + 64);
}
