// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A handler that keeps its LUN in memory and misbehaves in one function, in one way, once there is a file of the name
 * `trigger` (or at once, without one).  What it does there:
 *
 *	crash	     a write through a null pointer
 *	abort
 *	exit	     the whole process, with status 7
 *	hang	     sleeps for ever
 *	spin	     uses a CPU for ever
 *	leak	     allocates and touches memory until it is killed, or 256 MiB are used; then it goes on well
 *	fork	     children that outlive the worker by some seconds; goes on well
 *	close	     all descriptors of the process; goes on well, if it can
 *	fail	     returns an error
 *	never	     (async) the command is not completed
 *	twice	     (async) the command is completed twice
 */
#include <scuse/handler.h>

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LEAK_MOST (256u << 20) /* bytes */

static const struct scuse_param params[] = {
	{ .name = "when",
	  .type = SCUSE_PARAM_STRING,
	  .flags = SCUSE_PARAM_REQUIRED,
	  .help = "function that misbehaves" },
	{ .name = "how", .type = SCUSE_PARAM_STRING, .flags = SCUSE_PARAM_REQUIRED, .help = "what it does" },
	{ .name = "trigger", .type = SCUSE_PARAM_PATH, .help = "file without which nothing happens" },
	{ .name = NULL },
};

/* One LUN a process. */
static struct lun {
	const char *when, *how, *trigger;
	unsigned char *data;
	uint64_t size;
} lun;

static volatile int *volatile nowhere;

static void leak(void)
{
	for (size_t bytes = 0; bytes < LEAK_MOST; bytes += 1 << 20) {
		unsigned char *piece = malloc(1 << 20);

		if (!piece)
			return;
		memset(piece, 1, 1 << 20);
	}
}

static void leave_children(void)
{
	for (int i = 0; i < 4; i++) {
		if (fork() == 0) {
			sleep(3);
			_exit(0);
		}
	}
}

static int is_due(const char *function)
{
	return lun.when && !strcmp(lun.when, function) && (!lun.trigger || access(lun.trigger, F_OK) == 0);
}

/* 0, or what the function is to return. */
static int misbehave(const char *function)
{
	const char *how = lun.how;

	if (!is_due(function))
		return 0;
	if (!strcmp(how, "crash")) {
		*nowhere = 1;
	} else if (!strcmp(how, "abort")) {
		abort();
	} else if (!strcmp(how, "exit")) {
		exit(7);
	} else if (!strcmp(how, "hang")) {
		for (;;)
			pause();
	} else if (!strcmp(how, "spin")) {
		for (;;)
			__asm__ volatile("pause");
	} else if (!strcmp(how, "leak")) {
		leak();
	} else if (!strcmp(how, "fork")) {
		leave_children();
	} else if (!strcmp(how, "close")) {
		close_range(0, ~0u, 0);
	} else if (!strcmp(how, "fail")) {
		scuse_error("%s fails, as it was told to", function);
		return -EIO;
	}
	return 0;
}

static int rogue_validate(const struct scuse_config *config)
{
	lun.when = scuse_config_string(config, "when");
	lun.how = scuse_config_string(config, "how");
	lun.trigger = scuse_config_string(config, "trigger");
	return misbehave("validate");
}

static int rogue_open(struct scuse_dev *dev, const struct scuse_config *config, void **handle)
{
	(void)dev;
	lun.when = scuse_config_string(config, "when");
	lun.how = scuse_config_string(config, "how");
	lun.trigger = scuse_config_string(config, "trigger");
	lun.size = scuse_config_device_size(config);
	lun.data = calloc(1, lun.size);
	*handle = &lun;
	return lun.data ? misbehave("open") : -ENOMEM;
}

static int rogue_probe(void *handle, struct scuse_caps *caps)
{
	(void)handle;
	caps->replay_safe = 1;
	return misbehave("probe");
}

static int rogue_start(void *handle)
{
	(void)handle;
	return misbehave("start");
}

static void rogue_stop(void *handle)
{
	(void)handle;
	misbehave("stop");
}

static void rogue_close(void *handle)
{
	(void)handle;
	misbehave("close");
}

static int rogue_resize(void *handle, uint64_t size)
{
	(void)handle;
	if (size > lun.size)
		return -ENOSPC;
	return misbehave("resize");
}

