// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The memory handler: a thin disk in memory.  What was never written, or was unmapped, takes no memory and
 * reads as zeros.  The contents live as long as the LUN: a worker that dies leaves them to the next one, by
 * way of the supervisor.  store.c keeps them; here are the parameters, and what initiators are told about
 * space.
 *
 * A loss of power takes all of the contents along, so no write can be found half done after one; a worker's
 * death does not, which is why atomic writes go through the store's journal.
 *
 * SPACE	With `limit` the pages may take so much memory at most; a write beyond that fails and changes
 *		nothing.  With `threshold` a percentage of it is watched:
 *
 *		    [below] --- usage reaches it: SCUSE_CHANGED_THRESHOLD ---> [above]
 *		       ^------------------ usage falls below it -----------------'
 *
 * LOCKING	Operations come on several threads at once; the store copes.  `lock` covers what is said
 * below.
 */
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "store.h"

struct memory {
	struct scuse_dev *dev;
	struct store *store;
	uint64_t size;	    /* bytes; atomic: written by the main thread */
	uint64_t limit;	    /* bytes; 0: none.  Constant */
	uint64_t threshold; /* bytes; 0: none.  Constant */
	pthread_mutex_t lock;
	uint64_t reported; /* lock: bytes that usage was last said to be */
	bool above;	   /* lock: the threshold has been reached */
};

static const struct scuse_param memory_params[] = {
	{ .name = "limit",
	  .type = SCUSE_PARAM_SIZE,
	  .help = "memory that the contents may take at most; writes that need more fail" },
	{ .name = "threshold",
	  .type = SCUSE_PARAM_INT,
	  .help = "percentage of the limit, 1 to 100: initiators are told when it is reached" },
	{ .name = NULL },
};

/* ---- space ---- */

/* After whatever may have taken or freed pages. */
static void account(struct memory *memory)
{
	uint64_t used;

	if (!memory->limit)
		return;
	pthread_mutex_lock(&memory->lock);
	used = store_used(memory->store);
	if (used != memory->reported)
		scuse_dev_usage(memory->dev, used, memory->limit - used);
	memory->reported = used;
	if (memory->threshold && used >= memory->threshold && !memory->above)
		scuse_dev_changed(memory->dev, SCUSE_CHANGED_THRESHOLD);
	memory->above = memory->threshold && used >= memory->threshold;
	pthread_mutex_unlock(&memory->lock);
}

static int accounted(struct memory *memory, int result)
{
	account(memory);
	return result;
}

/* ---- operations ---- */

static int memory_read(void *handle, struct scuse_io *io, void *buffer, uint64_t length, uint64_t offset)
{
	struct memory *memory = handle;
	uint64_t room;

	store_read(memory->store, buffer, scuse_io_protection(io, &room), length, offset);
	return 0;
}

static int memory_write(void *handle, struct scuse_io *io, const void *buffer, uint64_t length,
			uint64_t offset)
{
	struct memory *memory = handle;
	uint64_t room;
	const void *protection = scuse_io_protection(io, &room);
	int (*write)(struct store *, const void *, const void *, uint64_t, uint64_t) =
		scuse_io_flags(io) & SCUSE_IO_ATOMIC ? store_write_whole : store_write;

	return accounted(memory, write(memory->store, buffer, protection, length, offset));
}

static int memory_write_same(void *handle, struct scuse_io *io, const void *pattern, uint64_t pattern_length,
			     uint64_t length, uint64_t offset)
{
	struct memory *memory = handle;
	uint64_t room;
	const void *protection = scuse_io_protection(io, &room);

	(void)pattern_length;
	return accounted(memory, store_fill(memory->store, pattern, protection, length, offset));
}

/* Serves unmap and write_zeroes. */
static int memory_blank(void *handle, struct scuse_io *io, uint64_t length, uint64_t offset)
{
	struct memory *memory = handle;

	(void)io;
	return accounted(memory, store_blank(memory->store, length, offset));
}

static int memory_extents(void *handle, struct scuse_io *io, uint64_t length, uint64_t offset,
			  struct scuse_extents *extents)
{
	struct memory *memory = handle;

	(void)io;
	return store_extents(memory->store, length, offset, extents);
}

static int memory_format(void *handle, struct scuse_io *io)
{
	struct memory *memory = handle;

	(void)io;
	return accounted(memory, store_reset(memory->store, false, NULL, 0, 0));
}

/* Memory has no other copies of what it held: overwriting it is enough for each of the methods. */
static int memory_sanitize(void *handle, struct scuse_io *io, uint32_t method, const void *pattern,
			   uint64_t pattern_length)
{
	struct memory *memory = handle;

	(void)io;
	if (method != SCUSE_SANITIZES_OVERWRITE)
		pattern = NULL;
	return accounted(memory, store_reset(memory->store, true, pattern, pattern_length,
					     __atomic_load_n(&memory->size, __ATOMIC_RELAXED)));
}

/* ---- the LUN ---- */

static int check_size(uint64_t size)
{
	if (size <= STORE_MAX)
		return 0;
	scuse_error("a memory LUN has at most 1 PiB");
	return -EFBIG;
}

