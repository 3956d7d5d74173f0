// SPDX-License-Identifier: MIT
/*
 * processes.c - fork, vfork and posix_spawn in a program whose threads allocate
 * all the while.
 *
 *	processes fork|vfork|spawn COUNT
 *
 * fork: children allocate, free what the parent had, run threads of their own,
 * and exit. vfork: children allocate and free in the parent's memory before they
 * exec, which POSIX forbids and programs do. Every object carries a pattern.
 */
#include <pthread.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define THREADS	4
#define LIVE	400

extern char **environ;

static volatile int stop;
static long damaged;

static void *get(size_t n)
{
	size_t *p = malloc(n);

	if (!p)
		return NULL;
	p[0] = n;
	memset(p + 1, (int)((uintptr_t)p >> 4 & 255), n - sizeof(*p));
	return p;
}

static void put(void *object)
{
	unsigned char *c = object;
	size_t n;

	if (!object)
		return;
	n = *(size_t *)object;
	for (size_t i = sizeof(n); i < n; i++)
		if (c[i] != ((uintptr_t)object >> 4 & 255)) {
			__atomic_fetch_add(&damaged, 1, __ATOMIC_RELAXED);
			break;
		}
	memset(object, 0, n);
	free(object);
}

static void *churn(void *arg)
{
	unsigned int seed = (unsigned int)(uintptr_t)arg * 2654435761u + 1;
	void *live[LIVE] = { NULL };

	while (!stop) {
		unsigned int i;

		seed = seed * 1103515245u + 12345u;
		i = (seed >> 8) % LIVE;
		put(live[i]);
		live[i] = get(sizeof(size_t) + (seed >> 16) % (i % 50 ? 400 : 40000));
	}
	for (int i = 0; i < LIVE; i++)
		put(live[i]);
	return NULL;
}

static void short_work(void)
{
	void *p[100];

	for (int i = 0; i < 100; i++)
		p[i] = get(sizeof(size_t) + (size_t)i * (i % 10 ? 10 : 700));
	for (int i = 0; i < 100; i++)
		put(p[i]);
}

static void *short_thread(void *arg)
{
	short_work();
	return arg;
}

static int in_child(int round, void *inherited)
{
	pthread_t t[2];

	short_work();
	put(inherited);
	if (round % 4 == 0) {
		for (int i = 0; i < 2; i++)
			if (pthread_create(&t[i], NULL, short_thread, NULL))
				return 2;
		for (int i = 0; i < 2; i++)
			pthread_join(t[i], NULL);
	}
	if (round % 8 == 1) {
		pid_t pid = fork();
		int status = 1;

		if (pid == 0) {
			short_work();
			_exit(damaged != 0);
		}
		if (pid < 0 || waitpid(pid, &status, 0) != pid || status)
			return 4;
	}
	return damaged != 0;
}

static int wait_for(pid_t pid, int round)
{
	int status = -1;

	if (pid < 0 || waitpid(pid, &status, 0) != pid || status) {
		printf("round %d: child %d ended with status 0x%x\n", round, (int)pid, status);
		return 1;
	}
	return 0;
}

static int do_fork(int round)
{
	void *inherited = get(1000);
	pid_t pid = fork();

	if (pid == 0) {
		alarm(20);	/* a child that waits for a lock for ever is a failure, too */
		if (round % 2)
			_exit(in_child(round, inherited));
		exit(in_child(round, inherited));
	}
	put(inherited);
	return wait_for(pid, round);
}

static int do_vfork(int round)
{
	void *before = get(600);
	void *volatile left = NULL;
	pid_t pid = vfork();

	if (pid == 0) {
		char *argv[] = { "true", NULL };

		short_work();
		put(before);
		left = get(500);
		execvp("true", argv);
		_exit(127);
	}
	put(left);
	return wait_for(pid, round);
}

static int do_spawn(int round)
{
	char *argv[] = { "true", NULL };
	posix_spawn_file_actions_t actions;
	pid_t pid = -1;

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", 0, 0);
	if (posix_spawnp(&pid, "true", &actions, NULL, argv, environ))
		pid = -1;
	posix_spawn_file_actions_destroy(&actions);
	return wait_for(pid, round);
}

int main(int argc, char **argv)
{
	int count = argc > 2 ? atoi(argv[2]) : 100, failures = 0;
	const char *how = argc > 1 ? argv[1] : "fork";
	pthread_t t[THREADS];

	for (long i = 0; i < THREADS; i++)
		if (pthread_create(&t[i], NULL, churn, (void *)i))
			return 2;
	for (int i = 0; i < count && failures < 3; i++)
		failures += !strcmp(how, "fork") ? do_fork(i) :
			    !strcmp(how, "vfork") ? do_vfork(i) : do_spawn(i);
	stop = 1;
	for (int i = 0; i < THREADS; i++)
		pthread_join(t[i], NULL);
	printf("%s: %d failures, %ld damaged objects\n", how, failures, damaged);
	return failures || damaged;
}
