// SPDX-License-Identifier: GPL-2.0-only
/*
 * READ, WRITE (6, 10, 12, 16, 32) and SYNCHRONIZE CACHE (10, 16): commands that are one submission.
 *
 * Context: execute, process context, no locks held.  This is the hot path: no allocation but slot pages on
 * first use.
 */
#include <target/target_core_fabric.h>
#include "opcode.h"
#include "scuse.h"
#include "sense.h"
#include "step.h"

#define SCUSE_SYNC_IMMED 0x02

/*
 * scuse_cache_flags - SCUSE_SQE_F_FUA and _DPO for a command that moves blocks
 *
 * FUA means something only to a handler with a volatile cache; there it is also what WCE=0 means for writes
 * (SBC-3 6.4.5): they end when the blocks are on the medium.
 */
u16 scuse_cache_flags(struct se_cmd *cmd)
{
	struct scuse_device *dev = to_scuse(cmd->se_dev);
	const struct scuse_opcode *opcode = scuse_command(cmd);
	u8 options = 0;
	u16 flags = 0;

	if (opcode->flags & SCUSE_OPCODE_DPO)
		options = cmd->t_task_cdb[scuse_opcode_options_at(opcode)] &
			  opcode->usage[scuse_opcode_options_at(opcode)];
	if (options & SCUSE_OPTIONS_DPO)
		flags |= SCUSE_SQE_F_DPO;
	if (scuse_device_has(dev, SCUSE_FEATURE_FLUSH) &&
	    (options & SCUSE_OPTIONS_FUA || (opcode->flags & SCUSE_OPCODE_WRITES && !scuse_mode_wce(dev))))
		flags |= SCUSE_SQE_F_FUA;
	return flags;
}

static bool scuse_rw_begin(struct scuse_io *io, struct se_cmd *cmd, u8 op, sense_reason_t *ret)
{
	struct scuse_device *dev = to_scuse(cmd->se_dev);

	if (!scuse_io_begin(io, cmd, op, ret))
		return false;
	io->sqe.blocks = cmd->t_task_nolb;
	io->sqe.data_len = cmd->t_task_nolb << dev->block_shift;
	io->sqe.flags |= scuse_cache_flags(cmd);
	return true;
}

/* True if there is nothing to move; then the command has been ended, or *@ret says how to. */
static bool scuse_rw_done(struct se_cmd *cmd, sense_reason_t *ret)
{
	*ret = scuse_check_range(cmd, cmd->t_task_lba, cmd->t_task_nolb);
	if (*ret)
		return true;
	if (cmd->t_task_nolb && cmd->data_length)
		return false;
	target_complete_cmd(cmd, SAM_STAT_GOOD);
	return true;
}

/* The initiator gets data_length bytes, which may be less than the blocks that are read. */
sense_reason_t scuse_execute_read(struct se_cmd *cmd)
{
	struct scuse_io io;
	sense_reason_t ret;

	if (scuse_rw_done(cmd, &ret) || !scuse_rw_begin(&io, cmd, SCUSE_OP_READ, &ret))
		return ret;
	if (to_scuse(cmd->se_dev)->pi_type)
		return scuse_prot_read(&io);
	io.tag->sgl = cmd->t_data_sg;
	io.tag->nents = cmd->t_data_nents;
	io.tag->transfer = cmd->data_length;
	return scuse_io_submit(&io);
}

/* The initiator has sent data_length bytes, which may be more than the blocks that are written. */
sense_reason_t scuse_execute_write(struct se_cmd *cmd)
{
	struct scuse_io io;
	sense_reason_t ret;
	int error;

	if (scuse_rw_done(cmd, &ret) || !scuse_rw_begin(&io, cmd, SCUSE_OP_WRITE, &ret))
		return ret;
	if (to_scuse(cmd->se_dev)->pi_type)
		return scuse_prot_write(&io);
	error = scuse_slot_refill(&io);
	if (error) {
		scuse_io_abandon(&io);
		return error == -ENOMEM ? TCM_OUT_OF_RESOURCES : TCM_INVALID_FIELD_IN_COMMAND_IU;
	}
	io.tag->refill = scuse_slot_refill;
	return scuse_io_submit(&io);
}

/* SBC-3 5.19.  With IMMED nobody waits for the blocks to be on the medium. */
sense_reason_t scuse_execute_sync_cache(struct se_cmd *cmd)
{
	struct scuse_io io;
	sense_reason_t ret = scuse_check_range(cmd, cmd->t_task_lba, cmd->t_task_nolb);

	if (ret)
		return ret;
	if (!scuse_device_has(to_scuse(cmd->se_dev), SCUSE_FEATURE_FLUSH)) {
		target_complete_cmd(cmd, SAM_STAT_GOOD);
		return TCM_NO_SENSE;
	}
	if (!scuse_io_begin(&io, cmd, SCUSE_OP_FLUSH, &ret))
		return ret;
	io.sqe.blocks = cmd->t_task_nolb;
	return cmd->t_task_cdb[1] & SCUSE_SYNC_IMMED ? scuse_step_background(&io) : scuse_io_submit(&io);
}
