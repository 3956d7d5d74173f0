// SPDX-License-Identifier: MIT
/*
 * Reclaim as a whole: vmscan.c. Limits met by caches, kmalloc and malloc; shrinkers
 * that free real objects; who runs them; and requests that may not call the kernel,
 * proved by a filter that kills who does.
 */
#include "slab_test.h"

#include <errno.h>
#include <kmem/limit.h>
#include <kmem/malloc.h>
#include <kmem/page_alloc.h>
#include <kmem/shrinker.h>
#include <sys/wait.h>
#include <unistd.h>

#include "capture.h"
#include "mm/cmdline.h"
#include "mm/host/host.h"
#include "mm/init.h"
#include "mm/page_limit.h"
#include "mm/task.h"

TestSuite(vmscan, .timeout = 100);

#define MIB		(1UL << 20)
#define GFP_TRY		(GFP_KERNEL | __GFP_NOWARN)

/* ---- a cache of the program's own, which a shrinker empties ------------------------------ */

struct entry {
	struct entry *next;
	char text[488];
};

static struct {
	pthread_mutex_t lock;
	struct kmem_cache *cache;
	struct shrinker *shrinker;
	struct entry *first;
	unsigned long nr, freed;
	unsigned int scans, refused, strangers, depth;
	gfp_t gfp;
	pid_t pid;
} store = { .lock = PTHREAD_MUTEX_INITIALIZER };

static unsigned long store_count(struct shrinker *s, struct shrink_control *sc)
{
	(void)s;
	(void)sc;
	return READ_ONCE(store.nr);
}

static unsigned long store_scan(struct shrinker *s, struct shrink_control *sc)
{
	unsigned long n = 0;
	void *note;

	(void)s;
	/* libc's own thread-local data is there: this is a thread of the program. */
	errno = 0;
	store.strangers += pthread_self() == 0 || getpid() != store.pid;
	if (pthread_mutex_trylock(&store.lock)) {
		stat_inc(store.refused);
		return SHRINK_STOP;
	}
	store.scans++;
	store.gfp = sc->gfp_mask;
	cr_assert_eq(store.depth++, 0, "the shrinker was entered again by its own allocation");
	note = kmalloc(100, GFP_KERNEL | __GFP_NOWARN);
	kfree(note);
	for (; store.first && n < sc->nr_to_scan; n++) {
		struct entry *e = store.first;

		store.first = e->next;
		kmem_cache_free(store.cache, e);
	}
	WRITE_ONCE(store.nr, store.nr - n);
	store.freed += n;
	store.depth--;
	pthread_mutex_unlock(&store.lock);
	return n;
}

static void store_open(void)
{
	store.pid = getpid();
	store.cache = kmem_cache_create("store", sizeof(struct entry), NULL,
					SLAB_RECLAIM_ACCOUNT | SLAB_NO_MERGE);
	store.shrinker = shrinker_alloc(0, "store");
	store.shrinker->count_objects = store_count;
	store.shrinker->scan_objects = store_scan;
	shrinker_register(store.shrinker);
}

/* False: there is no memory. */
static bool store_add(gfp_t gfp)
{
	struct entry *e = kmem_cache_alloc(store.cache, gfp);

	if (!e)
		return false;
	memset(e->text, 1, sizeof(e->text));
	pthread_mutex_lock(&store.lock);
	e->next = store.first;
	store.first = e;
	WRITE_ONCE(store.nr, store.nr + 1);
	pthread_mutex_unlock(&store.lock);
	return true;
}

static void store_fill(size_t bytes)
{
	for (size_t n = bytes / sizeof(struct entry); n && store_add(GFP_TRY); n--)
		;
}

static void store_close(void)
{
	shrinker_free(store.shrinker);
	while (store.first) {
		struct entry *e = store.first;

		store.first = e->next;
		kmem_cache_free(store.cache, e);
	}
	cr_expect_eq(store.strangers, 0);
	cr_expect_eq(validate_slab_cache(store.cache), 0);
	cr_expect_eq(cache_live(store.cache), 0);
	kmem_cache_destroy(store.cache);
	cr_expect_eq(zones_validate(), 0);
	cr_expect_eq(task_flags, 0);
}

