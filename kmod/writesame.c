// SPDX-License-Identifier: GPL-2.0-only
/*
 * WRITE SAME (10, 16, 32; SBC-3 5.47 to 5.49): one submission, with one block of data or, for NDOB, with a
 * block of zeros.
 *
 * WSNZ is 1 (VPD page B0h): a NUMBER OF LOGICAL BLOCKS of 0, "up to the end", is refused.
 *
 * Context: execute, process context, no locks held.
 */
#include <linux/highmem.h>
#include <linux/mm.h>
#include <scsi/scsi_proto.h>
#include <target/target_core_fabric.h>
#include "opcode.h"
#include "step.h"

/* Byte 1 of WRITE SAME (10) and (16), byte 10 of WRITE SAME (32) */
#define SCUSE_WRITE_SAME_ANCHOR 0x10
#define SCUSE_WRITE_SAME_UNMAP	0x08
#define SCUSE_WRITE_SAME_NDOB	0x01 /* not in WRITE SAME (10), where the bit is reserved */

static u32 scuse_write_same_at(const u8 *cdb)
{
	return cdb[0] == VARIABLE_LENGTH_CMD ? 10 : 1;
}

/* The data phase in bytes. */
u64 scuse_write_same_length(struct scuse_device *dev, const u8 *cdb)
{
	if (cdb[0] != WRITE_SAME && cdb[scuse_write_same_at(cdb)] & SCUSE_WRITE_SAME_NDOB)
		return 0;
	return dev->block_size;
}

/* True if the command has been refused: a limit, or an option that the LUN does not have. */
static bool scuse_write_same_refused(struct se_cmd *cmd, u32 at, u8 options)
{
	struct scuse_device *dev = to_scuse(cmd->se_dev);
	u8 wrong = 0;

	if (!scuse_device_has(dev, SCUSE_FEATURE_UNMAP))
		wrong |= options & SCUSE_WRITE_SAME_UNMAP;
	/* SBC-3 table 122: ANCHOR means something together with UNMAP only. */
	if (!(options & SCUSE_WRITE_SAME_UNMAP) || !scuse_device_has(dev, SCUSE_FEATURE_ANCHOR))
		wrong |= options & SCUSE_WRITE_SAME_ANCHOR;
	if (wrong) {
		scuse_refuse_cdb(cmd, at, fls(wrong) - 1);
		return true;
	}
	if (!cmd->t_task_nolb || cmd->t_task_nolb > dev->se_dev.dev_attrib.max_write_same_len) {
		scuse_refuse_cdb(cmd, scuse_command(cmd)->count.at, SCUSE_SENSE_NO_BIT);
		return true;
	}
	return !scuse_protect_ok(cmd, at);
}

/* The block that is to be written, in the slot. */
static int scuse_write_same_fill(struct scuse_io *io)
{
	u32 block_size = io->queue->dev->block_size;
	struct page *page;

	if (scuse_write_same_length(io->queue->dev, io->cmd->t_task_cdb))
		return scuse_slot_fill(io, io->cmd->t_data_sg, io->cmd->t_data_nents, block_size);
	page = scuse_slot_page(io->queue, io->tag, 0);
	if (!page)
		return -ENOMEM;
	memzero_page(page, 0, block_size);
	flush_dcache_page(page);
	return 0;
}

sense_reason_t scuse_execute_write_same(struct se_cmd *cmd)
{
	struct scuse_device *dev = to_scuse(cmd->se_dev);
	u32 at = scuse_write_same_at(cmd->t_task_cdb);
	u8 options = cmd->t_task_cdb[at];
	struct scuse_io io;
	sense_reason_t ret;
	int error;

	if (scuse_write_same_refused(cmd, at, options))
		return TCM_NO_SENSE;
	if (cmd->data_length != scuse_write_same_length(dev, cmd->t_task_cdb))
		return TCM_INVALID_FIELD_IN_COMMAND_IU;
	ret = scuse_check_range(cmd, cmd->t_task_lba, cmd->t_task_nolb);
	if (ret)
		return ret;
	if (!scuse_io_begin(&io, cmd, SCUSE_OP_WRITE_SAME, &ret))
		return ret;
	error = scuse_write_same_fill(&io);
	if (error)
		return scuse_slot_error(&io, error);
	io.tag->refill = scuse_write_same_fill;
	io.sqe.blocks = cmd->t_task_nolb;
	io.sqe.data_len = dev->block_size;
	if (options & SCUSE_WRITE_SAME_UNMAP)
		io.sqe.flags |= SCUSE_SQE_F_UNMAP;
	if (options & SCUSE_WRITE_SAME_ANCHOR)
		io.sqe.flags |= SCUSE_SQE_F_ANCHOR;
	return scuse_io_submit(&io);
}
