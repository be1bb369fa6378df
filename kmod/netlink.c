// SPDX-License-Identifier: GPL-2.0-only
/*
 * The generic netlink family "scuse": commands and dumps (scuse/abi.h, GENERIC NETLINK).  Called by the
 * netlink core in the context of whoever sent the message.
 *
 * Commands run in parallel (a REPLY must come through while a RESIZE waits for it); each takes the
 * locks that it needs.  Every error has a text for people.  Changes need CAP_SYS_ADMIN in the initial
 * user namespace, reading does not, but handler parameters are only shown to those who have it.
 *
 * Who waits for an owner (RESIZE, RESTART) keeps the netlink core from registering and removing families
 * meanwhile.  Should somebody want to do that just then, no message passes, the owner's REPLY neither, and
 * the wait only ends by SCUSE_REQUEST_TIMEOUT.
 */
#include <linux/capability.h>
#include <linux/sched.h>
#include <net/genetlink.h>
#include <net/netlink.h>
#include "scuse.h"

#define SCUSE_DUMP_ROOM (NLMSG_GOODSIZE + SCUSE_CONFIG_MAX)

static const struct nla_policy scuse_policy[SCUSE_ATTR_MAX + 1] = {
	[SCUSE_ATTR_ID] = { .type = NLA_U32 },
	[SCUSE_ATTR_NAME] = { .type = NLA_NUL_STRING, .len = SCUSE_NAME_MAX - 1 },
	[SCUSE_ATTR_HBA] = { .type = NLA_U32 },
	[SCUSE_ATTR_HANDLER] = { .type = NLA_NUL_STRING, .len = SCUSE_HANDLER_MAX - 1 },
	[SCUSE_ATTR_SIZE] = { .type = NLA_U64 },
	[SCUSE_ATTR_EVENT] = { .type = NLA_U32 },
	[SCUSE_ATTR_MESSAGE] = { .type = NLA_NUL_STRING, .len = SCUSE_MESSAGE_MAX - 1 },
	[SCUSE_ATTR_COOKIE] = { .type = NLA_U64 },
	[SCUSE_ATTR_STATUS] = { .type = NLA_U32 },
	[SCUSE_ATTR_MODE] = { .type = NLA_BINARY, .len = SCUSE_MODE_MAX },
};

int scuse_need_admin(struct sk_buff *skb, struct genl_info *info)
{
	if (netlink_capable(skb, CAP_SYS_ADMIN))
		return 0;
	GENL_SET_ERR_MSG(info, "this needs CAP_SYS_ADMIN");
	return -EPERM;
}

/* The device that ID, or NAME and maybe HBA, name; with a reference. */
struct scuse_device *scuse_named_device(struct genl_info *info)
{
	struct nlattr **attrs = info->attrs;
	struct scuse_device *dev;
	u32 hba;

	if (attrs[SCUSE_ATTR_HBA])
		hba = nla_get_u32(attrs[SCUSE_ATTR_HBA]);
	if (attrs[SCUSE_ATTR_ID]) {
		dev = scuse_devices_get(nla_get_u32(attrs[SCUSE_ATTR_ID]));
	} else if (attrs[SCUSE_ATTR_NAME]) {
		dev = scuse_devices_find(nla_data(attrs[SCUSE_ATTR_NAME]),
					 attrs[SCUSE_ATTR_HBA] ? &hba : NULL);
	} else {
		GENL_SET_ERR_MSG(info, "neither ID nor NAME of a device was given");
		return ERR_PTR(-EINVAL);
	}
	if (dev)
		return dev;
	GENL_SET_ERR_MSG(info, "there is no such device");
	return ERR_PTR(-ENODEV);
}

static int scuse_put_device(struct sk_buff *skb, struct scuse_device *dev, u32 portid, u32 seq, int flags,
			    bool admin)
{
	void *header = genlmsg_put(skb, portid, seq, &scuse_genl_family, flags, SCUSE_CMD_GET_DEVICE);

	if (!header)
		return -EMSGSIZE;
	if (nla_put_u64_64bit(skb, SCUSE_ATTR_SEQUENCE, scuse_event_sequence(), SCUSE_ATTR_PAD) ||
	    scuse_msg_device(skb, dev, 0, admin)) {
		genlmsg_cancel(skb, header);
		return -EMSGSIZE;
	}
	genlmsg_end(skb, header);
	return 0;
}

