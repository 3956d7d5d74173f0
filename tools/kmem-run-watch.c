// SPDX-License-Identifier: MIT
/*
 * kmem-run-watch.c - a picture of a program's heap near its peak.
 *
 * The program to look at is often not the one that was started: gcc starts
 * cc1, a shell its commands. So each look reads the table of processes
 * (/proc/N/stat: parent and RSS), keeps those below the one that was started,
 * and takes the largest that has the library mapped. When this has grown by a
 * twentieth since the last picture, slabinfo takes a new one, and the last one
 * stays: at the end it is of a moment within a twentieth of the peak, as far
 * as the peak lasted longer than the pause between two looks.
 *
 * What limits how often: a look may take a tenth of the time (kmem-run.c); pictures
 * are few by the rule above, a hundred while a program grows a hundredfold.
 *
 * Nothing is asked of the program itself. It may end at any moment: a picture
 * that does not come out whole is dropped and the earlier one kept.
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "kmem-run.h"

struct process {
	pid_t pid, parent;
	unsigned long rss_kb;
	char comm[32];
	bool below;			/* the process that was started, or below it */
};

struct process_table {
	struct process *p;
	size_t n, size;
};

/* ---- the table of processes ----------------------------------------------------- */

static bool read_stat(const char *pid, struct process *p)
{
	char path[64], buf[1024], *from, *to;
	unsigned long pages;
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%.20s/stat", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	n = read(fd, buf, sizeof(buf) - 1);
	close(fd);
	if (n <= 0)
		return false;
	buf[n] = '\0';
	/* pid (comm) state ppid ...; comm may hold anything, so from its last ')'. */
	from = strchr(buf, '(');
	to = strrchr(buf, ')');
	if (!from || !to)
		return false;
	*to = '\0';
	snprintf(p->comm, sizeof(p->comm), "%s", from + 1);
	/* Of the fields after comm, ppid is the 2nd and rss (in pages) the 22nd. */
	if (sscanf(to + 1, " %*c %d %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s"
			      " %*s %*s %*s %*s %*s %*s %*s %lu", &p->parent, &pages) != 2)
		return false;
	p->pid = (pid_t)strtol(pid, NULL, 10);
	p->rss_kb = pages * ((unsigned long)sysconf(_SC_PAGESIZE) / 1024);
	p->below = false;
	return true;
}

static void read_processes(struct process_table *t)
{
	DIR *dir = opendir("/proc");
	struct dirent *e;

	t->n = 0;
	if (!dir)
		return;
	while ((e = readdir(dir))) {
		if (!isdigit((unsigned char)e->d_name[0]))
			continue;
		if (t->n == t->size) {
			t->size = t->size ? 2 * t->size : 256;
			t->p = realloc(t->p, t->size * sizeof(*t->p));
			if (!t->p)
				fail("out of memory");
		}
		if (read_stat(e->d_name, &t->p[t->n]))
			t->n++;
	}
	closedir(dir);
}

/* Marks @root and its descendants; each round reaches one generation further. */
static void mark_below(struct process_table *t, pid_t root)
{
	bool again = true;
	size_t i, j;

	for (i = 0; i < t->n; i++)
		t->p[i].below = t->p[i].pid == root;
	while (again) {
		again = false;
		for (i = 0; i < t->n; i++) {
			for (j = 0; j < t->n && !t->p[i].below; j++) {
				if (!t->p[j].below || t->p[j].pid != t->p[i].parent)
					continue;
				t->p[i].below = true;
				again = true;
			}
		}
	}
}

static bool runs_on(pid_t pid, const char *lib)
{
	char path[64], *line = NULL;
	size_t size = 0;
	bool found = false;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/maps", pid);
	f = fopen(path, "re");
	if (!f)
		return false;
	while (!found && getline(&line, &size, f) > 0)
		found = strstr(line, lib) != NULL;
	free(line);
	fclose(f);
	return found;
}

/* The largest process below the root that runs on the library, or NULL. */
static struct process *largest(struct process_table *t, const char *lib, unsigned long above_kb)
{
	for (;;) {
		struct process *best = NULL;
		size_t i;

		for (i = 0; i < t->n; i++)
			if (t->p[i].below && (!best || t->p[i].rss_kb > best->rss_kb))
				best = &t->p[i];
		if (!best || best->rss_kb <= above_kb)
			return NULL;
		if (runs_on(best->pid, lib))
			return best;
		best->below = false;
	}
}

/* ---- the picture ------------------------------------------------------------------- */

/* Appends to the string *@text of length *@len; false when there is no memory. */
static bool append(char **text, size_t *len, const char *more, size_t n)
{
	char *longer = realloc(*text, *len + n + 1);

	if (!longer)
		return false;
	memcpy(longer + *len, more, n);
	*len += n;
	longer[*len] = '\0';
	*text = longer;
	return true;
}

/* Appends all that @fd gives. */
static bool read_all(int fd, char **text, size_t *len)
{
	char buf[16384];
	ssize_t n;

	while ((n = read(fd, buf, sizeof(buf))) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 || !append(text, len, buf, (size_t)n))
			return false;
	}
	return true;
}

/* What slabinfo says of @target, appended to *@text; false if it failed. */
static bool ask_slabinfo(const char *prog, pid_t target, char **text, size_t *len)
{
	char number[16];
	int fds[2], status;
	bool ok;
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return false;
	snprintf(number, sizeof(number), "%d", target);
	pid = fork();
	if (pid == 0) {
		int null = open("/dev/null", O_RDWR | O_CLOEXEC);

		dup2(null, 0);
		dup2(fds[1], 1);
		dup2(null, 2);
		unsetenv("LD_PRELOAD");
		execlp(prog, "slabinfo", "--table", "-b", "-m", "-p", number, (char *)NULL);
		_exit(127);
	}
	close(fds[1]);
	ok = pid > 0 && read_all(fds[0], text, len);
	close(fds[0]);
	if (pid > 0)
		while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
			;
	return ok && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* All tables in one go, so that they are of one moment. */
static void take_picture(struct watch *w, const struct process *p)
{
	char *text = NULL;
	size_t len = 0;

	if (!ask_slabinfo(w->slabinfo, p->pid, &text, &len)) {
		free(text);
		return;
	}
	free(w->text);
	w->text = text;
	w->pid = p->pid;
	w->rss_kb = p->rss_kb;
	memcpy(w->comm, p->comm, sizeof(w->comm));
}

void watch_look(struct watch *w, pid_t root)
{
	static struct process_table table;
	struct timespec a, b;
	struct process *p;

	clock_gettime(CLOCK_MONOTONIC, &a);
	read_processes(&table);
	mark_below(&table, root);
	p = largest(&table, w->lib, w->rss_kb + w->rss_kb / 20);
	clock_gettime(CLOCK_MONOTONIC, &b);
	w->cost_us = (unsigned long)((b.tv_sec - a.tv_sec) * 1000000 +
				     (b.tv_nsec - a.tv_nsec) / 1000);
	if (p) {
		w->seen_kb = p->rss_kb > w->seen_kb ? p->rss_kb : w->seen_kb;
		take_picture(w, p);
	}
}

void watch_print(const struct watch *w)
{
	if (w->pid) {
		fprintf(stderr, "slabinfo of process %d (%s) at an RSS of %.1f MiB:\n\n%s\n",
			w->pid, w->comm, (double)w->rss_kb / 1024, w->text);
	} else if (w->seen_kb) {
		fprintf(stderr, "kmem-run: no picture: %s failed on the process\n", w->slabinfo);
	} else {
		fprintf(stderr, "kmem-run: no picture: no process on the library lived long enough\n");
	}
}
