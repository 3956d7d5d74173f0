// SPDX-License-Identifier: MIT
/*
 * libumem's names: umem.c.
 */
#include "slab_test.h"

#include <kmem/limit.h>

#include <errno.h>
#include <kmem/umem.h>
#include <sys/wait.h>

#include "capture.h"

TestSuite(umem, .timeout = 60);

struct conn {
	long constructed;
	pthread_mutex_t lock;
	char buffer[100];
};

static long made, unmade, asked;
static int last_flags;

static int conn_construct(void *buf, void *data, int flags)
{
	struct conn *c = buf;

	last_flags = flags;
	if (*(bool *)data)
		return -1;
	pthread_mutex_init(&c->lock, NULL);
	c->constructed = 1;
	made++;
	return 0;
}

static void conn_destruct(void *buf, void *data)
{
	struct conn *c = buf;

	(void)data;
	c->constructed = 0;
	pthread_mutex_destroy(&c->lock);
	unmade++;
}

static void conn_reclaim(void *data)
{
	(void)data;
	asked++;
}

static umem_cache_t *conns(bool *refuse)
{
	return umem_cache_create("conn", sizeof(struct conn), 0, conn_construct, conn_destruct,
				 conn_reclaim, refuse, NULL, 0);
}

Test(umem, cache_with_all_callbacks)
{
	bool refuse = false;
	umem_cache_t *cp = conns(&refuse);
	struct conn *c[300];

	cr_assert(cp);
	for (unsigned int i = 0; i < ARRAY_SIZE(c); i++) {
		c[i] = umem_cache_alloc(cp, i & 1 ? UMEM_NOFAIL : UMEM_DEFAULT);
		cr_assert(c[i] && c[i]->constructed && (unsigned long)c[i] % 16 == 0);
		cr_assert(pthread_mutex_trylock(&c[i]->lock) == 0);
	}
	for (unsigned int i = 0; i < ARRAY_SIZE(c); i++)
		pthread_mutex_unlock(&c[i]->lock);
	for (unsigned int i = 1; i < ARRAY_SIZE(c); i++)
		umem_cache_free(cp, c[i]);
	umem_cache_free(cp, NULL);
	umem_reap();
	cr_expect(asked == 1, "%ld times", asked);
	umem_cache_free(cp, c[0]);
	umem_cache_reap_now(cp);
	cr_expect(asked == 2 && made == unmade, "%ld, %ld made, %ld unmade", asked, made, unmade);
	umem_reap();
	cr_expect(asked == 2, "it has nothing to give");
	refuse = true;
	cr_expect(!umem_cache_alloc(cp, UMEM_DEFAULT));
	cr_expect(last_flags == UMEM_DEFAULT);
	umem_cache_destroy(cp);
	umem_cache_destroy(NULL);
	umem_reap();
	cr_expect(asked == 2);
}

Test(umem, without_callbacks)
{
	umem_cache_t *cp = umem_cache_create("plain", 10, 0, NULL, NULL, NULL, NULL, NULL,
					     UMC_NODEBUG | UMC_NOTOUCH | UMC_NOMAGAZINE);
	char *p;

	cr_assert(cp);
	p = umem_cache_alloc(cp, UMEM_DEFAULT);
	cr_assert(p && (unsigned long)p % 8 == 0);
	memset(p, 1, 10);
	umem_cache_free(cp, p);
	umem_cache_destroy(cp);
	umem_init();
	umem_fini();
}

Test(umem, bad_arguments)
{
	static const struct { char *name; size_t size, align; void *source; int flags; } bad[] = {
		{ NULL, 8, 0, NULL, 0 }, { "", 8, 0, NULL, 0 }, { "bad", 0, 0, NULL, 0 },
		{ "bad", SIZE_MAX, 0, NULL, 0 }, { "bad", 8, 3, NULL, 0 },
		{ "bad", 8, 8192, NULL, 0 }, { "bad", 8, 0, (void *)8, 0 },
		{ "bad", 8, 0, NULL, 1 },
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(bad); i++) {
		errno = 0;
		cr_expect(!umem_cache_create(bad[i].name, bad[i].size, bad[i].align, NULL, NULL,
					     NULL, NULL, bad[i].source, bad[i].flags));
		cr_expect(errno == EINVAL, "%u: %d", i, errno);
	}
	cr_expect(!umem_alloc_aligned(8, 3, UMEM_NOFAIL));
}

