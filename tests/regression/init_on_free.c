// SPDX-License-Identifier: MIT
/*
 * kfree() of small objects did not zero them with init_on_free=1.
 *
 * Caches that zero or check have no magazines, but the map that free() looks at names
 * them as it names others. For a while a free that missed went by that map alone,
 * straight to the slabs. Objects above all classes, which are pages, were not zeroed at all.
 * Here objects of all kinds are filled, freed, and looked at.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <kmem/slab.h>

/* The options are read before main(). */
static void start_again(char **argv)
{
	const char *given = getenv("KMEM_CMDLINE");
	char line[256];

	snprintf(line, sizeof(line), "%s init_on_free=on", given ? given : "");
	setenv("KMEM_CMDLINE", line, 1);
	setenv("INIT_ON_FREE_TEST", "1", 1);
	execv("/proc/self/exe", argv);
	perror("exec");
	exit(2);
}

/* Not what the compiler knows of freed memory. */
static int left(const unsigned char *p, size_t size)
{
	int n = 0;

	__asm__ volatile("" : "+r" (p) : : "memory");
	for (size_t i = 0; i < size; i++)
		n += p[i] != 0;
	return n;
}

int main(int argc, char **argv)
{
	int bad = 0;

	(void)argc;
	if (!getenv("INIT_ON_FREE_TEST"))
		start_again(argv);
	for (size_t size = 16; size <= 300000; size += size < 512 ? 16 : 1 + size / 32) {
		unsigned char *p = kmalloc(size, GFP_KERNEL);

		if (!p)
			return 2;
		memset(p, 0xa5, size);
		kfree(p);
		if (left(p, size)) {
			printf("%zu bytes: %d are left\n", size, left(p, size));
			bad++;
		}
	}
	printf(bad ? "%d sizes keep their content\n" : "all sizes are zeroed\n", bad);
	return bad != 0;
}
