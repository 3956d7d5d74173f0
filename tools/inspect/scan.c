// SPDX-License-Identifier: MIT
/* scan.c - reads memory in pieces for those who look for pointers in it. */
#include "scan.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define PIECE_WORDS	(1U << 17)	/* 1 MiB */

struct scan {
	struct source *src;
	words_fn fn;
	void *arg;
	uint64_t *word;		/* [PIECE_WORDS] */
	uint64_t bytes;
};

/* A piece that can't be read as a whole is read page by page. */
static void scan_piece(struct scan *s, uint64_t start, size_t nr)
{
	if (source_read(s->src, start, s->word, nr * 8)) {
		s->fn(s->arg, start, s->word, nr);
		s->bytes += nr * 8;
		return;
	}
	for (uint64_t end = start + nr * 8; start < end;) {
		uint64_t next = min_u64((start | 4095) + 1, end);
		size_t n = (next - start) / 8;

		if (source_read(s->src, start, s->word, n * 8)) {
			s->fn(s->arg, start, s->word, n);
			s->bytes += n * 8;
		}
		start = next;
	}
}

static void scan_run(void *arg, uint64_t start, uint64_t end)
{
	struct scan *s = arg;

	start = (start + 7) & ~7UL;
	end &= ~7UL;
	while (start < end) {
		size_t n = min_u64((end - start) / 8, PIECE_WORDS);

		scan_piece(s, start, n);
		start += n * 8;
	}
}

uint64_t scan_range(struct source *src, uint64_t start, uint64_t end, words_fn fn, void *arg)
{
	struct scan s = { .src = src, .fn = fn, .arg = arg };

	if (start >= end)
		return 0;
	s.word = xcalloc(min_u64((end - start) / 8 + 1, PIECE_WORDS), 8);
	if (!src->ops->resident(src, start, end, scan_run, &s))
		scan_run(&s, start, end);
	free(s.word);
	return s.bytes;
}

/* ---- roots --------------------------------------------------------------------------- */

/* Adds what of [@start, @end) is in none of the @nr ranges of @heap. */
static struct range *add_outside(struct range *out, size_t *nr_out, uint64_t start,
				 uint64_t end, const struct range *heap, size_t nr)
{
	for (size_t i = 0; i <= nr && start < end; i++) {
		uint64_t stop = i < nr ? min_u64(max_u64(heap[i].start, start), end) : end;

		if (i < nr && heap[i].end <= start)
			continue;
		if (start < stop) {
			out = grow(out, *nr_out, sizeof(*out));
			out[(*nr_out)++] = (struct range){ start, stop };
		}
		if (i < nr)
			start = max_u64(start, heap[i].end);
	}
	return out;
}

struct range *scan_roots(const struct heap *h, size_t *nr)
{
	size_t nr_heap;
	struct range *heap = heap_ranges(h, &nr_heap), *out = NULL;

	*nr = 0;
	for (size_t i = 0; i < h->src->nr_maps; i++) {
		const struct mapping *m = &h->src->maps[i];

		if (m->readable && m->writable)
			out = add_outside(out, nr, m->start, m->end, heap, nr_heap);
	}
	free(heap);
	return out;
}

/* ---- names ----------------------------------------------------------------------------- */

const struct mapping *mapping_of(const struct source *src, uint64_t addr)
{
	size_t low = 0, high = src->nr_maps;

	while (low < high) {
		size_t mid = (low + high) / 2;

		if (src->maps[mid].end <= addr)
			low = mid + 1;
		else
			high = mid;
	}
	if (low < src->nr_maps && src->maps[low].start <= addr)
		return &src->maps[low];
	return NULL;
}

char *describe_address(const struct source *src, uint64_t addr)
{
	const struct mapping *m = mapping_of(src, addr);
	char *text;

	if (!m)
		return xstrdup("not mapped");
	for (size_t i = 0; i < src->nr_threads; i++)
		if (src->threads[i].sp >= m->start && src->threads[i].sp < m->end &&
		    addr >= src->threads[i].sp - 128)
			return xasprintf("stack of thread %d, sp + %" PRIi64, src->threads[i].tid,
					 (int64_t)(addr - src->threads[i].sp));
	if (m->path[0] == '/')
		text = xasprintf("%s, file offset 0x%" PRIx64, m->path,
				 m->offset + (addr - m->start));
	else
		text = xasprintf("%s + 0x%" PRIx64,
				 m->path[0] ? m->path : "memory without a name", addr - m->start);
	clean_text(text, '?', true);
	return text;
}
