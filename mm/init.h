/* SPDX-License-Identifier: MIT */
/* init.h - start-up, fork and the background reclaimer: who calls whom when. */
#ifndef MM_INIT_H
#define MM_INIT_H

#include "start.h"

/* fork.c: handlers around fork() in the parent and in the child. */
void fork_init(void);

/* vmscan.c */
void vmscan_init(void);		/* lets the page layer wake the reclaimer */
void vmscan_fork_child(void);	/* the thread is gone in the child */
/* Gives back all that can be given back, now. True if anything was. */
bool vmscan_trim(void);
/* The same without shrinkers, which only threads of the program run. */
void vmscan_trim_caches(void);
/* Starts the reclaimer, if it is not there. 0, or -EAGAIN where there can be none. */
int vmscan_start(void);

#endif /* MM_INIT_H */
