// SPDX-License-Identifier: GPL-2.0-only
/*
 * Disks: from SCSI commands to submissions.  Core's SBC and SPC code does everything that is not media
 * access; it calls our ops for reads, writes and flushes.  UNMAP and WRITE SAME are in unmap.c.
 *
 * Context: parse_cdb and the execute functions run in process context, after core's checks of unit
 * attentions, reservations and ALUA (execute only).
 */
#include <scsi/scsi_proto.h>
#include <target/target_core_fabric.h>
#include "scuse.h"
#include "sense.h"

/* What a command that moves blocks says of itself. */
struct scuse_transfer {
	u64 blocks; /* TRANSFER LENGTH */
	bool write;
};

static bool scuse_decode(const u8 *cdb, struct scuse_transfer *transfer)
{
	switch (cdb[0]) {
	case READ_6:
	case WRITE_6:
		transfer->blocks = cdb[4] ? cdb[4] : 256;
		break;
	case READ_10:
	case WRITE_10:
	case WRITE_VERIFY:
		transfer->blocks = get_unaligned_be16(&cdb[7]);
		break;
	case READ_12:
	case WRITE_12:
		transfer->blocks = get_unaligned_be32(&cdb[6]);
		break;
	case READ_16:
	case WRITE_16:
	case WRITE_VERIFY_16:
		transfer->blocks = get_unaligned_be32(&cdb[10]);
		break;
	case COMPARE_AND_WRITE:
		transfer->blocks = cdb[13];
		break;
	default:
		return false;
	}
	transfer->write = cdb[0] != READ_6 && cdb[0] != READ_10 && cdb[0] != READ_12 && cdb[0] != READ_16;
	return true;
}

/*
 * What core leaves unchecked: a transfer larger than VPD page B0h allows (and one whose length in bytes
 * does not fit 32 bits), and a data direction that the fabric took from the initiator and that
 * contradicts the operation code.
 */
static sense_reason_t scuse_check_transfer(struct se_cmd *cmd)
{
	struct scuse_device *dev = to_scuse(cmd->se_dev);
	struct scuse_transfer transfer;
	u32 length;

	if (!scuse_decode(cmd->t_task_cdb, &transfer))
		return TCM_UNSUPPORTED_SCSI_OPCODE;
	if (transfer.blocks > dev->max_transfer >> dev->block_shift)
		return TCM_INVALID_CDB_FIELD;
	length = transfer.blocks << dev->block_shift;
	if (cmd->se_cmd_flags & SCF_COMPARE_AND_WRITE)
		length *= 2;
	if (transfer.write) {
		if (cmd->data_length != length || (length && cmd->data_direction != DMA_TO_DEVICE))
			return TCM_INVALID_FIELD_IN_COMMAND_IU;
	} else if (cmd->data_length && cmd->data_direction != DMA_FROM_DEVICE) {
		return TCM_INVALID_FIELD_IN_COMMAND_IU;
	}
	return TCM_NO_SENSE;
}

/* Again at execution: the capacity may have shrunk since the command was parsed. */
sense_reason_t scuse_check_range(struct se_cmd *cmd, u64 lba, u64 blocks)
{
	u64 capacity = scuse_device_blocks(to_scuse(cmd->se_dev));

	if (lba > capacity || blocks > capacity - lba)
		return TCM_ADDRESS_OUT_OF_RANGE;
	return TCM_NO_SENSE;
}

static u16 scuse_cache_flags(struct se_cmd *cmd)
{
	u16 flags = 0;

	if (cmd->se_cmd_flags & SCF_FUA)
		flags |= SCUSE_SQE_F_FUA;
	/* DPO is in the same place wherever it exists; READ (6) and WRITE (6) have an address there. */
	if (cmd->t_task_cdb[0] != READ_6 && cmd->t_task_cdb[0] != WRITE_6 && cmd->t_task_cdb[1] & 0x10)
		flags |= SCUSE_SQE_F_DPO;
	return flags;
}

static sense_reason_t scuse_submit_read(struct scuse_io *io, struct scatterlist *sgl, u32 nents, u32 length)
{
	io->tag->sgl = sgl;
	io->tag->nents = nents;
	io->tag->transfer = length;
	return scuse_io_submit(io);
}

static sense_reason_t scuse_submit_write(struct scuse_io *io, struct scatterlist *sgl, u32 nents, u32 length)
{
	int ret = scuse_slot_fill(io, sgl, nents, length);

	if (ret) {
		scuse_io_abandon(io);
		return ret == -ENOMEM ? TCM_OUT_OF_RESOURCES : TCM_INVALID_FIELD_IN_COMMAND_IU;
	}
	return scuse_io_submit(io);
}

/*
 * Reads and writes.  The list and direction are core's: for COMPARE AND WRITE it first reads to a list
 * of its own, then writes part of the initiator's.  data_length is what this step moves; of a read it
 * may be less than whole blocks, if that is all that the initiator wants.
 */
static sense_reason_t scuse_execute_rw(struct se_cmd *cmd, struct scatterlist *sgl, u32 nents,
				       enum dma_data_direction direction)
{
	struct scuse_device *dev = to_scuse(cmd->se_dev);
	bool write = direction == DMA_TO_DEVICE;
	u32 length = cmd->data_length;
	u32 blocks = (length + dev->block_size - 1) >> dev->block_shift;
	struct scuse_io io;
	sense_reason_t ret;

