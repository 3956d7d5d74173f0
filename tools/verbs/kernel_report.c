// SPDX-License-Identifier: MIT
/* kernel_report.c - one cache in detail, as the kernel's slabinfo tool prints it. */
#include <inttypes.h>
#include <string.h>

#include "../inspect/fields.h"
#include "../inspect/scan.h"
#include "kernel.h"

#include <stdlib.h>

static void rule(int n)
{
	while (n-- > 0)
		putchar('-');
	putchar('\n');
}

static const char *on_off(uint64_t flags, uint64_t bit)
{
	return flags & bit ? "On " : "Off";
}

static void properties(const struct heap_cache *c)
{
	if (c->flags & KF_HWCACHE)
		puts("** Hardware cacheline aligned");
	if (c->flags & (KF_DMA | KF_DMA32))
		puts("** Memory is allocated in a special DMA zone");
	if (c->flags & KF_RCU)
		puts("** Slabs are destroyed via RCU");
	if (c->flags & KF_RECLAIM)
		puts("** Reclaim accounting active");
}

static void sizes(const struct heap *h, const struct kcache *k)
{
	const struct heap_cache *c = k->c;
	uint64_t slab = 1UL << (h->page_shift + c->order);
	uint64_t full = c->nr_slabs - min_u64(c->nr_slabs, c->nr_partial + c->nr_empty);

	puts("\nSizes (bytes)     Slabs              Debug                Memory");
	rule(72);
	printf("Object : %7u  Total  : %7" PRIu64 "   Sanity Checks : %s  Total: %7" PRIu64 "\n",
	       c->object_size, c->nr_slabs, on_off(c->flags, KF_CONSISTENCY), k->space);
	printf("SlabObj: %7u  Full   : %7" PRIu64 "   Redzoning     : %s  Used : %7" PRIu64 "\n",
	       c->size, full, on_off(c->flags, KF_RED_ZONE), k->objects * c->object_size);
	printf("SlabSiz: %7" PRIu64 "  Partial: %7" PRIu64 "   Poisoning     : %s  Loss : %7"
	       PRIu64 "\n", slab, c->nr_partial, on_off(c->flags, KF_POISON), k->loss);
	printf("Loss   : %7u  CpuSlab: %7" PRIu64 "   Tracking      : %s  Lalig: %7" PRIu64 "\n",
	       c->size - c->object_size, k->cpu, on_off(c->flags, KF_STORE_USER),
	       (uint64_t)(c->size - c->object_size) * k->objects);
	printf("Align  : %7u  Objects: %7u   Tracing       : %s  Lpadd: %7" PRIu64 "\n", c->align,
	       c->objects, on_off(c->flags, KF_TRACE),
	       (slab - (uint64_t)c->objects * c->size) * c->nr_slabs);
}

static void counter(const char *what, uint64_t alloc, uint64_t free)
{
	uint64_t all = max_u64(alloc + free, 1);

	printf("%-20s %8" PRIu64 " %8" PRIu64 " %3" PRIu64 " %3" PRIu64 "\n", what, alloc, free,
	       alloc * 100 / all, free * 100 / all);
}

static void statistics(const struct heap_cache *c)
{
	if (!c->alloc_slowpath && !c->free_slowpath)
		return;
	puts("\nSlab Perf Counter       Alloc     Free %Al %Fr");
	rule(50);
	counter("Objects by slowpath", c->alloc_slowpath, c->free_slowpath);
	counter("Batches", c->nr_refill, c->nr_flush);
	counter("Depot", c->nr_depot_get, c->nr_depot_put);
	counter("Slabs", c->alloc_slab, c->free_slab);
	printf("\nIn magazines: %" PRIu64 " objects on CPUs, %" PRIu64 " in the depot\n",
	       c->in_cpus, c->in_depot);
}

/* The constructor's address, and the file it is in. */
void kernel_ops(const struct heap *h, const struct kcache *k)
{
	uint64_t ctor = 0;
	char *where;

	printf("\n%s: kmem_cache operations\n", k->name);
	rule(72);
	if (!k->c->has_ctor || !source_read(h->src, k->c->addr + h->fields->kmem_cache_ctor.offset,
					    &ctor, sizeof(ctor))) {
		puts("None");
		return;
	}
	where = describe_address(h->src, ctor);
	printf("ctor : 0x%" PRIx64 " (%s)\n", ctor, where);
	free(where);
}

void kernel_tracking(const struct kcache *k)
{
	static const char *const what[] = { "allocation", "freeing" };

	for (int i = 0; i < 2; i++) {
		printf("\n%s: Kernel object %s\n", k->name, what[i]);
		rule(71);
		puts("No Data");
	}
}

void kernel_report(struct heap *h, const struct kcache *k, const struct kernel_options *o)
{
	(void)o;
	printf("\nSlabcache: %-15s  Aliases: %2zu Order : %2u Objects: %" PRIu64 "\n", k->name,
	       k->c->nr_aliases, k->c->order, k->objects);
	properties(k->c);
	sizes(h, k);
	kernel_ops(h, k);
	kernel_tracking(k);
	kernel_numa(h, k, 1, false);
	statistics(k->c);
}
