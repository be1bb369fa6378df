// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A handler on a file that misbehaves when it is told to: by the first byte of what is written.
 *
 *	N	never answers
 *	S	spins, and never answers
 *	L	answers late, after two seconds, when it has written the data
 *	O	never answers the first time (PATH.once is made), and does as it should from then on
 *	T	never answers, but writes that old data to the file, and to the slot, again and again
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <scuse/handler.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int backing = -1;
static char once[PATH_MAX];

static const struct scuse_param stubborn_params[] = {
	{ .name = "path", .type = SCUSE_PARAM_PATH, .flags = SCUSE_PARAM_REQUIRED, .help = "the file" },
	{ .name = NULL },
};

static int stubborn_open(struct scuse_dev *dev, const struct scuse_config *config, void **handle)
{
	const char *path = scuse_config_string(config, "path");

	(void)dev;
	*handle = NULL;
	snprintf(once, sizeof(once), "%s.once", path);
	backing = open(path, O_RDWR | O_CLOEXEC);
	return backing < 0 ? -errno : 0;
}

static int store(const void *buffer, uint64_t length, uint64_t offset)
{
	return pwrite(backing, buffer, length, (off_t)offset) == (ssize_t)length ? 0 : -EIO;
}

static int stubborn_read(void *handle, struct scuse_io *io, void *buffer, uint64_t length, uint64_t offset)
{
	(void)handle;
	(void)io;
	return pread(backing, buffer, length, (off_t)offset) == (ssize_t)length ? 0 : -EIO;
}

static void never(void)
{
	for (;;)
		pause();
}

static void spin(void)
{
	volatile unsigned long turns = 0;

	for (;;)
		turns++;
}

/* The data lies in the slot, which userspace may write to: a const pointer does not stop who wants to harm. */
static void insist(void *slot, uint64_t length, uint64_t offset)
{
	static unsigned char old[1 << 20];

	memcpy(old, slot, length);
	for (;;) {
		store(old, length, offset);
		memset(slot, 'X', length);
	}
}

static int stubborn_write(void *handle, struct scuse_io *io, const void *buffer, uint64_t length,
			  uint64_t offset)
{
	int marker;

	(void)handle;
	(void)io;
	switch (*(const char *)buffer) {
	case 'N':
		never();
		break;
	case 'S':
		spin();
		break;
	case 'L':
		sleep(2);
		break;
	case 'O':
		marker = open(once, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0600);
		if (marker >= 0)
			never();
		break;
	case 'T':
		insist((void *)(uintptr_t)buffer, length, offset);
		break;
	default:
		break;
	}
	return store(buffer, length, offset);
}

static const struct scuse_sync_ops stubborn_ops = {
	.struct_size = SCUSE_OPS_HEADER(struct scuse_sync_ops),
	.read = stubborn_read,
	.write = stubborn_write,
};

static struct scuse_handler stubborn_handler = {
	.name = "stubborn",
	.version = "1",
	.description = "does not answer what it is told not to",
	.params = stubborn_params,
	.sync = &stubborn_ops,
	.open = stubborn_open,
	.needs = SCUSE_NEEDS_FILES,
};
SCUSE_REGISTER_HANDLER(stubborn_handler)
