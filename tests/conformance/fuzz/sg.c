// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The local transport of the fuzzer: SG_IO on a node that tcm_loop made.
 *
 * tcm_loop reports an overflow like an underflow, as a positive residual, so it is not exact.
 */
#include "transport.h"

#include <errno.h>
#include <fcntl.h>
#include <scsi/sg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

struct sg_transport {
	struct transport transport;
	int fd;
};

static void take_answer(struct command *command, const struct sg_io_hdr *header)
{
	command->status = header->host_status && !header->status ? STATUS_LOST : header->status;
	command->residual_kind = header->resid ? RESIDUAL_UNDERFLOW : RESIDUAL_NONE;
	command->residual = (uint32_t)header->resid;
	if (command->direction == DIRECTION_IN && command->residual <= command->length)
		command->received = command->length - command->residual;
	command->sense_len = command->status == STATUS_CHECK_CONDITION ? header->sb_len_wr : 0;
	if (command->status == STATUS_LOST)
		printf("# SG_IO: host status %#x, driver status %#x\n", header->host_status,
		       header->driver_status);
}

static void sg_run(struct transport *transport, struct command *command)
{
	struct sg_transport *sg = (struct sg_transport *)transport;
	static const int directions[] = { SG_DXFER_NONE, SG_DXFER_TO_DEV, SG_DXFER_FROM_DEV };
	struct sg_io_hdr header = {
		.interface_id = 'S',
		.dxfer_direction = command->length ? directions[command->direction] : SG_DXFER_NONE,
		.cmd_len = (unsigned char)command->cdb_len,
		.mx_sb_len = SENSE_MAX,
		.dxfer_len = command->length,
		.dxferp = command->data,
		.cmdp = command->cdb,
		.sbp = command->sense,
		.timeout = COMMAND_LIMIT * 1000,
	};

	command->received = 0;
	command->sense_len = 0;
	if (ioctl(sg->fd, SG_IO, &header)) {
		command->status = STATUS_REFUSED;
		printf("# SG_IO: %s\n", strerror(errno));
		return;
	}
	take_answer(command, &header);
}

static void sg_close(struct transport *transport)
{
	struct sg_transport *sg = (struct sg_transport *)transport;

	close(sg->fd);
	free(sg);
}

struct transport *sg_open(const char *node)
{
	struct sg_transport *sg = calloc(1, sizeof(*sg));

	if (!sg)
		return NULL;
	sg->fd = open(node, O_RDWR | O_CLOEXEC);
	if (sg->fd < 0) {
		fprintf(stderr, "%s: %s\n", node, strerror(errno));
		free(sg);
		return NULL;
	}
	sg->transport = (struct transport){ .run = sg_run, .close = sg_close, .cdb_max = CDB_MAX };
	return &sg->transport;
}
