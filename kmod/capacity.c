// SPDX-License-Identifier: GPL-2.0-only
/*
 * READ CAPACITY (10) and (16), READ DEFECT DATA (10) and (12): what an initiator asks about the medium as a
 * whole.
 *
 * Context: execute, process context, no locks held.
 */
#include <scsi/scsi_proto.h>
#include <target/target_core_fabric.h>
#include "opcode.h"
#include "scuse.h"
#include "sense.h"

#define SCUSE_CAPACITY_10 8
#define SCUSE_CAPACITY_16 32

/* Nobody has said yet how large the device is; true if the command has been ended, or *@ret says how to. */
static bool scuse_capacity_unknown(struct se_cmd *cmd, sense_reason_t *ret)
{
	struct scuse_device *dev = to_scuse(cmd->se_dev);

	if (scuse_device_size(dev))
		return false;
	if (!scuse_offline(dev, cmd, ret))
		*ret = TCM_LUN_BUSY;
	return true;
}

/* LBA and PMI are of older editions: without PMI there must be no address (SBC-2 5.10). */
static bool scuse_capacity_refused(struct se_cmd *cmd, u32 pmi_at, u64 lba)
{
	if (cmd->t_task_cdb[pmi_at] & 0x01 || !lba)
		return false;
	scuse_refuse_cdb(cmd, 2, SCUSE_SENSE_NO_BIT);
	return true;
}

u64 scuse_length_capacity(struct scuse_device *dev, const u8 *cdb)
{
	return SCUSE_CAPACITY_10;
}

sense_reason_t scuse_execute_capacity_10(struct se_cmd *cmd)
{
	struct scuse_device *dev = to_scuse(cmd->se_dev);
	u8 buffer[SCUSE_CAPACITY_10];
	sense_reason_t ret;
	u64 last;

	if (scuse_capacity_refused(cmd, 8, get_unaligned_be32(&cmd->t_task_cdb[2])))
		return TCM_NO_SENSE;
	if (scuse_capacity_unknown(cmd, &ret))
		return ret;
	last = scuse_device_blocks(dev) - 1;
	put_unaligned_be32(min_t(u64, last, U32_MAX), &buffer[0]);
	put_unaligned_be32(dev->block_size, &buffer[4]);
	return scuse_reply(cmd, buffer, sizeof(buffer));
}

sense_reason_t scuse_execute_capacity_16(struct se_cmd *cmd)
{
	struct scuse_device *dev = to_scuse(cmd->se_dev);
	const struct se_dev_attrib *attrib = &cmd->se_dev->dev_attrib;
	u8 buffer[SCUSE_CAPACITY_16] = {};
	sense_reason_t ret;

	if (scuse_capacity_refused(cmd, 14, get_unaligned_be64(&cmd->t_task_cdb[2])))
		return TCM_NO_SENSE;
	if (scuse_capacity_unknown(cmd, &ret))
		return ret;
	put_unaligned_be64(scuse_device_blocks(dev) - 1, &buffer[0]);
	put_unaligned_be32(dev->block_size, &buffer[8]);
	/* P_TYPE, PROT_EN */
	if (dev->pi_type)
		buffer[12] = (dev->pi_type - 1) << 1 | 0x01;
	/* LOGICAL BLOCKS PER PHYSICAL BLOCK EXPONENT; the lowest aligned block is 0 */
	buffer[13] = READ_ONCE(dev->physical_exponent) & 0x0f;
	/* LBPME, LBPRZ */
	if (attrib->emulate_tpu || attrib->emulate_tpws)
		buffer[14] |= attrib->unmap_zeroes_data ? 0xc0 : 0x80;
	return scuse_reply(cmd, buffer, sizeof(buffer));
}

/*
 * A medium of ours has no defects: lists of any format are there, and empty.  The header says which lists
 * and which format were asked for (SBC-3 5.17, 5.18).
 */
static sense_reason_t scuse_defects(struct se_cmd *cmd, u8 asked, u32 header)
{
	u8 buffer[8] = {};

	buffer[1] = asked & 0x1f;
	return scuse_reply(cmd, buffer, header);
}

sense_reason_t scuse_execute_defects_10(struct se_cmd *cmd)
{
	return scuse_defects(cmd, cmd->t_task_cdb[2], 4);
}

sense_reason_t scuse_execute_defects_12(struct se_cmd *cmd)
{
	return scuse_defects(cmd, cmd->t_task_cdb[1], 8);
}
