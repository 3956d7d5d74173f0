/* SPDX-License-Identifier: MIT */
/*
 * verbs.h - what "slabinfo VERB ..." can do: one table, one function a verb.
 *
 * A new verb is a file here, a line in the table of verbs.c, and a section of
 * Documentation/mm/slabinfo.rst. A verb returns the program's exit status:
 * 0 fine, 1 can't be read or bad arguments (one line on stderr), 2 damage or
 * leaks found. main() flushes stdout and looks for write errors.
 *
 * Verbs that look at heaps once and print something take their options by
 * verb_parse() and run over the heaps by verb_heaps(), which prints the frame
 * of the JSON document, too.
 */
#ifndef TOOLS_VERBS_H
#define TOOLS_VERBS_H

#include "../inspect/report.h"
#include "../inspect/target.h"

enum { EXIT_FINE = 0, EXIT_CANT = 1, EXIT_FOUND = 2 };

struct verb {
	const char *name;
	const char *arguments;		/* as usage shows them, "" if none */
	const char *help;		/* one line */
	int (*run)(int argc, char **argv);	/* argv[0] is the verb */
};

extern const struct verb verbs[];	/* ends with name NULL */

const struct verb *verb_find(const char *name);

/* ---- what most verbs have in common --------------------------------------------- */

struct verb_options {
	struct target_options target;
	bool json;
	bool hex;			/* --hex */
	bool free;			/* --free */
	bool all;			/* --all */
	bool stop;			/* --stop */
	bool exact;			/* --exact */
	unsigned long limit;		/* --limit=N; ULONG_MAX if not given */
	char **args;			/* what is not an option */
	int nr_args;
	int status;			/* verb_heaps() collects the worst */
};

/*
 * Parses argv: the target's options, --json, and those of the other options
 * whose first letters are in @allowed ("hfasel": --hex --free --all --stop
 * --exact --limit=N). @min and @max bound the number of arguments. False:
 * *@status is what to exit with.
 */
bool verb_parse(struct verb_options *o, int argc, char **argv, const char *allowed,
		int min, int max, int *status);

/*
 * Opens the target and calls @fn for each heap; an object of the JSON array
 * "heaps" is what it prints then. @fn returns EXIT_FINE, EXIT_CANT (it has said
 * why) or EXIT_FOUND; it may replace *@h by a newer picture of the heap. Returns the exit status.
 */
int verb_heaps(struct verb_options *o, int (*fn)(struct heap **h, struct verb_options *o));

/* An address or number as users write it: decimal or 0x...; false: said on stderr. */
bool verb_number(const char *text, uint64_t *value);

/* ---- the verbs --------------------------------------------------------------------- */

int verb_buddyinfo(int argc, char **argv);
int verb_findleaks(int argc, char **argv);
int verb_grep(int argc, char **argv);
int verb_map(int argc, char **argv);
int verb_objects(int argc, char **argv);
int verb_pagetypeinfo(int argc, char **argv);
int verb_record(int argc, char **argv);
int verb_top_users(int argc, char **argv);
int verb_verify(int argc, char **argv);
int verb_whatis(int argc, char **argv);

/* What slabinfo without a verb does: tables and the kernel's options. */
int verb_none(int argc, char **argv);

#endif /* TOOLS_VERBS_H */