	if ((write || cmd->se_cmd_flags & SCF_COMPARE_AND_WRITE) &&
	    scuse_device_has(dev, SCUSE_FEATURE_READ_ONLY))
		return TCM_WRITE_PROTECTED;
	if (length > dev->max_transfer)
		return TCM_INVALID_CDB_FIELD;
	ret = scuse_check_range(cmd, cmd->t_task_lba, blocks);
	if (ret)
		return ret;
	if (!length) {
		target_complete_cmd(cmd, SAM_STAT_GOOD);
		return TCM_NO_SENSE;
	}
	if (!scuse_io_begin(&io, cmd, write ? SCUSE_OP_WRITE : SCUSE_OP_READ, &ret))
		return ret;
	io.sqe.blocks = blocks;
	io.sqe.data_len = blocks << dev->block_shift;
	io.sqe.flags |= scuse_cache_flags(cmd);
	return write ? scuse_submit_write(&io, sgl, nents, length)
		     : scuse_submit_read(&io, sgl, nents, length);
}

static sense_reason_t scuse_execute_sync_cache(struct se_cmd *cmd)
{
	const u8 *cdb = cmd->t_task_cdb;
	struct scuse_io io;
	sense_reason_t ret;

	if (scuse_offline(to_scuse(cmd->se_dev), cmd, &ret))
		return ret;
	if (!scuse_device_has(to_scuse(cmd->se_dev), SCUSE_FEATURE_FLUSH)) {
		target_complete_cmd(cmd, SAM_STAT_GOOD);
		return TCM_NO_SENSE;
	}
	if (!scuse_io_begin(&io, cmd, SCUSE_OP_FLUSH, &ret))
		return ret;
	io.sqe.blocks =
		cdb[0] == SYNCHRONIZE_CACHE ? get_unaligned_be16(&cdb[7]) : get_unaligned_be32(&cdb[10]);
	return scuse_io_submit(&io);
}

/* Core only asks whether there is a function; unmap.c replaces what would call it, see there. */
static sense_reason_t scuse_execute_unmap_range(struct se_cmd *cmd, sector_t lba, sector_t blocks)
{
	return TCM_UNSUPPORTED_SCSI_OPCODE;
}

static struct scuse_sbc_ops scuse_sbc_ops_disk = {
	.execute_rw = scuse_execute_rw,
	.execute_sync_cache = scuse_execute_sync_cache,
	.execute_write_same = scuse_execute_write_same,
	.execute_unmap = scuse_execute_unmap_range,
};

/* TEST UNIT READY: ready when somebody serves the medium. */
static sense_reason_t scuse_execute_ready(struct se_cmd *cmd)
{
	sense_reason_t ret;

	if (scuse_offline(to_scuse(cmd->se_dev), cmd, &ret))
		return ret;
	target_complete_cmd(cmd, SAM_STAT_GOOD);
	return TCM_NO_SENSE;
}

/* READ CAPACITY of a device whose size nobody has said yet. */
static sense_reason_t scuse_execute_no_capacity(struct se_cmd *cmd)
{
	sense_reason_t ret;

	if (scuse_offline(to_scuse(cmd->se_dev), cmd, &ret))
		return ret;
	return TCM_LUN_BUSY;
}

sense_reason_t scuse_parse_cdb(struct se_cmd *cmd)
{
	struct scuse_device *dev = to_scuse(cmd->se_dev);
	const u8 *cdb = cmd->t_task_cdb;
	sense_reason_t ret;

	ret = sbc_parse_cdb(cmd, &scuse_sbc_ops_disk);
	if (ret)
		return ret;
	switch (cdb[0]) {
	case TEST_UNIT_READY:
		cmd->execute_cmd = scuse_execute_ready;
		break;
	case READ_CAPACITY:
		if (!scuse_device_size(dev))
			cmd->execute_cmd = scuse_execute_no_capacity;
		break;
	case SERVICE_ACTION_IN_16:
		if ((cdb[1] & 0x1f) == SAI_READ_CAPACITY_16 && !scuse_device_size(dev))
			cmd->execute_cmd = scuse_execute_no_capacity;
		break;
	case SYNCHRONIZE_CACHE:
	case SYNCHRONIZE_CACHE_16:
		/* Core takes the number of blocks for a transfer and reports it as missing. */
		if (!cmd->data_length) {
			cmd->se_cmd_flags &= ~(SCF_OVERFLOW_BIT | SCF_UNDERFLOW_BIT);
			cmd->residual_count = 0;
		}
		break;
	case UNMAP:
		cmd->execute_cmd = scuse_execute_unmap;
		break;
	case WRITE_SAME:
	case WRITE_SAME_16:
	case VARIABLE_LENGTH_CMD: /* of these core knows WRITE SAME (32) only */
		cmd->execute_cmd = scuse_execute_write_same;
		break;
	default:
		if (cmd->se_cmd_flags & SCF_SCSI_DATA_CDB)
			return scuse_check_transfer(cmd);
		break;
	}
	return TCM_NO_SENSE;
}