static size_t used(void)
{
	struct kmem_usage usage;

	kmem_get_usage(&usage);
	return usage.used;
}

/* ---- limits ----------------------------------------------------------------------------------- */

Test(vmscan, set_limit_answers)
{
	struct kmem_usage usage;
	void *p = kmalloc(8 * MIB, GFP_KERNEL);

	cr_expect_eq(kmem_set_limit(MIB - 1, KMEM_LIMIT_NONE), -EINVAL);
	cr_expect_eq(kmem_set_limit(4 * MIB, 5 * MIB), -EINVAL);
	cr_expect_eq(kmem_set_limit(4 * MIB, 2 * MIB), -ENOMEM, "more is in use");
	kmem_get_usage(&usage);
	cr_expect(usage.hard == 4 * MIB && usage.soft == 2 * MIB && usage.used >= 8 * MIB);
	cr_expect_null(kmalloc(MIB, GFP_TRY));
	kfree(p);
	p = kmalloc(MIB, GFP_TRY);
	cr_expect_not_null(p, "what was freed can be had again");
	kfree(p);
	cr_expect_eq(kmem_set_limit(KMEM_LIMIT_NONE, KMEM_LIMIT_NONE), 0);
	kmem_get_usage(&usage);
	cr_expect_eq(usage.hard, KMEM_LIMIT_NONE);
}

Test(vmscan, malloc_fails_with_enomem_at_the_limit)
{
	void **list = NULL, **p;
	size_t n = 0;

	cr_assert_eq(kmem_set_limit(32 * MIB, KMEM_LIMIT_NONE), 0);
	errno = 0;
	cr_expect_null(MyMalloc(40 * MIB));
	cr_expect_eq(errno, ENOMEM);
	errno = 0;
	while ((p = MyMalloc(1000))) {
		*p = list;
		list = p;
		n++;
		cr_assert_leq(used(), 32 * MIB);
	}
	cr_expect_eq(errno, ENOMEM);
	cr_expect_geq(n * 1024, 31 * MIB, "%zu objects", n);
	while ((p = list)) {
		list = *p;
		MyFree(p);
	}
	p = MyMalloc(24 * MIB);
	cr_expect_not_null(p);
	MyFree(p);
}

/* What is cached serves until something better needs the room. */
Test(vmscan, shrinkers_make_room_at_the_limit)
{
	void *p;

	store_open();
	cr_assert_eq(kmem_set_limit(32 * MIB, KMEM_LIMIT_NONE), 0);
	store_fill(20 * MIB);
	cr_expect_eq(store.freed, 0, "there is room");
	p = MyMalloc(24 * MIB);
	cr_expect_not_null(p);
	cr_expect_geq(store.freed, 10 * MIB / sizeof(struct entry));
	cr_expect_gt(store.nr, 0, "no more than needed: %lu left", store.nr);
	cr_expect_eq(store.gfp, GFP_KERNEL | __GFP_NOWARN);
	MyFree(p);
	cr_assert_eq(kmem_set_limit(KMEM_LIMIT_NONE, KMEM_LIMIT_NONE), 0);
	store_close();
}

/* A cache that only grows lives below a limit with a shrinker for ever. */
Test(vmscan, a_growing_cache_feeds_on_itself)
{
	store_open();
	cr_assert_eq(kmem_set_limit(16 * MIB, KMEM_LIMIT_NONE), 0);
	for (unsigned int i = 0; i < 200000; i++)
		cr_assert(store_add(GFP_KERNEL), "entry %u, %lu in the store", i, store.nr);
	cr_expect_gt(store.freed, 150000);
	cr_expect_leq(used(), 16 * MIB);
	cr_assert_eq(kmem_set_limit(KMEM_LIMIT_NONE, KMEM_LIMIT_NONE), 0);
	store_close();
}

