// SPDX-License-Identifier: MIT
/*
 * mymalloc_grows.c - "when the space is used up, more is had by mmap, and so on": with
 * a first zone of 8 MiB (tests/seeds/run says so to the library) more than that is
 * allocated, and the heap has further mappings. Where nothing is left, NULL says so.
 */
#include "mymalloc.h"

#define N	1000

int main(void)
{
	struct rlimit limit = { 200UL << 20, 200UL << 20 };
	static char *p[N];
	unsigned int before, n = 0, bad = 0;

	MyFree(MyMalloc(1));
	before = nr_zones;
	for (unsigned int i = 0; i < N; i++) {
		p[i] = MyMalloc(60000);
		if (p[i])
			memset(p[i], (int)i, 60000);
	}
	CHECK(before == 1 && nr_zones > before, "60 MB take more than one mapping of 8 MiB");
	for (unsigned int i = 0; i < N; i++) {
		bad += !p[i] || p[i][0] != (char)i || p[i][59999] != (char)i;
		MyFree(p[i]);
	}
	CHECK(bad == 0, "each object is whole, in whichever mapping it lies");
	CHECK(zones_validate() == 0, "all mappings are in order");
	if (setrlimit(RLIMIT_AS, &limit) != 0)
		return 1;
	while (n < N && (p[n] = MyMalloc(1 << 20)))
		n++;
	CHECK(n > 10 && n < 200, "NULL where the system gives no more");
	while (n > 0)
		MyFree(p[--n]);
	p[0] = MyMalloc(1 << 20);
	CHECK(p[0] != NULL, "and memory again after a free");
	return 0;
}
