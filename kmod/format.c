// SPDX-License-Identifier: GPL-2.0-only
/*
 * FORMAT UNIT (SBC-3 5.3).  The handler makes the medium as new in one submission.  There are no defects, so
 * that of the parameter list only the header means anything; the type of protection information is set when
 * the device is made, and must be the one that the command asks for.
 *
 * With IMMED the status is sent when the work begins; what became of it is in the state of the medium
 * (medium.h).
 *
 * Context: execute, then steps (step.h).
 */
#include <scsi/scsi_proto.h>
#include <target/target_core_fabric.h>
#include "opcode.h"
#include "step.h"

/* Byte 1 of the CDB */
#define SCUSE_FORMAT_FMTPINFO 6 /* bits to shift */
#define SCUSE_FORMAT_LONGLIST 0x20
#define SCUSE_FORMAT_FMTDATA  0x10
#define SCUSE_FORMAT_CMPLST   0x08
#define SCUSE_FORMAT_DEFECTS  0x07

/* The parameter list's header */
#define SCUSE_FORMAT_USAGE   0x07 /* byte 0: PROTECTION FIELD USAGE */
#define SCUSE_FORMAT_FOV     0x80 /* byte 1 */
#define SCUSE_FORMAT_OPTIONS 0x78 /* DPRY, DCRT, STPF, IP: valid with FOV only */
#define SCUSE_FORMAT_IP	     0x08
#define SCUSE_FORMAT_IMMED   0x02
#define SCUSE_FORMAT_SHORT   4 /* bytes */
#define SCUSE_FORMAT_LONG    8

u64 scuse_format_length(struct scuse_device *dev, const u8 *cdb)
{
	if (!(cdb[1] & SCUSE_FORMAT_FMTDATA))
		return 0;
	return cdb[1] & SCUSE_FORMAT_LONGLIST ? SCUSE_FORMAT_LONG : SCUSE_FORMAT_SHORT;
}

/* SBC-3 table 40: what FMTPINFO and PROTECTION FIELD USAGE have to be for a type of protection. */
static bool scuse_format_protection(u8 type, u8 *info, u8 *usage)
{
	static const u8 infos[] = { 0, 2, 3, 3 };
	static const u8 usages[] = { 0, 0, 0, 1 };

	if (type >= ARRAY_SIZE(infos))
		return false;
	*info = infos[type];
	*usage = usages[type];
	return true;
}

/* True if the command has been refused because of its CDB. */
static bool scuse_format_cdb_refused(struct se_cmd *cmd, u8 info)
{
	const u8 *cdb = cmd->t_task_cdb;

	if (cdb[1] >> SCUSE_FORMAT_FMTPINFO != info) {
		scuse_refuse_cdb(cmd, 1, 7);
		return true;
	}
	if (cdb[1] & SCUSE_FORMAT_FMTDATA)
		return false;
	if (cdb[1] & SCUSE_FORMAT_LONGLIST) {
		scuse_refuse_cdb(cmd, 1, 5);
		return true;
	}
	if (cdb[1] & (SCUSE_FORMAT_CMPLST | SCUSE_FORMAT_DEFECTS)) {
		scuse_refuse_cdb(cmd, 1, cdb[1] & SCUSE_FORMAT_CMPLST ? 3 : 2);
		return true;
	}
	return false;
}

/* Byte 3 of a long header: P_I_INFORMATION and PROTECTION INTERVAL EXPONENT; then DEFECT LIST LENGTH. */
static bool scuse_format_defects_refused(struct se_cmd *cmd, const u8 *list, bool is_long)
{
	u32 defects = is_long ? get_unaligned_be32(&list[4]) : get_unaligned_be16(&list[2]);

	if (is_long && list[2]) {
		scuse_refuse_parameter(cmd, 2, SCUSE_SENSE_NO_BIT);
		return true;
	}
	if (is_long && list[3]) {
		scuse_refuse_parameter(cmd, 3, SCUSE_SENSE_NO_BIT);
		return true;
	}
	if (defects) {
		scuse_refuse_parameter(cmd, is_long ? 4 : 2, SCUSE_SENSE_NO_BIT);
		return true;
	}
	return false;
}

