// SPDX-License-Identifier: GPL-2.0-only
/*
 * Netlink dumps of I_T nexuses and of reservations (scuse/abi.h, GET_NEXUS and GET_RESERVATION).  Called
 * by the netlink core in the context of whoever asks.
 *
 * A dump goes on in several calls: args[0] is the id of the device to go on with, args[1] what of it has
 * been put already.  Messages are made under the locks of what they show; putting attributes does not
 * sleep.
 */
#include <net/genetlink.h>
#include <net/netlink.h>
#include <target/target_core_fabric.h>
#include "nexus.h"
#include "reservation.h"
#include "scuse.h"

/* Puts what is left of one device.  False: no room; *@done says where to go on. */
typedef bool (*scuse_put_rest)(struct sk_buff *skb, struct netlink_callback *cb, struct scuse_device *dev,
			       long *done);

static int scuse_dump_rest(struct sk_buff *skb, struct netlink_callback *cb, scuse_put_rest put)
{
	struct nlattr *only = scuse_dump_attrs(cb)[SCUSE_ATTR_ID];
	unsigned long id = cb->args[0];
	struct scuse_device *dev;
	bool room = true;

	if (only && !id)
		id = nla_get_u32(only);
	while (room && (dev = scuse_devices_next(&id))) {
		if (only && id != nla_get_u32(only)) {
			scuse_device_put(dev);
			break;
		}
		if (id != cb->args[0])
			cb->args[1] = 0;
		cb->args[0] = id;
		room = put(skb, cb, dev, &cb->args[1]);
		scuse_device_put(dev);
		if (room) {
			cb->args[0] = ++id;
			cb->args[1] = 0;
		}
	}
	return skb->len;
}

static void *scuse_put_header(struct sk_buff *skb, struct netlink_callback *cb, struct scuse_device *dev,
			      u8 cmd)
{
	void *header = genlmsg_put(skb, NETLINK_CB(cb->skb).portid, cb->nlh->nlmsg_seq, &scuse_genl_family,
				   NLM_F_MULTI, cmd);

	if (!header)
		return NULL;
	if (nla_put_u64_64bit(skb, SCUSE_ATTR_SEQUENCE, scuse_event_sequence(), SCUSE_ATTR_PAD) ||
	    nla_put_u32(skb, SCUSE_ATTR_ID, dev->id)) {
		genlmsg_cancel(skb, header);
		return NULL;
	}
	return header;
}

/*
 * Core keeps unit attentions of its own (LUN RESET, PERSISTENT RESERVE OUT) for each mapping of a LUN,
 * which the sessions of one initiator share, and reports them before ours.  The locks that lead there come
 * before nexuses.lock, so they are noted down before a dump is written.
 */
static void scuse_note_core_codes(struct scuse_nexuses *nexuses, struct se_dev_entry *entry)
{
	struct scuse_ua_code codes[SCUSE_NEXUS_CORE_CODES];
	struct scuse_nexus *nexus;
	struct se_ua *ua;
	u32 count = 0;
	int i;

	spin_lock(&entry->ua_lock);
	list_for_each_entry(ua, &entry->ua_list, ua_nacl_list) {
		if (count == ARRAY_SIZE(codes))
			break;
		codes[count].asc = ua->ua_asc;
		codes[count++].ascq = ua->ua_ascq;
	}
	spin_unlock(&entry->ua_lock);
	spin_lock_irq(&nexuses->lock);
	hash_for_each(nexuses->hash, i, nexus, node)
	{
		if (nexus->entry != entry)
			continue;
		memcpy(nexus->core, codes, sizeof(codes));
		nexus->core_count = count;
	}
	spin_unlock_irq(&nexuses->lock);
}

static void scuse_note_core(struct scuse_device *dev)
{
	struct se_dev_entry *entry;
	struct se_lun *lun;

	spin_lock(&dev->se_dev.se_port_lock);
	list_for_each_entry(lun, &dev->se_dev.dev_sep_list, lun_dev_link) {
		spin_lock(&lun->lun_deve_lock);
		list_for_each_entry(entry, &lun->lun_deve_list, lun_link)
			scuse_note_core_codes(&dev->nexuses, entry);
		spin_unlock(&lun->lun_deve_lock);
	}
	spin_unlock(&dev->se_dev.se_port_lock);
}

