// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reservations, see reservation.h; the dump of them is nlnexus.c.
 *
 * Locking: core's dev_reservation_lock, and within it registration_lock, as core nests them.
 */
#include <scsi/scsi_proto.h>
#include <target/target_core_fabric.h>
#include "opcode.h"
#include "reservation.h"
#include "scuse.h"
#include "sense.h"

/* Service actions of PERSISTENT RESERVE OUT */
#define SCUSE_PRO_REGISTER	    0x00
#define SCUSE_PRO_PREEMPT	    0x04
#define SCUSE_PRO_PREEMPT_AND_ABORT 0x05
#define SCUSE_PRO_REGISTER_IGNORE   0x06 /* REGISTER AND IGNORE EXISTING KEY */
#define SCUSE_PRO_REGISTER_AND_MOVE 0x07

/*
 * Forms of commands that are allowed to everybody, unlike the others: START STOP UNIT that only starts (SBC-3
 * table
 * 13; of tapes it is another command), and PREVENT ALLOW MEDIUM REMOVAL that allows (SPC-4, commands allowed in the
 * presence of persistent reservations).
 */
static bool scuse_allowed_to_all(const struct se_cmd *cmd)
{
	const u8 *cdb = cmd->t_task_cdb;

	switch (cdb[0]) {
	case START_STOP:
		return (cdb[4] & 0xf3) == 0x01 && to_scuse(cmd->se_dev)->device_type == TYPE_DISK;
	case ALLOW_MEDIUM_REMOVAL:
		return !(cdb[4] & 0x03);
	default:
		return false;
	}
}

static bool scuse_pr_is_mine(const struct t10_pr_registration *registration, const struct se_cmd *cmd)
{
	const struct se_session *sess = cmd->se_sess;

	return registration->pr_reg_nacl == sess->se_node_acl &&
	       registration->pr_res_mapped_lun == cmd->orig_fe_lun &&
	       (!registration->isid_present_at_reg || registration->pr_reg_bin_isid == sess->sess_bin_isid);
}

/*
 * The registration of the nexus of @cmd; NULL: there is none.  dev_reservation_lock is held, and protects
 * what is returned from PREEMPT and CLEAR, but not from its own nexus's REGISTER.
 */
static struct t10_pr_registration *scuse_pr_mine(struct se_device *se_dev, const struct se_cmd *cmd)
{
	struct t10_pr_registration *registration, *found = NULL;

	spin_lock(&se_dev->t10_pr.registration_lock);
	list_for_each_entry(registration, &se_dev->t10_pr.registration_list, pr_reg_list) {
		if (scuse_pr_is_mine(registration, cmd)) {
			found = registration;
			break;
		}
	}
	spin_unlock(&se_dev->t10_pr.registration_lock);
	return found;
}

bool scuse_reservation_forbids(struct se_cmd *cmd, u16 flags)
{
	bool changes = flags & (SCUSE_OPCODE_WRITES | SCUSE_OPCODE_EXCLUSIVE);
	struct se_device *se_dev = cmd->se_dev;
	struct t10_pr_registration *holder;
	bool conflict = false;

	if (!cmd->se_sess || !cmd->se_sess->se_node_acl || !se_dev->dev_attrib.emulate_pr)
		return false;
	if ((!changes && !(flags & (SCUSE_OPCODE_BLOCKS | SCUSE_OPCODE_SHARED))) || scuse_allowed_to_all(cmd))
		return false;
	spin_lock(&se_dev->dev_reservation_lock);
	holder = se_dev->dev_pr_res_holder;
	if (holder && !scuse_pr_is_mine(holder, cmd))
		conflict = scuse_pr_conflict(holder->pr_res_type, scuse_pr_mine(se_dev, cmd), changes);
	spin_unlock(&se_dev->dev_reservation_lock);
	return conflict;
}

static bool scuse_pr_out_is(const struct se_cmd *cmd, u8 action)
{
	return cmd->t_task_cdb[0] == PERSISTENT_RESERVE_OUT && (cmd->t_task_cdb[1] & 0x1f) == action;
}

/*
 * While all registrants hold a reservation, PREEMPT of key 0 removes the registrations of everybody else.
 * Core keeps one of the holders in mind, and looks at that one again when it has freed it, unless it is the
 * sender: so the sender is made the one.
 */
static void scuse_pr_stand_for_all(struct se_device *se_dev, struct t10_pr_registration *mine)
{
	struct t10_pr_registration *holder = se_dev->dev_pr_res_holder;

	if (holder == mine)
		return;
	mine->pr_res_type = holder->pr_res_type;
	mine->pr_res_scope = holder->pr_res_scope;
	mine->pr_res_holder = 1;
	holder->pr_res_holder = 0;
	holder->pr_res_type = 0;
	holder->pr_res_scope = 0;
	se_dev->dev_pr_res_holder = mine;
}

