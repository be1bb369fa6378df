// SPDX-License-Identifier: GPL-2.0-only
/*
 * PERSISTENT RESERVE OUT, REGISTER AND MOVE and REGISTER with SPEC_I_PT (SPC-4 5.12.7, 5.12.8): core's
 * functions, with references made good that they drop once too often, or forget.  Called by reservation.c
 * in process context.
 *
 * Core counts references to an initiator's mapping of the LUN (pr_kref: one for as long as the mapping
 * exists, others for moments); who removes a mapping waits for the last of them.
 *
 * REGISTER AND MOVE: if the destination is not registered yet, core drops the reference that it took twice.
 * The mapping would then be freed under its users when it is removed.  So each mapping of the device is
 * held for the duration: where ours is the only reference left of a mapping that still exists, core has
 * dropped one that was not its own, and ours takes its place.
 *
 * REGISTER with SPEC_I_PT: if one of the TransportIDs cannot be registered, core keeps the reference to the
 * sender's mapping, and where an ACL names that, a dependency in configfs.  The LUN could never be removed.
 *
 * Locking: nexuses.move_lock is held, so that nobody else's short references are mistaken for these.
 */
#include <linux/delay.h>
#include <linux/poison.h>
#include <linux/slab.h>
#include <target/target_core_fabric.h>
#include "reservation.h"
#include "scuse.h"

#define SCUSE_MAPPING_SETTLES 1000 /* milliseconds */

/* Puts at most @room mappings of the device, held, into @held, if not NULL; returns how many there are. */
static u32 scuse_mappings_hold(struct se_device *se_dev, struct se_dev_entry **held, u32 room)
{
	struct se_dev_entry *entry;
	struct se_lun *lun;
	u32 count = 0;

	spin_lock(&se_dev->se_port_lock);
	list_for_each_entry(lun, &se_dev->dev_sep_list, lun_dev_link) {
		spin_lock(&lun->lun_deve_lock);
		list_for_each_entry(entry, &lun->lun_deve_list, lun_link) {
			if (held && (count == room || !kref_get_unless_zero(&entry->pr_kref)))
				continue;
			if (held)
				held[count] = entry;
			count++;
		}
		spin_unlock(&lun->lun_deve_lock);
	}
	spin_unlock(&se_dev->se_port_lock);
	return count;
}

/* As core's own: who removes the mapping waits for it. */
static void scuse_mapping_release(struct kref *kref)
{
	complete(&container_of(kref, struct se_dev_entry, pr_kref)->pr_comp);
}

static void scuse_mapping_put(struct se_dev_entry *entry)
{
	bool last = kref_read(&entry->pr_kref) == 1;

	/* Core takes a mapping off its list before it drops the reference of the mapping itself. */
	smp_rmb();
	if (!last || READ_ONCE(entry->lun_link.next) == LIST_POISON1)
		kref_put(&entry->pr_kref, scuse_mapping_release);
}

/* The mapping through which @cmd came, held; NULL: it is being removed. */
static struct se_dev_entry *scuse_mapping_get(struct se_cmd *cmd)
{
	struct se_dev_entry *entry, *found = NULL;

	rcu_read_lock();
	hlist_for_each_entry_rcu(entry, &cmd->se_sess->se_node_acl->lun_entry_hlist, link)
	{
		if (entry->mapped_lun == cmd->orig_fe_lun && kref_get_unless_zero(&entry->pr_kref)) {
			found = entry;
			break;
		}
	}
	rcu_read_unlock();
	return found;
}

/*
 * Are there references to a mapping beside ours, which the caller has, and core's own?  That is there for
 * certain only as long as the mapping is on its list, and goes a moment later.
 */
static bool scuse_mapping_leaked(struct se_dev_entry *entry)
{
	u32 tries, count;

	for (tries = SCUSE_MAPPING_SETTLES; tries; tries--) {
		count = kref_read(&entry->pr_kref);
		/* The list is looked at after the count, see scuse_mapping_put(). */
		smp_rmb();
		if (READ_ONCE(entry->lun_link.next) != LIST_POISON1)
			return count > 2;
		if (count == 1)
			return false;
		msleep(1);
	}
	return true;
}

sense_reason_t scuse_execute_register(struct se_cmd *cmd, sense_reason_t (*execute)(struct se_cmd *))
{
	struct se_dev_entry *entry = scuse_mapping_get(cmd);
	sense_reason_t ret;

	if (!entry)
		return TCM_LOGICAL_UNIT_COMMUNICATION_FAILURE;
	ret = execute(cmd);
	if (ret && scuse_mapping_leaked(entry)) {
		if (entry->se_lun_acl)
			target_undepend_item(&entry->se_lun_acl->se_lun_group.cg_item);
		kref_put(&entry->pr_kref, scuse_mapping_release);
	}
	kref_put(&entry->pr_kref, scuse_mapping_release);
	return ret;
}

sense_reason_t scuse_execute_move(struct se_cmd *cmd, sense_reason_t (*execute)(struct se_cmd *))
{
	struct se_device *se_dev = cmd->se_dev;
	struct se_dev_entry **held;
	sense_reason_t ret;
	u32 room, count;

	room = scuse_mappings_hold(se_dev, NULL, 0);
	held = kvmalloc_array(room, sizeof(*held), GFP_KERNEL);
	if (!held)
		return TCM_OUT_OF_RESOURCES;
	count = scuse_mappings_hold(se_dev, held, room);
	ret = execute(cmd);
	while (count)
		scuse_mapping_put(held[--count]);
	kvfree(held);
	return ret;
}
