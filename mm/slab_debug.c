// SPDX-License-Identifier: MIT
/*
 * slab_debug.c - reports of what the slab layer finds wrong, in the kernel's
 * form: a line of '=', the line that names cache and fault, a line of '-', then
 * what is known of the slab and of the object. Damage found stops the program.
 */
#include "slab.h"

#include "base/printk.h"
#include "host/host.h"

#define LINE_DOUBLE \
	"============================================================================="
#define LINE_SINGLE \
	"-----------------------------------------------------------------------------"

static void report_head(const char *cache, const char *reason, const void *object,
			const char *more)
{
	pr_raw(LINE_DOUBLE "\n");
	pr_raw("BUG %s (pid %d): %s %p%s\n", cache, host_getpid(), reason, object, more);
	pr_raw(LINE_SINGLE "\n\n");
}

static void report_slab(struct page *slab)
{
	struct kmem_cache *s = slab->slab_cache;

	pr_raw("Slab %p objects=%u used=%u order=%u cache=%s\n", (void *)slab_address(slab),
	       s->objects, slab->inuse, slab->order, s->name);
}

/* The first bytes of the object that the pointer lies in, as the kernel dumps them. */
static void report_object(struct page *slab, const void *pointer)
{
	struct kmem_cache *s = slab->slab_cache;
	const char *base = slab_address(slab);
	unsigned long offset = (unsigned long)((const char *)pointer - base);
	unsigned int index = slab_index(s, offset);
	const unsigned char *object = (const unsigned char *)base + (size_t)index * s->size;
	unsigned int dump = min(s->object_size, 64U);

	if (index >= s->objects)
		return;
	pr_raw("Object %p @offset=%lu index=%u pointer+%lu\n", (const void *)object,
	       (unsigned long)index * s->size, index, offset - (unsigned long)index * s->size);
	for (unsigned int i = 0; i < dump; i += 16) {
		char line[16 * 3 + 1];
		unsigned int n = min(dump - i, 16U), len = 0;

		for (unsigned int j = 0; j < n; j++)
			len += (unsigned int)kmem_snprintf(line + len, sizeof(line) - len,
							   "%02x ", object[i + j]);
		pr_raw("Object   %p: %s\n", (const void *)(object + i), line);
	}
}

void slab_report_bad_free(struct kmem_cache *s, struct page *slab, const void *object,
			  const char *reason, void *caller)
{
	if (slab && slab->slab_cache != s) {
		pr_raw(LINE_DOUBLE "\n");
		pr_raw("BUG %s (pid %d): kmem_cache_free(%s, %p): object belongs to different cache %s\n",
		       s->name, host_getpid(), s->name, object, slab->slab_cache->name);
		pr_raw(LINE_SINGLE "\n\n");
	} else {
		report_head(s ? s->name : "kmalloc", reason, object,
			    slab ? "" : " passed to free: no object of this allocator");
	}
	if (slab) {
		report_slab(slab);
		report_object(slab, object);
	}
	if (caller)
		pr_raw("Call from %p (thread %d)\n", caller, host_gettid());
	else
		pr_raw("Call from an earlier free, found when its magazine was flushed; KMEM_CMDLINE=slab_debug=F finds it at once (thread %d)\n",
		       host_gettid());
	host_abort();
}
