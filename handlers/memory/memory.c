// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The memory handler: a thin disk in the worker's memory.  What was never written, or was unmapped, takes
 * no memory and reads as zeros.  The contents are gone when the LUN goes offline.
 *
 * STORAGE	A directory of tables of pages, both made when first needed:
 *
 *		    directory --> table --> page (64 KiB)	pages that are not there: zeros
 *		   (1 PiB's worth,   (4096 pages,
 *		    reserved address  256 MiB)
 *		    space)
 *
 * LOCKING	Operations come on several threads at once.  Tables are put into the directory by
 *		compare-and-swap and stay until close.  A page's pointer and its contents are covered by one
 *		of 64 read-write locks, chosen by the page's number, which is held for one page at a time.
 */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <scuse/handler.h>

#define PAGE	    65536u /* bytes */
#define TABLE	    4096u  /* pages of a table */
#define TABLE_BYTES ((uint64_t)PAGE * TABLE)
#define MAX_SIZE    ((uint64_t)1 << 50)
#define DIRECTORY   (MAX_SIZE / TABLE_BYTES)
#define LOCKS	    64u

struct table {
	unsigned char *pages[TABLE];
};

struct memory {
	struct table **directory; /* DIRECTORY entries */
	uint64_t size;		  /* bytes; main thread */
	uint64_t largest;	  /* that it ever had: tables lie below */
	pthread_rwlock_t locks[LOCKS];
};

/* Part of a request that lies within one page. */
struct piece {
	uint64_t number; /* of the page */
	size_t within;	 /* bytes from its start */
	size_t length;
};

static struct piece first_piece(uint64_t offset, uint64_t length)
{
	size_t within = offset % PAGE;

	return (struct piece){ offset / PAGE, within, length < PAGE - within ? length : PAGE - within };
}

static pthread_rwlock_t *lock_of(struct memory *memory, uint64_t number)
{
	return &memory->locks[number % LOCKS];
}

static struct table *find_table(struct memory *memory, uint64_t number)
{
	return __atomic_load_n(&memory->directory[number / TABLE], __ATOMIC_ACQUIRE);
}

static struct table *make_table(struct memory *memory, uint64_t number)
{
	struct table *table = find_table(memory, number), *expected = NULL;

