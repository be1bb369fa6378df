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

#define CONFIGFS      "/sys/kernel/config/target"
#define REPORT_LENGTH 32768	       /* bytes; nearly all reports fit at once */
#define RCTD	      0x80	       /* return command timeouts descriptor (SPC-4 6.35.1) */
#define TIMEOUT_MAX   (14 * 24 * 3600) /* seconds: what is stated beyond that is a mistake */

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
	  .help = "the device: /dev/sgN, sdX, nstN, srN, schN, or a link in /dev/disk/by-id, "
		  "/dev/tape/by-id" },
	{ .name = "read_only",
	  .type = SCUSE_PARAM_BOOL,
	  .default_value = "false",
	  .help = "refuse every command that could change the medium or the device" },
	{ .name = "exclusive",
	  .type = SCUSE_PARAM_BOOL,
	  .default_value = "true",
	  .help = "keep the users of the device's other nodes (sdX, stN, srN) out" },
	{ .name = "commands",
	  .type = SCUSE_PARAM_CHOICE,
	  .default_value = "reported",
	  .choices = "reported|standard",
	  .help = "which commands there are: as the device reports, or all of the standards" },
	{ .name = "direct",
	  .type = SCUSE_PARAM_BOOL,
	  .default_value = "true",
	  .help = "move data without a copy; for that, set /sys/module/sg/parameters/allow_dio" },
	{ .name = "timeout",
	  .type = SCUSE_PARAM_DURATION,
	  .help = "how long any command may take, instead of what its kind is given" },
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

/* REPORT SUPPORTED OPERATION CODES, all of them; with their timeouts, if the device knows what that is. */
static void ask_for_commands(struct sg_device *device)
{
	uint8_t cdb[12] = { 0xa3, 0x0c, RCTD, 0, 0, 0, 0, 0, REPORT_LENGTH >> 8, REPORT_LENGTH & 0xff };
	uint8_t *report = malloc(REPORT_LENGTH);
	uint32_t length;
	int result = report ? command_ask(device, cdb, sizeof(cdb), report, REPORT_LENGTH, &length) : -ENOMEM;

	if (result == -EOPNOTSUPP) {
		cdb[2] = 0;
		result = command_ask(device, cdb, sizeof(cdb), report, REPORT_LENGTH, &length);
	}
	if (!result)
		device->claims = claims_from_report(report, length);
	free(report);
	for (const struct scuse_claim *claim = device->claims; claim && !(claim->flags & SCUSE_CLAIM_END);
	     claim++)
		if (claim->timeout > device->stated[claim->opcode])
			device->stated[claim->opcode] = claim->timeout;
	scuse_log(SCUSE_LOG_DEBUG,
		  device->claims ? "%s reports its commands"
				 : "%s does not report its commands: all of the standards count",
		  device->node.sg);
}

/* One switch for all of sg, off when the module is loaded; it only permits what SG_FLAG_DIRECT_IO asks for. */
static void allow_direct_io(void)
{
	static const char path[] = "/sys/module/sg/parameters/allow_dio";
	FILE *file = fopen(path, "r+e");
	int now = file ? fgetc(file) : EOF;

	if (now == '0') {
		rewind(file);
		fputs("1\n", file);
		scuse_log(SCUSE_LOG_INFO, "%s set to 1, so that data is moved without a copy", path);
	}
	if (file && fclose(file))
		scuse_log(SCUSE_LOG_WARNING, "cannot set %s: %s", path, strerror(errno));
}

static uint32_t whole_seconds(uint64_t nanoseconds)
{
	uint64_t seconds = (nanoseconds + 999999999) / 1000000000;

	return seconds < TIMEOUT_MAX ? (uint32_t)seconds : TIMEOUT_MAX;
}

