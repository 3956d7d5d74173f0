// SPDX-License-Identifier: MIT
/*
 * control.c - looks at requests from outside and does what they ask for.
 *
 * The words are written by another process at any time, in any order, so they are
 * copied first, judged by the copy's check, and never read again. One looker at
 * a time: `busy` is claimed by exchange, and who does not get it goes away.
 *
 * Locks: none here; what is asked for takes its own.
 */
#include "control.h"

#include <errno.h>

#include <kmem/slabinfo.h>

#include "cmdline.h"
#include "host/host.h"
#include "init.h"
#include "slab.h"

struct kmem_control kmem_control;

static u32 busy;

static u64 pages_purged(void)
{
	unsigned int n = smp_load_acquire(&nr_zones);
	u64 pages = 0;

	for (unsigned int i = 0; i < n; i++)
		pages += READ_ONCE(zones[i]->nr_purged);
	return pages;
}

static int shrink(u64 cache, u64 *pages)
{
	u64 before = pages_purged();
	int err = 0;

	if (cache)
		err = slab_shrink_listed((const struct kmem_cache *)cache);
	else
		vmscan_trim_caches();
	*pages = pages_purged() - before;
	return err;
}

/* Objects that exist have no room for what the other flags would put beside them. */
static int debug(u64 flags)
{
	if (flags & ~(u64)SLAB_CONSISTENCY_CHECKS)
		return -EOPNOTSUPP;
	slab_set_checks(flags != 0);
	return 0;
}

/* The request, if there is one that was not answered yet. Copied word by word. */
static bool take_request(struct kmem_control_request *r)
{
	const struct kmem_control_request *from = &kmem_control.request;

	r->nonce = READ_ONCE(from->nonce);
	r->op = READ_ONCE(from->op);
	r->arg = READ_ONCE(from->arg);
	r->check = READ_ONCE(from->check);
	return r->nonce && r->nonce != kmem_control.answer.nonce &&
	       r->check == (r->nonce ^ r->op ^ r->arg ^ KMEM_CONTROL_MAGIC);
}

void control_look(void)
{
	struct kmem_control_request r;
	u64 value = 0;
	int err;

	if (likely(!control_allowed()) ||
	    __atomic_exchange_n(&busy, 1, __ATOMIC_ACQUIRE))
		return;
	WRITE_ONCE(kmem_control.looks, kmem_control.looks + 1);
	if (take_request(&r)) {
		switch (r.op) {
		case KMEM_CONTROL_SHRINK:
			err = shrink(r.arg, &value);
			break;
		case KMEM_CONTROL_DEBUG:
			err = debug(r.arg);
			break;
		default:
			err = -EINVAL;
			break;
		}
		WRITE_ONCE(kmem_control.answer.error, (long)err);
		WRITE_ONCE(kmem_control.answer.value, value);
		/* Pairs with the tool, which reads the nonce first and the rest after it. */
		smp_store_release(&kmem_control.answer.nonce, r.nonce);
	}
	__atomic_store_n(&busy, 0, __ATOMIC_RELEASE);
}

int kmem_control_allow(bool on)
{
	if (!mm_init())
		return -ENOMEM;
	__atomic_store_n(&kmem_control.allowed, on, __ATOMIC_SEQ_CST);	/* vmscan_thread() */
	return on ? vmscan_start() : 0;
}

int kmem_inspect_allow(bool any)
{
	return host_allow_inspection(any);
}

void control_init(void)
{
	if (kmem_params.inspect_any)
		kmem_inspect_allow(true);
	if (kmem_params.control)
		kmem_control_allow(true);
}

/* What was asked of the parent was not asked of the child; the thread is not there. */
void control_fork_child(void)
{
	busy = 0;
	kmem_control.request.nonce = kmem_control.answer.nonce;
	if (kmem_params.inspect_any)
		kmem_inspect_allow(true);
	if (control_allowed())
		vmscan_start();
}
