// SPDX-License-Identifier: MIT
/*
 * Requests from outside, written here as a tool writes them: control.c. That a
 * tool's writing arrives is tested by tests/tools/run.
 */
#include "slab_test.h"

#include <errno.h>
#include <sys/wait.h>
#include <unistd.h>

#include <kmem/slabinfo.h>

#include "mm/control.h"

TestSuite(control, .timeout = 60);

static u64 next_nonce = 1000;

/* Answered by whoever looks first, the thread or control_look() here. */
static bool answered(u64 nonce)
{
	for (int i = 0; i < 500; i++) {
		if (smp_load_acquire(&kmem_control.answer.nonce) == nonce)
			return true;
		usleep(10000);
	}
	return false;
}

static u64 ask(u64 op, u64 arg)
{
	u64 nonce = next_nonce++;

	kmem_control.request = (struct kmem_control_request){
		nonce, op, arg, nonce ^ op ^ arg ^ KMEM_CONTROL_MAGIC
	};
	return nonce;
}

/* A cache with objects in a magazine and a slab that is empty but for them. */
static struct kmem_cache *cache_to_shrink(void)
{
	struct kmem_cache *s = kmem_cache_create("to_shrink", 300, NULL, SLAB_NO_MERGE);
	void *p[100];

	for (int i = 0; i < 100; i++)
		p[i] = kmem_cache_alloc(s, GFP_KERNEL);
	for (int i = 0; i < 100; i++)
		kmem_cache_free(s, p[i]);
	cr_assert(READ_ONCE(s->node.nr_slabs) > 0);
	return s;
}

Test(control, nothing_is_done_unless_it_is_allowed)
{
	struct kmem_cache *s = cache_to_shrink();
	u64 nonce = ask(KMEM_CONTROL_SHRINK, (u64)(unsigned long)s);

	control_look();
	cr_expect_neq(kmem_control.answer.nonce, nonce);
	cr_expect_eq(kmem_control.looks, 0);
	cr_expect(READ_ONCE(s->node.nr_slabs) > 0);
}

Test(control, shrink_one_cache)
{
	struct kmem_cache *s = cache_to_shrink(), *other = cache_to_shrink();
	u64 nonce;

	cr_assert_eq(kmem_control_allow(true), 0);
	nonce = ask(KMEM_CONTROL_SHRINK, (u64)(unsigned long)s);
	cr_assert(answered(nonce), "nobody answers");
	cr_expect_eq(kmem_control.answer.error, 0);
	cr_expect_eq(READ_ONCE(s->node.nr_slabs), 0);
	(void)other;
}

Test(control, shrink_all)
{
	struct kmem_cache *s = cache_to_shrink();
	u64 nonce;

	cr_assert_eq(kmem_control_allow(true), 0);
	nonce = ask(KMEM_CONTROL_SHRINK, 0);
	cr_assert(answered(nonce));
	cr_expect_eq(kmem_control.answer.error, 0);
	cr_expect_eq(READ_ONCE(s->node.nr_slabs), 0);
	cr_expect(kmem_control.answer.value > 0, "no page went back");
}

Test(control, an_address_that_is_no_cache_is_not_followed)
{
	u64 nonce;

	cr_assert_eq(kmem_control_allow(true), 0);
	nonce = ask(KMEM_CONTROL_SHRINK, 0xdeadbeef);
	cr_assert(answered(nonce));
	cr_expect_eq(kmem_control.answer.error, -ENOENT);
}

