/* SPDX-License-Identifier: MIT */
/*
 * A handler to start from: a disk in one piece of memory, with one parameter.  Copy this folder, rename it,
 * and put your storage in place of the array.  scuse-handler(3) and <scuse/handler.h> explain everything
 * that is used here.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <scuse/handler.h>

/* One LUN.  Each LUN has a process of its own, but keep its state in the handle all the same. */
struct template_lun {
	unsigned char *bytes;
	uint64_t size;
};

static const struct scuse_param template_params[] = {
	{ .name = "fill",
	  .type = SCUSE_PARAM_INT,
	  .default_value = "0",
	  .help = "the byte that the disk is full of at first, 0 to 255" },
	{ .name = NULL },
};

/* Is this acceptable?  Opens and changes nothing: `scuse create` may ask just to find out. */
static int template_validate(const struct scuse_config *config)
{
	int64_t fill = scuse_config_int(config, "fill");

	if (fill < 0 || fill > 255) {
		scuse_error("fill is %lld, but a byte is 0 to 255", (long long)fill);
		return -EINVAL;
	}
	if (!scuse_config_device_size(config)) {
		scuse_error("a template LUN needs a size: add --size, for example --size 64M");
		return -EINVAL;
	}
	return 0;
}

static int template_open(struct scuse_dev *dev, const struct scuse_config *config, void **handle)
{
	struct template_lun *lun = calloc(1, sizeof(*lun));

	if (!lun)
		return -ENOMEM;
	lun->size = scuse_config_device_size(config);
	lun->bytes = malloc(lun->size);
	if (!lun->bytes) {
		scuse_error("there is no memory for %llu bytes", (unsigned long long)lun->size);
		free(lun);
		return -ENOMEM;
	}
	memset(lun->bytes, (int)scuse_config_int(config, "fill"), lun->size);
	scuse_log(SCUSE_LOG_INFO, "%s is open", scuse_dev_name(dev));
	*handle = lun;
	return 0;
}

static void template_close(void *handle)
{
	struct template_lun *lun = handle;

	free(lun->bytes);
	free(lun);
}

/* Offsets and lengths have been checked.  Return 0, -errno, or what scuse_fail(io, SCUSE_E_...) returns. */
static int template_read(void *handle, struct scuse_io *io, void *buffer, uint64_t length, uint64_t offset)
{
	struct template_lun *lun = handle;

	(void)io;
	memcpy(buffer, lun->bytes + offset, length);
	return 0;
}

static int template_write(void *handle, struct scuse_io *io, const void *buffer, uint64_t length,
			  uint64_t offset)
{
	struct template_lun *lun = handle;

	(void)io;
	memcpy(lun->bytes + offset, buffer, length);
	return 0;
}

/* Only `read` is required.  What is missing is emulated (WRITE SAME) or not offered (UNMAP). */
static const struct scuse_sync_ops template_ops = {
	.struct_size = SCUSE_OPS_HEADER(struct scuse_sync_ops),
	.read = template_read,
	.write = template_write,
};

static struct scuse_handler template_handler = {
	.name = "template",
	.version = "0.1",
	.description = "a handler to start from: a disk in memory",
	.params = template_params,
	/* One command at a time; SCUSE_THREADS_PARALLEL when your code is ready for it. */
	.thread_model = SCUSE_THREADS_SERIAL_LUN,
	.sync = &template_ops,
	.validate = template_validate,
	.open = template_open,
	.close = template_close,
	/*
	 * Once started, a worker keeps what open has opened and loses root's rights but for SCUSE_NEEDS_*.  This one
	 * needs none of them.
	 */
	.needs = 0,
};

SCUSE_REGISTER_HANDLER(template_handler)
