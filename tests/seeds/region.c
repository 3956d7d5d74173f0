// SPDX-License-Identifier: MIT
/*
 * region.c - the example program of the region manager's document, as it stands but
 * for its include line.
 */
#include <stdlib.h>

#define KMEM_REGION_TRACE
#include <kmem/region.h>

int main(void)
{
    void * ptr[5];
    mmInit(1000);
    ptr[0]=mmAlloc(100);
    ptr[1]=mmAlloc(100);
    mmAlloc(100);
    mmAlloc(100);
    mmAlloc(100);
    mmAlloc(100);
    ptr[2]=mmAlloc(100);
    ptr[3]=mmAlloc(10);
    mmFree(ptr[2]);
    mmFree(ptr[3]);
    mmAlloc(100);
    mmFree(ptr[0]);
    mmAlloc(100);
    mmFree(ptr[1]);
    mmAlloc(100);
    system("pause");
    return 0;
}
