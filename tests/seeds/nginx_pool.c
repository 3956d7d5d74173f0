// SPDX-License-Identifier: MIT
/*
 * nginx_pool.c - every function that the document on nginx's pool lists, and nginx's
 * clean-up handlers. The document has no program of its own; this one says what
 * its text says of each.
 */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define KMEM_POOL_NGINX
#include <kmem/pool.h>

static void say(void *data)
{
	printf("cleanup %s\n", (char *)data);
}

int main(void)
{
	struct mp_pool_s *pool = mp_create_pool(1024);
	struct mp_cleanup_s *c;
	char *a, *b, *n, *large, *zero;
	size_t i, set = 0;

	printf("MP_ALIGNMENT %d, mp_align(11, 2) = %d\n", MP_ALIGNMENT, mp_align(11, 2));
	a = mp_alloc(pool, 3);
	b = mp_alloc(pool, 3);
	printf("aligned: %d %d, next: %d\n", (int)((uintptr_t)a % 32), (int)((uintptr_t)b % 32),
	       (int)(b - a));
	n = mp_nalloc(pool, 3);
	printf("not aligned: %d\n", (int)(n - b));
	zero = mp_calloc(pool, 1000);
	for (i = 0; i < 1000; i++)
		set += zero[i] != 0;
	printf("calloc: %zu bytes are not zero\n", set);
	large = mp_alloc(pool, 1025);
	memset(large, 1, 1025);
	mp_monitor(pool, "with a large object", MP_REPORT_ENGLISH, stdout);
	mp_free(pool, large);
	mp_free(pool, a);
	mp_monitor(pool, "without", MP_REPORT_JSON, stdout);
	mp_reset_pool(pool);
	printf("after the reset: %s\n", mp_alloc(pool, 3) == a ? "from the beginning" : "elsewhere");
	c = mp_cleanup_add(pool, 0);
	c->data = "first";
	c->handler = say;
	c = mp_cleanup_add(pool, 16);
	strcpy(c->data, "second");
	c->handler = say;
	mp_destroy_pool(pool);
	return 0;
}
