/* SPDX-License-Identifier: MIT */
/*
 * cmdline.h - KMEM_CMDLINE, in the syntax of the kernel's command line.
 *
 * Options are separated by white space; a value follows '='; double quotes
 * protect white space ("a=b c" and a="b c" alike); '-' and '_' are the same in
 * names. The string is parsed once, in place of any other environment lookup,
 * without allocating; it is ignored in set-user-id programs. An unknown option
 * or a malformed value is named on stderr and ignored, the others count.
 *
 * Options are declared in one table in cmdline.c, each with the name, the kind,
 * where the value goes and one line of help; Documentation/admin-guide/
 * kmem-cmdline.rst describes them and a test compares the two.
 */
#ifndef MM_CMDLINE_H
#define MM_CMDLINE_H

#include "base/compiler.h"

struct kmem_params {
	/*
	 * rseq=on|off. off: fallback mode.
	 */
	bool rseq;
	/*
	 * decay_ms=N (0..3600000): free pages go back to the system once they
	 * have been free this long. 0: at once. Default 1000.
	 */
	unsigned int decay_ms;
	/* reclaim=on|off: whether the background reclaimer may start. */
	bool reclaim;
	/* sandbox: once running, only calls that every malloc makes. No reclaimer. */
	bool sandbox;
	/* purge=dontneed|free: how pages go back (MADV_DONTNEED or MADV_FREE). */
	bool purge_lazy;
	/* thp=never|madvise: whether whole free pageblocks are advised for huge pages. */
	bool thp;
	/* slab_nomerge: no cache is an alias of another. */
	bool slab_nomerge;
	/*
	 * slab_debug=F[,name[,name...]] (also slub_debug): consistency checks on
	 * every free of the named caches ('*' at the end matches), of all if
	 * none is named; '-' is off. Letters of the kernel that are not offered
	 * are named on stderr.
	 */
	bool slab_debug_checks;
	char slab_debug_names[128];	/* comma separated; "" is all */
	/* init_on_alloc=0|1, init_on_free=0|1: zero objects when taken, when given back. */
	bool init_on_alloc, init_on_free;
	/* heap_reserve=SIZE[KMGT]: address space of the first zone; 0: chosen. */
	unsigned long heap_reserve;
	/*
	 * control=on|off: whether slabinfo may ask for something to be done
	 * (control.h). inspect=any|same: who may read this process's memory where
	 * the system restricts that to ancestors (Yama).
	 */
	bool control, inspect_any;
	/* limit=SIZE, soft_limit=SIZE: memory in use (page_limit.c); 0: any amount. */
	unsigned long limit, soft_limit;
	/* min_free=SIZE: reserves kept from the start; 0: chosen, once somebody asks for them. */
	unsigned long min_free;
	/* numa=on|off|fake=N: whether nodes are told apart; N > 0: as if there were so many. */
	bool numa;
	unsigned int numa_fake;
	/* nr_cpus=N: with fewer than there are, fallback mode with so many virtual CPUs; 0: all. */
	unsigned int nr_cpus;
	/* verbose: one line on stderr at start-up with the mode and the sizes. */
	bool verbose;
};

extern struct kmem_params kmem_params;

enum cmdline_kind {
	OPT_FLAG,	/* bool: the name alone, or a switch as below */
	OPT_SWITCH,	/* bool: on, off, 1, 0, y, n, yes, no */
	OPT_CHOICE,	/* bool: words[0] is false, words[1] is true */
	OPT_UINT,	/* unsigned int: decimal, 0 .. limit */
	OPT_SIZE,	/* unsigned long: decimal with K, M, G or T behind it, 0 .. limit */
	OPT_NUMA,	/* a switch, or fake=N */
	OPT_SLAB_DEBUG,	/* letters and names */
};

struct cmdline_option {
	const char *name;
	const char *values;		/* as the documentation writes them; "" for none */
	const char *help;		/* one line */
	enum cmdline_kind kind;
	size_t offset;			/* of the member of struct kmem_params */
	const char *words[2];
	unsigned long limit;
};

extern const struct cmdline_option cmdline_options[];
extern const unsigned int nr_cmdline_options;

/* Reads KMEM_CMDLINE into kmem_params. Called once, first thing in mm_init(). */
void cmdline_init(void);
/* The parser itself, for tests: @line may be NULL. Starts from the defaults. */
void cmdline_parse(struct kmem_params *p, const char *line);
/* Whether slab_debug= names this cache. */
bool cmdline_slab_debug(const struct kmem_params *p, const char *cache_name);

#endif /* MM_CMDLINE_H */
