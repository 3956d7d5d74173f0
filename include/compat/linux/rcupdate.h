/* SPDX-License-Identifier: MIT */
/*
 * <linux/rcupdate.h> for kernel code: readers by liburcu, freeing by the library.
 *
 * The flavour is the one whose header was included before, or that the program names by
 * one of KMEM_RCU_MEMB, KMEM_RCU_MB, KMEM_RCU_QSBR. Otherwise it is bp, for which no
 * thread is ever registered: kernel code has no place where it could be. The program
 * links with -lurcu-bp (or -lurcu-memb, ...).
 */
#ifndef COMPAT_LINUX_RCUPDATE_H
#define COMPAT_LINUX_RCUPDATE_H

#if !defined(_URCU_MEMB_H) && !defined(_URCU_MB_H) && !defined(_URCU_QSBR_H) && \
	!defined(_URCU_BP_H) && !defined(_URCU_SIGNAL_H)
#if defined(KMEM_RCU_MEMB)
#define URCU_API_MAP
#include <urcu/urcu-memb.h>
#elif defined(KMEM_RCU_MB)
#define URCU_API_MAP
#include <urcu/urcu-mb.h>
#elif defined(KMEM_RCU_QSBR)
#include <urcu-qsbr.h>
#else
#include <urcu-bp.h>
#endif
#endif

#include <kmem/rcu.h>

#ifndef __rcu
#define __rcu
#endif

#define RCU_INIT_POINTER(p, v)		((p) = (v))
#define rcu_access_pointer(p)		rcu_dereference(p)
#define rcu_dereference_raw(p)		rcu_dereference(p)
#define rcu_dereference_check(p, c)	((void)(c), rcu_dereference(p))
#define rcu_dereference_protected(p, c)	((void)(c), (p))
#define rcu_replace_pointer(p, v, c)	((void)(c), rcu_xchg_pointer(&(p), (v)))

#define synchronize_rcu_expedited()	synchronize_rcu()
#define init_rcu_head(head)		((void)(head))
#define destroy_rcu_head(head)		((void)(head))

#endif /* COMPAT_LINUX_RCUPDATE_H */
