// SPDX-License-Identifier: MIT
/* Tests of mm/cmdline.c: every option with good and bad values, and the document. */
#include <stdlib.h>

#include "capture.h"
#include "mm/base/compiler.h"
#include "mm/cmdline.h"

static struct kmem_params p;

/* Parses; whatever is said is in captured[]. */
static void parse(const char *line)
{
	memset(&p, 0x5a, sizeof(p));
	capture_start();
	cmdline_parse(&p, line);
}

static void parse_quietly(const char *line)
{
	parse(line);
	cr_assert_str_eq(captured, "", "%s: %s", line, captured);
}

/* Exactly this is said, and the parameters stay what they are by default. */
static void refused(const char *line, const char *message)
{
	struct kmem_params defaults;

	parse_quietly(NULL);
	defaults = p;
	parse(line);
	cr_assert_str_eq(captured, message, "%s: %s", line, captured);
	cr_assert_arr_eq((char *)&p, (char *)&defaults, sizeof(p), "%s", line);
}

static void assert_defaults(void)
{
	cr_assert(p.rseq && p.reclaim);
	cr_assert_eq(p.decay_ms, 1000);
	cr_assert_not(p.purge_lazy || p.thp || p.slab_nomerge || p.slab_debug_checks ||
		      p.init_on_alloc || p.init_on_free || p.verbose);
	cr_assert_eq(p.heap_reserve, 0);
	cr_assert_eq(p.nr_cpus, 0);
	cr_assert_str_eq(p.slab_debug_names, "");
}

Test(cmdline, defaults)
{
	parse_quietly(NULL);
	assert_defaults();
	parse_quietly("");
	assert_defaults();
	parse_quietly(" \t\n ");
	assert_defaults();
	p = kmem_params;
	assert_defaults();
}

Test(cmdline, switches_in_all_spellings)
{
	static const char *const on[] = { "on", "1", "y", "yes" };
	static const char *const off[] = { "off", "0", "n", "no" };
	char line[128];

	for (int i = 0; i < 4; i++) {
		snprintf(line, sizeof(line), "rseq=%s reclaim=%s init_on_alloc=%s init_on_free=%s",
			 off[i], off[i], on[i], on[i]);
		parse_quietly(line);
		cr_assert(!p.rseq && !p.reclaim && p.init_on_alloc && p.init_on_free);
		snprintf(line, sizeof(line), "rseq=%s reclaim=%s init_on_alloc=%s init_on_free=%s",
			 on[i], on[i], off[i], off[i]);
		parse_quietly(line);
		cr_assert(p.rseq && p.reclaim && !p.init_on_alloc && !p.init_on_free);
		snprintf(line, sizeof(line), "slab_nomerge=%s verbose=%s", on[i], on[i]);
		parse_quietly(line);
		cr_assert(p.slab_nomerge && p.verbose);
	}
	parse_quietly("slab_nomerge verbose");
	cr_assert(p.slab_nomerge && p.verbose);
	parse_quietly("sandbox reclaim=on");
	cr_assert(p.sandbox && !p.reclaim, "a thread in a sandbox");
	parse_quietly("slab_nomerge verbose verbose=off");
	cr_assert(p.slab_nomerge && !p.verbose);
}

Test(cmdline, bad_switches)
{
	refused("rseq=maybe", "kmem: KMEM_CMDLINE: 'rseq=maybe' ignored: want rseq=on|off "
		"(per-CPU caching by restartable sequences)\n");
	refused("rseq", "kmem: KMEM_CMDLINE: 'rseq' ignored: want rseq=on|off "
		"(per-CPU caching by restartable sequences)\n");
	refused("reclaim=", "kmem: KMEM_CMDLINE: 'reclaim=' ignored: want reclaim=on|off "
		"(whether the background reclaimer may start)\n");
	refused("init_on_alloc=2", "kmem: KMEM_CMDLINE: 'init_on_alloc=2' ignored: "
		"want init_on_alloc=on|off (zero objects when they are taken)\n");
	refused("init_on_free=ON", "kmem: KMEM_CMDLINE: 'init_on_free=ON' ignored: "
		"want init_on_free=on|off (zero objects when they are given back)\n");
	refused("slab_nomerge=x", "kmem: KMEM_CMDLINE: 'slab_nomerge=x' ignored: "
		"want slab_nomerge (no cache becomes an alias of another)\n");
	refused("verbose=loud", "kmem: KMEM_CMDLINE: 'verbose=loud' ignored: "
		"want verbose (one line on stderr at start-up)\n");
}

