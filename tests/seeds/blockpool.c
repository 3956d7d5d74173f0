// SPDX-License-Identifier: MIT
/*
 * blockpool.c - the example program of the document on the pool of one block size, as
 * it stands but for its include line and its slip: it says malloc and free where
 * it means its own _malloc and _free.
 */
#include <stdio.h>

#define KMEM_BLOCKPOOL_MEMPOOL_NAMES
#include <kmem/blockpool.h>

#define malloc _malloc
#define free _free

int main()
{
    mempool_t mp;

    mempool_init(&mp, 32); // init memory pool

    void *p1 = malloc(&mp,5);
    printf("p1->%p\n",p1);
    void *p2 = malloc(&mp,10);
    printf("p2->%p\n",p2);
    void *p3 = malloc(&mp,15);
    printf("p3->%p\n",p3);
    void *p4 = malloc(&mp,20);
    printf("p4->%p\n",p4);

    free(&mp,p1);
    printf("mp.ptr->%p\n",mp.ptr);
    free(&mp,p3);
    printf("mp.ptr->%p\n",mp.ptr);

    void *p5 = malloc(&mp,25);
    printf("p5->%p\n",p5);
    void *p6 = malloc(&mp,30);
    printf("p6->%p\n",p6);
    return 0;

    return 0;
}