static int check_limit(const struct scuse_config *config)
{
	int64_t threshold = scuse_config_int(config, "threshold");

	if (scuse_config_given(config, "limit") && scuse_config_size(config, "limit") < STORE_PAGE) {
		scuse_error("limit=%" PRIu64 " is less than memory is taken by: give %u or more",
			    scuse_config_size(config, "limit"), STORE_PAGE);
		return -EINVAL;
	}
	if (!scuse_config_given(config, "threshold"))
		return 0;
	if (!scuse_config_given(config, "limit")) {
		scuse_error("threshold is a percentage of the limit: add limit=SIZE");
		return -EINVAL;
	}
	if (threshold >= 1 && threshold <= 100)
		return 0;
	scuse_error("threshold is %" PRId64 ", but a percentage is 1 to 100", threshold);
	return -EINVAL;
}

static int memory_validate(const struct scuse_config *config)
{
	int result = check_limit(config);

	if (result)
		return result;
	if (scuse_config_device_size(config))
		return check_size(scuse_config_device_size(config));
	scuse_error("a memory LUN needs a size: add --size, for example --size 1G");
	return -EINVAL;
}

static int open_store(struct scuse_dev *dev, const struct scuse_config *config, struct memory *memory)
{
	int result;

	memory->store = store_new(scuse_config_block_size(config), memory->limit, scuse_dev_kept(dev));
	if (!memory->store && errno == EPROTO)
		scuse_error("what the LUN held is in a format that this version of the handler cannot read: "
			    "remove the LUN and create it anew");
	if (!memory->store)
		return -errno;
	result = scuse_dev_keep(dev, store_fd(memory->store));
	if (result && result != -EOPNOTSUPP)
		scuse_log(SCUSE_LOG_WARNING, "the contents will be lost if the worker dies: %s",
			  strerror(-result));
	return 0;
}

static int memory_open(struct scuse_dev *dev, const struct scuse_config *config, void **handle)
{
	struct memory *memory = calloc(1, sizeof(*memory));
	uint64_t percent = (uint64_t)scuse_config_int(config, "threshold");
	int result;

	if (!memory)
		return -ENOMEM;
	memory->dev = dev;
	memory->size = scuse_config_device_size(config);
	memory->limit = scuse_config_size(config, "limit") / STORE_PAGE * STORE_PAGE;
	memory->threshold = memory->limit / 100 * percent;
	result = open_store(dev, config, memory);
	if (result) {
		free(memory);
		return result;
	}
	pthread_mutex_init(&memory->lock, NULL);
	memory->reported = store_used(memory->store);
	memory->above = memory->threshold && memory->reported >= memory->threshold;
	if (memory->limit)
		scuse_dev_usage(dev, memory->reported, memory->limit - memory->reported);
	*handle = memory;
	return 0;
}

static int memory_probe(void *handle, struct scuse_caps *caps)
{
	const struct memory *memory = handle;

	caps->unmap_zeroes = SCUSE_CAP_NATIVE;
	caps->unmap_granularity = STORE_PAGE;
	caps->replay_safe = 1;
	caps->atomic = SCUSE_CAP_NATIVE;
	caps->protection = SCUSE_CAP_NATIVE;
	caps->sanitize = SCUSE_SANITIZES_OVERWRITE | SCUSE_SANITIZES_BLOCK | SCUSE_SANITIZES_CRYPTO;
	caps->threshold_set = memory->threshold ? STORE_PAGE : 0;
	return 0;
}

/* What a shrunk LUN loses must not come back when it grows again. */
static int memory_resize(void *handle, uint64_t size)
{
	struct memory *memory = handle;
	int result = check_size(size);

	if (!result && size < memory->size)
		result = memory_blank(memory, NULL, memory->size - size, size);
	if (!result)
		__atomic_store_n(&memory->size, size, __ATOMIC_RELAXED);
	return result;
}

static void memory_close(void *handle)
{
	struct memory *memory = handle;

	store_free(memory->store);
	pthread_mutex_destroy(&memory->lock);
	free(memory);
}

static const struct scuse_sync_ops memory_ops = {
	.struct_size = SCUSE_OPS_HEADER(struct scuse_sync_ops),
	.read = memory_read,
	.write = memory_write,
	.unmap = memory_blank,
	.write_zeroes = memory_blank,
	.write_same = memory_write_same,
	.extents = memory_extents,
	.format = memory_format,
	.sanitize = memory_sanitize,
};

static struct scuse_handler memory_handler = {
	.name = "memory",
	.version = "1.2",
	.description = "thin disk in memory; its contents last as long as the LUN",
	.flags = SCUSE_HANDLER_INLINE,
	.thread_model = SCUSE_THREADS_PARALLEL,
	.params = memory_params,
	.sync = &memory_ops,
	.validate = memory_validate,
	.open = memory_open,
	.probe = memory_probe,
	.resize = memory_resize,
	.close = memory_close,
};

SCUSE_REGISTER_HANDLER(memory_handler)
