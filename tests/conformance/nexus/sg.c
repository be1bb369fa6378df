// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The local transport of the test program: a SCSI generic node, through which commands go to the logical unit
 * as they are, and answers come back without retries.  Called through `sg_transport` alone.
 *
 * Commands are written to the node and read from it (the asynchronous interface of sg), so that several can
 * be in flight.  A struct pending lives from start to the answer; forgotten ones stay until the node closes.
 */
#include "nexus.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <scsi/sg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#ifndef SG_SCSI_RESET_NO_ESCALATE /* the kernel has it, the C library's copy of the header does not */
#define SG_SCSI_RESET_NO_ESCALATE 0x100
#endif

#define COMMAND_LIMIT 60000 /* milliseconds until the kernel itself aborts a command */

struct pending {
	struct pending *next;
	struct command *command; /* NULL: forgotten */
	struct sg_io_hdr header;
	uint8_t sense[96];
	uint8_t data[]; /* a copy: the caller's buffer may be gone when a forgotten command ends */
};

struct session {
	int fd;
	struct pending *pending;
};

static int node_open(struct nexus *nexus)
{
	struct session *session = calloc(1, sizeof(*session));

	if (!session)
		return -1;
	session->fd = open(nexus->node, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (session->fd < 0) {
		fprintf(stderr, "nexus %s: %s: %s\n", nexus->name, nexus->node, strerror(errno));
		free(session);
		return -1;
	}
	nexus->session = session;
	return 0;
}

static void node_close(struct nexus *nexus)
{
	struct session *session = nexus->session;
	struct pending *next;

	close(session->fd);
	for (struct pending *pending = session->pending; pending; pending = next) {
		next = pending->next;
		free(pending);
	}
	free(session);
	nexus->session = NULL;
}

static struct pending *pending_new(struct command *command)
{
	size_t len = command->out_len ? command->out_len : command->in_room;
	struct pending *pending = calloc(1, sizeof(*pending) + len);

	if (!pending)
		return NULL;
	if (command->out_len)
		memcpy(pending->data, command->out, len);
	pending->command = command;
	pending->header = (struct sg_io_hdr){
		.interface_id = 'S',
		.dxfer_direction = command->out_len   ? SG_DXFER_TO_DEV
				   : command->in_room ? SG_DXFER_FROM_DEV
						      : SG_DXFER_NONE,
		.cmd_len = (unsigned char)command->cdb_len,
		.mx_sb_len = sizeof(pending->sense),
		.dxfer_len = (unsigned int)len,
		.dxferp = pending->data,
		.cmdp = command->cdb,
		.sbp = pending->sense,
		.timeout = COMMAND_LIMIT,
		.usr_ptr = pending,
	};
	return pending;
}

static int node_start(struct nexus *nexus, struct command *command)
{
	struct session *session = nexus->session;
	struct pending *pending = pending_new(command);

	if (!pending)
		return -1;
	if (write(session->fd, &pending->header, sizeof(pending->header)) < 0) {
		fprintf(stderr, "nexus %s: command %02xh: %s\n", nexus->name, command->cdb[0],
			strerror(errno));
		free(pending);
		return -1;
	}
	pending->next = session->pending;
	session->pending = pending;
	command->task = pending;
	return 0;
}

static void unlink_pending(struct session *session, const struct pending *pending)
{
	struct pending **link = &session->pending;

	while (*link && *link != pending)
		link = &(*link)->next;
	if (*link)
		*link = pending->next;
}

static void deliver(struct pending *pending, const struct sg_io_hdr *header)
{
	struct command *command = pending->command;
	size_t len;

	if (!command)
		return;
	command->task = NULL;
	/* A host status without a SCSI status: the command was given up on the way. */
	command->status = header->host_status && !header->status ? STATUS_LOST : header->status;
	if (command->status == STATUS_CHECK_CONDITION)
		sense_parse(&command->sense, pending->sense, header->sb_len_wr);
	len = header->dxfer_len - (header->resid > 0 ? (size_t)header->resid : 0);
	/* Also beside sense data: what came up to a bad block, or a tape's filemark. */
	if (command->in_room && !command->out_len &&
	    (command->status == STATUS_GOOD || command->status == STATUS_CHECK_CONDITION)) {
		command->in_len = len < command->in_room ? len : command->in_room;
		memcpy(command->in, pending->data, command->in_len);
	}
}

static void node_serve(struct nexus *nexus, int milliseconds)
{
	struct session *session = nexus->session;
	struct pollfd fd = { .fd = session->fd, .events = POLLIN };
	struct sg_io_hdr header = { .interface_id = 'S', .pack_id = -1 };
	struct pending *pending;

	if (poll(&fd, 1, milliseconds) <= 0 || read(session->fd, &header, sizeof(header)) < 0)
		return;
	pending = header.usr_ptr;
	unlink_pending(session, pending);
	deliver(pending, &header);
	free(pending);
}

static void node_forget(struct nexus *nexus, struct command *command)
{
	struct pending *pending = command->task;

	(void)nexus;
	if (pending)
		pending->command = NULL;
	command->task = NULL;
}

static int node_manage(struct nexus *nexus, enum task_management function, struct command *referenced)
{
	struct session *session = nexus->session;
	int reset = SG_SCSI_RESET_DEVICE | SG_SCSI_RESET_NO_ESCALATE;

	(void)referenced;
	if (function != TMF_LOGICAL_UNIT_RESET)
		return TMF_NOT_SUPPORTED;
	return ioctl(session->fd, SG_SCSI_RESET, &reset) ? TMF_REJECTED : TMF_COMPLETE;
}

const struct transport sg_transport = {
	.open = node_open,
	.close = node_close,
	.drop = node_close,
	.start = node_start,
	.serve = node_serve,
	.forget = node_forget,
	.manage = node_manage,
};