static int scuse_get_device(struct sk_buff *skb, struct genl_info *info)
{
	struct scuse_device *dev = scuse_named_device(info);
	struct sk_buff *reply;
	int ret = -ENOMEM;

	if (IS_ERR(dev))
		return PTR_ERR(dev);
	reply = genlmsg_new(GENLMSG_DEFAULT_SIZE + SCUSE_CONFIG_MAX, GFP_KERNEL);
	if (reply) {
		ret = scuse_put_device(reply, dev, info->snd_portid, info->snd_seq, 0,
				       netlink_capable(skb, CAP_SYS_ADMIN));
		if (ret)
			nlmsg_free(reply);
		else
			ret = genlmsg_reply(reply, info);
	}
	scuse_device_put(dev);
	return ret;
}

static int scuse_dump_start(struct netlink_callback *cb)
{
	cb->min_dump_alloc = SCUSE_DUMP_ROOM;
	return 0;
}

/* args[0]: the next id. */
static int scuse_dump_devices(struct sk_buff *skb, struct netlink_callback *cb)
{
	bool admin = netlink_capable(cb->skb, CAP_SYS_ADMIN);
	unsigned long id = cb->args[0];
	struct scuse_device *dev;
	int ret = 0;

	while (!ret && (dev = scuse_devices_next(&id))) {
		ret = scuse_put_device(skb, dev, NETLINK_CB(cb->skb).portid, cb->nlh->nlmsg_seq, NLM_F_MULTI,
				       admin);
		scuse_device_put(dev);
		if (!ret)
			id++;
	}
	cb->args[0] = id;
	return skb->len ? skb->len : ret;
}

static int scuse_msg_queue(struct sk_buff *skb, struct scuse_device *dev, struct scuse_queue *queue)
{
	u32 used, waiting;

	spin_lock(&queue->lock);
	used = queue->used;
	waiting = queue->waiting;
	spin_unlock(&queue->lock);
	if (nla_put_u32(skb, SCUSE_ATTR_DEPTH, queue->depth) ||
	    nla_put_u32(skb, SCUSE_ATTR_MAX_TRANSFER, dev->max_transfer) ||
	    nla_put_u8(skb, SCUSE_ATTR_STATE, READ_ONCE(dev->state)) ||
	    nla_put_u32(skb, SCUSE_ATTR_INFLIGHT, used) ||
	    nla_put_u32(skb, SCUSE_ATTR_WAITING, waiting))
		return -EMSGSIZE;
	return 0;
}

static int scuse_msg_stat(struct sk_buff *skb, int attr, u64 value)
{
	return nla_put_u64_64bit(skb, attr, value, SCUSE_ATTR_PAD);
}

static int scuse_msg_stats(struct sk_buff *skb, struct scuse_device *dev, struct scuse_queue *queue)
{
	struct scuse_queue_stats stats;
	u64 batches;

	spin_lock(&queue->lock);
	stats = queue->stats;
	spin_unlock(&queue->lock);
	spin_lock(&queue->reap_lock);
	batches = queue->batches;
	spin_unlock(&queue->reap_lock);
	if (scuse_msg_stat(skb, SCUSE_ATTR_STAT_COMMANDS, stats.commands) ||
	    scuse_msg_stat(skb, SCUSE_ATTR_STAT_READ_BYTES, stats.read_bytes) ||
	    scuse_msg_stat(skb, SCUSE_ATTR_STAT_WRITE_BYTES, stats.write_bytes) ||
	    scuse_msg_stat(skb, SCUSE_ATTR_STAT_ERRORS, stats.errors) ||
	    scuse_msg_stat(skb, SCUSE_ATTR_STAT_BUSY, atomic_long_read(&queue->busy)) ||
	    scuse_msg_stat(skb, SCUSE_ATTR_STAT_ENTERS, atomic_long_read(&queue->enters)) ||
	    scuse_msg_stat(skb, SCUSE_ATTR_STAT_SLEEPS, atomic_long_read(&queue->sleeps)) ||
	    scuse_msg_stat(skb, SCUSE_ATTR_STAT_WAKEUPS, atomic_long_read(&queue->wakeups)) ||
	    scuse_msg_stat(skb, SCUSE_ATTR_STAT_SUPPRESSED, atomic_long_read(&queue->suppressed)) ||
	    scuse_msg_stat(skb, SCUSE_ATTR_STAT_BATCHES, batches) ||
	    scuse_msg_stat(skb, SCUSE_ATTR_STAT_ZEROED_BYTES, stats.zeroed_bytes) ||
	    scuse_msg_stat(skb, SCUSE_ATTR_STAT_UNMAP_BLOCKS, stats.unmap_blocks) ||
	    scuse_msg_stat(skb, SCUSE_ATTR_STAT_REPLAYED, stats.replayed) ||
	    scuse_msg_stat(skb, SCUSE_ATTR_STAT_TIMEOUTS, atomic_long_read(&queue->timeouts)) ||
	    scuse_msg_stat(skb, SCUSE_ATTR_STAT_QUARANTINED, atomic_long_read(&queue->quarantined)))
		return -EMSGSIZE;
	return 0;
}

