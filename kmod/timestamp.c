// SPDX-License-Identifier: GPL-2.0-only
/*
 * REPORT TIMESTAMP and SET TIMESTAMP (SPC-4 6.39, 6.47); see timestamp.h.  Process context, no locks held.
 */
#include <linux/ktime.h>
#include <target/target_core_fabric.h>
#include "bytes.h"
#include "nexus.h"
#include "scuse.h"
#include "sense.h"
#include "timestamp.h"

#define SCUSE_TIMESTAMP_LIST 12 /* bytes of both commands' data */

static u64 scuse_uptime(void)
{
	return ktime_to_ms(ktime_get_boottime());
}

sense_reason_t scuse_execute_report_timestamp(struct se_cmd *cmd)
{
	struct scuse_device *dev = to_scuse(cmd->se_dev);
	u8 data[SCUSE_TIMESTAMP_LIST] = {};
	struct scuse_timestamp timestamp;

	spin_lock(&dev->info_lock);
	timestamp = dev->timestamp;
	spin_unlock(&dev->info_lock);
	scuse_put_be(&data[0], sizeof(data) - 2, 2);
	data[2] = timestamp.set ? SCUSE_TIMESTAMP_SET : SCUSE_TIMESTAMP_EXTERNAL;
	scuse_put_be(&data[4],
		     timestamp.set ? scuse_uptime() + timestamp.offset : ktime_to_ms(ktime_get_real()), 6);
	return scuse_reply(cmd, data, sizeof(data));
}

sense_reason_t scuse_execute_set_timestamp(struct se_cmd *cmd)
{
	struct scuse_device *dev = to_scuse(cmd->se_dev);
	u32 wanted = scuse_get_be(&cmd->t_task_cdb[6], 4);
	u8 data[SCUSE_TIMESTAMP_LIST];

	if (!wanted) {
		target_complete_cmd(cmd, SAM_STAT_GOOD);
		return TCM_NO_SENSE;
	}
	if (wanted < sizeof(data) || scuse_parameters(cmd, data, sizeof(data)) < sizeof(data))
		return scuse_end_with_sense(cmd, SCUSE_KEY_ILLEGAL_REQUEST, 0x1a, 0x00);
	spin_lock(&dev->info_lock);
	dev->timestamp.set = true;
	dev->timestamp.offset = scuse_get_be(&data[4], 6) - scuse_uptime();
	spin_unlock(&dev->info_lock);
	scuse_ua_raise(dev, 0x2a, 0x10, cmd); /* TIMESTAMP CHANGED */
	target_complete_cmd(cmd, SAM_STAT_GOOD);
	return TCM_NO_SENSE;
}
