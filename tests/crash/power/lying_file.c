// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The file handler, but it lies: FUA is ignored, and SYNCHRONIZE CACHE succeeds without having done anything.
 * power.test has to find out.  Built with the handler's other files.
 */
#define scuse_handler_register honest_handler_register
#include "file.c"
#undef scuse_handler_register

static struct scuse_async_ops lying_ops;

static void lying_write(void *handle, struct scuse_io *io, const void *buffer, uint64_t length, uint64_t offset)
{
	start(handle, io,
	      (struct request){
		      .op = REQUEST_WRITE, .buffer = (char *)buffer, .length = length, .offset = offset });
}

static void lying_flush(void *handle, struct scuse_io *io)
{
	(void)handle;
	scuse_done(io);
}

SCUSE_EXPORT const struct scuse_handler *scuse_handler_register(void);
SCUSE_EXPORT const struct scuse_handler *scuse_handler_register(void)
{
	honest_handler_register();
	lying_ops = file_ops;
	lying_ops.write = lying_write;
	lying_ops.flush = lying_flush;
	file_handler.name = "lying-file";
	file_handler.async = &lying_ops;
	return &file_handler;
}
