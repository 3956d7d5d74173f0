// SPDX-License-Identifier: MIT
/*
 * A double free in a program whose SIGABRT handler allocates, as crash reporters
 * and language runtimes do: the report is made with no lock held.
 *
 * expect: BUG kmalloc-64 \(.*\): Object already free 0x[0-9a-f]+
 */
#include <signal.h>

#include "misuse.h"

static void *kept[2000];

static void handler(int sig)
{
	(void)sig;
	for (int i = 0; i < 2000; i++)
		kept[i] = MyMalloc(60);
	for (int i = 0; i < 2000; i++)
		MyFree(kept[i]);
}

int main(void)
{
	void *p = kmalloc(64, GFP_KERNEL);

	signal(SIGABRT, handler);
	kfree(p);
	kfree(hide(p));
	return settle(NULL);
}
