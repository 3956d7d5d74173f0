// SPDX-License-Identifier: MIT
/*
 * kmem-run - runs a program with libkmem as its malloc, and says what that did.
 *
 *	kmem-run prog args...			nothing but LD_PRELOAD, then exec
 *	kmem-run --stats prog args...		then wall time and peak RSS
 *	kmem-run --slabinfo prog args...	then its heap near the peak
 *	kmem-run --compare prog args...		once on the program's own malloc, once on libkmem
 *
 * What it measures. Wall time from fork to the child's end, by
 * CLOCK_MONOTONIC. User and system time and peak RSS as wait4() gives them:
 * times of the child and of all its descendants that were waited for, peak RSS
 * of the largest single process among these. (A child's peak begins with what
 * this launcher itself has resident when it forks, some 1.5 MiB: smaller
 * programs show that.)
 *
 * The picture of the heap costs time, so that with --compare it is taken in a
 * third run, and the two timed runs are left alone.
 *
 * stdin goes to the program. Where the program runs more than once a file is
 * rewound and a pipe is read to its end first; a terminal is passed as it is.
 *
 * Exit status: the program's own (with --compare, of the run on libkmem), 128+N
 * if signal N ended it, 127 if it was not found, 126 if it could not be run, 125
 * if the launcher itself failed. Signals sent to the launcher go to the program.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "kmem-run.h"

#ifndef KMEM_VERSION
#define KMEM_VERSION "0.1.0"
#endif
#define LIB_NAME "libkmem-malloc.so"

enum side { SIDE_DEFAULT, SIDE_KMEM };

struct options {
	bool stats, slabinfo, compare;
	const char *cmdline;		/* NULL: as the environment has it */
	char lib[PATH_MAX];
	char slabinfo_prog[PATH_MAX];
	char **argv;			/* the program and its arguments */
};

struct result {
	int status;			/* as a shell gives it */
	double wall, user, sys;		/* seconds */
	long peak_kb;
};

static volatile sig_atomic_t child_pid;

