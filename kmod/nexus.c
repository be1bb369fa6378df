// SPDX-License-Identifier: GPL-2.0-only
/*
 * I_T nexuses and their unit attentions, see nexus.h.  The log itself is ua.c; the dump of nexuses
 * nlnexus.c.
 */
#include <linux/jiffies.h>
#include <linux/slab.h>
#include <scsi/scsi_proto.h>
#include <target/iscsi/iscsi_target_core.h>
#include <target/target_core_fabric.h>
#include "nexus.h"
#include "scuse.h"
#include "sense.h"

static bool scuse_session_is_iscsi(const struct se_session *sess)
{
	return !strcmp(sess->se_tpg->se_tpg_tfo->fabric_name, "iSCSI");
}

/* Jiffies; @sess is alive, and iSCSI's. */
static u64 scuse_session_created(const struct se_session *sess)
{
	const struct iscsit_session *iscsi = READ_ONCE(sess->fabric_sess_ptr);

	return iscsi ? iscsi->creation_time : 0;
}

static unsigned long scuse_nexus_key(const struct se_session *sess, u64 lun)
{
	return (unsigned long)sess ^ (unsigned long)lun;
}

static bool scuse_nexus_is(const struct scuse_nexus *nexus, const struct se_session *sess, u64 lun)
{
	const struct scuse_nexus_identity *identity = &nexus->identity;

	return identity->sess == sess && identity->lun == lun && identity->tpg == sess->se_tpg &&
	       identity->acl == sess->se_node_acl->acl_index &&
	       (!nexus->iscsi || identity->created == scuse_session_created(sess));
}

/* Under RCU or nexuses.lock; @sess is alive, with ACL and port group. */
static struct scuse_nexus *scuse_nexus_find(struct scuse_nexuses *nexuses, const struct se_session *sess,
					    u64 lun)
{
	struct scuse_nexus *nexus;

	hash_for_each_possible_rcu(nexuses->hash, nexus, node, scuse_nexus_key(sess, lun))
	{
		if (scuse_nexus_is(nexus, sess, lun))
			return nexus;
	}
	return NULL;
}

/* The nexus of a command, under RCU; NULL: none, or not known yet. */
static struct scuse_nexus *scuse_nexus_of(struct se_cmd *cmd)
{
	struct se_session *sess = cmd->se_sess;

	if (!sess || !sess->se_node_acl || !sess->se_tpg)
		return NULL;
	return scuse_nexus_find(&to_scuse(cmd->se_dev)->nexuses, sess, cmd->orig_fe_lun);
}

static void scuse_nexus_name(struct scuse_nexus *nexus, struct se_session *sess)
{
	struct se_portal_group *tpg = sess->se_tpg;
	const struct target_core_fabric_ops *tfo = tpg->se_tpg_tfo;
	const char *initiator = sess->se_node_acl->initiatorname;
	char isid[PR_REG_ISID_LEN] = {};

	strscpy(nexus->fabric, tfo->fabric_name, sizeof(nexus->fabric));
	scnprintf(nexus->target, sizeof(nexus->target), "%s,t,0x%x", tfo->tpg_get_wwn(tpg),
		  tfo->tpg_get_tag(tpg));
	if (!tfo->sess_get_initiator_sid) {
		strscpy(nexus->initiator, initiator, sizeof(nexus->initiator));
		return;
	}
	tfo->sess_get_initiator_sid(sess, isid, sizeof(isid));
	scnprintf(nexus->initiator, sizeof(nexus->initiator), "%s,i,0x%s", initiator, isid);
}

/*
 * The first event that concerns a nexus which we meet for the first time: what was raised after session and
 * mapping came into being.  Where nobody knows when the session began (a fabric other than iSCSI, with an
 * ACL that outlives sessions), it is what the walk after the event has not gone over yet.
 */
static u64 scuse_nexus_start(struct scuse_nexuses *nexuses, const struct scuse_nexus *nexus,
			     const struct se_session *sess, const struct se_dev_entry *entry)
{
	u64 since = max(nexus->identity.created, entry->creation_time);
	u64 sequence = scuse_ua_log_after(&nexuses->log, since);

	if (!nexus->iscsi && !sess->se_node_acl->dynamic_node_acl)
		sequence = max(sequence, nexuses->announced);
	return sequence;
}

