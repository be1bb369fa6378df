// SPDX-License-Identifier: GPL-2.0-only
/*
 * VERIFY (10, 12, 16; SBC-3 5.30) and WRITE AND VERIFY (10, 12, 16; SBC-3 5.44).
 *
 *	VERIFY            READ -> compare -> READ -> compare ... (as much at a time as a slot holds)
 *	WRITE AND VERIFY  WRITE -> READ -> compare
 *
 * BYTCHK says what is compared: 00b nothing (the blocks are read, which the handler may find impossible), 01b
 * with as many blocks from the initiator, 11b each block with the one that came from the initiator.
 *
 * Context: execute, then steps (step.h).
 */
#include <scsi/scsi_proto.h>
#include <target/target_core_fabric.h>
#include "opcode.h"
#include "step.h"

enum scuse_byte_check {
	SCUSE_CHECK_MEDIUM = 0,
	SCUSE_CHECK_DATA = 1,
	SCUSE_CHECK_ONE_BLOCK = 3,
};

/* BYTCHK is in the same place in all of these commands. */
#define SCUSE_BYTE_CHECK_HIGH_BIT 2

static u8 scuse_byte_check(const u8 *cdb)
{
	return cdb[1] >> 1 & 3;
}

/* The data phase of VERIFY in bytes. */
u64 scuse_verify_length(struct scuse_device *dev, const u8 *cdb)
{
	const struct scuse_opcode *opcode = scuse_opcode_find(cdb);
	u64 blocks = scuse_opcode_number(opcode, &opcode->count, cdb);

	switch (scuse_byte_check(cdb)) {
	case SCUSE_CHECK_DATA:
		return blocks << dev->block_shift;
	case SCUSE_CHECK_ONE_BLOCK:
		return blocks ? dev->block_size : 0;
	default:
		return 0;
	}
}

/* Compares what has been read; true if it is the same, otherwise @offset is that of the first difference. */
static bool scuse_verify_data(struct scuse_io *io, u64 *offset)
{
	u32 length = io->tag->data_len;
	struct scuse_sg cursor;

	*offset = (u64)io->tag->done << io->queue->dev->block_shift;
	scuse_sg_start(&cursor, io->cmd->t_data_sg, io->cmd->t_data_nents);
	scuse_sg_skip(&cursor, *offset);
	length = scuse_slot_compare(io, 0, &cursor, length);
	*offset += length;
	return length == io->tag->data_len;
}

static bool scuse_verify_one_block(struct scuse_io *io, u64 *offset)
{
	u32 block_size = io->queue->dev->block_size;
	struct scuse_sg cursor;
	u32 at, same;

	for (at = 0; at < io->tag->data_len; at += block_size) {
		scuse_sg_start(&cursor, io->cmd->t_data_sg, io->cmd->t_data_nents);
		same = scuse_slot_compare(io, at, &cursor, block_size);
		if (same < block_size) {
			*offset = same;
			return false;
		}
	}
	return true;
}

static bool scuse_verify_compare(struct scuse_io *io, u64 *offset)
{
	switch (scuse_byte_check(io->cmd->t_task_cdb)) {
	case SCUSE_CHECK_DATA:
		return scuse_verify_data(io, offset);
	case SCUSE_CHECK_ONE_BLOCK:
		return scuse_verify_one_block(io, offset);
	default:
		return true;
	}
}

/* A stretch has been read. */
static void scuse_verify_step(struct scuse_io *io)
{
	u64 offset;

	if (scuse_step_failed(io))
		return;
	if (!scuse_verify_compare(io, &offset)) {
		scuse_step_miscompare(io, offset);
		return;
	}
	scuse_log_verified(to_scuse(io->cmd->se_dev), io->sqe.data_len);
	io->tag->done += io->tag->blocks;
	if (io->tag->done == io->cmd->t_task_nolb) {
		scuse_step_end(io, SAM_STAT_GOOD);
		return;
	}
	scuse_step_blocks(io, SCUSE_OP_READ);
	io->sqe.flags |= scuse_cache_flags(io->cmd);
	scuse_step_submit(io, scuse_verify_step, NULL);
}

/* WRITE AND VERIFY: the blocks have been written. */
static void scuse_verify_written(struct scuse_io *io)
{
	if (scuse_step_failed(io))
		return;
	scuse_step_blocks(io, SCUSE_OP_READ);
	io->sqe.flags |= scuse_cache_flags(io->cmd);
	scuse_step_submit(io, scuse_verify_step, NULL);
}

/* True if there is no work: the command has been ended, or *@ret says how to. */
static bool scuse_verify_done(struct se_cmd *cmd, u8 allowed, sense_reason_t *ret)
{
	if (!scuse_protect_ok(cmd, 1)) {
		*ret = TCM_NO_SENSE;
		return true;
	}
	if (!(allowed & 1u << scuse_byte_check(cmd->t_task_cdb))) {
		*ret = scuse_refuse_cdb(cmd, 1, SCUSE_BYTE_CHECK_HIGH_BIT);
		return true;
	}
	return !scuse_step_wanted(cmd, ret);
}

sense_reason_t scuse_execute_verify(struct se_cmd *cmd)
{
	const u8 allowed = 1u << SCUSE_CHECK_MEDIUM | 1u << SCUSE_CHECK_DATA | 1u << SCUSE_CHECK_ONE_BLOCK;
	struct scuse_io io;
	sense_reason_t ret;

	if (scuse_verify_done(cmd, allowed, &ret) || !scuse_io_begin(&io, cmd, SCUSE_OP_READ, &ret))
		return ret;
	scuse_step_blocks(&io, SCUSE_OP_READ);
	io.sqe.flags |= scuse_cache_flags(cmd);
	io.tag->step = scuse_verify_step;
	return scuse_io_submit(&io);
}

sense_reason_t scuse_execute_write_verify(struct se_cmd *cmd)
{
	const u8 allowed = 1u << SCUSE_CHECK_MEDIUM | 1u << SCUSE_CHECK_DATA;
	struct scuse_io io;
	sense_reason_t ret;
	int error;

	if (scuse_verify_done(cmd, allowed, &ret) || !scuse_io_begin(&io, cmd, SCUSE_OP_WRITE, &ret))
		return ret;
	scuse_step_blocks(&io, SCUSE_OP_WRITE);
	io.sqe.flags |= scuse_cache_flags(cmd);
	/* What is verified is the medium, not a cache. */
	if (scuse_device_has(io.queue->dev, SCUSE_FEATURE_FLUSH))
		io.sqe.flags |= SCUSE_SQE_F_FUA;
	error = scuse_slot_refill(&io);
	if (error)
		return scuse_slot_error(&io, error);
	io.tag->refill = scuse_slot_refill;
	io.tag->step = scuse_verify_written;
	return scuse_io_submit(&io);
}
