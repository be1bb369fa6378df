// SPDX-License-Identifier: GPL-2.0-only
/*
 * Standard INQUIRY data of a raw LUN.  INQUIRY has to be answered whatever the state of the device (SPC-4
 * 6.4.1), so what it has said last is remembered for the time when nobody serves it.  Vital product data
 * pages are not: they wait for the device as other commands do.  Called by raw.c, in process context.
 *
 * Locking: scuse_device.info_lock protects what is remembered.
 */
#include <target/target_core_fabric.h>
#include "raw.h"
#include "scuse.h"
#include "vpd.h"

static bool scuse_raw_is_vpd(struct se_cmd *cmd)
{
	return cmd->t_task_cdb[1] & 0x01;
}

/*
 * scuse_raw_inquiry_remember - the slot holds @length bytes of INQUIRY data that the device has given
 *
 * A shorter answer than the last one renews its beginning.
 */
void scuse_raw_inquiry_remember(struct scuse_io *io, u32 length)
{
	struct scuse_device *dev = io->queue->dev;
	struct scuse_raw_inquiry *known = &dev->inquiry;
	u8 data[SCUSE_RAW_INQUIRY];

	if (scuse_raw_is_vpd(io->cmd))
		return;
	length = min_t(u32, length, sizeof(data));
	scuse_slot_read(io, 0, data, length);
	spin_lock(&dev->info_lock);
	memcpy(known->data, data, length);
	known->length = max(known->length, length);
	spin_unlock(&dev->info_lock);
}

bool scuse_raw_inquiry_offline(struct se_cmd *cmd)
{
	struct scuse_device *dev = to_scuse(cmd->se_dev);
	struct scuse_raw_inquiry known;

	if (READ_ONCE(dev->state) == SCUSE_STATE_ONLINE || scuse_raw_is_vpd(cmd))
		return false;
	spin_lock(&dev->info_lock);
	known = dev->inquiry;
	spin_unlock(&dev->info_lock);
	if (known.length)
		scuse_reply(cmd, known.data,
			    scuse_rawmask_edit(cmd, known.data, known.length, sizeof(known.data)));
	else
		scuse_execute_inquiry(cmd);
	return true;
}
