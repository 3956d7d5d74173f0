// SPDX-License-Identifier: MIT
/*
 * slabinfo.c - shows the heap of a program that runs on the library, live or
 * dead.
 *
 *	slabinfo VERB ...	verbs/ has a file for each, verbs.c the table
 *	slabinfo ...		verbs/none.c: tables, and the options of the kernel's tool
 *
 * The reading is inspect/'s: a source of memory (process.c, core.c), the
 * library's description of itself found in it (image.c, layout.c), the heap
 * read by that description (heap.c, caches.c, pages.c, rss.c).
 *
 * Exit status: 0 fine, 1 can't be read (one line on stderr says why), 2 damage
 * or leaks found.
 */
#include "verbs/verbs.h"

int main(int argc, char **argv)
{
	const struct verb *v = argc > 1 ? verb_find(argv[1]) : NULL;
	int status = v ? v->run(argc - 1, argv + 1) : verb_none(argc, argv);

	if (fflush(stdout) || ferror(stdout)) {
		fail("can't write the output");
		status = EXIT_CANT;
	}
	return status;
}
