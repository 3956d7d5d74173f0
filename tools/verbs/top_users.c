// SPDX-License-Identifier: MIT
/*
 * top_users.c - slabinfo top-users: who allocated most, by call site. A library says
 * in its description that it records call sites (struct track); none does as yet, and
 * that is what the user is told.
 */
#include <string.h>

#include "verbs.h"

static int show(struct heap **heap, struct verb_options *o)
{
	struct heap *h = *heap;
	bool tracks = layout_item(h->image->layout, "track", "");

	if (o->json)
		printf("{\"tracking\": %s}", tracks ? "true" : "false");
	if (tracks)
		fail("%s: libkmem %s records call sites in a form that this slabinfo does not "
		     "know: use the one that came with it", h->src->label,
		     h->image->layout->version);
	else
		fail("%s: libkmem %s does not record who allocates (slab_debug=U): there is "
		     "nothing to show", h->src->label, h->image->layout->version);
	return EXIT_CANT;
}

int verb_top_users(int argc, char **argv)
{
	struct verb_options o;
	int status;

	if (!verb_parse(&o, argc, argv, "l", 0, 0, &status))
		return status;
	return verb_heaps(&o, show);
}
