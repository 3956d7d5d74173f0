// SPDX-License-Identifier: MIT
/*
 * layout.c - writes the description of the layout (layout.h) into the note.
 *
 * C can't say "the distance from here to that symbol" in a constant, the
 * assembler can; and the assembler can't say offsetof(), the compiler can.
 * So each line is an asm statement in a function that nobody calls, with
 * offset and size as immediate operands printed into the text: the compiler
 * checks names and computes numbers, the linker distances. The function's own
 * code is a lone return.
 *
 * Nothing here has a state, and nothing of it runs.
 */
#include "layout.h"

#include "buddy.h"
#include "cmdline.h"
#include "control.h"
#include "magazine.h"
#include "memblock.h"
#include "mmzone.h"
#include "percpu.h"
#include "slab.h"
#include "start.h"

#ifndef KMEM_VERSION
#define KMEM_VERSION "0.0.0"
#endif

BUILD_BUG_ON(sizeof(struct kmem_layout_header) != 16);

#define IN_NOTE(text)							\
	".pushsection .note.kmem, \"a\", %%note\n" text "\n.popsection\n"

/*
 * Notes are 4-byte aligned: desc starts there, too. The volatile asm
 * statements of one function keep their order, and so do the section's bytes.
 */
#define NOTE_BEGIN()							\
	__asm__ volatile(IN_NOTE(						\
		".balign 4\n"						\
		".globl kmem_layout\n"					\
		".hidden kmem_layout\n"					\
		"kmem_layout:\n"					\
		".long 5, .Lkmem_desc_end - .Lkmem_desc, %c0\n"		\
		".asciz \"" KMEM_NOTE_NAME "\"\n"			\
		".balign 4\n"						\
		".Lkmem_desc:\n"					\
		".long %c1, %c2\n"					\
		".long (.Lkmem_text - .Lkmem_symbols) / 8\n"		\
		".long .Lkmem_desc_end - .Lkmem_text\n"			\
		".Lkmem_symbols:")					\
		:: "i"(KMEM_NOTE_LAYOUT), "i"(KMEM_LAYOUT_VERSION),	\
		   "i"(sizeof(struct kmem_layout_header)))

