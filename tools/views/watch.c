// SPDX-License-Identifier: MIT
/* watch.c - one process looked at again and again, and numbers of command lines. */
#include "watch.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

bool watch_open(struct watch *w, int pid, char **error)
{
	w->pid = pid;
	w->pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (w->pidfd >= 0 || errno != ESRCH)
		return true;
	*error = xasprintf("%d: there is no such process", pid);
	return false;
}

void watch_close(struct watch *w)
{
	if (w->pidfd >= 0)
		close(w->pidfd);
	w->pidfd = -1;
}

/* One that is being killed has no memory any more a while before it has ended. */
static bool without_memory(int pid)
{
	char path[64], c;
	ssize_t n = -1;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/maps", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		n = read(fd, &c, 1);
		close(fd);
	}
	return n == 0;
}

bool watch_ended(const struct watch *w)
{
	struct pollfd p = { .fd = w->pidfd, .events = POLLIN };

	if (w->pidfd >= 0 ? poll(&p, 1, 0) > 0 : kill(w->pid, 0) < 0 && errno == ESRCH)
		return true;
	return without_memory(w->pid);
}

struct target *watch_read(const struct watch *w, char **error)
{
	struct target_options o = { .pid = w->pid };
	struct target *t = target_open(&o, error);

	if (!watch_ended(w))
		return t;
	target_close(t);
	if (t)
		*error = xasprintf("%d: the process has ended", w->pid);
	return NULL;
}

double watch_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec * 1e-9;
}

void watch_sleep(const struct watch *w, double when)
{
	struct pollfd p = { .fd = w->pidfd, .events = POLLIN };
	double left = when - watch_now();

	if (left > 0)
		poll(&p, w->pidfd >= 0, (int)(left * 1000) + 1);
}

/* ---- numbers ------------------------------------------------------------------------ */

bool view_integer(const char *text, long min, long max, long *value)
{
	char *end;

	errno = 0;
	*value = strtol(text, &end, 10);
	return !errno && end != text && !*end && *value >= min && *value <= max;
}

bool view_seconds(const char *text, double min, double max, double *value)
{
	char *end;

	errno = 0;
	*value = strtod(text, &end);
	return !errno && end != text && !*end && isfinite(*value) && *value >= min &&
	       *value <= max;
}
