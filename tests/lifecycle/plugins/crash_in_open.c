// SPDX-License-Identifier: LGPL-2.1-or-later
/* A handler that dies of a null pointer in open. */
#include <scuse/handler.h>

static int crash_open(struct scuse_dev *dev, const struct scuse_config *config, void **handle)
{
	volatile int *nowhere = NULL;

	(void)dev;
	(void)config;
	*handle = NULL;
	return *nowhere;
}

static int crash_read(void *handle, struct scuse_io *io, void *buffer, uint64_t length, uint64_t offset)
{
	(void)handle;
	(void)io;
	(void)buffer;
	(void)length;
	(void)offset;
	return 0;
}

static const struct scuse_sync_ops crash_ops = {
	.struct_size = SCUSE_OPS_HEADER(struct scuse_sync_ops),
	.read = crash_read,
};

static struct scuse_handler crash_handler = {
	.name = "crash-in-open",
	.version = "1",
	.description = "dies of a null pointer in open",
	.sync = &crash_ops,
	.open = crash_open,
};
SCUSE_REGISTER_HANDLER(crash_handler)
