/* SPDX-License-Identifier: MIT */
/* generic/this_cpu.h - an architecture without sections: they are never called. */
#ifndef MM_ARCH_GENERIC_THIS_CPU_H
#define MM_ARCH_GENERIC_THIS_CPU_H

#define DEFINE_RSEQ_MODIFY(name, bytes, CHANGE)				\
static inline u64 rseq_##name##_##bytes(void *pcp, u64 value)		\
{									\
	(void)pcp;							\
	return value;							\
}

#define DEFINE_RSEQ_CMPXCHG(bytes)					\
static inline u64 rseq_cmpxchg_##bytes(void *pcp, u64 expect, u64 new)	\
{									\
	(void)pcp;							\
	(void)new;							\
	return expect;							\
}

#endif /* MM_ARCH_GENERIC_THIS_CPU_H */
