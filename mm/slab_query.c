// SPDX-License-Identifier: MIT
/*
 * slab_query.c - questions about objects and caches that programs ask while
 * they look for a fault of their own: what is behind this address, is the
 * metadata still whole.
 *
 * What an address says is read without a lock: for memory in use it cannot
 * change, for other memory the answer is a guess. Any address may be given.
 */
#include "slab.h"

#include "base/printk.h"

/* The slab that @object lies in an object of (@start), or NULL. */
static struct page *slab_of(const void *object, unsigned long *start)
{
	struct page *slab = virt_to_head_page(object);
	struct kmem_cache *s;
	unsigned int index;

	if (!slab || slab->type != PT_SLAB)
		return NULL;
	s = slab->slab_cache;
	index = slab_index(s, (unsigned long)((const char *)object - slab_address(slab)));
	if (index >= s->objects)
		return NULL;		/* the rest behind the last object */
	*start = (unsigned long)slab_address(slab) + (unsigned long)index * s->size;
	return slab;
}

bool kmem_valid_obj(const void *object)
{
	unsigned long start;

	return slab_of(object, &start) != NULL;
}

bool kmem_dump_obj(const void *object)
{
	unsigned long start;
	struct page *slab = slab_of(object, &start);

	if (!slab)
		return false;
	printk("slab %s start %p pointer offset %lu size %u\n", slab->slab_cache->name,
	       (void *)start, (unsigned long)object - start, slab->slab_cache->object_size);
	return true;
}

/* ---- who holds the memory ----------------------------------------------------------- */

#define NR_LARGEST	10

/* Copied under slab_mutex and printed without: a cache may be destroyed meanwhile. */
struct cache_line {
	char name[32];
	unsigned long used, total;	/* bytes */
};

/* Puts a line in its place among the @n largest so far, by total. Returns how many there are. */
static unsigned int insert_line(struct cache_line *lines, unsigned int n,
				const struct cache_line *line)
{
	unsigned int at = n < NR_LARGEST ? n++ : NR_LARGEST;

	for (; at > 0 && lines[at - 1].total < line->total; at--)
		if (at < NR_LARGEST)
			lines[at] = lines[at - 1];
	if (at < NR_LARGEST)
		lines[at] = *line;
	return n;
}

void slab_show_largest(void)
{
	struct cache_line lines[NR_LARGEST], line;
	struct kmem_cache *s;
	unsigned int n = 0;

	lock(&slab_mutex);
	list_for_each_entry(s, &slab_caches, list) {
		line.total = READ_ONCE(s->node.nr_slabs) * (PAGE_SIZE << s->order);
		line.used = READ_ONCE(s->node.nr_inuse) * s->size;
		if (!line.total)
			continue;
		kmem_snprintf(line.name, sizeof(line.name), "%s", s->name);
		n = insert_line(lines, n, &line);
	}
	unlock(&slab_mutex);
	pr_raw("Slab info:\n%-24s %12s %12s\n", "Name", "Used", "Total");
	for (unsigned int i = 0; i < n; i++)
		pr_raw("%-24s %10luKB %10luKB\n", lines[i].name, lines[i].used >> 10,
		       lines[i].total >> 10);
}

long validate_slab_caches(void)
{
	struct kmem_cache *s;
	long errors = 0;

	lock(&slab_mutex);
	list_for_each_entry(s, &slab_caches, list)
		errors += validate_slab_cache(s);
	unlock(&slab_mutex);
	return errors;
}