/* Makes @nexus, fresh memory, the nexus of @sess at the LUN of @entry.  nexuses.lock is held. */
static void scuse_nexus_add(struct scuse_nexuses *nexuses, struct scuse_nexus *nexus, struct se_session *sess,
			    const struct se_dev_entry *entry)
{
	nexus->iscsi = scuse_session_is_iscsi(sess);
	nexus->identity.sess = sess;
	nexus->identity.tpg = sess->se_tpg;
	nexus->identity.lun = entry->mapped_lun;
	nexus->identity.acl = sess->se_node_acl->acl_index;
	nexus->identity.created = nexus->iscsi ? scuse_session_created(sess) : 0;
	nexus->id = ++nexuses->last_id;
	nexus->walk = nexuses->walk;
	nexus->entry = entry;
	scuse_nexus_name(nexus, sess);
	scuse_ua_reader_init(&nexus->reader, nexus->id, scuse_nexus_start(nexuses, nexus, sess, entry));
	hash_add_rcu(nexuses->hash, &nexus->node, scuse_nexus_key(sess, entry->mapped_lun));
}

/* Walks, and tells listeners what is new, in process context. */
static void scuse_nexuses_kick(struct scuse_device *dev)
{
	kref_get(&dev->kref);
	if (!queue_work(scuse_workqueue, &dev->nexuses.work))
		scuse_device_put(dev);
}

/* Makes the nexus of @cmd known, if core knows it.  May wait for memory. */
static void scuse_nexus_meet(struct se_cmd *cmd)
{
	struct scuse_device *dev = to_scuse(cmd->se_dev);
	struct scuse_nexuses *nexuses = &dev->nexuses;
	struct se_session *sess = cmd->se_sess;
	struct se_dev_entry *entry;
	struct scuse_nexus *nexus;
	unsigned long flags;
	bool added = false;

	if (!sess || !sess->se_node_acl || !sess->se_tpg)
		return;
	nexus = kzalloc(sizeof(*nexus), GFP_NOIO);
	if (!nexus)
		return;
	rcu_read_lock();
	/* Commands that core makes itself (EXTENDED COPY) have a session without mappings. */
	entry = scuse_nexus_entry(sess->se_node_acl, cmd->orig_fe_lun);
	spin_lock_irqsave(&nexuses->lock, flags);
	if (entry && !scuse_nexus_of(cmd)) {
		scuse_nexus_add(nexuses, nexus, sess, entry);
		added = true;
	}
	spin_unlock_irqrestore(&nexuses->lock, flags);
	rcu_read_unlock();
	if (added)
		scuse_nexuses_kick(dev);
	else
		kfree(nexus);
}

u32 scuse_nexus_id(struct se_cmd *cmd)
{
	struct scuse_nexus *nexus;
	u32 id;

	rcu_read_lock();
	nexus = scuse_nexus_of(cmd);
	id = nexus ? nexus->id : 0;
	rcu_read_unlock();
	return id;
}

/* A session that reaches the device at the LUN of @entry.  Core's session_lock is held. */
static void scuse_nexus_see(struct scuse_nexuses *nexuses, struct se_session *sess,
			    const struct se_dev_entry *entry)
{
	struct scuse_nexus *nexus;

	spin_lock(&nexuses->lock);
	nexus = scuse_nexus_find(nexuses, sess, entry->mapped_lun);
	if (nexus) {
		nexus->walk = nexuses->walk;
		nexus->entry = entry;
	} else {
		/* Without memory the next walk or the first command will do; see scuse_nexus_start(). */
		nexus = kzalloc(sizeof(*nexus), GFP_ATOMIC | __GFP_NOWARN);
		if (nexus)
			scuse_nexus_add(nexuses, nexus, sess, entry);
	}
	spin_unlock(&nexuses->lock);
}

/* The sessions of the port group of @lun. */
static void scuse_nexuses_walk_lun(struct scuse_nexuses *nexuses, struct se_lun *lun)
{
	struct se_portal_group *tpg = lun->lun_tpg;
	struct se_session *sess;
	struct se_dev_entry *entry;
	unsigned long flags;

	spin_lock_irqsave(&tpg->session_lock, flags);
	list_for_each_entry(sess, &tpg->tpg_sess_list, sess_list) {
		if (!sess->se_node_acl)
			continue;
		rcu_read_lock();
		hlist_for_each_entry_rcu(entry, &sess->se_node_acl->lun_entry_hlist, link)
		{
			if (entry->se_lun == lun)
				scuse_nexus_see(nexuses, sess, entry);
		}
		rcu_read_unlock();
	}
	spin_unlock_irqrestore(&tpg->session_lock, flags);
}

