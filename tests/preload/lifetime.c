// SPDX-License-Identifier: MIT
/*
 * lifetime.c - allocation at the odd moments of a process's life: before main, in
 * dlopen and dlclose, in thread-specific and thread_local destructors, after them,
 * in atexit handlers and destructors, with threads still running at exit.
 *
 *	lifetime PLUGIN
 */
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int failures;
static void *early[100];

#define CHECK(cond)							\
	do {								\
		if (!(cond)) {						\
			printf("lifetime.c:%d: %s\n", __LINE__, #cond);	\
			failures++;					\
		}							\
	} while (0)

static void *alloc(size_t n)
{
	void *p = malloc(n);

	__asm__ volatile("" : "+r"(p));
	if (p)
		memset(p, 0x33, n);
	return p;
}

/* ---- before main ------------------------------------------------------------------- */

static void very_early(int argc, char **argv, char **envp)
{
	(void)argc;
	(void)argv;
	(void)envp;
	for (int i = 0; i < 50; i++)
		early[i] = alloc((size_t)i * 30);
}

#ifdef __GLIBC__
__attribute__((section(".preinit_array"), used))
static void (*const preinit)(int, char **, char **) = very_early;
#else	/* musl looks at no .preinit_array */
__attribute__((constructor(101))) static void first_constructor(void)
{
	very_early(0, NULL, NULL);
}
#endif

__attribute__((constructor(101))) static void constructor(void)
{
	for (int i = 50; i < 100; i++)
		early[i] = alloc((size_t)i * 3000);
}

/* ---- at exit -------------------------------------------------------------------------- */

static void *late[100];

static void at_exit(void)
{
	for (int i = 0; i < 100; i++) {
		free(late[i]);
		late[i] = alloc((size_t)i * 100);
	}
	if (write(1, "atexit ran\n", 11) != 11)
		_exit(3);
}

__attribute__((destructor)) static void destructor(void)
{
	for (int i = 0; i < 100; i++)
		free(late[i]);
	free(alloc(100000));
	if (write(1, "destructor ran\n", 15) != 15)
		_exit(3);
}

/* ---- threads ---------------------------------------------------------------------------- */

static pthread_key_t key;
static int destroyed;
static __thread int rounds;

/* Sets itself again: destructors run several times, the last ones after others'. */
static void tsd_destroy(void *p)
{
	free(p);
	__atomic_fetch_add(&destroyed, 1, __ATOMIC_RELAXED);
	if (++rounds < 4)
		pthread_setspecific(key, alloc(777));
	free(alloc(5000));
}

static void cleanup(void *p)
{
	free(p);
	free(alloc(50));
}

static void *thread(void *arg)
{
	void *p = alloc(333);

	pthread_cleanup_push(cleanup, p);
	pthread_setspecific(key, alloc(200));
	if (arg)
		pthread_exit(alloc(10));
	pthread_cleanup_pop(1);
	return alloc(20);
}

static void test_threads(void)
{
	pthread_t t[50];
	void *p;

	pthread_key_create(&key, tsd_destroy);
	for (int round = 0; round < 10; round++) {
		for (long i = 0; i < 50; i++)
			CHECK(pthread_create(&t[i], NULL, thread, (void *)(i & 1)) == 0);
		for (int i = 0; i < 50; i++) {
			pthread_join(t[i], &p);
			CHECK(p);
			free(p);
		}
	}
	CHECK(destroyed == 4 * 500);
}

/* A stack as small as the C library allows. */
static void *tiny(void *arg)
{
	(void)arg;
	for (size_t n = 1; n < 10000000; n = n * 3 + 1)
		free(alloc(n < 100000 ? n : 1000));
	for (size_t n = 1; n < 10000000; n = n * 3 + 1)
		free(malloc(n));
	free(calloc(100, 100));
	return NULL;
}

static void test_tiny_stack(void)
{
	pthread_attr_t attr;
	pthread_t t;

	pthread_attr_init(&attr);
	CHECK(pthread_attr_setstacksize(&attr, (size_t)sysconf(_SC_THREAD_STACK_MIN)) == 0);
	for (int i = 0; i < 20; i++) {
		CHECK(pthread_create(&t, &attr, tiny, NULL) == 0);
		pthread_join(t, NULL);
	}
}

static void *keeps_running(void *arg)
{
	(void)arg;
	for (;;) {
		void *p = alloc(100), *q = alloc(20000);

		free(p);
		free(q);
	}
	return NULL;
}

/* ---- shared objects ------------------------------------------------------------------------ */

static void test_plugin(const char *path)
{
	for (int i = 0; i < 200; i++) {
		void *handle = dlopen(path, i & 1 ? RTLD_NOW : RTLD_LAZY);
		char *(*gift)(void), *p;

		CHECK(handle);
		if (!handle)
			return;
		gift = (char *(*)(void))dlsym(handle, "plugin_gift");
		p = gift();
		CHECK(!dlsym(handle, "no_such_name") && dlerror());
		dlclose(handle);
		CHECK(!strcmp(p, "a gift"));
		free(p);
	}
	CHECK(!dlopen("/no/such/file.so", RTLD_NOW) && dlerror());
}

int main(int argc, char **argv)
{
	pthread_t t;

	for (int i = 0; i < 100; i++) {
		CHECK(early[i]);
		free(early[i]);
		late[i] = alloc(64);
	}
	atexit(at_exit);
	test_threads();
	test_tiny_stack();
	if (argc > 1)
		test_plugin(argv[1]);
	for (int i = 0; i < 3; i++)
		pthread_create(&t, NULL, keeps_running, NULL);
	usleep(20000);
	printf("lifetime: %d failures\n", failures);
	fflush(stdout);
	exit(failures != 0);
}
