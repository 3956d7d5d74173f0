// SPDX-License-Identifier: MIT
/* kernel.c - the options of the kernel's slabinfo tool, and which of them does what. */
#include "kernel.h"

#include <stdlib.h>
#include <string.h>

#include "../inspect/control.h"
#include "../inspect/verify.h"

const char kernel_usage[] =
"Options of the kernel's slabinfo tool (each makes it print as that does):\n"
"  -a, --aliases         the further names of merged caches; -1: of all\n"
"  -A, --activity        the most active caches first\n"
"  -B, --Bytes           sizes in bytes\n"
"  -d, --debug[=afzput]  switch debugging\n"
"  -D, --display-active  lines about activity\n"
"  -e, --empty           only caches without slabs\n"
"  -f, --first-alias     merged caches under their first other name\n"
"  -i, --inverted        the order reversed\n"
"  -l, --slabs           the list of caches\n"
"  -L, --Loss            by loss\n"
"  -n, --numa            slabs by node\n"
"  -N, --lines=K         the first K caches\n"
"  -o, --ops             constructors\n"
"  -P, --partial         by number of partial slabs\n"
"  -r, --report          each in detail\n"
"  -s, --shrink          release empty slabs (the process must allow it: control=on)\n"
"  -S, --Size            by size\n"
"  -t, --tracking        who allocated and freed\n"
"  -T, --Totals          a summary\n"
"  -U, --Unreclaim       only caches that can't be reclaimed\n"
"  -v, --validate        check them (see the verb verify)\n"
"  -X, --Xtotals         a longer summary\n"
"  -z, --zero            caches without slabs, too\n"
"  -1, --1ref            with -a: also those with one name\n";

/* ---- options ---------------------------------------------------------------------- */

static const struct {
	char letter;
	size_t offset;
} switches[] = {
#define SWITCH(l, m)	{ l, offsetof(struct kernel_options, m) }
	SWITCH('a', aliases), SWITCH('A', sort_active), SWITCH('B', bytes),
	SWITCH('D', activity), SWITCH('e', empty), SWITCH('f', first_alias),
	SWITCH('i', inverted), SWITCH('l', slabs), SWITCH('L', sort_loss),
	SWITCH('n', numa), SWITCH('o', ops), SWITCH('P', sort_partial),
	SWITCH('r', report), SWITCH('s', shrink), SWITCH('S', sort_size),
	SWITCH('t', tracking), SWITCH('T', totals), SWITCH('U', unreclaim),
	SWITCH('v', validate), SWITCH('X', xtotals), SWITCH('z', zero),
	SWITCH('1', single_ref),
};

int kernel_option(struct kernel_options *o, int c, const char *value)
{
	uint64_t n;

	for (size_t i = 0; i < ARRAY_SIZE(switches); i++)
		if (c == switches[i].letter) {
			*(bool *)((char *)o + switches[i].offset) = true;
			o->any = true;
			return 1;
		}
	switch (c) {
	case 'd':
		if (value && strspn(value, "aAfFzZpPuUtT-") != strlen(value)) {
			fail("-d: \"%s\": the letters are a, f, z, p, u, t", value);
			return -1;
		}
		o->any = o->debug = true;
		o->debug_flags = value ? value : "-";
		return 1;
	case 'N':
		if (!verb_number(value, &n) || n > 1000000)
			return -1;
		o->any = true;
		o->lines = (long)n;
		return 1;
	default:
		return 0;
	}
}

/* ---- -v ------------------------------------------------------------------------------- */

/* Findings name their cache first. Those of caches that were not asked for are passed over. */
static bool concerns(const struct heap *h, const struct selection *s, const char *text)
{
	for (size_t i = 0; s->nr && i < h->nr_caches; i++) {
		size_t len = strlen(h->caches[i].name);

		if (!strncmp(text, h->caches[i].name, len) && text[len] == ':')
			return selected(s, &h->caches[i]);
	}
	return true;
}

