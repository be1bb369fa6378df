// SPDX-License-Identifier: GPL-2.0-only
/*
 * UNMAP and WRITE SAME.  Core carries both out in loops of synchronous calls, in which a backstore
 * would have to wait for userspace.  So these execute functions take core's place: they check the
 * parameters themselves and send one submission, which completes like any other.
 *
 * Context: execute, process context.
 */
#include <scsi/scsi_proto.h>
#include "scuse.h"

#define SCUSE_UNMAP_HEADER     8
#define SCUSE_UNMAP_DESCRIPTOR 16

/* The totals of a parameter list. */
struct scuse_unmap {
	u32 ranges; /* written to the slot */
	u64 blocks;
};

/* One descriptor: copied out of the initiator's memory once, checked, and put into the slot. */
static sense_reason_t scuse_unmap_descriptor(struct scuse_io *io, struct scuse_sg *cursor,
					     struct scuse_unmap *unmap)
{
	u8 descriptor[SCUSE_UNMAP_DESCRIPTOR];
	u32 most = io->cmd->se_dev->dev_attrib.max_unmap_lba_count;
	struct scuse_range range = {};
	sense_reason_t ret;

	if (scuse_sg_read(cursor, descriptor, sizeof(descriptor)) != sizeof(descriptor))
		return TCM_PARAMETER_LIST_LENGTH_ERROR;
	range.lba = get_unaligned_be64(&descriptor[0]);
	range.blocks = get_unaligned_be32(&descriptor[8]);
	unmap->blocks += range.blocks;
	if (most != SCUSE_UNMAP_NO_LIMIT && unmap->blocks > most)
		return TCM_INVALID_PARAMETER_LIST;
	ret = scuse_check_range(io->cmd, range.lba, range.blocks);
	if (ret || !range.blocks)
		return ret;
	if (scuse_slot_write(io, unmap->ranges * sizeof(range), &range, sizeof(range)))
		return TCM_OUT_OF_RESOURCES;
	unmap->ranges++;
	return TCM_NO_SENSE;
}

/* SBC-3 5.28.2: a descriptor that does not lie wholly in the list is ignored. */
static sense_reason_t scuse_unmap_list(struct scuse_io *io, u32 length, struct scuse_unmap *unmap)
{
	struct se_cmd *cmd = io->cmd;
	u8 header[SCUSE_UNMAP_HEADER];
	struct scuse_sg cursor;
	sense_reason_t ret = TCM_NO_SENSE;
	u32 count;

	scuse_sg_start(&cursor, cmd->t_data_sg, cmd->t_data_nents);
	if (scuse_sg_read(&cursor, header, sizeof(header)) != sizeof(header))
		return TCM_PARAMETER_LIST_LENGTH_ERROR;
	count = min_t(u32, get_unaligned_be16(&header[2]), length - SCUSE_UNMAP_HEADER) /
		SCUSE_UNMAP_DESCRIPTOR;
	if (count > cmd->se_dev->dev_attrib.max_unmap_block_desc_count)
		return TCM_INVALID_PARAMETER_LIST;
	while (count-- && !ret)
		ret = scuse_unmap_descriptor(io, &cursor, unmap);
	return ret;
}

sense_reason_t scuse_execute_unmap(struct se_cmd *cmd)
{
	struct scuse_device *dev = to_scuse(cmd->se_dev);
	u32 length = get_unaligned_be16(&cmd->t_task_cdb[7]);
	struct scuse_unmap unmap = {};
	struct scuse_io io;
	sense_reason_t ret;

	/* A list of 64 KiB has 4095 descriptors, and so have the smallest slots. */
	BUILD_BUG_ON(U16_MAX / SCUSE_UNMAP_DESCRIPTOR * sizeof(struct scuse_range) > SCUSE_MIN_TRANSFER);
	BUILD_BUG_ON(PAGE_SIZE % sizeof(struct scuse_range));

	/* ANCHOR: not offered in VPD page B2h.  The other bits are reserved. */
	if (cmd->t_task_cdb[1])
		return TCM_INVALID_CDB_FIELD;
	if (scuse_device_has(dev, SCUSE_FEATURE_READ_ONLY))
		return TCM_WRITE_PROTECTED;
	if (length && (length > cmd->data_length || cmd->data_direction != DMA_TO_DEVICE))
		return TCM_INVALID_FIELD_IN_COMMAND_IU;
	if (length && length < SCUSE_UNMAP_HEADER)
		return TCM_PARAMETER_LIST_LENGTH_ERROR;
	if (!length) {
		target_complete_cmd(cmd, SAM_STAT_GOOD);
		return TCM_NO_SENSE;
	}
	if (scuse_offline(dev, cmd, &ret))
		return ret;
	if (!scuse_device_has(dev, SCUSE_FEATURE_UNMAP))
		return TCM_UNSUPPORTED_SCSI_OPCODE;
	if (!scuse_io_begin(&io, cmd, SCUSE_OP_UNMAP, &ret))
		return ret;
	ret = scuse_unmap_list(&io, length, &unmap);
	if (ret || !unmap.ranges) {
		scuse_io_abandon(&io);
		if (!ret)
			target_complete_cmd(cmd, SAM_STAT_GOOD);
		return ret;
	}
	io.sqe.lba = 0;
	io.sqe.blocks = min_t(u64, unmap.blocks, U32_MAX);
	io.sqe.data_len = unmap.ranges * sizeof(struct scuse_range);
	return scuse_io_submit(&io);
}

/*
 * Byte 1 of WRITE SAME (10) and (16), byte 10 of WRITE SAME (32).  Core has refused ANCHOR, NDOB, and
 * the old bits.
 */
#define SCUSE_WRITE_SAME_UNMAP 0x08

sense_reason_t scuse_execute_write_same(struct se_cmd *cmd)
{
	struct scuse_device *dev = to_scuse(cmd->se_dev);
	const u8 *cdb = cmd->t_task_cdb;
	u8 flags = cdb[0] == VARIABLE_LENGTH_CMD ? cdb[10] : cdb[1];
	u64 blocks = sbc_get_write_same_sectors(cmd);
	struct scuse_io io;
	sense_reason_t ret;
	int error;

	if (scuse_device_has(dev, SCUSE_FEATURE_READ_ONLY))
		return TCM_WRITE_PROTECTED;
	if (cmd->data_length < dev->block_size || cmd->data_direction != DMA_TO_DEVICE)
		return TCM_INVALID_FIELD_IN_COMMAND_IU;
	ret = scuse_check_range(cmd, cmd->t_task_lba, blocks);
	if (ret)
		return ret;
	if (scuse_offline(dev, cmd, &ret))
		return ret;
	if (!scuse_device_has(dev, SCUSE_FEATURE_WRITE_SAME))
		return TCM_UNSUPPORTED_SCSI_OPCODE;
	if (!scuse_io_begin(&io, cmd, SCUSE_OP_WRITE_SAME, &ret))
		return ret;
	error = scuse_slot_fill(&io, cmd->t_data_sg, cmd->t_data_nents, dev->block_size);
	if (error) {
		scuse_io_abandon(&io);
		return error == -ENOMEM ? TCM_OUT_OF_RESOURCES : TCM_INVALID_FIELD_IN_COMMAND_IU;
	}
	io.sqe.blocks = blocks;
	io.sqe.data_len = dev->block_size;
	if (flags & SCUSE_WRITE_SAME_UNMAP)
		io.sqe.flags |= SCUSE_SQE_F_UNMAP;
	return scuse_io_submit(&io);
}
