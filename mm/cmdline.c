// SPDX-License-Identifier: MIT
/*
 * cmdline.c - KMEM_CMDLINE: one table of options, and a parser that never
 * allocates.
 *
 * A line falls into tokens, a token into a name and a value; the table says
 * what the value may be and where it goes. A token is copied into a buffer on
 * the stack with its quotes removed. Whatever is wrong with a token concerns
 * that token only: it is named on stderr in one line, in one of three forms,
 *
 *	kmem: KMEM_CMDLINE: unknown option 'foo=1' ignored
 *	kmem: KMEM_CMDLINE: 'decay_ms=x' ignored: want decay_ms=0..3600000 (...)
 *	kmem: KMEM_CMDLINE: slab_debug: 'P' is not offered
 *
 * and the parameter keeps the value that it had. The last of several valid
 * values counts. Nothing is locked: the line is parsed once, before there is
 * anybody to share the parameters with, and they are read-only afterwards.
 */
#include <string.h>

#include "base/printk.h"
#include "cmdline.h"
#include "host/host.h"

#define WHO		"KMEM_CMDLINE: "

/* The longest token; longer ones are named by their beginning and ignored. */
#define TOKEN_MAX	256

#define AT(member)	offsetof(struct kmem_params, member)

/* All that is not zero. */
#define DEFAULTS	{ .rseq = true, .decay_ms = 1000, .reclaim = true, .numa = true }

static const struct kmem_params defaults = DEFAULTS;

struct kmem_params kmem_params = DEFAULTS;

const struct cmdline_option cmdline_options[] = {
	{ "rseq", "on|off", "per-CPU caching by restartable sequences",
	  .kind = OPT_SWITCH, .offset = AT(rseq) },
	{ "decay_ms", "0..3600000", "milliseconds until a free page goes back to the system",
	  .kind = OPT_UINT, .offset = AT(decay_ms), .limit = 3600000 },
	{ "reclaim", "on|off", "whether the background reclaimer may start",
	  .kind = OPT_SWITCH, .offset = AT(reclaim) },
	{ "sandbox", "", "no calls but those that any malloc makes, once it runs",
	  .kind = OPT_FLAG, .offset = AT(sandbox) },
	{ "purge", "dontneed|free", "how pages go back: at once, or when memory is short",
	  .kind = OPT_CHOICE, .offset = AT(purge_lazy), .words = { "dontneed", "free" } },
	{ "thp", "never|madvise", "whether free pageblocks are advised for huge pages",
	  .kind = OPT_CHOICE, .offset = AT(thp), .words = { "never", "madvise" } },
	{ "slab_nomerge", "", "no cache becomes an alias of another",
	  .kind = OPT_FLAG, .offset = AT(slab_nomerge) },
	{ "slab_debug", "F[,name...]|-", "checks on every free of the named caches, or of all",
	  .kind = OPT_SLAB_DEBUG, .offset = AT(slab_debug_checks) },
	{ "slub_debug", "F[,name...]|-", "the older name of slab_debug",
	  .kind = OPT_SLAB_DEBUG, .offset = AT(slab_debug_checks) },
	{ "init_on_alloc", "on|off", "zero objects when they are taken",
	  .kind = OPT_SWITCH, .offset = AT(init_on_alloc) },
	{ "init_on_free", "on|off", "zero objects when they are given back",
	  .kind = OPT_SWITCH, .offset = AT(init_on_free) },
	{ "control", "on|off", "whether slabinfo may ask for caches to be shrunk",
	  .kind = OPT_SWITCH, .offset = AT(control) },
	{ "inspect", "same|any", "which of the user's processes may look at this one's memory",
	  .kind = OPT_CHOICE, .offset = AT(inspect_any), .words = { "same", "any" } },
	{ "heap_reserve", "0..128T", "address space of the first zone; 0: chosen",
	  .kind = OPT_SIZE, .offset = AT(heap_reserve), .limit = 128UL << 40 },
	{ "limit", "0..128T", "bytes in use at which allocations fail; 0: none",
	  .kind = OPT_SIZE, .offset = AT(limit), .limit = 128UL << 40 },
	{ "soft_limit", "0..128T", "bytes in use above which memory is reclaimed; 0: none",
	  .kind = OPT_SIZE, .offset = AT(soft_limit), .limit = 128UL << 40 },
	{ "min_free", "0..1G", "bytes kept for GFP_ATOMIC from the start; 0: chosen, when asked for",
	  .kind = OPT_SIZE, .offset = AT(min_free), .limit = 1UL << 30 },
	{ "nr_cpus", "0..8192", "CPUs that get caches of their own; 0: all",
	  .kind = OPT_UINT, .offset = AT(nr_cpus), .limit = 8192 },
	{ "numa", "on|off|fake=1..16", "whether NUMA nodes are told apart, or so many simulated",
	  .kind = OPT_NUMA, .offset = AT(numa), .limit = 16 },
	{ "verbose", "", "one line on stderr at start-up",
	  .kind = OPT_FLAG, .offset = AT(verbose) },
};