void fail(const char *fmt, ...)
{
	va_list ap;

	fputs("kmem-run: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	exit(125);
}

/* ---- finding the library and slabinfo ------------------------------------------ */

/* @rel, seen from the directory of this program's own file; true if it is there. */
static bool beside_me(char out[PATH_MAX], const char *rel)
{
	char me[PATH_MAX], path[2 * PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", me, sizeof(me) - 1);
	char *slash;

	if (n <= 0)
		return false;
	me[n] = '\0';
	slash = strrchr(me, '/');
	if (!slash)
		return false;
	*slash = '\0';
	snprintf(path, sizeof(path), "%s/%s", me, rel);
	return realpath(path, out) != NULL;
}

static void find_library(struct options *o, const char *given)
{
	if (given) {
		if (!realpath(given, o->lib))
			fail("%s: %s", given, strerror(errno));
		return;
	}
	/* In the build tree this program is build/tools/kmem-run; installed, PREFIX/bin/kmem-run. */
	if (!beside_me(o->lib, "../" LIB_NAME) && !beside_me(o->lib, "../lib/" LIB_NAME))
		fail("cannot find " LIB_NAME " near this program; name it with --lib");
}

static void find_slabinfo(struct options *o)
{
	if (!beside_me(o->slabinfo_prog, "slabinfo"))
		strcpy(o->slabinfo_prog, "slabinfo");	/* by PATH */
}

/* ---- the child's environment ------------------------------------------------------ */

/*
 * Sets LD_PRELOAD for a side: the library in front of what is preloaded
 * already, or not at all. Other preloads stay; entries are separated by
 * spaces or colons.
 */
static void set_preload(const char *lib, enum side side)
{
	const char *old = getenv("LD_PRELOAD");
	char *copy = strdup(old ? old : ""), *item, *save = NULL;
	size_t size = strlen(lib) + strlen(copy) + 2;
	char *value = calloc(1, size);

	if (!copy || !value)
		fail("out of memory");
	if (side == SIDE_KMEM)
		strcpy(value, lib);
	for (item = strtok_r(copy, " :", &save); item; item = strtok_r(NULL, " :", &save)) {
		const char *base = strrchr(item, '/');

		if (!strcmp(base ? base + 1 : item, LIB_NAME))
			continue;
		if (*value)
			strcat(value, ":");
		strcat(value, item);
	}
	if (*value)
		setenv("LD_PRELOAD", value, 1);
	else
		unsetenv("LD_PRELOAD");
	free(value);
	free(copy);
}

static void set_environment(const struct options *o, enum side side)
{
	set_preload(o->lib, side);
	if (o->cmdline)
		setenv("KMEM_CMDLINE", o->cmdline, 1);
	/* For a program that is a script: which run this is. */
	if (o->compare)
		setenv("KMEM_RUN_SIDE", side == SIDE_KMEM ? "libkmem" : "default", 1);
}

static void exec_program(const struct options *o) __attribute__((noreturn));
static void exec_program(const struct options *o)
{
	execvp(o->argv[0], o->argv);
	fprintf(stderr, "kmem-run: %s: %s\n", o->argv[0], strerror(errno));
	_exit(errno == ENOENT ? 127 : 126);
}

/* ---- signals ------------------------------------------------------------------------ */

/*
 * Passes on what somebody sent to the launcher. What the terminal sends (a
 * control key) the program has been sent itself, being in the same group.
 */
static void forward(int sig, siginfo_t *info, void *ctx)
{
	int saved = errno;

	(void)ctx;
	if (child_pid > 0 && info->si_code <= 0)
		kill(child_pid, sig);
	errno = saved;
}

static void forward_signals(void)
{
	static const int signals[] = {
		SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGWINCH, SIGALRM
	};
	struct sigaction sa = { .sa_sigaction = forward, .sa_flags = SA_SIGINFO | SA_RESTART };
	struct sigaction old;
	size_t i;

	for (i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
		/* What is ignored (nohup) stays ignored, here and in the program. */
		if (!sigaction(signals[i], NULL, &old) && old.sa_handler == SIG_IGN)
			continue;
		sigaction(signals[i], &sa, NULL);
	}
}

/* ---- one run -------------------------------------------------------------------------- */

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static double seconds(struct timeval tv)
{
	return (double)tv.tv_sec + (double)tv.tv_usec / 1e6;
}

/*
 * Waits for the child. With a watch it wakes up in between to look: soon at
 * first, then every 25 ms, and never so often that looking takes more than a
 * tenth of the time. SIGCHLD is blocked, so the end of the child ends a pause.
 */
static void wait_for(pid_t pid, struct watch *w, const sigset_t *chld,
		     int *status, struct rusage *ru)
{
	long pause_us = 2000;

	while (w && wait4(pid, status, WNOHANG, ru) == 0) {
		struct timespec ts = { 0, pause_us * 1000 };

		/* Any other ending of the pause just means an early look. */
		if (sigtimedwait(chld, NULL, &ts) == SIGCHLD)
			continue;
		watch_look(w, pid);
		pause_us = pause_us * 2 > 25000 ? 25000 : pause_us * 2;
		if (pause_us < (long)w->cost_us * 10)
			pause_us = (long)w->cost_us * 10 > 900000 ? 900000 : (long)w->cost_us * 10;
	}
	if (w)
		return;
	while (wait4(pid, status, 0, ru) < 0)
		if (errno != EINTR)
			fail("wait4: %s", strerror(errno));
}

static struct result run_once(const struct options *o, enum side side, struct watch *w)
{
	struct result r = { 0 };
	struct rusage ru = { 0 };
	sigset_t chld, all, old;
	int status = 0;
	double start;
	pid_t pid;

	sigemptyset(&chld);
	sigaddset(&chld, SIGCHLD);
	/* Nothing may arrive between the fork and knowing whom to pass it on to. */
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &old);
	fflush(NULL);
	start = now();
	pid = fork();
	if (pid < 0)
		fail("fork: %s", strerror(errno));
	if (pid == 0) {
		sigprocmask(SIG_SETMASK, &old, NULL);
		set_environment(o, side);
		exec_program(o);
	}
	child_pid = pid;
	sigprocmask(SIG_SETMASK, &old, NULL);
	sigprocmask(SIG_BLOCK, &chld, NULL);
	wait_for(pid, w, &chld, &status, &ru);
	r.wall = now() - start;
	child_pid = 0;
	sigprocmask(SIG_SETMASK, &old, NULL);

	r.status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
	r.user = seconds(ru.ru_utime);
	r.sys = seconds(ru.ru_stime);
	r.peak_kb = ru.ru_maxrss;
	return r;
}

/* ---- stdin for more than one run ---------------------------------------------------------- */

/* Copies a pipe to a file without a name, which then is stdin. */
static void spool_stdin(void)
{
	char buf[65536];
	FILE *f = tmpfile();
	ssize_t n;

	if (!f)
		fail("cannot keep standard input for the second run: %s", strerror(errno));
	while ((n = read(0, buf, sizeof(buf))) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 || fwrite(buf, 1, (size_t)n, f) != (size_t)n)
			fail("cannot keep standard input for the second run: %s", strerror(errno));
	}
	if (fflush(f) || lseek(fileno(f), 0, SEEK_SET) < 0 || dup2(fileno(f), 0) < 0)
		fail("cannot keep standard input for the second run: %s", strerror(errno));
}

