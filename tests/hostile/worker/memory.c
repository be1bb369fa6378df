// SPDX-License-Identifier: LGPL-2.1-or-later
/* What can be done to mappings: moved, cut, protected, advised, pinned, written to past their protection. */
#include "worker.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef MREMAP_DONTUNMAP
#define MREMAP_DONTUNMAP 4
#endif

/* A mapping of the session's, and how long it is. */
static unsigned char *random_map(struct session *session, uint32_t *region, size_t *length)
{
	*region = random_below(&session->random, SCUSE_REGIONS);
	*length = session->length[*region];
	return session->map[random_below(&session->random, session->queues)][*region];
}

/* Page-aligned part of a mapping. */
static void random_part(struct random *random, size_t length, size_t *at, size_t *bytes)
{
	uint32_t pages = (uint32_t)(length / 4096);

	*at = (size_t)random_below(random, pages) * 4096;
	*bytes = (1 + random_below(random, pages - (uint32_t)(*at / 4096))) * 4096;
}

/* Memory that is the kernel's to write cannot be made writable, by any way. */
static void try_protect(unsigned char *map, uint32_t region, size_t at, size_t bytes)
{
	int ret = mprotect(map + at, bytes, PROT_READ | PROT_WRITE);

	if (ret == 0 && (region == SCUSE_REGION_KERNEL || region == SCUSE_REGION_CDB))
		finding("mprotect() makes region %u writable", region);
	mprotect(map + at, bytes, PROT_READ | PROT_EXEC);
	if (region != SCUSE_REGION_KERNEL && region != SCUSE_REGION_CDB)
		mprotect(map + at, bytes, PROT_READ | PROT_WRITE);
	else
		mprotect(map + at, bytes, PROT_READ);
}

static void try_proc_mem(unsigned char *map, uint32_t region, size_t at)
{
	static const char text[] = "through /proc/self/mem";
	int fd = open("/proc/self/mem", O_RDWR | O_CLOEXEC);

	if (fd < 0)
		return;
	if (pwrite(fd, text, sizeof(text), (off_t)(uintptr_t)(map + at)) > 0 &&
	    (region == SCUSE_REGION_KERNEL || region == SCUSE_REGION_CDB))
		finding("/proc/self/mem writes to region %u", region);
	close(fd);
}

static void try_remap(struct random *random, unsigned char *map, size_t length, size_t at, size_t bytes)
{
	unsigned char *moved;

	switch (random_below(random, 4)) {
	case 0: /* longer than it was: must not show what lies behind */
		moved = mremap(map, length, length + 4096 * (1 + random_below(random, 64)), MREMAP_MAYMOVE);
		if (moved != MAP_FAILED)
			finding("mremap() makes a mapping longer");
		break;
	case 1:
		moved = mremap(map + at, bytes, bytes, MREMAP_MAYMOVE | MREMAP_DONTUNMAP);
		break;
	case 2: /* a second mapping of a shared one */
		moved = mremap(map + at, 0, bytes, MREMAP_MAYMOVE);
		break;
	default:
		moved = mremap(map + at, bytes, bytes, MREMAP_MAYMOVE);
		if (moved != MAP_FAILED)
			mremap(moved, bytes, bytes, MREMAP_MAYMOVE | MREMAP_FIXED, map + at);
		return;
	}
	if (moved != MAP_FAILED)
		munmap(moved, bytes);
}

/* Offsets and lengths that no region has. */
static void try_map(struct session *session)
{
	struct random *random = &session->random;
	uint64_t offset = SCUSE_MMAP_OFFSET(random_below(random, 7), random_below(random, 80)) +
			  (random_once_in(random, 2) ? (uint64_t)random_below(random, 4096) * 4096 : 0);
	size_t length = (1 + random_below(random, 1u << random_below(random, 20))) * 4096ull;
	int prot = (int)random_below(random, 8), flags = random_once_in(random, 4) ? MAP_PRIVATE : MAP_SHARED;
	unsigned char *map;

	if (random_once_in(random, 8))
		offset = random_next(random) & ~4095ull;
	map = mmap(NULL, length, prot, flags, session->fd, (off_t)offset);
	if (map == MAP_FAILED)
		return;
	if (SCUSE_MMAP_REGION(offset) >= SCUSE_REGIONS ||
	    SCUSE_MMAP_WITHIN(offset) + length > session->length[SCUSE_MMAP_REGION(offset)])
		finding("mmap() of %zu bytes from %#llx", length, (unsigned long long)offset);
	if (prot & PROT_READ)
		(void)*(volatile unsigned char *)(map + length - 1);
	munmap(map, length);
}

