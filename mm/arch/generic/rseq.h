/* SPDX-License-Identifier: MIT */
/* generic/rseq.h - an architecture without sections: every operation misses. */
#ifndef MM_ARCH_GENERIC_RSEQ_H
#define MM_ARCH_GENERIC_RSEQ_H

static inline void *rseq_pop(unsigned long slot)
{
	(void)slot;
	return NULL;
}

static inline bool rseq_push(unsigned long slot, void *object)
{
	(void)slot;
	(void)object;
	return false;
}

static inline size_t rseq_pop_bulk(unsigned long slot, void **objects, size_t n)
{
	(void)slot;
	(void)objects;
	(void)n;
	return 0;
}

static inline size_t rseq_push_bulk(unsigned long slot, void *const *objects, size_t n)
{
	(void)slot;
	(void)objects;
	(void)n;
	return 0;
}

static inline bool rseq_cmpxchg(u32 cpu, long *where, long expect, long new)
{
	(void)cpu;
	(void)where;
	(void)expect;
	(void)new;
	return false;
}

#endif /* MM_ARCH_GENERIC_RSEQ_H */
