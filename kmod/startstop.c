// SPDX-License-Identifier: GPL-2.0-only
/*
 * START STOP UNIT (SBC-3 5.25): the medium between READY and STOPPED (medium.h), and power conditions.
 *
 *	POWER CONDITION	  START	  what happens
 *	0h		    1	  READY
 *	0h		    0	  flush (unless NO_FLUSH), then STOPPED: NOT READY, INITIALIZING COMMAND REQUIRED,
 *				  until somebody starts it
 *	1h ACTIVE, 7h LU_CONTROL, Ah FORCE_IDLE_0, Bh FORCE_STANDBY_0   GOOD
 *	2h IDLE, 3h STANDBY   GOOD, after a flush
 *
 * A device in userspace has nothing that could save power, so that all power conditions are the active
 * one; the timers of the Power Condition page are off and cannot be changed.  The medium cannot be taken
 * out: LOEJ is refused.
 *
 * Context: execute, process context, no locks held.
 */
#include <target/target_core_fabric.h>
#include "opcode.h"
#include "scuse.h"
#include "sense.h"
#include "step.h"

/* Byte 1 */
#define SCUSE_START_IMMED 0x01
/* Byte 4 */
#define SCUSE_START_START    0x01
#define SCUSE_START_LOEJ     0x02
#define SCUSE_START_NO_FLUSH 0x04

enum scuse_power_condition {
	SCUSE_POWER_START_VALID = 0x0,
	SCUSE_POWER_ACTIVE = 0x1,
	SCUSE_POWER_IDLE = 0x2,
	SCUSE_POWER_STANDBY = 0x3,
	SCUSE_POWER_LU_CONTROL = 0x7,
	SCUSE_POWER_FORCE_IDLE = 0xa,
	SCUSE_POWER_FORCE_STANDBY = 0xb,
};

/*
 * Writes the cache out; the command ends when that is done, or with IMMED has been begun.
 */
static sense_reason_t scuse_start_flush(struct se_cmd *cmd)
{
	struct scuse_device *dev = to_scuse(cmd->se_dev);
	struct scuse_io io;
	sense_reason_t ret;

	if (!scuse_device_has(dev, SCUSE_FEATURE_FLUSH) || cmd->t_task_cdb[4] & SCUSE_START_NO_FLUSH) {
		target_complete_cmd(cmd, SAM_STAT_GOOD);
		return TCM_NO_SENSE;
	}
	if (!scuse_io_begin(&io, cmd, SCUSE_OP_FLUSH, &ret))
		return ret;
	return cmd->t_task_cdb[1] & SCUSE_START_IMMED ? scuse_step_background(&io) : scuse_io_submit(&io);
}

static sense_reason_t scuse_start_valid(struct se_cmd *cmd)
{
	struct scuse_device *dev = to_scuse(cmd->se_dev);
	sense_reason_t ret;

	if (cmd->t_task_cdb[4] & SCUSE_START_START) {
		scuse_medium_start(dev);
		target_complete_cmd(cmd, SAM_STAT_GOOD);
		return TCM_NO_SENSE;
	}
	/* First the state, so that nothing is written behind the flush. */
	scuse_medium_stop(dev);
	ret = scuse_start_flush(cmd);
	if (ret)
		scuse_medium_start(dev);
	return ret;
}

sense_reason_t scuse_execute_start_stop(struct se_cmd *cmd)
{
	u8 condition = cmd->t_task_cdb[4] >> 4;
	u8 modifier = cmd->t_task_cdb[3] & 0x0f;
	sense_reason_t ret;

	/* While the medium is made new that is the answer, whatever the CDB asks for (SBC-3 4.11). */
	if (!scuse_medium_idle(cmd, &ret))
		return ret;
	if (cmd->t_task_cdb[4] & SCUSE_START_LOEJ)
		return scuse_refuse_cdb(cmd, 4, 1);
	/* Only IDLE and STANDBY come in several depths; there is none that differs. */
	if (modifier)
		return scuse_refuse_cdb(cmd, 3, 3);
	if (scuse_offline(to_scuse(cmd->se_dev), cmd, &ret))
		return ret;
	switch (condition) {
	case SCUSE_POWER_START_VALID:
		return scuse_start_valid(cmd);
	case SCUSE_POWER_IDLE:
	case SCUSE_POWER_STANDBY:
		return scuse_start_flush(cmd);
	case SCUSE_POWER_ACTIVE:
	case SCUSE_POWER_LU_CONTROL:
	case SCUSE_POWER_FORCE_IDLE:
	case SCUSE_POWER_FORCE_STANDBY:
		target_complete_cmd(cmd, SAM_STAT_GOOD);
		return TCM_NO_SENSE;
	default:
		return scuse_refuse_cdb(cmd, 4, 7);
	}
}