Test(vmscan, scopes_reach_shrinkers)
{
	unsigned int scope;

	store_open();
	cr_assert_eq(kmem_set_limit(16 * MIB, KMEM_LIMIT_NONE), 0);
	scope = memalloc_nofs_save();
	store_fill(20 * MIB);
	cr_expect_gt(store.scans, 0);
	cr_expect_eq(store.gfp & (__GFP_FS | __GFP_IO), __GFP_IO);
	memalloc_nofs_restore(scope);
	store.scans = 0;
	scope = memalloc_noreclaim_save();
	for (unsigned int i = 0; i < 100000 && store_add(GFP_TRY); i++)
		;
	cr_expect_eq(store.scans, 0);
	memalloc_noreclaim_restore(scope);
	cr_assert_eq(kmem_set_limit(KMEM_LIMIT_NONE, KMEM_LIMIT_NONE), 0);
	store_close();
}

/* Above it nothing fails, and shrinkers are run by whoever allocates. */
Test(vmscan, soft_limit_is_kept_without_failing)
{
	cr_assert_eq(kmem_set_limit(KMEM_LIMIT_NONE, 16 * MIB), 0);
	store_open();
	for (unsigned int i = 0; i < 200000; i++) {
		cr_assert(store_add(GFP_KERNEL));
		if (i % 1000 == 0)
			usleep(1000);
	}
	cr_expect_gt(store.freed, 0);
	cr_expect_lt(used(), 70 * MIB, "of 98 MiB: %zu", used());
	cr_assert_eq(kmem_set_limit(KMEM_LIMIT_NONE, KMEM_LIMIT_NONE), 0);
	store_close();
}

/* A cgroup kills at 16/15 of what is made the soft limit: even who never pauses stays below. */
Test(vmscan, soft_limit_is_kept_by_a_cache_that_grows_as_fast_as_it_can)
{
	size_t most = 0;

	cr_assert_eq(kmem_set_limit(KMEM_LIMIT_NONE, 64 * MIB), 0);
	store_open();
	for (unsigned int i = 0; i < 600000; i++) {
		cr_assert(store_add(GFP_KERNEL));
		if (i % 64 == 0)
			most = max(most, used());
	}
	cr_expect_gt(store.freed, 400000);
	cr_expect_lt(most, 66 * MIB, "%zu", most);
	cr_assert_eq(kmem_set_limit(KMEM_LIMIT_NONE, KMEM_LIMIT_NONE), 0);
	store_close();
}

/* Where nothing can be had, looking for it is soon left alone. */
Test(vmscan, above_the_soft_limit_without_anything_to_reclaim)
{
	static void *p[40000];
	unsigned int scans;

	cr_assert_eq(kmem_set_limit(KMEM_LIMIT_NONE, 16 * MIB), 0);
	store_open();
	store_add(GFP_KERNEL);
	pthread_mutex_lock(&store.lock);	/* its shrinker is asked and refuses */
	for (unsigned int i = 0; i < ARRAY_SIZE(p); i++)
		cr_assert(p[i] = kmalloc(4096, GFP_KERNEL));
	scans = store.scans + store.refused;
	pthread_mutex_unlock(&store.lock);
	cr_expect_lt(scans, 400, "%u", scans);
	for (unsigned int i = 0; i < ARRAY_SIZE(p); i++)
		kfree(p[i]);
	cr_assert_eq(kmem_set_limit(KMEM_LIMIT_NONE, KMEM_LIMIT_NONE), 0);
	store_close();
}

Test(vmscan, reclaim_gives_back_what_is_asked_for)
{
	size_t before, got;

	store_open();
	cr_expect_eq(kmem_reclaim(KMEM_LIMIT_NONE) % PAGE_SIZE, 0);
	store_fill(40 * MIB);
	before = used();
	got = kmem_reclaim(4 * MIB);
	cr_expect_geq(got, 3 * MIB, "%zu", got);
	cr_expect_leq(used(), before - 3 * MIB);
	cr_expect_gt(store.nr, 0);
	got = kmem_reclaim(KMEM_LIMIT_NONE);
	cr_expect_eq(store.nr, 0);
	cr_expect_leq(used(), MIB, "%zu", used());
	cr_expect_geq(got, 20 * MIB);
	store_fill(4 * MIB);
	cr_expect(vmscan_trim());
	cr_expect_eq(store.nr, 0);
	store_close();
}

