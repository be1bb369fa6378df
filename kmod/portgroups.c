// SPDX-License-Identifier: GPL-2.0-only
/*
 * REPORT TARGET PORT GROUPS (SPC-4 6.37): core's ALUA state.  Core's own function leaves out what does not
 * fit the allocation length, instead of cutting the answer off.
 *
 * Context: execute, process context.  Locking as in core: tg_pt_gps_lock, in it tg_pt_gp_lock, RCU for a
 * LUN's own group.
 */
#include <linux/slab.h>
#include <target/target_core_fabric.h>
#include "opcode.h"
#include "scuse.h"
#include "sense.h"

#define SCUSE_GROUPS_EXTENDED 0x20 /* PARAMETER DATA FORMAT 001b */
#define SCUSE_GROUPS_FORMAT   0xe0
#define SCUSE_GROUPS_MAX      65536 /* bytes: some 16,000 ports */

/* An answer under construction; what does not fit `size` only counts. */
struct scuse_groups {
	u8 *buffer;
	u32 size;
	u32 length;
};

static void scuse_groups_add(struct scuse_groups *groups, const u8 *bytes, u32 count)
{
	if (groups->length + count <= groups->size)
		memcpy(groups->buffer + groups->length, bytes, count);
	groups->length += count;
}

/* One group; tg_pt_gps_lock is held. */
static void scuse_groups_describe(struct scuse_groups *groups, struct t10_alua_tg_pt_gp *group)
{
	u8 descriptor[8] = {};
	struct se_lun *lun;

	spin_lock(&group->tg_pt_gp_lock);
	descriptor[0] = (group->tg_pt_gp_pref ? 0x80 : 0) | (group->tg_pt_gp_alua_access_state & 0x0f);
	descriptor[1] = group->tg_pt_gp_alua_supported_states;
	put_unaligned_be16(group->tg_pt_gp_id, &descriptor[2]);
	descriptor[5] = group->tg_pt_gp_alua_access_status;
	descriptor[7] = min(group->tg_pt_gp_members, 255u);
	scuse_groups_add(groups, descriptor, sizeof(descriptor));
	list_for_each_entry(lun, &group->tg_pt_gp_lun_list, lun_tg_pt_gp_link) {
		u8 port[4] = {};

		put_unaligned_be16(scuse_lun_rtpi(lun), &port[2]);
		scuse_groups_add(groups, port, sizeof(port));
	}
	spin_unlock(&group->tg_pt_gp_lock);
}

static void scuse_groups_all(struct scuse_groups *groups, struct se_device *se_dev)
{
	struct t10_alua_tg_pt_gp *group;

	spin_lock(&se_dev->t10_alua.tg_pt_gps_lock);
	list_for_each_entry(group, &se_dev->t10_alua.tg_pt_gps_list, tg_pt_gp_list) {
		if (group->tg_pt_gp_members)
			scuse_groups_describe(groups, group);
	}
	spin_unlock(&se_dev->t10_alua.tg_pt_gps_lock);
}

/* IMPLICIT TRANSITION TIME of the group that the command came through, in seconds. */
static u8 scuse_groups_transition(struct se_cmd *cmd)
{
	struct t10_alua_tg_pt_gp *group;
	u8 seconds = 0;

	rcu_read_lock();
	group = rcu_dereference(cmd->se_lun->lun_tg_pt_gp);
	if (group)
		seconds = min(group->tg_pt_gp_implicit_trans_secs, 255);
	rcu_read_unlock();
	return seconds;
}

sense_reason_t scuse_execute_report_groups(struct se_cmd *cmd)
{
	u8 format = cmd->t_task_cdb[1] & SCUSE_GROUPS_FORMAT;
	u8 header[8] = { [4] = 0x10, [5] = scuse_groups_transition(cmd) };
	struct scuse_groups groups = {};

	if (format & ~SCUSE_GROUPS_EXTENDED)
		return scuse_refuse_cdb(cmd, 1, 7);
	groups.size = SCUSE_GROUPS_MAX;
	groups.buffer = kvmalloc(groups.size, GFP_NOIO);
	if (!groups.buffer)
		return TCM_OUT_OF_RESOURCES;
	scuse_groups_add(&groups, header, format ? 8 : 4);
	scuse_groups_all(&groups, cmd->se_dev);
	put_unaligned_be32(groups.length - 4, groups.buffer);
	scuse_reply(cmd, groups.buffer, min(groups.length, groups.size));
	kvfree(groups.buffer);
	return TCM_NO_SENSE;
}
