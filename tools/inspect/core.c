// SPDX-License-Identifier: MIT
/*
 * core.c - a core file as a source of memory: the kernel's, gcore's, whole, cut
 * or damaged.
 *
 * Where a byte comes from, in this order:
 *
 *	its segment's part of the core file, if that has not been cut off;
 *	the file that was mapped there (NT_FILE), for private mappings that nobody
 *		wrote to, which dumpers leave out; the program's file can be given
 *		(--exe). A file whose first page is in the core and differs from the
 *		file's is another file, and is not used;
 *	zero, where a segment of memory without a file is shorter in the core than
 *		it was: what was never touched is not dumped.
 *
 * Anything else reads as not there. What is known to be missing is told in
 * source.lacking.
 *
 * A core does not tell which pages were resident. A page counts as resident
 * when it is in the core and not zero: that is right for what the reader needs
 * (parts of maps that were never touched are zero), and close to the RSS.
 */
#include "source.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_SEGMENTS	(1UL << 20)
#define MAX_NOTES	(64UL << 20)
#define MAX_THREADS	65536U
#define CHUNK		(1UL << 20)
#define PAGE		4096UL

/* A file that was mapped. */
struct mapped_file {
	const char *path;	/* in notes */
	int fd;			/* -1: not there; -2: not tried yet */
};

struct segment {
	uint64_t start, end;
	uint64_t offset;	/* in the core */
	uint64_t filled;	/* bytes that are in the core */
	uint64_t file_offset;
	struct mapped_file *file;
	uint32_t flags;
};

struct core {
	struct source src;
	int fd;
	uint64_t size;		/* of the file */
	const char *exe;	/* replaces the program's file */
	uint16_t machine;
	struct segment *segment;
	size_t nr_segments;
	struct segment *omitted;	/* mappings of files that have no program header */
	size_t nr_omitted;
	struct mapped_file *file;
	size_t nr_files;
	char *notes;
	uint64_t notes_size;
	uint64_t at_phdr;	/* of the auxiliary vector: an address in the program */
	uint64_t cut;		/* bytes that the file should have besides */
};

static struct core *to_core(struct source *src)
{
	return (struct core *)src;	/* src is first */
}

