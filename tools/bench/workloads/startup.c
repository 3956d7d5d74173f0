// SPDX-License-Identifier: MIT
/*
 * startup.c - small programs started one after the other.
 *
 * Stands for: configure scripts, make, git hooks, shell pipelines: thousands of
 * programs that live for a millisecond and allocate a few kilobytes. What
 * counts is the allocator's own start and the memory it touches at rest.
 * Described: lmbench's lat_proc measures fork, exec and exit in this way.
 */
#include <spawn.h>
#include <sys/wait.h>

#include "../bench.h"

extern char **environ;

static int child(void)
{
	static void *blocks[100];
	struct rng rng = rng_seed(15);
	unsigned int i;

	for (i = 0; i < 100; i++)
		blocks[i] = bench_alloc(rng_power_law(&rng, 16, 2048));
	for (i = 0; i < 100; i += 2)
		bench_free(blocks[i]);
	return 0;
}

int main(int argc, char **argv)
{
	char *args[] = { argv[0], "1", "child", NULL };
	unsigned long runs, i;
	int status;
	pid_t pid;

	if (argc > 2 && strcmp(argv[2], "child") == 0)
		return child();
	runs = bench_times(bench_scale(argc, argv), 300);
	for (i = 0; i < runs; i++) {
		if (posix_spawn(&pid, argv[0], NULL, NULL, args, environ) != 0 ||
		    waitpid(pid, &status, 0) != pid || status != 0)
			return 1;
	}
	return 0;
}
