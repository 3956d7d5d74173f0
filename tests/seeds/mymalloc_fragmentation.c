// SPDX-License-Identifier: MIT
/*
 * mymalloc_fragmentation.c - "fragmentation must be thought of". Sizes from 16 bytes to
 * 16 KiB come and go at random for a long time with as much alive as ever; the pages
 * in use stay near what is alive. Then nearly all is freed, in an order that
 * leaves no page list untouched, and the pages go back.
 */
#include "mymalloc.h"

#define SLOTS	20000

static void *slot[SLOTS];
static size_t size[SLOTS];
static uint64_t seed = 12345;

static unsigned int next(unsigned int n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (unsigned int)(seed >> 32) % n;
}

int main(void)
{
	unsigned long live = 0, worst = 0, pages;

	for (unsigned long i = 0; i < 1500000; i++) {
		unsigned int k = next(SLOTS);

		MyFree(slot[k]);
		live -= size[k];
		size[k] = 16 + next(16u << next(11));
		slot[k] = MyMalloc(size[k]);
		if (!slot[k])
			return 1;
		live += size[k];
		if (i > 200000 && i % 1000 == 0) {
			unsigned long ratio = pages_in_use() * PAGE_SIZE * 100 / live;

			worst = ratio > worst ? ratio : worst;
		}
	}
	fprintf(stderr, "%lu bytes alive, at worst %lu %% of that in use\n", live, worst);
	CHECK(worst < 175, "never more than three quarters as much again as is alive");
	pages = pages_in_use();
	for (unsigned int k = 0; k < SLOTS; k++)
		if (k % 1000)
			MyFree(slot[k]);
	for (unsigned int i = 0; i < KMALLOC_CLASSES; i++)
		kmem_cache_shrink(kmalloc_caches[i]);
	page_alloc_drain();
	CHECK(pages_in_use() < pages / 10, "a thousandth that stays keeps under a tenth of the pages");
	CHECK(MyMalloc(live / 2) != NULL && zones_validate() == 0, "what was freed is one again");
	return 0;
}
