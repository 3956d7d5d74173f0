// SPDX-License-Identifier: MIT
/* Tests of mm/host/facts.c: the machine's facts against what libc says. */
#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/sysinfo.h>

#include "capture.h"
#include "mm/host/host.h"

static void init(void)
{
	errno = 77;
}

static void fini(void)
{
	cr_expect_eq(errno, 77, "errno has changed");
}

TestSuite(facts, .init = init, .fini = fini);

Test(facts, pages_and_privilege)
{
	cr_assert_eq(host_page_size(), (size_t)getpagesize());
	cr_assert_not(host_secure());
	cr_assert_leq(host_rseq_feature_size(), 4096);
}

Test(facts, memory)
{
	struct sysinfo si;
	size_t total = host_memory_total();

	sysinfo(&si);
	cr_assert_gt(total, 1 << 20);
	cr_assert_eq(total, si.totalram * si.mem_unit);
	cr_assert_geq(host_commit_limit(), total);
	cr_assert_gt(host_cgroup_limit(), 1 << 20);
	cr_assert_eq(host_cgroup_limit(), host_cgroup_limit());
}

Test(facts, address_limit)
{
	struct rlimit lim;

	getrlimit(RLIMIT_AS, &lim);
	cr_assert_eq(host_address_limit(), lim.rlim_cur == RLIM_INFINITY ? SIZE_MAX : lim.rlim_cur);
	lim.rlim_cur = 1UL << 40;
	cr_assert_eq(setrlimit(RLIMIT_AS, &lim), 0);
	/* Asked again: an emulator keeps its own limit. */
	getrlimit(RLIMIT_AS, &lim);
	cr_assert_eq(host_address_limit(), lim.rlim_cur == RLIM_INFINITY ? SIZE_MAX : lim.rlim_cur);
}

/* Possible CPUs: at least those configured, whatever this process may run on. */
Test(facts, possible_cpus)
{
	unsigned int n = host_possible_cpus();
	cpu_set_t one;

	cr_assert_geq(n, 1);
	cr_assert_lt(n, 8193);
	cr_assert_gt((int)n, sched_getcpu());
	cr_assert_geq((long)n, sysconf(_SC_NPROCESSORS_ONLN));
	CPU_ZERO(&one);
	CPU_SET(sched_getcpu(), &one);
	cr_assert_eq(sched_setaffinity(0, sizeof(one), &one), 0);
	cr_assert_eq(host_possible_cpus(), n);
	errno = 77;
}

/* Nor without /sys, as in many a chroot: here, without a descriptor to read it by. */
Test(facts, possible_cpus_without_sys)
{
	unsigned int n = host_possible_cpus(), without;
	struct rlimit lim, none;
	cpu_set_t one;

	getrlimit(RLIMIT_NOFILE, &lim);
	none = lim;
	none.rlim_cur = 0;
	CPU_ZERO(&one);
	CPU_SET(0, &one);
	sched_setaffinity(0, sizeof(one), &one);
	cr_assert_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
	without = host_possible_cpus();
	setrlimit(RLIMIT_NOFILE, &lim);
	cr_expect(without >= n && without <= 8192 && without % 64 == 0, "%u of %u", without, n);
	errno = 77;
}

Test(facts, environment)
{
	setenv("KMEM_TEST", "a value", 1);
	setenv("KMEM_TEST_LONGER", "another", 1);
	setenv("KMEM_EMPTY", "", 1);
	cr_assert_str_eq(host_getenv("KMEM_TEST"), "a value");
	cr_assert_str_eq(host_getenv("KMEM_TEST_LONGER"), "another");
	cr_assert_str_eq(host_getenv("KMEM_EMPTY"), "");
	cr_assert_null(host_getenv("KMEM_TES"));
	cr_assert_null(host_getenv("KMEM_UNSET"));
}

static char *early_env[600];

/* Runs this program anew with an environment, and without libc's view of it. */
static int early_child(const char *value)
{
	static char entry[4096], filler[512][40];
	char *argv[] = { "test_facts", "--filter=nothing", NULL };
	int status, n = 0;
	pid_t pid;

	/* More than one buffer full, and neighbours that begin alike. */
	for (n = 0; n < 512; n++) {
		snprintf(filler[n], sizeof(filler[n]), "KMEM_EARL%d=%d", n, n);
		early_env[n] = filler[n];
	}
	early_env[n++] = "XKMEM_EARLY_TEST=wrong";
	early_env[n++] = "KMEM_EARLY_TEST_TOO=wrong";
	early_env[n++] = "KMEM_EARLY_TES=wrong";
	snprintf(entry, sizeof(entry), "KMEM_EARLY_TEST=%s", value);
	early_env[n++] = entry;
	early_env[n++] = "KMEM_EARLY_TEST=second";
	early_env[n] = NULL;

	pid = fork();
	if (pid == 0) {
		execve("/proc/self/exe", argv, early_env);
		_exit(99);
	}
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	errno = 77;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* In the child, before anything else: judges and leaves. */
static __attribute__((constructor(101))) void early_main(void)
{
	const char *expected = getenv("KMEM_EARLY_TEST"), *found, *unset;

	if (!expected)
		return;
	environ = NULL;
	found = host_getenv("KMEM_EARLY_TEST");
	if (strlen(expected) >= 1024) {
		_exit(found ? 1 : 40);
	}
	if (!found || strcmp(found, expected))
		_exit(2);
	unset = host_getenv("KMEM_EARLY");
	_exit(unset ? 3 : 40);
}

Test(facts, environment_before_libc_has_one)
{
	static char limit[1024], over[1025];

	/* An emulated program cannot be executed anew. */
	if (emulated())
		return;
	cr_assert_eq(early_child("a value = with signs"), 40);
	cr_assert_eq(early_child(""), 40);
	memset(limit, 'v', sizeof(limit) - 1);
	cr_assert_eq(early_child(limit), 40);
	/* What does not fit counts as unset, not as its beginning. */
	memset(over, 'v', sizeof(over) - 1);
	cr_assert_eq(early_child(over), 40);
}

/*
 * A set-user-id program: a copy of this one, owned by nobody, run by root.
 * Where that cannot be had (not root, nosuid, emulation) there is nothing to see.
 */
static __attribute__((constructor(102))) void secure_main(void)
{
	if (!getenv("KMEM_SECURE_TEST"))
		return;
	if (!host_secure())
		_exit(77);
	_exit(host_getenv("KMEM_SECURE_TEST") || host_getenv("PATH") ? 1 : 41);
}

Test(facts, set_user_id_programs_have_no_environment)
{
	char path[] = "/tmp/kmem-test-facts-XXXXXX", command[256];
	int fd = mkstemp(path), status;

	cr_assert_geq(fd, 0);
	close(fd);
	snprintf(command, sizeof(command),
		 "cp /proc/%d/exe %s && chown 65534 %s && chmod 4755 %s", getpid(), path, path, path);
	if (!emulated() && getuid() == 0 && system(command) == 0) {
		snprintf(command, sizeof(command), "KMEM_SECURE_TEST=1 exec %s", path);
		status = system(command);
		cr_assert(WIFEXITED(status));
		cr_assert(WEXITSTATUS(status) == 41 || WEXITSTATUS(status) == 77, "status %d",
			  WEXITSTATUS(status));
	}
	unlink(path);
	errno = 77;
}
