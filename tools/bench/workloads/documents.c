// SPDX-License-Identifier: MIT
/*
 * documents.c - a whole document built by one thread, dropped at once by another.
 *
 * Stands for: parsers in front, garbage disposal behind: hundred thousands of
 * remote frees in a row, while the parser goes on with the next document.
 * Described: Liétar et al., "snmalloc: A Message Passing Allocator" (ISMM 2019), on
 * programs in which one thread allocates and another frees.
 */
#include "../bench.h"

struct node {
	struct node *next;
	char *text;
};

static struct node *handed;		/* lock */
static bool last;			/* lock */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;

static struct node *parse(struct rng *rng, unsigned int n)
{
	struct node *doc = NULL, *node;

	for (; n > 0; n--) {
		node = bench_ptr(malloc(sizeof(*node)));
		node->text = bench_alloc(rng_power_law(rng, 8, 512));
		node->next = doc;
		doc = node;
	}
	return doc;
}

/* Waits until somebody else has taken the one before, or until one is there. */
static struct node *hand(struct node *doc, bool giving)
{
	pthread_mutex_lock(&lock);
	while (giving ? handed != NULL : !handed && !last)
		pthread_cond_wait(&changed, &lock);
	if (giving) {
		handed = doc;
		last = !doc;
	} else {
		doc = handed;
		handed = NULL;
	}
	pthread_cond_signal(&changed);
	pthread_mutex_unlock(&lock);
	return doc;
}

static void *dispose(void *unused)
{
	struct node *doc, *next;

	while ((doc = hand(NULL, false))) {
		for (; doc; doc = next) {
			next = doc->next;
			bench_free(doc->text);
			free(doc);
		}
	}
	return unused;
}

int main(int argc, char **argv)
{
	unsigned long documents = bench_times(bench_scale(argc, argv), 80), i;
	struct rng rng = rng_seed(80);
	pthread_t disposer;

	if (pthread_create(&disposer, NULL, dispose, NULL) != 0)
		return 1;
	for (i = 0; i < documents; i++)
		hand(parse(&rng, 60000), true);
	hand(NULL, true);
	pthread_join(disposer, NULL);
	return 0;
}