/* nexuses.lock is held. */
static bool scuse_put_nexus(struct sk_buff *skb, struct netlink_callback *cb, struct scuse_device *dev,
			    const struct scuse_nexus *nexus)
{
	struct scuse_ua_code codes[SCUSE_NEXUS_CORE_CODES + SCUSE_UA_CODES];
	u32 count = nexus->core_count;
	void *header = scuse_put_header(skb, cb, dev, SCUSE_CMD_GET_NEXUS);

	if (!header)
		return false;
	memcpy(codes, nexus->core, count * sizeof(codes[0]));
	count += scuse_ua_list(&nexus->reader, &dev->nexuses.log, codes + count, SCUSE_UA_CODES);
	if (nla_put_u32(skb, SCUSE_ATTR_NEXUS, nexus->id) ||
	    nla_put_string(skb, SCUSE_ATTR_FABRIC, nexus->fabric) ||
	    nla_put_string(skb, SCUSE_ATTR_INITIATOR, nexus->initiator) ||
	    nla_put_string(skb, SCUSE_ATTR_TARGET, nexus->target) ||
	    nla_put_u64_64bit(skb, SCUSE_ATTR_LUN, nexus->identity.lun, SCUSE_ATTR_PAD) ||
	    nla_put(skb, SCUSE_ATTR_UA, count * sizeof(codes[0]), codes)) {
		genlmsg_cancel(skb, header);
		return false;
	}
	genlmsg_end(skb, header);
	return true;
}

/* The nexus with the lowest id above @id.  nexuses.lock is held. */
static const struct scuse_nexus *scuse_nexus_above(struct scuse_nexuses *nexuses, u32 id)
{
	const struct scuse_nexus *best = NULL;
	struct scuse_nexus *nexus;
	int i;

	hash_for_each(nexuses->hash, i, nexus, node)
	{
		if (nexus->id > id && (!best || nexus->id < best->id))
			best = nexus;
	}
	return best;
}

/* *@done: the id of the latest nexus that was put. */
static bool scuse_put_nexuses(struct sk_buff *skb, struct netlink_callback *cb, struct scuse_device *dev,
			      long *done)
{
	struct scuse_nexuses *nexuses = &dev->nexuses;
	const struct scuse_nexus *nexus;
	bool room = true;

	if (!*done) {
		scuse_nexuses_walk(dev);
		scuse_note_core(dev);
	}
	spin_lock_irq(&nexuses->lock);
	while (room && (nexus = scuse_nexus_above(nexuses, *done))) {
		room = scuse_put_nexus(skb, cb, dev, nexus);
		if (room)
			*done = nexus->id;
	}
	spin_unlock_irq(&nexuses->lock);
	return room;
}

int scuse_dump_nexuses(struct sk_buff *skb, struct netlink_callback *cb)
{
	return scuse_dump_rest(skb, cb, scuse_put_nexuses);
}

static bool scuse_put_ports(struct sk_buff *skb, const struct se_node_acl *acl, const char *isid)
{
	struct se_portal_group *tpg = acl->se_tpg;
	const struct target_core_fabric_ops *tfo = tpg->se_tpg_tfo;
	char initiator[SCUSE_NEXUS_NAME], target[SCUSE_NEXUS_NAME];

	scnprintf(initiator, sizeof(initiator), "%s%s%s", acl->initiatorname, isid[0] ? ",i,0x" : "", isid);
	scnprintf(target, sizeof(target), "%s,t,0x%x", tfo->tpg_get_wwn(tpg), tfo->tpg_get_tag(tpg));
	return !nla_put_string(skb, SCUSE_ATTR_FABRIC, tfo->fabric_name) &&
	       !nla_put_string(skb, SCUSE_ATTR_INITIATOR, initiator) &&
	       !nla_put_string(skb, SCUSE_ATTR_TARGET, target);
}

