/* SPDX-License-Identifier: MIT */
/*
 * percpu.h - per-CPU areas, and the operations on them that need no lock.
 *
 * Every CPU has an area of PERCPU_STRIDE bytes of address space, an array of
 * words called slots. A slot belongs to one magazine cache (magazine.h) and
 * says which magazine that CPU has loaded and how full it is, in one word:
 *
 *	area + slot word  =  address of the magazine's top round
 *
 * that is, words are relative to the area they stand in. Below a magazine's
 * first round stands NULL, behind its last one stands NULL:
 *
 *	      bottom   round[0]      round[count-1]   round[count]        round[cap]
 *	| ... | NULL | object | ... | object        | not NULL | ... | NULL | ...
 *	                              ^ top
 *
 * so an empty magazine shows as NULL at top, a full one as NULL at top + 1, and
 * neither needs a counter or a limit. The first four slots of an area are
 * always zero; a slot whose word is 0 therefore reads as a magazine that is
 * both empty and full ("closed"): both operations miss. Untouched memory is
 * zero, so areas need no initialisation, a CPU that has never run costs
 * nothing, and a cache that wants every operation on its slow path (debugging,
 * fallback mode, not yet initialised) just keeps its slots closed.
 *
 * Eight slots hold no magazines: page_stock.c keeps a run of pages in each.
 *
 * Popping and pushing read the word, read or write a round, and commit by
 * writing the word back: a restartable sequence, one store long (arch/).
 *
 * Which CPU. Where the kernel gives concurrency ids (rseq's mm_cid, Linux 6.3)
 * these are the index: a process of one thread uses one area. Else the CPU
 * number. In the text "CPU" means that index.
 *
 * Modes. RSEQ: as above, on the registrations that the C library makes or, where it
 * makes none, on ours. FALLBACK (no rseq, KMEM_CMDLINE=rseq=off): the fast
 * path finds closed slots, and the slow path works on the area of a virtual
 * CPU that is its thread's own, or of which it takes the lock first (vcpu.c). The functions
 * below hide the mode.
 */
#ifndef MM_PERCPU_H
#define MM_PERCPU_H

#include "base/compiler.h"
#include "lock.h"

#define PERCPU_SHIFT		17
#define PERCPU_STRIDE		(1UL << PERCPU_SHIFT)
#define PERCPU_SLOTS		(PERCPU_STRIDE / 8)

/*
 * Slots 0..3 are zero for ever (see above). Those of the kmalloc caches have
 * fixed numbers that fit a byte, because the slot map and the table of size
 * classes hold them; the others are given out by percpu_slot_alloc().
 */
#define SLOT_NONE		0U
#define SLOT_KMALLOC		4U
#define SLOT_STOCK		56U	/* of page_stock.c, STOCK_RUNS of them: a cache line */
#define SLOT_DYNAMIC		64U

/* Words that are no magazine. Both read as closed. */
#define WORD_CLOSED		0L
#define WORD_DRAINING		8L	/* a drainer is taking the magazine: install nothing */

enum percpu_mode { PERCPU_EARLY, PERCPU_RSEQ, PERCPU_FALLBACK };

/*
 * All that the fast paths load besides the maps: one cache line, written
 * during start-up, read-only from then on but for the numbers of pages, which grow.
 */
struct kmem_hot {
	char *percpu_base;		/* area of CPU 0; an area of zeros in FALLBACK mode */
	long rseq_cs_off;		/* of rseq->rseq_cs from the thread pointer */
	long cpu_off;			/* of rseq->mm_cid (or cpu_id) from the thread pointer */
	char *heap_base;		/* zones[0]->base */
	unsigned long heap_pages;	/* zones[0]->nr_present; 0 until it is ready */
	u8 *slotmap;			/* zones[0]->slotmap */
	unsigned long hit_pages;	/* heap_pages, or 0: frees need not try to hit; FALLBACK mode */
	unsigned long fast_limit;	/* malloc sizes below it may hit: KMALLOC_TABLE_MAX + 1, or 0 */
} __cacheline_aligned;

extern struct kmem_hot kmem_hot __kmem_internal;

struct percpu_state {
	enum percpu_mode mode;
	bool use_cid;			/* the index is mm_cid, not cpu_id */
	bool by_thread;			/* each has to be made ready: percpu_thread_ready() */
	int pid;			/* the process that the memory is of; start-up's, and fork's child's to write */
	bool can_drain;			/* membarrier answers: remote magazines can be taken */
	unsigned int nr_cpus;		/* areas */
	char *base;			/* area of CPU 0, in either mode */
	char *closed;			/* an area of zeros for each CPU, or for all; never written */
	unsigned int vforks;		/* vfork children alive: nobody uses magazines (vfork.c) */
};

