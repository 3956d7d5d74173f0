/* SPDX-License-Identifier: MIT */
/*
 * compiler.h - what every file may use: attributes, branch hints, atomic
 * accessors, alignment and container arithmetic. Depends on nothing but the
 * compiler and the freestanding headers.
 */
#ifndef MM_BASE_COMPILER_H
#define MM_BASE_COMPILER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;

#define likely(x)		__builtin_expect(!!(x), 1)
#define unlikely(x)		__builtin_expect(!!(x), 0)

#undef __always_inline
#define __always_inline		inline __attribute__((always_inline))
#define noinline		__attribute__((noinline))
#define __cold			__attribute__((cold))
#define __hot			__attribute__((hot))
#define __used			__attribute__((used))
#define __maybe_unused		__attribute__((unused))
#define __must_check		__attribute__((warn_unused_result))
#define __noreturn		__attribute__((noreturn))
#define __printf(a, b)		__attribute__((format(printf, a, b)))
#undef __aligned
#define __aligned(n)		__attribute__((aligned(n)))
#define __cacheline_aligned	__attribute__((aligned(SMP_CACHE_BYTES)))

/* What thread-local storage is addressed from. On x86-64 gcc has the builtin from version 11 on. */
static __always_inline char *thread_pointer(void)
{
#if defined(__x86_64__)
	char *p;

	__asm__("movq %%fs:0, %0" : "=r" (p));
	return p;
#else
	return (char *)__builtin_thread_pointer();
#endif
}

/* Exported from the shared objects; everything else is hidden. */
#define __kmem_export		__attribute__((visibility("default")))
/* On declarations of variables that hot code reads: no detour through the GOT. */
#define __kmem_internal		__attribute__((visibility("hidden")))

/* Both architectures that the library runs on have 64-byte lines. */
#define SMP_CACHE_BYTES		64

#define BUILD_BUG_ON(cond)	_Static_assert(!(cond), "BUILD_BUG_ON: " #cond)
#define ARRAY_SIZE(a)		(sizeof(a) / sizeof((a)[0]))
#define container_of(ptr, type, member) \
	((type *)((char *)(ptr) - offsetof(type, member)))

#define min(a, b) ({ __typeof__(a) _a = (a); __typeof__(b) _b = (b); \
		     _a < _b ? _a : _b; })
#define max(a, b) ({ __typeof__(a) _a = (a); __typeof__(b) _b = (b); \
		     _a > _b ? _a : _b; })
#define clamp(v, lo, hi)	min(max(v, lo), hi)

/* Alignments are powers of two. */
#define ALIGN(x, a)		(((x) + ((__typeof__(x))(a) - 1)) & \
				 ~((__typeof__(x))(a) - 1))
#define ALIGN_DOWN(x, a)	((x) & ~((__typeof__(x))(a) - 1))
#define IS_ALIGNED(x, a)	(((x) & ((__typeof__(x))(a) - 1)) == 0)
#define DIV_ROUND_UP(n, d)	(((n) + (d) - 1) / (d))

/*
 * Shared words. READ_ONCE/WRITE_ONCE are relaxed atomic accesses: no tearing,
 * no order. The acquire/release forms pair with each other; who pairs with
 * whom is said where they are used.
 */
#define READ_ONCE(x)		__atomic_load_n(&(x), __ATOMIC_RELAXED)
#define WRITE_ONCE(x, v)	__atomic_store_n(&(x), (v), __ATOMIC_RELAXED)
#define smp_load_acquire(p)	__atomic_load_n((p), __ATOMIC_ACQUIRE)
#define smp_store_release(p, v)	__atomic_store_n((p), (v), __ATOMIC_RELEASE)


/* A counter that several threads bump and nobody orders anything by. */
#define stat_add(x, n)		__atomic_fetch_add(&(x), (n), __ATOMIC_RELAXED)
#define stat_inc(x)		stat_add(x, 1)
/* A counter that is only bumped under its owner's lock, and read by anyone. */
#define stat_inc_locked(x)	WRITE_ONCE(x, (x) + 1)
#define stat_add_locked(x, n)	WRITE_ONCE(x, (x) + (n))

#if defined(__SANITIZE_THREAD__)
#define KMEM_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define KMEM_TSAN 1
#endif
#endif

#if defined(__SANITIZE_ADDRESS__)
#define KMEM_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define KMEM_ASAN 1
#endif
#endif

/*
 * Looks, on purpose and without order, at what others may be changing: for an
 * estimate, or for a guess that is checked afterwards.
 */
#ifdef KMEM_TSAN
#define __racy			__attribute__((no_sanitize("thread"), __noinline__))
#else
#define __racy
#endif

/*
 * A word that others write, on a hit path: aligned, so that it cannot tear, and
 * free to become an instruction's memory operand, as an atomic load is not.
 */
#ifdef KMEM_TSAN
#define HOT_READ(x)		READ_ONCE(x)
#else
#define HOT_READ(x)		(x)
#endif

#endif /* MM_BASE_COMPILER_H */
