// SPDX-License-Identifier: MIT
/*
 * image.c - finds the ELF images in a target that carry a layout description.
 *
 * An image is found by the mapping of its file's first page, and read from the
 * target's memory, not from the file: that may have been replaced, deleted, or be
 * out of reach in another mount namespace. The program headers say where the
 * notes are.
 */
#include "layout.h"

#include <elf.h>
#include <stdlib.h>
#include <string.h>

#include "../../mm/layout.h"

#define MAX_PHDRS	128
#define MAX_DYNAMIC	512

struct elf_image {
	struct source *src;
	uint64_t start;
	uint64_t bias;			/* what is added to addresses in the file */
	Elf64_Phdr phdr[MAX_PHDRS];
	size_t nr_phdrs;
};

static bool read_headers(struct elf_image *e, const struct mapping *m)
{
	Elf64_Ehdr h;
	uint16_t probe = 1;
	uint8_t data = *(uint8_t *)&probe ? ELFDATA2LSB : ELFDATA2MSB;

	if (!source_read(e->src, m->start, &h, sizeof(h)) ||
	    memcmp(h.e_ident, ELFMAG, SELFMAG) ||
	    h.e_ident[EI_CLASS] != ELFCLASS64 || h.e_ident[EI_DATA] != data ||
	    h.e_phentsize != sizeof(Elf64_Phdr) || h.e_phnum > MAX_PHDRS)
		return false;
	e->start = m->start;
	e->nr_phdrs = h.e_phnum;
	if (!source_read(e->src, m->start + h.e_phoff, e->phdr,
			 h.e_phnum * sizeof(Elf64_Phdr)))
		return false;
	for (size_t i = 0; i < e->nr_phdrs; i++) {
		const Elf64_Phdr *p = &e->phdr[i];

		/* The segment that begins with the file's first page. */
		if (p->p_type == PT_LOAD && p->p_offset < 4096) {
			e->bias = m->start - ((p->p_vaddr - p->p_offset) & ~4095UL);
			return true;
		}
	}
	return false;
}

/* Walks one segment of notes; the description is put into @image. */
static bool scan_notes(const struct elf_image *e, const Elf64_Phdr *p, struct image *image)
{
	uint64_t align = p->p_align == 8 ? 8 : 4;
	uint64_t size = p->p_memsz, addr = e->bias + p->p_vaddr, at = 0;
	bool found = false;
	char *bytes;

	if (size > KMEM_LAYOUT_MAX)
		return false;
	bytes = xcalloc(1, size);
	if (!source_read(e->src, addr, bytes, size))
		size = 0;
	while (!found && at + sizeof(Elf64_Nhdr) <= size) {
		Elf64_Nhdr n;
		uint64_t name = at + sizeof(n), desc;

		memcpy(&n, bytes + at, sizeof(n));
		desc = (name + n.n_namesz + align - 1) & ~(align - 1);
		if (desc > size || n.n_descsz > size - desc)
			break;
		if (n.n_type == KMEM_NOTE_LAYOUT && n.n_namesz == sizeof(KMEM_NOTE_NAME) &&
		    !memcmp(bytes + name, KMEM_NOTE_NAME, sizeof(KMEM_NOTE_NAME))) {
			image->layout = layout_parse(bytes + desc, n.n_descsz, addr + desc,
						     &image->error);
			found = true;
		}
		at = (desc + n.n_descsz + align - 1) & ~(align - 1);
	}
	free(bytes);
	return found;
}

/* Addresses in the dynamic section have been relocated by some loaders, not by others. */
static uint64_t dynamic_address(const struct elf_image *e, uint64_t value)
{
	return value < e->bias ? value + e->bias : value;
}

/* Whether the image is the library itself: a shared object that is named so. */
static bool is_library(const struct elf_image *e)
{
	Elf64_Dyn dyn[MAX_DYNAMIC];
	uint64_t strtab = 0, soname = UINT64_MAX;
	char name[16];
	size_t n = 0;

	for (size_t i = 0; i < e->nr_phdrs; i++) {
		const Elf64_Phdr *p = &e->phdr[i];

		if (p->p_type != PT_DYNAMIC)
			continue;
		n = min_u64(p->p_memsz / sizeof(dyn[0]), MAX_DYNAMIC);
		if (!source_read(e->src, e->bias + p->p_vaddr, dyn, n * sizeof(dyn[0])))
			return false;
	}
	for (size_t i = 0; i < n && dyn[i].d_tag != DT_NULL; i++) {
		if (dyn[i].d_tag == DT_STRTAB)
			strtab = dynamic_address(e, dyn[i].d_un.d_ptr);
		if (dyn[i].d_tag == DT_SONAME)
			soname = dyn[i].d_un.d_val;
	}
	if (!strtab || soname > UINT32_MAX)
		return false;
	source_read_string(e->src, strtab + soname, name, sizeof(name));
	return !strncmp(name, "libkmem", 7);
}