static int scuse_put_queue(struct sk_buff *skb, struct netlink_callback *cb, struct scuse_device *dev,
			   u32 index, u8 cmd)
{
	struct scuse_queue *queue = &dev->queues[index];
	void *header = genlmsg_put(skb, NETLINK_CB(cb->skb).portid, cb->nlh->nlmsg_seq, &scuse_genl_family,
				   NLM_F_MULTI, cmd);

	if (!header)
		return -EMSGSIZE;
	if (nla_put_u64_64bit(skb, SCUSE_ATTR_SEQUENCE, scuse_event_sequence(), SCUSE_ATTR_PAD) ||
	    nla_put_u32(skb, SCUSE_ATTR_ID, dev->id) || nla_put_u32(skb, SCUSE_ATTR_QUEUE, index) ||
	    (cmd == SCUSE_CMD_GET_QUEUE ? scuse_msg_queue(skb, dev, queue)
					: scuse_msg_stats(skb, dev, queue))) {
		genlmsg_cancel(skb, header);
		return -EMSGSIZE;
	}
	genlmsg_end(skb, header);
	return 0;
}

/* The queues of one device from @index on; returns the first that found no room.  */
static u32 scuse_put_queues(struct sk_buff *skb, struct netlink_callback *cb, struct scuse_device *dev,
			    u32 index, u8 cmd)
{
	/* A device that is disabled under us keeps its queues until the lock is free. */
	mutex_lock(&dev->lock);
	while (dev->enabled && index < dev->nr_queues && !scuse_put_queue(skb, cb, dev, index, cmd))
		index++;
	if (!dev->enabled)
		index = U32_MAX;
	mutex_unlock(&dev->lock);
	return index;
}

/* args[0]: the next id, args[1]: the next queue of it. */
static int scuse_dump_queues(struct sk_buff *skb, struct netlink_callback *cb, u8 cmd)
{
	struct nlattr *only = scuse_dump_attrs(cb)[SCUSE_ATTR_ID];
	unsigned long id = cb->args[0];
	unsigned long first;
	struct scuse_device *dev;

	if (only && !id)
		id = nla_get_u32(only);
	for (first = id; (dev = scuse_devices_next(&id)); id++) {
		u32 index, queues;

		if (only && id != nla_get_u32(only)) {
			scuse_device_put(dev);
			break;
		}
		index = scuse_put_queues(skb, cb, dev, id == first ? cb->args[1] : 0, cmd);
		queues = dev->nr_queues;
		scuse_device_put(dev);
		cb->args[1] = 0;
		if (index < queues) {
			cb->args[1] = index;
			break;
		}
	}
	cb->args[0] = id;
	return skb->len;
}

static int scuse_dump_queue(struct sk_buff *skb, struct netlink_callback *cb)
{
	return scuse_dump_queues(skb, cb, SCUSE_CMD_GET_QUEUE);
}

static int scuse_dump_stats(struct sk_buff *skb, struct netlink_callback *cb)
{
	return scuse_dump_queues(skb, cb, SCUSE_CMD_GET_STATS);
}

/* The handler name that CLAIM and RELEASE are about, from a sender that may send them, or an error pointer. */
static const char *scuse_owned_handler(struct sk_buff *skb, struct genl_info *info)
{
	int ret = scuse_need_admin(skb, info);

	if (ret)
		return ERR_PTR(ret);
	if (!info->attrs[SCUSE_ATTR_HANDLER]) {
		GENL_SET_ERR_MSG(info, "no HANDLER was given");
		return ERR_PTR(-EINVAL);
	}
	return nla_data(info->attrs[SCUSE_ATTR_HANDLER]);
}

static int scuse_do_claim(struct sk_buff *skb, struct genl_info *info)
{
	const char *handler = scuse_owned_handler(skb, info);

	if (IS_ERR(handler))
		return PTR_ERR(handler);
	return scuse_owner_claim(handler, info->snd_portid, task_tgid_nr(current), info->extack);
}

