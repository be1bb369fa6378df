// SPDX-License-Identifier: LGPL-2.1-or-later
/* The memfd that a store is in.  See backing.h.  No locks: the store has them. */
#include "backing.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define MAGIC	"scuse-m" /* with its NUL */
#define VERSION 1

#define FILL_AT	      PAGE
#define JOURNAL_AT    (2 * (uint64_t)PAGE)
#define PROTECTION_AT (JOURNAL_AT + JOURNAL_MAX)
#define TABLES_AT     (32 * (uint64_t)1048576)
#define LENGTH	      (TABLES_AT + TABLES * TABLE_SPAN)

_Static_assert(PROTECTION_AT + JOURNAL_MAX / 512 * STORE_PROTECTION <= TABLES_AT, "the journal has room");

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U
#endif

static int make_file(void)
{
	int fd = memfd_create("scuse-memory", MFD_CLOEXEC | MFD_NOEXEC_SEAL);

	if (fd < 0 && errno == EINVAL) /* Linux before 6.3 */
		fd = memfd_create("scuse-memory", MFD_CLOEXEC);
	if (fd >= 0 && ftruncate(fd, (off_t)LENGTH)) {
		close(fd);
		fd = -1;
	}
	return fd;
}

static void *map(int fd, uint64_t length, uint64_t offset)
{
	void *start = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_SHARED, fd, (off_t)offset);

	if (start == MAP_FAILED)
		return NULL;
	/*
	 * The worker locks its memory, but what is on the LUN may be much: that may go to swap.  Nor is it
	 * anybody's business who looks into a core dump.
	 */
	munlock(start, length);
	madvise(start, length, MADV_DONTDUMP);
	return start;
}

static int check_head(struct backing_head *head, uint32_t block_size)
{
	if (memcmp(head->magic, MAGIC, sizeof(head->magic)) != 0)
		return -EPROTO;
	return head->version == VERSION && head->block_size == block_size ? 0 : -EPROTO;
}

static void make_head(struct backing_head *head, uint32_t block_size)
{
	memcpy(head->magic, MAGIC, sizeof(head->magic));
	head->version = VERSION;
	head->block_size = block_size;
}

static int map_all(struct backing *backing)
{
	unsigned char *start = map(backing->fd, TABLES_AT, 0);
	void *tables = mmap(NULL, TABLES * sizeof(*backing->tables), PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	backing->head = (struct backing_head *)start;
	backing->tables = tables == MAP_FAILED ? NULL : tables;
	if (!start || !backing->tables || backing_populate(start, sizeof(*backing->head)))
		return -ENOMEM;
	backing->fill = start + FILL_AT;
	backing->journal = start + JOURNAL_AT;
	backing->journal_protection = start + PROTECTION_AT;
	return 0;
}

/* The length is what a mapping relies on: beyond the end of the file is SIGBUS. */
static bool has_length(int fd)
{
	return lseek(fd, 0, SEEK_END) == (off_t)LENGTH;
}

int backing_open(struct backing *backing, int fd, uint32_t block_size)
{
	bool is_new = fd < 0;
	int result;

	*backing = (struct backing){ .fd = is_new ? make_file() : fd };
	if (backing->fd < 0)
		return -ENOMEM;
	result = has_length(backing->fd) ? map_all(backing) : -EPROTO;
	if (!result && is_new)
		make_head(backing->head, block_size);
	else if (!result)
		result = check_head(backing->head, block_size);
	if (result)
		backing_close(backing);
	return result;
}

void backing_close(struct backing *backing)
{
	for (uint64_t i = 0; backing->tables && (i = backing_next_table(backing, i)) < TABLES; i++)
		if (backing->tables[i])
			munmap(backing->tables[i], TABLE_SPAN);
	if (backing->tables)
		munmap(backing->tables, TABLES * sizeof(*backing->tables));
	if (backing->head)
		munmap(backing->head, TABLES_AT);
	close(backing->fd);
}

unsigned char *backing_map_table(struct backing *backing, uint64_t index)
{
	unsigned char *table = map(backing->fd, TABLE_SPAN, TABLES_AT + index * TABLE_SPAN);

	if (!table || !backing_populate(table + TABLE_STATES, TABLE_SPAN - TABLE_STATES))
		return table;
	munmap(table, TABLE_SPAN);
	return NULL;
}

uint64_t backing_next_table(const struct backing *backing, uint64_t index)
{
	off_t at = lseek(backing->fd, (off_t)(TABLES_AT + index * TABLE_SPAN), SEEK_DATA);

	return at < 0 ? TABLES : ((uint64_t)at - TABLES_AT) / TABLE_SPAN;
}

int backing_populate(void *start, size_t length)
{
	uintptr_t machine_page = (uintptr_t)sysconf(_SC_PAGESIZE),
		  first = (uintptr_t)start & ~(machine_page - 1);
	int result;

	do
		result = madvise((void *)first, (uintptr_t)start + length - first, MADV_POPULATE_WRITE);
	while (result && errno == EINTR);
	return result ? -ENOSPC : 0;
}

static void punch(struct backing *backing, uint64_t at, uint64_t length)
{
	int result;

	do
		result = fallocate(backing->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)at,
				   (off_t)length);
	while (result && errno == EINTR);
}

void backing_punch(struct backing *backing, uint64_t index, uint64_t at, uint64_t length)
{
	punch(backing, TABLES_AT + index * TABLE_SPAN + at, length);
}

void backing_punch_journal(struct backing *backing)
{
	punch(backing, JOURNAL_AT, TABLES_AT - JOURNAL_AT);
}
