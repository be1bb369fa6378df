// SPDX-License-Identifier: GPL-2.0-only
/*
 * REQUEST SENSE (SPC-4 6.39): the next pending unit attention, which it clears; else what keeps the medium
 * from being accessible; else NO SENSE.  Called as an execute function (process context).  Core's own unit
 * attentions have been taken over when the command was parsed.
 */
#include "nexus.h"
#include "scuse.h"
#include "sense.h"

#define SCUSE_DESC 0x01 /* byte 1: descriptor format */

/*
 * The initiator says which format it wants, so the rule that some unit attentions are always in fixed
 * format does not hold here.
 */
static sense_reason_t scuse_request_sense_reply(struct se_cmd *cmd, const struct scuse_sense *sense)
{
	u8 buffer[SCUSE_SENSE_BUFFER] = {};
	u32 length;

	if (cmd->t_task_cdb[1] & SCUSE_DESC)
		length = scuse_sense_build_descriptor(buffer, sense);
	else
		length = scuse_sense_build_fixed(buffer, sense);
	return scuse_reply(cmd, buffer, length);
}

static bool scuse_request_sense_attention(struct se_cmd *cmd, struct scuse_sense *sense)
{
	struct scuse_ua_code code;

	if (!scuse_ua_take(cmd, &code))
		return false;
	sense->key = SCUSE_KEY_UNIT_ATTENTION;
	sense->asc = code.asc;
	sense->ascq = code.ascq;
	return true;
}

sense_reason_t scuse_execute_request_sense(struct se_cmd *cmd)
{
	struct scuse_sense sense = { .key = SCUSE_KEY_NO_SENSE };

	if (!scuse_request_sense_attention(cmd, &sense))
		scuse_medium_sense(to_scuse(cmd->se_dev), &sense);
	return scuse_request_sense_reply(cmd, &sense);
}

/*
 * scuse_request_sense_pending - of a raw LUN: is there something that its device does not know?
 *
 * True: it has been reported, and the command has been ended: a unit attention, or that nobody serves the
 * LUN.
 */
bool scuse_request_sense_pending(struct se_cmd *cmd)
{
	struct scuse_device *dev = to_scuse(cmd->se_dev);
	struct scuse_sense sense = { .key = SCUSE_KEY_NOT_READY, .asc = 0x04 };

	if (!scuse_request_sense_attention(cmd, &sense) && READ_ONCE(dev->state) == SCUSE_STATE_ONLINE)
		return false;
	scuse_request_sense_reply(cmd, &sense);
	return true;
}
