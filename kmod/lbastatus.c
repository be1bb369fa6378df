// SPDX-License-Identifier: GPL-2.0-only
/*
 * GET LBA STATUS (SBC-3 5.5): the handler's extents as LBA status descriptors.  A LUN without thin
 * provisioning and without extents is mapped, all of it; a thin one without extents does not have the
 * command.
 *
 * Context: execute, then steps (step.h).
 */
#include <scsi/scsi_proto.h>
#include <target/target_core_fabric.h>
#include "opcode.h"
#include "step.h"

#define SCUSE_STATUS_HEADER	 8
#define SCUSE_STATUS_DESCRIPTOR	 16
#define SCUSE_STATUS_DESCRIPTORS 256 /* in one answer, at most */

bool scuse_offers_lba_status(struct scuse_device *dev)
{
	return scuse_device_has(dev, SCUSE_FEATURE_EXTENTS) || !scuse_device_has(dev, SCUSE_FEATURE_UNMAP);
}

static void scuse_status_header(u8 *to, u32 descriptors)
{
	memset(to, 0, SCUSE_STATUS_HEADER);
	/* PARAMETER DATA LENGTH counts from the byte after itself. */
	put_unaligned_be32(SCUSE_STATUS_HEADER - 4 + descriptors * SCUSE_STATUS_DESCRIPTOR, to);
}

static void scuse_status_descriptor(u8 *to, const struct scuse_extent *extent)
{
	memset(to, 0, SCUSE_STATUS_DESCRIPTOR);
	put_unaligned_be64(extent->lba, &to[0]);
	put_unaligned_be32(extent->blocks, &to[8]);
	to[12] = extent->state;
}

/* Does @extent, which userspace has written, follow on @next, within the @blocks blocks that are left? */
static bool scuse_extent_ok(const struct scuse_extent *extent, u64 next, u64 blocks)
{
	return extent->lba == next && extent->blocks && extent->blocks <= blocks &&
	       extent->state <= SCUSE_EXTENT_IS_ANCHORED;
}

/* The initiator's list, and how much of it the answer may fill. */
struct scuse_status_room {
	struct scuse_sg cursor;
	u32 left;
};

static void scuse_status_start(struct scuse_status_room *room, struct se_cmd *cmd)
{
	scuse_sg_start(&room->cursor, cmd->t_data_sg, cmd->t_data_nents);
	room->left = cmd->data_length;
}

static void scuse_status_put(struct scuse_status_room *room, const u8 *bytes, u32 length)
{
	u32 count = min(room->left, length);

	scuse_sg_write(&room->cursor, bytes, count);
	room->left -= count;
}

/* Writes the descriptors behind the header; returns how many, 0 if userspace has broken the contract. */
static u32 scuse_status_fill(struct scuse_io *io, struct scuse_status_room *room)
{
	u32 count = io->tag->filled / sizeof(struct scuse_extent);
	u64 next = io->tag->lba;
	u64 left = io->tag->blocks;
	u32 i;

	if (io->tag->filled % sizeof(struct scuse_extent))
		return 0;
	for (i = 0; i < count; i++) {
		u8 descriptor[SCUSE_STATUS_DESCRIPTOR];
		struct scuse_extent extent;

		scuse_slot_read(io, i * sizeof(extent), &extent, sizeof(extent));
		if (!scuse_extent_ok(&extent, next, left))
			return 0;
		next += extent.blocks;
		left -= extent.blocks;
		scuse_status_descriptor(descriptor, &extent);
		scuse_status_put(room, descriptor, sizeof(descriptor));
	}
	return count;
}

static void scuse_status_step(struct scuse_io *io)
{
	static const struct scuse_sense broken = { .key = SCUSE_KEY_HARDWARE_ERROR, .asc = 0x44 };
	struct se_cmd *cmd = io->cmd;
	u8 header[SCUSE_STATUS_HEADER];
	struct scuse_status_room room;
	u32 count;

	if (scuse_step_failed(io))
		return;
	/* The header is written again when the number is known. */
	scuse_status_start(&room, cmd);
	scuse_status_header(header, 0);
	scuse_status_put(&room, header, sizeof(header));
	count = scuse_status_fill(io, &room);
	if (!count) {
		pr_warn_ratelimited("%s: the handler's extents are not as scuse/abi.h says\n",
				    io->queue->dev->name);
		scuse_step_end_sense(io, &broken);
		return;
	}
	scuse_status_header(header, count);
	scuse_status_start(&room, cmd);
	scuse_status_put(&room, header, sizeof(header));
	scuse_tag_put(io->queue, io->tag, NULL);
	scuse_reply_written(cmd, SCUSE_STATUS_HEADER + count * SCUSE_STATUS_DESCRIPTOR);
}

static sense_reason_t scuse_status_mapped(struct se_cmd *cmd, u32 blocks)
{
	struct scuse_extent all = { .lba = cmd->t_task_lba,
				    .blocks = blocks,
				    .state = SCUSE_EXTENT_IS_MAPPED };
	u8 answer[SCUSE_STATUS_HEADER + SCUSE_STATUS_DESCRIPTOR];

	scuse_status_header(answer, 1);
	scuse_status_descriptor(&answer[SCUSE_STATUS_HEADER], &all);
	return scuse_reply(cmd, answer, sizeof(answer));
}

/* As many descriptors as the initiator has room for, but at least one. */
static u32 scuse_status_count(u32 room)
{
	u32 count = room > SCUSE_STATUS_HEADER ? (room - SCUSE_STATUS_HEADER) / SCUSE_STATUS_DESCRIPTOR : 0;

	return clamp_t(u32, count, 1, SCUSE_STATUS_DESCRIPTORS);
}

sense_reason_t scuse_execute_lba_status(struct se_cmd *cmd)
{
	struct scuse_device *dev = to_scuse(cmd->se_dev);
	u64 capacity = scuse_device_blocks(dev);
	struct scuse_io io;
	sense_reason_t ret;
	u32 blocks;

	if (cmd->t_task_lba >= capacity)
		return TCM_ADDRESS_OUT_OF_RANGE;
	blocks = min_t(u64, capacity - cmd->t_task_lba, U32_MAX);
	if (!scuse_device_has(dev, SCUSE_FEATURE_EXTENTS))
		return scuse_status_mapped(cmd, blocks);
	if (!scuse_io_begin(&io, cmd, SCUSE_OP_EXTENTS, &ret))
		return ret;
	io.sqe.blocks = blocks;
	io.sqe.data_len = scuse_status_count(cmd->data_length) * sizeof(struct scuse_extent);
	io.tag->step = scuse_status_step;
	return scuse_io_submit(&io);
}
