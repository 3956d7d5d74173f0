// SPDX-License-Identifier: MIT
/*
 * share.c - the operating system: memory that is seen at several addresses.
 *
 * A file in memory that has no name, mapped as often as it is wanted. What the system
 * refuses is a negative number, or NULL, and nothing happened.
 */
#include <errno.h>
#include <sys/mman.h>

#include "host.h"
#include "syscall.h"

/* memfd_create(2)'s flag; older headers lack it. */
#define HOST_MFD_CLOEXEC	1U

int host_share_open(size_t size)
{
	long fd, ret;

	if (host_fault && host_fault(HOST_MAP))
		return -ENOMEM;
	fd = raw_syscall(SYS_memfd_create, "kmem-vmap", HOST_MFD_CLOEXEC);
	if (raw_failed(fd))
		return (int)fd;
	ret = raw_syscall(SYS_ftruncate, fd, size);
	if (raw_failed(ret)) {
		host_share_close((int)fd);
		return (int)ret;
	}
	return (int)fd;
}

void *host_share_map(int fd, size_t offset, size_t size, void *addr, bool writable)
{
	long ret;

	if (host_fault && host_fault(HOST_MAP))
		return NULL;
	ret = raw_syscall(SYS_mmap, addr, size, PROT_READ | (writable ? PROT_WRITE : 0),
			  MAP_SHARED | (addr ? MAP_FIXED : 0), fd, offset);
	return raw_failed(ret) ? NULL : (void *)ret;
}

bool host_unshare(void *addr, size_t size)
{
	return !raw_failed(raw_syscall(SYS_mmap, addr, size, PROT_READ | PROT_WRITE,
				       MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0));
}

void host_share_close(int fd)
{
	raw_syscall(SYS_close, fd);
}
