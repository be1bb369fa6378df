// SPDX-License-Identifier: LGPL-2.1-or-later
/* A handler that takes six seconds to open: time enough for the supervisor to be killed meanwhile. */
#include <string.h>
#include <unistd.h>

#include <scuse/handler.h>

static int slow_open(struct scuse_dev *dev, const struct scuse_config *config, void **handle)
{
	(void)config;
	*handle = dev;
	sleep(6);
	return 0;
}

static int zeros(void *handle, struct scuse_io *io, void *buffer, uint64_t length, uint64_t offset)
{
	(void)handle;
	(void)io;
	(void)offset;
	memset(buffer, 0, length);
	return 0;
}

static const struct scuse_sync_ops ops = {
	.struct_size = SCUSE_OPS_HEADER(struct scuse_sync_ops),
	.read = zeros,
};

static struct scuse_handler handler = {
	.name = "slow-open",
	.version = "1",
	.description = "opens slowly",
	.sync = &ops,
	.open = slow_open,
};
SCUSE_REGISTER_HANDLER(handler)
