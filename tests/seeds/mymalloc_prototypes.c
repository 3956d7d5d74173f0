// SPDX-License-Identifier: MIT
/* mymalloc_prototypes.c - "MyMalloc and MyFree have the prototypes of malloc and free". */
#include "mymalloc.h"

#define SAME_TYPE(a, b)	__builtin_types_compatible_p(__typeof__(&(a)), __typeof__(&(b)))

int main(void)
{
	void *(*my_malloc)(size_t) = MyMalloc;
	void (*my_free)(void *) = MyFree;
	char *p = my_malloc(100), *q = my_malloc(0), *r = my_malloc(0);

	CHECK(SAME_TYPE(MyMalloc, malloc) && SAME_TYPE(MyFree, free), "the types are the same");
	CHECK(p && (uintptr_t)p % 16 == 0, "aligned for any type");
	CHECK(q && r && q != r, "malloc(0) is a pointer of its own");
	memset(p, 1, 100);
	my_free(p);
	my_free(q);
	my_free(r);
	my_free(NULL);
	return 0;
}
