// SPDX-License-Identifier: MIT
/*
 * threads.c - the threads of a live process: what their registers hold.
 *
 * Without stopping anything the system tells the stack pointer and the
 * arguments of the system call of a thread that waits in one; the rest of its
 * registers is unknown. With ptrace all is known, and the process stands still
 * meanwhile: that is only done for a user who asks for it.
 */
#include "scan.h"

#include <ctype.h>
#include <dirent.h>
#include <elf.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/wait.h>

static struct thread *add_thread(struct source *src, int tid)
{
	struct thread *t;

	src->threads = grow(src->threads, src->nr_threads, sizeof(*src->threads));
	t = &src->threads[src->nr_threads++];
	*t = (struct thread){ .tid = tid };
	return t;
}

static bool known_thread(const struct source *src, int tid)
{
	for (size_t i = 0; i < src->nr_threads; i++)
		if (src->threads[i].tid == tid)
			return true;
	return false;
}

/* Calls @fn for each thread that is not in source.threads yet. Returns how many there were. */
static size_t new_threads(struct source *src, bool (*fn)(struct source *src, int tid))
{
	char path[64];
	struct dirent *d;
	size_t nr = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/task", src->pid);
	dir = opendir(path);
	while (dir && (d = readdir(dir))) {
		int tid = isdigit((unsigned char)d->d_name[0]) ? atoi(d->d_name) : 0;

		if (tid > 0 && !known_thread(src, tid))
			nr += fn(src, tid);
	}
	if (dir)
		closedir(dir);
	return nr;
}

/* "232 0x4 0x7ff.. .. SP PC", "-1 SP PC" outside a call, or "running". */
static bool look_at_thread(struct source *src, int tid)
{
	struct thread *t = add_thread(src, tid);
	uint64_t v[9];
	char path[64], *text;
	int n;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/syscall", src->pid, tid);
	text = read_whole(path, NULL);
	if (!text)
		return true;
	n = sscanf(text, "%*d %" SCNx64 " %" SCNx64 " %" SCNx64 " %" SCNx64 " %" SCNx64
		   " %" SCNx64 " %" SCNx64 " %" SCNx64, &v[0], &v[1], &v[2], &v[3], &v[4],
		   &v[5], &v[6], &v[7]);
	free(text);
	if (n < 2)
		return true;
	memcpy(t->reg, v, (size_t)n * 8);
	t->nr_regs = (size_t)n;
	t->sp = v[n - 2];
	return true;
}

static void forget_threads(struct source *src)
{
	free(src->threads);
	src->threads = NULL;
	src->nr_threads = 0;
}

void threads_read(struct source *src)
{
	if (!src->live)
		return;
	forget_threads(src);
	new_threads(src, look_at_thread);
}

/* ---- stopping ----------------------------------------------------------------------- */

static bool wait_for_stop(int tid)
{
	int status;

	for (;;) {
		if (waitpid(tid, &status, __WALL) < 0) {
			if (errno == EINTR)
				continue;
			return false;
		}
		return WIFSTOPPED(status);
	}
}

static bool stop_thread(struct source *src, int tid)
{
	struct iovec regs;
	struct thread *t;
	size_t sp;

	if (ptrace(PTRACE_SEIZE, tid, NULL, NULL))
		return false;
	if (ptrace(PTRACE_INTERRUPT, tid, NULL, NULL) || !wait_for_stop(tid)) {
		ptrace(PTRACE_DETACH, tid, NULL, NULL);
		return false;
	}
	t = add_thread(src, tid);
	regs = (struct iovec){ t->reg, sizeof(t->reg) };
	if (!ptrace(PTRACE_GETREGSET, tid, (void *)NT_PRSTATUS, &regs))
		t->nr_regs = regs.iov_len / 8;
#if defined(__aarch64__)
	sp = 31;
#else
	sp = 19;
#endif
	t->sp = sp < t->nr_regs ? t->reg[sp] : 0;
	return true;
}

bool threads_stop(struct source *src, char **error)
{
	int why;

	forget_threads(src);
	errno = 0;
	/* Threads that start meanwhile turn up in the next round. */
	while (new_threads(src, stop_thread))
		;
	why = errno;
	if (src->nr_threads)
		return true;
	*error = xasprintf("its threads can't be stopped: %s", strerror(why ? why : ESRCH));
	return false;
}

void threads_release(struct source *src)
{
	for (size_t i = 0; i < src->nr_threads; i++)
		ptrace(PTRACE_DETACH, src->threads[i].tid, NULL, NULL);
}
