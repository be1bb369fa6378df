// SPDX-License-Identifier: GPL-2.0-only
/*
 * Ends commands with sense data of our own or of userspace.  Process context, no locks held.
 */
#include <linux/string.h>
#include <scsi/scsi_common.h>
#include <scsi/scsi_proto.h>
#include "scuse.h"
#include "sense.h"

/*
 * Without SCF_TREAT_READ_AS_NORMAL no fabric sends data along with CHECK CONDITION.  The residual has to say
 * so: from sense data with an LBA in INFORMATION, an initiator concludes that all blocks before it have
 * arrived, as far as the residual allows.
 */
static void scuse_end_no_data(struct se_cmd *cmd)
{
	if (cmd->data_direction != DMA_FROM_DEVICE || !cmd->data_length ||
	    cmd->se_cmd_flags & SCF_TREAT_READ_AS_NORMAL)
		return;
	if (!(cmd->se_cmd_flags & SCF_UNDERFLOW_BIT))
		cmd->residual_count = 0;
	cmd->se_cmd_flags &= ~SCF_OVERFLOW_BIT;
	cmd->se_cmd_flags |= SCF_UNDERFLOW_BIT;
	cmd->residual_count += cmd->data_length;
}

/* @sense has TRANSPORT_SENSE_BUFFER bytes. */
static void scuse_end_check(struct se_cmd *cmd, u8 *sense)
{
	scuse_end_no_data(cmd);
	transport_copy_sense_to_cmd(cmd, sense);
	target_complete_cmd(cmd, SAM_STAT_CHECK_CONDITION);
}

sense_reason_t scuse_end_sense(struct se_cmd *cmd, const struct scuse_sense *sense)
{
	u8 buffer[TRANSPORT_SENSE_BUFFER] = {};

	scuse_sense_build(buffer, sense, scuse_mode_d_sense(to_scuse(cmd->se_dev)));
	scuse_end_check(cmd, buffer);
	return TCM_NO_SENSE;
}

sense_reason_t scuse_end_with_sense(struct se_cmd *cmd, u8 key, u8 asc, u8 ascq)
{
	struct scuse_sense sense = { .key = key, .asc = asc, .ascq = ascq };

	return scuse_end_sense(cmd, &sense);
}

static sense_reason_t scuse_refuse_field(struct se_cmd *cmd, u8 asc, enum scuse_sense_specific specific,
					 u16 byte, u8 bit)
{
	struct scuse_sense sense = {
		.key = SCUSE_KEY_ILLEGAL_REQUEST, .asc = asc, .specific = specific, .field = byte, .bit = bit
	};

	return scuse_end_sense(cmd, &sense);
}

sense_reason_t scuse_refuse_cdb(struct se_cmd *cmd, u16 byte, u8 bit)
{
	return scuse_refuse_field(cmd, 0x24, SCUSE_SENSE_CDB_FIELD, byte, bit);
}

sense_reason_t scuse_refuse_parameter(struct se_cmd *cmd, u16 byte, u8 bit)
{
	return scuse_refuse_field(cmd, 0x26, SCUSE_SENSE_LIST_FIELD, byte, bit);
}

