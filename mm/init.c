// SPDX-License-Identifier: MIT
/*
 * init.c - start-up.
 *
 * The first call that needs the allocator makes it ready, whoever comes first:
 * a program's malloc, the dynamic loader's, a constructor of another library,
 * or our own. What is made here asks the host for address space only; nothing
 * is allocated through libc, and no thread is started.
 *
 * In a process with LD_PRELOAD the first call comes from its only thread. A
 * library that is loaded later makes itself ready in its constructor, before
 * dlopen() gives anybody its functions. Should two threads meet here all the
 * same, one works and the other waits.
 */
#include "init.h"

#include "base/printk.h"
#include "cmdline.h"
#include "control.h"
#include "host/host.h"
#include "layout.h"
#include "page_limit.h"
#include "percpu.h"
#include "slab.h"

/* slabinfo finds the description of our layout in every program that links us. */
KMEM_LAYOUT_ANCHOR();

static u32 init_claim;

static bool init_layers(void)
{
	static bool percpu_ready, zones_ready, pages_ready;

	if (!percpu_ready)
		percpu_ready = percpu_init();
	if (percpu_ready && !zones_ready)
		zones_ready = zones_init();
	if (zones_ready && !pages_ready) {
		page_alloc_init();
		pages_ready = true;
	}
	return pages_ready && kmalloc_init();
}

bool __mm_init(void)
{
	while (__atomic_exchange_n(&init_claim, 1, __ATOMIC_ACQUIRE)) {
		host_yield();
		if (smp_load_acquire(&mm_state) == MM_READY)
			return true;
	}
	if (mm_state != MM_READY) {
		if (mm_state == MM_NONE)
			cmdline_init();
		mm_state = MM_RUNNING;
		if (init_layers()) {
			/* From here on the fast paths may hit. */
			if (percpu.mode == PERCPU_RSEQ)
				kmem_hot.fast_limit = KMALLOC_TABLE_MAX + 1;
			vmscan_init();
			page_limits_init();
			smp_store_release(&mm_state, MM_READY);
			if (kmem_params.verbose)
				printk("%s mode, %u CPU areas, zone of %lu MiB\n",
				       percpu.mode == PERCPU_RSEQ ? "rseq" : "fallback",
				       percpu.nr_cpus, zones[0]->nr_pages >> 8);
		} else {
			mm_state = MM_FAILED;
		}
	}
	__atomic_store_n(&init_claim, 0, __ATOMIC_RELEASE);
	return mm_state == MM_READY;
}

static void __attribute__((constructor(101))) mm_constructor(void)
{
	/* As a rule nothing is there yet; and a page that is written first costs one fault, not two. */
	if (__mm_init())
		zones_prepare();
	fork_init();
	control_init();
}
