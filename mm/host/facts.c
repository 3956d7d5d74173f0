// SPDX-License-Identifier: MIT
/*
 * facts.c - what the machine and the process are: page size, memory, CPUs,
 * environment. Each is asked once, at start-up, and kept by the caller.
 *
 * malloc may be called by the dynamic linker before libc's own start-up, so
 * nothing here relies on more of libc than the auxiliary vector; files are read
 * by raw calls into small buffers on the stack. No answer is never an error:
 * it reads as "no limit", "unset" or "unknown".
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/resource.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include "../base/bitops.h"
#include "../base/printk.h"
#include "host.h"
#include "syscall.h"

#ifndef AT_RSEQ_FEATURE_SIZE
#define AT_RSEQ_FEATURE_SIZE	27
#endif

/* ---- files -------------------------------------------------------------- */

static int open_ro(const char *path)
{
	return (int)raw_syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
}

/* As much of a small file as fits, with a NUL behind it; the length, or < 0. */
static long read_file(const char *path, char *buf, size_t size)
{
	size_t len = 0;
	int fd = open_ro(path);
	long n;

	if (fd < 0)
		return fd;
	while (len < size - 1) {
		n = raw_syscall(SYS_read, fd, buf + len, size - 1 - len);
		if (n == -EINTR)
			continue;
		if (n <= 0)
			break;
		len += (size_t)n;
	}
	raw_syscall(SYS_close, fd);
	buf[len] = '\0';
	return (long)len;
}

/* Decimal digits at @s; SIZE_MAX where there are none or too many ("max"). */
static size_t parse_size(const char *s)
{
	size_t n = 0;

	if (*s < '0' || *s > '9')
		return SIZE_MAX;
	for (; *s >= '0' && *s <= '9'; s++)
		if (__builtin_mul_overflow(n, 10UL, &n) ||
		    __builtin_add_overflow(n, (size_t)(*s - '0'), &n))
			return SIZE_MAX;
	return n;
}

/* ---- the auxiliary vector --------------------------------------------------- */

static unsigned long auxval(unsigned long type)
{
	int saved = errno;
	unsigned long v = getauxval(type);

	errno = saved;
	return v;
}

size_t host_page_size(void)
{
	size_t size = auxval(AT_PAGESZ);

	return size ? size : 4096;
}

unsigned int host_rseq_feature_size(void)
{
	return (unsigned int)auxval(AT_RSEQ_FEATURE_SIZE);
}

bool host_secure(void)
{
	return auxval(AT_SECURE) != 0;
}

/* ---- memory ------------------------------------------------------------------ */

/* A limit is that of the group or of any group above it; this many levels. */
#define CGROUP_LEVELS	16

/* Cuts the last component off a path; false when none is left. */
static bool parent_of(char *path)
{
	char *slash = strrchr(path, '/');

	if (!slash)
		return false;
	*slash = '\0';
	return true;
}

/* The least limit in files @mount@path/@file from @path up to the root. */
static size_t least_limit(const char *mount, char *path, const char *file)
{
	size_t least = SIZE_MAX;
	char name[512], text[32];
	int level = 0;

	do {
		int len = kmem_snprintf(name, sizeof(name), "%s%s/%s", mount, path, file);

		if (len < (int)sizeof(name) && read_file(name, text, sizeof(text)) > 0)
			least = min(least, parse_size(text));
	} while (parent_of(path) && ++level < CGROUP_LEVELS);
	return least;
}

/* Whether @list, comma separated up to a colon, has "memory" in it. */
static bool has_memory_controller(const char *list, const char *end)
{
	while (list < end) {
		const char *next = memchr(list, ',', (size_t)(end - list));
		size_t len = (size_t)((next ? next : end) - list);

		if (len == 6 && !memcmp(list, "memory", 6))
			return true;
		list += len + 1;
	}
	return false;
}

/*
 * The limit that one line of /proc/self/cgroup leads to. "0::PATH" is the
 * unified hierarchy, "N:...,memory,...:PATH" the memory controller's of old.
 * In a container PATH may be a place that is not mounted; its parents lead to
 * the mount's root, which then is the container's own group.
 */
static size_t cgroup_line_limit(char *line)
{
	char *list = strchr(line, ':'), *path;

	path = list ? strchr(list + 1, ':') : NULL;
	if (!path || path[1] != '/')
		return SIZE_MAX;
	list++;
	if (list == path) {
		path++;
		return least_limit("/sys/fs/cgroup", strcmp(path, "/") ? path : path + 1,
				   "memory.max");
	}
	if (!has_memory_controller(list, path++))
		return SIZE_MAX;
	return least_limit("/sys/fs/cgroup/memory", strcmp(path, "/") ? path : path + 1,
			   "memory.limit_in_bytes");
}

static size_t read_cgroup_limit(void)
{
	size_t limit = SIZE_MAX;
	char text[2048], *line = text, *end;

	if (read_file("/proc/self/cgroup", text, sizeof(text)) <= 0)
		return SIZE_MAX;
	while ((end = strchr(line, '\n')) != NULL) {
		*end = '\0';
		limit = min(limit, cgroup_line_limit(line));
		line = end + 1;
	}
	return limit;
}