Test(control, checks_are_switched)
{
	struct kmem_cache *always = kmem_cache_create("always", 64, 0, SLAB_CONSISTENCY_CHECKS, NULL);
	struct kmem_cache *checked;
	void *p[100];
	u64 nonce;

	checked = kmem_cache_create("checked", 64, 0, SLAB_NO_MERGE, NULL);
	for (unsigned int i = 0; i < ARRAY_SIZE(p); i++)
		p[i] = kmem_cache_alloc(checked, GFP_KERNEL);
	for (unsigned int i = 0; i < ARRAY_SIZE(p) / 2; i++)
		kmem_cache_free(checked, p[i]);
	cr_assert_gt(magazine_cache_count(&checked->mag), 0);

	cr_assert_eq(kmem_control_allow(true), 0);
	nonce = ask(KMEM_CONTROL_DEBUG, SLAB_CONSISTENCY_CHECKS);
	cr_assert(answered(nonce));
	cr_expect_eq(kmem_control.answer.error, 0);
	cr_expect(checked->debug && checked->flags & SLAB_CONSISTENCY_CHECKS);
	for (unsigned int i = ARRAY_SIZE(p) / 2; i < ARRAY_SIZE(p); i++)
		kmem_cache_free(checked, p[i]);
	cr_expect_eq(magazine_cache_count(&checked->mag), 0);
	cr_expect_eq(checked->node.nr_inuse, 0);
	cr_expect_eq(validate_slab_caches(), 0);

	nonce = ask(KMEM_CONTROL_DEBUG, 0);
	cr_assert(answered(nonce));
	cr_expect_eq(kmem_control.answer.error, 0);
	cr_expect(!checked->debug && always->debug && always->flags & SLAB_CONSISTENCY_CHECKS);
	kmem_cache_free(checked, kmem_cache_alloc(checked, GFP_KERNEL));
	cr_expect_gt(magazine_cache_count(&checked->mag), 0);
	cr_expect_eq(validate_slab_caches(), 0);
}

Test(control, what_is_not_offered_is_refused)
{
	u64 nonce;

	cr_assert_eq(kmem_control_allow(true), 0);
	nonce = ask(KMEM_CONTROL_DEBUG, SLAB_POISON);
	cr_assert(answered(nonce));
	cr_expect_eq(kmem_control.answer.error, -EOPNOTSUPP);
	nonce = ask(99, 0);
	cr_assert(answered(nonce));
	cr_expect_eq(kmem_control.answer.error, -EINVAL);
}

Test(control, half_a_request_is_not_looked_at)
{
	u64 nonce;

	cr_assert_eq(kmem_control_allow(true), 0);
	nonce = ask(KMEM_CONTROL_SHRINK, 0);
	cr_assert(answered(nonce));
	kmem_control.request.nonce = next_nonce++;	/* and its check is that of the last */
	for (int i = 0; i < 10; i++)
		control_look();
	cr_expect_eq(kmem_control.answer.nonce, nonce);
}

Test(control, without_a_thread_the_one_who_frees_pages_looks)
{
	u64 nonce;

	/* As kmem_control_allow() leaves it when there is no thread. */
	kmem_control.allowed = 1;
	nonce = ask(KMEM_CONTROL_SHRINK, 0);
	for (int i = 0; i < 200 && kmem_control.answer.nonce != nonce; i++) {
		char *p = kmalloc(8UL << 20, GFP_KERNEL);

		memset(p, 1, 8UL << 20);
		kfree(p);
	}
	cr_assert(answered(nonce));
}

Test(control, a_forked_child_answers_for_itself)
{
	int status;
	pid_t child;

	cr_assert_eq(kmem_control_allow(true), 0);
	child = fork();
	if (child == 0)
		_exit(!answered(ask(KMEM_CONTROL_SHRINK, 0)));
	cr_assert_eq(waitpid(child, &status, 0), child);
	cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

Test(control, and_no_longer)
{
	u64 nonce;

	cr_assert_eq(kmem_control_allow(true), 0);
	cr_assert_eq(kmem_control_allow(false), 0);
	usleep(300000);
	nonce = ask(KMEM_CONTROL_SHRINK, 0);
	control_look();
	cr_expect_neq(kmem_control.answer.nonce, nonce);
}

/* The thread is about to end, or has ended, or is there: a request is answered all the same. */
Test(control, and_again)
{
	for (int i = 0; i < 16; i++) {
		cr_assert_eq(kmem_control_allow(true), 0);
		cr_assert(answered(ask(KMEM_CONTROL_SHRINK, 0)), "turn %d", i);
		cr_assert_eq(kmem_control_allow(false), 0);
		usleep((useconds_t)i * 16667);
	}
}

/* Yama or not: the answer is one of two, and nothing breaks. */
Test(control, inspect_allow)
{
	int err = kmem_inspect_allow(true);

	cr_expect(err == 0 || err == -EINVAL, "%d", err);
	err = kmem_inspect_allow(false);
	cr_expect(err == 0 || err == -EINVAL, "%d", err);
}
