// SPDX-License-Identifier: GPL-2.0-only
/*
 * Contents of netlink messages, and events.  Called from all over the module in process context,
 * without spin locks; the I/O path raises no events itself but leaves that to a work item (session.c).
 *
 * Locking: scuse_event_lock makes the sequence numbers appear in order on the wire.  A device's
 * changing values are read under its info_lock.
 */
#include <net/genetlink.h>
#include <net/netlink.h>
#include "scuse.h"

static DEFINE_MUTEX(scuse_event_lock);
static u64 scuse_sequence; /* of the latest event; scuse_event_lock for writing, READ_ONCE() */

u64 scuse_event_sequence(void)
{
	return READ_ONCE(scuse_sequence);
}

static int scuse_msg_state(struct sk_buff *skb, struct scuse_device *dev)
{
	char error[SCUSE_MESSAGE_MAX];
	u32 worker;
	u8 state;

	spin_lock(&dev->info_lock);
	state = dev->state;
	worker = dev->worker;
	strscpy(error, dev->error, sizeof(error));
	spin_unlock(&dev->info_lock);

	if (nla_put_u8(skb, SCUSE_ATTR_STATE, state))
		return -EMSGSIZE;
	if (worker && nla_put_u32(skb, SCUSE_ATTR_PID, worker))
		return -EMSGSIZE;
	if (error[0] && nla_put_string(skb, SCUSE_ATTR_ERROR, error))
		return -EMSGSIZE;
	return 0;
}

/* Core may write the serial while we look, so its length is not relied on. */
static int scuse_msg_serial(struct sk_buff *skb, struct scuse_device *dev)
{
	char serial[INQUIRY_VPD_SERIAL_LEN];

	strscpy(serial, dev->se_dev.t10_wwn.unit_serial, sizeof(serial));
	return serial[0] ? nla_put_string(skb, SCUSE_ATTR_SERIAL, serial) : 0;
}

static int scuse_msg_raw(struct sk_buff *skb, struct scuse_device *dev)
{
	char identity[SCUSE_IDENTITY_MAX];

	spin_lock(&dev->info_lock);
	strscpy(identity, dev->identity, sizeof(identity));
	spin_unlock(&dev->info_lock);
	if (nla_put_u8(skb, SCUSE_ATTR_RAW, 1))
		return -EMSGSIZE;
	return identity[0] ? nla_put_string(skb, SCUSE_ATTR_IDENTITY, identity) : 0;
}

static int scuse_msg_memory(struct sk_buff *skb, struct scuse_device *dev)
{
	u64 used = scuse_budget_used(&dev->memory) << PAGE_SHIFT;

	if (nla_put_u64_64bit(skb, SCUSE_ATTR_MEMORY, used, SCUSE_ATTR_PAD))
		return -EMSGSIZE;
	return nla_put_u64_64bit(skb, SCUSE_ATTR_MEMORY_MAX, scuse_memory_max(dev), SCUSE_ATTR_PAD);
}

/* What becomes of commands while nobody serves the device. */
static int scuse_msg_policies(struct sk_buff *skb, struct scuse_device *dev)
{
	if (nla_put_u8(skb, SCUSE_ATTR_ORPHAN_POLICY, READ_ONCE(dev->orphan_policy)) ||
	    nla_put_u32(skb, SCUSE_ATTR_ORPHAN_TIMEOUT, READ_ONCE(dev->orphan_timeout)) ||
	    nla_put_u8(skb, SCUSE_ATTR_INFLIGHT_POLICY, READ_ONCE(dev->inflight_policy)))
		return -EMSGSIZE;
	if (READ_ONCE(dev->state) == SCUSE_STATE_ONLINE)
		return 0;
	return nla_put_u64_64bit(skb, SCUSE_ATTR_OFFLINE_MS, scuse_offline_ms(dev), SCUSE_ATTR_PAD);
}

/*
 * scuse_msg_device - the device attributes
 * @size: what to say in SIZE, 0: the device's size
 * @admin: with the handler's parameters, which may hold secrets
 */