/* The name is checked by the operand, used by the assembler. */
#define DISTANCE(sym)							\
	__asm__ volatile(IN_NOTE(".hidden " #sym "\n.8byte " #sym " - .")	\
			 :: "i"(sizeof(sym)))

#define TEXT_BEGIN()							\
	__asm__ volatile(IN_NOTE(".Lkmem_text:\n"				\
				 ".ascii \"V " KMEM_VERSION "\\n\"") ::)
#define NAME(sym)							\
	__asm__ volatile(IN_NOTE(".ascii \"S " #sym "\\n\"") ::)

#define STRUCT(s)							\
	__asm__ volatile(IN_NOTE(".ascii \"T " #s " %c0\\n\"")		\
			 :: "i"(sizeof(struct s)))
#define FIELD(s, f)							\
	__asm__ volatile(IN_NOTE(".ascii \" " #f " %c0 %c1\\n\"")		\
			 :: "i"(offsetof(struct s, f)),			\
			    "i"(sizeof(((struct s *)0)->f)))
/* An array at a struct's end, of no size of its own. */
#define FIELD_START(s, f)						\
	__asm__ volatile(IN_NOTE(".ascii \" " #f " %c0 0\\n\"")		\
			 :: "i"(offsetof(struct s, f)))
#define CONSTANT(c)							\
	__asm__ volatile(IN_NOTE(".ascii \"C " #c " %c0\\n\"") :: "i"(c))
#define VALUE(name, v)							\
	__asm__ volatile(IN_NOTE(".ascii \"C " name " %c0\\n\"") :: "i"(v))

#define NOTE_END()							\
	__asm__ volatile(IN_NOTE(".Lkmem_desc_end:\n.balign 4") ::)

/* The roots from which all else is found. */
#define SYMBOLS(X)							\
	X(host_page_order);						\
	X(kmem_control);						\
	X(kmem_hot);							\
	X(kmem_params);							\
	X(memblock_chunks);						\
	X(mm_state);							\
	X(nr_nodes);							\
	X(nr_zones);							\
	X(pcp_lists);							\
	X(percpu);							\
	X(slab_caches);							\
	X(zones)

static __always_inline void describe_pages(void)
{
	STRUCT(page);
	FIELD(page, type);
	FIELD(page, order);
	FIELD(page, zone);
	FIELD(page, migratetype);
	FIELD(page, inuse);
	FIELD(page, head_distance);
	FIELD(page, free_stamp);
	FIELD(page, slab_cache);
	FIELD(page, slab_list);
	FIELD(page, buddy_list);
	FIELD(page, nr_pages);
	FIELD(page, requested);
	FIELD(page, park_list);
	FIELD(page, bitmap);
	FIELD(page, lru);
	STRUCT(free_area);
	FIELD(free_area, free_list);
	FIELD(free_area, nr_free);
	STRUCT(zone);
	FIELD(zone, base);
	FIELD(zone, nr_pages);
	FIELD(zone, memmap);
	FIELD(zone, slotmap);
	FIELD(zone, dirty);
	FIELD(zone, pageblock_type);
	FIELD(zone, free_max);
	FIELD(zone, index);
	FIELD(zone, node);
	FIELD(zone, low);
	FIELD(zone, nr_present);
	FIELD(zone, nr_committed);
	FIELD(zone, nr_free);
	FIELD(zone, nr_dirty_free);
	FIELD(zone, free_area);
	FIELD(zone, dirty_lru);
	FIELD(zone, free_mask);
	FIELD(zone, stamp);
	FIELD(zone, nr_parked);
	FIELD(zone, parked_mask);
	FIELD(zone, parked);
	FIELD(zone, parked_lru);
	FIELD(zone, nr_purged);
	FIELD(zone, nr_steals);
	STRUCT(list_head);
	FIELD(list_head, next);
	FIELD(list_head, prev);
	STRUCT(pcp_list);
	FIELD(pcp_list, mag);
	FIELD(pcp_list, order);
	FIELD(pcp_list, mt);
}

static __always_inline void describe_percpu(void)
{
	STRUCT(kmem_hot);
	FIELD(kmem_hot, percpu_base);
	FIELD(kmem_hot, heap_base);
	FIELD(kmem_hot, heap_pages);
	FIELD(kmem_hot, slotmap);
	STRUCT(percpu_state);
	FIELD(percpu_state, mode);
	FIELD(percpu_state, use_cid);
	FIELD(percpu_state, can_drain);
	FIELD(percpu_state, nr_cpus);
	FIELD(percpu_state, base);
	FIELD(percpu_state, closed);
	STRUCT(magazine);
	FIELD(magazine, next);
	FIELD(magazine, spare);
	FIELD(magazine, capacity);
	FIELD(magazine, count);
	FIELD(magazine, bottom);
	FIELD_START(magazine, round);
	STRUCT(magazine_cache);
	FIELD(magazine_cache, slot);
	FIELD(magazine_cache, level);
	FIELD(magazine_cache, max_level);
	FIELD(magazine_cache, round_bytes);
	FIELD(magazine_cache, full);
	FIELD(magazine_cache, empty);
	FIELD(magazine_cache, nr_full);
	FIELD(magazine_cache, nr_empty);
	FIELD(magazine_cache, max_full);
	FIELD(magazine_cache, nr_depot_get);
	FIELD(magazine_cache, nr_depot_put);
	FIELD(magazine_cache, nr_refill);
	FIELD(magazine_cache, nr_flush);
}

static __always_inline void describe_caches(void)
{
	STRUCT(kmem_cache);
	FIELD(kmem_cache, mag);
	FIELD(kmem_cache, flags);
	FIELD(kmem_cache, size);
	FIELD(kmem_cache, object_size);
	FIELD(kmem_cache, align);
	FIELD(kmem_cache, objects);
	FIELD(kmem_cache, order);
	FIELD(kmem_cache, bin_reciprocal);
	FIELD(kmem_cache, slotmap_byte);
	FIELD(kmem_cache, migratetype);
	FIELD(kmem_cache, ctor);
	FIELD(kmem_cache, useroffset);
	FIELD(kmem_cache, usersize);
	FIELD(kmem_cache, name);
	FIELD(kmem_cache, node);
	FIELD(kmem_cache, refcount);
	FIELD(kmem_cache, list);
	FIELD(kmem_cache, aliases);
	STRUCT(slab_lists);
	FIELD(slab_lists, partial);
	FIELD(slab_lists, empty);
	STRUCT(kmem_cache_node);
	FIELD(kmem_cache_node, lists);
	FIELD(kmem_cache_node, far);
	FIELD(kmem_cache_node, nr_slabs);
	FIELD(kmem_cache_node, nr_partial);
	FIELD(kmem_cache_node, nr_empty);
	FIELD(kmem_cache_node, nr_inuse);
	FIELD(kmem_cache_node, alloc_slab);
	FIELD(kmem_cache_node, free_slab);
	FIELD(kmem_cache_node, alloc_slowpath);
	FIELD(kmem_cache_node, free_slowpath);
	STRUCT(kmem_cache_alias);
	FIELD(kmem_cache_alias, list);
	FIELD(kmem_cache_alias, name);
}

static __always_inline void describe_rest(void)
{
	STRUCT(memblock_chunk);
	FIELD(memblock_chunk, addr);
	FIELD(memblock_chunk, size);
	FIELD(memblock_chunk, next);
	STRUCT(kmem_params);
	FIELD(kmem_params, rseq);
	FIELD(kmem_params, decay_ms);
	FIELD(kmem_params, reclaim);
	FIELD(kmem_params, purge_lazy);
	FIELD(kmem_params, slab_nomerge);
	FIELD(kmem_params, slab_debug_checks);
	FIELD(kmem_params, init_on_alloc);
	FIELD(kmem_params, init_on_free);
}

static __always_inline void describe_control(void)
{
	STRUCT(kmem_control);
	FIELD(kmem_control, allowed);
	FIELD(kmem_control, looks);
	FIELD(kmem_control, request);
	FIELD(kmem_control, answer);
	STRUCT(kmem_control_request);
	FIELD(kmem_control_request, nonce);
	FIELD(kmem_control_request, op);
	FIELD(kmem_control_request, arg);
	FIELD(kmem_control_request, check);
	STRUCT(kmem_control_answer);
	FIELD(kmem_control_answer, nonce);
	FIELD(kmem_control_answer, error);
	FIELD(kmem_control_answer, value);
	CONSTANT(KMEM_CONTROL_MAGIC);
	CONSTANT(KMEM_CONTROL_SHRINK);
	CONSTANT(KMEM_CONTROL_DEBUG);
}

static __always_inline void describe_constants(void)
{
	CONSTANT(PAGE_SHIFT);
	CONSTANT(NR_PAGE_ORDERS);
	CONSTANT(PAGEBLOCK_ORDER);
	CONSTANT(MAX_ZONES);
	CONSTANT(PARK_MAX_PAGES);
	CONSTANT(SLOT_STOCK);
	CONSTANT(STOCK_RUNS);
	VALUE("NR_PCP_LISTS", NR_PCP_ORDERS * MIGRATE_TYPES);
	CONSTANT(PERCPU_SHIFT);
	CONSTANT(SLOT_NONE);
	CONSTANT(WORD_DRAINING);
	CONSTANT(SLAB_BINS);
	CONSTANT(PT_NONE);
	CONSTANT(PT_BUDDY);
	CONSTANT(PT_PCP);
	CONSTANT(PT_ALLOC);
	CONSTANT(PT_COMP);
	CONSTANT(PT_LARGE);
	CONSTANT(PT_SLAB);
	CONSTANT(PT_TAIL);
	CONSTANT(PT_ISOLATED);
	CONSTANT(PT_PARKED);
	CONSTANT(PT_RCU);
	CONSTANT(PT_STOCK);
	/* A new type is to be named here and in tools/inspect/rss.c. */
	BUILD_BUG_ON(NR_PAGE_TYPES != 12);
	CONSTANT(MIGRATE_UNMOVABLE);
	CONSTANT(MIGRATE_MOVABLE);
	CONSTANT(MIGRATE_RECLAIMABLE);
	CONSTANT(MIGRATE_TYPES);
	CONSTANT(MM_READY);
	CONSTANT(PERCPU_EARLY);
	CONSTANT(PERCPU_RSEQ);
	CONSTANT(PERCPU_FALLBACK);
	CONSTANT(MAGAZINE_LEVELS);
	CONSTANT(MAGAZINE_LEVEL_MASK);
	VALUE("MAGAZINE_CAPACITY0", MAGAZINE_CAPACITY(0));
	VALUE("MAGAZINE_CAPACITY1", MAGAZINE_CAPACITY(1));
	VALUE("MAGAZINE_CAPACITY2", MAGAZINE_CAPACITY(2));
	VALUE("MAGAZINE_CAPACITY3", MAGAZINE_CAPACITY(3));
	VALUE("MAGAZINE_CAPACITY4", MAGAZINE_CAPACITY(4));
	VALUE("MAGAZINE_CAPACITY5", MAGAZINE_CAPACITY(5));
	VALUE("MAGAZINE_CAPACITY6", MAGAZINE_CAPACITY(6));
	VALUE("MAGAZINE_CAPACITY7", MAGAZINE_CAPACITY(7));
	VALUE("MAGAZINE_MAX_BYTES", MAGAZINE_BYTES(MAGAZINE_LEVELS - 1));
	BUILD_BUG_ON(MAGAZINE_LEVELS != 8);
}

static __used noinline __attribute__((no_instrument_function)) void kmem_layout_note(void)
{
	NOTE_BEGIN();
	SYMBOLS(DISTANCE);
	TEXT_BEGIN();
	SYMBOLS(NAME);
	describe_pages();
	describe_percpu();
	describe_caches();
	describe_rest();
	describe_control();
	describe_constants();
	NOTE_END();
}
