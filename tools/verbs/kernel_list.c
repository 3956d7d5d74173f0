// SPDX-License-Identifier: MIT
/* kernel_list.c - the list of caches, as the kernel's slabinfo tool prints it. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "../inspect/pages.h"
#include "kernel.h"

/* ---- caches ------------------------------------------------------------------------ */

struct counting {
	struct kcache *k;
	size_t nr;
};

static struct kcache *find(const struct counting *n, const struct heap_cache *c)
{
	for (size_t i = 0; i < n->nr; i++)
		if (n->k[i].c == c)
			return &n->k[i];
	return NULL;
}

static void count_magazine(struct heap *h, void *arg, struct heap_cache *c,
			   const struct magazine_at *m)
{
	struct kcache *k = find(arg, c);

	(void)h;
	if (k && m->top)
		k->cpu++;
}

static void count_partial(void *arg, struct page_window *w, const struct heap_block *b)
{
	uint64_t inuse = VALUE(w->heap->fields, b->pages, page_inuse);
	struct kcache *k;

	if (b->kind != BLOCK_SLAB || !inuse || inuse >= b->cache->objects)
		return;
	k = find(arg, b->cache);
	if (k)
		k->partobj += inuse;
}

static void count_more(struct heap *h, struct kcache *k, size_t nr)
{
	struct counting n = { k, nr };
	size_t seen = h->damage.nr;

	magazines_each(h, h->caches, h->nr_caches, count_magazine, &n);
	findings_cut(&h->damage, seen);
	for (size_t i = 0; i < h->nr_zones; i++) {
		struct page_window w;

		page_window_open(&w, h, &h->zones[i]);
		blocks_walk(&w, count_partial, &n);
		page_window_close(&w);
	}
}

struct kcache *kernel_caches(struct heap *h, const struct kernel_options *o,
			     const struct selection *s, size_t *nr)
{
	struct kcache *k = xcalloc(h->nr_caches, sizeof(*k));

	*nr = 0;
	for (size_t i = 0; i < h->nr_caches; i++) {
		const struct heap_cache *c = &h->caches[i];
		struct kcache *n = &k[*nr];

		if (!selected(s, c) || (o->unreclaim && c->flags & KF_RECLAIM))
			continue;
		*n = (struct kcache){
			.c = c, .name = c->name,
			.objects = min_u64(cache_active(c), cache_total(c)),
			.space = c->nr_slabs << (h->page_shift + c->order),
			.alloc = c->alloc_slowpath, .free = c->free_slowpath,
		};
		if (o->first_alias && c->nr_aliases)
			n->name = c->aliases[0];
		n->loss = n->space - min_u64(n->space, n->objects * c->object_size);
		(*nr)++;
	}
	count_more(h, k, *nr);
	return k;
}

static const struct kernel_options *sort_by;

static int descending(uint64_t a, uint64_t b)
{
	return a > b ? -1 : a < b;
}

static int compare(const void *a, const void *b)
{
	const struct kcache *x = a, *y = b;
	int result = 0;

	if (sort_by->sort_size)
		result = descending(x->space, y->space);
	else if (sort_by->sort_loss)
		result = descending(x->loss, y->loss);
	else if (sort_by->sort_partial)
		result = descending(x->c->nr_partial, y->c->nr_partial);
	else if (sort_by->sort_active)
		result = descending(x->alloc + x->free, y->alloc + y->free);
	else
		result = strcasecmp(x->name, y->name);
	return sort_by->inverted ? -result : result;
}

void kernel_sort(struct kcache *k, size_t nr, const struct kernel_options *o)
{
	sort_by = o;
	if (nr)
		qsort(k, nr, sizeof(*k), compare);
}

/* ---- lines --------------------------------------------------------------------------- */

const char *kernel_size(char *buf, size_t size, uint64_t value, bool bytes)
{
	static const struct {
		uint64_t above, tenth;
		char unit;
	} units[] = {
		{ 1000000000, 100000000, 'G' }, { 1000000, 100000, 'M' }, { 1000, 100, 'K' },
	};

	for (size_t i = 0; !bytes && i < ARRAY_SIZE(units); i++)
		if (value > units[i].above) {
			value /= units[i].tenth;
			snprintf(buf, size, "%" PRIu64 ".%" PRIu64 "%c", value / 10, value % 10,
				 units[i].unit);
			return buf;
		}
	snprintf(buf, size, "%" PRIu64, value);
	return buf;
}

static const char *flags_of(const struct heap_cache *c, char *buf)
{
	static const struct {
		uint64_t bit;
		char letter;
	} letters[] = {
		{ KF_DMA | KF_DMA32, 'd' }, { KF_HWCACHE, 'A' }, { KF_POISON, 'P' },
		{ KF_RECLAIM, 'a' }, { KF_RED_ZONE, 'Z' }, { KF_CONSISTENCY, 'F' },
		{ KF_STORE_USER, 'U' }, { KF_TRACE, 'T' },
	};
	char *p = buf;

	if (c->nr_aliases)
		*p++ = '*';
	for (size_t i = 0; i < ARRAY_SIZE(letters); i++)
		if (c->flags & letters[i].bit)
			*p++ = letters[i].letter;
	*p = '\0';
	return buf;
}