static void add_data(const struct elf_image *e, struct image *image)
{
	for (size_t i = 0; i < e->nr_phdrs && image->nr_data < IMAGE_MAX_DATA; i++) {
		const Elf64_Phdr *p = &e->phdr[i];
		uint64_t start = e->bias + p->p_vaddr;

		if (p->p_type != PT_LOAD || !(p->p_flags & PF_W))
			continue;
		image->data[image->nr_data++] = (struct range){
			start & ~4095UL, (start + p->p_memsz + 4095) & ~4095UL
		};
	}
}

/*
 * A loaded image has its data in a writable mapping; a program that merely looks
 * at the library's file has not.
 */
static bool is_loaded(const struct elf_image *e)
{
	for (size_t i = 0; i < e->nr_phdrs; i++) {
		const Elf64_Phdr *p = &e->phdr[i];
		uint64_t last = e->bias + p->p_vaddr + p->p_memsz - 1;

		if (p->p_type != PT_LOAD || !(p->p_flags & PF_W))
			continue;
		for (size_t k = 0; k < e->src->nr_maps; k++) {
			const struct mapping *m = &e->src->maps[k];

			if (m->start <= last && last < m->end)
				return m->writable;
		}
		return false;
	}
	return false;
}

enum found { FOUND, PLAIN, UNREADABLE };

static enum found try_image(struct source *src, const struct mapping *m, struct image *image)
{
	struct elf_image *e = xcalloc(1, sizeof(*e));
	enum found found = PLAIN;
	char magic[SELFMAG];

	e->src = src;
	if (!source_read(src, m->start, magic, sizeof(magic)))
		found = UNREADABLE;
	else if (read_headers(e, m))
		for (size_t i = 0; i < e->nr_phdrs && found == PLAIN; i++)
			if (e->phdr[i].p_type == PT_NOTE &&
			    scan_notes(e, &e->phdr[i], image))
				found = is_loaded(e) ? FOUND : UNREADABLE;
	if (found == FOUND) {
		image->path = xstrdup(m->path);
		clean_text(image->path, '?', true);
		image->start = m->start;
		if (is_library(e))
			add_data(e, image);
	} else {
		layout_free(image->layout);
		free(image->error);
	}
	free(e);
	return found;
}

static bool known_plain(const struct image_memory *memory, const struct mapping *m)
{
	for (size_t i = 0; i < memory->nr_plain; i++)
		if (memory->plain[i].inode == m->inode && memory->plain[i].device == m->device)
			return true;
	return false;
}

static void remember_plain(struct image_memory *memory, const struct mapping *m)
{
	memory->plain = grow(memory->plain, memory->nr_plain, sizeof(*memory->plain));
	memory->plain[memory->nr_plain].device = m->device;
	memory->plain[memory->nr_plain++].inode = m->inode;
}

struct image *images_find_known(struct source *src, size_t *nr, struct image_memory *memory)
{
	struct image *images = NULL;

	*nr = 0;
	for (size_t i = 0; i < src->nr_maps; i++) {
		const struct mapping *m = &src->maps[i];
		struct image image = { 0 };
		enum found found;

		if (!m->inode || m->offset || !m->readable || known_plain(memory, m))
			continue;
		found = try_image(src, m, &image);
		if (found == PLAIN)
			remember_plain(memory, m);
		if (found != FOUND)
			continue;
		images = grow(images, *nr, sizeof(*images));
		images[(*nr)++] = image;
	}
	return images;
}

struct image *images_find(struct source *src, size_t *nr)
{
	struct image_memory memory = { 0 };
	struct image *images = images_find_known(src, nr, &memory);

	free(memory.plain);
	return images;
}

void images_free(struct image *images, size_t nr)
{
	for (size_t i = 0; i < nr; i++) {
		free(images[i].path);
		free(images[i].error);
		layout_free(images[i].layout);
	}
	free(images);
}