static bool pread_all(int fd, void *buf, uint64_t len, uint64_t offset)
{
	char *to = buf;

	while (len) {
		ssize_t n = pread(fd, to, len, (off_t)offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		to += n;
		offset += (uint64_t)n;
		len -= (uint64_t)n;
	}
	return true;
}

/* ---- reading --------------------------------------------------------------------- */

/* The segment that @addr lies in, or NULL. They are sorted and disjoint. */
static struct segment *find_segment(const struct core *c, uint64_t addr)
{
	size_t low = 0, high = c->nr_segments;

	while (low < high) {
		size_t mid = (low + high) / 2;

		if (c->segment[mid].end <= addr)
			low = mid + 1;
		else
			high = mid;
	}
	if (low < c->nr_segments && c->segment[low].start <= addr)
		return &c->segment[low];
	return NULL;
}

static const char *file_to_open(const struct core *c, const struct mapped_file *f)
{
	struct segment *program = c->exe && c->at_phdr ? find_segment(c, c->at_phdr) : NULL;

	return program && program->file == f ? c->exe : f->path;
}

/* Whether what of the file's first page is in the core says the same as the file. */
static bool same_file(const struct core *c, const struct mapped_file *f, int fd)
{
	char in_core[PAGE], in_file[PAGE];

	for (size_t i = 0; i < c->nr_segments; i++) {
		const struct segment *s = &c->segment[i];

		if (s->file == f && s->file_offset == 0 && s->filled >= PAGE &&
		    !(s->flags & PF_W) && pread_all(c->fd, in_core, PAGE, s->offset))
			return pread_all(fd, in_file, PAGE, 0) &&
			       !memcmp(in_core, in_file, PAGE);
	}
	return true;
}

static bool read_file(struct core *c, struct mapped_file *f, void *buf, uint64_t len,
		      uint64_t offset)
{
	if (f->fd == -2) {
		f->fd = open(file_to_open(c, f), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
		if (f->fd >= 0 && !same_file(c, f, f->fd)) {
			close(f->fd);
			f->fd = -1;
		}
	}
	return f->fd >= 0 && pread_all(f->fd, buf, len, offset);
}

/* One piece, inside one segment. */
static bool read_piece(struct core *c, const struct segment *s, uint64_t at, void *buf,
		       uint64_t len)
{
	if (at < s->filled)
		return pread_all(c->fd, buf, len, s->offset + at);
	if (s->file)
		return read_file(c, s->file, buf, len, s->file_offset + at);
	memset(buf, 0, len);
	return true;
}

/* A segment whose rest was cut off the file is shorter than it says. */
static bool core_read(struct source *src, uint64_t addr, void *buf, size_t len)
{
	struct core *c = to_core(src);
	char *to = buf;

	while (len) {
		struct segment *s = find_segment(c, addr);
		uint64_t at, n;

		if (!s)
			return false;
		at = addr - s->start;
		n = min_u64(len, s->end - addr);
		if (at < s->filled)
			n = min_u64(n, s->filled - at);
		if (s->offset + min_u64(at + n, s->filled) > c->size ||
		    !read_piece(c, s, at, to, n))
			return false;
		addr += n;
		to += n;
		len -= n;
	}
	return true;
}

/* ---- residence --------------------------------------------------------------------- */

struct runs {
	uint64_t start, end;	/* the run at hand; empty when equal */
	resident_fn fn;
	void *arg;
};

static void add_run(struct runs *r, uint64_t start, uint64_t end)
{
	if (r->start != r->end && r->end == start) {
		r->end = end;
		return;
	}
	if (r->start != r->end)
		r->fn(r->arg, r->start, r->end);
	r->start = start;
	r->end = end;
}

static bool all_zero(const char *p, uint64_t n)
{
	return n == 0 || (p[0] == 0 && !memcmp(p, p + 1, n - 1));
}

/* The next offset of data at or behind @offset, where the file system knows of holes. */
static uint64_t skip_hole(const struct core *c, uint64_t offset)
{
	off_t at = lseek(c->fd, (off_t)offset, SEEK_DATA);

	if (at < 0)
		return errno == ENXIO ? c->size : offset;
	return (uint64_t)at;
}

/* What of [@start, @end), in segment @s, is in the core and not zero. */
static void scan_segment(struct core *c, const struct segment *s, uint64_t start,
			 uint64_t end, char *buf, struct runs *r)
{
	uint64_t filled = s->offset < c->size ? min_u64(s->filled, c->size - s->offset) : 0;

	end = min_u64(end, s->start + filled);
	while (start < end) {
		uint64_t offset = s->offset + (start - s->start);
		uint64_t data = skip_hole(c, offset) - offset, n;

		if (data >= end - start)
			return;
		start += data & ~(PAGE - 1);
		n = min_u64(end - start, CHUNK);
		if (!pread_all(c->fd, buf, n, s->offset + (start - s->start)))
			return;
		for (uint64_t at = 0; at < n;) {
			uint64_t next = min_u64(((start + at) | (PAGE - 1)) + 1 - start, n);

			if (!all_zero(buf + at, next - at))
				add_run(r, start + at, start + next);
			at = next;
		}
		start += n;
	}
}

static bool core_resident(struct source *src, uint64_t start, uint64_t end,
			  resident_fn fn, void *arg)
{
	struct core *c = to_core(src);
	struct runs r = { .fn = fn, .arg = arg };
	char *buf = xcalloc(1, CHUNK);

	for (size_t i = 0; i < c->nr_segments; i++) {
		const struct segment *s = &c->segment[i];
		uint64_t from = max_u64(start, s->start), to = min_u64(end, s->end);

		if (from < to)
			scan_segment(c, s, from, to, buf, &r);
	}
	if (r.start != r.end)
		fn(arg, r.start, r.end);
	free(buf);
	return true;
}

static bool core_accounted(struct source *src, const struct range *ranges, size_t nr,
			   uint64_t *rss)
{
	(void)src, (void)ranges, (void)nr, (void)rss;
	return false;
}

static bool core_alive(struct source *src)
{
	(void)src;
	return true;
}

static void core_close(struct source *src)
{
	struct core *c = to_core(src);

	for (size_t i = 0; i < c->nr_files; i++)
		if (c->file[i].fd >= 0)
			close(c->file[i].fd);
	if (c->fd >= 0)
		close(c->fd);
	free(c->file);
	free(c->segment);
	free(c->omitted);
	free(c->notes);
	free(src->maps);
	free(src->threads);
	free(src->label);
	free(src->command);
	free(src->lacking);
	free(c);
}

static const struct source_ops core_ops = {
	.read = core_read,
	.resident = core_resident,
	.accounted = core_accounted,
	.alive = core_alive,
	.close = core_close,
};

/* ---- notes --------------------------------------------------------------------------- */

static uint64_t word_at(const char *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

/* struct elf_prstatus: the signal's part, four ids, four times, then the registers. */
#define PRSTATUS_PID	32
#define PRSTATUS_REGS	112

static void parse_prstatus(struct core *c, const char *desc, uint64_t size)
{
	struct source *src = &c->src;
	struct thread *t;
	size_t sp = c->machine == EM_AARCH64 ? 31 : 19;
	int32_t tid;

	if (size < PRSTATUS_REGS + 8 || src->nr_threads == MAX_THREADS)
		return;
	src->threads = grow(src->threads, src->nr_threads, sizeof(*src->threads));
	t = &src->threads[src->nr_threads++];
	*t = (struct thread){ 0 };
	memcpy(&tid, desc + PRSTATUS_PID, sizeof(tid));
	t->tid = tid;
	t->nr_regs = min_u64((size - PRSTATUS_REGS - 8) / 8, ARRAY_SIZE(t->reg));
	memcpy(t->reg, desc + PRSTATUS_REGS, t->nr_regs * 8);
	t->sp = sp < t->nr_regs ? t->reg[sp] : 0;
}

/* struct elf_prpsinfo: the process id, and the program's name of 16 bytes. */
static void parse_prpsinfo(struct core *c, const char *desc, uint64_t size)
{
	char name[17] = "";
	int32_t pid;

	if (size < 56)
		return;
	memcpy(&pid, desc + 24, sizeof(pid));
	memcpy(name, desc + 40, 16);
	clean_text(name, '?', true);
	c->src.pid = pid;
	free(c->src.command);
	c->src.command = xstrdup(name);
}

static void parse_auxv(struct core *c, const char *desc, uint64_t size)
{
	for (uint64_t at = 0; at + 16 <= size; at += 16)
		if (word_at(desc + at) == AT_PHDR)
			c->at_phdr = word_at(desc + at + 8);
}

/* The same path, or a new one, in the table of files. */
static size_t add_file(struct core *c, const char *path)
{
	for (size_t i = c->nr_files; i-- > 0;)
		if (!strcmp(c->file[i].path, path))
			return i;
	c->file = grow(c->file, c->nr_files, sizeof(*c->file));
	c->file[c->nr_files] = (struct mapped_file){ path, -2 };
	return c->nr_files++;
}

static void note_omitted(struct core *c, uint64_t start, uint64_t end)
{
	if (start >= end)
		return;
	c->omitted = grow(c->omitted, c->nr_omitted, sizeof(*c->omitted));
	c->omitted[c->nr_omitted++] = (struct segment){ .start = start, .end = end, .flags = PF_R };
}

/*
 * NT_FILE: how many, the unit of offsets; for each mapping start, end, offset;
 * then the names, each ended by NUL. @assign false: only the table of files is made,
 * since it moves while it grows, and what gcore has left out altogether is noted.
 */
static void parse_files(struct core *c, const char *desc, uint64_t size, bool assign)
{
	const char *name, *end = desc + size;
	uint64_t nr, unit;

	if (size < 16)
		return;
	nr = word_at(desc);
	unit = word_at(desc + 8);
	if (nr > (size - 16) / 24)
		return;
	name = desc + 16 + nr * 24;
	for (uint64_t i = 0; i < nr; i++) {
		const char *entry = desc + 16 + i * 24;
		size_t left = (size_t)(end - name), len = strnlen(name, left), file;
		struct segment *s;

		if (len == left)
			return;
		file = add_file(c, name);
		name += len + 1;
		s = find_segment(c, word_at(entry));
		if (!s && !assign) {
			note_omitted(c, word_at(entry), word_at(entry + 8));
		} else if (s && assign && s->start == word_at(entry)) {
			s->file = &c->file[file];
			s->file_offset = word_at(entry + 16) * unit;
		}
	}
}

static void parse_notes(struct core *c, bool assign)
{
	uint64_t at = 0;

	while (at + sizeof(Elf64_Nhdr) <= c->notes_size) {
		Elf64_Nhdr n;
		uint64_t desc;
		const char *p;

		memcpy(&n, c->notes + at, sizeof(n));
		desc = at + sizeof(n) + ((n.n_namesz + 3UL) & ~3UL);
		if (desc > c->notes_size || n.n_descsz > c->notes_size - desc)
			return;
		p = c->notes + desc;
		if (n.n_type == NT_FILE)
			parse_files(c, p, n.n_descsz, assign);
		else if (!assign && n.n_type == NT_PRSTATUS)
			parse_prstatus(c, p, n.n_descsz);
		else if (!assign && n.n_type == NT_PRPSINFO)
			parse_prpsinfo(c, p, n.n_descsz);
		else if (!assign && n.n_type == NT_AUXV)
			parse_auxv(c, p, n.n_descsz);
		at = desc + ((n.n_descsz + 3UL) & ~3UL);
	}
}

/* ---- opening ---------------------------------------------------------------------------- */

static int by_start(const void *a, const void *b)
{
	const struct segment *x = a, *y = b;

	return x->start < y->start ? -1 : x->start > y->start;
}

/* Sorted; what overlaps, in a damaged file, is dropped. */
static void sort_segments(struct core *c)
{
	size_t n = 0;

	if (c->nr_segments)
		qsort(c->segment, c->nr_segments, sizeof(*c->segment), by_start);
	for (size_t i = 0; i < c->nr_segments; i++)
		if (n == 0 || c->segment[i].start >= c->segment[n - 1].end)
			c->segment[n++] = c->segment[i];
	c->nr_segments = n;
}

/* They join the others, without a byte in the core. */
static void add_omitted(struct core *c)
{
	for (size_t i = 0; i < c->nr_omitted; i++) {
		c->segment = grow(c->segment, c->nr_segments, sizeof(*c->segment));
		c->segment[c->nr_segments++] = c->omitted[i];
	}
	sort_segments(c);
}

static void add_segment(struct core *c, const Elf64_Phdr *p)
{
	uint64_t end;

	if (!p->p_memsz || __builtin_add_overflow(p->p_vaddr, p->p_memsz, &end) ||
	    __builtin_add_overflow(p->p_offset, p->p_filesz, &end))
		return;
	if (end > c->size)
		c->cut += end - max_u64(c->size, p->p_offset);
	c->segment = grow(c->segment, c->nr_segments, sizeof(*c->segment));
	c->segment[c->nr_segments++] = (struct segment){
		.start = p->p_vaddr, .end = p->p_vaddr + p->p_memsz, .offset = p->p_offset,
		.filled = min_u64(p->p_filesz, p->p_memsz), .flags = p->p_flags,
	};
}

static void add_notes(struct core *c, const Elf64_Phdr *p)
{
	uint64_t size = p->p_offset < c->size ? min_u64(p->p_filesz, c->size - p->p_offset) : 0;

	if (size < p->p_filesz)
		c->cut += p->p_filesz - size;
	if (size > MAX_NOTES || c->notes)
		return;
	c->notes = xcalloc(1, size);
	if (pread_all(c->fd, c->notes, size, p->p_offset))
		c->notes_size = size;
}

/* How many program headers; a count that does not fit its field is in section 0. */
static uint64_t count_phdrs(const struct core *c, const Elf64_Ehdr *h)
{
	Elf64_Shdr section;

	if (h->e_phnum != PN_XNUM)
		return h->e_phnum;
	return pread_all(c->fd, &section, sizeof(section), h->e_shoff) ? section.sh_info : 0;
}

/* NULL: read. Otherwise what is wrong with it. */
static const char *read_phdrs(struct core *c)
{
	uint16_t probe = 1;
	uint8_t data = *(uint8_t *)&probe ? ELFDATA2LSB : ELFDATA2MSB;
	Elf64_Ehdr h;
	uint64_t nr;

	if (!pread_all(c->fd, &h, sizeof(h), 0) || memcmp(h.e_ident, ELFMAG, SELFMAG))
		return "not a core file";
	if (h.e_ident[EI_CLASS] != ELFCLASS64 || h.e_ident[EI_DATA] != data)
		return "a core file of another kind of machine";
	if (h.e_type != ET_CORE)
		return "an ELF file, but no core file";
	nr = count_phdrs(c, &h);
	if (h.e_phentsize != sizeof(Elf64_Phdr) || nr == 0 || nr > MAX_SEGMENTS)
		return "a damaged core file: no program headers";
	c->machine = h.e_machine;
	for (uint64_t i = 0; i < nr; i++) {
		Elf64_Phdr p;

		if (!pread_all(c->fd, &p, sizeof(p), h.e_phoff + i * sizeof(p))) {
			c->cut += (nr - i) * sizeof(p);
			break;
		}
		if (p.p_type == PT_LOAD)
			add_segment(c, &p);
		else if (p.p_type == PT_NOTE)
			add_notes(c, &p);
	}
	return c->nr_segments ? NULL : "cut off before its first segment";
}

/* An image begins in a mapping of a file's first page, or in one that looks like it. */
static void make_maps(struct core *c)
{
	struct source *src = &c->src;

	src->maps = xcalloc(c->nr_segments, sizeof(*src->maps));
	src->nr_maps = c->nr_segments;
	for (size_t i = 0; i < c->nr_segments; i++) {
		const struct segment *s = &c->segment[i];
		char magic[SELFMAG];

		src->maps[i] = (struct mapping){
			.start = s->start, .end = s->end, .offset = s->file_offset,
			.readable = s->flags & PF_R, .writable = s->flags & PF_W,
			.path = s->file ? s->file->path : "",
		};
		if (s->file)
			src->maps[i].inode = 1 + (uint64_t)(s->file - c->file);
		else if (s->filled >= PAGE && core_read(src, s->start, magic, SELFMAG) &&
			 !memcmp(magic, ELFMAG, SELFMAG))
			src->maps[i].inode = 1 + c->nr_files + i;
	}
}

static void tell_lacking(struct core *c)
{
	if (c->cut)
		c->src.lacking = xasprintf("the core file is cut short: %" PRIu64 " kB are missing",
					   (c->cut + 1023) >> 10);
	else if (!c->nr_files)
		c->src.lacking = xstrdup("the core file does not say which files were mapped");
}

static const char *open_core(struct core *c, const char *path)
{
	const char *wrong;
	struct stat st;

	c->fd = open(path, O_RDONLY | O_CLOEXEC);
	if (c->fd < 0 || fstat(c->fd, &st) < 0)
		return strerror(errno);
	if (!S_ISREG(st.st_mode))
		return "not a regular file";
	c->size = (uint64_t)st.st_size;
	wrong = read_phdrs(c);
	if (wrong)
		return wrong;
	sort_segments(c);
	parse_notes(c, false);
	add_omitted(c);
	parse_notes(c, true);
	make_maps(c);
	tell_lacking(c);
	return NULL;
}

struct source *source_core(const char *path, const char *exe, char **error)
{
	struct core *c = xcalloc(1, sizeof(*c));
	const char *wrong;

	c->src.ops = &core_ops;
	c->src.label = xstrdup(path);
	c->src.command = xstrdup("?");
	c->exe = exe;
	c->fd = -1;
	wrong = open_core(c, path);
	if (!wrong && exe && access(exe, R_OK))
		wrong = "the file given with --exe can't be read";
	if (!wrong)
		return &c->src;
	if (error)
		*error = xasprintf("%s: %s", path, wrong);
	core_close(&c->src);
	return NULL;
}
