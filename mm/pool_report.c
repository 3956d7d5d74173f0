// SPDX-License-Identifier: MIT
/*
 * pool_report.c - what is in a pool, block by block, for people and for programs.
 *
 * The caller's function gets the text, and may do what it likes: no lock is held
 * while it runs. Blocks stay where they are until the pool is destroyed, so the
 * block last looked at is a place to go on from; its figures are copied under
 * the lock. Large objects may come and go, so these are counted off from the front
 * of the list, a batch at a time.
 *
 * Locks: the pool's, if it is shared.
 */
#include "pool.h"

#include <string.h>

#include "base/printk.h"

#define LARGE_BATCH	64
#define LINE_MAX	256

struct report {
	struct mp_pool_s *pool;
	const char *title;
	void (*emit)(void *arg, const char *text);
	void *arg;
};

/* A block as it was when it was looked at. */
struct node_figures {
	size_t number;			/* from 1 */
	size_t used, left;
	unsigned int quote, failed;
	bool current;			/* the next object is taken from it, if it fits */
};

/* A language. */
struct format {
	void (*begin)(struct report *r);
	void (*node)(struct report *r, const struct node_figures *f);
	void (*between)(struct report *r);
	void (*large)(struct report *r, size_t number, size_t size);
	void (*end)(struct report *r);
};

static void __printf(2, 3) say(struct report *r, const char *fmt, ...)
{
	char line[LINE_MAX];
	va_list ap;

	va_start(ap, fmt);
	kmem_vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	r->emit(r->arg, line);
}

/* ---- Chinese ----------------------------------------------------------------------------- */

static void chinese_begin(struct report *r)
{
	r->emit(r->arg, "\r\n\r\n------start monitor poll------");
	r->emit(r->arg, r->title);
	r->emit(r->arg, "\r\n\r\n");
}

static void chinese_node(struct report *r, const struct node_figures *f)
{
	if (f->current)
		say(r, "current==>第%zu块\n", f->number);
	say(r, "第%02zu块small block  已使用:%4zu  剩余空间:%4zu  引用:%4u  failed:%4u\n",
	    f->number, f->used, f->left, f->quote, f->failed);
}

static void chinese_large(struct report *r, size_t number, size_t size)
{
	say(r, "第%zu块large block  size=%zu\n", number, size);
}

static void chinese_end(struct report *r)
{
	r->emit(r->arg, "\r\n\r\n------stop monitor poll------\r\n\r\n");
}

static void nothing(struct report *r)
{
	(void)r;
}

/* ---- English ----------------------------------------------------------------------------- */

static void english_begin(struct report *r)
{
	r->emit(r->arg, "pool");
	r->emit(r->arg, *r->title ? " " : "");
	r->emit(r->arg, r->title);
	say(r, ": blocks of %zu bytes, %s%s\n", mp_block_size(r->pool),
	    mp_counted(r->pool) ? "counted" : "freed by reset only",
	    r->pool->flags & MP_SHARED ? ", shared" : "");
}

static void english_node(struct report *r, const struct node_figures *f)
{
	say(r, "%c block %3zu: %7zu used %7zu left %5u objects %3u failed\n",
	    f->current ? '>' : ' ', f->number, f->used, f->left, f->quote, f->failed);
}

static void english_large(struct report *r, size_t number, size_t size)
{
	say(r, "  large %3zu: %7zu bytes\n", number, size);
}

/* ---- JSON -------------------------------------------------------------------------------- */

static void json_string(struct report *r, const char *text)
{
	r->emit(r->arg, "\"");
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			say(r, "\\%c", *text);
		else if ((unsigned char)*text < 0x20)
			say(r, "\\u%04x", (unsigned int)*text);
		else
			say(r, "%c", *text);
	}
	r->emit(r->arg, "\"");
}

static void json_begin(struct report *r)
{
	r->emit(r->arg, "{\"title\":");
	json_string(r, r->title);
	say(r, ",\"counted\":%s,\"shared\":%s,\"block_size\":%zu,\"blocks\":[",
	    mp_counted(r->pool) ? "true" : "false",
	    r->pool->flags & MP_SHARED ? "true" : "false", mp_block_size(r->pool));
}