extern struct percpu_state percpu __kmem_internal;

/* Chooses the mode and makes the areas; false when there is no memory. */
bool percpu_init(void);

/* ---- operations, in both modes ---------------------------------------------- */

bool __percpu_thread_ready(void);
bool __percpu_thread_known(void);

/*
 * Whether the caller's sections work: its CPU has a number for it. Registers it where that
 * is up to us; in fallback mode, gets it a virtual CPU of its own. False: nothing but
 * percpu_word() and what misses may be called; it uses the copy of the last CPU, with atomic
 * operations, which all such threads share. To be called on the way to the operations below,
 * which make no system call. Context: no lock held.
 */
static inline bool percpu_thread_ready(void)
{
	return likely(!percpu.by_thread) || __percpu_thread_ready();
}

/* The same without registering: no system call. */
static inline bool percpu_thread_known(void)
{
	return likely(!percpu.by_thread) || __percpu_thread_known();
}

/* A thread that begins with zeros where others have initial values: the library's own. */
void percpu_thread_init(void);

/* The CPU that the caller runs on right now; stale as soon as it is known. */
unsigned int percpu_cpu(void);
/* The same, as a hint: of a thread that is not ready for it, any. No system call. */
unsigned int percpu_cpu_hint(void);

/*
 * That CPU, and the word of @slot there. WORD_DRAINING: the slot may not be used at present.
 */
long percpu_word(unsigned int slot, unsigned int *cpu);

/* Takes the top round of the loaded magazine; NULL: empty or closed. */
void *percpu_pop(unsigned int slot);
/* Puts a round on top of it; false: full or closed. */
bool percpu_push(unsigned int slot, void *object);

/*
 * The same for up to @n > 0 rounds at once, the top one first; how many it was. A
 * NULL among those to be pushed ends it.
 */
size_t percpu_pop_bulk(unsigned int slot, void **objects, size_t n);
size_t percpu_push_bulk(unsigned int slot, void *const *objects, size_t n);

/*
 * Replaces the word of @slot on @cpu if the caller runs there and it is still
 * @expect. True: done, and the magazine that @expect spoke of is the caller's.
 * Words are made by word_of() and read by round_of().
 */
bool percpu_cmpxchg(unsigned int cpu, unsigned int slot, long expect, long new);

/*
 * Takes the magazines loaded on every CPU for @slot, one by one, from whatever
 * CPU they are on: fn(top round, arg) is called for each, owned by the callee.
 * Context: drain_mutex held. Returns false if some could not be taken because
 * the kernel offers no membarrier, or because each time somebody was just using them.
 */
bool percpu_drain(unsigned int slot, void (*fn)(void **top, void *arg), void *arg);
/*
 * Between a store and a drain: a magazine that the drain does not find was loaded after it, by
 * a thread that sees the store from there on.
 */
void percpu_barrier(void);
/* The same for a slot that nobody uses any more (its cache is being destroyed). */
void percpu_drain_dead(unsigned int slot, void (*fn)(void **top, void *arg), void *arg);

static inline char *percpu_area(unsigned int cpu)
{
	return percpu.base + ((unsigned long)cpu << PERCPU_SHIFT);
}

static inline long *percpu_slot(unsigned int cpu, unsigned int slot)
{
	return (long *)percpu_area(cpu) + slot;
}

static inline long word_of(unsigned int cpu, void **top)
{
	/*
	 * The compiler does not see a difference as a copy of the pointer; what
	 * the rounds lie in is to count as known elsewhere from here on.
	 */
	__asm__("" : "+r" (top) : : "memory");
	return (char *)top - percpu_area(cpu);
}

static inline void **round_of(unsigned int cpu, long word)
{
	return (void **)(percpu_area(cpu) + word);
}

/* ---- slot numbers ------------------------------------------------------------- */

/* A free slot number, its words closed on every CPU; SLOT_NONE when all are taken. */
unsigned int percpu_slot_alloc(void);
void percpu_slot_free(unsigned int slot);

/* While a vfork child is alive all slots read as WORD_DRAINING. Nests. */
void percpu_vfork_enter(void);
void percpu_vfork_leave(void);

/*
 * Fork: with no lock held; the locks of the virtual CPUs and vfork()'s; with none held again,
 * in the child, which has no vfork children.
 */
void percpu_fork_prepare(void);
void percpu_fork_lock(void);
void percpu_fork_unlock(void);
void percpu_fork_child(void);

#endif /* MM_PERCPU_H */
