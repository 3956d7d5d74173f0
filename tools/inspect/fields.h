/* SPDX-License-Identifier: MIT */
/*
 * fields.h - which fields of the library's structures the reader uses, bound to
 * the layout of the library at hand.
 *
 * R: without it nothing can be read, a library that lacks it is refused. O:
 * done without; value() answers 0 and a note says so.
 */
#ifndef TOOLS_INSPECT_FIELDS_H
#define TOOLS_INSPECT_FIELDS_H

#include <string.h>

#include "heap.h"

#define HEAP_FIELDS(R, O)						\
	R(page, type) R(page, order) R(page, inuse)			\
	R(page, slab_cache) R(page, nr_pages) O(page, requested)	\
	R(page, bitmap) O(page, head_distance)				\
	R(free_area, nr_free)						\
	R(zone, base) R(zone, nr_pages) R(zone, memmap)			\
	O(zone, slotmap) O(zone, dirty) O(zone, pageblock_type)		\
	O(zone, free_max) O(zone, index) O(zone, node)			\
	R(zone, nr_present) O(zone, nr_committed) O(zone, nr_free)	\
	O(zone, nr_dirty_free) R(zone, free_area) O(zone, nr_purged)	\
	O(zone, nr_steals) O(zone, low)					\
	R(list_head, next) R(list_head, prev)				\
	R(percpu_state, mode) O(percpu_state, use_cid)			\
	R(percpu_state, nr_cpus) R(percpu_state, base)			\
	O(percpu_state, closed)						\
	R(magazine, next) R(magazine, capacity) R(magazine, count)	\
	R(magazine, round) O(magazine, bottom) O(magazine, spare)	\
	R(magazine_cache, slot) O(magazine_cache, level)		\
	R(magazine_cache, full) O(magazine_cache, nr_full)		\
	O(magazine_cache, max_full) O(magazine_cache, nr_refill)	\
	O(magazine_cache, nr_flush) O(magazine_cache, nr_depot_get)	\
	O(magazine_cache, nr_depot_put)					\
	R(kmem_cache, mag) O(kmem_cache, flags) R(kmem_cache, size)	\
	R(kmem_cache, object_size) O(kmem_cache, align)			\
	R(kmem_cache, objects) R(kmem_cache, order) O(kmem_cache, ctor)	\
	R(kmem_cache, name) R(kmem_cache, node) R(kmem_cache, list)	\
	O(kmem_cache, aliases)						\
	R(kmem_cache_node, nr_slabs) O(kmem_cache_node, nr_partial)	\
	O(kmem_cache_node, nr_empty) R(kmem_cache_node, nr_inuse)	\
	O(kmem_cache_node, alloc_slab) O(kmem_cache_node, free_slab)	\
	O(kmem_cache_node, alloc_slowpath)				\
	O(kmem_cache_node, free_slowpath)				\
	O(kmem_cache_alias, list) O(kmem_cache_alias, name)		\
	O(memblock_chunk, next) O(memblock_chunk, addr)			\
	O(memblock_chunk, size)						\
	O(kmem_params, decay_ms) O(kmem_params, rseq)			\
	O(kmem_params, reclaim) O(kmem_params, purge_lazy)		\
	O(kmem_params, slab_nomerge) O(kmem_params, slab_debug_checks)	\
	O(kmem_params, init_on_alloc) O(kmem_params, init_on_free)

/*
 * Of these each is used by a check of verify, which is left out without it, or by
 * a verb, which says that it can't do without.
 */
