/* SPDX-License-Identifier: MIT */
/*
 * watch.h - one process looked at again and again.
 *
 * A process id is given anew once its process is gone. A pidfd stays with the
 * process it was opened for, and becomes readable when that ends; so what was
 * read while it is not readable was read from the process that was meant.
 */
#ifndef TOOLS_VIEWS_WATCH_H
#define TOOLS_VIEWS_WATCH_H

#include "../inspect/target.h"

struct watch {
	int pid;
	int pidfd;		/* -1: a kernel without them (before 5.3) */
};

/* False: *@error is one line for the user, to be freed. */
bool watch_open(struct watch *w, int pid, char **error);
void watch_close(struct watch *w);

/* Whether the process has ended, or is about to and has no memory any more. */
bool watch_ended(const struct watch *w);

/*
 * Its heaps as they are now, for target_close(). NULL: *@error, to be freed; when
 * watch_ended() is true then it is over, and otherwise worth another try: a
 * program that was just started has no heap yet.
 */
struct target *watch_read(const struct watch *w, char **error);

/* Sleeps until the time @when (watch_now()), or until the process ends. */
void watch_sleep(const struct watch *w, double when);

/* Seconds of a clock that only goes forward. */
double watch_now(void);

/* ---- options that the programs around it share ------------------------------------- */

/* Numbers as users write them; false where @text is none or out of bounds. */
bool view_integer(const char *text, long min, long max, long *value);
bool view_seconds(const char *text, double min, double max, double *value);

#endif /* TOOLS_VIEWS_WATCH_H */