Test(cmdline, choices)
{
	parse_quietly("purge=free thp=madvise");
	cr_assert(p.purge_lazy && p.thp);
	cr_assert(!p.control && !p.inspect_any);
	parse_quietly("control=on inspect=any");
	cr_assert(p.control && p.inspect_any);
	parse_quietly("control=on inspect=any inspect=same control=off");
	cr_assert(!p.control && !p.inspect_any);
	parse_quietly("purge=free thp=madvise purge=dontneed thp=never");
	cr_assert(!p.purge_lazy && !p.thp);
	refused("purge=lazy", "kmem: KMEM_CMDLINE: 'purge=lazy' ignored: "
		"want purge=dontneed|free (how pages go back: at once, or when memory is short)\n");
	refused("thp=always", "kmem: KMEM_CMDLINE: 'thp=always' ignored: want thp=never|madvise "
		"(whether free pageblocks are advised for huge pages)\n");
}

#define DECAY(s)	"kmem: KMEM_CMDLINE: '" s "' ignored: want decay_ms=0..3600000 " \
			"(milliseconds until a free page goes back to the system)\n"

Test(cmdline, numbers)
{
	parse_quietly("decay_ms=0 nr_cpus=8192");
	cr_assert_eq(p.decay_ms, 0);
	cr_assert_eq(p.nr_cpus, 8192);
	parse_quietly("decay_ms=3600000 nr_cpus=0");
	cr_assert_eq(p.decay_ms, 3600000);
	cr_assert_eq(p.nr_cpus, 0);
	refused("decay_ms=3600001", DECAY("decay_ms=3600001"));
	refused("decay_ms=-1", DECAY("decay_ms=-1"));
	refused("decay_ms=1s", DECAY("decay_ms=1s"));
	refused("decay_ms=1K", DECAY("decay_ms=1K"));
	refused("decay_ms=0x10", DECAY("decay_ms=0x10"));
	refused("decay_ms=", DECAY("decay_ms="));
	refused("decay_ms", DECAY("decay_ms"));
	refused("decay_ms=18446744073709551617", DECAY("decay_ms=18446744073709551617"));
	refused("nr_cpus=8193", "kmem: KMEM_CMDLINE: 'nr_cpus=8193' ignored: want nr_cpus=0..8192 "
		"(CPUs that get caches of their own; 0: all)\n");
}

#define RESERVE(s)	"kmem: KMEM_CMDLINE: '" s "' ignored: want heap_reserve=0..128T " \
			"(address space of the first zone; 0: chosen)\n"