void scuse_nexuses_walk(struct scuse_device *dev)
{
	struct scuse_nexuses *nexuses = &dev->nexuses;
	struct scuse_nexus *nexus;
	struct hlist_node *next;
	struct se_lun *lun;
	u64 walk;
	int i;

	mutex_lock(&nexuses->walk_lock);
	spin_lock_irq(&nexuses->lock);
	walk = ++nexuses->walk;
	spin_unlock_irq(&nexuses->lock);

	spin_lock(&dev->se_dev.se_port_lock);
	list_for_each_entry(lun, &dev->se_dev.dev_sep_list, lun_dev_link)
		scuse_nexuses_walk_lun(nexuses, lun);
	spin_unlock(&dev->se_dev.se_port_lock);

	spin_lock_irq(&nexuses->lock);
	hash_for_each_safe(nexuses->hash, i, next, nexus, node)
	{
		if (nexus->walk == walk)
			continue;
		hash_del_rcu(&nexus->node);
		kfree_rcu(nexus, rcu);
	}
	spin_unlock_irq(&nexuses->lock);
	mutex_unlock(&nexuses->walk_lock);
}

/* The next event that listeners have not been told of; those that fell out meanwhile they never will. */
static bool scuse_nexuses_next_event(struct scuse_nexuses *nexuses, struct scuse_ua_event *event)
{
	const struct scuse_ua_event *found = NULL;

	spin_lock_irq(&nexuses->lock);
	while (!found && nexuses->announced < nexuses->log.next)
		found = scuse_ua_log_event(&nexuses->log, nexuses->announced++);
	if (found)
		*event = *found;
	spin_unlock_irq(&nexuses->lock);
	return found;
}

static void scuse_nexuses_work(struct work_struct *work)
{
	struct scuse_nexuses *nexuses = container_of(work, struct scuse_nexuses, work);
	struct scuse_device *dev = container_of(nexuses, struct scuse_device, nexuses);
	struct scuse_ua_event event;

	scuse_nexuses_walk(dev);
	while (scuse_nexuses_next_event(nexuses, &event)) {
		struct scuse_event_info info = {
			.event = SCUSE_EVENT_UNIT_ATTENTION,
			.dev = dev,
			.asc = event.asc,
			.ascq = event.ascq,
			.nexus = event.spared,
		};

		scuse_event(&info);
	}
	if (atomic_xchg(&nexuses->reservation_changed, 0))
		scuse_event_device(dev, SCUSE_EVENT_RESERVATION, NULL);
	scuse_device_put(dev);
}

void scuse_nexuses_init(struct scuse_device *dev)
{
	struct scuse_nexuses *nexuses = &dev->nexuses;

	spin_lock_init(&nexuses->lock);
	mutex_init(&nexuses->walk_lock);
	mutex_init(&nexuses->move_lock);
	hash_init(nexuses->hash);
	scuse_ua_log_init(&nexuses->log);
	nexuses->announced = 1;
	INIT_WORK(&nexuses->work, scuse_nexuses_work);
}

void scuse_nexuses_exit(struct scuse_device *dev)
{
	struct scuse_nexus *nexus;
	struct hlist_node *next;
	int i;

	hash_for_each_safe(dev->nexuses.hash, i, next, nexus, node)
	{
		hash_del(&nexus->node);
		kfree(nexus);
	}
	mutex_destroy(&dev->nexuses.move_lock);
	mutex_destroy(&dev->nexuses.walk_lock);
}

void scuse_reservation_changed(struct scuse_device *dev)
{
	atomic_set(&dev->nexuses.reservation_changed, 1);
	scuse_nexuses_kick(dev);
}

void scuse_ua_raise(struct scuse_device *dev, u8 asc, u8 ascq, struct se_cmd *spared)
{
	u32 nexus = spared ? scuse_nexus_id(spared) : 0;
	unsigned long flags;

	spin_lock_irqsave(&dev->nexuses.lock, flags);
	scuse_ua_log_add(&dev->nexuses.log, asc, ascq, nexus, get_jiffies_64());
	spin_unlock_irqrestore(&dev->nexuses.lock, flags);
	scuse_nexuses_kick(dev);
}