/* An SPC-2 reservation.  dev_reservation_lock is held. */
static bool scuse_put_legacy(struct sk_buff *skb, struct netlink_callback *cb, struct scuse_device *dev)
{
	struct se_session *sess = dev->se_dev.reservation_holder;
	void *header = scuse_put_header(skb, cb, dev, SCUSE_CMD_GET_RESERVATION);
	char isid[PR_REG_ISID_LEN] = {};

	if (!header)
		return false;
	if (sess->se_tpg && sess->se_tpg->se_tpg_tfo->sess_get_initiator_sid)
		sess->se_tpg->se_tpg_tfo->sess_get_initiator_sid(sess, isid, sizeof(isid));
	if (!scuse_put_ports(skb, sess->se_node_acl, isid) ||
	    nla_put_u8(skb, SCUSE_ATTR_PR_TYPE, SCUSE_PR_TYPE_SPC2) ||
	    nla_put_u8(skb, SCUSE_ATTR_PR_HOLDER, 1)) {
		genlmsg_cancel(skb, header);
		return false;
	}
	genlmsg_end(skb, header);
	return true;
}

/* dev_reservation_lock and registration_lock are held. */
static bool scuse_put_registration(struct sk_buff *skb, struct netlink_callback *cb, struct scuse_device *dev,
				   const struct t10_pr_registration *registration)
{
	const struct t10_pr_registration *holder = dev->se_dev.dev_pr_res_holder;
	void *header = scuse_put_header(skb, cb, dev, SCUSE_CMD_GET_RESERVATION);
	u8 type = holder ? holder->pr_res_type : 0;
	bool holds = holder == registration || scuse_pr_all_hold(type);

	if (!header)
		return false;
	if (!scuse_put_ports(skb, registration->pr_reg_nacl,
			     registration->isid_present_at_reg ? registration->pr_reg_isid : "") ||
	    nla_put_u8(skb, SCUSE_ATTR_PR_TYPE, type) || nla_put_u8(skb, SCUSE_ATTR_PR_HOLDER, holds) ||
	    nla_put_u64_64bit(skb, SCUSE_ATTR_KEY, registration->pr_res_key, SCUSE_ATTR_PAD) ||
	    nla_put_u32(skb, SCUSE_ATTR_PR_GENERATION, dev->se_dev.t10_pr.pr_generation)) {
		genlmsg_cancel(skb, header);
		return false;
	}
	genlmsg_end(skb, header);
	return true;
}

/* *@done: how many registrations were put.  dev_reservation_lock is held. */
static bool scuse_put_registrations(struct sk_buff *skb, struct netlink_callback *cb,
				    struct scuse_device *dev, long *done)
{
	struct t10_reservation *core = &dev->se_dev.t10_pr;
	struct t10_pr_registration *registration;
	bool room = true;
	long at = 0;

	spin_lock(&core->registration_lock);
	list_for_each_entry(registration, &core->registration_list, pr_reg_list) {
		if (at++ < *done)
			continue;
		room = scuse_put_registration(skb, cb, dev, registration);
		if (!room)
			break;
		*done = at;
	}
	spin_unlock(&core->registration_lock);
	return room;
}

static bool scuse_put_reservations(struct sk_buff *skb, struct netlink_callback *cb, struct scuse_device *dev,
				   long *done)
{
	struct se_device *se_dev = &dev->se_dev;
	bool room = true;

	spin_lock(&se_dev->dev_reservation_lock);
	if (!*done && se_dev->reservation_holder)
		room = scuse_put_legacy(skb, cb, dev);
	if (room)
		room = scuse_put_registrations(skb, cb, dev, done);
	spin_unlock(&se_dev->dev_reservation_lock);
	return room;
}

int scuse_dump_reservations(struct sk_buff *skb, struct netlink_callback *cb)
{
	return scuse_dump_rest(skb, cb, scuse_put_reservations);
}