/* What KMEM_CMDLINE says holds from the first allocation on. */
static void limited_child(void)
{
	struct kmem_usage usage;

	kmem_get_usage(&usage);
	_exit(usage.hard == 24 * MIB && usage.soft == 20 * MIB && !MyMalloc(24 * MIB) &&
	      MyMalloc(16 * MIB) ? 0 : 1);
}

Test(vmscan, limits_of_the_command_line)
{
	struct kmem_params saved = kmem_params;
	int status;

	cmdline_parse(&kmem_params, "limit=24M soft_limit=20M min_free=1M");
	page_limits_init();
	cr_expect_eq(page_limits.wmark[WMARK_MIN], 256);
	cr_expect_eq(page_limits.reserve, 256);
	status = capture_child(limited_child);
	kmem_params = saved;
	page_limits_set(~0UL, ~0UL);
	cr_expect_eq(status, 0);
}

/* ---- fork ---------------------------------------------------------------------------- */

static u32 announced, go_on;

static void *announce(void *unused)
{
	cr_assert(page_charge(1000, GFP_KERNEL));
	smp_store_release(&announced, 1);
	while (!smp_load_acquire(&go_on))
		sched_yield();
	page_uncharge(1000);
	return unused;
}

/* 30 of 32 MiB, for which there is room unless the other thread's 4 MiB are still announced. */
static void child_has_all_the_room(void)
{
	_exit(page_limits.pending == 0 && MyMalloc(30 * MIB) ? 0 : 1);
}

Test(vmscan, a_child_has_only_its_own_announcements)
{
	pthread_t thread;

	cr_assert_eq(kmem_set_limit(32 * MIB, KMEM_LIMIT_NONE), 0);
	cr_assert_eq(pthread_create(&thread, NULL, announce, NULL), 0);
	while (!smp_load_acquire(&announced))
		sched_yield();
	cr_expect_null(MyMalloc(30 * MIB));
	cr_expect_eq(capture_child(child_has_all_the_room), 0);
	smp_store_release(&go_on, 1);
	pthread_join(thread, NULL);
	cr_expect_eq(page_limits.pending, 0);
}

/* ---- the report --------------------------------------------------------------------------------- */

Test(vmscan, a_failure_names_the_largest_caches)
{
	void *p[64];

	store_open();
	WRITE_ONCE(store.nr, 0);
	cr_assert_eq(kmem_set_limit(8 * MIB, KMEM_LIMIT_NONE), 0);
	for (unsigned int i = 0; i < 64; i++)
		p[i] = kmalloc(12000, GFP_KERNEL);
	sink_catch();
	cr_expect_null(kmalloc(8 * MIB, GFP_KERNEL));
	cr_expect(sink_has("page allocation failure: order:11, mode:0xcc0(GFP_KERNEL)"), "%s",
		  sink_text);
	cr_expect(sink_has("limit:8192kB"));
	cr_expect(sink_has("\nkmalloc-12288  "), "%s", sink_text);
	cr_assert_eq(kmem_set_limit(KMEM_LIMIT_NONE, KMEM_LIMIT_NONE), 0);
	for (unsigned int i = 0; i < 64; i++)
		kfree(p[i]);
	store_close();
}

/* ---- requests that may not call the kernel ------------------------------------------------------ */

static struct kmem_cache *nowait_cache;
static void *nowait_small, *nowait_large;

/* Takes all there is, of everything, with these flags. */
static void take_all(gfp_t gfp)
{
	unsigned int taken[4] = { 0 };

	nowait_small = kmalloc(1000, GFP_KERNEL);
	nowait_large = kmalloc(3 * MIB, GFP_KERNEL | __GFP_NOWARN);
	if (!no_more_system_calls())
		_exit(77);
	/* What these free is not for the kernel to know now, either. */
	nowait_small = krealloc(nowait_small, 5000, gfp);
	nowait_large = krealloc(nowait_large, 100000, gfp);
	while (kmem_cache_alloc(nowait_cache, gfp) && taken[0] < 1000)
		taken[0]++;
	while (kmalloc(3000 + taken[1] % 16 * 500, gfp) && taken[1] < 30)
		taken[1]++;
	while (kmalloc(100000 + taken[2] % 64 * 5000, gfp) && taken[2] < 3)
		taken[2]++;
	while (alloc_pages(gfp, taken[3] % 5))
		taken[3]++;
	/* And when there is nothing left, from every size. */
	for (size_t size = 16; size <= 4 * MIB; size += size / 2)
		kmalloc(size, gfp);
	_exit(taken[0] && taken[1] && taken[2] && taken[3] ? 0 : 1);
}