Test(umem, any_size)
{
	for (size_t size = 1; size < 3000000; size = size * 2 + 1) {
		char *a = umem_alloc(size, UMEM_DEFAULT), *b = umem_zalloc(size, UMEM_NOFAIL);
		char *c = umem_alloc_aligned(size, 256, UMEM_DEFAULT);

		cr_assert(a && b && c && all_bytes(b, size, 0) && (unsigned long)c % 256 == 0);
		memset(a, 1, size);
		memset(b, 2, size);
		memset(c, 3, size);
		umem_free(a, size);
		umem_free(b, size);
		umem_free_aligned(c, size);
	}
	cr_expect(!umem_alloc(0, UMEM_NOFAIL) && !umem_zalloc(0, UMEM_DEFAULT));
	umem_free(NULL, 0);
	umem_free(umem_alloc_align(100, 64, 0), 100);
}

static int answers;

static int retry_thrice(void)
{
	if (++answers == 3)
		fault_every_call(false);
	return UMEM_CALLBACK_RETRY;
}

static int limit_lifted_thirdly(void)
{
	if (++answers == 3)
		kmem_set_limit(KMEM_LIMIT_NONE, KMEM_LIMIT_NONE);
	return UMEM_CALLBACK_RETRY;
}

#define LARGE	(256UL << 20)

Test(umem, nofail_asks_the_callback)
{
	void *p;

	kfree(kmalloc(8, GFP_KERNEL));
	printk_sink = sink_drop;
	umem_nofail_callback(retry_thrice);
	fault_every_call(true);
	cr_expect(!umem_alloc(LARGE, UMEM_DEFAULT) && answers == 0);
	p = umem_alloc(LARGE, UMEM_NOFAIL);
	cr_expect(p && answers == 3, "%d answers", answers);
	umem_free(p, LARGE);
}

/* Of a cache, too, at a limit: that would wait for ever if it were __GFP_NOFAIL. */
Test(umem, nofail_of_a_cache_asks_the_callback, .timeout = 60)
{
	static void *p[64];
	umem_cache_t *cp = umem_cache_create("nofail", 256 << 10, 0, NULL, NULL, NULL, NULL, NULL,
					     0);
	unsigned int n = 0;

	cr_assert(cp);
	umem_nofail_callback(limit_lifted_thirdly);
	cr_assert_eq(kmem_set_limit(8 << 20, KMEM_LIMIT_NONE), 0);
	printk_sink = sink_drop;
	while ((p[n] = umem_cache_alloc(cp, UMEM_DEFAULT)))
		n++;
	cr_expect(n > 16 && n <= 32 && answers == 0, "%u", n);
	p[n] = umem_cache_alloc(cp, UMEM_NOFAIL);
	cr_expect(p[n] && answers == 3, "%d answers", answers);
	for (unsigned int i = 0; i <= n; i++)
		umem_cache_free(cp, p[i]);
	umem_cache_destroy(cp);
}

static int status_seven(void)
{
	return UMEM_CALLBACK_EXIT(7);
}

static void without_memory(void)
{
	printk_sink = sink_drop;
	fault_every_call(true);
	umem_alloc(LARGE, UMEM_NOFAIL);
}

static void with_callback(void)
{
	umem_nofail_callback(status_seven);
	without_memory();
}

Test(umem, nofail_exits)
{
	int status = capture_child(without_memory);

	cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == 255, "%#x", status);
	status = capture_child(with_callback);
	cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == 7, "%#x", status);
}
