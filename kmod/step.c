// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the commands with several submissions have in common (step.h).  Process context, no locks held.
 */
#include <scsi/scsi_proto.h>
#include <target/target_core_backend.h>
#include <target/target_core_fabric.h>
#include "step.h"

/* Has the last submission failed?  Then the command has been ended with what userspace said. */
bool scuse_step_failed(struct scuse_io *io)
{
	if (io->tag->status == SAM_STAT_GOOD)
		return false;
	scuse_tag_end(io->queue, io->tag);
	return true;
}

/*
 * scuse_step_submit - hand the next submission to userspace; its completion leads to @next
 * @refill: as in struct scuse_tag
 *
 * The caller has filled in io->sqe and, if there is data, the slot.
 */
void scuse_step_submit(struct scuse_io *io, scuse_step next, int (*refill)(struct scuse_io *io))
{
	if (scuse_io_back(io)) {
		scuse_step_no_memory(io);
		return;
	}
	io->tag->step = next;
	io->tag->refill = refill;
	/* Core does not send the status of a command that has been aborted. */
	if (scuse_given_up(io->cmd) || !scuse_io_again(io))
		scuse_step_end(io, SAM_STAT_BUSY);
}

/*
 * scuse_step_background - as scuse_io_submit(), but the command is answered with GOOD at once
 *
 * What goes on has a tag but no command: its steps find io->cmd NULL, and the end of the tag is all of its
 * end.  The session waits for the tag, and keeps device and module.
 */
sense_reason_t scuse_step_background(struct scuse_io *io)
{
	struct se_cmd *cmd = io->cmd;
	sense_reason_t ret;

	io->tag->cmd = NULL;
	ret = scuse_io_submit(io);
	if (!ret)
		target_complete_cmd(cmd, SAM_STAT_GOOD);
	return ret;
}

void scuse_step_end(struct scuse_io *io, u8 status)
{
	struct scuse_queue_stats stats = { .errors = status != SAM_STAT_GOOD };
	struct se_cmd *cmd = io->cmd;

	scuse_tag_put(io->queue, io->tag, &stats);
	if (cmd)
		target_complete_cmd(cmd, status);
}

void scuse_step_end_sense(struct scuse_io *io, const struct scuse_sense *sense)
{
	struct scuse_queue_stats stats = { .errors = 1 };
	struct se_cmd *cmd = io->cmd;

	scuse_tag_put(io->queue, io->tag, &stats);
	if (cmd)
		scuse_end_sense(cmd, sense);
}

/* SBC-3 5.2, 5.30: INFORMATION has the offset of the first byte that differs. */
void scuse_step_miscompare(struct scuse_io *io, u64 offset)
{
	struct scuse_sense sense = {
		.key = SCUSE_KEY_MISCOMPARE,
		.asc = 0x1d, /* MISCOMPARE DURING VERIFY OPERATION */
		.has_information = true,
		.information = offset,
	};

	scuse_step_end_sense(io, &sense);
}

/* As for a first submission whose slot gets no memory: the initiator is to come again. */
void scuse_step_no_memory(struct scuse_io *io)
{
	scuse_step_end(io, SAM_STAT_TASK_SET_FULL);
}

/*
 * scuse_step_wanted - for execute functions: is there work to do?
 *
 * False: the blocks are beyond the capacity, and *@ret says so, or there are none, and the command has been
 * ended with GOOD.
 */
bool scuse_step_wanted(struct se_cmd *cmd, sense_reason_t *ret)
{
	*ret = scuse_check_range(cmd, cmd->t_task_lba, cmd->t_task_nolb);
	if (*ret)
		return false;
	if (cmd->t_task_nolb)
		return true;
	target_complete_cmd(cmd, SAM_STAT_GOOD);
	return false;
}

/* Sets up a submission for the next blocks of the command, from io->tag->done on, as many as a slot holds. */
void scuse_step_blocks(struct scuse_io *io, u8 op)
{
	struct scuse_device *dev = io->queue->dev;
	u64 left = io->cmd->t_task_nolb - io->tag->done;

	io->sqe.op = op;
	io->sqe.lba = io->cmd->t_task_lba + io->tag->done;
	io->sqe.blocks = min_t(u64, left, dev->max_transfer >> dev->block_shift);
	io->sqe.data_len = io->sqe.blocks << dev->block_shift;
}

/* Gives the tag back; returns what core is to say if filling a slot fails with @error. */
sense_reason_t scuse_slot_error(struct scuse_io *io, int error)
{
	scuse_io_abandon(io);
	return error == -ENOMEM ? TCM_OUT_OF_RESOURCES : TCM_INVALID_FIELD_IN_COMMAND_IU;
}

/*
 * The commands with several submissions move no protection information: RDPROTECT, WRPROTECT, VRPROTECT
 * and ORPROTECT, in bits 7 to 5 of @byte, must be 000b.  False: the command has been refused.
 */
bool scuse_protect_ok(struct se_cmd *cmd, u16 byte)
{
	if (!(cmd->t_task_cdb[byte] & 0xe0))
		return true;
	scuse_refuse_cdb(cmd, byte, 7);
	return false;
}