/* Where stdin stands, to go back there before each run; -1: it cannot go back. */
static off_t prepare_stdin(void)
{
	struct stat st;

	if (fstat(0, &st) < 0 || S_ISCHR(st.st_mode))
		return -1;
	if (lseek(0, 0, SEEK_CUR) < 0)
		spool_stdin();
	return lseek(0, 0, SEEK_CUR);
}

/* ---- printing ------------------------------------------------------------------------------- */

static void print_stats(const struct result *r)
{
	fprintf(stderr, "wall %.3f s   user %.3f s   sys %.3f s   peak RSS %.1f MiB\n",
		r->wall, r->user, r->sys, (double)r->peak_kb / 1024);
}

static void print_row(const char *what, double a, double b, int digits)
{
	fprintf(stderr, "%-16s %14.*f %14.*f", what, digits, a, digits, b);
	if (a > 0)
		fprintf(stderr, " %9.2f", b / a);
	fputc('\n', stderr);
}

static void print_comparison(const struct result *d, const struct result *k)
{
	fprintf(stderr, "%-16s %14s %14s %9s\n", "", "own malloc", "libkmem", "ratio");
	print_row("wall, s", d->wall, k->wall, 3);
	print_row("user, s", d->user, k->user, 3);
	print_row("sys, s", d->sys, k->sys, 3);
	print_row("peak RSS, MiB", (double)d->peak_kb / 1024, (double)k->peak_kb / 1024, 1);
	if (d->status != k->status)
		fprintf(stderr, "kmem-run: exit status %d on the program's own malloc, %d on libkmem\n",
			d->status, k->status);
}

/* ---- options ---------------------------------------------------------------------------------- */

static void usage(FILE *f)
{
	fputs("usage: kmem-run [options] prog [args...]\n"
	      "Runs prog with libkmem as its malloc.\n"
	      "  --stats          afterwards, wall time and peak RSS on stderr\n"
	      "  --slabinfo       afterwards, slabinfo's tables, taken from the largest process\n"
	      "                   near its peak\n"
	      "  --compare        run it on its own malloc too, and put both side by side\n"
	      "  --cmdline=LINE   KMEM_CMDLINE for the program\n"
	      "  --lib=FILE       the library to preload (default: the one built or installed\n"
	      "                   with this program)\n"
	      "  --help, --version\n", f);
}

static void parse_options(struct options *o, int argc, char **argv)
{
	static const struct option longs[] = {
		{ "stats", no_argument, NULL, 's' },
		{ "slabinfo", no_argument, NULL, 'i' },
		{ "compare", no_argument, NULL, 'c' },
		{ "cmdline", required_argument, NULL, 'l' },
		{ "lib", required_argument, NULL, 'L' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{ NULL, 0, NULL, 0 }
	};
	const char *lib = NULL;
	int c;

	/* '+': the first word that is no option is the program, the rest is its own. */
	while ((c = getopt_long(argc, argv, "+", longs, NULL)) != -1) {
		switch (c) {
		case 's': o->stats = true; break;
		case 'i': o->slabinfo = true; break;
		case 'c': o->compare = true; break;
		case 'l': o->cmdline = optarg; break;
		case 'L': lib = optarg; break;
		case 'h': usage(stdout); exit(0);
		case 'V': puts("kmem-run " KMEM_VERSION); exit(0);
		default: usage(stderr); exit(125);
		}
	}
	if (optind == argc) {
		usage(stderr);
		exit(125);
	}
	o->argv = argv + optind;
	find_library(o, lib);
	if (strpbrk(o->lib, " :"))
		fail("LD_PRELOAD cannot name a path with a space or colon in it: %s", o->lib);
	find_slabinfo(o);
}

/* Compares; returns the exit status. */
static int compare(const struct options *o, struct watch *w)
{
	off_t start = prepare_stdin();
	struct result d, k;

	d = run_once(o, SIDE_DEFAULT, NULL);
	if (start >= 0)
		lseek(0, start, SEEK_SET);
	k = run_once(o, SIDE_KMEM, NULL);
	if (w) {
		if (start >= 0)
			lseek(0, start, SEEK_SET);
		run_once(o, SIDE_KMEM, w);
		watch_print(w);
	}
	print_comparison(&d, &k);
	return k.status;
}

int main(int argc, char **argv)
{
	static struct options o;
	struct watch watch = { 0 }, *w = NULL;
	struct result r;

	parse_options(&o, argc, argv);
	if (!o.stats && !o.slabinfo && !o.compare) {
		set_environment(&o, SIDE_KMEM);
		exec_program(&o);
	}
	forward_signals();
	if (o.slabinfo) {
		watch.lib = o.lib;
		watch.slabinfo = o.slabinfo_prog;
		w = &watch;
	}
	if (o.compare)
		return compare(&o, w);
	r = run_once(&o, SIDE_KMEM, w);
	if (w)
		watch_print(w);
	if (o.stats)
		print_stats(&r);
	return r.status;
}