#define VERIFY_FIELDS(V)						\
	V(page, migratetype)						\
	V(page, zone) V(page, free_stamp) V(page, buddy_list)		\
	V(page, lru) V(page, park_list) V(page, slab_list)		\
	V(free_area, free_list)						\
	V(zone, dirty_lru) V(zone, free_mask) V(zone, stamp)		\
	V(zone, nr_parked) V(zone, parked_mask) V(zone, parked)		\
	V(zone, parked_lru)						\
	V(kmem_hot, heap_base) V(kmem_hot, heap_pages)			\
	V(kmem_hot, slotmap)						\
	V(magazine_cache, empty) V(magazine_cache, nr_empty)		\
	V(kmem_cache, slotmap_byte) V(kmem_cache, bin_reciprocal)	\
	V(slab_lists, partial) V(slab_lists, empty)			\
	V(kmem_cache_node, lists) V(kmem_cache_node, far)		\
	V(pcp_list, mag) V(pcp_list, order) V(pcp_list, mt)

#define VERIFY_STRUCTS(V)	V(kmem_hot) V(pcp_list) V(slab_lists)

#define VERIFY_CONSTANTS(V)						\
	V(SLAB_BINS) V(MIGRATE_TYPES) V(PARK_MAX_PAGES) V(NR_PCP_LISTS)		\
	V(SLOT_STOCK) V(STOCK_RUNS)

#define HEAP_STRUCTS(R, O)						\
	R(page) R(free_area) R(zone) R(list_head) R(percpu_state)	\
	R(magazine) R(magazine_cache) R(kmem_cache) R(kmem_cache_node)	\
	O(kmem_cache_alias) O(memblock_chunk) O(kmem_params)

#define HEAP_CONSTANTS(R, O)						\
	R(PAGE_SHIFT) R(NR_PAGE_ORDERS) R(PAGEBLOCK_ORDER) R(PERCPU_SHIFT) \
	R(SLOT_NONE) R(WORD_DRAINING) R(PT_NONE) R(PT_BUDDY) R(PT_PCP)	\
	R(PT_ALLOC) R(PT_COMP) R(PT_LARGE) R(PT_SLAB) R(PT_TAIL)	\
	R(PT_ISOLATED) R(PERCPU_RSEQ) R(PERCPU_FALLBACK)		\
	R(MAGAZINE_MAX_BYTES) O(MM_READY) O(PT_PARKED) O(PT_RCU)	\
	O(PT_STOCK) O(MAGAZINE_LEVEL_MASK)

/* size 0: the library has no such field. */
struct field {
	uint32_t offset, size;
};

#define DECLARE_FIELD(s, f)	struct field s##_##f;
#define DECLARE_STRUCT(s)	uint32_t sizeof_##s;
#define DECLARE_CONSTANT(c)	uint64_t c;

struct heap_fields {
	HEAP_FIELDS(DECLARE_FIELD, DECLARE_FIELD)
	HEAP_STRUCTS(DECLARE_STRUCT, DECLARE_STRUCT)
	HEAP_CONSTANTS(DECLARE_CONSTANT, DECLARE_CONSTANT)
	VERIFY_FIELDS(DECLARE_FIELD)
	VERIFY_STRUCTS(DECLARE_STRUCT)
	VERIFY_CONSTANTS(DECLARE_CONSTANT)
	const struct layout *layout;
};

/* Structures are copied whole, and no larger than this. */
#define STRUCT_MAX	4096

/*
 * Looks everything up, with a note for what is optional and not there. False:
 * *@error names what is missing and needed.
 */
bool fields_bind(struct heap_fields *f, const struct layout *l, struct heap *h, char **error);

/* The field of the structure that was copied to @bytes, as a number (little endian). */
static inline uint64_t value(const void *bytes, struct field f)
{
	uint64_t v = 0;

	if (f.size <= sizeof(v))
		memcpy(&v, (const char *)bytes + f.offset, f.size);
	return v;
}

#define VALUE(f, bytes, field)	value((bytes), (f)->field)

/* Counts a place that does not hold together, and says which, for verify. */
#define heap_damage(h, kind, addr, ...)					\
	((h)->torn++, finding_add(&(h)->damage, kind, addr, __VA_ARGS__))

void heap_note(struct heap *h, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif /* TOOLS_INSPECT_FIELDS_H */