/*
 * Hits are not counted, so the share of the fast path is what it was at least: of
 * the objects that came from slabs, all but one of each batch were hits.
 */
static uint64_t percent_fast(uint64_t objects, uint64_t batches)
{
	return objects > batches ? (objects - batches) * 100 / objects : 0;
}

static void print_activity(const struct kcache *k)
{
	const struct heap_cache *c = k->c;

	printf("%-21s %8" PRIu64 " %10" PRIu64 " %10" PRIu64 " %3" PRIu64 " %3" PRIu64
	       " %5u %1u %4u %4u\n", k->name, k->objects, k->alloc, k->free,
	       percent_fast(k->alloc, c->nr_refill), percent_fast(k->free, c->nr_flush), 0U,
	       c->order, 0U, 0U);
}

static void print_cache(const struct kcache *k, const struct kernel_options *o)
{
	const struct heap_cache *c = k->c;
	char size[SIZE_TEXT], slabs[72], flags[16];

	kernel_size(size, sizeof(size), o->sort_loss ? k->loss : k->space, o->bytes);
	snprintf(slabs, sizeof(slabs), "%" PRIu64 "/%" PRIu64 "/%" PRIu64, c->nr_slabs,
		 c->nr_partial, k->cpu);
	printf("%-21s %8" PRIu64 " %7u %15s %14s %4u %1u %3" PRIu64 " %3" PRIu64 " %s\n",
	       k->name, k->objects, c->object_size, size, slabs, c->objects, c->order,
	       c->nr_slabs ? c->nr_partial * 100 / c->nr_slabs : 100,
	       k->space ? k->objects * c->object_size * 100 / k->space : 100,
	       flags_of(c, flags));
}

void kernel_list(struct kcache *k, size_t nr, const struct kernel_options *o)
{
	long lines = 0;

	for (size_t i = 0; i < nr && (o->lines < 0 || lines < o->lines); i++) {
		if (o->empty ? k[i].c->nr_slabs : !o->zero && !k[i].c->nr_slabs)
			continue;
		if (!lines++) {
			if (o->activity)
				puts("Name                   Objects      Alloc       Free   %Fast "
				     "Fallb O CmpX   UL");
			else
				printf("Name                   Objects Objsize           %s "
				       "Slabs/Part/Cpu  O/S O %%Fr %%Ef Flg\n",
				       o->sort_loss ? " Loss" : "Space");
		}
		if (o->activity)
			print_activity(&k[i]);
		else
			print_cache(&k[i], o);
	}
}

/* ---- aliases ---------------------------------------------------------------------------- */

void kernel_aliases(const struct kcache *k, size_t nr, const struct kernel_options *o)
{
	for (size_t i = 0; i < nr; i++) {
		const struct heap_cache *c = k[i].c;

		if (!c->nr_aliases && !o->single_ref)
			continue;
		if (o->inverted) {
			for (size_t a = 0; a < c->nr_aliases; a++)
				printf("%-15s -> %s\n", c->aliases[a], c->name);
			continue;
		}
		printf("%-12s <-", c->name);
		for (size_t a = 0; a < c->nr_aliases; a++)
			printf(" %s", c->aliases[a]);
		putchar('\n');
	}
}

/* ---- nodes ------------------------------------------------------------------------------- */

#define MAX_NODES	64

struct nodes {
	const struct counting *caches;
	uint64_t (*slabs)[MAX_NODES];	/* [nr] */
	int highest;
};

static void count_node(void *arg, struct page_window *w, const struct heap_block *b)
{
	struct nodes *n = arg;
	int node = w->zone->node;
	const struct kcache *k;

	if (b->kind != BLOCK_SLAB || node < 0 || node >= MAX_NODES)
		return;
	k = find(n->caches, b->cache);
	if (k)
		n->slabs[k - n->caches->k][node]++;
	n->highest = node > n->highest ? node : n->highest;
}

void kernel_numa(struct heap *h, const struct kcache *k, size_t nr, bool header)
{
	struct counting caches = { (struct kcache *)k, nr };
	struct nodes n = { .caches = &caches };

	n.slabs = xcalloc(nr, sizeof(*n.slabs));
	for (size_t i = 0; i < h->nr_zones; i++) {
		struct page_window w;

		page_window_open(&w, h, &h->zones[i]);
		blocks_walk(&w, count_node, &n);
		page_window_close(&w);
	}
	printf("%s%-21s:", header ? "" : "\n", header ? "Slab" : "NUMA nodes");
	for (int node = 0; node <= n.highest; node++)
		printf(" %8d", node);
	putchar('\n');
	for (size_t i = 0; i < nr; i++) {
		if (header && !k[i].c->nr_slabs)
			continue;
		printf("%-21s ", header ? k[i].name : "All slabs");
		for (int node = 0; node <= n.highest; node++)
			printf(" %8" PRIu64, n.slabs[i][node]);
		putchar('\n');
	}
	free(n.slabs);
}