void scuse_ua_raise_for(struct se_cmd *cmd, u8 asc, u8 ascq)
{
	struct scuse_nexuses *nexuses = &to_scuse(cmd->se_dev)->nexuses;
	struct scuse_nexus *nexus;
	unsigned long flags;

	rcu_read_lock();
	nexus = scuse_nexus_of(cmd);
	if (nexus) {
		spin_lock_irqsave(&nexuses->lock, flags);
		scuse_ua_own(&nexus->reader, &nexuses->log, asc, ascq);
		spin_unlock_irqrestore(&nexuses->lock, flags);
	}
	rcu_read_unlock();
}

/*
 * Finds the next condition of @nexus to tell by @cmd, and clears it if asked to.  It may prove later that
 * the command is aborted and the initiator has not been told: scuse_ua_aborted().
 */
static bool scuse_ua_tell(struct scuse_nexuses *nexuses, struct scuse_nexus *nexus, struct se_cmd *cmd,
			  bool clear, struct scuse_ua_code *code)
{
	unsigned long flags;
	bool found;

	spin_lock_irqsave(&nexuses->lock, flags);
	nexus->telling = NULL;
	found = scuse_ua_first(&nexus->reader, &nexuses->log, code);
	if (found && clear) {
		scuse_ua_clear(&nexus->reader, &nexuses->log, code);
		nexus->telling = cmd;
		nexus->told = *code;
	}
	spin_unlock_irqrestore(&nexuses->lock, flags);
	return found;
}

/* Is something pending?  Nearly always not: one look-up and two comparisons. */
static bool scuse_ua_find(struct se_cmd *cmd, bool clear, struct scuse_ua_code *code)
{
	struct scuse_nexuses *nexuses = &to_scuse(cmd->se_dev)->nexuses;
	struct scuse_nexus *nexus;
	bool found = false;

	rcu_read_lock();
	nexus = scuse_nexus_of(cmd);
	if (!nexus) {
		rcu_read_unlock();
		scuse_nexus_meet(cmd);
		rcu_read_lock();
		nexus = scuse_nexus_of(cmd);
	}
	/* A command in the memory of the one that told last: that one cannot be aborted any more. */
	if (nexus && (scuse_ua_pending(&nexus->reader, &nexuses->log) || READ_ONCE(nexus->telling) == cmd))
		found = scuse_ua_tell(nexuses, nexus, cmd, clear, code);
	rcu_read_unlock();
	return found;
}

bool scuse_ua_check(struct se_cmd *cmd)
{
	enum target_ua_intlck_ctrl interlock = cmd->se_dev->dev_attrib.emulate_ua_intlck_ctrl;
	bool aborted = READ_ONCE(cmd->transport_state) & CMD_T_ABORTED;
	struct scuse_ua_code code;

	if (!scuse_ua_find(cmd, interlock == TARGET_UA_INTLCK_CTRL_CLEAR && !aborted, &code))
		return false;
	scuse_end_with_sense(cmd, SCUSE_KEY_UNIT_ATTENTION, code.asc, code.ascq);
	return true;
}

bool scuse_ua_take(struct se_cmd *cmd, struct scuse_ua_code *code)
{
	return scuse_ua_find(cmd, !(READ_ONCE(cmd->transport_state) & CMD_T_ABORTED), code);
}

void scuse_ua_telling(struct se_cmd *cmd, const struct scuse_ua_code *code)
{
	struct scuse_nexuses *nexuses = &to_scuse(cmd->se_dev)->nexuses;
	struct scuse_nexus *nexus;
	unsigned long flags;

	rcu_read_lock();
	nexus = scuse_nexus_of(cmd);
	if (nexus) {
		spin_lock_irqsave(&nexuses->lock, flags);
		nexus->telling = cmd;
		nexus->told = *code;
		spin_unlock_irqrestore(&nexuses->lock, flags);
	}
	rcu_read_unlock();
}

