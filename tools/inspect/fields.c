// SPDX-License-Identifier: MIT
/* fields.c - binds the reader's fields to the layout of the library at hand. */
#include "fields.h"

#include <stdarg.h>
#include <stdlib.h>

void heap_note(struct heap *h, const char *fmt, ...)
{
	va_list ap;
	char *text;

	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) < 0)
		text = NULL;
	va_end(ap);
	if (!text)
		return;
	h->notes = grow(h->notes, h->nr_notes, sizeof(*h->notes));
	h->notes[h->nr_notes++] = text;
}

struct binding {
	const struct layout *layout;
	struct heap *heap;
	bool quiet;			/* no notes about what is not there */
	const char *type, *name;	/* the first that is missing and needed */
};

static const struct layout_item *lookup(struct binding *b, const char *type,
					const char *name, bool needed)
{
	const struct layout_item *item = layout_item(b->layout, type, name);

	if (!item && needed && !b->name) {
		b->type = type;
		b->name = name;
	}
	if (!item && !needed && !b->quiet)
		heap_note(b->heap, "the library does not describe %s%s%s", type,
			  type[0] && name[0] ? "." : "", name);
	return item;
}

static struct field bind_field(struct binding *b, const char *type, const char *name,
			       bool needed)
{
	const struct layout_item *item = lookup(b, type, name, needed);
	const struct layout_item *whole = layout_item(b->layout, type, "");

	if (!item || !whole || item->value > whole->size ||
	    item->size > whole->size - item->value)
		return (struct field){ 0, 0 };
	return (struct field){ (uint32_t)item->value, item->size };
}

static uint32_t bind_struct(struct binding *b, const char *type, bool needed)
{
	const struct layout_item *item = lookup(b, type, "", needed);

	if (!item)
		return 0;
	if (item->size > STRUCT_MAX && !b->name) {
		b->type = type;
		b->name = "";
	}
	return item->size;
}

static uint64_t bind_constant(struct binding *b, const char *name, bool needed)
{
	const struct layout_item *item = lookup(b, "", name, needed);

	return item ? item->value : 0;
}

#define NEED_FIELD(s, f_)	f->s##_##f_ = bind_field(&b, #s, #f_, true);
#define WANT_FIELD(s, f_)	f->s##_##f_ = bind_field(&b, #s, #f_, false);
#define NEED_STRUCT(s)		f->sizeof_##s = bind_struct(&b, #s, true);
#define WANT_STRUCT(s)		f->sizeof_##s = bind_struct(&b, #s, false);
#define NEED_CONSTANT(c)	f->c = bind_constant(&b, #c, true);
#define WANT_CONSTANT(c)	f->c = bind_constant(&b, #c, false);

bool fields_bind(struct heap_fields *f, const struct layout *l, struct heap *h, char **error)
{
	struct binding b = { .layout = l, .heap = h };

	f->layout = l;
	HEAP_FIELDS(NEED_FIELD, WANT_FIELD)
	HEAP_STRUCTS(NEED_STRUCT, WANT_STRUCT)
	HEAP_CONSTANTS(NEED_CONSTANT, WANT_CONSTANT)
	b.quiet = true;
	VERIFY_FIELDS(WANT_FIELD)
	VERIFY_STRUCTS(WANT_STRUCT)
	VERIFY_CONSTANTS(WANT_CONSTANT)
	if (!b.name && (f->PAGE_SHIFT < 12 || f->PAGE_SHIFT > 20 ||
			f->PERCPU_SHIFT < 12 || f->PERCPU_SHIFT > 30 ||
			f->PAGEBLOCK_ORDER > 20 || f->NR_PAGE_ORDERS < 1 ||
			f->NR_PAGE_ORDERS > HEAP_MAX_ORDERS ||
			f->MAGAZINE_MAX_BYTES % 8 ||
			f->MAGAZINE_MAX_BYTES < f->sizeof_magazine ||
			f->MAGAZINE_MAX_BYTES > 1UL << 20)) {
		b.type = "";
		b.name = "its constants";
	}
	if (!b.name)
		return true;
	*error = xasprintf("its layout (library %s) does not fit this tool: %s%s%s",
			   l->version, b.type, b.type[0] && b.name[0] ? "." : "", b.name);
	return false;
}