	if (table)
		return table;
	table = calloc(1, sizeof(*table));
	if (!table || __atomic_compare_exchange_n(&memory->directory[number / TABLE], &expected, table, 0,
						  __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
		return table;
	free(table); /* another thread was faster */
	return expected;
}

/* With the page's lock held.  NULL: there is no such page. */
static unsigned char *find_page(struct memory *memory, uint64_t number)
{
	struct table *table = find_table(memory, number);

	return table ? table->pages[number % TABLE] : NULL;
}

/* With the page's lock held for writing.  `whole`: all of it will be written. */
static unsigned char *make_page(struct memory *memory, uint64_t number, int whole)
{
	struct table *table = make_table(memory, number);
	unsigned char **page;

	if (!table)
		return NULL;
	page = &table->pages[number % TABLE];
	if (!*page)
		*page = whole ? malloc(PAGE) : calloc(1, PAGE);
	return *page;
}

/* ---- operations ---- */

static int memory_read(void *handle, struct scuse_io *io, void *buffer, uint64_t length, uint64_t offset)
{
	struct memory *memory = handle;
	unsigned char *to = buffer;

	(void)io;
	while (length) {
		struct piece piece = first_piece(offset, length);
		const unsigned char *page;

		pthread_rwlock_rdlock(lock_of(memory, piece.number));
		page = find_page(memory, piece.number);
		if (page)
			memcpy(to, page + piece.within, piece.length);
		else
			memset(to, 0, piece.length);
		pthread_rwlock_unlock(lock_of(memory, piece.number));
		to += piece.length;
		offset += piece.length;
		length -= piece.length;
	}
	return 0;
}

/* Writes what is at `from`; if `block` is not 0, the `block` bytes there again and again. */
static int store(struct memory *memory, const unsigned char *from, size_t block, uint64_t length,
		 uint64_t offset)
{
	while (length) {
		struct piece piece = first_piece(offset, length);
		unsigned char *page;

		pthread_rwlock_wrlock(lock_of(memory, piece.number));
		page = make_page(memory, piece.number, piece.length == PAGE);
		if (page && !block)
			memcpy(page + piece.within, from, piece.length);
		for (size_t done = 0; page && block && done < piece.length; done += block)
			memcpy(page + piece.within + done, from, block);
		pthread_rwlock_unlock(lock_of(memory, piece.number));
		if (!page)
			return -ENOSPC;
		if (!block)
			from += piece.length;
		offset += piece.length;
		length -= piece.length;
	}
	return 0;
}

static int memory_write(void *handle, struct scuse_io *io, const void *buffer, uint64_t length,
			uint64_t offset)
{
	(void)io;
	return store(handle, buffer, 0, length, offset);
}

static int memory_write_same(void *handle, struct scuse_io *io, const void *pattern, uint64_t pattern_length,
			     uint64_t length, uint64_t offset)
{
	(void)io;
	return store(handle, pattern, pattern_length, length, offset);
}

/* Blocks are at most 4096 bytes and aligned, so a piece always holds whole blocks. */
static int memory_unmap(void *handle, struct scuse_io *io, uint64_t length, uint64_t offset)
{
	struct memory *memory = handle;

	(void)io;
	while (length) {
		struct piece piece = first_piece(offset, length);
		struct table *table = find_table(memory, piece.number);

		if (!table) {
			/* Nothing was ever written here: go on with the next table. */
			uint64_t rest = TABLE_BYTES - offset % TABLE_BYTES;

			rest = rest < length ? rest : length;
			offset += rest;
			length -= rest;
			continue;
		}
		pthread_rwlock_wrlock(lock_of(memory, piece.number));
		if (piece.length == PAGE) {
			free(table->pages[piece.number % TABLE]);
			table->pages[piece.number % TABLE] = NULL;
		} else if (table->pages[piece.number % TABLE]) {
			memset(table->pages[piece.number % TABLE] + piece.within, 0, piece.length);
		}
		pthread_rwlock_unlock(lock_of(memory, piece.number));
		offset += piece.length;
		length -= piece.length;
	}
	return 0;
}

static int memory_extents(void *handle, struct scuse_io *io, uint64_t length, uint64_t offset,
			  struct scuse_extents *extents)
{
	struct memory *memory = handle;
	int result = 0;

	(void)io;
	while (length && !result) {
		struct piece piece = first_piece(offset, length);
		int there;

		pthread_rwlock_rdlock(lock_of(memory, piece.number));
		there = find_page(memory, piece.number) != NULL;
		pthread_rwlock_unlock(lock_of(memory, piece.number));
		result = scuse_extents_add(extents, offset, piece.length,
					   there ? SCUSE_EXTENT_MAPPED : SCUSE_EXTENT_HOLE);
		offset += piece.length;
		length -= piece.length;
	}
	return result;
}

/* ---- the LUN ---- */

static int check_size(uint64_t size)
{
	if (size <= MAX_SIZE)
		return 0;
	scuse_error("a memory LUN has at most 1 PiB");
	return -EFBIG;
}

static int memory_validate(const struct scuse_config *config)
{
	if (scuse_config_device_size(config))
		return check_size(scuse_config_device_size(config));
	scuse_error("a memory LUN needs a size: add --size, for example --size 1G");
	return -EINVAL;
}

static int memory_open(struct scuse_dev *dev, const struct scuse_config *config, void **handle)
{
	struct memory *memory = calloc(1, sizeof(*memory));
	void *directory;

	(void)dev;
	if (!memory)
		return -ENOMEM;
	directory = mmap(NULL, DIRECTORY * sizeof(struct table *), PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (directory == MAP_FAILED) {
		free(memory);
		return -ENOMEM;
	}
	memory->directory = directory;
	memory->size = memory->largest = scuse_config_device_size(config);
	for (unsigned int i = 0; i < LOCKS; i++)
		pthread_rwlock_init(&memory->locks[i], NULL);
	*handle = memory;
	return 0;
}

static int memory_probe(void *handle, struct scuse_caps *caps)
{
	(void)handle;
	caps->unmap_zeroes = SCUSE_CAP_NATIVE;
	caps->unmap_granularity = PAGE;
	caps->replay_safe = 1;
	return 0;
}

/* What a shrunk LUN loses must not come back when it grows again. */
static int memory_resize(void *handle, uint64_t size)
{
	struct memory *memory = handle;
	int result = check_size(size);

	if (result)
		return result;
	if (size < memory->size)
		memory_unmap(memory, NULL, memory->size - size, size);
	memory->size = size;
	if (size > memory->largest)
		memory->largest = size;
	return 0;
}

static void memory_close(void *handle)
{
	struct memory *memory = handle;

	for (uint64_t i = 0; i * TABLE_BYTES < memory->largest; i++) {
		for (unsigned int j = 0; memory->directory[i] && j < TABLE; j++)
			free(memory->directory[i]->pages[j]);
		free(memory->directory[i]);
	}
	for (unsigned int i = 0; i < LOCKS; i++)
		pthread_rwlock_destroy(&memory->locks[i]);
	munmap(memory->directory, DIRECTORY * sizeof(struct table *));
	free(memory);
}

static const struct scuse_sync_ops memory_ops = {
	.struct_size = SCUSE_OPS_HEADER(struct scuse_sync_ops),
	.read = memory_read,
	.write = memory_write,
	.unmap = memory_unmap,
	.write_zeroes = memory_unmap,
	.write_same = memory_write_same,
	.extents = memory_extents,
};

static struct scuse_handler memory_handler = {
	.name = "memory",
	.version = "1.0",
	.description = "thin disk in memory; its contents last as long as the LUN is online",
	.flags = SCUSE_HANDLER_INLINE,
	.thread_model = SCUSE_THREADS_PARALLEL,
	.sync = &memory_ops,
	.validate = memory_validate,
	.open = memory_open,
	.probe = memory_probe,
	.resize = memory_resize,
	.close = memory_close,
};

SCUSE_REGISTER_HANDLER(memory_handler)
