// SPDX-License-Identifier: MIT
/* buddyinfo.c - slabinfo buddyinfo: the kernel's /proc/buddyinfo, with zones of a process. */
#include "verbs.h"

static int show(struct heap **heap, struct verb_options *o)
{
	struct heap *h = *heap;
	if (o->json) {
		fputc('{', stdout);
		json_zones(stdout, h);
		fputc('}', stdout);
	} else {
		report_buddyinfo(stdout, h);
	}
	return EXIT_FINE;
}

int verb_buddyinfo(int argc, char **argv)
{
	struct verb_options o;
	int status;

	if (!verb_parse(&o, argc, argv, "", 0, 0, &status))
		return status;
	return verb_heaps(&o, show);
}
