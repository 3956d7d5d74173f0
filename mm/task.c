// SPDX-License-Identifier: MIT
/*
 * task.c - the calling thread's flags, and the scopes by which a program sets them.
 *
 * Nothing but slow paths look at them: what is served from a magazine or a free
 * list is the same in a scope and outside. The variable is initial-exec, so that
 * looking at it allocates nothing, in any thread, and in the library's own.
 */
#include "task.h"

__thread unsigned int task_flags __attribute__((tls_model("initial-exec")));

__kmem_export unsigned int memalloc_noio_save(void)
{
	return task_save(TASK_NOIO);
}

__kmem_export void memalloc_noio_restore(unsigned int flags)
{
	task_restore(TASK_NOIO, flags & TASK_NOIO);
}

__kmem_export unsigned int memalloc_nofs_save(void)
{
	return task_save(TASK_NOFS);
}

__kmem_export void memalloc_nofs_restore(unsigned int flags)
{
	task_restore(TASK_NOFS, flags & TASK_NOFS);
}

__kmem_export unsigned int memalloc_noreclaim_save(void)
{
	return task_save(TASK_MEMALLOC);
}

__kmem_export void memalloc_noreclaim_restore(unsigned int flags)
{
	task_restore(TASK_MEMALLOC, flags & TASK_MEMALLOC);
}

__kmem_export gfp_t current_gfp_context(gfp_t gfp)
{
	unsigned int flags = task_flags;

	if (flags & TASK_NOIO)
		return gfp & ~(__GFP_IO | __GFP_FS);
	return flags & TASK_NOFS ? gfp & ~__GFP_FS : gfp;
}
