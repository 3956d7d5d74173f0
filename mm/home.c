// SPDX-License-Identifier: MIT
/*
 * home.c - a byte for each 32 KiB of memory, the size of most slabs: its CPU, plus one.
 *
 * They stand for 2 GiB of addresses. Slabs that are a multiple of that apart share a byte, which
 * tells of the one taken from last. Who is not named there asks the slab. Who is named wrongly
 * takes another CPU's object for his own until one of the slabs is taken from again; and CPUs
 * whose numbers are 255 apart take each other's.
 *
 * A byte is written when it changes: those in one line belong to many CPUs.
 *
 * Locks: none.
 */
#include "home.h"

#define PIECE_SHIFT	15
#define PIECE		(1UL << PIECE_SHIFT)
#define PIECES		(1UL << 16)

static u8 hints[PIECES];

static u8 *hint_of(unsigned long address)
{
	return &hints[(address >> PIECE_SHIFT) % PIECES];
}

static u8 name_of(unsigned int cpu)
{
	return (u8)(cpu % 255 + 1);	/* 0: nobody so far */
}

void home_set(const void *start, size_t bytes, unsigned int cpu)
{
	unsigned long at = (unsigned long)start, end = at + bytes;

	for (; at < end; at += PIECE) {
		u8 *hint = hint_of(at);

		if (READ_ONCE(*hint) != name_of(cpu))
			WRITE_ONCE(*hint, name_of(cpu));
	}
}

bool home_is(const void *object, unsigned int cpu)
{
	return READ_ONCE(*hint_of((unsigned long)object)) == name_of(cpu);
}
