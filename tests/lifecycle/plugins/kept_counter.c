// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A handler that has a memfd kept, in which each worker counts itself: the LUN's first bytes read as the count
 * and the build, "3 2\n".  BUILD is a string.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <scuse/handler.h>

static char text[512];

static int counter_open(struct scuse_dev *dev, const struct scuse_config *config, void **handle)
{
	int fd = scuse_dev_kept(dev);
	int count = 0;

	(void)config;
	if (fd < 0) {
		fd = memfd_create("counter", MFD_CLOEXEC);
		if (fd < 0 || scuse_dev_keep(dev, fd))
			return -1;
	}
	if (pread(fd, &count, sizeof(count), 0) < 0)
		return -1;
	count++;
	if (pwrite(fd, &count, sizeof(count), 0) < 0)
		return -1;
	close(fd);
	snprintf(text, sizeof(text), "%d %s\n", count, BUILD);
	*handle = text;
	return 0;
}

static int counter_read(void *handle, struct scuse_io *io, void *buffer, uint64_t length, uint64_t offset)
{
	(void)io;
	memset(buffer, 0, length);
	if (!offset)
		memcpy(buffer, handle, length < sizeof(text) ? length : sizeof(text));
	return 0;
}

static const struct scuse_sync_ops ops = {
	.struct_size = SCUSE_OPS_HEADER(struct scuse_sync_ops),
	.read = counter_read,
};

static struct scuse_handler handler = {
	.name = "kept-counter",
	.version = BUILD,
	.description = "counts its workers",
	.sync = &ops,
	.open = counter_open,
};
SCUSE_REGISTER_HANDLER(handler)
