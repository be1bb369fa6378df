// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The iSCSI transport of the fuzzer: one session, which is not taken up again, so that losing it is seen.
 */
#include "transport.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <iscsi/iscsi.h>
#include <iscsi/scsi-lowlevel.h>

struct iscsi_transport {
	struct transport transport;
	struct iscsi_context *session;
	int lun;
};

/* libiscsi leaves what came with CHECK CONDITION in datain: a length of two bytes, then the sense data. */
static void take_sense(struct command *command, const struct scsi_task *task)
{
	size_t len = task->datain.size > 2 ? (size_t)task->datain.size - 2 : 0;

	command->sense_len = len < SENSE_MAX ? len : SENSE_MAX;
	if (command->sense_len)
		memcpy(command->sense, task->datain.data + 2, command->sense_len);
}

static void take_data(struct command *command, const struct scsi_task *task)
{
	command->received = task->datain.size > 0 ? (uint32_t)task->datain.size : 0;
	if (command->received && command->received <= command->length && command->direction == DIRECTION_IN)
		memcpy(command->data, task->datain.data, command->received);
}

static void take_answer(struct command *command, const struct scsi_task *task)
{
	static const enum residual kinds[] = {
		[SCSI_RESIDUAL_NO_RESIDUAL] = RESIDUAL_NONE,
		[SCSI_RESIDUAL_UNDERFLOW] = RESIDUAL_UNDERFLOW,
		[SCSI_RESIDUAL_OVERFLOW] = RESIDUAL_OVERFLOW,
	};

	command->residual_kind = kinds[task->residual_status];
	command->residual = (uint32_t)task->residual;
	command->status = task->status;
	if (task->status == SCSI_STATUS_CHECK_CONDITION)
		take_sense(command, task);
	else if (task->status < 0x100)
		take_data(command, task);
	else
		command->status = STATUS_LOST;
	if (command->status == STATUS_LOST)
		printf("# libiscsi: status %#x\n", (unsigned int)task->status);
}

static void iscsi_run(struct transport *transport, struct command *command)
{
	struct iscsi_transport *iscsi = (struct iscsi_transport *)transport;
	static const int directions[] = { SCSI_XFER_NONE, SCSI_XFER_WRITE, SCSI_XFER_READ };
	struct iscsi_data out = { .size = command->length, .data = command->data };
	struct scsi_task *task;

	command->status = STATUS_LOST;
	command->received = 0;
	command->sense_len = 0;
	task = scsi_create_task((int)command->cdb_len, command->cdb, directions[command->direction],
				(int)command->length);
	if (!task)
		return;
	if (iscsi_scsi_command_sync(iscsi->session, iscsi->lun, task,
				    command->direction == DIRECTION_OUT && command->length ? &out : NULL))
		take_answer(command, task);
	if (command->status == STATUS_LOST)
		printf("# iSCSI: %s\n", iscsi_get_error(iscsi->session));
	scsi_free_scsi_task(task);
}

static void iscsi_close(struct transport *transport)
{
	struct iscsi_transport *iscsi = (struct iscsi_transport *)transport;

	iscsi_logout_sync(iscsi->session);
	iscsi_destroy_context(iscsi->session);
	free(iscsi);
}

static struct iscsi_context *session_open(const char *url_text, const char *initiator, int *lun)
{
	struct iscsi_context *session = iscsi_create_context(initiator);
	struct iscsi_url *url = session ? iscsi_parse_full_url(session, url_text) : NULL;

	if (!url) {
		fprintf(stderr, "%s: not an iSCSI URL\n", url_text);
		return NULL;
	}
	iscsi_set_targetname(session, url->target);
	iscsi_set_session_type(session, ISCSI_SESSION_NORMAL);
	iscsi_set_header_digest(session, ISCSI_HEADER_DIGEST_NONE);
	iscsi_set_noautoreconnect(session, 1);
	iscsi_set_timeout(session, COMMAND_LIMIT);
	*lun = url->lun;
	if (iscsi_connect_sync(session, url->portal) || iscsi_login_sync(session)) {
		fprintf(stderr, "%s: %s\n", url_text, iscsi_get_error(session));
		iscsi_destroy_context(session);
		session = NULL;
	}
	iscsi_destroy_url(url);
	return session;
}

struct transport *iscsi_open(const char *url, const char *initiator)
{
	struct iscsi_transport *iscsi = calloc(1, sizeof(*iscsi));

	if (!iscsi)
		return NULL;
	iscsi->session = session_open(url, initiator, &iscsi->lun);
	if (!iscsi->session) {
		free(iscsi);
		return NULL;
	}
	iscsi->transport = (struct transport){
		.run = iscsi_run,
		.close = iscsi_close,
		.cdb_max = SCSI_CDB_MAX_SIZE,
		.exact = true,
	};
	return &iscsi->transport;
}