static void take_all_nowait(void)
{
	take_all(GFP_NOWAIT);
}

static void take_all_atomic(void)
{
	take_all(GFP_ATOMIC | __GFP_NOWARN);
}

static void nowait_in_a_child(void (*fn)(void), bool warm)
{
	int status;

	nowait_cache = kmem_cache_create("nowait", 200, NULL, SLAB_NO_MERGE);
	if (warm)
		kmem_cache_free(nowait_cache, kmem_cache_alloc(nowait_cache, GFP_KERNEL));
	status = capture_child(fn);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
		cr_skip_test("no seccomp");
	cr_expect_eq(status, 0, "status %#x: %s", status,
		     WIFSIGNALED(status) ? "it made a system call" : captured);
}

static void take_all_kernel(void)
{
	take_all(GFP_KERNEL | __GFP_NOWARN);
}

/* The filter does what it is said to do. */
Test(vmscan, kernel_calls_the_kernel)
{
	int status;

	nowait_cache = kmem_cache_create("nowait", 200, NULL, SLAB_NO_MERGE);
	status = capture_child(take_all_kernel);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
		cr_skip_test("no seccomp");
	cr_expect(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS, "status %#x", status);
}

/* Nothing has been allocated before: the frontier was made ready at start-up. */
static void first_is_nowait(void)
{
	if (!no_more_system_calls())
		_exit(77);
	_exit(kmem_cache_alloc(nowait_cache, GFP_NOWAIT) && kmalloc(100, GFP_NOWAIT) &&
	      alloc_pages(GFP_ATOMIC, 5) ? 0 : 1);
}

Test(vmscan, the_first_request_may_be_nowait)
{
	cr_expect_eq(zones[0]->nr_present, 0);
	nowait_in_a_child(first_is_nowait, false);
}

Test(vmscan, nowait_never_calls_the_kernel)
{
	nowait_in_a_child(take_all_nowait, false);
}

Test(vmscan, nowait_never_calls_the_kernel_later)
{
	nowait_in_a_child(take_all_nowait, true);
}

Test(vmscan, atomic_never_calls_the_kernel)
{
	nowait_in_a_child(take_all_atomic, true);
}

Test(vmscan, nowait_never_calls_the_kernel_at_a_limit)
{
	cr_assert_eq(kmem_set_limit(4 * MIB, 3 * MIB), 0);
	nowait_in_a_child(take_all_nowait, true);
}

/* ---- the thread --------------------------------------------------------------------------------- */

/* Above the soft limit the reclaimer empties what is cached here, and runs no shrinker. */
Test(vmscan, the_reclaimer_keeps_to_its_own_caches)
{
	static void *p[8192];
	unsigned int i, scans;

	if (percpu.mode == PERCPU_RSEQ && !percpu.can_drain)
		return;
	store_open();
	store_fill(4 * MIB);
	for (i = 0; i < 8192; i++)
		p[i] = kmalloc(4096, GFP_KERNEL);
	for (i = 64; i < 8192; i++)
		kfree(p[i]);
	for (i = 0; i < 64; i++)
		kfree(p[i]);
	cr_assert_eq(kmem_set_limit(KMEM_LIMIT_NONE, MIB), 0);
	store_fill(6 * MIB);
	scans = store.scans;
	for (i = 0; i < 300 && zones_dirty_free() > 32; i++)
		usleep(10000);
	cr_expect_leq(zones_dirty_free(), 64, "%lu", zones_dirty_free());
	cr_expect_eq(store.scans, scans, "nobody allocated");
	cr_assert_eq(kmem_set_limit(KMEM_LIMIT_NONE, KMEM_LIMIT_NONE), 0);
	store_close();
}
