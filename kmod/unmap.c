// SPDX-License-Identifier: GPL-2.0-only
/*
 * UNMAP (SBC-3 5.28).  Core carries it out in a loop of synchronous calls, in which a backstore would have
 * to wait for userspace.  Here the whole list is checked first, so that nothing is unmapped if any of it
 * is wrong, and becomes one submission.
 *
 * Context: execute, process context, no locks held.
 */
#include <scsi/scsi_proto.h>
#include <target/target_core_fabric.h>
#include "scuse.h"
#include "sense.h"

#define SCUSE_UNMAP_ANCHOR     0x01 /* byte 1 of the CDB */
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

/* Length and total of a list that has been taken over. */
static void scuse_unmap_set(struct scuse_io *io, const struct scuse_unmap *unmap)
{
	io->sqe.blocks = min_t(u64, unmap->blocks, U32_MAX);
	io->sqe.data_len = unmap->ranges * sizeof(struct scuse_range);
}

/* A local initiator may have changed its list meanwhile, and the device its size. */
static int scuse_unmap_refill(struct scuse_io *io)
{
	struct scuse_unmap unmap = {};

	if (scuse_unmap_list(io, io->cmd->data_length, &unmap) || !unmap.ranges)
		return -EINVAL;
	scuse_unmap_set(io, &unmap);
	return 0;
}

sense_reason_t scuse_execute_unmap(struct se_cmd *cmd)
{
	bool anchor = cmd->t_task_cdb[1] & SCUSE_UNMAP_ANCHOR;
	u32 length = cmd->t_task_nolb; /* PARAMETER LIST LENGTH */
	struct scuse_unmap unmap = {};
	struct scuse_io io;
	sense_reason_t ret;

	/* A list of 64 KiB has 4095 descriptors, and so have the smallest slots. */
	BUILD_BUG_ON(U16_MAX / SCUSE_UNMAP_DESCRIPTOR * sizeof(struct scuse_range) > SCUSE_MIN_TRANSFER);
	BUILD_BUG_ON(PAGE_SIZE % sizeof(struct scuse_range));

	if (anchor && !scuse_device_has(to_scuse(cmd->se_dev), SCUSE_FEATURE_ANCHOR))
		return scuse_refuse_cdb(cmd, 1, 0);
	if (length && length < SCUSE_UNMAP_HEADER)
		return TCM_PARAMETER_LIST_LENGTH_ERROR;
	if (!length) {
		target_complete_cmd(cmd, SAM_STAT_GOOD);
		return TCM_NO_SENSE;
	}
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
	scuse_unmap_set(&io, &unmap);
	io.tag->refill = scuse_unmap_refill;
	if (anchor)
		io.sqe.flags |= SCUSE_SQE_F_ANCHOR;
	return scuse_io_submit(&io);
}
