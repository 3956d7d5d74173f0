// SPDX-License-Identifier: MIT
/*
 * process.c - the memory of a live process, through /proc and process_vm_readv.
 *
 * Nothing here stops the process or makes it do anything: a stopped process
 * reads like a running one. One thing to take care of: reading a page that the
 * process has never touched would map the zero page there. So the reader asks
 * resident() first wherever that could be.
 *
 * Identity. A PID may come to mean another process, and execve() replaces the
 * memory under it. /proc/PID/mem, once open, stays with the memory that it was
 * opened on and reads as empty when that is gone: alive() asks it.
 */
#include "source.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>
#include <unistd.h>

struct process {
	struct source src;
	int mem_fd;
	int pagemap_fd;
	bool no_vm_readv;	/* refused: everything goes through mem_fd */
	bool no_scan;		/* kernel before 6.7 */
	uint64_t page_size;
	uint64_t witness;	/* an address that can be read while it lives */
	char *maps_text;	/* the paths of the mappings lie in it */
};

static struct process *to_process(struct source *src)
{
	return (struct process *)src;	/* src is first */
}

/* ---- reading ------------------------------------------------------------------ */

static bool read_mem(struct process *p, uint64_t addr, char *buf, size_t len)
{
	while (len) {
		ssize_t n = pread(p->mem_fd, buf, len, (off_t)addr);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		addr += (uint64_t)n;
		buf += n;
		len -= (size_t)n;
	}
	return true;
}

static bool process_read(struct source *src, uint64_t addr, void *buf, size_t len)
{
	struct process *p = to_process(src);
	struct iovec to = { buf, len };
	struct iovec from = { (void *)(uintptr_t)addr, len };
	ssize_t n;

	if (!p->no_vm_readv) {
		n = process_vm_readv(src->pid, &to, 1, &from, 1, 0);
		if (n == (ssize_t)len)
			return true;
		if (n < 0 && (errno == ENOSYS || errno == EPERM))
			p->no_vm_readv = true;
		else if (n < 0)
			return false;
	}
	return read_mem(p, addr, buf, len);
}

/* Where process_vm_writev is refused the same right, asked for by another way, may be given. */
static bool process_write(struct source *src, uint64_t addr, const void *buf, size_t len)
{
	struct iovec from = { (void *)(uintptr_t)buf, len };
	struct iovec to = { (void *)(uintptr_t)addr, len };
	char path[64];
	bool ok;
	int fd;

	if (process_vm_writev(src->pid, &from, 1, &to, 1, 0) == (ssize_t)len)
		return true;
	snprintf(path, sizeof(path), "/proc/%d/mem", src->pid);
	fd = open(path, O_RDWR | O_CLOEXEC);
	ok = fd >= 0 && pwrite(fd, buf, len, (off_t)addr) == (ssize_t)len;
	if (fd >= 0)
		close(fd);
	return ok;
}

static bool process_alive(struct source *src)
{
	char byte;

	return read_mem(to_process(src), to_process(src)->witness, &byte, 1);
}

/* ---- which pages are resident ----------------------------------------------------- */

/*
 * PAGEMAP_SCAN (Linux 6.7) tells runs, and tells the zero page from memory of
 * one's own, which counts nothing in the RSS. Spelled out here: the headers of
 * the system that this is built on may be older than its kernel.
 */
struct scan_arg {
	uint64_t size, flags, start, end, walk_end, vec, vec_len, max_pages;
	uint64_t category_inverted, category_mask, category_anyof_mask, return_mask;
};

struct scan_region {
	uint64_t start, end, categories;
};

#define SCAN_IOCTL	_IOWR('f', 16, struct scan_arg)
#define SCAN_PRESENT	(1UL << 3)
#define SCAN_PFNZERO	(1UL << 5)

static int scan_resident(struct process *p, uint64_t start, uint64_t end,
			 resident_fn fn, void *arg)
{
	struct scan_region region[512];

	while (start < end) {
		struct scan_arg a = {
			.size = sizeof(a), .start = start, .end = end,
			.vec = (uint64_t)(uintptr_t)region, .vec_len = ARRAY_SIZE(region),
			.category_inverted = SCAN_PFNZERO,
			.category_mask = SCAN_PRESENT | SCAN_PFNZERO,
			.return_mask = SCAN_PRESENT,
		};
		int n = ioctl(p->pagemap_fd, SCAN_IOCTL, &a);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		for (int i = 0; i < n; i++)
			fn(arg, region[i].start, region[i].end);
		if (a.walk_end <= start)
			return 0;
		start = a.walk_end;
	}
	return 0;
}

