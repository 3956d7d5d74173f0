// SPDX-License-Identifier: MIT
/*
 * strings.c - an interpreter's pattern: short strings made, joined, looked up and dropped.
 *
 * Stands for: perl, awk, a shell, a template engine: nearly all objects are
 * strings of under 64 bytes with a header, most die within microseconds, some go
 * into a table and live. Described: Zorn and Grunwald, "Empirical Measurements of Six
 * Allocation-intensive C Programs" (1992), on perl and gawk.
 */
#include "../bench.h"

#define TABLE	16384

struct str {
	unsigned int refs, len;
	char text[];
};

static struct str *str_new(const char *text, unsigned int len)
{
	struct str *s = bench_ptr(malloc(sizeof(*s) + len + 1));

	s->refs = 1;
	s->len = len;
	memcpy(s->text, text, len);
	s->text[len] = '\0';
	return s;
}

static void str_put(struct str *s)
{
	if (s && --s->refs == 0)
		free(s);
}

static struct str *str_join(const struct str *a, const struct str *b)
{
	char text[256];

	memcpy(text, a->text, a->len);
	memcpy(text + a->len, b->text, b->len);
	return str_new(text, a->len + b->len);
}

static unsigned int str_hash(const struct str *s)
{
	unsigned int h = 5381, i;

	for (i = 0; i < s->len; i++)
		h = h * 33 + (unsigned char)s->text[i];
	return h;
}

int main(int argc, char **argv)
{
	static const char words[] = "the quick brown fox jumps over a lazy dog and runs home again";
	unsigned long steps = bench_times(bench_scale(argc, argv), 2.5e6), i;
	static struct str *table[TABLE];
	struct rng rng = rng_seed(9);

	for (i = 0; i < steps; i++) {
		struct str *a, *b, *joined, **slot;

		a = str_new(words + rng_below(&rng, 40), 2 + rng_below(&rng, 14));
		b = str_new(words + rng_below(&rng, 30), 1 + rng_below(&rng, 30));
		joined = str_join(a, b);
		slot = &table[str_hash(joined) % TABLE];
		if (rng_below(&rng, 16) == 0) {
			str_put(*slot);
			*slot = joined;
			joined->refs++;
		}
		str_put(a);
		str_put(b);
		str_put(joined);
	}
	return 0;
}
