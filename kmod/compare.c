// SPDX-License-Identifier: GPL-2.0-only
/*
 * Commands that change blocks depending on what is there, or wholly or not at all: COMPARE AND WRITE (SBC-3
 * 5.2), ORWRITE (16) (SBC-3 5.12) and WRITE ATOMIC (16) (SBC-4 5.54).
 *
 *	COMPARE AND WRITE  READ -> compare with the first half of the data -> WRITE the second half
 *	ORWRITE            READ -> OR the data onto it -> WRITE
 *	WRITE ATOMIC       WRITE, all or nothing
 *
 * The claim that the tag carries (range.h) keeps others away from the blocks from the first submission to
 * the end; what the handler does about a loss of power is its own.
 *
 * Context: execute, then steps (step.h).
 */
#include <scsi/scsi_proto.h>
#include <target/target_core_fabric.h>
#include "opcode.h"
#include "step.h"

/* Blocks of one COMPARE AND WRITE at most (VPD page B0h): what its CDB can say; the data is twice as long. */
u32 scuse_max_compare_blocks(struct scuse_device *dev)
{
	return min_t(u32, dev->max_transfer / 2 >> dev->block_shift, U8_MAX);
}

bool scuse_offers_compare(struct scuse_device *dev)
{
	return READ_ONCE(dev->se_dev.dev_attrib.emulate_caw);
}

/* Blocks of one atomic write at most (VPD page B0h); 0: there are none. */
u32 scuse_max_atomic_blocks(struct scuse_device *dev)
{
	u32 most = dev->max_transfer >> dev->block_shift;
	u32 said = READ_ONCE(dev->applied.max_atomic_blocks);

	if (!scuse_device_has(dev, SCUSE_FEATURE_ATOMIC))
		return 0;
	return said ? min(said, most) : most;
}

/*
 * The end of the second half, WRITE.  If the session has ended meanwhile, and no other one may carry the
 * WRITE out, nobody knows whether the blocks were written: BUSY would make the initiator try again and find its own
 * data, a miscompare.
 */
static void scuse_compare_written(struct scuse_io *io)
{
	static const struct scuse_sense unknown = {
		.key = SCUSE_KEY_ABORTED_COMMAND, .asc = 0x44, /* INTERNAL TARGET FAILURE */
	};

	if (io->tag->op != SCUSE_OP_NONE && (io->tag->lost || io->tag->status == SAM_STAT_BUSY))
		scuse_step_end_sense(io, &unknown);
	else
		scuse_tag_end(io->queue, io->tag);
}

/* The second half of the data, once more: the first one has been found the same. */
static int scuse_compare_refill(struct scuse_io *io)
{
	struct scuse_sg cursor;

	scuse_sg_start(&cursor, io->cmd->t_data_sg, io->cmd->t_data_nents);
	scuse_sg_skip(&cursor, io->sqe.data_len);
	return scuse_slot_load(io, &cursor, io->sqe.data_len);
}

static void scuse_compare_step(struct scuse_io *io)
{
	u32 length = io->tag->data_len;
	struct scuse_sg cursor;
	u32 same;

	if (scuse_step_failed(io))
		return;
	scuse_sg_start(&cursor, io->cmd->t_data_sg, io->cmd->t_data_nents);
	same = scuse_slot_compare(io, 0, &cursor, length);
	if (same < length) {
		scuse_step_miscompare(io, same);
		return;
	}
	if (scuse_slot_load(io, &cursor, length)) {
		scuse_step_no_memory(io);
		return;
	}
	scuse_step_blocks(io, SCUSE_OP_WRITE);
	io->sqe.flags |= scuse_cache_flags(io->cmd);
	scuse_step_submit(io, scuse_compare_written, scuse_compare_refill);
}

/* Reads the blocks, with nobody else at them until the command ends, and goes on with @step. */
static sense_reason_t scuse_update_begin(struct se_cmd *cmd, void (*step)(struct scuse_io *io))
{
	struct scuse_io io;
	sense_reason_t ret;

	if (!scuse_protect_ok(cmd, 1))
		return TCM_NO_SENSE;
	if (!scuse_step_wanted(cmd, &ret) ||
	    !scuse_io_begin_as(&io, cmd, SCUSE_OP_READ, SCUSE_ACCESS_UPDATE, &ret))
		return ret;
	scuse_step_blocks(&io, SCUSE_OP_READ);
	io.tag->step = step;
	return scuse_io_submit(&io);
}

