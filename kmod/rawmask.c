// SPDX-License-Identifier: GPL-2.0-only
/*
 * Masks of raw LUNs: brings what mask.h edits and what it needs to know together.  Called by raw.c and
 * rawinquiry.c.
 *
 *	execute	scuse_rawmask_refused()	pages that the LUN does not have, or of which the device is not asked; mode
 *					parameter lists that touch what the kernel half owns
 *	submit	scuse_rawmask_widen()	lists of pages are asked for with more room
 *		scuse_rawmask_fill()	mode parameter lists, with the device's own values
 *	finish	scuse_rawmask_give()	the answer, edited, to the initiator
 *
 * Context: process context, no locks held.  What is edited is a copy: neither userspace nor an initiator that
 * shares its memory with us can change it any more.
 */
#include <linux/mm.h>
#include <linux/slab.h>
#include <scsi/scsi_proto.h>
#include <target/target_core_fabric.h>
#include "mask.h"
#include "modepage.h"
#include "raw.h"
#include "scuse.h"
#include "sense.h"
#include "vpd.h"

#define SCUSE_RAWMASK_MOST 65536u /* bytes: no answer that is masked, and no parameter list, is longer */

/* As MODE SENSE and INQUIRY of this nexus are to tell. */
static void scuse_rawmask_know(struct se_cmd *cmd, struct scuse_mask *mask)
{
	struct scuse_device *dev = to_scuse(cmd->se_dev);

	mask->device_type = READ_ONCE(dev->device_type);
	mask->tpgs = scuse_inquiry_tpgs(cmd->se_lun);
	mask->multi_port = READ_ONCE(cmd->se_dev->export_count) > 1;
	mask->write_protected = scuse_device_has(dev, SCUSE_FEATURE_READ_ONLY) ||
				cmd->se_lun->lun_access_ro || target_lun_is_rdonly(cmd);
	mask->tas = cmd->se_dev->dev_attrib.emulate_tas;
	mask->transport = scuse_transport_version(cmd->se_lun->lun_tpg->proto_id);
	mask->max_transfer = scuse_max_transfer(cmd);
	mask->block_length = scuse_rawparam_block(dev);
}

u32 scuse_rawmask_edit(struct se_cmd *cmd, u8 *data, u32 length, u32 room)
{
	struct scuse_mask mask;

	scuse_rawmask_know(cmd, &mask);
	return scuse_mask_answer(&mask, cmd->t_task_cdb, data, length, room);
}

/* A copy of the parameter list, made fit for the device, or NULL: @error says why, asc 0: there is no memory. */
static u8 *scuse_rawmask_list(struct se_cmd *cmd, u32 length, struct scuse_mode_error *error)
{
	struct scuse_device *dev = to_scuse(cmd->se_dev);
	u8 control[SCUSE_PROBE_CONTROL];
	struct scuse_mask mask;
	u32 known;
	u8 *list;

	error->asc = 0;
	list = kvmalloc(length, GFP_NOIO);
	if (!list)
		return NULL;
	length = sg_copy_to_buffer(cmd->t_data_sg, cmd->t_data_nents, list, length);
	scuse_rawmask_know(cmd, &mask);
	known = scuse_rawparam_control(dev, control) ? sizeof(control) : 0;
	if (scuse_mask_select(&mask, cmd->t_task_cdb, list, length, control, known, error))
		return list;
	kvfree(list);
	return NULL;
}

static bool scuse_rawmask_list_refused(struct se_cmd *cmd, sense_reason_t *ret)
{
	u32 length = min_t(u32, cmd->t_task_nolb, SCUSE_RAWMASK_MOST);
	struct scuse_mode_error error;
	u8 *list;

	if (!length)
		return false;
	list = scuse_rawmask_list(cmd, length, &error);
	kvfree(list);
	if (!list)
		*ret = error.asc ? scuse_refuse_parameter(cmd, error.byte, error.bit)
				 : scuse_end_reason(cmd, TCM_OUT_OF_RESOURCES);
	return !list;
}

bool scuse_rawmask_refused(struct se_cmd *cmd, const struct scuse_raw_entry *entry, sense_reason_t *ret)
{
	*ret = TCM_NO_SENSE;
	if (entry->flags & SCUSE_RAW_SELECT)
		return scuse_rawmask_list_refused(cmd, ret);
	if (entry->route != SCUSE_RAW_MASKED)
		return false;
	switch (scuse_mask_ask(READ_ONCE(to_scuse(cmd->se_dev)->device_type), cmd->t_task_cdb)) {
	case SCUSE_MASK_OWN:
		*ret = scuse_vpd(cmd, cmd->t_task_cdb[2]);
		return true;
	case SCUSE_MASK_HIDDEN:
		*ret = scuse_refuse_cdb(cmd, 2, SCUSE_SENSE_NO_BIT);
		return true;
	default:
		return false;
	}
}

void scuse_rawmask_widen(struct scuse_io *io, const struct scuse_raw_entry *entry)
{
	u32 room = 0;

	if (entry->route == SCUSE_RAW_MASKED)
		room = scuse_mask_widen(io->cmd->t_task_cdb, io->sqe.cdb);
	if (room)
		io->sqe.data_len = room;
}

int scuse_rawmask_fill(struct scuse_io *io)
{
	u32 length = min(io->sqe.data_len, SCUSE_RAWMASK_MOST);
	struct scuse_mode_error error;
	u32 done, count;
	int ret = 0;
	u8 *list;

	list = scuse_rawmask_list(io->cmd, length, &error);
	if (!list)
		return error.asc ? -EINVAL : -ENOMEM;
	for (done = 0; done < length && !ret; done += count) {
		count = min_t(u32, length - done, PAGE_SIZE);
		ret = scuse_slot_write(io, done, list + done, count);
	}
	kvfree(list);
	return ret;
}

int scuse_rawmask_give(struct scuse_io *io, u32 length)
{
	struct se_cmd *cmd = io->cmd;
	u32 room;
	u8 *data;

	length = min(length, SCUSE_RAWMASK_MOST);
	room = length + SCUSE_MASK_GROWTH;
	data = kvzalloc(room, GFP_NOIO);
	if (!data)
		return -ENOMEM;
	if (io->tag->kind != SCUSE_CQE_ZERO)
		scuse_slot_read(io, 0, data, length);
	length = min_t(u32, scuse_rawmask_edit(cmd, data, length, room), cmd->t_task_nolb);
	sg_copy_from_buffer(cmd->t_data_sg, cmd->t_data_nents, data, min(length, cmd->data_length));
	kvfree(data);
	return length;
}
