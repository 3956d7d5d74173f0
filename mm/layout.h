/* SPDX-License-Identifier: MIT */
/*
 * layout.h - the description of its own layout that the library carries, as
 * the kernel carries VMCOREINFO: what a reader outside needs to find and to
 * understand the structures in another process's memory, or in its corpse,
 * without having been built together with the library.
 *
 * It is an ELF note: name "KMEM", type KMEM_NOTE_LAYOUT, in an allocated
 * PT_NOTE segment, so that it is found from the program headers in memory
 * (/proc/PID/maps says where an image starts), is there in stripped and in
 * static programs, and needs neither a symbol table nor the file on disk. All of
 * it is read-only data without one relocation to be done at load.
 *
 * The description: struct kmem_layout_header, then nr_symbols distances (s64,
 * each from itself to its symbol), then text_size bytes of lines:
 *
 *	V 0.1.0			version of the library
 *	S zones			name of the next symbol, in the order of the distances
 *	T page 64		a struct and its size; its fields follow:
 *	 type 0 1		field, offset, size in bytes
 *	C PAGE_SHIFT 12		a constant or an enumerator
 *
 * Versions. KMEM_LAYOUT_VERSION changes only when this form itself does, so
 * that an old reader would misread it. A field that moved, came or went needs
 * no new version: readers look everything up by name, pass over lines that they
 * do not know, and do without what they can do without. What has changed its
 * meaning gets a new name. Documentation/mm/slabinfo.rst has the whole rule.
 *
 * This header is all that library and tools have in common.
 */
#ifndef MM_LAYOUT_H
#define MM_LAYOUT_H

#include <stdint.h>

#define KMEM_NOTE_NAME		"KMEM"
#define KMEM_NOTE_LAYOUT	1
#define KMEM_LAYOUT_VERSION	1
/* More than that is not one of ours: a bound for readers. */
#define KMEM_LAYOUT_MAX		65536

struct kmem_layout_header {
	uint32_t version;		/* KMEM_LAYOUT_VERSION */
	uint32_t header_size;		/* of this header: where the distances start */
	uint32_t nr_symbols;
	uint32_t text_size;
};

/*
 * Stands in a file that every user of the library links (init.c), so that the
 * static archive's layout.o comes along: an undefined symbol, no code, no data.
 */
#define KMEM_LAYOUT_ANCHOR()	__asm__(".globl kmem_layout")

#endif /* MM_LAYOUT_H */