const unsigned int nr_cmdline_options = ARRAY_SIZE(cmdline_options);

/* ---- values ------------------------------------------------------------- */

static bool parse_switch(const char *value, bool *out)
{
	static const char *const words[][2] = {
		{ "off", "on" }, { "0", "1" }, { "n", "y" }, { "no", "yes" },
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(words); i++)
		for (int on = 0; on < 2; on++)
			if (!strcmp(value, words[i][on])) {
				*out = on;
				return true;
			}
	return false;
}

static bool parse_choice(const char *value, const char *const words[2], bool *out)
{
	for (int i = 0; i < 2; i++)
		if (!strcmp(value, words[i])) {
			*out = i;
			return true;
		}
	return false;
}

/* Leaves @s behind the digits. */
static bool parse_digits(const char **s, unsigned long *out)
{
	unsigned long n = 0;

	if (**s < '0' || **s > '9')
		return false;
	for (; **s >= '0' && **s <= '9'; (*s)++)
		if (__builtin_mul_overflow(n, 10UL, &n) ||
		    __builtin_add_overflow(n, (unsigned long)(**s - '0'), &n))
			return false;
	*out = n;
	return true;
}

static bool parse_number(const char *value, unsigned long limit, bool suffix,
			 unsigned long *out)
{
	static const char units[] = "KMGT";
	unsigned long n;
	const char *unit;

	if (!parse_digits(&value, &n))
		return false;
	if (suffix && *value) {
		unit = strchr(units, *value & ~0x20);
		if (!unit || !*unit ||
		    __builtin_mul_overflow(n, 1UL << (10 * (unit - units + 1)), &n))
			return false;
		value++;
	}
	if (*value || n > limit)
		return false;
	*out = n;
	return true;
}

static bool parse_numa(const char *value, unsigned long limit, struct kmem_params *p)
{
	unsigned long n;

	if (strncmp(value, "fake=", 5)) {
		if (!parse_switch(value, &p->numa))
			return false;
		p->numa_fake = 0;
		return true;
	}
	if (!parse_number(value + 5, limit, false, &n) || n == 0)
		return false;
	p->numa = true;
	p->numa_fake = (unsigned int)n;
	return true;
}

/*
 * [letters][,names]. No letters: all that is offered. Letters that are not
 * offered are named; the rest of the value counts all the same, also when none
 * of its letters is left. NULL (the name alone) is everything for every cache.
 */
static bool parse_slab_debug(const char *value, const char *option, struct kmem_params *p)
{
	const char *names = value ? strchr(value, ',') : NULL;
	size_t letters = value ? (names ? (size_t)(names - value) : strlen(value)) : 0;
	bool checks = letters == 0;

	names = names ? names + 1 : "";
	if (strlen(names) >= sizeof(p->slab_debug_names) || strchr(names, ';'))
		return false;
	if (letters == 1 && *value == '-') {
		p->slab_debug_checks = false;
		p->slab_debug_names[0] = '\0';
		return true;
	}
	for (size_t i = 0; i < letters; i++) {
		if (value[i] == 'F' || value[i] == 'f')
			checks = true;
		else
			printk(WHO "%s: '%c' is not offered\n", option, value[i]);
	}
	p->slab_debug_checks = checks;
	strcpy(p->slab_debug_names, checks ? names : "");
	return true;
}