Test(cmdline, sizes)
{
	static const struct { const char *text; unsigned long value; } good[] = {
		{ "heap_reserve=0", 0 }, { "heap_reserve=12345", 12345 },
		{ "heap_reserve=4K", 4096 }, { "heap_reserve=4k", 4096 },
		{ "heap_reserve=64M", 64UL << 20 }, { "heap_reserve=3g", 3UL << 30 },
		{ "heap_reserve=128T", 128UL << 40 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		parse_quietly(good[i].text);
		cr_assert_eq(p.heap_reserve, good[i].value, "%s", good[i].text);
	}
	refused("heap_reserve=129T", RESERVE("heap_reserve=129T"));
	refused("heap_reserve=99999999999G", RESERVE("heap_reserve=99999999999G"));
	refused("heap_reserve=1P", RESERVE("heap_reserve=1P"));
	refused("heap_reserve=1MB", RESERVE("heap_reserve=1MB"));
	refused("heap_reserve=M", RESERVE("heap_reserve=M"));
	/* A bad value leaves the good one before it. */
	parse("heap_reserve=1M heap_reserve=x");
	cr_assert_str_eq(captured, RESERVE("heap_reserve=x"));
	cr_assert_eq(p.heap_reserve, 1UL << 20);
}

/* ---- slab_debug ---------------------------------------------------------------- */

Test(cmdline, slab_debug_names_caches)
{
	parse_quietly("slab_debug=F,kmalloc-64,dentry*");
	cr_assert(p.slab_debug_checks);
	cr_assert(cmdline_slab_debug(&p, "kmalloc-64"));
	cr_assert(cmdline_slab_debug(&p, "dentry"));
	cr_assert(cmdline_slab_debug(&p, "dentry_cache"));
	cr_assert_not(cmdline_slab_debug(&p, "kmalloc-6"));
	cr_assert_not(cmdline_slab_debug(&p, "kmalloc-640"));
	cr_assert_not(cmdline_slab_debug(&p, "dentr"));
	cr_assert_not(cmdline_slab_debug(&p, ""));

	parse_quietly("slab_debug=F,,*");
	cr_assert(cmdline_slab_debug(&p, "anything"));
}

Test(cmdline, slab_debug_of_all)
{
	static const char *const lines[] = { "slab_debug", "slab_debug=", "slab_debug=F",
					     "slub_debug=f", "slab-debug=F" };

	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		parse_quietly(lines[i]);
		cr_assert(p.slab_debug_checks, "%s", lines[i]);
		cr_assert(cmdline_slab_debug(&p, "kmalloc-64"));
	}
	parse_quietly("slab_debug=,kmalloc-64");
	cr_assert(cmdline_slab_debug(&p, "kmalloc-64"));
	cr_assert_not(cmdline_slab_debug(&p, "kmalloc-32"));
	parse_quietly("slab_debug=F,kmalloc-64 slab_debug=-");
	assert_defaults();
	cr_assert_not(cmdline_slab_debug(&p, "kmalloc-64"));
}

Test(cmdline, slab_debug_letters_of_the_kernel)
{
	parse("slab_debug=FZP,kmalloc-64");
	cr_assert_str_eq(captured, "kmem: KMEM_CMDLINE: slab_debug: 'Z' is not offered\n"
			 "kmem: KMEM_CMDLINE: slab_debug: 'P' is not offered\n");
	cr_assert(cmdline_slab_debug(&p, "kmalloc-64"));
	refused("slub_debug=U", "kmem: KMEM_CMDLINE: slub_debug: 'U' is not offered\n");
}

Test(cmdline, slab_debug_bad_values)
{
	char line[256] = "slab_debug=F,", message[512];

	refused("slab_debug=F,a;Z,b", "kmem: KMEM_CMDLINE: 'slab_debug=F,a;Z,b' ignored: "
		"want slab_debug=F[,name...]|- (checks on every free of the named caches, or of all)\n");
	memset(line + strlen(line), 'n', 127);
	parse_quietly(line);
	cr_assert_eq(strlen(p.slab_debug_names), 127);
	strcat(line, "n");
	snprintf(message, sizeof(message), "kmem: KMEM_CMDLINE: '%s' ignored: want "
		 "slab_debug=F[,name...]|- (checks on every free of the named caches, or of all)\n",
		 line);
	refused(line, message);
}

/* ---- the line -------------------------------------------------------------------- */

Test(cmdline, tokens)
{
	parse_quietly("  decay_ms=5\tverbose \n nr_cpus=3\r");
	cr_assert(p.decay_ms == 5 && p.verbose && p.nr_cpus == 3);
	parse_quietly("decay-ms=7 init-on_alloc=1 slab-nomerge");
	cr_assert(p.decay_ms == 7 && p.init_on_alloc && p.slab_nomerge);
}

Test(cmdline, quotes)
{
	parse_quietly("\"decay_ms=5\" nr_cpus=\"3\"");
	cr_assert(p.decay_ms == 5 && p.nr_cpus == 3);
	parse_quietly("slab_debug=F,\"name with spaces\" verbose");
	cr_assert(p.verbose);
	cr_assert(cmdline_slab_debug(&p, "name with spaces"));
	parse_quietly("\"slab_debug=F,one two\"");
	cr_assert_str_eq(p.slab_debug_names, "one two");
	refused("decay_ms=\"5", "kmem: KMEM_CMDLINE: 'decay_ms=\"5...' ignored: "
		"a quote is not closed\n");
}