/*
 * What core must not see of PREEMPT and PREEMPT AND ABORT, or only after preparation: it uses registrations
 * that it has freed.  A nexus that removes its own registration in this way, without holding the reservation,
 * is refused with INVALID FIELD IN PARAMETER LIST: it can unregister.  move_lock is held, so that no
 * registration of the sender's comes or goes.
 */
static sense_reason_t scuse_preempt_prepare(struct se_cmd *cmd)
{
	struct se_device *se_dev = cmd->se_dev;
	struct t10_pr_registration *holder, *mine;
	u8 list[16];
	u64 key, preempted;
	sense_reason_t ret = TCM_NO_SENSE;

	if (!cmd->se_sess || !cmd->se_sess->se_node_acl ||
	    scuse_parameters(cmd, list, sizeof(list)) < sizeof(list))
		return TCM_NO_SENSE;
	key = get_unaligned_be64(&list[0]);
	preempted = get_unaligned_be64(&list[8]);
	spin_lock(&se_dev->dev_reservation_lock);
	holder = se_dev->dev_pr_res_holder;
	mine = scuse_pr_mine(se_dev, cmd);
	if (!mine || mine->pr_res_key != key)
		goto unlock;
	if (holder && scuse_pr_all_hold(holder->pr_res_type)) {
		if (!preempted)
			scuse_pr_stand_for_all(se_dev, mine);
	} else if (preempted == key && (!holder || holder->pr_res_key != key)) {
		ret = TCM_INVALID_PARAMETER_LIST;
	}
unlock:
	spin_unlock(&se_dev->dev_reservation_lock);
	return ret;
}

/* The device is kept, since with the end of the command nothing else may keep it. */
static sense_reason_t scuse_reservation_run(struct se_cmd *cmd, sense_reason_t (*execute)(struct se_cmd *))
{
	struct scuse_device *dev = to_scuse(cmd->se_dev);
	struct mutex *lock = &dev->nexuses.move_lock;
	sense_reason_t ret;

	kref_get(&dev->kref);
	mutex_lock(lock);
	if (scuse_pr_out_is(cmd, SCUSE_PRO_REGISTER_AND_MOVE))
		ret = scuse_execute_move(cmd, execute);
	else if (scuse_pr_out_is(cmd, SCUSE_PRO_REGISTER) || scuse_pr_out_is(cmd, SCUSE_PRO_REGISTER_IGNORE))
		ret = scuse_execute_register(cmd, execute);
	else if (scuse_pr_out_is(cmd, SCUSE_PRO_PREEMPT))
		ret = scuse_preempt_prepare(cmd) ?: execute(cmd);
	else
		ret = execute(cmd);
	mutex_unlock(lock);
	if (!ret)
		scuse_reservation_changed(dev);
	scuse_device_put(dev);
	return ret;
}

/*
 * Who preempts is remembered for scuse_tmr_notify(); of two at the same time core lets one wait for the
 * other, and the worst that comes of it is a unit attention for the one that is no longer remembered.  Core
 * works without move_lock: it waits for commands that may wait for that.
 */
static sense_reason_t scuse_preempt_run(struct se_cmd *cmd, sense_reason_t (*execute)(struct se_cmd *))
{
	struct scuse_device *dev = to_scuse(cmd->se_dev);
	sense_reason_t ret;

	kref_get(&dev->kref);
	mutex_lock(&dev->nexuses.move_lock);
	ret = scuse_preempt_prepare(cmd);
	mutex_unlock(&dev->nexuses.move_lock);
	WRITE_ONCE(dev->nexuses.preempter, cmd->se_sess);
	if (!ret)
		ret = execute(cmd);
	WRITE_ONCE(dev->nexuses.preempter, NULL);
	if (!ret)
		scuse_reservation_changed(dev);
	scuse_device_put(dev);
	return ret;
}

static void scuse_preempt_work(struct work_struct *work)
{
	struct se_cmd *cmd = container_of(work, struct se_cmd, work);
	sense_reason_t ret = scuse_preempt_run(cmd, cmd->priv);

	if (ret)
		ret = scuse_end_reason(cmd, ret);
	if (ret)
		transport_generic_request_failure(cmd, ret);
}

/*
 * PREEMPT AND ABORT waits for core's submission work, which may be what we are called from (tcm_loop,
 * vhost): so it is carried out in a work item of ours.  Core uses the command's own one only to submit and
 * to complete it.
 */
sense_reason_t scuse_execute_reservation(struct se_cmd *cmd, sense_reason_t (*execute)(struct se_cmd *))
{
	if (!scuse_pr_out_is(cmd, SCUSE_PRO_PREEMPT_AND_ABORT))
		return scuse_reservation_run(cmd, execute);
	INIT_WORK(&cmd->work, scuse_preempt_work);
	queue_work(scuse_workqueue, &cmd->work);
	return TCM_NO_SENSE;
}
