// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The sg handler: passes a real SCSI device through, of any type, by the sg driver of Linux.
 *
 * The kernel half keeps what belongs to the LUN and not to the device (reservations, REPORT LUNS, task
 * management, unit attentions of each nexus), and decides which commands get here.  What does, goes to the
 * device as it is, and what the device answers goes back: status, sense data, data and residual.
 *
 * THREADS	The worker has 16 for us, and each carries one command with SG_IO, so that many are at the device
 *		at a time.  An open device is constant but for its counters.  LOGICAL UNIT RESET comes on a
 *		thread of its own, while commands are in flight.
 *
 * CANCEL	Commands that still wait for a thread end at once, which the worker does.  One that is at the
 *		device is let finish: SG_IO has no way to abort a single one, and leaving it behind would give its
 *		slot to somebody else while the device may still write there.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <scsi/sg.h>
#include <scsi/sg_lib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "sg.h"

#ifndef SG_SCSI_RESET_NO_ESCALATE
#define SG_SCSI_RESET_NO_ESCALATE 0x100
#endif

static const struct scuse_claim standard[] = {
	{ .flags = SCUSE_CLAIM_STANDARD },
	{ .flags = SCUSE_CLAIM_END },
};

static const struct scuse_param params[] = {
	{ .name = "path",
	  .type = SCUSE_PARAM_PATH,
	  .flags = SCUSE_PARAM_REQUIRED,
	  .help = "the device: /dev/sgN, sdX, nstN, srN, schN, or a link in /dev/disk/by-id, /dev/tape/by-id" },
	{ .name = NULL },
};

/* ---- the device ---- */

static int open_node(struct sg_device *device)
{
	char path[64];

	snprintf(path, sizeof(path), "/dev/%s", device->node.sg);
	device->fd = open(path, O_RDWR | O_EXCL | O_NONBLOCK | O_CLOEXEC);
	if (device->fd >= 0)
		return 0;
	if (errno == EBUSY)
		scuse_error("%s is in use by another program, and the device cannot be shared with it", path);
	else
		scuse_error("cannot open %s: %s", path, strerror(errno));
	return -errno;
}

static void sg_close(void *handle)
{
	struct sg_device *device = handle;

	if (device->fd >= 0)
		close(device->fd);
	free(device);
}

static int sg_open(struct scuse_dev *dev, const struct scuse_config *config, void **handle)
{
	struct sg_device *device = calloc(1, sizeof(*device));
	int result;

	if (!device)
		return -ENOMEM;
	device->dev = dev;
	device->fd = -1;
	result = node_resolve(scuse_config_string(config, "path"), &device->node);
	if (!result)
		result = open_node(device);
	if (!result)
		result = identify(device);
	if (result) {
		sg_close(device);
		return result;
	}
	*handle = device;
	return 0;
}

static int sg_probe(void *handle, struct scuse_caps *caps)
{
	struct sg_device *device = handle;

	caps->device_type = device->type;
	caps->identity = device->identity;
	caps->claims = standard;
	caps->unit_attentions = 1;
	return 0;
}

static void sg_stop(void *handle)
{
	const struct sg_device *device = handle;

	scuse_log(SCUSE_LOG_INFO,
		  "%s: %" PRIu64 " transfers (%" PRIu64 " bytes) without a copy, %" PRIu64 " (%" PRIu64
		  " bytes) with one in the sg driver",
		  device->node.sg, atomic_load(&device->direct), atomic_load(&device->direct_bytes),
		  atomic_load(&device->indirect), atomic_load(&device->indirect_bytes));
}

/* ---- commands ---- */

static void count(struct sg_device *device, const struct command *command)
{
	uint32_t moved = command->length - command->residual;

	if (!moved)
		return;
	atomic_fetch_add(command->direct ? &device->direct : &device->indirect, 1);
	atomic_fetch_add(command->direct ? &device->direct_bytes : &device->indirect_bytes, moved);
}

/* A reset that was none of ours: the SCSI layer may keep the device's own unit attention to itself. */
static void note_outcome(struct sg_device *device, const struct outcome *outcome, uint32_t resets)
{
	if (outcome->was_reset && resets == atomic_load(&device->resets))
		scuse_dev_unit_attention(device->dev, 0x29, 0x00);
	if (outcome->is_lost && !atomic_exchange(&device->lost, true))
		scuse_error("/dev/%s (%s) does not answer any more: was it removed? The LUN is not ready until "
			    "the device is back and the LUN served anew",
			    device->node.sg, device->identity);
}

static int tell(struct scuse_io *io, const struct command *command)
{
	const struct outcome *outcome = &command->outcome;

	switch (outcome->kind) {
	case OUTCOME_SENSE:
		return scuse_fail_sense_data(io, command->sense, command->sense_length);
	case OUTCOME_MADE:
		return scuse_fail_sense(io, outcome->key, outcome->asc, outcome->ascq, UINT64_MAX);
	case OUTCOME_STATUS:
		break;
	}
	if (outcome->status != SAM_STAT_GOOD)
		scuse_io_set_status(io, outcome->status);
	return 0;
}

static int sg_cdb(void *handle, struct scuse_io *io)
{
	struct sg_device *device = handle;
	uint32_t flags = scuse_io_flags(io), resets = atomic_load(&device->resets);
	struct command command = { .direction = flags & SCUSE_IO_DATA_OUT  ? DIRECTION_OUT
						: flags & SCUSE_IO_DATA_IN ? DIRECTION_IN
									   : DIRECTION_NONE };
	uint64_t length;

	command.cdb = scuse_io_cdb(io, &command.cdb_length);
	command.data = scuse_io_data(io, &length);
	command.length = (uint32_t)length;
	command.timeout = timeout_of(device->type, command.cdb);
	command_run(device->fd, &command);
	count(device, &command);
	note_outcome(device, &command.outcome, resets);
	if (command.direction == DIRECTION_IN)
		scuse_io_set_data_in(io, command.length - command.residual);
	return tell(io, &command);
}

static int sg_lu_reset(void *handle, struct scuse_io *io)
{
	struct sg_device *device = handle;
	int how = SG_SCSI_RESET_DEVICE | SG_SCSI_RESET_NO_ESCALATE;

	atomic_fetch_add(&device->resets, 1);
	if (ioctl(device->fd, SG_SCSI_RESET, &how) == 0)
		return 0;
	scuse_error("/dev/%s cannot be reset: %s", device->node.sg, strerror(errno));
	return scuse_fail(io, errno == ENODEV || errno == ENXIO ? SCUSE_E_NOT_READY : SCUSE_E_HARDWARE);
}

static const struct scuse_sync_ops ops = {
	.struct_size = SCUSE_OPS_HEADER(struct scuse_sync_ops),
	.cdb = sg_cdb,
	.lu_reset = sg_lu_reset,
};

static struct scuse_handler sg_handler = {
	.name = "sg",
	.version = "1.0",
	.description = "a real SCSI device of this host, passed through",
	.params = params,
	.magic_param = "path",
	.device_type = SCUSE_DEVICE_TYPE_ANY,
	.thread_model = SCUSE_THREADS_PARALLEL,
	.sync = &ops,
	.open = sg_open,
	.probe = sg_probe,
	.stop = sg_stop,
	.close = sg_close,
};

SCUSE_REGISTER_HANDLER(sg_handler)
