// SPDX-License-Identifier: LGPL-2.1-or-later
/* A handler whose reads never return once the LUN is past its first megabyte. */
#include <scuse/handler.h>
#include <string.h>
#include <unistd.h>

static int hang_open(struct scuse_dev *dev, const struct scuse_config *config, void **handle)
{
	(void)dev;
	(void)config;
	*handle = NULL;
	return 0;
}

static int hang_read(void *handle, struct scuse_io *io, void *buffer, uint64_t length, uint64_t offset)
{
	(void)handle;
	(void)io;
	while (offset >= 1 << 20)
		pause();
	memset(buffer, 0, length);
	return 0;
}

static const struct scuse_sync_ops hang_ops = {
	.struct_size = SCUSE_OPS_HEADER(struct scuse_sync_ops),
	.read = hang_read,
};

static struct scuse_handler hang_handler = {
	.name = "hang-in-read",
	.version = "1",
	.description = "reads beyond 1 MiB never return",
	.sync = &hang_ops,
	.open = hang_open,
};
SCUSE_REGISTER_HANDLER(hang_handler)
