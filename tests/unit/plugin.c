// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A plugin for the loader's tests, compiled several times with another PLUGIN_* defined: each variant
 * breaks one rule of scuse/handler.h, but for "good", "short", "minor" and "old-ops", which are to be taken.
 */
#include <stdlib.h>
#include <unistd.h>

#include <scuse/handler.h>

static int plugin_open(struct scuse_dev *dev, const struct scuse_config *config, void **handle)
{
	(void)config;
	(void)dev;
	*handle = NULL;
#ifdef PLUGIN_crash_open
	abort();
#endif
#ifdef PLUGIN_hang_open
	for (;;)
		pause();
#endif
	return 0;
}

static int plugin_read(void *handle, struct scuse_io *io, void *buffer, uint64_t length, uint64_t offset)
{
	(void)handle;
	(void)io;
	(void)buffer;
	(void)length;
	(void)offset;
	return 0;
}

static void plugin_async_read(void *handle, struct scuse_io *io, void *buffer, uint64_t length,
			      uint64_t offset)
{
	plugin_read(handle, io, buffer, length, offset);
	scuse_done(io);
}

#ifdef PLUGIN_load_fails
static int plugin_load(void)
{
	scuse_error("the licence has expired");
	return -1;
}
#endif

#ifdef PLUGIN_crash_load
static int plugin_load(void)
{
	abort();
}
#endif

#ifdef PLUGIN_undefined
extern int function_of_a_newer_runner(void);
static int plugin_load(void)
{
	return function_of_a_newer_runner();
}
#endif

static const struct scuse_param plugin_params[] = {
	{
		.name = "size",
		.type = SCUSE_PARAM_SIZE,
		.help = "a size",
#ifdef PLUGIN_bad_default
		.default_value = "huge",
#endif
	},
#ifdef PLUGIN_twice
	{ .name = "size", .type = SCUSE_PARAM_SIZE, .help = "the same" },
#endif
	{ .name = NULL },
};

static const struct scuse_sync_ops plugin_sync = {
#ifdef PLUGIN_old_ops
	/* Of minor 0, whose last operation was `cdb`; what follows in memory is not ours. */
	.struct_size = offsetof(struct scuse_sync_ops, format),
	.format = (int (*)(void *, struct scuse_io *))(size_t)0x1,
	.sanitize = (int (*)(void *, struct scuse_io *, uint32_t, const void *, uint64_t))(size_t)0x1,
#else
	.struct_size = SCUSE_OPS_HEADER(struct scuse_sync_ops),
#endif
#ifndef PLUGIN_no_read
	.read = plugin_read,
#endif
};

static const struct scuse_async_ops plugin_async = {
	.struct_size = SCUSE_OPS_HEADER(struct scuse_async_ops),
	.read = plugin_async_read,
};

static struct scuse_handler handler = {
#ifdef PLUGIN_wrong_name
	.name = "somebody-else",
#else
	.name = PLUGIN_NAME,
#endif
	.version = "1",
	.description = "for tests",
	.params = plugin_params,
#ifdef PLUGIN_bad_magic_param
	.magic_param = "path",
#endif
	.sync = &plugin_sync,
#ifdef PLUGIN_both
	.async = &plugin_async,
#endif
#ifndef PLUGIN_no_open
	.open = plugin_open,
#endif
#if defined(PLUGIN_load_fails) || defined(PLUGIN_crash_load) || defined(PLUGIN_undefined)
	.load = plugin_load,
#endif
};

SCUSE_EXPORT const struct scuse_handler *scuse_handler_register(void);
SCUSE_EXPORT const struct scuse_handler *scuse_handler_register(void)
{
	(void)plugin_async;
	(void)plugin_sync;
	(void)plugin_open;
	handler.magic = SCUSE_HANDLER_ABI_MAGIC;
	handler.abi_major = SCUSE_HANDLER_ABI_MAJOR;
#ifdef PLUGIN_old_ops
	handler.abi_minor = 0;
#else
	handler.abi_minor = SCUSE_HANDLER_ABI_MINOR;
#endif
	handler.struct_size = sizeof(handler);
#ifdef PLUGIN_bad_magic
	handler.magic++;
#endif
#ifdef PLUGIN_newer_major
	handler.abi_major++;
#endif
#ifdef PLUGIN_minor
	/* Of a later minor: longer, with something at the end that this runner does not know. */
	static struct {
		struct scuse_handler known;
		void (*unknown)(void);
	} longer;

	longer.known = handler;
	longer.known.abi_minor = 7;
	longer.known.struct_size = sizeof(longer);
	return &longer.known;
#endif
#ifdef PLUGIN_short
	/* As if the struct had ended with `open`; what follows in memory is not ours. */
	handler.struct_size = offsetof(struct scuse_handler, probe);
	handler.probe = (int (*)(void *, struct scuse_caps *))(size_t)0x1;
	handler.close = (void (*)(void *))(size_t)0x1;
#endif
	return &handler;
}
