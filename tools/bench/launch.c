// SPDX-License-Identifier: MIT
/*
 * launch.c - runs one program and says what it took.
 *
 *	launch RESULT PROGRAM ARGS...
 *
 * writes to the file RESULT one line "STATUS WALL_NS USER_US SYS_US MAXRSS_KB"
 * and exits with the program's status (128 + signal where one ended it).
 *
 * Why a program of its own: the kernel's record of a process's peak RSS survives
 * exec, and begins with that of the process that forked it. A driver in Python
 * would put its own 15 MB under every figure. This one is linked statically
 * (so that no preloaded library gets into it, either) and has less than any
 * dynamically linked program.
 *
 * What wait4() tells is of the program and of those descendants that it has
 * waited for: times are summed, peak RSS is the largest single one.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static long long now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static long long us(struct timeval t)
{
	return t.tv_sec * 1000000LL + t.tv_usec;
}

int main(int argc, char **argv)
{
	long long start, end;
	struct rusage ru;
	int status;
	FILE *out;
	pid_t pid;

	if (argc < 3) {
		fprintf(stderr, "usage: launch RESULT PROGRAM ARGS...\n");
		return 125;
	}
	start = now_ns();
	pid = fork();
	if (pid == 0) {
		execvp(argv[2], argv + 2);
		fprintf(stderr, "launch: %s: %s\n", argv[2], strerror(errno));
		_exit(127);
	}
	if (pid < 0 || wait4(pid, &status, 0, &ru) != pid) {
		perror("launch");
		return 125;
	}
	end = now_ns();
	status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
	out = fopen(argv[1], "w");
	if (!out || fprintf(out, "%d %lld %lld %lld %ld\n", status, end - start,
			    us(ru.ru_utime), us(ru.ru_stime), ru.ru_maxrss) < 0 ||
	    fclose(out) != 0) {
		perror(argv[1]);
		return 125;
	}
	return status;
}
