// SPDX-License-Identifier: MIT
/*
 * entry.c - every entry point of malloc that the preloaded library offers, called
 * as a program that knows nothing of it calls it. Linked with the C library only;
 * run with LD_PRELOAD by tests/preload/run, and without to see that the program
 * itself asks for nothing but what malloc owes (then "cfree" and the C23 names
 * may be absent).
 *
 * Prints a line for each failure; exit status 1 if there was one.
 */
#include <dlfcn.h>
#include <errno.h>
#include <malloc.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static int failures;

#define CHECK(cond)							\
	do {								\
		if (!(cond)) {						\
			printf("entry.c:%d: %s (errno %d)\n", __LINE__, #cond, errno); \
			failures++;					\
		}							\
	} while (0)

/* The compiler knows malloc's names: it may not see what goes in and comes out. */
static void *hide(void *p)
{
	__asm__ volatile("" : "+r"(p) : : "memory");
	return p;
}

static size_t hidden(size_t n)
{
	__asm__ volatile("" : "+r"(n));
	return n;
}

static int aligned(void *p, size_t to)
{
	return ((uintptr_t)p & (to - 1)) == 0;
}

static int zero(const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (p[i])
			return 0;
	return 1;
}

/* Writes all that may be written. */
static void *use(void *p)
{
	if (p)
		memset(p, 0xa5, malloc_usable_size(p));
	return hide(p);
}

/* ---- the four of ISO C ------------------------------------------------------------ */

static void test_malloc(void)
{
	void *p, *q;

	for (size_t n = 0; n < 70000; n += n < 2100 ? 1 : 531) {
		p = use(malloc(hidden(n)));
		CHECK(p && aligned(p, 16) && malloc_usable_size(p) >= n);
		free(p);
	}
	p = hide(malloc(hidden(0)));
	q = hide(malloc(hidden(0)));
	CHECK(p && q && p != q);
	free(p);
	free(q);
	free(NULL);
	errno = 0;
	CHECK(!hide(malloc(hidden(SIZE_MAX))) && errno == ENOMEM);
	errno = 0;
	CHECK(!hide(malloc(hidden(PTRDIFF_MAX))) && errno == ENOMEM);
	p = hide(malloc(100));
	errno = 4321;
	free(p);
	CHECK(errno == 4321);
	CHECK(malloc_usable_size(NULL) == 0);
}

static void test_calloc(void)
{
	char *p;

	for (size_t n = 1; n < 3000000; n = n * 3 + 1) {
		free(use(malloc(hidden(n))));
		p = hide(calloc(1, hidden(n)));
		CHECK(p && aligned(p, 16) && zero(p, n));
		free(use(p));
		p = hide(calloc(hidden(n), 3));
		CHECK(p && zero(p, n * 3));
		free(use(p));
	}
	p = hide(calloc(hidden(0), 8));
	CHECK(p);
	free(p);
	errno = 0;
	CHECK(!hide(calloc(hidden(SIZE_MAX / 2 + 1), 2)) && errno == ENOMEM);
	errno = 0;
	CHECK(!hide(calloc(2, hidden(SIZE_MAX / 2 + 1))) && errno == ENOMEM);
}

static void test_realloc(void)
{
	unsigned char *p = NULL;
	size_t old = 0;

	for (size_t n = 1; n < 20000000; n = n * 5 / 2 + 1) {
		p = hide(realloc(p, hidden(n)));
		CHECK(p && aligned(p, 16));
		for (size_t i = 0; i < old; i++)
			if (p[i] != (unsigned char)(i * 7)) {
				CHECK(!"content kept when growing");
				break;
			}
		for (size_t i = old; i < n; i++)
			p[i] = (unsigned char)(i * 7);
		old = n;
	}
	while (old > 1) {
		old /= 3;
		p = hide(realloc(p, hidden(old + 1)));
		CHECK(p && p[old] == (unsigned char)(old * 7) && p[0] == 0);
	}
	errno = 0;
	CHECK(!hide(realloc(p, hidden(SIZE_MAX - 100))) && errno == ENOMEM);
	CHECK(p[0] == 0);
	CHECK(!hide(realloc(p, hidden(0))));
}

static void test_reallocarray(void)
{
	int *p = hide(reallocarray(NULL, hidden(100), sizeof(int)));

	CHECK(p && malloc_usable_size(p) >= 400);
	p[99] = 7;
	p = hide(reallocarray(p, hidden(100000), sizeof(int)));
	CHECK(p && p[99] == 7);
	errno = 0;
	CHECK(!hide(reallocarray(p, hidden(SIZE_MAX / 2), 4)) && errno == ENOMEM);
	CHECK(p[99] == 7);
	free(p);
}

/* ---- alignment ----------------------------------------------------------------------- */

static void test_aligned(int preloaded)
{
	void *p;

	for (size_t a = 8; a <= 16 << 20; a *= 2) {
		for (size_t n = 0; n < 200000; n = n * 4 + 3) {
			p = NULL;
			CHECK(posix_memalign(&p, a, hidden(n)) == 0 && p && aligned(p, a));
			CHECK(malloc_usable_size(p) >= n);
			free(use(p));
			p = hide(aligned_alloc(a, hidden((n + a - 1) & ~(a - 1))));
			CHECK(p && aligned(p, a));
			free(use(p));
			p = hide(memalign(a, hidden(n)));
			CHECK(p && aligned(p, a));
			p = realloc(use(p), hidden(n + 1000));
			CHECK(p);
			free(p);
		}
	}
	p = (void *)0x55;
	errno = 99;
	CHECK(posix_memalign(&p, hidden(3), 8) == EINVAL && p == (void *)0x55);
	CHECK(posix_memalign(&p, hidden(4), 8) == EINVAL);
	CHECK(posix_memalign(&p, hidden(0), 8) == EINVAL);
	CHECK(posix_memalign(&p, hidden(24), 8) == EINVAL);
	CHECK(posix_memalign(&p, 16, hidden(SIZE_MAX)) == ENOMEM && p == (void *)0x55);
	if (preloaded)
		CHECK(errno == 99);	/* it answers; glibc's sets errno, too */
	errno = 0;
	CHECK(!hide(aligned_alloc(64, hidden(SIZE_MAX - 63))) && errno == ENOMEM);
	errno = 0;
	CHECK(!hide(memalign(4096, hidden(SIZE_MAX - 100))) && errno == ENOMEM);
}

static void test_pages(void)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	void *p = hide(valloc(hidden(100)));

	CHECK(p && aligned(p, page) && malloc_usable_size(p) >= 100);
	free(use(p));
	p = hide(pvalloc(hidden(1)));
	CHECK(p && aligned(p, page) && malloc_usable_size(p) >= page);
	free(use(p));
	p = hide(pvalloc(hidden(page + 1)));
	CHECK(p && aligned(p, page) && malloc_usable_size(p) >= 2 * page);
	free(use(p));
	errno = 0;
	CHECK(!hide(valloc(hidden(SIZE_MAX))) && errno == ENOMEM);
	errno = 0;
	CHECK(!hide(pvalloc(hidden(SIZE_MAX - 10))) && errno == ENOMEM);
}

