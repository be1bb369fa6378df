// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The null handler: reads give zeros, writes are discarded.  For measuring what everything but storage
 * costs, and as the shortest example of a handler.  It keeps no state, so any number of commands may run at
 * a time.
 */
#include <errno.h>
#include <string.h>

#include <scuse/handler.h>

static int null_read(void *handle, struct scuse_io *io, void *buffer, uint64_t length, uint64_t offset)
{
	(void)handle;
	(void)io;
	(void)offset;
	memset(buffer, 0, length);
	return 0;
}

static int null_write(void *handle, struct scuse_io *io, const void *buffer, uint64_t length, uint64_t offset)
{
	(void)handle;
	(void)io;
	(void)buffer;
	(void)length;
	(void)offset;
	return 0;
}

/* Serves unmap and write_zeroes. */
static int null_discard(void *handle, struct scuse_io *io, uint64_t length, uint64_t offset)
{
	return null_write(handle, io, NULL, length, offset);
}

static int null_write_same(void *handle, struct scuse_io *io, const void *pattern, uint64_t pattern_length,
			   uint64_t length, uint64_t offset)
{
	(void)pattern_length;
	return null_write(handle, io, pattern, length, offset);
}

static int null_extents(void *handle, struct scuse_io *io, uint64_t length, uint64_t offset,
			struct scuse_extents *extents)
{
	(void)handle;
	(void)io;
	return scuse_extents_add(extents, offset, length, SCUSE_EXTENT_HOLE);
}

static int null_format(void *handle, struct scuse_io *io)
{
	return null_write(handle, io, NULL, 0, 0);
}

/* Nothing is kept, so nothing can be got back.  Only a pattern, which OVERWRITE leaves, is beyond it. */
static int null_sanitize(void *handle, struct scuse_io *io, uint32_t method, const void *pattern,
			 uint64_t pattern_length)
{
	(void)method;
	return null_write(handle, io, pattern, pattern_length, 0);
}

static int null_validate(const struct scuse_config *config)
{
	if (scuse_config_device_size(config))
		return 0;
	scuse_error("a null LUN needs a size: add --size, for example --size 1G");
	return -EINVAL;
}

static int null_open(struct scuse_dev *dev, const struct scuse_config *config, void **handle)
{
	(void)dev;
	(void)config;
	*handle = NULL;
	return 0;
}

static int null_probe(void *handle, struct scuse_caps *caps)
{
	(void)handle;
	caps->unmap_zeroes = SCUSE_CAP_NATIVE;
	caps->replay_safe = 1;
	caps->sanitize = SCUSE_SANITIZES_BLOCK | SCUSE_SANITIZES_CRYPTO;
	return 0;
}

static int null_resize(void *handle, uint64_t size)
{
	(void)handle;
	(void)size;
	return 0;
}

static const struct scuse_sync_ops null_ops = {
	.struct_size = SCUSE_OPS_HEADER(struct scuse_sync_ops),
	.read = null_read,
	.write = null_write,
	.unmap = null_discard,
	.write_zeroes = null_discard,
	.write_same = null_write_same,
	.extents = null_extents,
	.format = null_format,
	.sanitize = null_sanitize,
};

static struct scuse_handler null_handler = {
	.name = "null",
	.version = "1.0",
	.description = "reads give zeros, writes are discarded",
	.flags = SCUSE_HANDLER_INLINE,
	.thread_model = SCUSE_THREADS_PARALLEL,
	.sync = &null_ops,
	.validate = null_validate,
	.open = null_open,
	.probe = null_probe,
	.resize = null_resize,
};

SCUSE_REGISTER_HANDLER(null_handler)
