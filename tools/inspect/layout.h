/* SPDX-License-Identifier: MIT */
/*
 * layout.h - a library's description of itself, parsed; and where in a target
 * such libraries are.
 *
 * mm/layout.h specifies the description. Names are looked up, never positions:
 * a library that is older or newer than this tool has some that the tool does
 * not know, and lacks some that it does.
 */
#ifndef TOOLS_INSPECT_LAYOUT_H
#define TOOLS_INSPECT_LAYOUT_H

#include "source.h"

struct layout_symbol {
	const char *name;
	uint64_t addr;
};

struct layout_item {
	const char *type;	/* struct; "" for constants */
	const char *name;	/* field, constant; "" for the struct itself */
	uint64_t value;		/* offset, or the constant */
	uint32_t size;		/* of the field or struct */
};

struct layout {
	const char *version;	/* of the library */
	struct layout_symbol *symbols;
	size_t nr_symbols;
	struct layout_item *items;
	size_t nr_items;
	char *text;		/* the strings lie in it */
};

/*
 * Parses the description in @desc, @size bytes, which stands at @addr in the
 * target. NULL: not one, or of a form that this tool does not know; then
 * *@error is set, to be freed.
 */
struct layout *layout_parse(const void *desc, size_t size, uint64_t addr, char **error);
void layout_free(struct layout *l);

/* Address of a symbol, 0 if the library has none of that name. */
uint64_t layout_symbol(const struct layout *l, const char *name);
/* A field, a struct (@name "") or a constant (@type ""); NULL if there is none. */
const struct layout_item *layout_item(const struct layout *l, const char *type,
				      const char *name);

#define IMAGE_MAX_DATA	4

/* A program or shared object in the target that carries a description. */
struct image {
	char *path;
	uint64_t start;			/* where its first page is mapped */
	struct layout *layout;		/* NULL: see error */
	char *error;
	/*
	 * Its writable segments, where the image is the library alone and not a
	 * program that it was linked into: then they are the library's data.
	 */
	struct range data[IMAGE_MAX_DATA];
	size_t nr_data;
};

/* All of them; the array and what is in it go with images_free(). */
struct image *images_find(struct source *src, size_t *nr);
void images_free(struct image *images, size_t nr);

/*
 * Remembers files that carry no description, over many processes: pass the
 * same one to each images_find_known(). Zero is empty.
 */
struct image_memory {
	struct {
		uint64_t device, inode;
	} *plain;
	size_t nr_plain;
};

struct image *images_find_known(struct source *src, size_t *nr, struct image_memory *memory);

#endif /* TOOLS_INSPECT_LAYOUT_H */