int scuse_msg_device(struct sk_buff *skb, struct scuse_device *dev, u64 size, bool admin)
{
	if (nla_put_u32(skb, SCUSE_ATTR_ID, dev->id) || nla_put_string(skb, SCUSE_ATTR_NAME, dev->name) ||
	    nla_put_u32(skb, SCUSE_ATTR_HBA, dev->hba) ||
	    nla_put_string(skb, SCUSE_ATTR_HANDLER, dev->handler) ||
	    nla_put_u64_64bit(skb, SCUSE_ATTR_SIZE, size ? size : scuse_device_size(dev), SCUSE_ATTR_PAD) ||
	    nla_put_u32(skb, SCUSE_ATTR_BLOCK_SIZE, dev->block_size) ||
	    nla_put_u32(skb, SCUSE_ATTR_QUEUES, dev->nr_queues) ||
	    nla_put_u32(skb, SCUSE_ATTR_DEPTH, dev->depth) ||
	    nla_put_u32(skb, SCUSE_ATTR_MAX_TRANSFER, dev->max_transfer) ||
	    nla_put_u32(skb, SCUSE_ATTR_FEATURES, READ_ONCE(dev->features)) ||
	    nla_put_u32(skb, SCUSE_ATTR_EXPORTS, READ_ONCE(dev->se_dev.export_count)) ||
	    nla_put_u8(skb, SCUSE_ATTR_DEVICE_TYPE, READ_ONCE(dev->device_type)))
		return -EMSGSIZE;
	if (nla_put_u32(skb, SCUSE_ATTR_COMMAND_TIMEOUT, READ_ONCE(dev->watch.command_timeout)) ||
	    nla_put_u32(skb, SCUSE_ATTR_TMF_TIMEOUT, scuse_tmf_timeout(dev)))
		return -EMSGSIZE;
	if (dev->raw && scuse_msg_raw(skb, dev))
		return -EMSGSIZE;
	if (scuse_msg_policies(skb, dev) || scuse_msg_memory(skb, dev) || scuse_msg_state(skb, dev) ||
	    scuse_msg_serial(skb, dev))
		return -EMSGSIZE;
	if (admin && nla_put_string(skb, SCUSE_ATTR_CONFIG, dev->config))
		return -EMSGSIZE;
	return 0;
}

static int scuse_msg_event(struct sk_buff *skb, const struct scuse_event_info *info, u64 sequence)
{
	void *header = genlmsg_put(skb, 0, 0, &scuse_genl_family, 0, SCUSE_CMD_EVENT);

	if (!header)
		return -EMSGSIZE;
	if (nla_put_u64_64bit(skb, SCUSE_ATTR_SEQUENCE, sequence, SCUSE_ATTR_PAD) ||
	    nla_put_u32(skb, SCUSE_ATTR_EVENT, info->event))
		return -EMSGSIZE;
	if (info->message && nla_put_string(skb, SCUSE_ATTR_MESSAGE, info->message))
		return -EMSGSIZE;
	if (info->handler && nla_put_string(skb, SCUSE_ATTR_HANDLER, info->handler))
		return -EMSGSIZE;
	if (info->portid && nla_put_u32(skb, SCUSE_ATTR_PORTID, info->portid))
		return -EMSGSIZE;
	if (info->event == SCUSE_EVENT_UNIT_ATTENTION &&
	    (nla_put_u8(skb, SCUSE_ATTR_ASC, info->asc) || nla_put_u8(skb, SCUSE_ATTR_ASCQ, info->ascq)))
		return -EMSGSIZE;
	if (info->nexus && nla_put_u32(skb, SCUSE_ATTR_NEXUS, info->nexus))
		return -EMSGSIZE;
	if (info->mode && nla_put(skb, SCUSE_ATTR_MODE, info->mode_length, info->mode))
		return -EMSGSIZE;
	if (info->dev && scuse_msg_device(skb, info->dev, 0, false))
		return -EMSGSIZE;
	/* Whom the event is about: after, and so instead of, the one who serves the device now. */
	if (info->pid && nla_put_u32(skb, SCUSE_ATTR_PID, info->pid))
		return -EMSGSIZE;
	genlmsg_end(skb, header);
	return 0;
}

/*
 * scuse_event - tell everybody who listens
 *
 * Takes a sequence number even if the message cannot be made: listeners then see the gap, and dump.
 */
void scuse_event(const struct scuse_event_info *info)
{
	struct sk_buff *skb;
	u64 sequence;

	mutex_lock(&scuse_event_lock);
	sequence = scuse_sequence + 1;
	WRITE_ONCE(scuse_sequence, sequence);
	skb = genlmsg_new(GENLMSG_DEFAULT_SIZE, GFP_NOIO);
	if (!skb)
		goto out;
	if (scuse_msg_event(skb, info, sequence)) {
		nlmsg_free(skb);
		goto out;
	}
	/* No listener is no error. */
	genlmsg_multicast(&scuse_genl_family, skb, 0, 0, GFP_NOIO);
out:
	mutex_unlock(&scuse_event_lock);
}

void scuse_event_device(struct scuse_device *dev, enum scuse_event event, const char *message)
{
	struct scuse_event_info info = {
		.event = event,
		.dev = dev,
		.message = message,
	};

	scuse_event(&info);
}