/* What core's reasons mean (target_core_base.h); those that are a status and no sense data are left out. */
static const struct scuse_reason {
	sense_reason_t reason;
	u8 key;
	u8 asc;
	u8 ascq;
} scuse_reasons[] = {
	{ TCM_UNSUPPORTED_SCSI_OPCODE, SCUSE_KEY_ILLEGAL_REQUEST, 0x20, 0x00 },
	{ TCM_INVALID_CDB_FIELD, SCUSE_KEY_ILLEGAL_REQUEST, 0x24, 0x00 },
	{ TCM_UNKNOWN_MODE_PAGE, SCUSE_KEY_ILLEGAL_REQUEST, 0x24, 0x00 },
	{ TCM_INVALID_PARAMETER_LIST, SCUSE_KEY_ILLEGAL_REQUEST, 0x26, 0x00 },
	{ TCM_TOO_MANY_TARGET_DESCS, SCUSE_KEY_ILLEGAL_REQUEST, 0x26, 0x06 },
	{ TCM_UNSUPPORTED_TARGET_DESC_TYPE_CODE, SCUSE_KEY_ILLEGAL_REQUEST, 0x26, 0x07 },
	{ TCM_TOO_MANY_SEGMENT_DESCS, SCUSE_KEY_ILLEGAL_REQUEST, 0x26, 0x08 },
	{ TCM_UNSUPPORTED_SEGMENT_DESC_TYPE_CODE, SCUSE_KEY_ILLEGAL_REQUEST, 0x26, 0x09 },
	{ TCM_PARAMETER_LIST_LENGTH_ERROR, SCUSE_KEY_ILLEGAL_REQUEST, 0x1a, 0x00 },
	{ TCM_ADDRESS_OUT_OF_RANGE, SCUSE_KEY_ILLEGAL_REQUEST, 0x21, 0x00 },
	{ TCM_INVALID_FIELD_IN_COMMAND_IU, SCUSE_KEY_ILLEGAL_REQUEST, 0x0e, 0x03 },
	{ TCM_INSUFFICIENT_REGISTRATION_RESOURCES, SCUSE_KEY_ILLEGAL_REQUEST, 0x55, 0x04 },
	{ TCM_WRITE_PROTECTED, SCUSE_KEY_DATA_PROTECT, 0x27, 0x00 },
	{ TCM_COPY_TARGET_DEVICE_NOT_REACHABLE, SCUSE_KEY_COPY_ABORTED, 0x0d, 0x02 },
	{ TCM_LOGICAL_UNIT_COMMUNICATION_FAILURE, SCUSE_KEY_NOT_READY, 0x08, 0x00 },
	{ TCM_LOGICAL_BLOCK_GUARD_CHECK_FAILED, SCUSE_KEY_ABORTED_COMMAND, 0x10, 0x01 },
	{ TCM_LOGICAL_BLOCK_APP_TAG_CHECK_FAILED, SCUSE_KEY_ABORTED_COMMAND, 0x10, 0x02 },
	{ TCM_LOGICAL_BLOCK_REF_TAG_CHECK_FAILED, SCUSE_KEY_ABORTED_COMMAND, 0x10, 0x03 },
};

/* Protection errors say in which block, see sbc_dif_verify(). */
static bool scuse_reason_has_information(sense_reason_t reason)
{
	return reason == TCM_LOGICAL_BLOCK_GUARD_CHECK_FAILED ||
	       reason == TCM_LOGICAL_BLOCK_APP_TAG_CHECK_FAILED ||
	       reason == TCM_LOGICAL_BLOCK_REF_TAG_CHECK_FAILED;
}

/*
 * scuse_end_reason - end a command as @reason says, with sense data of our own
 *
 * Returns TCM_NO_SENSE, or @reason if it is a status (BUSY, TASK SET FULL, RESERVATION CONFLICT), which core
 * is to send.
 */
sense_reason_t scuse_end_reason(struct se_cmd *cmd, sense_reason_t reason)
{
	struct scuse_sense sense = {};
	u32 i;

	for (i = 0; i < ARRAY_SIZE(scuse_reasons); i++) {
		if (scuse_reasons[i].reason != reason)
			continue;
		sense.key = scuse_reasons[i].key;
		sense.asc = scuse_reasons[i].asc;
		sense.ascq = scuse_reasons[i].ascq;
		if (scuse_reason_has_information(reason)) {
			sense.has_information = true;
			sense.information = cmd->sense_info;
		}
		return scuse_end_sense(cmd, &sense);
	}
	if (reason == TCM_LUN_BUSY)
		scuse_ua_status(cmd, SAM_STAT_BUSY);
	else if (reason == TCM_OUT_OF_RESOURCES)
		scuse_ua_status(cmd, SAM_STAT_TASK_SET_FULL);
	return reason;
}

/*
 * @sense: a private copy of what userspace gave, of SCUSE_SENSE_MAX bytes, zero after @length; see
 * sense.h
 */
void scuse_end_with_user_sense(struct se_cmd *cmd, u8 *sense, u32 length, enum scuse_sense_trust trust)
{
	struct scuse_device *dev = to_scuse(cmd->se_dev);

	BUILD_BUG_ON(SCUSE_SENSE_MAX != TRANSPORT_SENSE_BUFFER);

	switch (scuse_sense_check(sense, length, trust)) {
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
