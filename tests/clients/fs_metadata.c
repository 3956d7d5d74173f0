// SPDX-License-Identifier: MIT
/*
 * fs_metadata.c - a file system's metadata in memory: inodes with a constructor,
 * directory entries with names of their own, extents in bulk. Four threads create,
 * look up, grow and unlink; a shrinking pass evicts.
 *
 * Invariants: an inode's link count is the number of entries that name it; an entry's
 * name says its inode; extents of a file are in order and do not overlap.
 */
#include "clients.h"

#define BUCKETS	64
#define THREADS	4
#define STEPS	20000

struct extent {
	struct extent *next;
	uint64_t start, blocks;
};

struct inode {
	pthread_mutex_t lock;		/* made once, by the constructor */
	unsigned long magic;
	uint64_t number;
	unsigned int links;
	struct extent *extents;
};

struct dentry {
	struct dentry *next;
	struct inode *inode;
	char *name;			/* kstrdup()ed */
};

static struct bucket {
	pthread_mutex_t lock;
	struct dentry *first;
} table[BUCKETS];

static struct kmem_cache *inodes, *dentries, *extents;
static long nr_inodes, nr_dentries, nr_extents;

static void count(long *what, long change)
{
	__atomic_fetch_add(what, change, __ATOMIC_RELAXED);
}

static void inode_init_once(void *p)
{
	struct inode *inode = p;

	pthread_mutex_init(&inode->lock, NULL);
	inode->magic = 0x1990deUL;
}

static struct inode *inode_new(uint64_t number)
{
	struct inode *inode = kmem_cache_alloc(inodes, GFP_KERNEL);

	check(inode, "no memory");
	check(inode->magic == 0x1990deUL, "an inode that was never constructed");
	check(pthread_mutex_trylock(&inode->lock) == 0, "a free inode is locked");
	pthread_mutex_unlock(&inode->lock);
	inode->number = number;
	inode->links = 1;
	inode->extents = NULL;
	count(&nr_inodes, 1);
	return inode;
}

/* Eight extents at once, in front of the others. */
static void inode_grow(struct inode *inode)
{
	uint64_t start = inode->extents ? inode->extents->start + inode->extents->blocks : 0;
	void *new[8];

	check(kmem_cache_alloc_bulk(extents, GFP_KERNEL, 8, new), "no memory");
	for (int i = 0; i < 8; i++) {
		struct extent *e = new[i];

		e->start = start;
		e->blocks = inode->number % 7 + 1;
		e->next = inode->extents;
		inode->extents = e;
		start += e->blocks + 1;
	}
	count(&nr_extents, 8);
}

static void inode_put(struct inode *inode)
{
	void *batch[8];
	size_t n = 0;

	if (--inode->links)
		return;
	for (struct extent *e = inode->extents; e;) {
		struct extent *next = e->next;

		check(!next || next->start + next->blocks <= e->start, "extents overlap");
		batch[n++] = e;
		e = next;
		if (n == 8 || !e) {
			kmem_cache_free_bulk(extents, n, batch);
			count(&nr_extents, -(long)n);
			n = 0;
		}
	}
	kmem_cache_free(inodes, inode);
	count(&nr_inodes, -1);
}

/* Bucket lock held, as below. */
static struct dentry **lookup(struct bucket *b, const char *name)
{
	struct dentry **p = &b->first;

	while (*p && strcmp((*p)->name, name))
		p = &(*p)->next;
	return p;
}

static void create(struct bucket *b, const char *name, struct inode *inode)
{
	struct dentry *d = kmem_cache_zalloc(dentries, GFP_KERNEL);

	check(d && !d->name && !d->inode, "no memory, or not zero");
	d->name = kstrdup(name, GFP_KERNEL);
	d->inode = inode;
	d->next = b->first;
	b->first = d;
	count(&nr_dentries, 1);
}

