// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A handler that keeps commands, as a test wants it, so that its worker can be killed with them in its hands.
 *
 * The LUN's data is the file DIR/disk.  DIR/log gets one line for each operation as it arrives: its letter, block,
 * number of blocks, and 1 if it is a replay.  While DIR/keep holds an operation's letter that operation is never
 * completed; if the letter is followed by '+' it is carried out before.  What lies in its buffer is then spoilt,
 * since a handler may use it as it likes.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <scuse/handler.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BLOCK 512u

struct disk {
	int data;
	int log;
	int keep;
	uint64_t size;
};

static const struct scuse_param keeps_params[] = {
	{ .name = "dir", .help = "directory of disk, log and keep", .flags = SCUSE_PARAM_REQUIRED },
	{ .name = NULL },
};

static int keeps_file(const char *dir, const char *name, int flags)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return open(path, flags | O_CREAT | O_CLOEXEC, 0666);
}

static int keeps_open(struct scuse_dev *dev, const struct scuse_config *config, void **handle)
{
	struct disk *disk = calloc(1, sizeof(*disk));
	const char *dir = scuse_config_string(config, "dir");
	struct stat status;

	(void)dev;
	if (!disk || !dir)
		return -EINVAL;
	disk->data = keeps_file(dir, "disk", O_RDWR);
	disk->log = keeps_file(dir, "log", O_WRONLY | O_APPEND);
	disk->keep = keeps_file(dir, "keep", O_RDONLY);
	if (disk->data < 0 || disk->log < 0 || disk->keep < 0 || fstat(disk->data, &status))
		return -errno;
	disk->size = (uint64_t)status.st_size;
	*handle = disk;
	return 0;
}

static int keeps_probe(void *handle, struct scuse_caps *caps)
{
	struct disk *disk = handle;

	caps->device_size = disk->size;
	caps->replay_safe = 1;
	caps->flush = SCUSE_CAP_NONE;
	caps->sanitize = SCUSE_SANITIZES_OVERWRITE;
	return 0;
}

/* What to do with an operation: 0 complete it, '-' keep it, '+' carry it out and keep it. */
static int keeps_wish(struct disk *disk, const struct scuse_io *io, char letter, uint64_t length,
		      uint64_t offset)
{
	int replay = !!(scuse_io_flags(io) & SCUSE_IO_REPLAY);
	char letters[64] = "";
	const char *found;
	ssize_t count;

	dprintf(disk->log, "%c %llu %llu %d\n", letter, (unsigned long long)(offset / BLOCK),
		(unsigned long long)(length / BLOCK), replay);
	count = pread(disk->keep, letters, sizeof(letters) - 1, 0);
	found = count > 0 ? strchr(letters, letter) : NULL;
	if (!found)
		return 0;
	return found[1] == '+' ? '+' : '-';
}

static void keeps_end(struct scuse_io *io, int wish, const void *buffer, uint64_t length, bool good)
{
	if (!wish) {
		if (good)
			scuse_done(io);
		else
			scuse_fail(io, SCUSE_E_IO);
		return;
	}
	if (buffer)
		memset((void *)(uintptr_t)buffer, 0xee, length);
}

static void keeps_read(void *handle, struct scuse_io *io, void *buffer, uint64_t length, uint64_t offset)
{
	struct disk *disk = handle;
	int wish = keeps_wish(disk, io, 'R', length, offset);

	keeps_end(io, wish, buffer, length,
		  wish || pread(disk->data, buffer, length, (off_t)offset) == (ssize_t)length);
}

static void keeps_write(void *handle, struct scuse_io *io, const void *buffer, uint64_t length,
			uint64_t offset)
{
	struct disk *disk = handle;
	int wish = keeps_wish(disk, io, 'W', length, offset);
	bool good = true;

	if (wish != '-')
		good = pwrite(disk->data, buffer, length, (off_t)offset) == (ssize_t)length;
	keeps_end(io, wish, buffer, length, good);
}

static bool keeps_fill(struct disk *disk, const void *pattern, uint64_t size, uint64_t length,
		       uint64_t offset)
{
	char block[BLOCK];
	uint64_t at;

	for (at = 0; at < BLOCK; at += size)
		memcpy(block + at, pattern, size < BLOCK - at ? size : BLOCK - at);
	for (at = 0; at < length; at += BLOCK) {
		if (pwrite(disk->data, block, BLOCK, (off_t)(offset + at)) != BLOCK)
			return false;
	}
	return true;
}

static void keeps_unmap(void *handle, struct scuse_io *io, uint64_t length, uint64_t offset)
{
	struct disk *disk = handle;
	int wish = keeps_wish(disk, io, 'U', length, offset);

	keeps_end(io, wish, NULL, 0, wish == '-' || keeps_fill(disk, "", 1, length, offset));
}

static void keeps_write_same(void *handle, struct scuse_io *io, const void *pattern, uint64_t size,
			     uint64_t length, uint64_t offset)
{
	struct disk *disk = handle;
	int wish = keeps_wish(disk, io, 'S', length, offset);

	keeps_end(io, wish, pattern, size, wish == '-' || keeps_fill(disk, pattern, size, length, offset));
}

static void keeps_format(void *handle, struct scuse_io *io)
{
	struct disk *disk = handle;
	int wish = keeps_wish(disk, io, 'F', 0, 0);

	keeps_end(io, wish, NULL, 0, wish == '-' || keeps_fill(disk, "", 1, disk->size, 0));
}

static void keeps_sanitize(void *handle, struct scuse_io *io, uint32_t method, const void *pattern,
			   uint64_t size)
{
	struct disk *disk = handle;
	int wish = keeps_wish(disk, io, 'Z', 0, 0);

	(void)method;
	keeps_end(io, wish, pattern, size, wish == '-' || keeps_fill(disk, pattern, size, disk->size, 0));
}

static const struct scuse_async_ops keeps_ops = {
	.struct_size = SCUSE_OPS_HEADER(struct scuse_async_ops),
	.read = keeps_read,
	.write = keeps_write,
	.unmap = keeps_unmap,
	.write_same = keeps_write_same,
	.format = keeps_format,
	.sanitize = keeps_sanitize,
};

static struct scuse_handler keeps_handler = {
	.name = "keeps-commands",
	.version = "1",
	.description = "keeps commands, as a test wants it",
	.params = keeps_params,
	.async = &keeps_ops,
	.open = keeps_open,
	.probe = keeps_probe,
};
SCUSE_REGISTER_HANDLER(keeps_handler)
