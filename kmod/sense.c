// SPDX-License-Identifier: GPL-2.0-only
/*
 * Ends commands with sense data of our own or of userspace.  Process context, no locks held.
 *
 * A trap: core runs COMPARE AND WRITE under a semaphore that only the command's completion callback
 * gives back, and it does not call that for a command with sense data of its own.  For one without,
 * newer kernels warn in the callback, and all replace the sense data.  So we give the semaphore back in
 * its place.
 */
#include <linux/string.h>
#include <scsi/scsi_common.h>
#include <scsi/scsi_proto.h>
#include "scuse.h"
#include "sense.h"

/* @sense has TRANSPORT_SENSE_BUFFER bytes. */
static void scuse_end_check(struct se_cmd *cmd, u8 *sense)
{
	/*
	 * In both its steps, read and write, the semaphore is held whenever a command of the kind is
	 * with us.
	 */
	if (cmd->se_cmd_flags & SCF_COMPARE_AND_WRITE && cmd->transport_complete_callback) {
		cmd->transport_complete_callback = NULL;
		up(&cmd->se_dev->caw_sem);
	}
	transport_copy_sense_to_cmd(cmd, sense);
	target_complete_cmd(cmd, SAM_STAT_CHECK_CONDITION);
}

void scuse_end_with_sense(struct se_cmd *cmd, u8 key, u8 asc, u8 ascq)
{
	u8 sense[TRANSPORT_SENSE_BUFFER] = {};

	scsi_build_sense_buffer(0, sense, key, asc, ascq);
	scuse_end_check(cmd, sense);
}

/*
 * @sense: a private copy of what userspace gave, of SCUSE_SENSE_MAX bytes, zero after @length; see
 * sense.h
 */
void scuse_end_with_user_sense(struct scuse_device *dev, struct se_cmd *cmd, u8 *sense, u32 length)
{
	BUILD_BUG_ON(SCUSE_SENSE_MAX != TRANSPORT_SENSE_BUFFER);

	switch (scuse_sense_check(sense, length)) {
	case SCUSE_SENSE_OK:
		scuse_end_check(cmd, sense);
		return;
	case SCUSE_SENSE_FORGED:
		pr_warn_ratelimited("%s: the handler sent a unit attention; these are not its to send\n",
				    dev->name);
		break;
	default:
		pr_warn_ratelimited("%s: the handler sent sense data with response code %02xh\n", dev->name,
				    sense[0]);
		break;
	}
	scuse_end_with_sense(cmd, SCUSE_KEY_HARDWARE_ERROR, 0x44, 0x00);
}