static void remove_at(struct dentry **p)
{
	struct dentry *d = *p;

	*p = d->next;
	inode_put(d->inode);
	kfree(d->name);
	kmem_cache_free(dentries, d);
	count(&nr_dentries, -1);
}

static void step(uint64_t *seed)
{
	uint64_t number = rnd(seed) % 5000;
	struct bucket *b = &table[number % BUCKETS];
	char name[64], link[80];
	struct dentry **d;

	snprintf(name, sizeof(name), "file-%lu%.*s", (unsigned long)number, (int)(number % 40),
		 "........................................");
	snprintf(link, sizeof(link), "%s.link", name);
	pthread_mutex_lock(&b->lock);
	d = lookup(b, name);
	if (!*d) {
		create(b, name, inode_new(number));
	} else {
		struct inode *inode = (*d)->inode;

		check(inode->number == number, "%s is inode %lu", name,
		      (unsigned long)inode->number);
		switch (rnd(seed) % 4) {
		case 0:
			remove_at(d);
			break;
		case 1:
			if (!*lookup(b, link)) {
				inode->links++;
				create(b, link, inode);
			}
			break;
		case 2:
			if (*lookup(b, link))
				remove_at(lookup(b, link));
			break;
		default:
			pthread_mutex_lock(&inode->lock);
			inode_grow(inode);
			pthread_mutex_unlock(&inode->lock);
		}
	}
	/* A link whose file is gone is removed with it. */
	if (!*lookup(b, name) && *lookup(b, link))
		remove_at(lookup(b, link));
	pthread_mutex_unlock(&b->lock);
}

static void *worker(void *arg)
{
	uint64_t seed = (uint64_t)(uintptr_t)arg * 77 + 1;

	for (int i = 0; i < STEPS; i++)
		step(&seed);
	return NULL;
}

static void confirm_all(void)
{
	unsigned long links = 0, entries = 0;

	for (int i = 0; i < BUCKETS; i++) {
		for (struct dentry *d = table[i].first; d; d = d->next) {
			entries++;
			links += !strstr(d->name, ".link") ? d->inode->links : 0;
		}
	}
	check(links == entries, "%lu links, %lu entries", links, entries);
	check((long)entries == nr_dentries, "%lu entries, %ld made", entries, nr_dentries);
	confirm(inodes, nr_inodes);
	confirm(dentries, nr_dentries);
	confirm(extents, nr_extents);
}

int main(void)
{
	struct kmem_cache_args args = { .ctor = inode_init_once };
	pthread_t t[THREADS];

	inodes = kmem_cache_create("fs_inode", sizeof(struct inode), &args,
				   SLAB_RECLAIM_ACCOUNT | SLAB_HWCACHE_ALIGN);
	dentries = KMEM_CACHE(dentry, SLAB_NO_MERGE | SLAB_RECLAIM_ACCOUNT);
	extents = KMEM_CACHE(extent, SLAB_NO_MERGE);
	check(inodes && dentries && extents, "no caches");
	for (int i = 0; i < BUCKETS; i++)
		pthread_mutex_init(&table[i].lock, NULL);
	for (uintptr_t i = 0; i < THREADS; i++)
		check(pthread_create(&t[i], NULL, worker, (void *)i) == 0, "no thread");
	for (int i = 0; i < THREADS; i++)
		pthread_join(t[i], NULL);
	check(nr_inodes > 1000 && nr_extents > 1000, "too little happened");
	confirm_all();
	for (int i = 0; i < BUCKETS; i += 2)	/* half is evicted */
		while (table[i].first)
			remove_at(&table[i].first);
	confirm_all();
	for (int i = 0; i < BUCKETS; i++)
		while (table[i].first)
			remove_at(&table[i].first);
	confirm_all();
	check(!nr_inodes && !nr_dentries && !nr_extents, "not empty");
	kmem_cache_destroy(extents);
	kmem_cache_destroy(dentries);
	kmem_cache_destroy(inodes);
	check(active_objects("fs_inode") == -1, "the cache is still there");
	return 0;
}
