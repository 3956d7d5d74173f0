/* SPDX-License-Identifier: MIT */
/* one_cpu.h - for tests of what a CPU keeps for itself. */
#ifndef TESTS_ONE_CPU_H
#define TESTS_ONE_CPU_H

#include <sched.h>

/* From here on the calling thread runs where it is now. */
static inline void stay_on_this_cpu(void)
{
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET(sched_getcpu(), &one);
	sched_setaffinity(0, sizeof(one), &one);
}

#endif /* TESTS_ONE_CPU_H */