void scuse_ua_aborted(struct scuse_device *dev, struct se_cmd *cmd)
{
	struct scuse_nexuses *nexuses = &dev->nexuses;
	struct scuse_nexus *nexus;
	unsigned long flags;

	rcu_read_lock();
	nexus = scuse_nexus_of(cmd);
	if (nexus && READ_ONCE(nexus->telling) == cmd) {
		spin_lock_irqsave(&nexuses->lock, flags);
		if (nexus->telling == cmd) {
			scuse_ua_own(&nexus->reader, &nexuses->log, nexus->told.asc, nexus->told.ascq);
			nexus->telling = NULL;
		}
		spin_unlock_irqrestore(&nexuses->lock, flags);
	}
	rcu_read_unlock();
}

/*
 * Of core's unit attentions these concern every nexus of the initiator, but core keeps one list for all of
 * an initiator's sessions and gives it to whichever comes first.
 */
static bool scuse_ua_is_common(u8 asc, u8 ascq)
{
	return (asc == 0x29 && ascq <= 0x04) || (asc == 0x2a && (ascq == 0x06 || ascq == 0x07)) ||
	       (asc == 0x3f && ascq == 0x0e);
}

/* nexuses.lock is held. */
static void scuse_ua_adopt_one(struct scuse_nexuses *nexuses, struct scuse_nexus *mine, u8 asc, u8 ascq)
{
	struct scuse_nexus *nexus;
	int i;

	scuse_ua_own(&mine->reader, &nexuses->log, asc, ascq);
	if (!scuse_ua_is_common(asc, ascq))
		return;
	hash_for_each(nexuses->hash, i, nexus, node)
	{
		if (nexus->identity.acl == mine->identity.acl && nexus->identity.lun == mine->identity.lun)
			scuse_ua_own(&nexus->reader, &nexuses->log, asc, ascq);
	}
}

/* Moves the list of @entry to @mine.  Under RCU. */
static void scuse_ua_adopt_list(struct scuse_nexuses *nexuses, struct scuse_nexus *mine,
				struct se_dev_entry *entry)
{
	struct se_ua *ua, *next;
	unsigned long flags;
	LIST_HEAD(list);

	spin_lock(&entry->ua_lock);
	list_splice_init(&entry->ua_list, &list);
	spin_unlock(&entry->ua_lock);
	list_for_each_entry_safe(ua, next, &list, ua_nacl_list) {
		spin_lock_irqsave(&nexuses->lock, flags);
		scuse_ua_adopt_one(nexuses, mine, ua->ua_asc, ua->ua_ascq);
		spin_unlock_irqrestore(&nexuses->lock, flags);
		kfree(ua);
	}
}

/* False: the nexus of @cmd is to be met first. */
static bool scuse_ua_adopt_known(struct se_cmd *cmd)
{
	struct se_dev_entry *entry;
	struct scuse_nexus *nexus;
	bool known = true;

	rcu_read_lock();
	entry = scuse_nexus_entry(cmd->se_sess->se_node_acl, cmd->orig_fe_lun);
	if (entry && !list_empty_careful(&entry->ua_list)) {
		nexus = scuse_nexus_of(cmd);
		if (nexus)
			scuse_ua_adopt_list(&to_scuse(cmd->se_dev)->nexuses, nexus, entry);
		known = nexus;
	}
	rcu_read_unlock();
	return known;
}

/*
 * Core tells the first of its unit attentions and throws the others away, also when the command that was
 * told is aborted.  So they are moved to our reader before core looks: in parse_cdb, which it calls first.
 */
void scuse_ua_adopt(struct se_cmd *cmd)
{
	if (!cmd->se_sess || !cmd->se_sess->se_node_acl || scuse_ua_adopt_known(cmd))
		return;
	scuse_nexus_meet(cmd);
	scuse_ua_adopt_known(cmd);
}

/* One condition for all of these until it is told: SPC-4 7.5.8, UA_INTLCK_CTRL 11b. */
void scuse_ua_status(struct se_cmd *cmd, u8 status)
{
	if (cmd->se_dev->dev_attrib.emulate_ua_intlck_ctrl != TARGET_UA_INTLCK_CTRL_ESTABLISH_UA)
		return;
	if (status == SAM_STAT_BUSY)
		scuse_ua_raise_for(cmd, 0x2c, 0x07);
	else if (status == SAM_STAT_TASK_SET_FULL)
		scuse_ua_raise_for(cmd, 0x2c, 0x08);
}