static size_t memory_and_swap(bool swap)
{
	struct sysinfo si;
	size_t units;

	memset(&si, 0, sizeof(si));
	if (raw_syscall(SYS_sysinfo, &si) || !si.totalram)
		return SIZE_MAX;
	units = si.totalram + (swap ? si.totalswap : 0);
	return units * (si.mem_unit ? si.mem_unit : 1);
}

static size_t machine_memory(void)
{
	return memory_and_swap(false);
}

/* Groups without a limit of their own name a large number, or more than there is. */
size_t host_cgroup_limit(void)
{
	static size_t limit;	/* 0: not read yet; two threads would find the same */
	size_t found = READ_ONCE(limit);

	if (!found) {
		found = max(read_cgroup_limit(), (size_t)1);
		if (found >= machine_memory())
			found = SIZE_MAX;
		WRITE_ONCE(limit, found);
	}
	return found;
}

size_t host_memory_total(void)
{
	return machine_memory();
}

size_t host_commit_limit(void)
{
	char mode[8];

	if (read_file("/proc/sys/vm/overcommit_memory", mode, sizeof(mode)) > 0 && mode[0] == '1')
		return SIZE_MAX;
	return memory_and_swap(true);
}

size_t host_address_limit(void)
{
	struct { u64 cur, max; } lim;

	if (raw_syscall(SYS_prlimit64, 0, RLIMIT_AS, NULL, &lim))
		return SIZE_MAX;
	return lim.cur;		/* the kernel's "no limit" is all ones */
}

/* ---- CPUs ----------------------------------------------------------------------- */

/* Words for 8192 CPUs, the most that Linux is built for. */
#define AFFINITY_WORDS	128

/* The length of the kernel's masks. Not the CPUs in this one, of which there may be more later. */
static unsigned int cpus_of_masks(void)
{
	unsigned long mask[AFFINITY_WORDS];
	long bytes = raw_syscall(SYS_sched_getaffinity, 0, sizeof(mask), mask);

	return bytes > 0 ? (unsigned int)bytes * 8 : 0;
}

/* "0-3,8-11": the number behind the last separator is the highest. */
unsigned int host_possible_cpus(void)
{
	char text[512];
	long n = read_file("/sys/devices/system/cpu/possible", text, sizeof(text));
	size_t highest;

	while (n > 0 && (text[n - 1] < '0' || text[n - 1] > '9'))
		n--;
	text[n > 0 ? n : 0] = '\0';
	while (n > 0 && text[n - 1] >= '0' && text[n - 1] <= '9')
		n--;
	highest = n >= 0 ? parse_size(text + n) : SIZE_MAX;
	return highest < AFFINITY_WORDS * 64 ? (unsigned int)highest + 1 : cpus_of_masks();
}

/* ---- the environment ---------------------------------------------------------- */

/* A value found before libc had an environment; longer ones count as unset. */
static char early_value[1024];

static const char *getenv_libc(const char *name, size_t len)
{
	for (char **e = environ; *e; e++)
		if (!strncmp(*e, name, len) && (*e)[len] == '=')
			return *e + len + 1;
	return NULL;
}

/*
 * One pass over /proc/self/environ, byte by byte through a small buffer:
 * @matched counts the bytes of "NAME=" seen at the start of this entry, -1 for
 * an entry that is another's.
 */
struct environ_scan {
	const char *name;
	long name_len, matched;
	size_t value_len;
};

/* True: the value is complete in early_value. */
static bool scan_byte(struct environ_scan *s, char c)
{
	if (s->matched > s->name_len) {
		if (s->value_len < sizeof(early_value))
			early_value[s->value_len++] = c;
		return c == '\0';
	}
	if (c == '\0')
		s->matched = 0;
	else if (s->matched >= 0 && c == (s->matched < s->name_len ? s->name[s->matched] : '='))
		s->matched++;
	else
		s->matched = -1;
	return false;
}

static const char *getenv_proc(const char *name, size_t len)
{
	struct environ_scan scan = { .name = name, .name_len = (long)len };
	int fd = open_ro("/proc/self/environ");
	bool found = false;
	char buf[512];
	long n;

	if (fd < 0)
		return NULL;
	while (!found) {
		n = raw_syscall(SYS_read, fd, buf, sizeof(buf));
		if (n == -EINTR)
			continue;
		if (n <= 0)
			break;
		for (long i = 0; i < n && !found; i++)
			found = scan_byte(&scan, buf[i]);
	}
	raw_syscall(SYS_close, fd);
	return found && !early_value[scan.value_len - 1] ? early_value : NULL;
}

const char *host_getenv(const char *name)
{
	size_t len = strlen(name);

	if (host_secure())
		return NULL;
	return environ ? getenv_libc(name, len) : getenv_proc(name, len);
}
