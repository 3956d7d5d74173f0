// SPDX-License-Identifier: MIT
/* sample.c - a process' heaps in some forty numbers. */
#include "sample.h"

static void add_heap(struct sample *s, const struct heap *h, const struct rss_map *map)
{
	for (int i = 0; i < NR_ROWS; i++) {
		s->map.row[i].count += map->row[i].count;
		s->map.row[i].size += map->row[i].size;
		s->map.row[i].rss += map->row[i].rss;
	}
	s->map.total += map->total;
	for (size_t i = 0; i < h->nr_caches; i++) {
		const struct heap_cache *c = &h->caches[i];

		s->slabs_made += c->alloc_slab;
		s->slabs_freed += c->free_slab;
		s->refills += c->nr_refill;
		s->flushes += c->nr_flush;
		s->depot_gets += c->nr_depot_get;
		s->depot_puts += c->nr_depot_put;
	}
	for (size_t i = 0; i < h->nr_zones; i++)
		s->purged += h->zones[i].nr_purged;
	s->torn += h->torn;
}

bool sample_read(struct target *t, struct sample *s, char **error)
{
	static const enum rss_row held[] = { ROW_OBJECTS, ROW_LARGE, ROW_PAGES };

	*s = (struct sample){ 0 };
	for (size_t i = 0; i < t->nr_heaps; i++) {
		struct rss_map map;

		if (!rss_read(t->heaps[i], &map, error))
			return false;
		add_heap(s, t->heaps[i], &map);
	}
	for (size_t i = 0; i < ARRAY_SIZE(held); i++) {
		s->live += s->map.row[held[i]].rss;
		s->objects += s->map.row[held[i]].count;
	}
	s->waste = s->map.total - s->live;
	return true;
}