/* ---- what glibc adds --------------------------------------------------------------------- */

static void test_statistics(int preloaded)
{
	struct mallinfo2 before, after;
	struct mallinfo old;
	char *text = NULL;
	size_t len = 0;
	void *p;
	FILE *f;

	before = mallinfo2();
	p = use(malloc(hidden(30 << 20)));
	after = mallinfo2();
	CHECK(after.uordblks + after.hblkhd >= before.uordblks + before.hblkhd + (25 << 20));
	old = mallinfo();
	CHECK(old.uordblks != 0 || old.hblkhd != 0);
	free(p);
	after = mallinfo2();
	CHECK(after.uordblks + after.hblkhd < (20UL << 20) + before.uordblks + before.hblkhd);

	f = open_memstream(&text, &len);
	CHECK(f && malloc_info(0, f) == 0);
	fclose(f);
	CHECK(text && !strncmp(text, "<malloc", 7) && strstr(text, "</malloc>"));
	free(text);
	CHECK(malloc_info(1, stdout) != 0);
	CHECK(mallopt(M_MMAP_THRESHOLD, 1 << 20) == 1);
	if (preloaded)
		malloc_stats();		/* to stderr */
}

static long rss_pages(void)
{
	long size, rss = 0;
	FILE *f = fopen("/proc/self/statm", "r");

	if (!f || fscanf(f, "%ld %ld", &size, &rss) != 2)
		rss = -1;
	if (f)
		fclose(f);
	return rss;
}