Test(cmdline, unknown_options_are_named_and_the_others_count)
{
	refused("foo", "kmem: KMEM_CMDLINE: unknown option 'foo' ignored\n");
	refused("foo=bar", "kmem: KMEM_CMDLINE: unknown option 'foo=bar' ignored\n");
	refused("=1", "kmem: KMEM_CMDLINE: unknown option '=1' ignored\n");
	refused("decay_m=1", "kmem: KMEM_CMDLINE: unknown option 'decay_m=1' ignored\n");
	refused("decay_ms2=1", "kmem: KMEM_CMDLINE: unknown option 'decay_ms2=1' ignored\n");
	refused("RSEQ=off", "kmem: KMEM_CMDLINE: unknown option 'RSEQ=off' ignored\n");
	parse("nr_cpus=2 foo=\"a b\" decay_ms=x verbose");
	cr_assert_str_eq(captured, "kmem: KMEM_CMDLINE: unknown option 'foo=a b' ignored\n"
			 DECAY("decay_ms=x"));
	cr_assert(p.nr_cpus == 2 && p.verbose && p.decay_ms == 1000);
}

Test(cmdline, endless_tokens)
{
	static char line[5000];

	memset(line, 'y', sizeof(line) - 1);
	refused(line, "kmem: KMEM_CMDLINE: 'yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy...' ignored: "
		"too long\n");
	memcpy(line + 4000, " decay_ms=9 ", 12);
	line[4012] = '\0';
	parse(line);
	cr_assert_eq(p.decay_ms, 9);
}

Test(cmdline, from_the_environment)
{
	capture_start();
	setenv("KMEM_CMDLINE", "decay_ms=42 nonsense", 1);
	cmdline_init();
	cr_assert_eq(kmem_params.decay_ms, 42);
	cr_assert_str_eq(captured, "kmem: KMEM_CMDLINE: unknown option 'nonsense' ignored\n");
	unsetenv("KMEM_CMDLINE");
	cmdline_init();
	p = kmem_params;
	assert_defaults();
}

/* ---- the document ------------------------------------------------------------------ */

static char document[65536];

static void read_document(void)
{
	const char *dir = getenv("KMEM_SRCDIR");
	char path[512];
	FILE *f;

	snprintf(path, sizeof(path), "%s/Documentation/admin-guide/kmem-cmdline.rst",
		 dir ? dir : ".");
	f = fopen(path, "r");
	cr_assert_not_null(f, "%s", path);
	document[fread(document, 1, sizeof(document) - 1, f)] = '\0';
	fclose(f);
}

/* An option is described under a line of its own: ``name=values`` or ``name``. */
Test(cmdline, every_option_is_documented)
{
	read_document();
	for (unsigned int i = 0; i < nr_cmdline_options; i++) {
		const struct cmdline_option *o = &cmdline_options[i];
		char heading[128];

		snprintf(heading, sizeof(heading), "\n``%s%s%s``\n", o->name,
			 *o->values ? "=" : "", o->values);
		cr_expect_not_null(strstr(document, heading), "not documented: %s", heading + 1);
		cr_expect(o->help && *o->help, "%s", o->name);
	}
}

Test(cmdline, every_documented_option_exists)
{
	unsigned int headings = 0;
	char *line, *next;

	read_document();
	for (line = document; line; line = next) {
		size_t len;
		bool known = false;

		next = strchr(line, '\n');
		if (next)
			*next++ = '\0';
		len = strlen(line);
		if (len < 5 || strncmp(line, "``", 2) || strcmp(line + len - 2, "``"))
			continue;
		headings++;
		len = strcspn(line + 2, "=`");
		for (unsigned int i = 0; i < nr_cmdline_options; i++)
			known |= strlen(cmdline_options[i].name) == len &&
				 !strncmp(cmdline_options[i].name, line + 2, len);
		cr_expect(known, "documented, but no option: %s", line);
	}
	cr_assert_eq(headings, nr_cmdline_options);
}
