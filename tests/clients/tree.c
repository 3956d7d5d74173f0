// SPDX-License-Identifier: MIT
/*
 * tree.c - an intrusive search tree (a treap) that is built in bulk, changed under a lock
 * with nodes from a sheaf, and taken down in bulk.
 *
 * Invariants: keys in order, priorities a heap, the count right; an insertion under the
 * lock never fails and never goes to the allocator.
 */
#include "clients.h"

#define THREADS	4
#define ROUNDS	300
#define BATCH	16
#define KEYS	20000

struct node {
	struct node *left, *right;
	uint64_t priority;
	uint32_t key;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct node *root;
static long nr_nodes;
static struct kmem_cache *nodes;

static struct node **rotate(struct node **p, int right)
{
	struct node *n = *p, *child = right ? n->left : n->right;

	if (right) {
		n->left = child->right;
		child->right = n;
	} else {
		n->right = child->left;
		child->left = n;
	}
	*p = child;
	return p;
}

/* False: the key is there already, and @new is not used. */
static int insert(struct node **p, struct node *new)
{
	struct node *n = *p;
	int right;

	if (!n) {
		*p = new;
		return 1;
	}
	if (n->key == new->key)
		return 0;
	right = new->key > n->key;
	if (!insert(right ? &n->right : &n->left, new))
		return 0;
	if ((right ? n->right : n->left)->priority > n->priority)
		rotate(p, !right);
	return 1;
}

static struct node *erase(uint32_t key)
{
	struct node **p = &root, *n;

	while (*p && (*p)->key != key)
		p = (*p)->key < key ? &(*p)->right : &(*p)->left;
	n = *p;
	while (n && (n->left || n->right)) {
		int right = !n->right || (n->left && n->left->priority > n->right->priority);

		rotate(p, right);
		p = right ? &(*p)->right : &(*p)->left;
	}
	*p = NULL;
	return n;
}

static long verify(const struct node *n, int64_t low, int64_t high)
{
	if (!n)
		return 0;
	check(n->key > low && n->key < high, "key %u out of order", n->key);
	check(!n->left || n->left->priority <= n->priority, "no heap");
	check(!n->right || n->right->priority <= n->priority, "no heap");
	return 1 + verify(n->left, low, n->key) + verify(n->right, n->key, high);
}

static void set(struct node *n, uint64_t *seed)
{
	n->left = n->right = NULL;
	n->priority = rnd(seed);
	n->key = (uint32_t)(rnd(seed) % KEYS);
}

static void *worker(void *arg)
{
	uint64_t seed = (uint64_t)(uintptr_t)arg * 31 + 7;
	struct slab_sheaf *sheaf = kmem_cache_prefill_sheaf(nodes, GFP_KERNEL, BATCH);
	void *out[BATCH];

	check(sheaf, "no sheaf");
	for (int round = 0; round < ROUNDS; round++) {
		size_t n = 0;

		check(kmem_cache_refill_sheaf(nodes, GFP_KERNEL, &sheaf, BATCH) == 0, "no memory");
		pthread_mutex_lock(&lock);
		for (int i = 0; i < BATCH; i++) {
			struct node *new = kmem_cache_alloc_from_sheaf(nodes, GFP_NOWAIT, sheaf);
			struct node *gone = erase((uint32_t)(rnd(&seed) % KEYS));

			check(new, "the sheaf is empty after %d of %d", i, BATCH);
			set(new, &seed);
			if (gone) {
				out[n++] = gone;
				nr_nodes--;
			}
			if (insert(&root, new))
				nr_nodes++;
			else
				kmem_cache_free(nodes, new);
		}
		pthread_mutex_unlock(&lock);
		kmem_cache_free_bulk(nodes, n, out);
	}
	kmem_cache_return_sheaf(nodes, GFP_KERNEL, sheaf);
	return NULL;
}

static void build(long n)
{
	static void *p[KEYS / 2];
	uint64_t seed = 1;

	check(kmem_cache_alloc_bulk(nodes, GFP_KERNEL, (size_t)n, p) == n, "no memory");
	for (long i = 0; i < n; i++) {
		set(p[i], &seed);
		if (insert(&root, p[i]))
			nr_nodes++;
		else
			kmem_cache_free(nodes, p[i]);
	}
}

/* All nodes into @out, bottom up. */
static size_t collect(struct node *n, void **out)
{
	size_t got;

	if (!n)
		return 0;
	got = collect(n->left, out);
	got += collect(n->right, out + got);
	out[got] = n;
	return got + 1;
}

int main(void)
{
	struct kmem_cache_args args = { .sheaf_capacity = 32 };
	static void *all[KEYS];
	pthread_t t[THREADS];

	nodes = kmem_cache_create("tree_node", sizeof(struct node), &args, 0);
	check(nodes, "no cache");
	build(KEYS / 2);
	confirm(nodes, nr_nodes);
	for (uintptr_t i = 0; i < THREADS; i++)
		check(pthread_create(&t[i], NULL, worker, (void *)i) == 0, "no thread");
	for (int i = 0; i < THREADS; i++)
		pthread_join(t[i], NULL);
	check(verify(root, -1, KEYS) == nr_nodes, "the count is wrong");
	confirm(nodes, nr_nodes);
	check((long)collect(root, all) == nr_nodes, "not all found");
	kmem_cache_free_bulk(nodes, (size_t)nr_nodes, all);
	confirm(nodes, 0);
	kmem_cache_destroy(nodes);
	return 0;
}
