// SPDX-License-Identifier: MIT
/*
 * vfork.c - vfork() for programs whose malloc we are.
 *
 * A vfork child runs in its parent's memory, on the parent's thread-local
 * storage, while the parent's other threads run on. The kernel gives it no rseq
 * registration: the CPU number that it reads is the one that its parent read
 * last, its sections are never restarted, and somebody else may well be using
 * that CPU's magazines. It should not allocate; some programs' children do.
 *
 * So for as long as any vfork child is alive nobody uses the magazines: the
 * areas that the hit paths see are closed (kmem_hot.percpu_base is where those of
 * zeros begin), and the slow path finds percpu.vforks set and goes straight to the
 * slabs, whose locks work between any tasks that share memory. The child's
 * first instruction comes after both stores, in its own program order; other
 * threads may go on in sections they are in, which are theirs by right.
 *
 * The count and the base change under a lock. When the parent comes back the
 * child has gone or is another program.
 *
 * The child returns from the function's frame before the parent does, so the
 * return address is kept in a register across the system call, not on the stack.
 */
#include <errno.h>
#include <sys/types.h>

#include "base/compiler.h"
#include "init.h"
#include "percpu.h"

__kmem_export pid_t vfork(void);

void __used kmem_vfork_enter(void);
void __used kmem_vfork_leave(void);
long __used kmem_vfork_failed(long error);

void kmem_vfork_enter(void)
{
	mm_init();
	percpu_vfork_enter();
}

void kmem_vfork_leave(void)
{
	percpu_vfork_leave();
}

long kmem_vfork_failed(long error)
{
	percpu_vfork_leave();
	errno = (int)-error;
	return -1;
}

#if defined(__x86_64__)
__asm__(
	".pushsection .text\n\t"
	".globl vfork\n\t"
	".type vfork, @function\n"
	"vfork:\n\t"
	".cfi_startproc\n\t"
	"subq $8, %rsp\n\t"
	"call kmem_vfork_enter\n\t"
	"addq $8, %rsp\n\t"
	"popq %rdi\n\t"			/* the return address: the child reuses its place */
	"movl $58, %eax\n\t"		/* SYS_vfork */
	"syscall\n\t"
	"pushq %rdi\n\t"
	"testq %rax, %rax\n\t"
	"jz 2f\n\t"			/* the child */
	"js 1f\n\t"
	"pushq %rax\n\t"
	"call kmem_vfork_leave\n\t"
	"popq %rax\n\t"
	"ret\n"
	"1:\n\t"
	"movq %rax, %rdi\n\t"
	"subq $8, %rsp\n\t"
	"call kmem_vfork_failed\n\t"
	"addq $8, %rsp\n"
	"2:\n\t"
	"ret\n\t"
	".cfi_endproc\n\t"
	".size vfork, . - vfork\n\t"
	".popsection\n");
#elif defined(__aarch64__)
__asm__(
	".pushsection .text\n\t"
	".globl vfork\n\t"
	".type vfork, %function\n"
	"vfork:\n\t"
	".cfi_startproc\n\t"
	"stp x29, x30, [sp, #-16]!\n\t"
	"bl kmem_vfork_enter\n\t"
	"ldp x29, x30, [sp], #16\n\t"
	"mov x8, #220\n\t"		/* SYS_clone */
	"mov x0, #0x4111\n\t"		/* CLONE_VM | CLONE_VFORK | SIGCHLD */
	"mov x1, #0\n\t"
	"mov x2, #0\n\t"
	"mov x3, #0\n\t"
	"mov x4, #0\n\t"
	"svc 0\n\t"
	"cbz x0, 2f\n\t"		/* the child */
	"stp x0, x30, [sp, #-16]!\n\t"
	"tbnz x0, #63, 1f\n\t"
	"bl kmem_vfork_leave\n\t"
	"ldp x0, x30, [sp], #16\n\t"
	"ret\n"
	"1:\n\t"
	"bl kmem_vfork_failed\n\t"
	"ldr x30, [sp, #8]\n\t"
	"add sp, sp, #16\n"
	"2:\n\t"
	"ret\n\t"
	".cfi_endproc\n\t"
	".size vfork, . - vfork\n\t"
	".popsection\n");
#endif