/* ---- tokens --------------------------------------------------------------- */

/* Whether an option's name is @name; '-' and '_' are the same. */
static bool name_matches(const char *option, const char *name)
{
	for (; *option && *name; option++, name++)
		if ((*option == '-' ? '_' : *option) != (*name == '-' ? '_' : *name))
			return false;
	return *option == *name;
}

static const struct cmdline_option *find_option(const char *name)
{
	for (unsigned int i = 0; i < nr_cmdline_options; i++)
		if (name_matches(cmdline_options[i].name, name))
			return &cmdline_options[i];
	return NULL;
}

/* @value: NULL where there is no '='. False: not a value that is wanted. */
static bool set_option(struct kmem_params *p, const struct cmdline_option *o, const char *value)
{
	char *member = (char *)p + o->offset;
	unsigned long n;

	if (o->kind == OPT_SLAB_DEBUG)
		return parse_slab_debug(value, o->name, p);
	if (o->kind == OPT_FLAG && !value) {
		*(bool *)member = true;
		return true;
	}
	if (!value)
		return false;

	switch (o->kind) {
	case OPT_FLAG:
	case OPT_SWITCH:
		return parse_switch(value, (bool *)member);
	case OPT_CHOICE:
		return parse_choice(value, o->words, (bool *)member);
	case OPT_NUMA:
		return parse_numa(value, o->limit, p);
	case OPT_UINT:
		if (!parse_number(value, o->limit, false, &n))
			return false;
		*(unsigned int *)member = (unsigned int)n;
		return true;
	case OPT_SIZE:
		return parse_number(value, o->limit, true, (unsigned long *)member);
	default:
		return false;
	}
}

static void apply_token(struct kmem_params *p, char *token)
{
	char *equals = strchr(token, '=');
	const struct cmdline_option *o;

	if (equals)
		*equals = '\0';
	o = find_option(token);
	if (o && set_option(p, o, equals ? equals + 1 : NULL))
		return;
	if (equals)
		*equals = '=';
	if (!o)
		printk(WHO "unknown option '%s' ignored\n", token);
	else
		printk(WHO "'%s' ignored: want %s%s%s (%s)\n", token, o->name,
		       *o->values ? "=" : "", o->values, o->help);
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/*
 * Copies the token at @line to @token without its quotes and ends it; returns
 * what follows it. Too long a token, or one whose quote is never closed, is
 * named here and left empty.
 */
static const char *next_token(const char *line, char token[TOKEN_MAX])
{
	const char *start = line;
	bool quoted = false;
	size_t len = 0;

	for (; *line && (quoted || !is_space(*line)); line++) {
		if (*line == '"')
			quoted = !quoted;
		else if (len++ < TOKEN_MAX - 1)
			token[len - 1] = *line;
	}
	token[min(len, (size_t)TOKEN_MAX - 1)] = '\0';
	if (quoted || len >= TOKEN_MAX) {
		printk(WHO "'%.32s...' ignored: %s\n", start,
		       quoted ? "a quote is not closed" : "too long");
		token[0] = '\0';
	}
	return line;
}

void cmdline_parse(struct kmem_params *p, const char *line)
{
	char token[TOKEN_MAX];

	*p = defaults;
	while (line) {
		while (is_space(*line))
			line++;
		if (!*line)
			break;
		line = next_token(line, token);
		if (token[0])
			apply_token(p, token);
	}
	if (p->sandbox)
		p->reclaim = false;
}

void cmdline_init(void)
{
	cmdline_parse(&kmem_params, host_getenv("KMEM_CMDLINE"));
	if (kmem_params.sandbox)
		host_name_nothing();
}

/* ---- questions ----------------------------------------------------------------- */

bool cmdline_slab_debug(const struct kmem_params *p, const char *cache_name)
{
	const char *name = p->slab_debug_names;

	if (!p->slab_debug_checks || !*name)
		return p->slab_debug_checks;
	while (*name) {
		size_t len = strcspn(name, ",");

		if (len && name[len - 1] == '*' ? !strncmp(cache_name, name, len - 1)
						: !strncmp(cache_name, name, len) &&
						  !cache_name[len])
			return true;
		name += len + (name[len] == ',');
	}
	return false;
}