static void rogue_cancel(void *handle, struct scuse_io *io)
{
	(void)handle;
	(void)io;
	misbehave("cancel");
}

static void rogue_reset(void *handle)
{
	(void)handle;
	misbehave("reset");
}

/* ---- commands: the same of both kinds, but for how they end ---- */

static int rogue_read(void *handle, struct scuse_io *io, void *buffer, uint64_t length, uint64_t offset)
{
	(void)handle;
	(void)io;
	memcpy(buffer, lun.data + offset, length);
	return misbehave("read");
}

static int rogue_write(void *handle, struct scuse_io *io, const void *buffer, uint64_t length,
		       uint64_t offset)
{
	(void)handle;
	(void)io;
	memcpy(lun.data + offset, buffer, length);
	return misbehave("write");
}

static int rogue_flush(void *handle, struct scuse_io *io)
{
	(void)handle;
	(void)io;
	return misbehave("flush");
}

static int rogue_unmap(void *handle, struct scuse_io *io, uint64_t length, uint64_t offset)
{
	(void)handle;
	(void)io;
	memset(lun.data + offset, 0, length);
	return misbehave("unmap");
}

#ifdef ROGUE_ASYNC

static void finish(struct scuse_io *io, int error, const char *function)
{
	if (is_due(function) && !strcmp(lun.how, "never"))
		return;
	if (error)
		scuse_fail_errno(io, error);
	else
		scuse_done(io);
	if (is_due(function) && !strcmp(lun.how, "twice"))
		scuse_done(io);
}

static void async_read(void *handle, struct scuse_io *io, void *buffer, uint64_t length, uint64_t offset)
{
	finish(io, rogue_read(handle, io, buffer, length, offset), "read");
}

static void async_write(void *handle, struct scuse_io *io, const void *buffer, uint64_t length,
			uint64_t offset)
{
	finish(io, rogue_write(handle, io, buffer, length, offset), "write");
}

static void async_flush(void *handle, struct scuse_io *io)
{
	finish(io, rogue_flush(handle, io), "flush");
}

static void async_unmap(void *handle, struct scuse_io *io, uint64_t length, uint64_t offset)
{
	finish(io, rogue_unmap(handle, io, length, offset), "unmap");
}

static int rogue_queue_open(void *handle, uint32_t queue, uint32_t depth, void **context)
{
	(void)handle;
	(void)queue;
	(void)depth;
	*context = NULL;
	return misbehave("queue_open");
}

static void rogue_queue_submit(void *handle, void *context)
{
	(void)handle;
	(void)context;
	misbehave("queue_submit");
}

static void rogue_queue_close(void *handle, void *context)
{
	(void)handle;
	(void)context;
	misbehave("queue_close");
}

static const struct scuse_async_ops ops = {
	.struct_size = SCUSE_OPS_HEADER(struct scuse_async_ops),
	.read = async_read,
	.write = async_write,
	.flush = async_flush,
	.unmap = async_unmap,
	.queue_open = rogue_queue_open,
	.queue_submit = rogue_queue_submit,
	.queue_close = rogue_queue_close,
};

#else

static const struct scuse_sync_ops ops = {
	.struct_size = SCUSE_OPS_HEADER(struct scuse_sync_ops),
	.read = rogue_read,
	.write = rogue_write,
	.flush = rogue_flush,
	.unmap = rogue_unmap,
};

#endif

static struct scuse_handler handler = {
#ifdef ROGUE_ASYNC
	.name = "rogue-async",
	.async = &ops,
#else
	.name = "rogue",
	.sync = &ops,
	.thread_model = SCUSE_THREADS_PARALLEL,
#endif
	.version = "1",
	.description = "misbehaves when it is told to",
	.params = params,
	.needs = SCUSE_NEEDS_PROCESSES | SCUSE_NEEDS_FILES,
	.validate = rogue_validate,
	.open = rogue_open,
	.probe = rogue_probe,
	.start = rogue_start,
	.stop = rogue_stop,
	.close = rogue_close,
	.resize = rogue_resize,
	.cancel = rogue_cancel,
	.reset = rogue_reset,
};
SCUSE_REGISTER_HANDLER(handler)
