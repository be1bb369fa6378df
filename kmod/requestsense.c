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
sense_reason_t scuse_execute_request_sense(struct se_cmd *cmd)
{
	struct scuse_sense sense = { .key = SCUSE_KEY_NO_SENSE };
	u8 buffer[SCUSE_SENSE_BUFFER] = {};
	struct scuse_ua_code code;
	u32 length;

	if (scuse_ua_take(cmd, &code)) {
		sense.key = SCUSE_KEY_UNIT_ATTENTION;
		sense.asc = code.asc;
		sense.ascq = code.ascq;
	} else {
		scuse_medium_sense(to_scuse(cmd->se_dev), &sense);
	}
	if (cmd->t_task_cdb[1] & SCUSE_DESC)
		length = scuse_sense_build_descriptor(buffer, &sense);
	else
		length = scuse_sense_build_fixed(buffer, &sense);
	return scuse_reply(cmd, buffer, length);
}