/* The same by one word a page; pages of zeros count as resident. */
static bool pread_resident(struct process *p, uint64_t start, uint64_t end,
			   resident_fn fn, void *arg)
{
	uint64_t word[8192], run = 0;
	bool in_run = false;

	for (uint64_t addr = start; addr < end;) {
		size_t want = min_u64((end - addr) / p->page_size, ARRAY_SIZE(word));
		ssize_t n = pread(p->pagemap_fd, word, want * 8,
				  (off_t)(addr / p->page_size * 8));

		if (n < 8)
			break;
		for (size_t i = 0; i < (size_t)n / 8; i++, addr += p->page_size) {
			bool present = word[i] >> 63;

			if (present && !in_run)
				run = addr;
			if (!present && in_run)
				fn(arg, run, addr);
			in_run = present;
		}
		if (addr >= end && in_run)
			fn(arg, run, addr);
	}
	return true;
}

struct clip {
	uint64_t start, end;
	resident_fn fn;
	void *arg;
};

static void clip_run(void *arg, uint64_t start, uint64_t end)
{
	struct clip *c = arg;

	start = max_u64(start, c->start);
	end = min_u64(end, c->end);
	if (start < end)
		c->fn(c->arg, start, end);
}

static bool process_resident(struct source *src, uint64_t start, uint64_t end,
			     resident_fn fn, void *arg)
{
	struct process *p = to_process(src);
	struct clip clip = { start, end, fn, arg };
	uint64_t first = start & ~(p->page_size - 1);
	uint64_t last = (end + p->page_size - 1) & ~(p->page_size - 1);

	if (p->pagemap_fd < 0)
		return false;
	if (!p->no_scan) {
		int err = scan_resident(p, first, last, clip_run, &clip);

		if (err != -ENOTTY && err != -EINVAL)
			return err == 0;
		p->no_scan = true;
	}
	return pread_resident(p, first, last, clip_run, &clip);
}

/* ---- what the kernel accounts ------------------------------------------------------ */

static uint64_t overlap(uint64_t start, uint64_t end, const struct range *ranges, size_t nr)
{
	uint64_t bytes = 0;

	for (size_t i = 0; i < nr; i++) {
		uint64_t from = max_u64(start, ranges[i].start);
		uint64_t to = min_u64(end, ranges[i].end);

		if (from < to)
			bytes += to - from;
	}
	return bytes;
}

/*
 * Adds the Rss: lines of smaps. A mapping that lies in the ranges only in part
 * (the kernel joins neighbours that look alike) is asked of the page map.
 */
static bool process_accounted(struct source *src, const struct range *ranges, size_t nr,
			      uint64_t *rss)
{
	char path[64], *text, *line, *save;
	uint64_t start = 0, end = 0, kib, inside = 0, sum = 0;

	snprintf(path, sizeof(path), "/proc/%d/smaps", src->pid);
	text = read_whole(path, NULL);
	if (!text)
		return false;
	for (line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		if (sscanf(line, "%" SCNx64 "-%" SCNx64 " ", &start, &end) == 2) {
			inside = overlap(start, end, ranges, nr);
			continue;
		}
		if (!inside || sscanf(line, "Rss: %" SCNu64, &kib) != 1)
			continue;
		if (inside == end - start) {
			sum += kib << 10;
			continue;
		}
		for (size_t i = 0; kib && i < nr; i++)
			sum += source_resident_bytes(src, max_u64(start, ranges[i].start),
						     min_u64(end, ranges[i].end));
	}
	free(text);
	*rss = sum;
	return true;
}

/* ---- opening ------------------------------------------------------------------------- */

static void process_close(struct source *src)
{
	struct process *p = to_process(src);

	if (p->mem_fd >= 0)
		close(p->mem_fd);
	if (p->pagemap_fd >= 0)
		close(p->pagemap_fd);
	free(p->maps_text);
	free(src->maps);
	free(src->threads);
	free(src->label);
	free(src->command);
	free(p);
}

static const struct source_ops process_ops = {
	.read = process_read,
	.write = process_write,
	.resident = process_resident,
	.accounted = process_accounted,
	.alive = process_alive,
	.close = process_close,
};

/* One line of maps; false if it is none. */
static bool parse_mapping(char *line, struct mapping *m)
{
	unsigned int major, minor;
	char prot[5];
	int at = 0;

	if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %4s %" SCNx64 " %x:%x %" SCNu64 " %n",
		   &m->start, &m->end, prot, &m->offset, &major, &minor, &m->inode, &at) < 7)
		return false;
	m->device = makedev(major, minor);
	m->readable = prot[0] == 'r';
	m->writable = prot[1] == 'w';
	m->path = at ? line + at : "";
	return m->end > m->start;
}

