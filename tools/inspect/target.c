// SPDX-License-Identifier: MIT
/* target.c - opens a process or a core file, and reads the heaps in it. */
#include "target.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>

/* ---- options ----------------------------------------------------------------- */

static bool parse_pid(const char *text, int *pid)
{
	char *end;
	long n;

	errno = 0;
	n = strtol(text, &end, 10);
	if (errno || *end || end == text || n <= 0 || n > INT_MAX) {
		fail("\"%s\" is no process id", text);
		return false;
	}
	*pid = (int)n;
	return true;
}

int target_option(struct target_options *o, int c, const char *value)
{
	switch (c) {
	case 'p':
		return parse_pid(value, &o->pid) ? 1 : -1;
	case OPT_CORE:
		o->core = value;
		return 1;
	case OPT_EXE:
		o->exe = value;
		return 1;
	default:
		return 0;
	}
}

/* ---- opening ------------------------------------------------------------------ */

/* Reads every heap; *@why: what was wrong with the last one that can't be read. */
static void read_heaps(struct target *t, char **why)
{
	t->heaps = xcalloc(t->nr_images, sizeof(struct heap *));
	for (size_t i = 0; i < t->nr_images; i++) {
		struct heap *h;

		free(*why);
		h = heap_read(t->src, &t->images[i], why);
		if (h)
			t->heaps[t->nr_heaps++] = h;
	}
}

static void drop_unused(struct target *t)
{
	size_t used = 0, to = 0;

	for (size_t i = 0; i < t->nr_heaps; i++)
		used += t->heaps[i]->mode != HEAP_UNUSED;
	if (used == 0)
		return;
	for (size_t i = 0; i < t->nr_heaps; i++) {
		if (t->heaps[i]->mode == HEAP_UNUSED)
			heap_free(t->heaps[i]);
		else
			t->heaps[to++] = t->heaps[i];
	}
	t->nr_heaps = used;
}

struct target *target_open(const struct target_options *o, char **error)
{
	struct target *t = xcalloc(1, sizeof(*t));
	char *why = NULL;

	*error = NULL;
	t->src = o->core ? source_core(o->core, o->exe, error) : source_process(o->pid, error);
	if (!t->src) {
		free(t);
		return NULL;
	}
	t->images = images_find(t->src, &t->nr_images);
	read_heaps(t, &why);
	drop_unused(t);
	if (t->nr_heaps) {
		free(why);
		return t;
	}
	if (!source_alive(t->src)) {
		free(why);
		why = xstrdup("the process has ended");
	} else if (!t->nr_images && t->src->lacking) {
		why = xasprintf("no libkmem is found in it: %s", t->src->lacking);
	} else if (!t->nr_images) {
		why = xasprintf("%s does not run on libkmem", t->src->command);
	}
	*error = xasprintf("%s: %s", t->src->label, why);
	free(why);
	target_close(t);
	return NULL;
}

void target_close(struct target *t)
{
	if (!t)
		return;
	for (size_t i = 0; i < t->nr_heaps; i++)
		heap_free(t->heaps[i]);
	free(t->heaps);
	images_free(t->images, t->nr_images);
	source_close(t->src);
	free(t);
}

bool target_stayed(const struct target *t)
{
	if (source_alive(t->src))
		return true;
	fail("%s: the process ended while it was read", t->src->label);
	return false;
}

bool target_ready(const struct target *t)
{
	for (size_t i = 0; i < t->nr_heaps; i++)
		if (t->heaps[i]->mode != HEAP_UNUSED && t->heaps[i]->ready)
			return true;
	return false;
}

void target_warn(const struct heap *h)
{
	for (size_t i = 0; i < h->nr_notes; i++)
		note("%s", h->notes[i]);
	if (h->src->lacking)
		note("%s", h->src->lacking);
	if (h->mode == HEAP_UNUSED)
		note("%s is loaded and has not been used yet", h->image->path);
	else if (h->torn && h->src->live)
		note("the heap changed while it was read (%u places)", h->torn);
	else if (h->torn)
		note("the heap is damaged, or parts of it are missing (%u places)", h->torn);
}
