/* SPDX-License-Identifier: MIT */
/**
 * DOC: region.h - one fixed region of memory, cut into blocks of any size.
 *
 * mmInit() sets a region of the process aside; blocks are taken from it first
 * fit (the lowest address that is large enough), in multiples of 8 bytes, and
 * merge with their free neighbours when they come back. What is in use and what
 * is free is kept apart from the region itself. Several regions, best fit,
 * alignment: genalloc.h, which this is made of.
 *
 * Taking and giving back cost O(log n) for n pieces of free space; the books
 * take 1/63 of the region, as far as blocks were ever in use there, and 64 bytes
 * for each piece of free space.
 *
 * Errors: -1 (whose many names the enum below has) or NULL, and errno:
 *
 *	EINVAL	the size is zero, negative or beyond any region; the pointer is
 *		not the start of a block in use (freed before, never allocated)
 *	ENOMEM	there is no free piece as large as that; or mmInit(): no memory
 *	EEXIST	mmInit() when there is a region
 *	EBUSY	mmDestroy() with blocks in use
 *	ENXIO	there is no region
 *
 * Context: any thread, at any time, mmInit() and mmDestroy() included; not from a
 * signal handler.
 *
 * With KMEM_REGION_TRACE defined before this header is included each call says on
 * stdout what it did.
 */
#ifndef KMEM_REGION_H
#define KMEM_REGION_H

#include <errno.h>
#include <stdio.h>

#include <kmem/types.h>

enum ERROR_CODE {
	INPUT_ERROR = -1,
	DESTROY_FAIL = -1,
	INIT_FAIL = -1,
	FREE_FAIL = -1,
	DUMP_FAIL = -1,
	MEMORY_NOT_ENOUGH = -1,
};

enum STATUS_CODE {
	FREE = 0,
	USE = 1,
};

/**
 * struct MEM_MANAGER - the region as a whole
 * @userStartAddress: where it begins
 * @userMemorySize: its bytes
 * @restSize: those of them that are free, in one piece or several
 * @MemBlockNum: blocks in use and free pieces together
 * @useBlockNum: blocks in use
 */
typedef struct {
	void *userStartAddress;
	size_t userMemorySize;
	size_t restSize;
	size_t MemBlockNum;
	size_t useBlockNum;
} MEM_MANAGER;

/**
 * struct MAN_CTRL_BLK - a block in use, or a free piece
 * @blockStartAddress: where it begins
 * @blockValid: USE or FREE
 * @memorySize: its bytes
 */
typedef struct {
	void *blockStartAddress;
	enum STATUS_CODE blockValid;
	size_t memorySize;
} MAN_CTRL_BLK;

KMEM_BEGIN_DECLS

/**
 * mmInit - make the region
 * @size: its bytes, rounded up to a multiple of 8; all of them are zero at first
 * Return: 0; -1 with EINVAL, EEXIST or ENOMEM.
 */
int mmInit(int size);
/**
 * mmAlloc - a block of @size bytes, rounded up to a multiple of 8
 * Return: the block, aligned to 8; NULL with EINVAL, ENOMEM or ENXIO.
 */
void *mmAlloc(int size);
/**
 * mmFree - give a block back
 * Return: 0; -1 with EINVAL (for NULL, too) or ENXIO.
 */
int mmFree(void *ptr);
/**
 * mmDestroy - give the region back
 * Return: 0; -1 with EBUSY (the region stays as it is) or ENXIO.
 */
int mmDestroy(void);

/** mmInfo - fill in @info. Return: 0; -1 with ENXIO. */
int mmInfo(MEM_MANAGER *info);
/**
 * mmNextBlock - one block after another, by address
 * @block: in: a block that this function gave, or all zero; out: the next one
 *
 * What changes meanwhile may be seen or not.
 * Return: 0; -1 after the last one, with errno 0, or ENXIO.
 */
int mmNextBlock(MAN_CTRL_BLK *block);

/** mmDump - print the region and its blocks on stdout. Return: 0; -1 with ENXIO. */
static inline int mmDump(void)
{
	MEM_MANAGER m;
	MAN_CTRL_BLK b = { NULL, FREE, 0 };

	if (mmInfo(&m) != 0)
		return DUMP_FAIL;
	printf("region %p: %zu bytes, %zu of them free, %zu blocks, %zu of them in use\n",
	       m.userStartAddress, m.userMemorySize, m.restSize, m.MemBlockNum, m.useBlockNum);
	while (mmNextBlock(&b) == 0)
		printf("  %p %10zu %s\n", b.blockStartAddress, b.memorySize,
		       b.blockValid == USE ? "in use" : "free");
	return 0;
}

#ifdef KMEM_REGION_TRACE

static inline int mm_trace_init(int size)
{
	int result = mmInit(size);

	puts(result == 0 ? "init success" : errno == EEXIST ? "memory is exist" :
	     errno == ENOMEM ? "MEMORY_NOT_ENOUGH" : "INPUT_ERROR");
	return result;
}

static inline void *mm_trace_alloc(int size)
{
	void *block = mmAlloc(size);
	MEM_MANAGER m;

	if (block)
		printf("mmAlloc 0x%x success,address is %p\n", ((unsigned int)size + 7) / 8 * 8,
		       block);
	else if (errno != ENOMEM)
		puts("INPUT_ERROR");
	else if (mmInfo(&m) == 0 && m.restSize >= (size_t)size)
		puts("no suitable memory block");
	else
		puts("MEMORY_NOT_ENOUGH");
	return block;
}

static inline int mm_trace_destroy(void)
{
	int result = mmDestroy();

	if (result == 0)
		puts("destroy success!");
	else if (errno == EBUSY)
		puts("memory still use");
	return result;
}

#define mmInit(size)	mm_trace_init(size)
#define mmAlloc(size)	mm_trace_alloc(size)
#define mmDestroy()	mm_trace_destroy()

#endif /* KMEM_REGION_TRACE */

KMEM_END_DECLS

#endif /* KMEM_REGION_H */
