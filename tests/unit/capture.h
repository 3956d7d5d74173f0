/* SPDX-License-Identifier: MIT */
/*
 * capture.h - catching what the library says: by printk_sink inside a test, or
 * from the stderr of a child that is expected to die saying it; whether the
 * machine is a real one; and a filter that kills who calls the kernel.
 */
#ifndef TESTS_CAPTURE_H
#define TESTS_CAPTURE_H

#include <criterion/criterion.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "mm/base/printk.h"

static char captured[8192];
static size_t captured_len;
static unsigned int captured_calls;

static inline void capture_sink(const char *text, size_t len)
{
	if (len > sizeof(captured) - 1 - captured_len)
		len = sizeof(captured) - 1 - captured_len;
	memcpy(captured + captured_len, text, len);
	captured_len += len;
	captured[captured_len] = '\0';
	captured_calls++;
}

/* From here on the text goes to captured[], which is empty again. */
static inline void capture_start(void)
{
	captured_len = 0;
	captured_calls = 0;
	captured[0] = '\0';
	printk_sink = capture_sink;
}

/* Runs fn in a child with stderr in captured[]; returns its wait status. */
static inline int capture_child(void (*fn)(void))
{
	int fds[2], status = 0;
	ssize_t n;
	pid_t pid;

	captured_len = 0;
	cr_assert_eq(pipe(fds), 0);
	pid = fork();
	cr_assert_geq(pid, 0);
	if (pid == 0) {
		printk_sink = NULL;
		dup2(fds[1], 2);
		close(fds[0]);
		close(fds[1]);
		fn();
		_exit(0);
	}
	close(fds[1]);
	while ((n = read(fds[0], captured + captured_len,
			 sizeof(captured) - 1 - captured_len)) > 0)
		captured_len += (size_t)n;
	captured[captured_len] = '\0';
	close(fds[0]);
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	return status;
}

/* fn must die by SIGABRT, with @text somewhere in what it says. */
static inline void assert_aborts(void (*fn)(void), const char *text)
{
	int status = capture_child(fn);

	cr_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT, "status %#x, said: %s",
		  status, captured);
	cr_assert_not_null(strstr(captured, text), "no \"%s\" in: %s", text, captured);
}

/*
 * Whether we run under qemu-user: /proc/cpuinfo is that of the machine beneath.
 * What an emulator cannot do says nothing about the library.
 */
static inline bool emulated(void)
{
	bool native = false;
	int saved = errno;
	char line[256];
	FILE *f = fopen("/proc/cpuinfo", "r");

	while (f && fgets(line, sizeof(line), f))
#if defined(__x86_64__)
		native |= !strncmp(line, "vendor_id", 9);
#else
		native |= !strncmp(line, "CPU implementer", 15);
#endif
	if (f)
		fclose(f);
	errno = saved;
	return !native;
}

/* Kills the process at its next system call, but for those that end it. */
static inline bool no_more_system_calls(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_exit_group, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
	};
	struct sock_fprog program = { sizeof(code) / sizeof(code[0]), code };

	return !prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) &&
	       !prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

#endif /* TESTS_CAPTURE_H */