static int scuse_do_release(struct sk_buff *skb, struct genl_info *info)
{
	const char *handler = scuse_owned_handler(skb, info);

	if (IS_ERR(handler))
		return PTR_ERR(handler);
	return scuse_owner_release(handler, info->snd_portid, info->extack);
}

static int scuse_do_reply(struct sk_buff *skb, struct genl_info *info)
{
	struct nlattr **attrs = info->attrs;
	int ret = scuse_need_admin(skb, info);

	if (ret)
		return ret;
	if (!attrs[SCUSE_ATTR_COOKIE] || !attrs[SCUSE_ATTR_STATUS]) {
		GENL_SET_ERR_MSG(info, "COOKIE or STATUS is missing");
		return -EINVAL;
	}
	ret = scuse_owner_reply(nla_get_u64(attrs[SCUSE_ATTR_COOKIE]), info->snd_portid,
				nla_get_u32(attrs[SCUSE_ATTR_STATUS]),
				attrs[SCUSE_ATTR_MESSAGE] ? nla_data(attrs[SCUSE_ATTR_MESSAGE]) : NULL);
	if (ret)
		GENL_SET_ERR_MSG(info, "no request with this cookie waits for an answer of this socket");
	return ret;
}

/* Sets the new capacity if the owner agrees; the caller has a reference to the device. */
static int scuse_resize(struct scuse_device *dev, u64 size, struct genl_info *info)
{
	char *message;
	int ret;

	if (dev->raw) {
		GENL_SET_ERR_MSG(info, "the capacity of a raw LUN is its device's own");
		return -EOPNOTSUPP;
	}
	if (!size || size & (dev->block_size - 1) || size > LLONG_MAX) {
		GENL_SET_ERR_MSG(info, "the size must be a multiple of the block size, and not zero");
		return -EINVAL;
	}
	if (READ_ONCE(dev->state) != SCUSE_STATE_ONLINE) {
		GENL_SET_ERR_MSG(info, "the device is offline");
		return -ENOTCONN;
	}
	message = kzalloc(SCUSE_MESSAGE_MAX, GFP_KERNEL);
	if (!message)
		return -ENOMEM;
	ret = scuse_owner_ask(dev, SCUSE_REQUEST_RESIZE, size, message);
	if (ret == -ESRCH) {
		GENL_SET_ERR_MSG(info, "no runner serves the device's handler");
	} else if (ret) {
		/*
		 * The text of an extended ack must be constant; listeners and dumps get what the
		 * handler said.
		 */
		GENL_SET_ERR_MSG(info, "the handler refused; the device's ERROR attribute says why");
		scuse_device_set_error(dev, message);
		scuse_event_device(dev, SCUSE_EVENT_HANDLER_ERROR, message);
	} else {
		mutex_lock(&dev->lock);
		ret = dev->enabled ? scuse_device_resize(dev, size) : -ENODEV;
		mutex_unlock(&dev->lock);
	}
	kfree(message);
	return ret;
}

static int scuse_do_resize(struct sk_buff *skb, struct genl_info *info)
{
	struct scuse_device *dev;
	int ret = scuse_need_admin(skb, info);

	if (ret)
		return ret;
	if (!info->attrs[SCUSE_ATTR_SIZE]) {
		GENL_SET_ERR_MSG(info, "no SIZE was given");
		return -EINVAL;
	}
	dev = scuse_named_device(info);
	if (IS_ERR(dev))
		return PTR_ERR(dev);
	ret = scuse_resize(dev, nla_get_u64(info->attrs[SCUSE_ATTR_SIZE]), info);
	scuse_device_put(dev);
	return ret;
}

/* The old worker goes in any case; what becomes of the new one is the owner's to say. */
static int scuse_restart(struct scuse_device *dev, struct genl_info *info)
{
	char *message;
	int ret;

	if (!scuse_owner_exists(dev->handler)) {
		GENL_SET_ERR_MSG(info, "no runner serves the device's handler");
		return -ESRCH;
	}
	message = kzalloc(SCUSE_MESSAGE_MAX, GFP_KERNEL);
	if (!message)
		return -ENOMEM;
	scuse_revoke_by_request(dev);
	ret = scuse_owner_ask(dev, SCUSE_REQUEST_RESTART, 0, message);
	if (ret) {
		GENL_SET_ERR_MSG(info, "there is no new worker; the device's ERROR attribute says why");
		scuse_device_set_error(dev, message);
		scuse_event_device(dev, SCUSE_EVENT_HANDLER_ERROR, message);
	}
	kfree(message);
	return ret;
}

