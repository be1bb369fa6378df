// SPDX-License-Identifier: GPL-2.0-only
/*
 * Mode pages over netlink: GET_MODE and SET_MODE (scuse/abi.h, "Mode pages").  Called by the netlink core in
 * the context of whoever sent the message; no locks held.
 */
#include <linux/slab.h>
#include <net/genetlink.h>
#include <net/netlink.h>
#include "mode.h"
#include "scuse.h"

static int scuse_put_mode(struct sk_buff *skb, struct scuse_device *dev, struct genl_info *info)
{
	void *header =
		genlmsg_put(skb, info->snd_portid, info->snd_seq, &scuse_genl_family, 0, SCUSE_CMD_GET_MODE);
	u8 pages[SCUSE_MODE_SENSE_MAX];
	u32 length;

	if (!header)
		return -EMSGSIZE;
	if (nla_put_u64_64bit(skb, SCUSE_ATTR_SEQUENCE, scuse_event_sequence(), SCUSE_ATTR_PAD) ||
	    nla_put_u32(skb, SCUSE_ATTR_ID, dev->id))
		return -EMSGSIZE;
	length = scuse_mode_list(dev, false, pages);
	if (nla_put(skb, SCUSE_ATTR_MODE, length, pages))
		return -EMSGSIZE;
	length = scuse_mode_list(dev, true, pages);
	if (length && nla_put(skb, SCUSE_ATTR_MODE_SAVED, length, pages))
		return -EMSGSIZE;
	genlmsg_end(skb, header);
	return 0;
}

/* Mode pages of a raw LUN are its device's. */
static struct scuse_device *scuse_mode_device(struct genl_info *info)
{
	struct scuse_device *dev = scuse_named_device(info);

	if (IS_ERR(dev) || !dev->raw)
		return dev;
	GENL_SET_ERR_MSG(info, "a raw LUN keeps its mode pages itself");
	scuse_device_put(dev);
	return ERR_PTR(-EOPNOTSUPP);
}

int scuse_do_get_mode(struct sk_buff *skb, struct genl_info *info)
{
	struct scuse_device *dev = scuse_mode_device(info);
	struct sk_buff *reply;
	int ret = -ENOMEM;

	if (IS_ERR(dev))
		return PTR_ERR(dev);
	reply = genlmsg_new(GENLMSG_DEFAULT_SIZE, GFP_KERNEL);
	if (reply) {
		ret = scuse_put_mode(reply, dev, info);
		if (ret)
			nlmsg_free(reply);
		else
			ret = genlmsg_reply(reply, info);
	}
	scuse_device_put(dev);
	return ret;
}

int scuse_do_set_mode(struct sk_buff *skb, struct genl_info *info)
{
	struct nlattr *mode = info->attrs[SCUSE_ATTR_MODE];
	struct scuse_device *dev;
	int ret = scuse_need_admin(skb, info);

	if (ret)
		return ret;
	if (!mode) {
		GENL_SET_ERR_MSG(info, "no MODE was given");
		return -EINVAL;
	}
	dev = scuse_mode_device(info);
	if (IS_ERR(dev))
		return PTR_ERR(dev);
	ret = scuse_mode_set(dev, nla_data(mode), nla_len(mode));
	if (ret)
		GENL_SET_ERR_MSG(info, "MODE holds no mode pages of this kind of device");
	scuse_device_put(dev);
	return ret;
}