/* True if the command has been refused because of its parameter list. */
static bool scuse_format_list_refused(struct se_cmd *cmd, const u8 *list, bool is_long, u8 usage)
{
	if (list[0] != usage) {
		bool reserved = list[0] & ~SCUSE_FORMAT_USAGE;

		scuse_refuse_parameter(cmd, 0, reserved ? SCUSE_SENSE_NO_BIT : 2);
		return true;
	}
	/* Nothing is certified, and zeros are the only initialization pattern. */
	if (list[1] & SCUSE_FORMAT_IP || (!(list[1] & SCUSE_FORMAT_FOV) && list[1] & SCUSE_FORMAT_OPTIONS)) {
		scuse_refuse_parameter(cmd, 1, fls(list[1] & SCUSE_FORMAT_OPTIONS) - 1);
		return true;
	}
	if (list[1] & 0x05) {
		scuse_refuse_parameter(cmd, 1, fls(list[1] & 0x05) - 1);
		return true;
	}
	return scuse_format_defects_refused(cmd, list, is_long);
}

static void scuse_format_step(struct scuse_io *io)
{
	struct scuse_device *dev = io->queue->dev;

	/* SCUSE_OP_NONE: it never began, see scuse_tag_refuse(). */
	if (io->tag->status == SAM_STAT_GOOD)
		scuse_medium_end(dev, SCUSE_MEDIUM_READY);
	else
		scuse_medium_end(dev,
				 io->tag->op == SCUSE_OP_NONE ? io->tag->done : SCUSE_MEDIUM_FORMAT_FAILED);
	scuse_tag_end(io->queue, io->tag);
}

static sense_reason_t scuse_format_begin(struct se_cmd *cmd, bool immediate)
{
	struct scuse_device *dev = to_scuse(cmd->se_dev);
	struct scuse_io io;
	sense_reason_t ret;
	u32 before;

	if (!scuse_medium_begin(cmd, SCUSE_MEDIUM_FORMATTING, &before, &ret))
		return ret;
	if (!scuse_io_begin(&io, cmd, SCUSE_OP_FORMAT, &ret)) {
		scuse_medium_end(dev, before);
		return ret;
	}
	io.sqe.lba = 0;
	io.tag->done = before;
	io.tag->step = scuse_format_step;
	ret = immediate ? scuse_step_background(&io) : scuse_io_submit(&io);
	if (ret)
		scuse_medium_end(dev, before);
	return ret;
}

sense_reason_t scuse_execute_format(struct se_cmd *cmd)
{
	bool is_long = cmd->t_task_cdb[1] & SCUSE_FORMAT_LONGLIST;
	u8 list[SCUSE_FORMAT_LONG] = {};
	u8 info, usage;

	if (!scuse_format_protection(to_scuse(cmd->se_dev)->pi_type, &info, &usage))
		return TCM_LOGICAL_UNIT_COMMUNICATION_FAILURE;
	if (scuse_format_cdb_refused(cmd, info))
		return TCM_NO_SENSE;
	/* Without a list the default protection is none, or what FMTPINFO says alone. */
	if (!(cmd->t_task_cdb[1] & SCUSE_FORMAT_FMTDATA)) {
		if (usage)
			return scuse_refuse_cdb(cmd, 1, 7);
		return scuse_format_begin(cmd, false);
	}
	scuse_parameters(cmd, list, is_long ? SCUSE_FORMAT_LONG : SCUSE_FORMAT_SHORT);
	if (scuse_format_list_refused(cmd, list, is_long, usage))
		return TCM_NO_SENSE;
	return scuse_format_begin(cmd, list[1] & SCUSE_FORMAT_IMMED);
}