static int scuse_do_restart(struct sk_buff *skb, struct genl_info *info)
{
	struct scuse_device *dev;
	int ret = scuse_need_admin(skb, info);

	if (ret)
		return ret;
	dev = scuse_named_device(info);
	if (IS_ERR(dev))
		return PTR_ERR(dev);
	ret = scuse_restart(dev, info);
	scuse_device_put(dev);
	return ret;
}

static int scuse_do_report(struct sk_buff *skb, struct genl_info *info)
{
	struct nlattr **attrs = info->attrs;
	struct scuse_device *dev;
	u32 event;
	int ret = scuse_need_admin(skb, info);

	if (ret)
		return ret;
	if (!attrs[SCUSE_ATTR_EVENT] || !attrs[SCUSE_ATTR_MESSAGE]) {
		GENL_SET_ERR_MSG(info, "EVENT or MESSAGE is missing");
		return -EINVAL;
	}
	event = nla_get_u32(attrs[SCUSE_ATTR_EVENT]);
	if (event != SCUSE_EVENT_HANDLER_ERROR && event != SCUSE_EVENT_SLOW_COMMAND &&
	    event != SCUSE_EVENT_GIVEN_UP) {
		GENL_SET_ERR_MSG(info, "only HANDLER_ERROR, SLOW_COMMAND and GIVEN_UP can be reported");
		return -EINVAL;
	}
	dev = scuse_named_device(info);
	if (IS_ERR(dev))
		return PTR_ERR(dev);
	if (event != SCUSE_EVENT_SLOW_COMMAND)
		scuse_device_set_error(dev, nla_data(attrs[SCUSE_ATTR_MESSAGE]));
	scuse_event_device(dev, event, nla_data(attrs[SCUSE_ATTR_MESSAGE]));
	scuse_device_put(dev);
	return 0;
}

static const struct genl_ops scuse_genl_ops[] = {
	{
		.cmd = SCUSE_CMD_GET_DEVICE,
		.doit = scuse_get_device,
		.start = scuse_dump_start,
		.dumpit = scuse_dump_devices,
	},
	{ .cmd = SCUSE_CMD_GET_QUEUE, .dumpit = scuse_dump_queue },
	{ .cmd = SCUSE_CMD_GET_STATS, .dumpit = scuse_dump_stats },
	{ .cmd = SCUSE_CMD_GET_NEXUS, .dumpit = scuse_dump_nexuses },
	{ .cmd = SCUSE_CMD_GET_RESERVATION, .dumpit = scuse_dump_reservations },
	{ .cmd = SCUSE_CMD_GET_OWNER, .dumpit = scuse_owner_dump },
	{ .cmd = SCUSE_CMD_OWNER_CLAIM, .doit = scuse_do_claim },
	{ .cmd = SCUSE_CMD_OWNER_RELEASE, .doit = scuse_do_release },
	{ .cmd = SCUSE_CMD_REPLY, .doit = scuse_do_reply },
	{ .cmd = SCUSE_CMD_RESIZE, .doit = scuse_do_resize },
	{ .cmd = SCUSE_CMD_REPORT, .doit = scuse_do_report },
	{ .cmd = SCUSE_CMD_GET_MODE, .doit = scuse_do_get_mode },
	{ .cmd = SCUSE_CMD_SET_MODE, .doit = scuse_do_set_mode },
	{ .cmd = SCUSE_CMD_RESTART, .doit = scuse_do_restart },
};

static const struct genl_multicast_group scuse_genl_groups[] = {
	{ .name = SCUSE_GENL_GROUP },
};

struct genl_family scuse_genl_family __ro_after_init = {
	.name = SCUSE_GENL_NAME,
	.version = SCUSE_GENL_VERSION,
	.maxattr = SCUSE_ATTR_MAX,
	.policy = scuse_policy,
	.module = THIS_MODULE,
	.ops = scuse_genl_ops,
	.n_ops = ARRAY_SIZE(scuse_genl_ops),
	.mcgrps = scuse_genl_groups,
	.n_mcgrps = ARRAY_SIZE(scuse_genl_groups),
	.parallel_ops = true,
};

int scuse_netlink_init(void)
{
	return genl_register_family(&scuse_genl_family);
}

void scuse_netlink_exit(void)
{
	genl_unregister_family(&scuse_genl_family);
}
