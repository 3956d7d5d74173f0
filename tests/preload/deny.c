// SPDX-License-Identifier: MIT
/*
 * deny.c - runs a program in a sandbox that refuses system calls.
 *
 *	deny [-k] call[,call...] program [arguments...]
 *
 * The calls are answered with EPERM (with -k: ENOSYS). A seccomp filter does it,
 * which the program and its children keep. Exit status 77 where filters are not
 * to be had.
 */
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef SYS_rseq
#define SYS_rseq 334
#endif

static const struct {
	const char *name;
	unsigned int nr;
} calls[] = {
	{ "membarrier", SYS_membarrier },
	{ "madvise", SYS_madvise },
	{ "getrandom", SYS_getrandom },
	{ "sched_getaffinity", SYS_sched_getaffinity },
	{ "getcpu", SYS_getcpu },
	{ "prctl", SYS_prctl },
	{ "mprotect", SYS_mprotect },
	{ "clone3", SYS_clone3 },
	{ "rseq", SYS_rseq },
	{ "sysinfo", SYS_sysinfo },
	{ "prlimit64", SYS_prlimit64 },
};

#define MAX_CALLS	16

static struct sock_filter filter[2 * MAX_CALLS + 8];
static unsigned short nr_filter;

static void emit(unsigned short code, unsigned char jt, unsigned char jf, unsigned int k)
{
	filter[nr_filter++] = (struct sock_filter){ code, jt, jf, k };
}

static void deny_call(const char *name, int error)
{
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		if (strcmp(calls[i].name, name))
			continue;
		emit(BPF_JMP | BPF_JEQ | BPF_K, 0, 1, calls[i].nr);
		emit(BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ERRNO | (unsigned int)error);
		return;
	}
	fprintf(stderr, "deny: %s is not in my table\n", name);
	exit(2);
}

int main(int argc, char **argv)
{
	int error = EPERM, n = 0;
	struct sock_fprog prog;

	if (argc > 1 && !strcmp(argv[1], "-k")) {
		error = ENOSYS;
		argv++;
		argc--;
	}
	if (argc < 3) {
		fprintf(stderr, "usage: deny [-k] call[,call...] program [arguments...]\n");
		return 2;
	}
	emit(BPF_LD | BPF_W | BPF_ABS, 0, 0, offsetof(struct seccomp_data, nr));
	for (char *name = strtok(argv[1], ","); name && n < MAX_CALLS; name = strtok(NULL, ","), n++)
		deny_call(name, error);
	emit(BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW);
	prog.len = nr_filter;
	prog.filter = filter;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog)) {
		perror("deny: seccomp");
		return 77;
	}
	execvp(argv[2], argv + 2);
	perror(argv[2]);
	return 127;
}