sense_reason_t scuse_execute_compare_and_write(struct se_cmd *cmd)
{
	if (cmd->t_task_nolb > scuse_max_compare_blocks(to_scuse(cmd->se_dev)))
		return scuse_refuse_cdb(cmd, scuse_command(cmd)->count.at, SCUSE_SENSE_NO_BIT);
	return scuse_update_begin(cmd, scuse_compare_step);
}

static void scuse_orwrite_step(struct scuse_io *io);

/* What was read is gone: from the beginning.  Blocks that have been written already do not change any more. */
static int scuse_orwrite_refill(struct scuse_io *io)
{
	io->sqe.op = SCUSE_OP_READ;
	io->sqe.flags &= ~(SCUSE_SQE_F_FUA | SCUSE_SQE_F_DPO);
	io->tag->step = scuse_orwrite_step;
	io->tag->refill = NULL;
	return 0;
}

static void scuse_orwrite_step(struct scuse_io *io)
{
	struct scuse_sg cursor;

	if (scuse_step_failed(io))
		return;
	scuse_sg_start(&cursor, io->cmd->t_data_sg, io->cmd->t_data_nents);
	if (scuse_slot_or(io, &cursor, io->tag->data_len)) {
		scuse_step_no_memory(io);
		return;
	}
	scuse_step_blocks(io, SCUSE_OP_WRITE);
	io->sqe.flags |= scuse_cache_flags(io->cmd);
	/* A repetition does no harm: BUSY is a good answer if the session ends. */
	scuse_step_submit(io, NULL, scuse_orwrite_refill);
}

sense_reason_t scuse_execute_orwrite(struct se_cmd *cmd)
{
	return scuse_update_begin(cmd, scuse_orwrite_step);
}

/* The limits of VPD page B0h; true if the command has been refused. */
static bool scuse_atomic_refused(struct se_cmd *cmd)
{
	struct scuse_device *dev = to_scuse(cmd->se_dev);
	const struct scuse_opcode *opcode = scuse_command(cmd);
	u32 alignment = READ_ONCE(dev->applied.atomic_alignment);
	u32 granularity = READ_ONCE(dev->applied.atomic_granularity);
	u32 rest = 0;

	if (alignment)
		div_u64_rem(cmd->t_task_lba, alignment, &rest);
	if (rest) {
		scuse_refuse_cdb(cmd, opcode->lba.at, SCUSE_SENSE_NO_BIT);
		return true;
	}
	if (cmd->t_task_nolb > scuse_max_atomic_blocks(dev) ||
	    (granularity && cmd->t_task_nolb % granularity)) {
		scuse_refuse_cdb(cmd, opcode->count.at, SCUSE_SENSE_NO_BIT);
		return true;
	}
	return false;
}

/* ATOMIC BOUNDARY is refused as a reserved field: MAXIMUM ATOMIC BOUNDARY SIZE is 0. */
sense_reason_t scuse_execute_write_atomic(struct se_cmd *cmd)
{
	struct scuse_io io;
	sense_reason_t ret;
	int error;

	if (scuse_atomic_refused(cmd))
		return TCM_NO_SENSE;
	if (!scuse_protect_ok(cmd, 1))
		return TCM_NO_SENSE;
	if (!scuse_step_wanted(cmd, &ret) ||
	    !scuse_io_begin_as(&io, cmd, SCUSE_OP_WRITE, SCUSE_ACCESS_ATOMIC, &ret))
		return ret;
	scuse_step_blocks(&io, SCUSE_OP_WRITE);
	io.sqe.flags |= scuse_cache_flags(cmd) | SCUSE_SQE_F_ATOMIC;
	error = scuse_slot_refill(&io);
	if (error)
		return scuse_slot_error(&io, error);
	io.tag->refill = scuse_slot_refill;
	return scuse_io_submit(&io);
}
