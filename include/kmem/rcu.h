/* SPDX-License-Identifier: MIT */
/**
 * DOC: rcu.h - freeing after a grace period.
 *
 * Contracts: the kernel's include/linux/rcupdate.h and include/linux/slab.h. Readers
 * are liburcu's: rcu_read_lock() and the like come from its headers, in the flavour
 * (memb, mb, qsbr, bp) that the program links with. The library finds the flavours of
 * the process by itself and waits for the readers of all of them; it links none.
 * Documentation/core-api/rcu.rst has the details, and complete examples.
 *
 * No thread needs to be registered with liburcu to call anything here.
 */
#ifndef KMEM_RCU_H
#define KMEM_RCU_H

#include <kmem/types.h>

struct kmem_cache;
struct rcu_head;		/* liburcu's */
struct rcu_flavor_struct;	/* liburcu's, <urcu/flavor.h> */

/**
 * struct kmem_rcu_head - room in an object for kfree_rcu(), in a program that does
 * not include liburcu's headers, which have struct rcu_head for it
 */
struct kmem_rcu_head {
	void *reserved[2];
};

KMEM_BEGIN_DECLS

/**
 * kvfree_call_rcu - what the macros below call
 * @head: room for two pointers inside the object, used when there is no memory to
 *	note the object elsewhere; NULL: the call may then wait for a grace period
 * @ptr: memory of kmalloc(), kvmalloc(), vmalloc() or any cache
 *
 * Context: any thread, in a read-side section, too (with @head NULL: not in one).
 * Mostly takes no lock and waits for nothing; else it takes locks, may start a
 * thread, and may make system calls. Where more than 64 MiB wait to be freed, and the
 * caller is not in a read-side section, it sleeps for up to 10 ms. Does not change
 * errno. A pointer that is no object is reported and aborts, as by kfree().
 */
void kvfree_call_rcu(struct rcu_head *head, void *ptr);

/**
 * kvfree_rcu_barrier - wait until all that was given to kfree_rcu() before is freed
 *
 * Context: sleeps for up to a few grace periods. Not in a read-side section, not from
 * a destructor of objects.
 */
void kvfree_rcu_barrier(void);
/** kvfree_rcu_barrier_on_cache - the same as far as objects of @s go. */
void kvfree_rcu_barrier_on_cache(struct kmem_cache *s);

/**
 * kmem_rcu_use_flavor - wait for the readers of this flavour, too
 * @flavor: its table, for which liburcu's name is rcu_flavor; stays where it is
 *
 * Needed only for a flavour that the library cannot see: one that came by dlopen() or
 * is linked statically into a shared object, where no file that includes <kmem/rcu.h>
 * did. Return: 0; -EINVAL: no table; -ENOSPC: more than eight.
 * Context: before the first read-side section of that flavour.
 */
int kmem_rcu_use_flavor(const struct rcu_flavor_struct *flavor);

/*
 * The flavours' tables; NULL are those that the program does not have. One whose header
 * was included before is referred to as usual: a weak reference alone would not make a
 * linker that goes "as needed" keep its library.
 */
#ifdef _URCU_MEMB_H
#define __KMEM_RCU_MEMB
#else
#define __KMEM_RCU_MEMB	__attribute__((weak))
#endif
#ifdef _URCU_MB_H
#define __KMEM_RCU_MB
#else
#define __KMEM_RCU_MB	__attribute__((weak))
#endif
#ifdef _URCU_QSBR_H
#define __KMEM_RCU_QSBR
#else
#define __KMEM_RCU_QSBR	__attribute__((weak))
#endif
#ifdef _URCU_BP_H
#define __KMEM_RCU_BP
#else
#define __KMEM_RCU_BP	__attribute__((weak))
#endif
#ifdef _URCU_SIGNAL_H
#define __KMEM_RCU_SIGNAL
#else
#define __KMEM_RCU_SIGNAL	__attribute__((weak))
#endif

extern const struct rcu_flavor_struct urcu_memb_flavor __KMEM_RCU_MEMB;
extern const struct rcu_flavor_struct urcu_mb_flavor __KMEM_RCU_MB;
extern const struct rcu_flavor_struct urcu_qsbr_flavor __KMEM_RCU_QSBR;
extern const struct rcu_flavor_struct urcu_bp_flavor __KMEM_RCU_BP;
extern const struct rcu_flavor_struct urcu_signal_flavor __KMEM_RCU_SIGNAL;

KMEM_END_DECLS

#ifndef __KMEM_RCU_NO_CONSTRUCTOR
/* Tells the library of the flavours that this object is linked with. */
__attribute__((constructor, unused))
static void __kmem_rcu_flavors(void)
{
	const struct rcu_flavor_struct *const flavors[] = {
		&urcu_memb_flavor, &urcu_mb_flavor, &urcu_qsbr_flavor, &urcu_bp_flavor,
		&urcu_signal_flavor,
	};

	for (unsigned int i = 0; i < sizeof(flavors) / sizeof(flavors[0]); i++)
		if (flavors[i])
			kmem_rcu_use_flavor(flavors[i]);
}
#endif

/* 0, or a compile error: the field lies below 4096 and has room for two pointers. */
#define __KMEM_RCU_CHECK(p, field)					\
	(0 * sizeof(char[__builtin_offsetof(__typeof__(*(p)), field) < 4096 && \
			 sizeof((p)->field) >= sizeof(struct kmem_rcu_head) ? 1 : -1]))

#define __KMEM_KVFREE_RCU_2(ptr, field) do {				\
	__typeof__(ptr) ___p = (ptr);					\
									\
	(void)__KMEM_RCU_CHECK(___p, field);				\
	if (___p)							\
		kvfree_call_rcu((struct rcu_head *)&___p->field, (void *)___p); \
} while (0)

#define __KMEM_KVFREE_RCU_1(ptr) do {					\
	__typeof__(ptr) ___p = (ptr);					\
									\
	if (___p)							\
		kvfree_call_rcu(NULL, (void *)___p);			\
} while (0)

#define __KMEM_KVFREE_RCU_PICK(_1, _2, name, ...) name

/**
 * kvfree_rcu, kfree_rcu - kvfree() once no reader can be looking any more
 * @ptr: the object; NULL is allowed
 * @field: its member that may be overwritten once no new reader can find it: a
 *	struct rcu_head or struct kmem_rcu_head, less than 4096 bytes from its start
 *
 * Without @field, as kernels from 5.9 to 6.2 had it, it is kvfree_rcu_mightsleep().
 *
 * The memory is freed within 50 ms and two grace periods, by a thread of the
 * library, in batches.
 */
#define kvfree_rcu(...)							\
	__KMEM_KVFREE_RCU_PICK(__VA_ARGS__, __KMEM_KVFREE_RCU_2, __KMEM_KVFREE_RCU_1, _)(__VA_ARGS__)
#define kfree_rcu(...)			kvfree_rcu(__VA_ARGS__)

/**
 * kvfree_rcu_mightsleep, kfree_rcu_mightsleep - the same for objects without a field
 * When there is no memory to note the object it waits for a grace period itself: not
 * in a read-side section.
 */
#define kvfree_rcu_mightsleep(ptr)	__KMEM_KVFREE_RCU_1(ptr)
#define kfree_rcu_mightsleep(ptr)	__KMEM_KVFREE_RCU_1(ptr)

#endif /* KMEM_RCU_H */
