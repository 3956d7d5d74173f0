// SPDX-License-Identifier: MIT
/* plugin.c - loaded and unloaded by lifetime.c: allocates when it comes and frees when it goes. */
#include <stdlib.h>
#include <string.h>

static void *mine[50];

__attribute__((constructor)) static void come(void)
{
	for (int i = 0; i < 50; i++)
		mine[i] = strdup("plugin");
}

__attribute__((destructor)) static void go(void)
{
	for (int i = 0; i < 50; i++)
		free(mine[i]);
}

__attribute__((visibility("default"))) char *plugin_gift(void);

/* For the program, which frees it after this object is gone. */
char *plugin_gift(void)
{
	return strdup("a gift");
}