static int open_device(struct sg_device *device, const struct scuse_config *config)
{
	const char *path = scuse_config_string(config, "path");
	int result = node_resolve(path, &device->node);

	if (!result)
		result = refuse_loop(CONFIGFS, path, &device->node, scuse_dev_name(device->dev));
	if (!result)
		result = open_node(device);
	/* Before st looks at its tape, and takes the unit attentions that are everybody's. */
	if (!result)
		result = identify(device);
	if (!result && scuse_config_bool(config, "exclusive"))
		result = hold_partner(&device->node, &device->partner_fd);
	if (result)
		return result;
	device->timeout = whole_seconds(scuse_config_duration(config, "timeout"));
	device->read_only = scuse_config_bool(config, "read_only");
	if (!strcmp(scuse_config_string(config, "commands"), "reported"))
		ask_for_commands(device);
	device->direct_allowed = scuse_config_bool(config, "direct");
	if (device->direct_allowed)
		allow_direct_io();
	return 0;
}

static void sg_close(void *handle)
{
	struct sg_device *device = handle;

	if (device->partner_fd >= 0)
		close(device->partner_fd);
	if (device->fd >= 0)
		close(device->fd);
	free(device->claims);
	free(device);
}

static int sg_open(struct scuse_dev *dev, const struct scuse_config *config, void **handle)
{
	struct sg_device *device = calloc(1, sizeof(*device));
	int result;

	if (!device)
		return -ENOMEM;
	device->dev = dev;
	device->fd = device->partner_fd = -1;
	result = open_device(device, config);
	if (result) {
		sg_close(device);
		return result;
	}
	*handle = device;
	return 0;
}

static int sg_validate(const struct scuse_config *config)
{
	struct sg_node node;

	return node_resolve(scuse_config_string(config, "path"), &node);
}

static int sg_probe(void *handle, struct scuse_caps *caps)
{
	struct sg_device *device = handle;

	caps->device_type = device->type;
	caps->identity = device->identity;
	caps->claims = device->claims ? device->claims : standard;
	caps->read_only = device->read_only;
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
	if (!command->moved)
		return;
	atomic_fetch_add(command->direct ? &device->direct : &device->indirect, 1);
	atomic_fetch_add(command->direct ? &device->direct_bytes : &device->indirect_bytes, command->moved);
}

/* A reset that was none of ours: the SCSI layer may keep the device's own unit attention to itself. */
static void note_outcome(struct sg_device *device, const struct outcome *outcome, uint32_t resets)
{
	if (outcome->was_reset && resets == atomic_load(&device->resets))
		scuse_dev_unit_attention(device->dev, 0x29, 0x00);
	if (outcome->is_lost && !atomic_exchange(&device->lost, true))
		scuse_error(
			"/dev/%s (%s) does not answer any more: was it removed? The LUN is not ready until "
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

/* What the user wants; else the longer of what the device says that it needs and what such commands need. */
static uint32_t time_for(const struct sg_device *device, const uint8_t *cdb)
{
	uint32_t usual = timeout_of(device->type, cdb), stated = device->stated[cdb[0]];

	if (device->timeout)
		return device->timeout;
	return stated > usual && stated <= TIMEOUT_MAX ? stated : usual;
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
	if (device->read_only && !command_is_harmless(device->type, command.cdb))
		return scuse_fail(io, SCUSE_E_READ_ONLY);
	command.timeout = time_for(device, command.cdb);
	command.may_be_direct = device->direct_allowed;
	command_run(device->fd, &command);
	count(device, &command);
	note_outcome(device, &command.outcome, resets);
	if (command.direction == DIRECTION_IN)
		scuse_io_set_data_in(io, command.moved);
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
	.validate = sg_validate,
	.open = sg_open,
	.probe = sg_probe,
	.stop = sg_stop,
	.close = sg_close,
	/* Vendors' commands, and SG_SCSI_RESET. */
	.needs = SCUSE_NEEDS_RAWIO | SCUSE_NEEDS_ADMIN,
};

SCUSE_REGISTER_HANDLER(sg_handler)
