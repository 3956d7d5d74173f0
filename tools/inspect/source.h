/* SPDX-License-Identifier: MIT */
/*
 * source.h - where memory is read from. The reader (layout.c, heap.c, rss.c)
 * asks nothing but this, and so works on whatever stands behind it.
 *
 * Rules for every source: reading never changes, stops or signals the target;
 * whatever is read may be garbage or half written, and the caller checks it.
 */
#ifndef TOOLS_INSPECT_SOURCE_H
#define TOOLS_INSPECT_SOURCE_H

#include "util.h"

struct source;

/* A run of address space, as the target's memory map tells it; ordered, disjoint. */
struct mapping {
	uint64_t start, end;
	uint64_t offset;	/* of @start in the file */
	uint64_t device, inode;	/* 0: no file */
	bool readable, writable;
	const char *path;	/* "" if none */
};

struct range {
	uint64_t start, end;
};

/* What was in a thread's registers, in the order of the system's own structures. */
struct thread {
	int tid;
	uint64_t sp;			/* 0: not known */
	uint64_t reg[40];
	size_t nr_regs;
};

typedef void (*resident_fn)(void *arg, uint64_t start, uint64_t end);

struct source_ops {
	/* All of [@addr, @addr + @len), or false. */
	bool (*read)(struct source *src, uint64_t addr, void *buf, size_t len);
	/* NULL where nothing can be changed. Used by control.c alone. */
	bool (*write)(struct source *src, uint64_t addr, const void *buf, size_t len);
	/*
	 * Calls @fn for each run of [@start, @end) that counts in the RSS, in
	 * order; false if this can't be told.
	 */
	bool (*resident)(struct source *src, uint64_t start, uint64_t end,
			 resident_fn fn, void *arg);
	/*
	 * The RSS of the runs of address space @ranges as the system itself
	 * accounts it, independent of resident(); false if it does not.
	 */
	bool (*accounted)(struct source *src, const struct range *ranges, size_t nr,
			  uint64_t *rss);
	/* Whether what was read so far is of one and the same target, still there. */
	bool (*alive)(struct source *src);
	void (*close)(struct source *src);
};

struct source {
	const struct source_ops *ops;
	int pid;
	bool live;			/* it may change while it is read */
	char *label;			/* what messages call it: "1234", "core.1234" */
	char *command;			/* the program's name, printable */
	char *lacking;			/* what is known to be missing, a line; NULL: nothing */
	struct mapping *maps;
	size_t nr_maps;
	struct thread *threads;		/* a core's; a live process's: threads_read() */
	size_t nr_threads;
};

/*
 * A live process. NULL: *@error is one line for the user, to be freed. With
 * @error NULL nothing is prepared for a message.
 */
struct source *source_process(int pid, char **error);

static inline bool source_read(struct source *src, uint64_t addr, void *buf, size_t len)
{
	return src->ops->read(src, addr, buf, len);
}

static inline bool source_alive(struct source *src)
{
	return src->ops->alive(src);
}

/*
 * A core file; @exe (may be NULL) is the program that dumped it, for what the
 * core leaves out. What is cut off or left out reads as not there, and the
 * source's "lacking" says so. NULL: as above.
 */
struct source *source_core(const char *path, const char *exe, char **error);

/* A string of at most @size - 1 bytes at @addr; "" where there is none. */
void source_read_string(struct source *src, uint64_t addr, char *buf, size_t size);

/* Bytes of [@start, @end) that are resident. */
uint64_t source_resident_bytes(struct source *src, uint64_t start, uint64_t end);

static inline void source_close(struct source *src)
{
	if (src)
		src->ops->close(src);
}

#endif /* TOOLS_INSPECT_SOURCE_H */