static int validate(struct heap **h, const struct selection *s)
{
	struct verify_result r;
	unsigned long found = 0;

	verify_heap(h, &r);
	if (!source_alive((*h)->src)) {
		verify_free(&r);
		return EXIT_CANT;
	}
	for (size_t i = 0; i < r.findings.nr; i++)
		if (concerns(*h, s, r.findings.list[i].text)) {
			printf("%s: %s\n", r.findings.list[i].kind, r.findings.list[i].text);
			found++;
		}
	verify_free(&r);
	return found ? EXIT_FOUND : EXIT_FINE;
}

/* ---- -s, -d: what changes the target ------------------------------------------------------ */

static int shrink_one(struct heap *h, const char *what, uint64_t cache)
{
	struct control_answer a;
	char *error;

	if (!control_shrink(h, cache, &a, &error)) {
		fail("%s: %s: not shrunk: %s", h->src->label, what, error);
		free(error);
		return EXIT_CANT;
	}
	return EXIT_FINE;
}

/* With a pattern the caches that it selects; without one all, and free pages go back, too. */
static int shrink(struct heap *h, const struct kcache *k, size_t nr, const struct selection *s)
{
	int status = EXIT_FINE;

	if (!s->nr)
		return shrink_one(h, "all caches", 0);
	for (size_t i = 0; i < nr && status == EXIT_FINE; i++)
		status = shrink_one(h, k[i].c->name, k[i].c->addr);
	return status;
}

static int debug(struct heap *h, const char *flags)
{
	struct control_answer a;
	char *error;

	if (control_debug(h, flags, &a, &error))
		return EXIT_FINE;
	fail("%s: debugging not switched: %s", h->src->label, error);
	free(error);
	return EXIT_CANT;
}

/* ---- all ---------------------------------------------------------------------- */

static void extended(struct kcache *k, size_t nr, const struct kernel_options *given)
{
	static const char *const titles[] = {
		"Slabs sorted by size", "Slabs sorted by loss",
		"Slabs sorted by number of partial slabs",
	};
	struct kernel_options o = *given;

	o.bytes = true;
	if (o.lines < 0)
		o.lines = 1;
	kernel_totals(k, nr);
	for (int i = 0; i < 3; i++) {
		o.sort_active = false;
		o.sort_size = i == 0;
		o.sort_loss = i == 1;
		o.sort_partial = i == 2;
		printf("\n%s\n", titles[i]);
		for (size_t n = strlen(titles[i]); n > 0; n--)
			putchar('-');
		putchar('\n');
		kernel_sort(k, nr, &o);
		kernel_list(k, nr, &o);
	}
}

static void show(struct heap *h, struct kcache *k, size_t nr, const struct kernel_options *o)
{
	bool detail = o->report || o->tracking || o->ops || o->numa || o->aliases ||
		      o->validate || o->shrink || o->debug || o->totals || o->xtotals;

	kernel_sort(k, nr, o);
	if (o->aliases)
		kernel_aliases(k, nr, o);
	if (o->xtotals)
		extended(k, nr, o);
	else if (o->totals)
		kernel_totals(k, nr);
	if (o->numa)
		kernel_numa(h, k, nr, true);
	for (size_t i = 0; i < nr; i++) {
		if (o->report)
			kernel_report(h, &k[i], o);
		if (o->tracking)
			kernel_tracking(&k[i]);
		if (o->ops)
			kernel_ops(h, &k[i]);
	}
	if (!o->slabs && detail)
		return;
	/* As the kernel's: a pattern that leaves one cache shows it whole. */
	if (nr == 1 && h->nr_caches > 1)
		kernel_report(h, &k[0], o);
	else
		kernel_list(k, nr, o);
}

int kernel_run(struct heap **h, const struct kernel_options *o, const struct selection *s)
{
	struct kcache *k;
	int status = EXIT_FINE;
	size_t nr;

	if (o->debug)
		status = debug(*h, o->debug_flags);
	if (o->validate && status == EXIT_FINE)
		status = validate(h, s);
	k = kernel_caches(*h, o, s, &nr);
	if (o->shrink && status != EXIT_CANT) {
		int shrunk = shrink(*h, k, nr, s);

		status = shrunk ? shrunk : status;
	}
	if (status != EXIT_CANT)
		show(*h, k, nr, o);
	if (status != EXIT_CANT && o->tracking)
		note("libkmem %s does not record who allocates", (*h)->image->layout->version);
	free(k);
	return status;
}
