// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The file handler: a LUN in a regular file (sparse; UNMAP makes holes) or on a block device.
 *
 * Asynchronous: each queue has an io_uring of its own (ring.c), so commands of any number are in flight at
 * a time, and a batch of them goes down in one system call.  The file itself is target.c's.
 */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "file.h"

static const struct scuse_param file_params[] = {
	{ .name = "path",
	  .type = SCUSE_PARAM_PATH,
	  .flags = SCUSE_PARAM_REQUIRED,
	  .help = "the regular file or block device that holds the LUN's data" },
	{ .name = "create",
	  .type = SCUSE_PARAM_BOOL,
	  .default_value = "false",
	  .help = "make a sparse file of the LUN's size if there is no file" },
	{ .name = "direct",
	  .type = SCUSE_PARAM_BOOL,
	  .default_value = "false",
	  .help = "bypass the page cache (O_DIRECT)" },
	{ .name = "sync",
	  .type = SCUSE_PARAM_BOOL,
	  .default_value = "false",
	  .help = "make each write durable before it completes (O_DSYNC)" },
	{ .name = "readonly",
	  .type = SCUSE_PARAM_BOOL,
	  .default_value = "false",
	  .help = "serve a write-protected LUN; several may then share the file" },
	{ .name = NULL },
};

static void start(void *handle, struct scuse_io *io, struct request request)
{
	struct request *own = scuse_io_private(io);

	(void)handle;
	request.io = io;
	*own = request;
	file_ring_start(scuse_io_queue_context(io), own);
}

/* ---- operations ---- */

static void file_read(void *handle, struct scuse_io *io, void *buffer, uint64_t length, uint64_t offset)
{
	start(handle, io,
	      (struct request){ .op = REQUEST_READ, .buffer = buffer, .length = length, .offset = offset });
}

static void file_write(void *handle, struct scuse_io *io, const void *buffer, uint64_t length,
		       uint64_t offset)
{
	start(handle, io,
	      (struct request){ .op = REQUEST_WRITE,
				.durable = scuse_io_flags(io) & SCUSE_IO_FUA,
				.buffer = (char *)buffer,
				.length = length,
				.offset = offset });
}

static void file_flush(void *handle, struct scuse_io *io)
{
	start(handle, io, (struct request){ .op = REQUEST_FLUSH });
}

static void file_unmap(void *handle, struct scuse_io *io, uint64_t length, uint64_t offset)
{
	start(handle, io, (struct request){ .op = REQUEST_PUNCH, .length = length, .offset = offset });
}

static void file_write_zeroes(void *handle, struct scuse_io *io, uint64_t length, uint64_t offset)
{
	struct target *target = handle;
	bool punch = scuse_io_flags(io) & SCUSE_IO_UNMAP && target->can_punch;

	start(handle, io,
	      (struct request){
		      .op = punch ? REQUEST_PUNCH : REQUEST_ZERO, .length = length, .offset = offset });
}

/* Quick enough for the queue's thread: it only asks the file system's maps. */
static void file_extents(void *handle, struct scuse_io *io, uint64_t length, uint64_t offset,
			 struct scuse_extents *extents)
{
	int result = target_extents(handle, length, offset, extents);

	if (result)
		scuse_fail_errno(io, result);
	else
		scuse_done(io);
}

/* ---- queues ---- */

static int file_queue_open(void *handle, uint32_t queue, uint32_t depth, void **context)
{
	struct file_ring *ring = NULL;
	int result = file_ring_open(handle, depth, &ring);

	(void)queue;
	*context = ring;
	return result;
}

static void file_queue_submit(void *handle, void *context)
{
	(void)handle;
	file_ring_submit(context);
}

static int file_queue_fd(void *handle, void *context)
{
	(void)handle;
	return file_ring_fd(context);
}

static void file_queue_reap(void *handle, void *context)
{
	(void)handle;
	file_ring_reap(context);
}

static void file_queue_close(void *handle, void *context)
{
	(void)handle;
	file_ring_close(context);
}

/* ---- the LUN ---- */

static int file_validate(const struct scuse_config *config)
{
	if (scuse_config_bool(config, "create") && scuse_config_bool(config, "readonly")) {
		scuse_error("create=true and readonly=true exclude each other: a new file that cannot be "
			    "written is of no use");
		return -EINVAL;
	}
	if (access(scuse_config_string(config, "path"), F_OK) == 0)
		return 0;
	if (!scuse_config_bool(config, "create")) {
		scuse_error("%s does not exist: create=true (with a size) makes it",
			    scuse_config_string(config, "path"));
		return -ENOENT;
	}
	if (scuse_config_device_size(config))
		return 0;
	scuse_error("%s is to be created, so its size must be given: add --size",
		    scuse_config_string(config, "path"));
	return -EINVAL;
}

static int file_open(struct scuse_dev *dev, const struct scuse_config *config, void **handle)
{
	struct target *target = malloc(sizeof(*target));
	int result;

	(void)dev;
	if (!target)
		return -ENOMEM;
	result = target_open(target, config);
	if (result)
		free(target);
	else
		*handle = target;
	return result;
}

static int file_probe(void *handle, struct scuse_caps *caps)
{
	const struct target *target = handle;

	caps->read_only = target->read_only;
	caps->device_size = target_size(target);
	caps->fua = SCUSE_CAP_NATIVE;
	caps->unmap = target->can_punch ? SCUSE_CAP_NATIVE : SCUSE_CAP_NONE;
	caps->unmap_zeroes = target->can_punch ? SCUSE_CAP_NATIVE : SCUSE_CAP_NONE;
	caps->write_zeroes = target->can_punch ? SCUSE_CAP_NATIVE : SCUSE_CAP_EMULATE;
	caps->rotational = target->rotational;
	caps->replay_safe = 1;
	caps->physical_block_size = target->physical_block;
	caps->unmap_granularity = target->granularity;
	return 0;
}

static int file_resize(void *handle, uint64_t size)
{
	return target_resize(handle, size);
}

static void file_close(void *handle)
{
	target_close(handle);
	free(handle);
}

static const struct scuse_async_ops file_ops = {
	.struct_size = SCUSE_OPS_HEADER(struct scuse_async_ops),
	.read = file_read,
	.write = file_write,
	.flush = file_flush,
	.unmap = file_unmap,
	.write_zeroes = file_write_zeroes,
	.extents = file_extents,
	.queue_open = file_queue_open,
	.queue_submit = file_queue_submit,
	.queue_fd = file_queue_fd,
	.queue_reap = file_queue_reap,
	.queue_close = file_queue_close,
};

static struct scuse_handler file_handler = {
	.name = "file",
	.version = "1.0",
	.description = "a regular file or a block device",
	.params = file_params,
	.magic_param = "path",
	.thread_model = SCUSE_THREADS_QUEUE_AFFINE,
	.io_private_size = sizeof(struct request),
	.async = &file_ops,
	.validate = file_validate,
	.open = file_open,
	.probe = file_probe,
	.resize = file_resize,
	.close = file_close,
};

SCUSE_REGISTER_HANDLER(file_handler)