static void test_trim(int preloaded)
{
	static void *p[20000];
	long before, full, after;
	int again;

	malloc_trim(0);
	before = rss_pages();
	for (int i = 0; i < 20000; i++)
		p[i] = use(malloc(hidden(3000)));
	full = rss_pages();
	for (int i = 0; i < 20000; i++)
		free(p[i]);
	CHECK(malloc_trim(0) == 1);
	after = rss_pages();
	CHECK(full - before > 10000);
	if (preloaded)
		CHECK(after - before < 1024);
	again = malloc_trim(0);
	CHECK(again == 0 || again == 1);
	again = malloc_trim(hidden(1 << 20));
	CHECK(again == 0 || again == 1);
}

/* ---- names that not every C library has ------------------------------------------------------ */

static void test_by_name(int preloaded)
{
	void (*cfree)(void *) = (void (*)(void *))dlsym(RTLD_DEFAULT, "cfree");
	void (*sized)(void *, size_t) = (void (*)(void *, size_t))dlsym(RTLD_DEFAULT, "free_sized");
	void (*both)(void *, size_t, size_t) =
		(void (*)(void *, size_t, size_t))dlsym(RTLD_DEFAULT, "free_aligned_sized");

	if (preloaded) {
		CHECK(sized);
		CHECK(both);
	}
	for (size_t n = 1; n < 300000; n = n * 3 + 1) {
		if (cfree)
			cfree(use(malloc(hidden(n))));
		if (sized) {
			sized(use(malloc(hidden(n))), n);
			sized(use(calloc(1, hidden(n))), n);
		}
		if (both)
			both(use(aligned_alloc(64, (n + 63) & ~63UL)), 64, (n + 63) & ~63UL);
	}
	if (sized)
		sized(NULL, 0);
	if (both)
		both(NULL, 16, 0);
}

/* Functions of the C library that allocate for the program, which then frees. */
static void test_from_libc(void)
{
	char *line = NULL, *s;
	size_t len = 0;
	FILE *f = tmpfile();

	s = strdup("copied");
	CHECK(s && malloc_usable_size(s) >= 7);
	s = hide(realloc(s, 1000));
	CHECK(!strcmp(s, "copied"));
	free(s);
	CHECK(asprintf(&s, "%0*d", 5000, 1) == 5000 && strlen(s) == 5000);
	free(s);
	s = realpath("/proc/../proc", NULL);
	CHECK(s && !strcmp(s, "/proc"));
	free(s);
	s = getcwd(NULL, 0);
	CHECK(s);
	free(s);
	CHECK(f);
	for (int i = 0; i < 20000; i++)
		fputc(i % 5000 == 4999 ? '\n' : 'x', f);
	rewind(f);
	CHECK(getline(&line, &len, f) == 5000);
	free(line);
	fclose(f);
}

/* The compiler's own way round: free of what a child's parent allocated. */
static void test_fork(void)
{
	void *p = malloc(hidden(5000));
	int status = -1;
	pid_t pid = fork();

	if (pid == 0) {
		void *q = malloc(hidden(100000));

		free(p);
		free(q);
		_exit(malloc(hidden(20)) ? 0 : 1);
	}
	CHECK(pid > 0 && waitpid(pid, &status, 0) == pid && status == 0);
	free(p);
}

int main(int argc, char **argv)
{
	int preloaded = getenv("LD_PRELOAD") && strstr(getenv("LD_PRELOAD"), "libkmem-malloc");
	Dl_info info;

	(void)argc;
	(void)argv;
	if (preloaded && (!dladdr(dlsym(RTLD_DEFAULT, "malloc"), &info) ||
			  !strstr(info.dli_fname, "libkmem-malloc"))) {
		printf("malloc comes from %s\n", info.dli_fname);
		return 1;
	}
	test_malloc();
	test_calloc();
	test_realloc();
	test_reallocarray();
	test_aligned(preloaded);
	test_pages();
	test_statistics(preloaded);
	test_trim(preloaded);
	test_by_name(preloaded);
	test_from_libc();
	test_fork();
	printf("entry points: %d failures\n", failures);
	return failures != 0;
}