static void try_advise(struct random *random, unsigned char *map, size_t at, size_t bytes)
{
	/* MADV_HWPOISON (100) and MADV_SOFT_OFFLINE are the administrator's right, and spoil the machine. */
	madvise(map + at, bytes, (int)random_below(random, 26));
}

static void one_trick(struct session *session)
{
	struct random *random = &session->random;
	uint32_t region;
	size_t length, at, bytes;
	unsigned char *map = random_map(session, &region, &length), vector[256];

	random_part(random, length, &at, &bytes);
	switch (random_below(random, 10)) {
	case 0:
	case 1:
		try_advise(random, map, at, bytes);
		break;
	case 2:
		try_protect(map, region, at, bytes);
		break;
	case 3:
		try_proc_mem(map, region, at);
		break;
	case 4:
		try_remap(random, map, length, at, bytes);
		break;
	case 5:
		mlock(map + at, bytes);
		munlock(map, length);
		break;
	case 6:
		msync(map + at, bytes, MS_SYNC | (random_once_in(random, 2) ? MS_INVALIDATE : 0));
		mincore(map + at, bytes < 256 * 4096 ? bytes : 256 * 4096, vector);
		break;
	case 7:
		remap_file_pages(map + at, 4096, 0, random_below(random, 16), 0);
		break;
	case 8:
		munmap(map + at, bytes);
		break;
	default:
		try_map(session);
		break;
	}
}

static void *serve_first(void *arg)
{
	session_serve(arg, 0, UINT64_MAX, SPOIL_NOTHING);
	return NULL;
}

/* The mappings are changed below a thread that serves; touching what is gone is its own affair (SIGSEGV). */
void trick_memory(struct session *session)
{
	pthread_t id;
	int serves = !session_start(session);

	if (serves)
		pthread_create(&id, NULL, serve_first, session);
	for (int i = 0; i < 60; i++)
		one_trick(session);
	sleep_ms(random_below(&session->random, 50));
	atomic_store(&session->stop, 1);
	if (serves)
		pthread_join(id, NULL);
}

/* A child that has, or should not have, its parent's mappings; it may outlive the parent. */
static void child_of(struct session *session, int outlive)
{
	for (uint32_t region = 0; region < SCUSE_REGIONS; region++) {
		pid_t pid = fork();

		if (pid == 0) {
			prctl(PR_SET_PDEATHSIG, 0);
			alarm(3);
			((volatile unsigned char *)session->map[0][region])[0] = 0xa5; /* not there */
			if (outlive)
				sleep_ms(100);
			_exit(0);
		}
		if (pid > 0 && !outlive)
			waitpid(pid, NULL, 0);
	}
}

void trick_fork(struct session *session)
{
	int outlive = random_once_in(&session->random, 2);
	pthread_t id;

	if (session_start(session))
		return;
	pthread_create(&id, NULL, serve_first, session);
	for (uint32_t region = 0; random_once_in(&session->random, 2) && region < SCUSE_REGIONS; region++)
		madvise(session->map[0][region], session->length[region], MADV_DOFORK);
	child_of(session, outlive);
	if (outlive)
		_exit(0);
	atomic_store(&session->stop, 1);
	pthread_join(id, NULL);
}

/* Pages of slots that somebody else still holds after the session has ended: a pipe, and a direct read in flight. */
void trick_pinned(struct session *session)
{
	struct iovec part = { .iov_base = session->map[0][SCUSE_REGION_DATA], .iov_len = 65536 };
	char name[] = "/tmp/hostile.XXXXXX";
	int ends[2], file = mkostemp(name, O_CLOEXEC | O_DIRECT);

	if (session_start(session) || pipe2(ends, O_CLOEXEC | O_NONBLOCK))
		return;
	memset(part.iov_base, 0x5a, part.iov_len);
	if (vmsplice(ends[1], &part, 1, random_once_in(&session->random, 2) ? SPLICE_F_GIFT : 0) > 0 &&
	    fork() == 0) {
		unsigned char byte = 0;
		int fd = ends[0];

		/* The pipe alone is left in the child, and the pages in it are what they were. */
		close(session->fd);
		for (uint32_t queue = 0; queue < session->queues; queue++)
			close(session->queue_fd[queue]);
		sleep_ms(200);
		while (read(fd, &byte, 1) == 1) {
		}
		_exit(0);
	}
	if (file >= 0) {
		unlink(name);
		if (ftruncate(file, 65536) == 0 && pwritev(file, &part, 1, 0) > 0)
			preadv(file, &part, 1, 0);
	}
	session_serve(session, 0, random_below(&session->random, 8), SPOIL_BIT);
}
