// SPDX-License-Identifier: MIT
/*
 * slabtop.c - the caches of a process on a terminal, as procps' slabtop shows
 * the kernel's, and what they do per second.
 *
 * Header, columns, sort keys and -o are procps'. Added are a line with the resident
 * memory of the heap, and three rates. The library counts nothing when an allocation is
 * served from a magazine, so there is no number of allocations; what is there
 * is what the heap does behind the magazines:
 *
 *	NET/S	objects that the program holds now and did not before, per second
 *	MAG/S	magazines exchanged with the depot, and refilled from and flushed
 *		to slabs, per second: grows with allocations whose objects live longer
 *		than a magazine lasts
 *	SLAB/S	slabs made and given back, per second
 *
 * The picture that is shown is kept when the target ends or can't be read
 * for a moment, and a line says so.
 *
 *	slabtop.c	options, the command that is started, the loop
 *	views/top.c	the table: sums, sorting, rates, lines of text
 */
#include <curses.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <locale.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "views/top.h"
#include "views/watch.h"

#ifndef KMEM_VERSION
#define KMEM_VERSION "0.1.0"
#endif
#define ACTIVITY_SECONDS	5.0	/* how long a command may take to use its heap, with -o */

struct options {
	long pid;
	double delay;
	bool once;
	bool json;			/* once, as JSON */
	char sort;
	const char *output;		/* where a command's output goes */
	char **command;
};

static volatile sig_atomic_t quit;

static void on_signal(int sig)
{
	(void)sig;
	quit = 1;
}

static void usage(void)
{
	puts("Usage: slabtop [options] -p PID\n"
	     "       slabtop [options] [--] COMMAND [ARGUMENTS...]\n"
	     "Shows the caches of a process that runs on libkmem; a COMMAND is started on it.\n"
	     "  -p, --pid=PID        the process\n"
	     "  -d, --delay=SECONDS  between updates, 0.1 to 3600; default 3\n"
	     "  -o, --once           prints one reading, without rates, and ends\n"
	     "      --json           the same as JSON, sizes in bytes\n"
	     "  -s, --sort=KEY       what comes first; default o\n"
	     "  -O, --output=FILE    what COMMAND prints goes there; default /dev/null\n"
	     "  -h, --help           this text\n"
	     "  -V, --version        the version\n"
	     "Sort keys, also pressed while it runs:");
	top_print_keys();
	puts("Other keys: arrows and page keys scroll, space updates, q quits.");
}

/* ---- options ---------------------------------------------------------------------------- */

static bool take_option(struct options *o, int c)
{
	switch (c) {
	case 'p':
		return view_integer(optarg, 1, INT_MAX, &o->pid);
	case 'd':
		return view_seconds(optarg, 0.1, 3600, &o->delay);
	case 's':
		o->sort = optarg[0];
		return optarg[0] && !optarg[1] && top_is_key(optarg[0]);
	case OPT_JSON:
		o->once = o->json = true;
		return true;
	case 'o':
		o->once = true;
		return true;
	case 'O':
		o->output = optarg;
		return true;
	default:
		return false;
	}
}