static void parse_maps(struct process *p)
{
	struct source *src = &p->src;
	char *line, *save;

	for (line = strtok_r(p->maps_text, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save)) {
		src->maps = grow(src->maps, src->nr_maps, sizeof(*src->maps));
		if (!parse_mapping(line, &src->maps[src->nr_maps]))
			continue;
		if (!p->witness && src->maps[src->nr_maps].readable)
			p->witness = src->maps[src->nr_maps].start;
		src->nr_maps++;
	}
}

/* The program's name, with nothing in it that a terminal would act upon. */
static char *command_name(int pid)
{
	char path[64], *name;

	snprintf(path, sizeof(path), "/proc/%d/comm", pid);
	name = read_whole(path, NULL);
	if (!name)
		return xstrdup("?");
	name[strcspn(name, "\n")] = '\0';
	clean_text(name, '?', true);
	return name;
}

/* A line of /proc/PID/status, as a number; @fallback if there is none. */
static long status_number(int pid, const char *key, long fallback)
{
	char path[64], *text, *line;
	long value = fallback;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	text = read_whole(path, NULL);
	if (!text)
		return fallback;
	line = strstr(text, key);
	if (line)
		value = strtol(line + strlen(key), NULL, 10);
	free(text);
	return value;
}

/* Why the kernel said no, and what the user can do about it. */
static char *explain_denied(int pid)
{
	long uid = status_number(pid, "\nUid:\t", -1);
	char *scope, *why;

	if (geteuid() == 0)
		return xasprintf("%d: not permitted: this needs CAP_SYS_PTRACE in the "
				 "process's user namespace", pid);
	if (uid != (long)geteuid())
		return xasprintf("%d: not permitted: it is a process of user %ld; "
				 "run as that user or as root", pid, uid);
	scope = read_whole("/proc/sys/kernel/yama/ptrace_scope", NULL);
	if (scope && scope[0] != '0')
		why = xasprintf("%d: not permitted: kernel.yama.ptrace_scope is %c; run as root, "
				"set it to 0, or start the program with "
				"KMEM_CMDLINE=inspect=any (prctl(PR_SET_PTRACER, "
				"PR_SET_PTRACER_ANY))", pid, scope[0]);
	else
		why = xasprintf("%d: not permitted: the process is protected (set-user-id, or "
				"not dumpable); run as root", pid);
	free(scope);
	return why;
}

static char *explain(int pid, int err)
{
	switch (err) {
	case ENOENT:
	case ESRCH:
		return xasprintf("%d: no such process", pid);
	case EACCES:
	case EPERM:
		return explain_denied(pid);
	default:
		return xasprintf("%d: can't be read: %s", pid, strerror(err));
	}
}

#define FLAG_KTHREAD	0x00200000U	/* PF_KTHREAD in the kernel's task flags */

/*
 * A process without memory of its own: it has ended, or is the kernel's. Its state does
 * not tell: one that is being killed has no memory before it becomes a zombie.
 */
static char *explain_empty(int pid)
{
	char path[64], *text, *rest;
	unsigned int flags = 0;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	text = read_whole(path, NULL);
	rest = text ? strrchr(text, ')') : NULL;	/* state, parent, ..., flags */
	if (rest && sscanf(rest, ") %*c %*d %*d %*d %*d %*d %u", &flags) != 1)
		flags = 0;
	free(text);
	return xasprintf(flags & FLAG_KTHREAD ? "%d: a kernel thread, no process" :
			 "%d: the process has ended", pid);
}

static int open_files(struct process *p, int pid)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/maps", pid);
	p->maps_text = read_whole(path, NULL);
	if (!p->maps_text)
		return errno;
	if (!p->maps_text[0])
		return 0;
	snprintf(path, sizeof(path), "/proc/%d/mem", pid);
	p->mem_fd = open(path, O_RDONLY | O_CLOEXEC);
	if (p->mem_fd < 0)
		return errno;
	snprintf(path, sizeof(path), "/proc/%d/pagemap", pid);
	p->pagemap_fd = open(path, O_RDONLY | O_CLOEXEC);
	return 0;
}

struct source *source_process(int pid, char **error)
{
	struct process *p = xcalloc(1, sizeof(*p));
	char *why = NULL;
	int err;

	p->src.ops = &process_ops;
	p->src.pid = pid;
	p->src.live = true;
	p->src.label = xasprintf("%d", pid);
	p->mem_fd = -1;
	p->pagemap_fd = -1;
	p->page_size = (uint64_t)sysconf(_SC_PAGESIZE);
	err = open_files(p, pid);
	if (!err) {
		parse_maps(p);
		p->src.command = command_name(pid);
	}
	if (!err && p->src.nr_maps && p->witness)
		return &p->src;
	if (error) {
		why = err ? explain(pid, err) : explain_empty(pid);
		*error = why;
	}
	process_close(&p->src);
	return NULL;
}
