/* SPDX-License-Identifier: MIT */
/* hand_made.h - magazines made by hand, for tests of what lies below magazine.c. */
#ifndef TESTS_HAND_MADE_H
#define TESTS_HAND_MADE_H

#include <stddef.h>

#define CAP	5

/* What the words speak of: laid out as percpu.h draws it. */
struct hand_made {
	void *bottom;
	void *round[CAP];
	void *end;
};

static inline void hand_made_init(struct hand_made *m, unsigned int count)
{
	m->bottom = NULL;
	for (unsigned int i = 0; i < CAP; i++)
		m->round[i] = i < count ? (void *)(0x1000UL * (i + 1)) : (void *)1;
	m->end = NULL;
}

static inline void **hand_made_top(struct hand_made *m, unsigned int count)
{
	return count ? &m->round[count - 1] : &m->bottom;
}

#endif /* TESTS_HAND_MADE_H */
