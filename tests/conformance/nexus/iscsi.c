// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The iSCSI transport of the test program, on libiscsi: a session of one connection, without reconnecting, so
 * that a nexus that is lost stays lost.  Called through `iscsi_transport` alone, on the program's thread.
 *
 * A command has two blocks of data at most, which go out with the command: with Data-Out PDUs in its queue,
 * libiscsi would give immediate PDUs (NOP-Out, task management) a CmdSN of the past; see lab/guest/lio.sh.
 *
 * A task of libiscsi belongs to the library from start to its callback; answered() frees it.
 */
#include "nexus.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <iscsi/iscsi.h>
#include <iscsi/scsi-lowlevel.h>

#define LOGIN_LIMIT	 40    /* seconds */
#define MANAGEMENT_LIMIT 40000 /* milliseconds */

static int session_open(struct nexus *nexus)
{
	struct iscsi_context *session = iscsi_create_context(nexus->initiator);

	if (!session)
		return -1;
	iscsi_set_targetname(session, nexus->target);
	iscsi_set_session_type(session, ISCSI_SESSION_NORMAL);
	iscsi_set_header_digest(session, ISCSI_HEADER_DIGEST_NONE);
	iscsi_set_isid_en(session, 0x5c, nexus->isid);
	iscsi_set_noautoreconnect(session, 1);
	iscsi_set_timeout(session, LOGIN_LIMIT);
	if (iscsi_connect_sync(session, nexus->portal) || iscsi_login_sync(session)) {
		fprintf(stderr, "nexus %s: login at %s: %s\n", nexus->name, nexus->portal,
			iscsi_get_error(session));
		iscsi_destroy_context(session);
		return -1;
	}
	iscsi_set_timeout(session, 0);
	nexus->session = session;
	return 0;
}

static void session_drop(struct nexus *nexus)
{
	iscsi_destroy_context(nexus->session);
	nexus->session = NULL;
}

/* The target has ended it: what was in flight will not be answered. */
static void session_lost(struct nexus *nexus)
{
	iscsi_scsi_cancel_all_tasks(nexus->session);
	session_drop(nexus);
}

static void session_close(struct nexus *nexus)
{
	iscsi_set_timeout(nexus->session, LOGIN_LIMIT);
	iscsi_logout_sync(nexus->session);
	session_drop(nexus);
}

/* libiscsi leaves what came with CHECK CONDITION in datain: a length of two bytes, then the sense data. */
static void take_sense(struct command *command, const struct scsi_task *task)
{
	const uint8_t *data = task->datain.data;
	size_t len = task->datain.size > 0 ? (size_t)task->datain.size : 0;

	if (len > 2)
		sense_parse(&command->sense, data + 2, len - 2);
}

static void take_data(struct command *command, const struct scsi_task *task)
{
	size_t len = task->datain.size > 0 ? (size_t)task->datain.size : 0;

	command->in_len = len < command->in_room ? len : command->in_room;
	if (command->in_len)
		memcpy(command->in, task->datain.data, command->in_len);
}

static void pinged(struct iscsi_context *session, int status, void *data, void *private_data)
{
	(void)session, (void)status, (void)data, (void)private_data;
}

static void answered(struct iscsi_context *session, int status, void *data, void *private_data)
{
	struct command *command = private_data;
	struct scsi_task *task = data ? data : command->task;

	switch (status) {
	case SCSI_STATUS_CANCELLED:
		command->status = STATUS_FORGOTTEN;
		break;
	case SCSI_STATUS_ERROR:
	case SCSI_STATUS_TIMEOUT:
		command->status = STATUS_LOST;
		break;
	case SCSI_STATUS_CHECK_CONDITION:
		command->status = status;
		take_sense(command, task);
		break;
	default:
		command->status = status;
		take_data(command, task);
	}
	command->task = NULL;
	scsi_free_scsi_task(task);
	/*
	 * A target keeps a command until the number of its status is acknowledged (RFC 7143 4.2.2.2), which
	 * the next PDU does; who aborts it may be waiting for that.
	 */
	if (status == STATUS_TASK_ABORTED)
		iscsi_nop_out_async(session, pinged, NULL, 0, NULL);
}

static int task_start(struct nexus *nexus, struct command *command)
{
	int direction = command->out_len   ? SCSI_XFER_WRITE
			: command->in_room ? SCSI_XFER_READ
					   : SCSI_XFER_NONE;
	size_t len = command->out_len ? command->out_len : command->in_room;
	/* libiscsi takes a copy of the descriptor, not of the data, and only reads the latter. */
	struct iscsi_data data = { .size = command->out_len, .data = (unsigned char *)command->out };
	struct scsi_task *task;

	if (command->cdb_len > SCSI_CDB_MAX_SIZE)
		return -1;
	task = scsi_create_task((int)command->cdb_len, command->cdb, direction, (int)len);
	if (!task)
		return -1;
	command->task = task;
	if (iscsi_scsi_command_async(nexus->session, nexus->lun, task, answered,
				     command->out_len ? &data : NULL, command)) {
		command->task = NULL;
		scsi_free_scsi_task(task);
		return -1;
	}
	/* Out it goes at once: the order among several nexuses is the order of the calls. */
	if (iscsi_service(nexus->session, POLLOUT) < 0) {
		session_lost(nexus);
		return -1;
	}
	return 0;
}

static void session_serve(struct nexus *nexus, int milliseconds)
{
	struct pollfd fd = { .fd = iscsi_get_fd(nexus->session),
			     .events = (short)iscsi_which_events(nexus->session) };

	if (poll(&fd, 1, milliseconds) < 0)
		return;
	if (iscsi_service(nexus->session, fd.revents) < 0)
		session_lost(nexus);
}

static void task_forget(struct nexus *nexus, struct command *command)
{
	if (command->task)
		iscsi_scsi_cancel_task(nexus->session, command->task);
}

static void managed(struct iscsi_context *session, int status, void *data, void *private_data)
{
	struct command *command = private_data;

	(void)session;
	command->in_len = status == SCSI_STATUS_GOOD && data ? *(uint32_t *)data : 0;
	command->status = status == SCSI_STATUS_GOOD ? STATUS_GOOD : STATUS_LOST;
}

static int task_manage(struct nexus *nexus, enum task_management function, struct command *referenced)
{
	struct scsi_task *task = referenced ? referenced->task : NULL;
	/* Only its status and length are used, to bring back the response.  Static: a late answer finds it. */
	static struct command answer;

	answer = (struct command){ .status = STATUS_IN_FLIGHT, .nexus = nexus };
	if (iscsi_task_mgmt_async(nexus->session, nexus->lun, (enum iscsi_task_mgmt_funcs)function,
				  task ? task->itt : 0xffffffff, task ? task->cmdsn : 0, managed, &answer))
		return TMF_NO_RESPONSE;
	if (!nexus_finish(&answer, MANAGEMENT_LIMIT) || answer.status != STATUS_GOOD)
		return TMF_NO_RESPONSE;
	return (int)answer.in_len;
}

const struct transport iscsi_transport = {
	.open = session_open,
	.close = session_close,
	.drop = session_drop,
	.start = task_start,
	.serve = session_serve,
	.forget = task_forget,
	.manage = task_manage,
};
