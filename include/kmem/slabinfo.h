/* SPDX-License-Identifier: MIT */
/**
 * DOC: slabinfo.h - a program looks at its own heap, and says who else may.
 *
 * The same numbers as tools/slabinfo gives from outside (Documentation/mm/
 * slabinfo.rst says what each means), for a program that exports them or that
 * wants to know itself. Names of members are the kernel's struct slabinfo's
 * where that has them.
 *
 * Context of all functions: any thread, no lock of the library held; they take
 * locks (slab_mutex, and each cache's in turn), so not from signal handlers.
 * None allocates, none changes errno. Numbers of one cache are of one moment;
 * those of different caches are not, while other threads go on.
 */
#ifndef KMEM_SLABINFO_H
#define KMEM_SLABINFO_H

#include <kmem/types.h>

#define KMEM_SLABINFO_NAME	64
#define KMEM_SLABINFO_ORDERS	16

struct kmem_cache;

/**
 * struct kmem_slabinfo - a cache in numbers
 * @name: its name, cut to fit
 * @active_objs: objects that the program holds
 * @num_objs: objects in all its slabs
 * @active_slabs: slabs with an object in use or in a magazine
 * @num_slabs: all slabs
 * @shared_avail: objects in the depot
 * @in_magazines: objects in magazines, those in the depot included
 * @limit: rounds of the magazines that it makes at present; 0: none
 * @batchcount: full magazines that its depot may hold
 * @shared: 0
 * @objects_per_slab: objects in a slab
 * @cache_order: a slab has 2^this pages of 4096 bytes
 * @object_size: bytes of an object as asked for
 * @size: bytes from one object to the next
 * @align: alignment of objects
 * @flags: SLAB_ flags (slab.h)
 * @aliases: further names that share it
 */
struct kmem_slabinfo {
	char name[KMEM_SLABINFO_NAME];
	unsigned long active_objs;
	unsigned long num_objs;
	unsigned long active_slabs;
	unsigned long num_slabs;
	unsigned long shared_avail;
	unsigned long in_magazines;
	unsigned int limit;
	unsigned int batchcount;
	unsigned int shared;
	unsigned int objects_per_slab;
	unsigned int cache_order;
	unsigned int object_size;
	unsigned int size;
	unsigned int align;
	slab_flags_t flags;
	unsigned int aliases;
};

/**
 * struct kmem_zoneinfo - a zone in numbers, of pages of 4096 bytes
 * @node: NUMA node
 * @reserved: address space
 * @present: pages that were ever made ready
 * @free: free pages
 * @dirty: those of them, and of @parked, that still hold memory
 * @parked: pages of large objects freed last, kept whole
 * @purged: pages given back to the system, ever
 * @nr_free: free blocks by order
 */
struct kmem_zoneinfo {
	int node;
	unsigned long reserved;
	unsigned long present;
	unsigned long free;
	unsigned long dirty;
	unsigned long parked;
	unsigned long purged;
	unsigned long nr_free[KMEM_SLABINFO_ORDERS];
};

KMEM_BEGIN_DECLS

/**
 * kmem_slabinfo_cache - numbers of one cache
 * @s: a cache
 * @info: filled
 */
void kmem_slabinfo_cache(struct kmem_cache *s, struct kmem_slabinfo *info);

/**
 * kmem_slabinfo_caches - numbers of all caches, in the order of slabinfo
 * @info: array for the first @nr of them; may be NULL if @nr is 0
 * @nr: its length
 * Return: how many caches there are, which may be more than @nr.
 */
size_t kmem_slabinfo_caches(struct kmem_slabinfo *info, size_t nr);

/**
 * kmem_slabinfo_zones - numbers of all zones: what buddyinfo shows
 * @info: array for the first @nr of them; may be NULL if @nr is 0
 * @nr: its length
 * Return: how many zones there are.
 */
size_t kmem_slabinfo_zones(struct kmem_zoneinfo *info, size_t nr);

/**
 * kmem_slabinfo_show - the kernel's /proc/slabinfo, version 2.1, line by line
 * @line: called for each line, which ends in a newline and in NUL; @len without NUL. No
 *	lock is held.
 * @arg: passed to it
 */
void kmem_slabinfo_show(void (*line)(void *arg, const char *text, size_t len), void *arg);

/**
 * kmem_control_allow - lets tools outside ask for something to be done, or no longer
 * @on: allow it: "slabinfo -s" then shrinks caches. As KMEM_CMDLINE=control=on.
 *
 * Who asks needs the right to write this process's memory, as a debugger does.
 * While it is allowed the library's thread is there.
 * Return: 0; -EAGAIN: allowed, but there can be no thread, so that a request waits
 * until the program frees pages; -ENOMEM: the library can't start.
 */
int kmem_control_allow(bool on);

/**
 * kmem_inspect_allow - lets any process of the same user look at this one
 * @any: any process; false: ancestors, as the system is set up
 *
 * For systems with kernel.yama.ptrace_scope=1. As KMEM_CMDLINE=inspect=any.
 * Return: 0; -EINVAL on a system without such a restriction.
 */
int kmem_inspect_allow(bool any);

KMEM_END_DECLS

#endif /* KMEM_SLABINFO_H */