/* -1: go on; otherwise the exit status. */
static int parse(struct options *o, int argc, char **argv)
{
	static const struct option longs[] = {
		{ "pid", required_argument, NULL, 'p' },
		{ "delay", required_argument, NULL, 'd' },
		{ "once", no_argument, NULL, 'o' },
		{ "json", no_argument, NULL, OPT_JSON },
		{ "sort", required_argument, NULL, 's' },
		{ "output", required_argument, NULL, 'O' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{ NULL, 0, NULL, 0 }
	};
	int c;

	while ((c = getopt_long(argc, argv, "+p:d:os:O:hV", longs, NULL)) != -1) {
		if (c == 'h') {
			usage();
			return 0;
		}
		if (c == 'V') {
			puts("slabtop (libkmem) " KMEM_VERSION);
			return 0;
		}
		if (take_option(o, c))
			continue;
		if (c == '?')
			fputs("Try \"slabtop --help\".\n", stderr);
		else
			fail("-%c: \"%s\" is out of bounds", c, optarg);
		return 1;
	}
	o->command = optind < argc ? argv + optind : NULL;
	if (!o->pid == !o->command) {
		fail("%s", o->pid ? "either -p PID or a command, not both" :
		     "which process? -p PID, or a command to start; see --help");
		return 1;
	}
	return -1;
}

/* ---- a command ------------------------------------------------------------------------------ */

/* The launcher beside this program, or by PATH. */
static void find_launcher(char *path, size_t size)
{
	ssize_t n = readlink("/proc/self/exe", path, size - 16);
	char *slash;

	path[n > 0 ? n : 0] = '\0';
	slash = strrchr(path, '/');
	if (slash) {
		strcpy(slash + 1, "kmem-run");
		if (access(path, X_OK) == 0)
			return;
	}
	strcpy(path, "kmem-run");
}

static void exec_command(const struct options *o) __attribute__((noreturn));
static void exec_command(const struct options *o)
{
	char launcher[PATH_MAX], *args[4096];
	int in = open("/dev/null", O_RDONLY);
	int out = open(o->output, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	size_t n = 0;

	if (in < 0 || out < 0) {
		fail("%s: %s", o->output, strerror(errno));
		_exit(126);
	}
	find_launcher(launcher, sizeof(launcher));
	args[n++] = launcher;
	args[n++] = "--";
	for (char **a = o->command; *a && n + 1 < ARRAY_SIZE(args); a++)
		args[n++] = *a;
	args[n] = NULL;
	/* Control keys of the terminal are slabtop's. */
	setpgid(0, 0);
	dup2(in, STDIN_FILENO);
	dup2(out, STDOUT_FILENO);
	dup2(out, STDERR_FILENO);
	execvp(launcher, args);
	_exit(127);
}

/* kmem-run execs the command, which therefore has the process id that fork() gave. */
static bool start_command(struct options *o)
{
	pid_t pid = fork();

	if (pid == 0)
		exec_command(o);
	if (pid < 0)
		fail("%s", strerror(errno));
	o->pid = pid;
	return pid > 0;
}

/* What was started here does not outlive the display. */
static void end_command(const struct options *o)
{
	if (!o->command)
		return;
	if (waitpid((pid_t)o->pid, NULL, WNOHANG) == 0) {
		kill((pid_t)o->pid, SIGTERM);
		for (int i = 0; i < 100 && waitpid((pid_t)o->pid, NULL, WNOHANG) == 0; i++)
			usleep(10000);
		kill((pid_t)o->pid, SIGKILL);
	}
}

/* ---- once ---------------------------------------------------------------------------------------- */

/*
 * A command has no heap until its library is there, and no caches until that has
 * started. When the time is over, what there is; NULL, and *@error, if nothing.
 */
static struct target *read_begun(const struct watch *w, char **error)
{
	double until = watch_now() + ACTIVITY_SECONDS;

	for (;;) {
		struct target *t = watch_read(w, error);

		if ((t && target_ready(t)) || watch_now() >= until || watch_ended(w))
			return t;
		target_close(t);
		free(*error);
		*error = NULL;
		watch_sleep(w, watch_now() + 0.01);
	}
}

static int run_once(const struct options *o, const struct watch *w)
{
	struct top top = { .sort = o->sort };
	struct target *t;
	char *error = NULL;

	t = o->command ? read_begun(w, &error) : watch_read(w, &error);
	if (!t) {
		/* What was seen last may be what it was before it began. */
		if (watch_ended(w))
			fail("%ld: the process has ended", o->pid);
		else
			fail("%s", error);
		free(error);
		return 1;
	}
	top_take(&top, t, watch_now());
	target_close(t);
	if (o->json)
		top_json(&top, (int)o->pid, stdout);
	else
		top_print(&top, stdout);
	top_free(&top);
	if (fflush(stdout) || ferror(stdout)) {
		fail("can't write the output");
		return 1;
	}
	return 0;
}

/* ---- the display ----------------------------------------------------------------------------------- */

struct screen {
	struct top top;
	size_t first;			/* line of the table at the top */
	char message[256];		/* "" if all is well */
};

static void draw(struct screen *s, const struct options *o)
{
	char line[512];
	size_t room;
	int y;

	erase();
	for (y = 0; y < TOP_HEADER_LINES && y < LINES; y++) {
		top_header(&s->top, y, line, sizeof(line));
		mvaddnstr(y, 0, line, COLS);
	}
	if (y < LINES) {
		if (s->message[0]) {
			attron(A_BOLD);
			mvaddnstr(y, 0, s->message, COLS);
			attroff(A_BOLD);
		} else {
			snprintf(line, sizeof(line), " pid %ld (%s), every %g s, sorted by %s",
				 o->pid, s->top.command, o->delay, top_key_name(s->top.sort));
			mvaddnstr(y, 0, line, COLS);
		}
	}
	if (++y < LINES) {
		top_columns(true, line, sizeof(line));
		attron(A_REVERSE);
		mvprintw(y, 0, "%-*.*s", COLS, COLS, line);
		attroff(A_REVERSE);
	}
	y++;
	room = LINES > y ? (size_t)(LINES - y) : 0;
	if (s->first + room > s->top.nr)
		s->first = s->top.nr > room ? s->top.nr - room : 0;
	for (size_t i = s->first; y < LINES && i < s->top.nr; i++, y++) {
		top_line(&s->top.row[i], true, line, sizeof(line));
		mvaddnstr(y, 0, line, COLS);
	}
	refresh();
}

static void update(struct screen *s, const struct options *o, const struct watch *w)
{
	char *error = NULL;
	struct target *t = watch_read(w, &error);

	if (t) {
		top_take(&s->top, t, watch_now());
		s->message[0] = '\0';
		target_close(t);
		return;
	}
	if (o->command)
		waitpid((pid_t)o->pid, NULL, WNOHANG);
	snprintf(s->message, sizeof(s->message), watch_ended(w) ?
		 " the process has ended; the last reading stays; q quits" : " %s", error);
	free(error);
}

/* False: quit. */
static bool press(struct screen *s, int key, bool *now)
{
	size_t page = LINES > TOP_HEADER_LINES + 3 ? (size_t)(LINES - TOP_HEADER_LINES - 3) : 1;

	if (key == 'q' || key == 'Q')
		return false;
	if (key == ' ')
		*now = true;
	else if (key == KEY_DOWN)
		s->first++;
	else if (key == KEY_UP)
		s->first -= s->first > 0;
	else if (key == KEY_NPAGE)
		s->first += page;
	else if (key == KEY_PPAGE)
		s->first -= min_u64(s->first, page);
	else if (key == KEY_HOME)
		s->first = 0;
	else if (key == KEY_END)
		s->first = s->top.nr;
	else if (key < 256 && top_is_key((char)key))
		top_sort(&s->top, (char)key);
	return true;
}

static void display(const struct options *o, const struct watch *w)
{
	struct screen s = { .top = { .sort = o->sort } };
	bool on = true, now = true;
	double next = 0;

	while (on && !quit) {
		bool over = watch_ended(w);
		double left;
		int key;

		if (now || watch_now() >= next) {
			update(&s, o, w);
			next = watch_now() + (s.top.nr || over ? o->delay : 0.1);
			now = false;
		}
		draw(&s, o);
		/* An end is noticed soon, however long the delay. */
		left = next - watch_now();
		timeout(left < 0 ? 0 : left > 0.5 ? 500 : (int)(left * 1000) + 1);
		key = getch();
		if (key == ERR && errno != EINTR && errno != 0 && !isatty(STDIN_FILENO))
			break;
		if (key != ERR)
			on = press(&s, key, &now);
		if (!over && watch_ended(w))
			now = true;
	}
	top_free(&s.top);
}

static int run_display(const struct options *o, const struct watch *w)
{
	SCREEN *screen;

	/* With no terminal there is nobody who could quit. */
	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO)) {
		fail("standard input and output must be a terminal; -o prints once");
		return 1;
	}
	screen = newterm(NULL, stdout, stdin);
	if (!screen) {
		fail("this terminal (TERM) is not known");
		return 1;
	}
	cbreak();
	noecho();
	nonl();
	keypad(stdscr, TRUE);
	curs_set(0);
	display(o, w);
	endwin();
	delscreen(screen);
	return 0;
}

int main(int argc, char **argv)
{
	struct options o = { .delay = 3, .sort = 'o', .output = "/dev/null" };
	struct sigaction sa = { .sa_handler = on_signal };
	int status = parse(&o, argc, argv);
	char *error = NULL;
	struct watch w;

	if (status >= 0)
		return status;
	setlocale(LC_CTYPE, "");
	if (o.command && !start_command(&o))
		return 1;
	if (!watch_open(&w, (int)o.pid, &error)) {
		fail("%s", error);
		free(error);
		return 1;
	}
	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
	sigaction(SIGHUP, &sa, NULL);
	/* Who can't be read is told now, not on a screen that hides it. */
	status = 0;
	if (!o.command && !o.once) {
		struct target *t = watch_read(&w, &error);

		if (!t) {
			fail("%s", error);
			free(error);
			status = 1;
		}
		target_close(t);
	}
	if (status == 0)
		status = o.once ? run_once(&o, &w) : run_display(&o, &w);
	watch_close(&w);
	end_command(&o);
	return status;
}
