// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * One command through SG_IO, version 3 of the interface.  See sg.h.
 *
 * On any thread; the sg driver takes 16 commands of a descriptor at a time, which is as many threads as the
 * worker has for a handler.  The data lies in the slot of the command that is passed on: the sg driver lets
 * the device read and write it there (SG_FLAG_DIRECT_IO) if /sys/module/sg/parameters/allow_dio says 1 and
 * the slot is aligned as the host adapter wants it; else the data goes through pages of the sg driver's.
 */
#include "sg.h"

#include <errno.h>
#include <scsi/sg.h>
#include <scsi/sg_lib.h>
#include <string.h>
#include <sys/ioctl.h>

#define ATTEMPTS       8  /* of a command of our own */
#define OWN_TIMEOUT    60 /* seconds */
#define UNIT_ATTENTION SPC_SK_UNIT_ATTENTION

static int sg_direction(enum direction direction)
{
	switch (direction) {
	case DIRECTION_OUT:
		return SG_DXFER_TO_DEV;
	case DIRECTION_IN:
		return SG_DXFER_FROM_DEV;
	case DIRECTION_NONE:
		break;
	}
	return SG_DXFER_NONE;
}

/* Some drivers report a residual of more than there is, or of less than nothing. */
static uint32_t moved(const struct command *command, const struct sg_io_hdr *header)
{
	uint8_t key = (uint8_t)(command_sense_code(command) >> 16);

	if (header->resid <= 0)
		return outcome_has_data(&command->outcome, key) ? header->dxfer_len : 0;
	if (command->outcome.kind == OUTCOME_MADE || (uint32_t)header->resid > header->dxfer_len)
		return 0;
	return header->dxfer_len - (uint32_t)header->resid;
}

/*
 * Pages of a slot are scattered, and may be more pieces than the host adapter takes: then the command is not
 * begun, and goes by the sg driver's own pages.
 */
static int submit(int fd, struct sg_io_hdr *header)
{
	int result = ioctl(fd, SG_IO, header);

	if (result < 0 && errno == EINVAL && header->flags & SG_FLAG_DIRECT_IO) {
		header->flags &= ~(unsigned int)SG_FLAG_DIRECT_IO;
		result = ioctl(fd, SG_IO, header);
	}
	return result;
}

void command_run(int fd, struct command *command)
{
	struct sg_io_hdr header = {
		.interface_id = 'S',
		.dxfer_direction = sg_direction(command->direction),
		.cmd_len = (unsigned char)command->cdb_length,
		.cmdp = (unsigned char *)command->cdb,
		.dxferp = command->data,
		.dxfer_len = command->length,
		.sbp = command->sense,
		.mx_sb_len = sizeof(command->sense),
		.timeout = command->timeout * 1000,
		.flags = command->may_be_direct ? SG_FLAG_DIRECT_IO : 0,
	};

	command->sense_length = 0;
	command->moved = 0;
	command->direct = false;
	if (command->cdb_length > UINT8_MAX) {
		command->outcome = outcome_of_errno(E2BIG);
		return;
	}
	if (submit(fd, &header) < 0) {
		command->outcome = outcome_of_errno(errno);
		return;
	}
	command->sense_length = header.sb_len_wr;
	command->direct = (header.info & SG_INFO_DIRECT_IO_MASK) == SG_INFO_DIRECT_IO;
	command->outcome =
		outcome_of(header.status, header.host_status, header.driver_status, header.sb_len_wr);
	command->moved = moved(command, &header);
}

uint32_t command_sense_code(const struct command *command)
{
	struct sg_scsi_sense_hdr parts;

	if (command->outcome.kind != OUTCOME_SENSE ||
	    !sg_scsi_normalize_sense(command->sense, (int)command->sense_length, &parts))
		return 0;
	return (uint32_t)parts.sense_key << 16 | (uint32_t)parts.asc << 8 | parts.ascq;
}

static int result_of(const struct command *command)
{
	if (command->outcome.kind == OUTCOME_STATUS && command->outcome.status == SAM_STAT_GOOD)
		return 0;
	if (command->outcome.is_lost)
		return -ENODEV;
	if (command->outcome.kind == OUTCOME_STATUS)
		return -EBUSY;
	switch (command_sense_code(command) >> 16) {
	case UNIT_ATTENTION:
		return -EAGAIN;
	case SPC_SK_ILLEGAL_REQUEST:
		return -EOPNOTSUPP;
	case SPC_SK_NOT_READY:
		return -ENOMEDIUM;
	}
	return -EIO;
}

int command_ask(struct sg_device *device, const uint8_t *cdb, size_t cdb_length, void *data, uint32_t length,
		uint32_t *got)
{
	struct command command = {
		.cdb = cdb,
		.cdb_length = cdb_length,
		.direction = length ? DIRECTION_IN : DIRECTION_NONE,
		.data = data,
		.length = length,
		.timeout = OWN_TIMEOUT,
	};
	int result = -EIO;

	for (int i = 0; i < ATTEMPTS; i++) {
		if (length)
			memset(data, 0, length);
		command_run(device->fd, &command);
		result = result_of(&command);
		if (result != -EAGAIN)
			break;
		/* The device tells it once, and it told us: everybody else is to hear of it too. */
		scuse_dev_unit_attention(device->dev, (uint8_t)(command_sense_code(&command) >> 8),
					 (uint8_t)command_sense_code(&command));
	}
	if (got)
		*got = command.moved;
	return result;
}
