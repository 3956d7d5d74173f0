/* SPDX-License-Identifier: MIT */
/*
 * kernel.h - the options and the output of the kernel's slabinfo tool.
 *
 * Letters, long names, columns and their widths are the kernel's, so that its
 * users and their scripts find what they know. Where a column has no meaning in
 * a process Documentation/mm/slabinfo.rst says what stands there.
 *
 *	kernel.c		options, and which of them does what
 *	kernel_list.c		the list of caches, aliases, nodes
 *	kernel_report.c		one cache in detail
 *	kernel_totals.c		-T and -X
 */
#ifndef TOOLS_VERBS_KERNEL_H
#define TOOLS_VERBS_KERNEL_H

#include "verbs.h"

struct kernel_options {
	bool any;			/* one of them was given */
	bool aliases, slabs, report, tracking, ops, numa, totals, xtotals, validate, shrink, debug;
	const char *debug_flags;
	bool sort_active, sort_size, sort_loss, sort_partial;
	bool activity, bytes, empty, first_alias, inverted, unreclaim, zero, single_ref;
	long lines;			/* -1: all */
};

#define KERNEL_SHORT_OPTIONS	"aABd::DefilLnN:oPrsStTUvXz1"
#define KERNEL_LONG_OPTIONS						\
	{ "aliases", no_argument, NULL, 'a' },				\
	{ "activity", no_argument, NULL, 'A' },				\
	{ "Bytes", no_argument, NULL, 'B' },				\
	{ "debug", optional_argument, NULL, 'd' },			\
	{ "display-active", no_argument, NULL, 'D' },			\
	{ "empty", no_argument, NULL, 'e' },				\
	{ "first-alias", no_argument, NULL, 'f' },			\
	{ "inverted", no_argument, NULL, 'i' },				\
	{ "slabs", no_argument, NULL, 'l' },				\
	{ "Loss", no_argument, NULL, 'L' },				\
	{ "numa", no_argument, NULL, 'n' },				\
	{ "lines", required_argument, NULL, 'N' },			\
	{ "ops", no_argument, NULL, 'o' },				\
	{ "partial", no_argument, NULL, 'P' },				\
	{ "report", no_argument, NULL, 'r' },				\
	{ "shrink", no_argument, NULL, 's' },				\
	{ "Size", no_argument, NULL, 'S' },				\
	{ "tracking", no_argument, NULL, 't' },				\
	{ "Totals", no_argument, NULL, 'T' },				\
	{ "Unreclaim", no_argument, NULL, 'U' },			\
	{ "validate", no_argument, NULL, 'v' },				\
	{ "Xtotals", no_argument, NULL, 'X' },				\
	{ "zero", no_argument, NULL, 'z' },				\
	{ "1ref", no_argument, NULL, '1' }

extern const char kernel_usage[];

/* 1: taken; 0: none of these; -1: its value is wrong, and that was said. */
int kernel_option(struct kernel_options *o, int c, const char *value);

/* Does it for one heap. Returns the exit status. */
int kernel_run(struct heap **h, const struct kernel_options *o, const struct selection *s);

/* ---- between the files -------------------------------------------------------------- */

/* A cache as the kernel's tool sees it. */
struct kcache {
	const struct heap_cache *c;
	const char *name;
	uint64_t objects;		/* that the program holds */
	uint64_t space, loss;		/* bytes of its slabs; those of them that no object needs */
	uint64_t cpu;			/* magazines loaded on CPUs */
	uint64_t partobj;		/* objects in partial slabs */
	uint64_t alloc, free;		/* objects from and to the slabs, ever */
};

/* The selected ones; @nr of them, freed by the caller. */
struct kcache *kernel_caches(struct heap *h, const struct kernel_options *o,
			     const struct selection *s, size_t *nr);
void kernel_sort(struct kcache *k, size_t nr, const struct kernel_options *o);

/* The kernel's way to write sizes: 12.3K; plain with -B. */
const char *kernel_size(char *buf, size_t size, uint64_t value, bool bytes);
#define SIZE_TEXT	24

void kernel_list(struct kcache *k, size_t nr, const struct kernel_options *o);
void kernel_aliases(const struct kcache *k, size_t nr, const struct kernel_options *o);
void kernel_numa(struct heap *h, const struct kcache *k, size_t nr, bool header);
void kernel_report(struct heap *h, const struct kcache *k, const struct kernel_options *o);
void kernel_tracking(const struct kcache *k);
void kernel_ops(const struct heap *h, const struct kcache *k);
void kernel_totals(const struct kcache *k, size_t nr);

/* Bits of slab_flags_t, the library's interface (include/kmem/slab.h). */
enum {
	KF_CONSISTENCY = 0x100, KF_RED_ZONE = 0x400, KF_POISON = 0x800, KF_HWCACHE = 0x2000,
	KF_DMA = 0x4000, KF_DMA32 = 0x8000, KF_STORE_USER = 0x10000, KF_RECLAIM = 0x20000,
	KF_RCU = 0x80000, KF_TRACE = 0x200000,
};

#endif /* TOOLS_VERBS_KERNEL_H */