static void json_node(struct report *r, const struct node_figures *f)
{
	say(r, "%s{\"used\":%zu,\"left\":%zu,\"objects\":%u,\"failed\":%u,\"current\":%s}",
	    f->number == 1 ? "" : ",", f->used, f->left, f->quote, f->failed,
	    f->current ? "true" : "false");
}

static void json_between(struct report *r)
{
	r->emit(r->arg, "],\"large\":[");
}

static void json_large(struct report *r, size_t number, size_t size)
{
	say(r, "%s%zu", number == 1 ? "" : ",", size);
}

static void json_end(struct report *r)
{
	r->emit(r->arg, "]}\n");
}

static const struct format formats[] = {
	[MP_REPORT_CHINESE] = { chinese_begin, chinese_node, nothing, chinese_large, chinese_end },
	[MP_REPORT_ENGLISH] = { english_begin, english_node, nothing, english_large, nothing },
	[MP_REPORT_JSON] = { json_begin, json_node, json_between, json_large, json_end },
};

/* ---- the pool ---------------------------------------------------------------------------- */

/* The figures of @n. Returns the node after it. */
static struct mp_node_s *look(struct mp_pool_s *pool, struct mp_node_s *n, struct node_figures *f)
{
	struct mp_node_s *next;

	mp_lock(pool);
	f->used = (size_t)(n->last - (unsigned char *)n);
	f->left = (size_t)(n->end - n->last);
	f->quote = n->quote;
	f->failed = n->failed;
	f->current = n == pool->open;
	f->number++;
	next = n->next;
	mp_unlock(pool);
	return next;
}

/* Sizes of large objects, from the @skip-th on. Returns how many. */
static unsigned int look_large(struct mp_pool_s *pool, size_t skip, size_t *sizes)
{
	struct page *page;
	unsigned int n = 0;

	mp_lock(pool);
	list_for_each_entry(page, &pool->large, pool_list) {
		if (skip) {
			skip--;
			continue;
		}
		if (n == LARGE_BATCH)
			break;
		sizes[n++] = page->requested;
	}
	mp_unlock(pool);
	return n;
}

void mp_report(struct mp_pool_s *pool, const char *title, enum mp_format format,
	       void (*emit)(void *arg, const char *text), void *arg)
{
	struct report r = { .pool = pool, .title = title ? title : "", .emit = emit, .arg = arg };
	const struct format *out = &formats[MP_REPORT_ENGLISH];
	struct node_figures f = { 0 };
	size_t sizes[LARGE_BATCH], done = 0;
	unsigned int n;

	mp_check(pool, "mp_report");
	if ((unsigned int)format < ARRAY_SIZE(formats))
		out = &formats[format];
	out->begin(&r);
	for (struct mp_node_s *node = pool->head; node; ) {
		node = look(pool, node, &f);
		out->node(&r, &f);
	}
	out->between(&r);
	do {
		n = look_large(pool, done, sizes);
		for (unsigned int i = 0; i < n; i++)
			out->large(&r, ++done, sizes[i]);
	} while (n == LARGE_BATCH);
	out->end(&r);
}

void mp_pool_stat(struct mp_pool_s *pool, struct mp_stat *stat)
{
	struct page *page;

	mp_check(pool, "mp_pool_stat");
	memset(stat, 0, sizeof(*stat));
	stat->block_size = mp_block_size(pool);
	mp_lock(pool);
	for (struct mp_node_s *n = pool->head; n; n = n->next) {
		stat->blocks++;
		stat->used += (size_t)(n->last - (unsigned char *)n);
		stat->left += (size_t)(n->end - n->last);
		stat->objects += n->quote;
		stat->empty += mp_counted(pool) && n->quote == 0;
	}
	stat->pages = stat->blocks << pool->order;
	list_for_each_entry(page, &pool->large, pool_list) {
		stat->large++;
		stat->large_bytes += page->requested;
		stat->pages += page->nr_pages;
	}
	mp_unlock(pool);
}
