// SPDX-License-Identifier: MIT
/*
 * layout.c - parses the layout description of a library.
 *
 * The text comes out of another process: every number and every length is
 * checked, a line that makes no sense is passed over.
 */
#include "layout.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "../../mm/layout.h"

static void add_item(struct layout *l, const char *type, const char *name,
		     uint64_t value, uint32_t size)
{
	l->items = grow(l->items, l->nr_items, sizeof(*l->items));
	l->items[l->nr_items++] = (struct layout_item){ type, name, value, size };
}

/* Cuts the next word off *@line; "" at its end. */
static char *next_word(char **line)
{
	char *word = *line + strspn(*line, " ");

	*line = word + strcspn(word, " ");
	if (**line)
		*(*line)++ = '\0';
	return word;
}

/*
 * One line. @type is the struct that fields belong to; @symbol counts the
 * symbols named so far.
 */
static void parse_line(struct layout *l, char *line, const char **type, size_t *symbol)
{
	bool field = line[0] == ' ';
	char kind = line[0];
	char *name, *first, *second;

	if (!field)
		next_word(&line);
	name = next_word(&line);
	first = next_word(&line);
	second = next_word(&line);
	if (!name[0])
		return;
	if (field && **type) {
		add_item(l, *type, name, strtoull(first, NULL, 10),
			 (uint32_t)strtoul(second, NULL, 10));
		return;
	}
	switch (kind) {
	case 'V':
		l->version = name;
		break;
	case 'S':
		if (*symbol < l->nr_symbols)
			l->symbols[(*symbol)++].name = name;
		break;
	case 'T':
		*type = name;
		add_item(l, name, "", 0, (uint32_t)strtoul(first, NULL, 10));
		break;
	case 'C':
		add_item(l, "", name, strtoull(first, NULL, 10), 8);
		break;
	default:
		/* A newer library says something that is not for us. Nor are its fields. */
		*type = "";
		break;
	}
}

static void parse_text(struct layout *l)
{
	const char *type = "";
	size_t symbol = 0;
	char *line, *save;

	l->version = "?";
	for (line = strtok_r(l->text, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		parse_line(l, line, &type, &symbol);
	l->nr_symbols = symbol;
}

struct layout *layout_parse(const void *desc, size_t size, uint64_t addr, char **error)
{
	const char *bytes = desc;
	struct kmem_layout_header h;
	struct layout *l;
	uint64_t symbols;

	*error = NULL;
	if (size < sizeof(h)) {
		*error = xasprintf("its layout description is cut short");
		return NULL;
	}
	memcpy(&h, desc, sizeof(h));
	if (h.version != KMEM_LAYOUT_VERSION) {
		*error = xasprintf("its layout description has version %" PRIu32
				   ", this slabinfo knows %d: use the one that came with it",
				   h.version, KMEM_LAYOUT_VERSION);
		return NULL;
	}
	symbols = (uint64_t)h.nr_symbols * 8;
	if (h.header_size < sizeof(h) || (uint64_t)h.header_size + symbols + h.text_size > size) {
		*error = xasprintf("its layout description is damaged");
		return NULL;
	}
	l = xcalloc(1, sizeof(*l));
	l->nr_symbols = h.nr_symbols;
	l->symbols = xcalloc(h.nr_symbols, sizeof(*l->symbols));
	for (uint32_t i = 0; i < h.nr_symbols; i++) {
		uint64_t at = h.header_size + 8 * (uint64_t)i;
		int64_t distance;

		memcpy(&distance, bytes + at, 8);
		l->symbols[i] = (struct layout_symbol){ "", addr + at + (uint64_t)distance };
	}
	l->text = xcalloc(1, (size_t)h.text_size + 1);
	memcpy(l->text, bytes + h.header_size + symbols, h.text_size);
	parse_text(l);
	return l;
}

void layout_free(struct layout *l)
{
	if (!l)
		return;
	free(l->symbols);
	free(l->items);
	free(l->text);
	free(l);
}

uint64_t layout_symbol(const struct layout *l, const char *name)
{
	for (size_t i = 0; i < l->nr_symbols; i++)
		if (!strcmp(l->symbols[i].name, name))
			return l->symbols[i].addr;
	return 0;
}

const struct layout_item *layout_item(const struct layout *l, const char *type,
				      const char *name)
{
	for (size_t i = 0; i < l->nr_items; i++)
		if (!strcmp(l->items[i].name, name) && !strcmp(l->items[i].type, type))
			return &l->items[i];
	return NULL;
}
